# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong while a check looks at its own image cache: it is deleted, or the error says where it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    AuthenticationError,
    EciError,
    QuotaUsedUp,
    TaskEnded,
    WaitFailed,
    WaitTimeout,
)
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from ansible_collections.ctyun.eci.plugins.module_utils._wire_check import own
from ansible_collections.ctyun.eci.plugins.module_utils._wire_check.check import Finding, check
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import CREATE, DELETE, LIST, UPDATE, operations, seed

from .direct import BODY

WAIT = Wait(300.0, 5.0)
NAME = re.compile(r"wire-check-[0-9a-f]{32}")
Run = Callable[..., Finding]


@pytest.fixture
def run(client: Client) -> Run:
    def run(wait: Wait = WAIT, twin: bool = False, used: Client = client) -> Finding:
        return check(used, own.order(BODY), wait, twin)

    return run


def left(emulator: Emulator) -> list[dict[str, Any]]:
    """What is there and is not being deleted."""
    return [cache for cache in emulator.service.caches() if cache["status"] != "deleting"]


def fails(run: Run, **arguments: Any) -> EciError:
    with pytest.raises(EciError) as caught:
        run(**arguments)
    error = caught.value
    assert isinstance(error.outcome, Finding)
    return error


def test_what_is_ordered(run: Run, emulator: Emulator) -> None:
    finding = run()
    (order,) = emulator.sent(CREATE)
    assert order.body is not None
    assert NAME.fullmatch(order.body["imageCacheName"])
    assert (order.body["imageCacheSize"], order.body["retentionDays"]) == (10, 1)
    assert {name: order.body[name] for name in BODY} == BODY
    assert finding.order == {
        "number": 1, "image_cache_size": 10, "retention_days": 1, "az_name": "az1", "images": ["nginx:latest"]
    }  # fmt: skip
    assert (finding.changed, left(emulator), finding.warnings) == (True, [], [])
    # its name was looked up before
    before = emulator.requests[: operations(emulator).index(CREATE)]
    assert {"imageCacheName": order.body["imageCacheName"]} in [record.body for record in before]


def test_nothing_is_ordered_in_check_mode(client: Client, emulator: Emulator) -> None:
    finding = check(client, own.order(BODY), WAIT, True, check_mode=True)
    assert (finding.changed, finding.order and finding.order["number"]) == (True, 2)
    assert not finding.result()["report"]["created"]
    assert {CREATE, UPDATE, DELETE}.isdisjoint(operations(emulator))


def test_reading_changes_nothing(client: Client, emulator: Emulator) -> None:
    seed(emulator, "web", tags=[{"key": "team", "value": "web"}])
    finding = check(client, None, WAIT)
    assert (finding.changed, finding.order) == (False, None)
    assert {CREATE, UPDATE, DELETE}.isdisjoint(operations(emulator))
    assert finding.habits["tags_filter"] == "all"


def test_an_order_that_is_refused(run: Run, emulator: Emulator) -> None:
    emulator.settings.quota = 0
    error = fails(run)
    assert isinstance(error, QuotaUsedUp)
    assert "billed" not in error.message
    assert not error.outcome.changed
    assert operations(emulator)[-2:] == [CREATE, "listUsage"]  # nobody looks for what was not made


def test_a_name_that_is_taken(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    body = own.order(BODY)
    monkeypatch.setattr(own, "order", lambda _body: body)
    identifier = seed(emulator, body["imageCacheName"])
    assert isinstance(fails(run), AmbiguousName)
    assert [cache["imageCacheId"] for cache in left(emulator)] == [identifier]


def test_an_order_without_an_answer_is_found(run: Run, emulator: Emulator) -> None:
    emulator.inject(Fault("reset", CREATE, when="after"))
    assert run().changed
    assert (len(emulator.sent(CREATE)), left(emulator)) == (1, [])


def test_an_order_that_is_not_found_in_time_is_told(run: Run, emulator: Emulator) -> None:
    emulator.settings.list_lag = 100.0
    emulator.inject(Fault("reset", CREATE, times=None, when="after"))
    error = fails(run)
    name = NAME.findall(error.message)[0]
    assert f"name: {name}, state: absent" in error.message
    assert "billed until it is deleted" in error.message
    assert "it adopts" not in error.message


def test_an_order_that_is_carried_out_late_is_found_in_the_end(run: Run, emulator: Emulator) -> None:
    emulator.inject(Fault("late", CREATE, seconds=12.0, times=None))
    message = ""
    try:
        run()
    except EciError as error:
        message = error.message
    emulator.advance(100)
    assert all(cache["imageCacheName"] in message for cache in left(emulator))


FAULTS = {
    "refused for all": Fault("status", status=403, message="no"),
    "refused": Fault("status", status=422, message="no"),
    "reset": Fault("reset", times=4, when="after"),
    "down": Fault("status", status=503, times=None),
    "gateway": Fault("gateway", times=None),
    "html": Fault("html", times=None),
    "nameless": Fault("nameless", LIST),
    "json": Fault("json", times=None, value={"statusCode": 200, "returnObj": {"requestId": 1, "imageCaches": {}}}),
}


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS)
def test_any_request_may_fail(fault: str, run: Run, emulator: Emulator) -> None:
    """Each in its turn: in the end nothing is there that the error does not tell of."""
    run(twin=True)
    number = len(emulator.requests)
    told = 0
    for skip in range(number):
        emulator.reset()
        kind = FAULTS[fault]
        emulator.inject(
            Fault(kind.kind, kind.operation, kind.times, "after" if kind.after else "before", skip, **kind.details)
        )
        message = ""
        try:
            run(twin=True)
        except EciError as error:
            message = error.message
            assert "mistake of this collection" not in message
        for cache in left(emulator):
            told += 1
            assert cache["imageCacheName"] in message, skip
            assert "billed until it is deleted" in message
    assert (told > 0) is (FAULTS[fault].times is None)


