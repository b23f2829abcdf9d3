# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _task
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import Violation
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import Spec, body_spec, connection_spec
from ansible_collections.ctyun.eci.plugins.module_utils._errors import Failure, InvalidArguments, NotFound
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result, Task, perform
from tests.emulator import Emulator, Fault

SECRET = "Pl4nted"
PASSWORD = 'Pl4n"ted\\ x'
FAILURE = set(Failure.__annotations__)
Run = Callable[[Any, Any, bool, bool], Result]


@pytest.fixture
def arguments() -> dict[str, Any]:
    keys = {"access_key": "ak", "secret_key": SECRET, "region_id": "region-1", "endpoint": "http://127.0.0.1:1"}
    numbers = {"timeout": 10.0, "retries": 0, "retry_max_delay": 0.0}
    logins = [{"server": "r", "user_name": "u", "password": PASSWORD}]
    return {**keys, **numbers, "validate_certs": True, "ca_path": None, "image_registry_credentials": logins}


def spec() -> Spec:
    return {**body_spec(), **connection_spec()}


def task(run: Run, **more: Any) -> Task:
    return Task(spec, lambda values, check_mode: (), run, **more)


def raising(error: BaseException) -> Task:
    def run(*_given: Any) -> Result:
        raise error

    return task(run)


@pytest.mark.parametrize("modes", [(False, False), (True, False), (False, True), (True, True)])
def test_a_task_gets_its_arguments_a_client_and_the_modes(modes: tuple[bool, bool], arguments: dict[str, Any]) -> None:
    seen: list[Any] = []
    lines: list[str] = []

    def run(given: Any, client: Client, check_mode: bool, diff_mode: bool) -> Result:
        seen.append((given, client.connection.endpoint, client.write, check_mode, diff_mode))
        assert client.redact(f"a {SECRET}") == "a ********"
        return Result({"changed": True}, ["careful"])

    result = perform(task(run), arguments, *modes, write=lines.append)
    assert seen == [(arguments, arguments["endpoint"], lines.append, *modes)]
    assert result == Result({"changed": True, "failure": None}, ["careful"])


def test_a_warning_is_one_line(arguments: dict[str, Any]) -> None:
    result = perform(task(lambda *_given: Result({}, ["a\n\x1b[2Jb 库"])), arguments, False, False)
    assert result.warnings == ["a\\n\\x1b[2Jb 库"]


def test_a_message_has_line_feeds_and_nothing_else_that_is_not_printable(arguments: dict[str, Any]) -> None:
    error = NotFound("- a\n- b\x9b")
    error.add("\nc")
    result = perform(raising(error), arguments, False, False)
    assert (result.failed, result.values["msg"]) == (True, "- a\n- b\\x9b \\nc")


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_own_rules_of_a_task_get_the_converted_arguments(check_mode: bool) -> None:
    seen: list[Any] = []

    def rules(values: Any, mode: bool) -> list[Violation]:
        seen.append((values, mode))
        return [Violation(("timeout",), "is odd")]

    odd = Task(spec, rules, lambda *_: Result({}), ("vpc_id",))
    checked = odd.validate({"timeout": "3", "vpcId": None}, check_mode)
    assert seen == [({"timeout": 3.0, "vpc_id": ""}, check_mode)]
    assert checked.violations == {"timeout": "is odd"}


@pytest.mark.parametrize(("concurrency", "size"), [(None, _task.POOL_SIZE), (3, _task.POOL_SIZE), (50, 50)])
def test_the_pool_of_connections_is_as_large_as_the_task_needs(
    concurrency: int | None, size: int, arguments: dict[str, Any]
) -> None:
    made: list[tuple[Connection, int]] = []

    def connect(target: Connection, pool_size: int) -> Transport:
        made.append((target, pool_size))
        return Transport(target, pool_size)

    if concurrency is not None:
        arguments["concurrency"] = concurrency
    perform(task(lambda *_: Result({})), arguments, False, False, connect)
    ((target, pool_size),) = made
    assert (target.endpoint, pool_size) == (arguments["endpoint"], size)


def test_a_task_that_needs_no_service_needs_no_credentials() -> None:
    clients: list[Any] = []
    reading = task(lambda _arguments, client, *_: clients.append(client) or Result({}), needs_service=False)
    assert not perform(reading, {}, False, False).failed
    assert clients == [None]


def test_an_error_becomes_a_result(arguments: dict[str, Any]) -> None:
    error = NotFound("It is not there.", operation="o", code="c", service_message="m", request_id="r", http_status=404)
    result = perform(raising(error), arguments, False, False)
    assert result.failed
    assert result.values == {"changed": False, "msg": "It is not there.", "failure": error.failure()}


def test_what_failed_in_the_middle_is_a_result_of_the_task(arguments: dict[str, Any]) -> None:
    reached = Result({"changed": True, "msg": "It takes too long."}, ["w"], failed=True)
    assert perform(task(lambda *_: reached), arguments, False, False) == reached


def test_arguments_that_are_no_connection_are_a_result_as_well(arguments: dict[str, Any]) -> None:
    ran: list[Any] = []
    result = perform(task(lambda *given: ran.append(given) or Result({})), {**arguments, "region_id": None}, False, False)  # fmt: skip
    assert result.failed
    assert "region_id: is required" in result.values["msg"]
    assert set(result.values["failure"]) == FAILURE
    assert ran == []


