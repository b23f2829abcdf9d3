# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _task
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec, connection_spec, merged
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, InvalidArguments, NotFound, WaitTimeout
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result, Task, outcome_result, perform
from tests.emulator import Emulator, Fault

FAILURE = {"code", "message", "request_id", "http_status", "operation", "effect", "attempts"}
SECRET = "Pl4nted"
PASSWORD = 'Pl4n"ted\\ x'
Run = Callable[[Any, Client, bool, bool], Result]


@pytest.fixture
def arguments(emulator: Emulator) -> dict[str, Any]:
    return {
        "access_key": emulator.settings.access_key,
        "secret_key": SECRET,
        "region_id": emulator.settings.region_id,
        "endpoint": emulator.url,
        "validate_certs": True,
        "ca_path": None,
        "timeout": 10.0,
        "retries": 0,
        "retry_max_delay": 0.0,
        "image_registry_credentials": [{"server": "r", "user_name": "u", "password": PASSWORD}],
    }


def task(run: Run) -> Task:
    return Task(lambda: merged(body_spec(), connection_spec()), lambda _given, _check_mode: [], run)


def failing(error: EciError) -> Task:
    def run(_arguments: Any, _client: Client, _check: bool, _diff: bool) -> Result:
        raise error

    return task(run)


@pytest.mark.parametrize("modes", [(False, False), (True, False), (False, True), (True, True)])
def test_a_task_gets_its_arguments_a_client_and_the_modes(modes: tuple[bool, bool], arguments: dict[str, Any]) -> None:
    seen: list[Any] = []

    def run(given: Any, client: Client, check_mode: bool, diff_mode: bool) -> Result:
        seen.append((given, client.connection.endpoint, check_mode, diff_mode))
        return Result({"changed": True}, ["careful"])

    result = perform(task(run), arguments, *modes)
    assert seen == [(arguments, arguments["endpoint"], *modes)]
    assert (result.values, result.warnings, result.failed) == ({"changed": True}, ["careful"], False)


@pytest.mark.parametrize(("concurrency", "size"), [(None, _task.POOL_SIZE), (3, _task.POOL_SIZE), (50, 50)])
def test_the_pool_of_connections_is_as_large_as_the_task_needs(
    concurrency: int | None, size: int, arguments: dict[str, Any]
) -> None:
    made: list[int] = []

    def connect(target: Connection, pool_size: int) -> Transport:
        made.append(pool_size)
        return Transport(target, pool_size)

    if concurrency is not None:
        arguments["concurrency"] = concurrency
    perform(task(lambda *_: Result({})), arguments, False, False, connect)
    assert made == [size]


def test_an_error_becomes_a_result(arguments: dict[str, Any]) -> None:
    error = NotFound("It is not there.", operation="o", code="c", service_message="m", request_id="r", http_status=404)
    result = perform(failing(error), arguments, False, False)
    assert result.failed
    assert result.values == {
        "changed": False,
        "msg": "It is not there.",
        "failure": {
            "code": "c",
            "message": "m",
            "request_id": "r",
            "http_status": 404,
            "operation": "o",
            "effect": "none",
            "attempts": 1,
        },
    }


def test_an_error_of_the_service_becomes_a_result(arguments: dict[str, Any], emulator: Emulator) -> None:
    result = perform(task(lambda _a, client, *_: Result(client.call(REGION).obj)), arguments, False, False)
    assert result.failed
    assert result.values["failure"]["code"] == "10020"
    assert set(result.values["failure"]) == FAILURE
    assert len(emulator.sent()) == 1


@pytest.mark.parametrize("diff_mode", [False, True])
def test_an_error_tells_what_was_reached_before_it(diff_mode: bool, arguments: dict[str, Any]) -> None:
    error = WaitTimeout("It takes too long.")
    error.outcome = Outcome(changed=True, image_cache_id="imc-1", diff={"before": {}, "after": {}}, warnings=["w"])
    result = perform(failing(error), arguments, False, diff_mode)
    assert result.failed
    assert result.values["changed"] is True
    assert result.values["image_cache_id"] == "imc-1"
    assert result.warnings == ["w"]
    assert result.values["msg"] == result.values["failure"]["message"] == "It takes too long."
    assert ("diff" in result.values) is diff_mode


def test_arguments_that_are_no_connection_are_a_result_as_well(arguments: dict[str, Any]) -> None:
    ran: list[Any] = []
    result = perform(task(lambda *given: ran.append(given) or Result({})), {**arguments, "region_id": None}, False, False)  # fmt: skip
    assert result.failed
    assert "region_id: is required" in result.values["msg"]
    assert set(result.values["failure"]) == FAILURE
    assert ran == []


@pytest.mark.parametrize("error", [None, InvalidArguments("x")])
def test_warnings_of_the_connection_come_first(error: EciError | None, arguments: dict[str, Any]) -> None:
    arguments["endpoint"] = "http://h.example"
    chosen = failing(error) if error else task(lambda *_: Result({}, ["later"]))
    result = perform(chosen, arguments, False, False)
    assert "plain HTTP" in result.warnings[0]
    assert result.warnings[1:] == ([] if error else ["later"])


