# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the arguments of a task to what it wants of one image cache. Private to the collection."""

from __future__ import annotations

from typing import Any, Mapping

from .._image_cache.plan import Wanted
from .._arguments.body import request_body


def wanted(
    arguments: Mapping[str, Any], body: Mapping[str, Any], state: str = "present", image_cache_id: str | None = None
) -> Wanted:
    """What a task's checked arguments describe; ``body`` holds those of them that are fields of the request body."""
    return Wanted(
        state=state,
        body=request_body(body),
        image_cache_id=image_cache_id,
        purge_tags=arguments["purge_tags"],
        drift=arguments["drift"],
        wait=arguments["wait"],
        duplicates=arguments["duplicates"],
    )
