# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module region_info. Private to the collection."""

from __future__ import annotations

from .._api import region as _region
from .._arguments.validation import check
from .._arguments.schema import Violation
from .._arguments.specs import connection_spec
from .._api.client import Client
from .._task import Arguments, Result, Task


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    return check(connection_spec(), given).violations


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    return Result({"changed": False, "region": _region.region(client)})


TASK = Task(connection_spec, _check, _run)
