# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: when it is taken, and what comes out of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleFileNotFound
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.plugin_utils import _action
from ansible_collections.ctyun.eci.plugins.plugin_utils._action import KEPT, TaskAction, plain
from ansible_collections.ctyun.eci.plugins.action import image_cache, region_info
from ansible_collections.ctyun.eci.plugins.module_utils import _tasks
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result
from tests.emulator import Emulator, Fault
from tests.unit.plugins import emulated

from .conftest import ABSENT, Run

SECRET = "planted-secret"
BODY = {"name": "web", **{key: value for key, value in emulated.BODY.items() if key != "imageCacheName"}}
PLUGINS = Path(_action.__file__).parents[1] / "action"


DONE = Result({"changed": True, "image_cache_id": "imc-1"})


@pytest.mark.parametrize("name", sorted(path.stem for path in PLUGINS.glob("*.py")))
def test_each_plugin_does_its_task_and_shows_its_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = import_module(f"{image_cache.__package__}.{name}")
    task = import_module(f"{_tasks.__name__}.{name}").TASK
    assert plugin.ActionModule.TASK is task
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(basic, "AnsibleModule", lambda **options: shown.append(options["argument_spec"]))
    plugin.main()
    (spec,) = shown
    different = dict.fromkeys(("image_caches", "tags", "prune_tags"))
    assert {**spec, **different} == {**task.spec(), **different}
    assert all(spec.get(option, {"type": "raw"}) == {"type": "raw"} for option in ("tags", "prune_tags"))
    for rules in spec.get("image_caches", {}).get("options", {}).values():
        assert rules["type"] == "raw"


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({}, {}),
        ({"environment": [{}, None]}, {}),
        ({"environment": [{"no_proxy": "*"}, {"HTTPS_PROXY": "", "CTYUN_AK": "x", "CURL_CA_BUNDLE": ""}]}, {}),
        ({}, {"ansible_python_interpreter": sys.executable}),
        ({}, {"ansible_python_interpreter": "auto"}),
        ({}, {"ansible_python_interpreter": "auto_silent"}),
        ({}, {"ctyun_eci_in_process": "true"}),
        ({"delegate_to": "there"}, {"ansible_python_interpreter": "/other", "ansible_delegated_vars": {"there": {}}}),
    ],
)
def test_in_process(run: Run, emulator: Emulator, options: dict[str, Any], variables: dict[str, Any]) -> None:
    assert run({}, variables, **options)["region"]["zones"] == emulator.settings.zones


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({"transport": "ssh"}, {}),
        ({"become": MagicMock()}, {}),
        ({"async_val": 10}, {}),
        ({"environment": [{}, {"A": "1"}]}, {}),
        ({"environment": [{"HTTPS_PROXY": "", "TZ": "UTC"}]}, {}),
        ({"environment": [{"HTTPS_PROXY_FILE": ""}]}, {}),
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


def test_handed_over_where_an_argument_has_no_plain_type(run: Run) -> None:
    assert run({"region_id": object()}) == {"through": "module"}


