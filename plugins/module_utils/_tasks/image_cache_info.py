# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache_info. Private to the collection."""

from __future__ import annotations

from .._image_cache.read import image_caches
from .._options.arguments import Spec, check, connection_spec, merged, tags_option
from .._options.schema import Violation
from .._service.client import Client
from .._task import Arguments, Result, Task


def _spec() -> Spec:
    return merged(
        {
            "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
            "image_cache_name": {"type": "str", "aliases": ["imageCacheName", "name"]},
            "images": {"type": "list", "elements": "str"},
            "tags": tags_option(),
            "events": {"type": "bool", "default": False},
        },
        connection_spec(),
    )


def _check(given: Arguments) -> list[Violation]:
    return check(_spec(), given).violations


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    return Result({"changed": False, "image_caches": image_caches(arguments, client)})


TASK = Task(_spec, _check, _run)
