# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: when it is taken, and what comes out of it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleFileNotFound
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.action import (
    image_cache,
    image_cache_info,
    image_caches,
    quota_info,
    region_info,
    wire_check,
)
from ansible_collections.ctyun.eci.plugins.module_utils import _tasks
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._task import RETRIED, TELL_RETRIES
from ansible_collections.ctyun.eci.plugins.plugin_utils import _action
from ansible_collections.ctyun.eci.plugins.plugin_utils._action import KEPT, TaskAction, plain
from tests.emulator import Emulator, Fault
from tests.unit.plugins import emulated

SECRET = "planted-secret"
BODY = {"name": "web", **{key: value for key, value in emulated.BODY.items() if key != "imageCacheName"}}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _own_transports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_action, "_transports", {})


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
        plain_task = {
            "no_log": False,
            "async_val": 0,
            "check_mode": False,
            "diff": False,
            "environment": [],
            "delegate_to": None,
        }
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
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """What was to be displayed, each with the verbosity that has to be exceeded for it."""
    lines: list[tuple[int, str]] = []
    monkeypatch.setattr(
        type(_action.display),
        "verbose",
        lambda _self, msg, host=None, caplevel=2: lines.append((caplevel, msg)),
    )
    return lines


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


@pytest.mark.parametrize("plugin", [image_cache, image_caches, image_cache_info, region_info, quota_info, wire_check])
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
        ({}, {"ansible_python_interpreter": "auto_legacy"}),
        ({}, {"ansible_python_interpreter": "auto_legacy_silent"}),
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
    action._as_module({}, {}, {})
    assert action._execute_module.call_args.kwargs["wrap_async"] is True
    assert not action._remove_tmp_path.called


@pytest.mark.parametrize("asked", ["/usr/bin/other-python", "auto_legacy"])
def test_a_configured_interpreter_is_asking(asked: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_PYTHON_INTERPRETER", asked)
    assert run(BODY) == {"through": "module"}


@pytest.mark.parametrize("name", ["ctyun_eci_in_process", "ctyun_eci_progress"])
@pytest.mark.parametrize("odd", ["perhaps", "", 2, [], {"a": 1}, None])
def test_an_odd_value_of_a_switch_is_a_mistake_that_names_it(odd: Any, name: str, run: Run, emulator: Emulator) -> None:
    assert run(BODY, {name: odd}) == {"failed": True, "msg": f"The variable {name} must be true or false."}
    assert emulator.requests == []


def test_wrong_arguments_are_told_and_nothing_is_sent(run: Run, emulator: Emulator) -> None:
    result = run({"name": "web", "images": [], "pasword": SECRET})
    assert result["failed"] is True
    assert result["msg"].count("\n- ") >= 5
    assert SECRET not in repr(result)
    assert emulator.requests == []


def test_what_only_ansible_finds_is_told_in_its_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        image_cache.ActionModule, "TASK", image_cache.ActionModule.TASK._replace(check=lambda given, check_mode: [])
    )
    assert "drift" in run({**BODY, "drift": "sometimes"})["msg"]


