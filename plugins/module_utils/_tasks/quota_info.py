# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module quota_info. Private to the collection."""

from __future__ import annotations

from .._api import region
from .._api.client import Client
from .._arguments.specs import connection_spec
from .._task import Arguments, Result, Task


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    return Result({"changed": False, "quotas": region.usage(client)})


TASK = Task(connection_spec, lambda values, check_mode: (), _run, empty={"quotas": []})
