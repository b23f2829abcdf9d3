# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    MachineLimit,
    NotFound,
    QuotaUsedUp,
    ServiceError,
    TaskEnded,
    Throttled,
    Unanswered,
    Unreachable,
    UntrustedEndpoint,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import (
    CREATE,
    DELETE,
    DESCRIBE,
    LIST,
    UPDATE,
)
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION, USAGE
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import LEAST_BUDGET, PROBES, Attempts, Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import FIRST_PAUSE, Pace
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import Reply
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation
from tests.emulator import Emulator, Fault
from tests.unit.plugins.module_utils._api.servers import MakeClient, answering

ID = "imc-seed000000000000"
BODY = {
    "imageCacheName": "base",
    "securityGroupId": "sg-test",
    "vSwitchId": "subnet-test",
    "vpcId": "vpc-test",
    "azInfo": {"azName": "az1"},
    "images": ["nginx:latest"],
}
OPERATIONS = [LIST, DESCRIBE, UPDATE, DELETE, REGION, USAGE, CREATE]
REPEATABLE = [operation for operation in OPERATIONS if operation is not CREATE]
GOOD = {"statusCode": 200, "returnObj": {"region": {"regionId": "r", "zones": ["az1"]}}}


def carry_out(client: Client, operation: Operation) -> Reply:
    if operation is CREATE:
        return client.call(CREATE, BODY)
    if operation is UPDATE:
        return client.call(UPDATE, {"imageCacheId": ID, "tags": [{"key": "a", "value": "b"}]})
    if operation is LIST:
        return client.call(LIST, {})
    return client.call(operation, identifier=ID if operation in (DESCRIBE, DELETE) else "")


def failing(client: Client, operation: Operation = REGION) -> EciError:
    with pytest.raises(EciError) as caught:
        carry_out(client, operation)
    return caught.value


def by_name(operation: Any) -> str:
    return operation.name if isinstance(operation, Operation) else str(operation)


@pytest.fixture
def seeded(emulator: Emulator) -> Emulator:
    emulator.service.seed("base", ["nginx:latest"], imageCacheId=ID)
    return emulator


# --- one call


def test_only_create_is_not_repeatable() -> None:
    assert [operation.name for operation in OPERATIONS if not operation.repeatable] == ["createImageCache"]


def test_which_operations_change_something() -> None:
    changing = [operation for operation in OPERATIONS if operation.changes]
    assert [operation.name for operation in changing] == ["updateImageCache", "deleteImageCache", "createImageCache"]


