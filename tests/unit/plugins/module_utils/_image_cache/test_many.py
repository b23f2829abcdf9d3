# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many image caches in one task: few requests, and each has its own outcome."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import RetryQuota
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    QuotaUsedUp,
    ServiceError,
    StateConflict,
    Unanswered,
    WaitFailed,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import listed
from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    CREATE,
    LIST,
    USAGE,
    A,
    B,
    MakeClient,
    Run,
    names,
    operations,
    seed,
    somebody_else_creates,
    wanted,
)


def test_creating_takes_two_lists_and_a_request_for_each(emulator: Emulator, run: Run) -> None:
    outcomes = run(*[wanted(f"cache-{number}") for number in range(30)])
    assert [item.name for item in outcomes.items] == [f"cache-{number}" for number in range(30)]
    assert all(item.changed and not item.error for item in outcomes.items)
    assert operations(emulator) == [LIST, *[CREATE] * 30, LIST]
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids
    assert all(item.image_cache.status == "pending" for item in outcomes.items)


def test_nothing_to_do_takes_one_list(emulator: Emulator, run: Run) -> None:
    for number in range(30):
        seed(emulator, f"cache-{number}", tags=[A])
    outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(30)])
    assert not any(item.changed for item in outcomes.items)
    assert operations(emulator) == [LIST]


def test_one_that_was_not_created_is_not_waited_for_in_lists(run: Run, sleeps: list[float]) -> None:
    outcomes = run(wanted("bad", azInfo={"azName": "az9"}), wanted("good"))
    assert [bool(item.error) for item in outcomes.items] == [True, False]
    assert sleeps == []


def test_connections_are_as_many_as_workers(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    run(*[wanted(f"cache-{number}") for number in range(30)], client=make_client(pool_size=3), concurrency=3)
    assert emulator.connections <= 3


def test_each_gets_what_it_needs(emulator: Emulator, run: Run) -> None:
    ids = {
        "same": seed(emulator, "same"),
        "retag": seed(emulator, "retag", tags=[A]),
        "drift": seed(emulator, "drift", images=["redis:7"]),
    }
    outcomes = run(wanted("new"), wanted("same"), wanted("retag", tags=[B]), wanted("drift"))
    new, same, retag, drift = (item for item in outcomes.items)
    assert [outcome.changed for outcome in (new, same, retag, drift)] == [True, False, True, False]
    assert [outcome.image_cache_id for outcome in (same, retag, drift)] == list(ids.values())
    assert retag.image_cache and retag.image_cache.tags == [B]
    assert [bool(outcome.warnings) for outcome in (new, same, retag, drift)] == [False, False, False, True]


def test_drift_and_ambiguous_names_stop_no_other(emulator: Emulator, run: Run) -> None:
    seed(emulator, "drift", images=["redis:7"])
    seed(emulator, "twice")
    seed(emulator, "twice")
    outcomes = run(wanted("drift", drift="fail"), wanted("twice"), wanted("new"))
    assert [type(item.error) for item in outcomes.items] == [StateConflict, StateConflict, type(None)]
    assert outcomes.items[2].changed


def test_a_refused_create_stops_no_other(emulator: Emulator, run: Run) -> None:
    outcomes = run(*[wanted(f"cache-{number}", azInfo={"azName": f"az{number}"}) for number in range(4)])
    assert [type(item.error) for item in outcomes.items] == [ServiceError, type(None), ServiceError, ServiceError]
    assert names(emulator) == ["cache-1"]
    assert [item.changed for item in outcomes.items] == [False, True, False, False]


@pytest.mark.parametrize("when", ["before", "after"])
def test_open_outcomes_make_no_doubles(emulator: Emulator, run: Run, make_client: MakeClient, when: str) -> None:
    emulator.inject(Fault("reset", CREATE, when=when, times=5), Fault("truncate", CREATE, when=when, times=5))
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)], client=make_client(retries=20))
    assert not any(item.error for item in outcomes.items)
    assert names(emulator) == sorted(f"cache-{number}" for number in range(20))
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids


def test_too_many_requests_slow_all_down(emulator: Emulator, run: Run, sleeps: list[float]) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", retry_after=9, skip=4))
    emulator.settings.latency = 0.1  # so that the others cannot be done before the one that is refused is heard
    sent: list[float] = []
    emulator.before = lambda record: sent.append(sum(sleeps)) if record.operation == CREATE else None
    outcomes = run(*[wanted(f"cache-{number}") for number in range(24)], concurrency=4)
    assert not any(item.error for item in outcomes.items)
    before = [when for when in sent if when < 9]
    assert len(sent) == 25
    assert 5 <= len(before) <= 11  # four that were good, the one that was refused, and those on their way then