def test_only_the_errors_of_this_collection_are_caught(arguments: dict[str, Any]) -> None:
    def run(*_given: Any) -> Result:
        raise LookupError("a mistake of ours")

    with pytest.raises(LookupError):
        perform(task(run), arguments, False, False)


def test_a_process_without_memory_is_told(arguments: dict[str, Any]) -> None:
    def run(*_given: Any) -> Result:
        raise MemoryError

    result = perform(task(run), arguments, False, False)
    assert result.failed
    assert "ulimit -v" in result.values["msg"]
    assert set(result.values["failure"]) == FAILURE


def test_what_ends_a_task_is_told(arguments: dict[str, Any]) -> None:
    def run(*_given: Any) -> Result:
        raise KeyboardInterrupt

    result = perform(task(run), arguments, False, False)
    assert result.failed
    assert isinstance(result.ended_by, KeyboardInterrupt)
    assert result.values["changed"] is False
    assert result.values["msg"] == "The task was ended before it was done (KeyboardInterrupt)."


@pytest.mark.parametrize("diff", [None, {"before": {}, "after": {}}])
@pytest.mark.parametrize("diff_mode", [False, True])
def test_the_diff_is_shown_in_diff_mode(diff: Any, diff_mode: bool) -> None:
    result = outcome_result(Outcome(diff=diff), diff_mode)
    assert ("diff" in result.values) is (diff_mode and diff is not None)
    assert set(result.values) - {"diff"} == set(Outcome().result())


QUOTED = [str, repr, json.dumps, lambda text: f"x{text}y"]


@pytest.mark.parametrize("quote", QUOTED, ids=["plain", "python", "json", "inside"])
@pytest.mark.parametrize("secret", [SECRET, PASSWORD], ids=["key", "password"])
def test_secrets_are_taken_out_of_what_the_service_wrote(
    secret: str, quote: Callable[[str], str], arguments: dict[str, Any], emulator: Emulator
) -> None:
    emulator.settings.update({"secret_key": SECRET})
    text = quote(secret)
    refusal = {"statusCode": 900, "error": f"code {text}", "message": f"message {text}"}
    emulator.inject(Fault("json", "region", value=refusal))
    result = perform(task(lambda _a, client, *_: Result(client.call(REGION).obj)), arguments, False, False)
    assert "Pl4n" not in json.dumps(result.values)
    assert result.values["failure"]["message"].startswith("message ")
    assert result.values["failure"]["code"].startswith("code ")
    assert "********" in result.values["msg"]

    good = {"statusCode": 200, "returnObj": {"events": [{"message": f"event {text}"}]}}
    emulator.inject(Fault("json", "describeImageCache", value=good))
    run: Run = lambda _a, client, *_: Result({"events": ImageCaches(client).events("imc-1")})  # noqa: E731
    (event,) = perform(task(run), arguments, False, False).values["events"]
    assert "Pl4n" not in event["message"]
    assert event["message"].startswith("event ")


def test_what_nobody_else_wrote_stays_as_it_is(arguments: dict[str, Any]) -> None:
    arguments["image_registry_credentials"][0]["password"] = "1"
    values: dict[str, Any] = {
        "image_cache_id": "imc-111",
        "image_cache": {"images": ["nginx:1.1"], "image_cache_size": 1, "events": None, "tags": [{"key": "1"}]},
        "diff": {"after": {"image_cache_name": "n1"}},
        "ansible_facts": {"imageCacheId": "imc-111"},
        "drift": [{"option": "images", "found": ["a1"]}],
    }
    result = perform(
        task(lambda *_: Result(json.loads(json.dumps(values)), ["imc-111 differs"])), arguments, False, False
    )
    assert (result.values, result.warnings) == (values, ["imc-111 differs"])
    error = NotFound("There is no image cache imc-111.", code="10020", request_id="r-1", operation="o1")
    values = perform(failing(error), arguments, False, False).values
    assert values["msg"] == "There is no image cache imc-111."
    assert [values["failure"][key] for key in ("code", "request_id", "operation")] == ["10020", "r-1", "o1"]


def test_each_retry_is_told(arguments: dict[str, Any], emulator: Emulator) -> None:
    arguments["secret_key"] = emulator.settings.secret_key
    arguments["retries"] = 2
    emulator.inject(Fault("status", "region", status=503, times=2, message=f"busy {PASSWORD}"))
    result = perform(task(lambda _a, client, *_: Result(client.call(REGION).obj)), arguments, False, False)
    assert not result.failed
    assert [line.partition(",")[0] for line in result.retried] == ["attempt 1", "attempt 2"]
    assert "busy ********" in result.retried[0]
    assert "retried" not in result.values


def test_each_task_has_a_client_of_its_own_over_the_transport_that_is_kept(arguments: dict[str, Any]) -> None:
    seen: list[Client] = []
    made: list[Transport] = []

    def run(_given: Any, client: Client, *_modes: bool) -> Result:
        seen.append(client)
        return Result({})

    def connect(target: Connection, pool_size: int) -> Transport:
        made.append(made[0] if made else Transport(target, pool_size))
        return made[-1]

    for _time in range(2):
        perform(task(run), arguments, False, False, connect)
    first, second = seen
    assert first is not second
    assert first._transport is second._transport
