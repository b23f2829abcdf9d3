# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls: what is sent again and what is not, how long between, and what an error says of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import (
    FREE_THROTTLES,
    RETRY_QUOTA,
    Attempts,
    Client,
    RetryQuota,
)
from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import FIRST_RATE
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION, USAGE
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply, Reply
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation
from ansible_collections.ctyun.eci.plugins.module_utils._cancel import Cancellation
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError
from ansible_collections.ctyun.eci.plugins.module_utils._polling import SYSTEM_CLOCK
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, MakeClient

from .servers import CREATE, DELETE, DESCRIBE, LIST, UPDATE, answering

ID = "imc-seed000000000000"
OPERATIONS = [LIST, DESCRIBE, UPDATE, DELETE, REGION, USAGE, CREATE]


def carry_out(client: Client, operation: Operation = REGION) -> Reply:
    bodies: dict[str, Any] = {
        CREATE.name: BODY,
        UPDATE.name: {"imageCacheId": ID, "tags": [{"key": "a", "value": "b"}]},
        LIST.name: {},
    }
    return client.call(operation, bodies.get(operation.name), ID if operation in (DESCRIBE, DELETE) else "")


def failing(client: Client, operation: Operation = REGION) -> EciError:
    with pytest.raises(EciError) as caught:
        carry_out(client, operation)
    return caught.value


def by_name(operation: Any) -> str:
    return operation.name if isinstance(operation, Operation) else str(operation)


def high(_low: float, high: float) -> float:
    """The longest of all jitters."""
    return high


@pytest.fixture
def seeded(emulator: Emulator) -> Emulator:
    emulator.service.seed("base", ["nginx:latest"], imageCacheId=ID)
    return emulator


# --- one call


def test_what_comes_back(client: Client, seeded: Emulator) -> None:
    seen: list[HttpReply] = []
    client.on_reply = seen.append
    reply = carry_out(client, LIST)
    assert [cache["imageCacheId"] for cache in reply.obj["imageCaches"]] == [ID]
    assert reply.request_id == reply.obj["requestId"]
    assert [(one.operation, one.status) for one in seen] == [("describeImageCaches", 200)]


def test_one_connection_serves_many_calls_also_after_errors(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client(retries=0)
    for fault in (
        Fault("status", status=500),
        Fault("status", status=429, reason="QuotaExceed"),
        Fault("status", status=502, html=True),
        Fault("body", body=b""),
        Fault("json", value=[]),
        Fault("redirect"),
    ):
        seeded.inject(fault)
        failing(client)
        carry_out(client)
    for operation in OPERATIONS:
        carry_out(client, operation)
    assert seeded.connections == 1
    client._transport.close()
    carry_out(client)
    assert seeded.connections == 2


# --- again, and never again

PASSING = [
    pytest.param(Fault("reset"), id="reset"),
    pytest.param(Fault("status", status=429), id="429"),
    pytest.param(Fault("status", status=500), id="500"),
    pytest.param(Fault("status", status=504, html=True), id="504-html"),
    pytest.param(Fault("truncate"), id="truncate"),
    pytest.param(Fault("html"), id="html"),
    pytest.param(Fault("json", value={}), id="no-statusCode"),
    pytest.param(Fault("charset"), id="charset"),
    pytest.param(Fault("huge", megabytes=2), id="huge"),
]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", [LIST, UPDATE, DELETE, REGION], ids=by_name)
def test_what_may_help_is_sent_again_with_a_new_signature(
    operation: Operation, fault: Fault, make_client: MakeClient, seeded: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    client = make_client()
    seeded.inject(fault)
    if operation is DELETE and fault.after:
        # carried out the first time, so the second finds nothing: and says that there was a first time
        error = failing(client, operation)
        assert isinstance(error, errors.NotFound)
        assert (error.effect, error.attempts) == (POSSIBLE, 2)
    else:
        carry_out(client, operation)
    first, second = seeded.sent(operation.name)
    assert first.request_id != second.request_id
    # a wrong signature, or an ID used twice, would be refused with 401 before any fault is looked at
    assert first.status == f"fault:{fault.kind}"
    assert second.status in (200, 404)
    assert first.raw == second.raw


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", PASSING)
def test_a_create_is_sent_once_whatever_comes_back(
    fault: Fault, when: str, make_client: MakeClient, emulator: Emulator, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    emulator.inject(Fault(fault.kind, "createImageCache", times=None, when=when, **fault.details))
    error = failing(make_client(), CREATE)
    assert (len(emulator.sent()), sleeps) == (1, [])
    assert error.retryable
    assert (error.operation, error.attempts) == ("createImageCache", 1)
    assert error.effect == (NONE if isinstance(error, errors.Throttled) else POSSIBLE)
    assert "attempt" not in error.message


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "", errors.ServiceError),
        (401, "", errors.AuthenticationError),
        (404, "", errors.NotFound),
        (409, "", errors.AlreadyExists),
        (422, "", errors.ServiceError),
        (429, "QuotaExceed", errors.QuotaUsedUp),
    ],
)
@pytest.mark.parametrize("operation", [LIST, DELETE, CREATE], ids=by_name)
def test_what_cannot_help_is_not_sent_again(
    status: int, reason: str, kind: type[EciError], operation: Operation, client: Client, seeded: Emulator
) -> None:
    seeded.inject(Fault("status", status=status, reason=reason, times=None, retry_after=1))
    error = failing(client, operation)
    assert (error.__class__, error.attempts, error.failure()["attempts"]) == (kind, 1, 1)
    assert "attempt" not in error.message
    assert len(seeded.sent()) == 1