@pytest.mark.parametrize("error", [None, InvalidArguments("x")])
def test_warnings_of_the_connection_come_first(error: Exception | None, arguments: dict[str, Any]) -> None:
    arguments["endpoint"] = "http://h.example"
    chosen = raising(error) if error else task(lambda *_: Result({}, ["later"]))
    result = perform(chosen, arguments, False, False)
    assert "plain HTTP" in result.warnings[0]
    assert result.warnings[1:] == ([] if error else ["later"])


def test_a_bug_becomes_a_result(arguments: dict[str, Any]) -> None:
    result = perform(raising(LookupError(f"a mistake with {SECRET}")), arguments, False, False)
    assert result.failed
    assert "Internal error: LookupError in test_task.py, line " in result.values["msg"]
    assert "a mistake with ********" in result.values["msg"]
    assert (set(result.values["failure"]), result.values["failure"]["effect"]) == (FAILURE, "possible")


def test_a_process_without_memory_says_so(arguments: dict[str, Any]) -> None:
    result = perform(raising(MemoryError()), arguments, False, False)
    assert result.failed
    assert "ulimit -v" in result.values["msg"]
    assert set(result.values["failure"]) == FAILURE


# --- cancellation


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_task(number: signal.Signals, arguments: dict[str, Any]) -> None:
    before = signal.getsignal(number)

    def run(_arguments: Any, client: Client, *_modes: bool) -> Result:
        os.kill(os.getpid(), number)
        client.cancellation.check()
        raise AssertionError

    result = perform(task(run), arguments, False, False)
    assert (result.failed, result.values["changed"]) == (True, False)
    assert result.values["msg"] == f"The task was stopped before it finished ({number.name})."
    assert result.cancelled_by == number.name
    assert signal.getsignal(number) is before


def test_a_task_that_is_done_when_the_signal_comes_has_its_result(arguments: dict[str, Any]) -> None:
    def run(*_given: Any) -> Result:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # Ansible may send one more than once, and a request is under way
        return Result({"changed": True})

    done = Result({"changed": True, "failure": None}, cancelled_by="SIGTERM")
    assert perform(task(run), arguments, False, False) == done


def test_a_task_that_only_reads_elsewhere_is_interrupted() -> None:
    def run(*_given: Any) -> Result:
        os.kill(os.getpid(), signal.SIGINT)
        return Result({})

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for jobs in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            perform(task(run, needs_service=False), {}, False, False)
    finally:
        signal.signal(signal.SIGINT, before)


# --- over the emulator


def at(emulator: Emulator, arguments: dict[str, Any]) -> dict[str, Any]:
    emulator.settings.update({"secret_key": SECRET})
    settings = emulator.settings
    return {**arguments, "endpoint": emulator.url, "access_key": settings.access_key, "region_id": settings.region_id}


def test_an_error_of_the_service_becomes_a_result(arguments: dict[str, Any], emulator: Emulator) -> None:
    wrong = {**at(emulator, arguments), "secret_key": "other"}
    result = perform(task(lambda _a, client, *_: Result(client.call(REGION).obj)), wrong, False, False)
    assert result.failed
    assert result.values["failure"]["code"] == "10020"
    assert set(result.values["failure"]) == FAILURE
    assert len(emulator.sent()) == 1


@pytest.mark.parametrize("quote", [str, repr, json.dumps, lambda text: f"x{text}y"], ids=["str", "repr", "json", "in"])
@pytest.mark.parametrize("secret", [SECRET, PASSWORD], ids=["key", "password"])
def test_secrets_are_redacted_in_what_the_service_wrote(
    secret: str, quote: Callable[[str], str], arguments: dict[str, Any], emulator: Emulator
) -> None:
    text = quote(secret)
    refusal = {"statusCode": 900, "error": f"code {text}", "message": f"message {text}"}
    emulator.inject(Fault("json", "region", value=refusal))
    arguments = at(emulator, arguments)
    result = perform(task(lambda _a, client, *_: Result(client.call(REGION).obj)), arguments, False, False)
    assert "Pl4n" not in json.dumps(result.values)
    assert result.values["failure"]["message"].startswith("message ")
    assert result.values["failure"]["code"].startswith("code ")
    assert "********" in result.values["msg"]


def test_what_nobody_else_wrote_stays_as_it_is(arguments: dict[str, Any]) -> None:
    arguments["image_registry_credentials"][0]["password"] = "1"
    values: dict[str, Any] = {"image_cache_id": "imc-1-1", "image_cache": {"images": ["n:1"], "tags": [{"key": "1"}]}}
    unchanged = task(lambda *_: Result(json.loads(json.dumps(values)), ["imc-1-1 differs"]))
    assert perform(unchanged, arguments, False, False) == Result({**values, "failure": None}, ["imc-1-1 differs"])
    error = NotFound("There is no image cache imc-1-1.", code="1", request_id="r-1", operation="o1")
    assert perform(raising(error), arguments, False, False).values["failure"] == error.failure()
