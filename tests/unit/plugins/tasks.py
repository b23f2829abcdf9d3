# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the task of a module without a front door."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._task import Result, Task


def lines(task: Task, check_mode: bool = False, **given: Any) -> list[str]:
    return [line[2:] for line in task.validate(given, check_mode).report().split("\n")[1:]]


def run(task: Task, client: Any, check_mode: bool = False, diff_mode: bool = False, **given: Any) -> Result:
    """Run a task with the arguments as Ansible validates them."""
    checked = task.validate(given, check_mode)
    assert checked.violations == {}
    validation = ArgumentSpecValidator(task.spec()).validate(checked.arguments)
    assert validation.error_messages == []
    return task.run(validation.validated_parameters, client, check_mode, diff_mode)