@pytest.mark.parametrize("kind", [errors.MachineLimit, errors.UntrustedEndpoint, errors.QuotaUsedUp])
def test_what_lies_here_is_not_tried_again(
    kind: type[EciError], client: Client, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Operation] = []

    def send(operation: Operation, *_arguments: Any) -> Any:
        sent.append(operation)
        raise kind("no")

    monkeypatch.setattr(client._transport, "send", send)
    assert failing(client).__class__ is kind
    assert (len(sent), sleeps) == (1, [])


@pytest.mark.parametrize("retries", [0, 1, 4, 7])
def test_attempts_have_an_end(retries: int, make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    emulator.inject(Fault("status", status=503, times=None, message="busy"))
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    error = failing(make_client(retries=retries, retry_max_delay=10.0, uniform=uniform))
    assert isinstance(error, errors.Unanswered)
    assert error.attempts == error.failure()["attempts"] == len(emulator.sent()) == retries + 1
    assert asked == [(0, bound) for bound in (0.5, 1, 2, 4, 8, 10, 10)][:retries]  # full jitter
    assert sleeps == [high for _low, high in asked]
    assert error.request_id == emulator.sent()[-1].request_id
    assert error.service_message == "busy"
    assert ("This was attempt" in error.message) is (retries > 0)
    assert error.message.endswith("This was attempt 5, 8 s after the first.") is (retries == 4)


# --- the effect of all attempts


def test_the_effect_is_that_of_all_attempts(client: Client, seeded: Emulator) -> None:
    seeded.inject(Fault("reset", "deleteImageCache", when="after"))
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (errors.NotFound, POSSIBLE)
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (errors.NotFound, NONE)
    seeded.inject(Fault("status", "deleteImageCache", status=429))
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (errors.NotFound, NONE)  # what was throttled was not carried out


@pytest.mark.parametrize("operation", [UPDATE, DELETE, DESCRIBE], ids=by_name)
def test_an_effect_stays_possible_when_a_later_attempt_is_lost(operation: Operation, make_client: MakeClient) -> None:
    with answering(b"HTTP/1.1 200 OK") as server:
        slept = []

        def sleep(seconds: float) -> None:
            if not slept:
                server.__exit__()
            slept.append(seconds)

        error = failing(make_client(endpoint=server.url, retries=2, sleep=sleep), operation)
    assert (error.__class__, error.attempts) == (errors.Unreachable, 3)
    assert error.effect == error.failure()["effect"] == (POSSIBLE if operation.changes else NONE)


# --- how long between


@pytest.mark.parametrize(
    ("retry_after", "longest", "pause"),
    [(7, 30.0, 7.0), (1000, 30.0, 30.0), (1000, 0.0, 0.0), ("inf", 4.0, 4.0), ("nan", 30.0, 0.0), ("x", 30.0, 0.0)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_service_says_when(
    retry_after: Any, longest: float, pause: float, status: int, make_client: MakeClient, emulator: Emulator, sleeps: list[float]
) -> None:  # fmt: skip
    client = make_client(retry_max_delay=longest, uniform=lambda low, _high: low)
    emulator.inject(Fault("status", status=status, retry_after=retry_after))
    carry_out(client)
    assert sum(sleeps) == pytest.approx(max(pause, 1 / FIRST_RATE) if status == 429 else pause)
    assert len(emulator.sent()) == 2


# --- throttled requests


def test_throttled_requests_cost_nothing_while_others_are_accepted(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=1)
    refusals = 4 * FREE_THROTTLES

    def before(_record: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            emulator.inject(Fault("status", status=429))
            if refusals % FREE_THROTTLES == 0:
                client.limiter.accepted += 1  # as if another thread's had been

    emulator.before = before
    carry_out(client)
    assert len(emulator.sent()) == 4 * FREE_THROTTLES + 1
    assert not client._quotas[False]._left < RETRY_QUOTA


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("retry_after", [None, 2, 1000])
def test_throttled_again_and_again_it_ends(
    retries: int, retry_after: int | None, make_client: MakeClient, emulator: Emulator, sleeps: list[float]
) -> None:
    client = make_client(retries=retries, retry_max_delay=10.0, uniform=high)
    emulator.inject(Fault("status", status=429, times=None, retry_after=retry_after))
    error = failing(client)
    assert isinstance(error, errors.Throttled)
    assert error.attempts == len(emulator.sent()) == (FREE_THROTTLES + retries + 1 if retries else 1)
    if retries:
        pause = min(retry_after or 0, 10)
        # at first the limiter delays the next attempt, then the back-off does
        backoffs = [max(0.5 * 2**number, pause) for number in range(retries)]
        assert sum(sleeps) == pytest.approx(sum(backoffs) + pause * FREE_THROTTLES, abs=0.2)
        assert max(sleeps) <= 10


# --- attempts that the caller counts, and the quota of retries


def create(client: Client, attempts: Attempts) -> EciError:
    with pytest.raises(EciError) as caught:
        client.call(CREATE, BODY, attempts=attempts)
    return caught.value


def test_attempts_that_the_caller_counts(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=2, uniform=high)
    emulator.inject(Fault("status", "createImageCache", status=503, times=3), Fault("status", status=422))
    attempts = Attempts(client, CREATE)
    for number in range(3):
        error = create(client, attempts)
        assert client.may_retry(attempts, error) is (number < 2)
        assert error.attempts == number + 1
    assert error.message.endswith("This was attempt 3, 2 s after the first.")
    assert sleeps == [0.5, 1.0]
    attempts = Attempts(client, CREATE)
    assert not client.may_retry(attempts, create(client, attempts))  # it cannot help


def test_an_outage_ends_a_task_soon(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=3)
    emulator.inject(Fault("status", status=503, times=None))
    failed = [failing(client) for _number in range(40)]
    assert [error.attempts for error in failed] == [4] * 6 + [3] + [1] * 33
    assert len(emulator.sent()) == 40 + RETRY_QUOTA
    emulator.faults.clear()
    carry_out(client)
    emulator.inject(Fault("status", status=503))
    carry_out(client)  # with what the success gave back
    emulator.inject(Fault("status", status=503), Fault("status", status=503))
    assert failing(client).attempts == 2


def test_reads_that_succeed_do_not_give_changes_another_chance(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client(retries=3)
    for operation in (DELETE, UPDATE):
        seeded.inject(Fault("status", operation.name, status=503, times=None))
    assert not client.retry_quota.exhausted
    for _number in range(20):
        failing(client, DELETE)
        carry_out(client)
    assert client.retry_quota.exhausted
    assert failing(client, UPDATE).attempts == 1
    seeded.faults.clear()
    carry_out(client, UPDATE)
    assert not client.retry_quota.exhausted


def test_many_retries_have_a_larger_quota_and_no_delay_overflows(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=503, times=None))
    assert failing(make_client(retries=1100)).attempts == 1101


def test_a_quota_is_taken_from_by_many_threads() -> None:
    quota = RetryQuota(1000)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _number: quota.take(), range(1500))) == 1000
    assert quota.exhausted
    for _number in range(1500):
        quota.give_back()
    assert sum(quota.take() for _number in range(1500)) == 1000


# --- cancellation


def test_a_cancelled_task_tries_nothing_again(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    cancellation = Cancellation()
    client = make_client(retries=3, cancellation=cancellation)
    emulator.inject(Fault("status", status=503, times=None))
    emulator.before = lambda _record: cancellation.cancel("SIGTERM")
    assert isinstance(failing(client), errors.Unanswered)
    assert (len(emulator.sent()), sleeps) == (1, [])
    error = failing(client)
    assert (error.__class__, error.effect, error.retryable) == (errors.Cancelled, NONE, False)
    assert "attempt" not in error.message
    assert len(emulator.sent()) == 1
    with pytest.raises(errors.Cancelled):
        client.clock.sleep(1)


def test_a_task_cancelled_between_two_attempts_keeps_the_effect(make_client: MakeClient, seeded: Emulator) -> None:
    cancellation = Cancellation()

    def sleep(_seconds: float) -> None:
        cancellation.cancel("SIGINT")

    seeded.inject(Fault("reset", "deleteImageCache", when="after"))
    error = failing(make_client(cancellation=cancellation, sleep=sleep), DELETE)
    assert (error.__class__, error.effect) == (errors.Cancelled, POSSIBLE)


@pytest.mark.parametrize("what", ["token", "delay"])
def test_cancellation_ends_a_wait_that_has_begun(what: str, make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=3, clock=SYSTEM_CLOCK, uniform=high)
    emulator.inject(Fault("status", status=429 if what == "token" else 503, retry_after=25))
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        failed = pool.submit(failing, client)
        while not emulator.sent() and time.monotonic() - began < 5:
            time.sleep(0.01)
        time.sleep(0.1)
        client.cancellation.cancel("SIGALRM")
        error = failed.result(10)
    assert isinstance(error, errors.Cancelled if what == "token" else errors.Unanswered)
    assert time.monotonic() - began < 10


def test_any_answer_but_a_refused_rate_counts_as_accepted(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=0)
    for fault, accepted in ((Fault("status", status=500), 1), (Fault("reset"), 1), (Fault("status", status=429), 1)):
        emulator.inject(fault)
        failing(client)
        assert client.limiter.accepted == accepted
    carry_out(client)
    assert client.limiter.accepted == 2