def test_a_deletion_that_fails_is_asked_for_again(run: Run, emulator: Emulator) -> None:
    emulator.settings.update({"delete_fails": 2, "delete_after": 3.0})
    finding = run()
    assert (left(emulator), finding.habits["delete_failed_status"]) == ([], "delete_failed")
    assert len(emulator.sent(DELETE)) > 2


def test_a_deletion_that_fails_always(run: Run, emulator: Emulator) -> None:
    emulator.settings.update({"delete_fails": 100})
    error = fails(run)
    assert isinstance(error, WaitFailed)
    (cache,) = left(emulator)
    assert cache["imageCacheId"] in error.message
    assert f"name: {cache['imageCacheName']}, state: absent" in error.message
    assert "billed" in error.message
    assert error.outcome.changed
    assert error.outcome.habits["name_match"] == "exact"


def test_one_that_is_not_gone_in_time(run: Run, emulator: Emulator) -> None:
    emulator.settings.delete_after = 10_000.0
    error = fails(run)
    assert isinstance(error, WaitTimeout)
    assert left(emulator) == []


def test_one_that_is_not_ready_in_time_is_a_warning(run: Run, emulator: Emulator) -> None:
    emulator.settings.ready_after = 10_000.0
    finding = run()
    assert "was not ready after 300 s" in finding.warnings[0]
    assert (finding.habits["ready_status"], finding.habits["tags_update"]) == (None, "replace")
    assert left(emulator) == []


def test_one_that_fails_is_looked_at_all_the_same(client: Client, emulator: Emulator) -> None:
    finding = check(client, own.order({**BODY, "images": ["does-not-exist"]}), WAIT)
    assert (finding.habits["failed_status"], finding.habits["tags_update"]) == ("failed", "replace")
    assert left(emulator) == []


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
def test_a_task_that_is_ended_deletes_what_it_made(
    operation: str, client: Client, run: Run, emulator: Emulator
) -> None:
    def end(record: Record) -> None:
        if record.operation == operation:
            client.end(KeyboardInterrupt())

    emulator.before = end
    error = fails(run)
    assert isinstance(error, TaskEnded)
    assert "What the check had made is deleted again." in error.message
    assert left(emulator) == []
    after = operations(emulator)[operations(emulator).index(operation) + 1 :]
    assert after[-1] == LIST
    assert after.count(DELETE) == 1
    assert len(after) < 9


def test_what_an_earlier_check_left_is_told(client: Client, emulator: Emulator) -> None:
    identifier = seed(emulator, own.order(BODY)["imageCacheName"])
    seed(emulator, "wire-check-of-somebody")
    (warning,) = check(client, None, WAIT).warnings
    assert identifier in warning
    assert "billed" in warning


def test_a_list_that_needs_images_orders_nothing(run: Run, emulator: Emulator) -> None:
    emulator.settings.list_needs_images = True
    finding = run()
    assert (finding.changed, finding.habits["list_needs_images"]) == (False, True)
    assert "Nothing was ordered" in finding.warnings[0]
    assert CREATE not in operations(emulator)


def test_a_refusal_of_the_moment_is_no_habit(client: Client, emulator: Emulator) -> None:
    emulator.inject(Fault("status", LIST, status=422, message="no"))
    assert check(client, None, WAIT).habits["list_needs_images"] is False


def test_wrong_keys_end_the_check(make_client: Callable[..., Client], emulator: Emulator) -> None:
    client = make_client(secret_key="wrong")
    with pytest.raises(AuthenticationError):
        check(client, own.order(BODY), WAIT)
    assert len(emulator.requests) == 1
