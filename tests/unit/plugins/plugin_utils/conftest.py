# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.plugin_utils import _action
from ansible_collections.ctyun.eci.plugins.plugin_utils._action import TaskAction
from ansible_collections.ctyun.eci.plugins.action import region_info
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result
from tests.emulator import Emulator

ABSENT = object()
DEFAULTS: dict[str, Any] = {"module_defaults": [], "resolved_action": "ctyun.eci.image_cache"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _own_transports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_action, "_transports", {})


@pytest.fixture
def make_action() -> Callable[..., TaskAction]:
    """An action plugin with a task around it as Ansible makes one; what differs from a plain local task is given."""

    def make(
        plugin: Any = region_info,
        arguments: dict[str, Any] | None = None,
        transport: str = "local",
        become: Any = None,
        **task: Any,
    ) -> TaskAction:
        plain_task = dict.fromkeys(("no_log", "async_val", "check_mode", "diff", "delegate_to"))
        connection = SimpleNamespace(
            transport=transport, become=become, _shell=SimpleNamespace(tmpdir=None, env_prefix=lambda **_variables: "")
        )
        action: TaskAction = plugin.ActionModule(
            task=SimpleNamespace(args=arguments or {}, **{**plain_task, "environment": [], **DEFAULTS, **task}),
            connection=connection,
            play_context=MagicMock(),
            loader=MagicMock(),
            templar=SimpleNamespace(template=lambda value: value),
            shared_loader_obj=None,
        )
        action._execute_module = MagicMock(return_value={"through": "module"})
        action._remove_tmp_path = MagicMock()
        return action

    return make


@pytest.fixture
def run(emulator: Emulator, make_action: Callable[..., TaskAction], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run an action plugin over the emulator. ``returns`` is the result of its task, which is not run then."""
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def run_action(
        arguments: dict[str, Any],
        variables: dict[str, Any] | None = None,
        returns: Result | None = None,
        plugin: Any = region_info,
        **options: Any,
    ) -> dict[str, Any]:
        keys = {name: getattr(emulator.settings, name) for name in ("access_key", "secret_key", "region_id")}
        connection = {"endpoint": emulator.url, **keys, "retries": 0}
        if returns:
            task = plugin.ActionModule.TASK._replace(run=lambda *_: copy.deepcopy(returns))
            monkeypatch.setattr(plugin.ActionModule, "TASK", task)
        given = {key: value for key, value in {**connection, **arguments}.items() if value is not ABSENT}
        action = make_action(plugin, given, **options)
        return dict(action.run(task_vars=variables or {}))

    return run_action