def test_null_stands_for_the_default(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # from ansible-core 2.21 on it is not shown unless asked for
    monkeypatch.setattr(_action, "CAN_HIDE_INVOCATION", False)
    result = run({**BODY, "state": None, "drift": None, "wait": None, "timeout": None, "validate_certs": None})
    assert result["changed"] is True
    assert result["invocation"]["module_args"]["timeout"] == 30.0
    many = {"image_caches": [BODY], "concurrency": None, "prune": None, "prune_tags": None}
    assert run(many, plugin=image_caches.ActionModule)["changed"] is False


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_id_is_refused_and_in_check_mode_predicted(nothing: str | None, run: Run, emulator: Emulator) -> None:
    by_id = {"imageCacheId": nothing}
    assert "- imageCacheId: must not be empty" in run(by_id)["msg"]
    assert run({**by_id, "state": "absent"}, check_mode=True)["changed"] is True
    assert "- imageCacheId: must not be empty" in run(by_id, plugin=image_cache_info.ActionModule)["msg"]
    assert run(by_id, plugin=image_cache_info.ActionModule, check_mode=True)["image_caches"] == []
    assert emulator.requests == []


def test_an_option_by_two_of_its_names_is_refused(run: Run) -> None:
    result = run({**BODY, "imageCacheName": None})
    assert "- imageCacheName: is given twice, also as name" in result["msg"]
    assert "warnings" not in result


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


def test_one_connection_for_all_items_of_a_loop(run: Run, emulator: Emulator) -> None:
    for number in range(5):
        run({**BODY, "name": f"web-{number}"})
    assert emulator.connections == 1


def test_the_oldest_transports_are_closed(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[float] = []
    close = Transport.close

    def note(transport: Transport) -> None:
        closed.append(transport.connection.timeout)
        close(transport)

    monkeypatch.setattr(Transport, "close", note)
    others = established(emulator)  # what tests before this one have left open, and may close at any time
    times = [float(10 + number) for number in range(3 * KEPT)]
    for timeout in times:
        run({"timeout": timeout}, plugin=region_info.ActionModule)
        assert len(established(emulator) - others) <= KEPT
    assert closed == times[:-KEPT]
    assert len(established(emulator) - others) == KEPT
    # the one that is used goes to the end of the queue, over the connection that it has
    run({"timeout": times[-KEPT]}, plugin=region_info.ActionModule)
    assert emulator.connections == len(times)
    run({"timeout": 5.0}, plugin=region_info.ActionModule)
    assert closed[-1] == times[-KEPT + 1]


def established(emulator: Emulator) -> set[str]:
    """The connections to the emulator that are open, by their addresses at this end."""
    port = int(emulator.url.rpartition(":")[2])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {line[1] for line in lines if line[2].endswith(f":{port:04X}") and line[3] == "01"}


# --- files


@pytest.mark.parametrize("transport", ["local", "ssh"])
def test_a_relative_ca_path_is_looked_for_where_ansible_finds_files(
    transport: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[tuple[str, str]] = []

    def find(_self: Any, folder: str, name: str) -> str:
        sought.append((folder, name))
        return f"/role/{folder}/{name}"

    monkeypatch.setattr(ActionBase, "_find_needle", find)
    monkeypatch.setenv("FOLDER", "certificates")
    found = run({**BODY, "ca_path": "$FOLDER/ca.pem"}, transport=transport)
    if transport == "local":
        assert sought == [("files", "certificates/ca.pem")]
        assert "ca_path: there is no file or directory /role/files/certificates/ca.pem" in found["msg"]
    else:
        assert (sought, found) == ([], {"through": "module"})


@pytest.mark.parametrize("path", ["/etc/ca.pem", "~/ca.pem", "", None, 5, ["ca.pem"]])
def test_what_is_no_relative_path_is_left_alone(
    path: Any, make_action: Callable[..., TaskAction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ActionBase, "_find_needle", lambda *_: pytest.fail("looked for"))
    arguments = {"ca_path": path}
    assert make_action()._with_found_files(arguments) is arguments


@pytest.mark.parametrize("error", [AnsibleFileNotFound("not there"), ValueError("embedded null byte")])
def test_a_ca_path_that_is_not_found_is_left_to_the_task(
    error: Exception, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ActionBase, "_find_needle", MagicMock(side_effect=error))
    assert "ca_path: there is no file or directory ca.pem" in run({**BODY, "ca_path": "ca.pem"})["msg"]


# --- what is told of retries


@pytest.mark.parametrize("verbosity", [0, 2, 3, 4])
def test_retries_are_told_from_vvv_on(
    verbosity: int, run: Run, emulator: Emulator, told: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_action.display, "verbosity", verbosity)
    emulator.inject(Fault("status", "region", status=503, message=f"busy {emulator.settings.secret_key}"))
    result = run({"retries": 1, "retry_max_delay": 0}, plugin=region_info.ActionModule)
    assert "region" in result
    assert RETRIED not in result
    shown = [line for caplevel, line in told if verbosity > caplevel]
    assert len(shown) == (verbosity >= 3)
    assert all(
        line.startswith("ctyun.eci: attempt 1, the next one in 0.0 s: region failed: busy ****") for line in shown
    )


@pytest.mark.parametrize(("verbosity", "asked"), [(0, False), (2, False), (3, True), (5, True)])
def test_a_module_is_asked_for_its_retries(
    verbosity: int,
    asked: bool,
    make_action: Callable[..., TaskAction],
    told: list[tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_action.display, "verbosity", verbosity)
    action = make_action()
    action._execute_module.return_value = {"a": 1, RETRIED: ["first", "second"]}
    given = {"name": "web"}
    assert action._as_module({}, given, {}) == {"a": 1}
    assert action._execute_module.call_args.kwargs["module_args"] == {
        **given,
        **({TELL_RETRIES: True} if asked else {}),
    }
    assert given == {"name": "web"}
    assert [line for _caplevel, line in told] == ["ctyun.eci: first", "ctyun.eci: second"]


def test_an_async_module_is_not_asked_since_nobody_takes_them_out_of_its_result(
    make_action: Callable[..., TaskAction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_action.display, "verbosity", 5)
    action = make_action(async_val=10)
    action._as_module({}, {}, {})
    assert action._execute_module.call_args.kwargs["module_args"] == {}


# --- the invocation


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


class TaskTimeoutError(BaseException):
    """As that of ansible-core, which stands in another file in each release."""


def test_the_time_of_a_task_is_over_while_it_creates(run: Run, emulator: Emulator) -> None:
    def over(_number: int, _frame: Any) -> None:
        raise TaskTimeoutError

    emulator.before = lambda record: record.operation == emulated.CREATE and signal.setitimer(signal.ITIMER_REAL, 0.05)
    emulator.settings.latency = 0.2
    before = signal.signal(signal.SIGALRM, over)
    try:
        result = run({**BODY, "wait": True}, plugin=image_cache.ActionModule, timeout=7)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert result["failed"]
    assert result["changed"]
    assert [result["image_cache_id"]] == emulated.present(emulator)
    assert result["timedout"] == {"period": 7}
    assert "(TaskTimeoutError)" in result["msg"]


def test_plain_leaves_nothing_of_ansible() -> None:
    class Number(int):
        """A number that is not quite one."""

    class Mapping(dict):  # type: ignore[type-arg]
        """A mapping that is not quite one."""

    found = plain(Mapping({Text("a"): [Text("b"), Number(1), 1.5, True, None, (Text("c"),)]}))
    assert found == {"a": ["b", 1, 1.5, True, None, ["c"]]}
    assert found.__class__ is dict
    assert {type(key) for key in found} == {str}
    assert [type(value) for value in found["a"]] == [str, int, float, bool, type(None), list]


def test_plain_knows_no_other_types() -> None:
    with pytest.raises(TypeError):
        plain({"a": {1, 2}})
