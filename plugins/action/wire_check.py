# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module wire_check without a child process."""

from __future__ import annotations

from ansible_collections.ctyun.eci.plugins.module_utils._tasks import wire_check
from ansible_collections.ctyun.eci.plugins.plugin_utils._action import TaskAction, tell_options


class ActionModule(TaskAction):
    """See plugins/modules/wire_check.py."""

    TASK = wire_check.TASK


def main() -> None:
    """For ansible-lint, see ``tell_options``."""
    tell_options(wire_check.TASK)