def test_what_comes_back(client: Client, seeded: Emulator) -> None:
    reply = carry_out(client, LIST)
    assert [cache["imageCacheId"] for cache in reply.obj["imageCaches"]] == [ID]
    assert reply.request_id == reply.obj["requestId"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_what_is_sent(operation: Operation, client: Client, seeded: Emulator) -> None:
    carry_out(client, operation)
    (record,) = seeded.sent()
    assert (record.operation, record.method) == (operation.name, operation.method)
    assert record.headers["regionid"] == seeded.settings.region_id
    assert record.headers["content-type"] == "application/json"
    assert record.headers["user-agent"] == "ansible-ctyun.eci"
    assert "authorization" not in record.headers
    assert "cookie" not in record.headers
    assert bool(record.raw) is (operation in (LIST, UPDATE, CREATE))


def test_a_body_beyond_ascii_arrives_whole(client: Client, emulator: Emulator) -> None:
    client.call(CREATE, {**BODY, "imageCacheName": "镜像 \U0001f600"})
    assert emulator.sent()[0].body["imageCacheName"] == "镜像 \U0001f600"
    assert emulator.service.caches()[0]["imageCacheName"] == "镜像 \U0001f600"


def test_one_connection_serves_many_calls_also_after_errors(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client(retries=0)
    for fault in (
        Fault("status", status=500),
        Fault("status", status=429, reason="QuotaExceed"),
        Fault("status", status=502, html=True),
        Fault("html"),
        Fault("body", body=b""),
        Fault("json", value=[]),
        Fault("redirect"),
        Fault("charset"),
    ):
        seeded.inject(fault)
        failing(client)
        carry_out(client, REGION)
    with pytest.raises(NotFound):
        client.call(DESCRIBE, identifier="imc-none")
    for operation in OPERATIONS:
        carry_out(client, operation)
    assert seeded.connections == 1
    assert len(seeded.sent()) == 2 * 8 + 1 + len(OPERATIONS)


def test_several_threads_may_share_a_client(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client(pool_size=4)
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda _: client.call(DESCRIBE, identifier=ID).obj["imageCacheName"], range(24)))
    assert names == ["base"] * 24
    assert seeded.connections <= 4
    assert len({record.request_id for record in seeded.sent()}) == 24


def test_close_ends_the_connections(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client()
    carry_out(client, REGION)
    client._transport.close()
    carry_out(client, REGION)
    assert seeded.connections == 2


# --- again, and never again

PASSING = [
    pytest.param(Fault("reset"), id="reset"),
    pytest.param(Fault("status", status=429), id="429"),
    pytest.param(Fault("status", status=408), id="408"),
    pytest.param(Fault("status", status=500), id="500"),
    pytest.param(Fault("status", status=503), id="503"),
    pytest.param(Fault("status", status=504, html=True), id="504-html"),
    pytest.param(Fault("truncate"), id="truncate"),
    pytest.param(Fault("html"), id="html"),
    pytest.param(Fault("body", body=b""), id="empty"),
    pytest.param(Fault("body", body=b"\xff"), id="not-utf-8"),
    pytest.param(Fault("json", value=None), id="null"),
    pytest.param(Fault("json", value=[GOOD]), id="list"),
    pytest.param(Fault("json", value={"statusCode": 200, "returnObj": "x"}), id="odd-returnObj"),
    pytest.param(Fault("json", value={}), id="no-statusCode"),
    pytest.param(Fault("charset"), id="charset"),
    pytest.param(Fault("huge", megabytes=2), id="huge"),
]


EVERY_FAULT = [
    pytest.param(operation, *fault.values, id=f"{operation.name}-{fault.id}")
    for operation in (LIST, UPDATE, DELETE)
    for fault in PASSING
]
SOME_FAULTS = [
    pytest.param(operation, *fault.values, id=f"{operation.name}-{fault.id}")
    for operation in (DESCRIBE, REGION, USAGE)
    for fault in PASSING[:5:2]
]


def test_every_repeatable_operation_is_among_those_repeated() -> None:
    assert {parameter.values[0].name for parameter in EVERY_FAULT + SOME_FAULTS} == {operation.name for operation in REPEATABLE}  # fmt: skip


@pytest.mark.parametrize(("operation", "fault"), EVERY_FAULT + SOME_FAULTS)
def test_what_may_help_is_sent_again_signed_anew(
    operation: Operation, fault: Fault, client: Client, seeded: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    seeded.inject(fault)
    if operation is DELETE and fault.after:
        # carried out the first time, so the second finds nothing: and says that there was a first time
        error = failing(client, operation)
        assert isinstance(error, NotFound)
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
    fault: Fault, when: str, client: Client, emulator: Emulator, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    emulator.inject(Fault(fault.kind, "createImageCache", times=None, when=when, **fault.details))
    error = failing(client, CREATE)
    assert len(emulator.sent()) == 1
    assert sleeps == []
    assert error.retryable
    assert error.operation == "createImageCache"
    assert error.effect == (NONE if isinstance(error, Throttled) else POSSIBLE)
    assert error.attempts == 1
    assert "attempt" not in error.message


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "", ServiceError),
        (401, "", AuthenticationError),
        (403, "", AuthenticationError),
        (404, "", NotFound),
        (409, "", AlreadyExists),
        (422, "", ServiceError),
        (429, "QuotaExceed", QuotaUsedUp),
        (413, "", ServiceError),
    ],
)
@pytest.mark.parametrize("operation", [LIST, DELETE, CREATE], ids=by_name)
def test_what_cannot_help_is_not_sent_again(
    status: int, reason: str, kind: type[EciError], operation: Operation, client: Client, seeded: Emulator
) -> None:
    seeded.inject(Fault("status", status=status, reason=reason, times=None, retry_after=1))
    assert failing(client, operation).__class__ is kind
    assert len(seeded.sent()) == 1


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_the_attempts_have_an_end(
    retries: int, make_client: MakeClient, emulator: Emulator, sleeps: list[float]
) -> None:
    emulator.inject(Fault("status", status=503, times=None))
    error = failing(make_client(retries=retries))
    assert isinstance(error, Unanswered)
    assert len(emulator.sent()) == retries + 1
    assert len(sleeps) == retries
    assert len({record.request_id for record in emulator.sent()}) == retries + 1
    assert error.request_id == emulator.sent()[-1].request_id


