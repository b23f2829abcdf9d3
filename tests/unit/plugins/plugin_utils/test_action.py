# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: when it is taken, and what comes out of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.action import (
    image_cache,
    image_cache_info,
    image_caches,
    quota_info,
    region_info,
)
from ansible_collections.ctyun.eci.plugins.module_utils import _tasks
from ansible_collections.ctyun.eci.plugins.plugin_utils import _action
from ansible_collections.ctyun.eci.plugins.plugin_utils._action import TaskAction, plain
from tests.emulator import Emulator, Fault

SECRET = "planted-secret"
BODY = {
    "name": "web",
    "images": ["nginx:latest"],
    "vpc_id": "vpc-test",
    "subnet_id": "subnet-test",
    "security_group_id": "sg-test",
    "az_info": {"az_name": "az1"},
}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _own_locks_and_clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(_action, "_clients", {})


@pytest.fixture
def make_action() -> Callable[..., TaskAction]:
    """An action plugin with a task around it as Ansible makes one; what differs from a plain local task is given."""

    def make(
        plugin: type[TaskAction] = image_cache.ActionModule,
        arguments: dict[str, Any] | None = None,
        transport: str = "local",
        become: Any = None,
        **task: Any,
    ) -> TaskAction:
        plain_task = {"async_val": 0, "check_mode": False, "diff": False, "environment": [], "delegate_to": None}
        connection = SimpleNamespace(transport=transport, become=become, _shell=SimpleNamespace(tmpdir=None))
        action = plugin(
            task=SimpleNamespace(args=arguments or {}, **{**plain_task, **task}),
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
    """Run an action plugin with arguments over the emulator."""
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})

    def run_action(
        arguments: dict[str, Any], variables: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        connection = {
            "endpoint": emulator.url,
            "access_key": emulator.settings.access_key,
            "secret_key": emulator.settings.secret_key,
            "region_id": emulator.settings.region_id,
            "retries": 0,
        }
        action = make_action(arguments={**connection, **arguments}, **options)
        found: dict[str, Any] = action.run(task_vars=variables or {})
        return found

    return run_action


@pytest.mark.parametrize("plugin", [image_cache, image_caches, image_cache_info, region_info, quota_info])
def test_each_plugin_does_its_task(plugin: Any) -> None:
    name = plugin.__name__.rpartition(".")[2]
    assert plugin.ActionModule.TASK is import_module(f"{_tasks.__name__}.{name}").TASK


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, {}),
        ({"environment": [{}, None]}, {}),
        ({}, {"ansible_python_interpreter": sys.executable}),
        ({}, {"ansible_python_interpreter": "auto"}),
        ({}, {"ansible_python_interpreter": "auto_silent"}),
        ({}, {"ctyun_eci_in_process": "true"}),
        ({"delegate_to": "there"}, {"ansible_python_interpreter": "/other", "ansible_delegated_vars": {"there": {}}}),
    ],
)
def test_in_process(run: Run, emulator: Emulator, options: dict[str, Any], variables: dict[str, Any]) -> None:
    assert run(BODY, variables, **options)["changed"] is True
    assert len(emulator.service.caches()) == 1


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({"transport": "ssh"}, {}),
        ({"become": MagicMock()}, {}),
        ({"async_val": 10}, {}),
        ({"environment": [{}, {"A": "1"}]}, {}),
        ({}, {"ansible_python_interpreter": "/usr/bin/other-python"}),
        ({"delegate_to": "there"}, {"ansible_delegated_vars": {"there": {"ansible_python_interpreter": "/other"}}}),
        ({}, {"ctyun_eci_in_process": False}),
        ({}, {"ctyun_eci_in_process": "no"}),
    ],
)
def test_handed_over(run: Run, emulator: Emulator, options: dict[str, Any], variables: dict[str, Any]) -> None:
    assert run(BODY, variables, **options) == {"through": "module"}
    assert emulator.requests == []


@pytest.mark.parametrize("library", ["HAS_REQUESTS", "HAS_JSONSCHEMA"])
def test_handed_over_without_a_library(run: Run, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(_action, library, False)
    assert run(BODY) == {"through": "module"}


def test_handed_over_where_an_argument_has_no_plain_type(run: Run) -> None:
    assert run({**BODY, "image_cache_name": object()}) == {"through": "module"}


def test_async_is_told_to_the_module_and_keeps_its_files(make_action: Callable[..., TaskAction]) -> None:
    action = make_action(async_val=10)
    action._as_module({}, {})
    assert action._execute_module.call_args.kwargs["wrap_async"] is True
    assert not action._remove_tmp_path.called


def test_a_configured_interpreter_is_asking(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/other-python")
    assert run(BODY) == {"through": "module"}


def test_wrong_arguments_are_told_and_nothing_is_sent(run: Run, emulator: Emulator) -> None:
    result = run({"name": "web", "images": [], "pasword": SECRET})
    assert result["failed"] is True
    assert result["msg"].count("\n- ") >= 5
    assert SECRET not in repr(result)
    assert emulator.requests == []


def test_what_only_ansible_finds_is_told_in_its_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        image_cache.ActionModule, "TASK", image_cache.ActionModule.TASK._replace(check=lambda given: [])
    )
    assert "drift" in run({**BODY, "drift": "sometimes"})["msg"]


def test_a_failure_comes_with_what_was_reached(run: Run, emulator: Emulator) -> None:
    emulator.inject(Fault("status", "createImageCache", status=422, reason="Invalid"))
    result = run(BODY)
    assert result["failed"] is True
    assert result["failure"]["http_status"] == 422
    assert result["changed"] is False


def test_warnings_are_in_the_result(run: Run, emulator: Emulator) -> None:
    emulator.service.seed("web", ["redis:7"])
    assert "drift: warn" in run(BODY)["warnings"][0]


def test_check_and_diff_mode(run: Run, emulator: Emulator) -> None:
    result = run(BODY, check_mode=True, diff=True)
    assert result["changed"] is True
    assert result["diff"]["before"] == {}
    assert emulator.service.caches() == []


def test_one_client_for_all_items_of_a_loop(run: Run, emulator: Emulator) -> None:
    for number in range(5):
        run({**BODY, "name": f"web-{number}"})
    assert emulator.connections == 1


@pytest.mark.parametrize(("hidden", "shown"), [(True, False), (False, True)])
def test_the_invocation_is_shown_where_ansible_shows_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, hidden: bool, shown: bool
) -> None:
    monkeypatch.setattr(_action, "CAN_HIDE_INVOCATION", True)
    config = MagicMock(get_config_value=lambda name, variables: "auto" if name == "INTERPRETER_PYTHON" else not hidden)
    monkeypatch.setattr(_action.constants, "config", config)
    result = run({**BODY, "image_registry_credentials": [{"server": "r", "user_name": "u", "password": SECRET}]})
    assert ("invocation" in result) is shown
    assert SECRET not in repr(result)


class Text(str):
    """Like the texts that Ansible has tagged."""


def test_plain_leaves_nothing_of_ansible() -> None:
    class Number(int): ...

    class Mapping(dict): ...  # type: ignore[type-arg]

    found = plain(Mapping({Text("a"): [Text("b"), Number(1), 1.5, True, None, (Text("c"),)]}))
    assert found == {"a": ["b", 1, 1.5, True, None, ["c"]]}
    assert found.__class__ is dict
    assert {type(key) for key in found} == {str}
    assert [type(value) for value in found["a"]] == [str, int, float, bool, type(None), list]


def test_plain_knows_no_other_types() -> None:
    with pytest.raises(TypeError):
        plain({"a": {1, 2}})
