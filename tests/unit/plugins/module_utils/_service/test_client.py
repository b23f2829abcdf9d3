# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AlreadyExists,
    AuthenticationError,
    EciError,
    NotFound,
    OpenOutcome,
    QuotaUsedUp,
    ServiceError,
    Throttled,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import (
    CREATE,
    DELETE,
    DESCRIBE,
    LIST,
    UPDATE,
)
from ansible_collections.ctyun.eci.plugins.module_utils._region import REGION, USAGE
from ansible_collections.ctyun.eci.plugins.module_utils._service import transport
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.transport import Operation
from tests.emulator import Emulator, Fault

MakeClient = Callable[..., Client]

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


def carry_out(client: Client, operation: Operation) -> dict[str, Any]:
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
        names = list(pool.map(lambda _: client.call(DESCRIBE, identifier=ID)["imageCacheName"], range(24)))
    assert names == ["base"] * 24
    assert seeded.connections <= 4
    assert len({record.request_id for record in seeded.sent()}) == 24


def test_close_ends_the_connections(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client()
    carry_out(client, REGION)
    client.close()
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
        assert error.after_open
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
    assert not error.after_open


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
    assert isinstance(error, OpenOutcome)
    assert len(emulator.sent()) == retries + 1
    assert len(sleeps) == retries
    assert len({record.request_id for record in emulator.sent()}) == retries + 1
    assert error.request_id == emulator.sent()[-1].request_id


def test_after_open_tells_of_an_earlier_attempt(make_client: MakeClient, seeded: Emulator) -> None:
    client = make_client()
    seeded.inject(Fault("reset", "deleteImageCache", when="after"))
    error = failing(client, DELETE)
    assert isinstance(error, NotFound)
    assert error.after_open
    error = failing(client, DELETE)
    assert isinstance(error, NotFound)
    assert not error.after_open
    seeded.inject(Fault("status", "deleteImageCache", status=429))
    error = failing(client, DELETE)
    assert isinstance(error, NotFound)
    assert not error.after_open  # what was throttled was not carried out


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
    assert sum(sleeps) == pause
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


def test_throttled_once_all_threads_of_a_client_pause(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:  # fmt: skip
    client = make_client(retries=0)
    emulator.inject(Fault("status", status=429, retry_after=9))
    assert isinstance(failing(client), Throttled)
    assert sleeps == []
    carry_out(client, REGION)
    carry_out(client, REGION)
    assert sleeps == [9]


def test_attempts_that_the_caller_made_count(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    client = make_client(retries=3, uniform=lambda low, high: high)
    emulator.inject(Fault("status", status=503, times=None))
    with pytest.raises(OpenOutcome):
        client.call(REGION, earlier=2)
    assert sleeps == [2.0]
    assert len(emulator.sent()) == 2