def test_the_effect_is_that_of_all_attempts(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client()
    seeded.inject(Fault("reset", "deleteImageCache", when="after"))
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (NotFound, POSSIBLE)
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (NotFound, NONE)
    seeded.inject(Fault("status", "deleteImageCache", status=429))
    error = failing(client, DELETE)
    assert (error.__class__, error.effect) == (NotFound, NONE)  # what was throttled was not carried out


@pytest.mark.parametrize("operation", [UPDATE, DELETE, DESCRIBE], ids=by_name)
def test_an_effect_stays_possible_when_a_later_attempt_does_not_arrive(
    operation: Operation, make_client: MakeClient, sleeps: list[float]
) -> None:
    with answering(b"HTTP/1.1 200 OK") as server:
        ended = []

        def sleep(seconds: float) -> None:
            if not ended:
                server.__exit__()
            ended.append(seconds)

        error = failing(make_client(endpoint=server.url, retries=2, sleep=sleep), operation)
    assert error.__class__ is Unreachable
    assert error.attempts == 3
    assert error.effect == (POSSIBLE if operation.changes else NONE)
    assert error.failure()["effect"] == error.effect


def test_a_read_has_no_effect_whatever_comes_back(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=0)
    for fault in (
        Fault("reset"),
        Fault("truncate"),
        Fault("html"),
        Fault("status", status=500),
        Fault("json", value={}),
    ):
        emulator.inject(fault)
        error = failing(client, REGION)
        assert (error.effect, error.failure()["effect"]) == (NONE, NONE)


@pytest.mark.parametrize("kind", [MachineLimit, UntrustedEndpoint, QuotaUsedUp])
def test_what_lies_here_is_not_tried_again(
    kind: type[EciError], make_client: MakeClient, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    sent: list[Operation] = []

    def send(operation: Operation, *_arguments: Any) -> Any:
        sent.append(operation)
        raise kind("no")

    monkeypatch.setattr(client._transport, "send", send)
    assert failing(client).__class__ is kind
    assert (len(sent), sleeps) == (1, [])


# --- what is told of it


def test_a_failure_tells_how_often_it_was_tried(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=503, times=None, message="busy"))
    client = make_client(retries=3, uniform=lambda low, high: high)
    error = failing(client)
    assert error.attempts == error.failure()["attempts"] == 4
    assert error.message.endswith("This was attempt 4, 4 s after the first.")  # 0.5 + 1 + 2 s
    assert error.service_message == "busy"
    assert len(client.retried) == 3
    assert client.retried[0] == (
        "attempt 1, the next one in 0.5 s: region failed: busy (code ECI.Openapi.StatusReasonServiceUnavailable,"
        f" HTTP 503, request {emulator.sent()[0].request_id})."
    )
    assert [line.partition(":")[0] for line in client.retried[1:]] == [
        "attempt 2, the next one in 1.0 s",
        "attempt 3, the next one in 2.0 s",
    ]


def test_one_attempt_is_not_worth_a_word(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=422))
    client = make_client()
    error = failing(client)
    assert error.attempts == error.failure()["attempts"] == 1
    assert "attempt" not in error.message
    assert client.retried == []