def test_nothing_is_changed_if_nothing_can_be_listed(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    emulator.inject(Fault("status", LIST, times=None))
    with pytest.raises(Unanswered):
        run(wanted("a"), client=make_client(retries=1))
    assert set(operations(emulator)) == {LIST}


def test_somebody_elses_is_adopted_and_tagged(emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": sum(CONSISTENCY_DELAYS) - 1})
    body = dict(wanted("a").body, tags=[A])
    emulator.service.perform(CREATE, emulator.settings.region_id, "", body)
    outcomes = run(wanted("a", tags=[B]))
    assert not outcomes.items[0].error
    assert emulator.service.caches()[0]["tags"] == [B]
    assert len(emulator.service.caches()) == 1


def test_somebody_elses_that_cannot_be_read_is_an_error(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 3})
    somebody_else_creates(emulator, imageCacheName="a", images=["other"])
    emulator.inject(Fault("status", LIST, skip=5, times=None))
    outcomes = run(wanted("a"), wanted("b"), client=make_client(retries=0), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [Unanswered, type(None)]
    assert "could not be read" in outcomes.warnings[0]


def test_an_odd_object_in_the_list_is_no_reason_to_fail_all(emulator: Emulator, run: Run) -> None:
    seed(emulator, "a")
    seed(emulator, "b")
    emulator.inject(Fault("nameless", LIST, times=2, index=1))
    outcomes = run(wanted("a"), wanted("b"), wanted("c"))
    assert [item.changed for item in outcomes.items] == [False, False, True]
    assert not any(item.error for item in outcomes.items)
    assert names(emulator) == ["a", "b", "c"]


def test_a_name_that_an_odd_object_may_have_is_not_made(emulator: Emulator, run: Run) -> None:
    seed(emulator, "a")
    seed(emulator, "b")
    emulator.inject(Fault("nameless", LIST, times=1, index=1), *[Fault("nameless", LIST, times=1)] * 2)
    outcomes = run(wanted("a"), wanted("b"), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None), StateConflict]
    assert CREATE not in operations(emulator)


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_one_that_a_list_of_pages_skips_is_not_made_again(order: str, emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"max_page": 2, "list_order": order, "list_total": False})
    for number in range(6):
        seed(emulator, f"cache-{number}")
    others = [seed(emulator, "other-1")] if order == "newest" else []
    first = "cache-0"

    def move(record: Record) -> None:
        # one from the first page goes, so that the first of the second page moves to the first, which was read already
        gone = others or [
            cache["imageCacheId"] for cache in emulator.service.caches() if cache["imageCacheName"] == first
        ]
        if record.operation == LIST and record.index == 1 and gone:
            emulator.service.remove(gone[0])

    emulator.before = move
    outcomes = run(*[wanted(f"cache-{number}") for number in range(1, 6)])
    assert not any(item.changed for item in outcomes.items)
    assert CREATE not in operations(emulator)


def test_a_service_that_fails_too_often_is_left_alone(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    client = make_client(retries=1)
    client.retry_quota = client._quotas[True] = RetryQuota(1)
    emulator.inject(Fault("status", CREATE, times=None))
    outcomes = run(*[wanted(f"cache-{number}") for number in range(4)], client=client, concurrency=1)
    assert len(emulator.sent(CREATE)) == 2
    assert [str(item.error).startswith("Not attempted") for item in outcomes.items] == [False, True, True, True]


def test_the_first_refusal_of_the_quota_ends_the_creates(emulator: Emulator, run: Run) -> None:
    emulator.settings.quota = 2
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)], concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None)] * 2 + [QuotaUsedUp] * 18
    assert len(emulator.sent(CREATE)) == 3
    assert len(emulator.sent(USAGE)) == 1
    assert "2 of 2 are used" in str(outcomes.items[2].error)
    assert "2 of 2 are used" in str(outcomes.items[19].error)


def test_a_message_lists_a_few_of_many_names() -> None:
    assert listed(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert listed(["a", "b", "c", "d"]) == "'a', 'b', 'c' and 1 more"


def test_check_mode_changes_nothing_and_predicts(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "retag", tags=[A])
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", wait=True), wanted("retag", tags=[B]), prune_tags=[A], check_mode=True)
    assert [item.changed for item in outcomes.all] == [True, True, True]
    assert [item.name for item in outcomes.pruned] == ["away"]
    assert [item.image_cache_id for item in outcomes.items] == [None, old]
    assert outcomes.items[1].image_cache.tags == [B]
    assert operations(emulator) == [LIST]


def test_check_mode_fails_for_one_that_will_never_be_ready(emulator: Emulator, run: Run) -> None:
    seed(emulator, "bad", status="failed")
    assert isinstance(run(wanted("bad", wait=True), check_mode=True).items[0].error, WaitFailed)
    assert run(wanted("bad"), check_mode=True).items[0].error is None


def test_check_mode_fails_for_drift_before_the_status(emulator: Emulator, run: Run) -> None:
    seed(emulator, "bad", status="failed")
    outcomes = run(wanted("bad", wait=True, drift="fail"), check_mode=True)
    assert isinstance(outcomes.items[0].error, StateConflict)