def test_handed_over_without_a_library_or_to_a_set_interpreter(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("HAS_REQUESTS", "HAS_JSONSCHEMA"):
        with monkeypatch.context() as patch:
            patch.setattr(_action, library, False)
            assert run({}) == {"through": "module"}
    for asked in ("/usr/bin/other-python", "auto_legacy"):
        monkeypatch.setenv("ANSIBLE_PYTHON_INTERPRETER", asked)
        assert run({}) == {"through": "module"}


@pytest.mark.parametrize("async_val", [0, 10])
def test_what_the_module_gets(async_val: int, make_action: Callable[..., TaskAction], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    action = make_action(arguments={"timeout": 5}, async_val=async_val, transport="ssh")
    assert action.run(task_vars={"a": 1}) == {"through": "module"}
    given = {"module_args": {"timeout": 5}, "task_vars": {"a": 1}, "wrap_async": bool(async_val)}
    action._execute_module.assert_called_once_with(**given)
    assert action._remove_tmp_path.called is not bool(async_val)


@pytest.mark.parametrize("name", ["ctyun_eci_in_process", "ctyun_eci_progress"])
@pytest.mark.parametrize("odd", ["perhaps", "", 2, [], {"a": 1}, None])
def test_an_odd_value_of_a_switch_is_a_mistake_that_names_it(odd: Any, name: str, run: Run, emulator: Emulator) -> None:
    result = run({}, {name: odd})
    assert (result["failed"], result["msg"]) == (True, f"The variable {name} must be true or false.")
    assert (result["region"]["zones"], result["failure"]["attempts"]) == ([], 0)
    assert emulator.requests == []


def test_a_switch_may_be_set_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTYUN_ECI_IN_PROCESS", "")
    assert "region" in run({})
    monkeypatch.setenv("CTYUN_ECI_IN_PROCESS", "false")
    assert run({}) == {"through": "module"}
    assert "region" in run({}, {"ctyun_eci_in_process": True})
    monkeypatch.setenv("CTYUN_ECI_IN_PROCESS", "perhaps")
    assert run({})["msg"] == "The variable ctyun_eci_in_process must be true or false."


def test_the_keyword_environment_holds_for_its_task_only(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("CTYUN_REGION_ID", "of-ansible")
    monkeypatch.delenv("CTYUN_AK", raising=False)
    nobody = {"http_proxy": "http://127.0.0.1:1"}
    variables = {"CTYUN_REGION_ID": emulator.settings.region_id, "CTYUN_AK": emulator.settings.access_key}
    given = {"region_id": ABSENT, "access_key": ABSENT}
    assert run(given, environment=[variables])["region"]["zones"]
    assert run({}, environment=[nobody])["msg"].startswith("The proxy does not connect")
    assert run({}, environment=[{}])["region"]["zones"], "another connection than the one of the proxy"
    assert "access_key: is required" in run(given)["msg"]
    assert os.environ["CTYUN_REGION_ID"] == "of-ansible"
    assert not {"CTYUN_AK", "http_proxy"} & set(os.environ)


# --- module_defaults

GROUP = "group/ctyun.eci.eci"


@pytest.mark.parametrize(
    ("defaults", "given", "expected"),
    [
        ([{GROUP: {"timeout": 5}}], {"timeout": 5, "retries": 1}, {"timeout": 5, "retries": 1}),
        # the task's own spelling wins
        ([{GROUP: {"vpc_id": "a"}}], {"vpc_id": "a", "vpcId": "b"}, {"vpcId": "b"}),
        ([{GROUP: {"vpc_id": "x"}}, {GROUP: {"vpc_id": "a"}}], {"vpc_id": "a", "vpcId": "b"}, {"vpcId": "b"}),
        ([{"ctyun.eci.image_cache": {"imageCacheName": "a"}}], {"imageCacheName": "a", "name": "b"}, {"name": "b"}),
        # the task itself gives both
        ([{GROUP: {"vpc_id": "a"}}], {"vpc_id": "c", "vpcId": "b"}, {"vpc_id": "c", "vpcId": "b"}),
        ([{GROUP: {"timeout": 5}}], {"timeout": 5, "vpc_id": "c", "vpcId": "b"}, {"timeout": 5, "vpc_id": "c", "vpcId": "b"}),
        # the defaults give both
        ([{GROUP: {"vpc_id": "a"}, "ctyun.eci.image_cache": {"vpcId": "b"}}], {"vpc_id": "a", "vpcId": "b"}, {"vpc_id": "a", "vpcId": "b"}),
        # and the task one of them
        ([{GROUP: {"vpc_id": "a"}, "ctyun.eci.image_cache": {"vpcId": "b"}}], {"vpc_id": "a", "vpcId": "c"}, {"vpcId": "c"}),
        # another module's, and another group's
        ([{"ctyun.eci.image_caches": {"vpc_id": "a"}, "group/other": {"vpc_id": "a"}}], {"vpc_id": "a", "vpcId": "b"}, {"vpc_id": "a", "vpcId": "b"}),
        ([{GROUP: None}], {"vpc_id": "a", "vpcId": "b"}, {"vpc_id": "a", "vpcId": "b"}),
    ],
)  # fmt: skip
def test_a_default_gives_way_to_another_spelling_in_the_task(
    defaults: list[Any], given: dict[str, Any], expected: dict[str, Any], make_action: Callable[..., TaskAction]
) -> None:
    action = make_action(image_cache, given, module_defaults=defaults)
    assert action._with_defaults(given) == (expected, "")


def test_a_default_that_the_module_lacks_is_said_to_be_one(run: Run, emulator: Emulator) -> None:
    defaults = [{GROUP: {"vpc_id": "a", "timeout": 5}}]
    region = "ctyun.eci.region_info"
    result = run({"vpc_id": "a", "timeout": 5}, module_defaults=defaults, resolved_action=region)
    assert result["msg"].startswith(f"vpc_id: is not an option of {region}, but module_defaults sets it for group")
    assert result["failed"]
    assert run({"vpcId": "a"}, module_defaults=defaults, resolved_action=region)["msg"].startswith("The arguments are")
    own = [{region: {"vpc_id": "a"}}]
    assert run({"vpc_id": "a"}, module_defaults=own, resolved_action=region)["msg"].startswith("The arguments are")
    assert emulator.requests == []


# --- results


def test_wrong_arguments_are_reported_and_nothing_is_sent(run: Run, emulator: Emulator) -> None:
    result = run({"name": "web", "images": [], "pasword": SECRET}, plugin=image_cache)
    assert result["failed"] is True
    assert result["msg"].count("\n- ") >= 5
    assert SECRET not in repr(result)
    assert emulator.requests == []


def test_what_only_ansible_finds_is_reported_in_its_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    validator = MagicMock(return_value=MagicMock(**{"validate.return_value.error_messages": ["odd", "more"]}))
    validator.return_value.validate.return_value.validated_parameters = {}
    monkeypatch.setattr(_action, "ArgumentSpecValidator", validator)
    assert run({})["msg"] == "odd"


def test_an_empty_id_is_refused_but_in_check_mode(run: Run) -> None:
    assert "imageCacheId: must not be empty" in run({"imageCacheId": ""}, plugin=image_cache)["msg"]
    assert run({"imageCacheId": ""}, returns=DONE, plugin=image_cache, check_mode=True)["image_cache_id"] == "imc-1"


def test_a_failure_and_warnings_are_in_the_result(run: Run, emulator: Emulator) -> None:
    reached = Result({"changed": True, "msg": "too long"}, ["careful"], failed=True)
    result = run(BODY, returns=reached, plugin=image_cache)
    assert (result["changed"], result["msg"], result["failed"]) == (True, "too long", True)
    assert result["warnings"] == ["careful"]
    emulator.inject(Fault("status", "region", status=422, reason="Invalid"))
    result = run({})
    assert (result["failed"], result["failure"]["http_status"], "warnings" in result) == (True, 422, False)


@pytest.mark.parametrize(("hidden", "shown"), [(True, False), (False, True)])
def test_the_invocation_is_shown_where_ansible_shows_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, hidden: bool, shown: bool
) -> None:
    monkeypatch.setattr(_action, "CAN_HIDE_INVOCATION", True)
    config = MagicMock(get_config_value=lambda name, variables: "auto" if name == "INTERPRETER_PYTHON" else not hidden)
    monkeypatch.setattr(_action.constants, "config", config)
    for given in ({}, {"password": SECRET}):
        login = {"server": "r", "user_name": "u", "password": SECRET, **given}
        result = run({**BODY, "image_registry_credentials": [login], **given}, returns=DONE, plugin=image_cache)
        assert ("invocation" in result) is shown
        assert SECRET not in repr(result)


@pytest.mark.parametrize(
    ("variables", "options", "shown"),
    [
        ({}, {}, True),
        ({"ctyun_eci_progress": "yes"}, {}, True),
        ({"ctyun_eci_progress": False}, {}, False),
        ({}, {"no_log": True}, False),
    ],
)
def test_progress_lines_are_shown_on_stderr(
    variables: dict[str, Any], options: dict[str, Any], shown: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    display, lines = MagicMock(), []
    monkeypatch.setattr(_action, "display", display)

    def work(_arguments: Any, client: Any, *_modes: bool) -> Result:
        lines.append(client.write)
        return Result({})

    monkeypatch.setattr(region_info.ActionModule, "TASK", region_info.ActionModule.TASK._replace(run=work))
    run({}, variables, **options)
    (write,) = lines
    assert (write is not None) is shown
    if write:
        write("3 of 4 are ready")
        display.display.assert_called_once_with("ctyun.eci: 3 of 4 are ready", stderr=True)


@pytest.mark.parametrize(
    ("number", "failed", "timed_out"),
    [(signal.SIGALRM, True, True), (signal.SIGALRM, False, False), (signal.SIGTERM, True, False)],
)
def test_a_task_whose_time_is_over_has_what_ansible_s_own_result_has(
    number: signal.Signals, failed: bool, timed_out: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_given: Any) -> Result:
        os.kill(os.getpid(), number)
        return Result({"changed": True, "msg": "ended"}, failed=failed)

    monkeypatch.setattr(region_info.ActionModule, "TASK", region_info.ActionModule.TASK._replace(run=work))
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("Ansible's own handler"))
    try:
        result = run({}, timeout=7)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (result.get("failed", False), result["changed"]) == (failed, True)
    assert result.get("timedout") == ({"period": 7} if timed_out else None)


# --- connections


def test_one_connection_for_all_items_of_a_loop(run: Run, emulator: Emulator) -> None:
    for _item in range(5):
        run({})
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
        run({"timeout": timeout})
        assert len(established(emulator) - others) <= KEPT
    assert closed == times[:-KEPT]
    assert len(established(emulator) - others) == KEPT
    # the one that is used goes to the end of the queue, over the connection that it has
    run({"timeout": times[-KEPT]})
    assert emulator.connections == len(times)
    run({"timeout": 5.0})
    assert closed[-1] == times[-KEPT + 1]


def established(emulator: Emulator) -> set[str]:
    """The connections to the emulator that are open, by their addresses at this end."""
    port = int(emulator.url.rpartition(":")[2])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {line[1] for line in lines if line[2].endswith(f":{port:04X}") and line[3] == "01"}


# --- files


@pytest.mark.parametrize("transport", ["local", "ssh"])
def test_a_relative_ca_path_is_searched_for_where_ansible_finds_files(
    transport: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def find(_self: Any, folder: str, name: str) -> str:
        asked.append((folder, name))
        return f"/role/{folder}/{name}"

    monkeypatch.setattr(ActionBase, "_find_needle", find)
    monkeypatch.setenv("FOLDER", "certificates")
    found = run({"ca_path": "$FOLDER/ca.pem"}, transport=transport)
    if transport == "local":
        assert asked == [("files", "certificates/ca.pem")]
        assert "ca_path: there is no file or directory /role/files/certificates/ca.pem" in found["msg"]
    else:
        assert (asked, found) == ([], {"through": "module"})


@pytest.mark.parametrize("path", ["/etc/ca.pem", "~/ca.pem", "", None, 5, ["ca.pem"]])
def test_what_is_no_relative_path_is_left_alone(
    path: Any, make_action: Callable[..., TaskAction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ActionBase, "_find_needle", lambda *_: pytest.fail("searched for"))
    arguments = {"ca_path": path}
    assert make_action()._with_found_ca(arguments) is arguments


@pytest.mark.parametrize("error", [AnsibleFileNotFound("not there"), ValueError("embedded null byte")])
def test_a_ca_path_is_left_to_the_task_if_not_found(error: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "_find_needle", MagicMock(side_effect=error))
    assert "ca_path: there is no file or directory ca.pem" in run({"ca_path": "ca.pem"})["msg"]


# --- plain types


class Text(str):
    """Like the texts that Ansible has tagged."""


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
    with pytest.raises(TypeError):
        plain({"a": {1, 2}})