def test_a_success_after_retries_leaves_their_lines(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client()
    emulator.inject(Fault("reset"), Fault("status", status=429, retry_after=2))
    carry_out(client, REGION)
    carry_out(client, REGION)
    assert [line.partition(",")[0] for line in client.retried] == ["attempt 1", "attempt 2"]
    assert "broke off" in client.retried[0]
    assert "HTTP 429" in client.retried[1]


def test_a_line_about_a_retry_hides_what_the_service_repeats(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(hide=lambda text: text.replace("Pl4nted", "********"))
    emulator.inject(Fault("status", status=503, message="no Pl4nted today"))
    carry_out(client, REGION)
    assert "no ******** today" in client.retried[0]


# --- how long between


@pytest.mark.parametrize(
    ("retry_after", "longest", "pause"),
    [
        (7, 30.0, 7.0),
        ("2.5", 30.0, 2.5),
        (1000, 30.0, 30.0),
        (1000, 0.0, 0.0),
        ("inf", 4.0, 4.0),
        ("nan", 30.0, 0.0),
        ("x", 30.0, 0.0),
        (-5, 30.0, 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_service_says_when(
    retry_after: Any,
    longest: float,
    pause: float,
    status: int,
    make_client: MakeClient,
    emulator: Emulator,
    sleeps: list[float],
) -> None:
    client = make_client(retry_max_delay=longest, uniform=lambda low, high: low)
    emulator.inject(Fault("status", status=status, retry_after=retry_after))
    carry_out(client, REGION)
    # refused for the rate, there is a least pause, which is that of the pace
    assert sum(sleeps) == pytest.approx(max(pause, FIRST_PAUSE) if status == 429 else pause)
    assert len(emulator.sent()) == 2


def test_jitter_is_full_under_a_doubling_bound(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:  # fmt: skip
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    client = make_client(retries=7, retry_max_delay=10, uniform=uniform)
    emulator.inject(Fault("status", status=503, times=None))
    failing(client)
    assert asked[:7] == [(0, bound) for bound in (0.5, 1, 2, 4, 8, 10, 10)]
    assert sleeps == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_pause_is_never_shorter_than_asked_nor_longer_than_allowed(make_client: MakeClient) -> None:
    low, high = make_client(uniform=lambda low, high: low), make_client(uniform=lambda low, high: high)
    assert [low.delay(attempt) for attempt in (0, 5, 50)] == [0, 0, 0]
    assert [high.delay(attempt) for attempt in (0, 5, 6, 50)] == [0.5, 16, 30, 30]
    assert low.delay(0, 3) == high.delay(0, 3) == 3
    assert high.delay(4, 3) == 8
    for attempt in range(20):
        assert 0 <= make_client().delay(attempt) <= min(30, 0.5 * 2**attempt)


@pytest.mark.parametrize("attempt", [1023, 1024, 5000])
def test_many_attempts_do_not_overflow_the_pause(attempt: int, make_client: MakeClient) -> None:
    assert make_client(uniform=lambda low, high: high).delay(attempt) == 30


def test_throttled_once_the_next_call_waits(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=0)
    emulator.inject(Fault("status", status=429, retry_after=9))
    assert isinstance(failing(client), Throttled)
    assert sleeps == []
    carry_out(client, REGION)
    assert sum(sleeps) == 9
    carry_out(client, REGION)  # at the pace that was found, for the time being
    assert 9 <= sum(sleeps) < 9.1


def test_throttled_once_all_threads_of_a_client_pause(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(pool_size=8, retries=0, sleep=time.sleep, monotonic=time.monotonic)
    emulator.inject(Fault("status", status=429, retry_after=0.5))
    began = time.monotonic()
    assert isinstance(failing(client), Throttled)
    ended: list[float] = []
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: (carry_out(client, REGION), ended.append(time.monotonic() - began)), range(8)))
    assert min(ended) >= 0.5


@pytest.mark.parametrize("threads", [10, pytest.param(50, marks=pytest.mark.thorough)])
def test_a_service_with_a_limit_serves_everybody(threads: int, make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.update({"rate": 40, "rate_burst": 10})
    client = make_client(pool_size=threads, sleep=time.sleep, monotonic=time.monotonic, retries=5)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _number: carry_out(client, REGION), range(100)))
    refused = [record for record in emulator.sent() if record.status == "rate"]
    # those of the first burst cannot be helped, nor can some while the rate is searched for
    assert len(refused) <= threads + 20


def test_a_refusal_for_the_rate_is_no_attempt_while_others_are_accepted(
    make_client: MakeClient, emulator: Emulator
) -> None:
    client = make_client(retries=1)
    refusals = 12

    def before(_record: Any) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            emulator.inject(Fault("status", status=429))
            client.pace.accepted_ones += 1  # as if another thread's had been

    emulator.before = before
    carry_out(client, REGION)
    assert len(emulator.sent()) == 13
    assert {line.partition(":")[0].partition(", ")[2] for line in client.retried} == {
        "the next one when its turn comes"
    }


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_refused_for_the_rate_again_and_again_it_ends(
    retries: int, make_client: MakeClient, emulator: Emulator, sleeps: list[float]
) -> None:
    client = make_client(retries=retries, uniform=lambda low, high: high)
    emulator.inject(Fault("status", status=429, times=None))
    error = failing(client)
    assert isinstance(error, Throttled)
    assert error.attempts == len(emulator.sent()) == (retries + PROBES if retries else 1)
    # at first the pace is thought to be wrong, then something else
    assert sum(sleeps) >= sum(0.5 * 2**number for number in range(retries - 1))


# --- attempts that the caller counts, and the budget of a task


def create(client: Client, attempts: Attempts) -> EciError:
    with pytest.raises(EciError) as caught:
        client.call(CREATE, BODY, attempts=attempts)
    return caught.value


def test_attempts_that_the_caller_counts(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=2, uniform=lambda low, high: high)
    emulator.inject(Fault("status", "createImageCache", status=503, times=None))
    attempts = Attempts(client, CREATE)
    for number in range(3):
        error = create(client, attempts)
        assert client.again(attempts, error) is (number < 2)
        assert error.attempts == number + 1
    assert error.message.endswith("This was attempt 3, 2 s after the first.")
    assert sleeps == [0.5, 1.0]
    assert [line.partition(":")[0] for line in client.retried] == [
        "attempt 1, the next one in 0.5 s",
        "attempt 2, the next one in 1.0 s",
    ]


def test_what_cannot_help_is_not_worth_another_attempt(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client()
    emulator.inject(Fault("status", "createImageCache", status=422))
    attempts = Attempts(client, CREATE)
    assert not client.again(attempts, create(client, attempts))


def test_an_outage_ends_a_task_soon(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=3)
    emulator.inject(Fault("status", status=503, times=None))
    errors = [failing(client) for _number in range(40)]
    assert [error.attempts for error in errors] == [4] * 6 + [3] + [1] * 33
    assert len(emulator.sent()) == 40 + LEAST_BUDGET
    emulator.faults.clear()
    carry_out(client, REGION)
    emulator.inject(Fault("status", status=503))
    carry_out(client, REGION)  # with what the good answer gave back
    emulator.inject(Fault("status", status=503), Fault("status", status=503))
    assert failing(client).attempts == 2


def test_what_is_answered_well_gives_a_retry_back(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=1)
    for _number in range(40):
        emulator.inject(Fault("reset"))
        carry_out(client, REGION)
    assert len(client.retried) == 40


def test_reads_that_succeed_do_not_give_changes_another_chance(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client(retries=3)
    for operation in (DELETE, UPDATE):
        seeded.inject(Fault("status", operation.name, status=503, times=None))
    assert not client.is_worn_out
    for _number in range(20):
        failing(client, DELETE)
        carry_out(client, REGION)
    assert client.is_worn_out
    assert failing(client, UPDATE).attempts == 1
    seeded.faults.clear()
    carry_out(client, UPDATE)
    assert not client.is_worn_out


# --- the end of a task


def test_an_ended_task_tries_nothing_again(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=3)
    emulator.inject(Fault("status", status=503, times=None))
    emulator.before = lambda _record: client.end()
    error = failing(client)
    assert isinstance(error, Unanswered)
    assert (len(emulator.sent()), sleeps) == (1, [])
    assert client.is_ended


def test_an_ended_task_makes_no_pause(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=0)
    client.pace = Pace(client.clock, start=math.inf)
    emulator.inject(Fault("status", status=429, retry_after=20))
    failing(client)
    client.end()
    error = failing(client)  # whose turn would come in 20 seconds
    assert isinstance(error, TaskEnded)
    assert (error.effect, error.retryable) == (NONE, False)
    assert (len(emulator.sent()), sleeps) == (1, [])
    with pytest.raises(TaskEnded):
        client.clock.sleep(1)


@pytest.mark.parametrize("what", ["turn", "pause"])
def test_the_end_of_a_task_ends_a_pause_that_has_begun(what: str, make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=3, sleep=time.sleep, monotonic=time.monotonic, uniform=lambda low, high: high)
    client.pace = Pace(client.clock, start=math.inf)
    emulator.inject(Fault("status", status=429 if what == "turn" else 503, retry_after=25))
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        failed = pool.submit(failing, client)
        for _turn in range(500):
            if client.retried:
                break
            time.sleep(0.01)
        client.end()
        error = failed.result(10)
    assert isinstance(error, TaskEnded if what == "turn" else Unanswered)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("operation", "is_open"), [(REGION, False), (UPDATE, True)], ids=by_name)
def test_an_interrupt_leaves_a_change_open(
    operation: Operation, is_open: bool, client: Client, seeded: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not client.is_left_open

    def send(*_arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(client._transport, "send", send)
    with pytest.raises(KeyboardInterrupt):
        carry_out(client, operation)
    assert client.is_left_open is is_open


@pytest.mark.parametrize("answered", [True, False])
def test_what_was_answered_was_accepted(answered: bool, make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(retries=0)
    emulator.inject(Fault("status", status=500) if answered else Fault("reset"))
    failing(client)
    assert client.pace.accepted_ones == answered
