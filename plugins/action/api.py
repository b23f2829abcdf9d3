# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module api without a child process."""

from __future__ import annotations

from ansible_collections.ctyun.eci.plugins.plugin_utils._action import TaskAction, show_options
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import api


class ActionModule(TaskAction):
    """See plugins/modules/api.py."""

    TASK = api.TASK


def main() -> None:
    """For ansible-lint, see ``show_options``."""
    show_options(api.TASK)
