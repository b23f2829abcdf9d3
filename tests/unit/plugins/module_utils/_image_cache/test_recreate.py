# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replacing: nothing is deleted that cannot be created again, and what was deleted is not hidden."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import RetryQuota
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    QuotaUsedUp,
    ServiceError,
    StateConflict,
    Unanswered,
    WaitFailed,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    REGION,
    USAGE,
    A,
    MakeClient,
    Run,
    RunOne,
    names,
    operations,
    present,
    seed,
    somebody_else_creates,
    wanted,
)


def test_a_deletion_that_takes_too_long_creates_nothing(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.delete_after = 1000
    old_id = seed(emulator, images=["redis:7"])
    with pytest.raises(WaitFailed, match=old_id) as caught:
        run_one(drift="recreate")
    assert caught.value.item.changed
    assert CREATE not in operations(emulator)


def test_a_refused_creation_says_that_the_old_one_is_gone(emulator: Emulator, run_one: RunOne) -> None:
    old_id = seed(emulator, images=["redis:7"])
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
    with pytest.raises(ServiceError, match=f"no such subnet.*{old_id} was deleted before") as caught:
        run_one(drift="recreate")
    assert caught.value.item.changed
    assert caught.value.item.image_cache_id is None
    assert emulator.service.caches() == []


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_nothing_is_deleted_for_a_zone_that_is_none(check_mode: bool, emulator: Emulator, run_one: RunOne) -> None:
    old_id = seed(emulator, images=["redis:7"])
    with pytest.raises(match=rf"The image cache {old_id} is not replaced: .*'az9' is not a zone.*az1, cn-xinan1-1A"):
        run_one(drift="recreate", azInfo={"azName": "az9"}, check_mode=check_mode)
    assert present(emulator) == [old_id]
    assert DELETE not in operations(emulator)


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_nothing_is_deleted_where_the_quota_has_no_room(check_mode: bool, emulator: Emulator, run_one: RunOne) -> None:
    old_id, other = seed(emulator, images=["redis:7"]), seed(emulator, "other")
    emulator.settings.quota = 1
    with pytest.raises(StateConflict, match=r"no room.*2 of 1 are used"):
        run_one(drift="recreate", check_mode=check_mode)
    assert present(emulator) == [old_id, other]
    emulator.settings.quota = 2  # the old one makes room for the new one
    run_one(drift="recreate", check_mode=check_mode)


@pytest.mark.parametrize("operation", [REGION, USAGE])
@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("status", {}),
        ("status", {"status": 403, "reason": "Forbidden"}),
        ("html", {}),
        ("json", {"value": None}),
        ("json", {"value": {"statusCode": 200, "returnObj": {"zones": ["az7"], "other": []}}}),
    ],
    ids=["503", "403", "html", "null", "other keys"],
)
def test_a_check_that_gets_no_answer_is_a_warning(
    operation: str, kind: str, details: dict[str, Any], emulator: Emulator, make_client: MakeClient
) -> None:
    old_id = seed(emulator, images=["redis:7"])
    emulator.inject(Fault(kind, operation, times=None, **details))
    ctx = Context(make_client(retries=0), Wait(60, 5))
    outcome = reconcile([Desired("present", BODY, drift="recreate")], ctx, by_name=True)
    assert not outcome.items[0].error
    assert present(emulator) == [outcome.items[0].image_cache_id] != [old_id]
    assert "Could not check" in outcome.warnings[0]


def test_zones_of_another_region_block_nothing(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"region_returned": "other", "zones": ["az1"]})
    seed(emulator, images=["redis:7"])
    assert run_one(drift="recreate").changed


def somebody_else_creates_before(emulator: Emulator) -> list[str]:
    """Let another client create one just before this one does; the list of its ID."""
    others: list[str] = []

    def intrude(record: Record) -> None:
        if record.operation == CREATE and not others:
            others.append(somebody_else_creates(emulator, images=["other"]))

    emulator.before = intrude
    return others


def test_one_that_another_client_makes_meanwhile_is_compared_and_left(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator, images=["redis:7"])
    emulator.settings.unique_names = True
    others = somebody_else_creates_before(emulator)
    with pytest.raises(StateConflict, match=r"differs from it in images.*was not changed") as caught:
        run_one(drift="recreate")
    assert caught.value.item.changed
    assert caught.value.item.image_cache_id == others[0]
    assert caught.value.item.request_id  # of the deletion
    assert present(emulator) == others


def test_one_that_another_client_makes_first_is_left_until_the_next_run(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.unique_names = True
    somebody_else_creates_before(emulator)
    with pytest.raises(StateConflict, match="run the task again to replace it") as caught:
        run_one(drift="recreate")
    assert not caught.value.item.changed
    assert run_one(drift="recreate").changed
    assert emulator.service.caches()[0]["images"] == BODY["images"]


def test_one_that_shows_after_an_open_outcome_is_not_replaced(emulator: Emulator, run_one: RunOne) -> None:
    emulator.inject(Fault("reset", CREATE))
    others = somebody_else_creates_before(emulator)
    with pytest.raises(StateConflict, match=r"differs from it in images.*was not changed"):
        run_one(drift="recreate")
    assert present(emulator) == others


def test_deletions_are_polled_with_one_list(emulator: Emulator, run: Run, sleeps: list[float]) -> None:
    emulator.settings.delete_after = 12
    for number in range(20):
        seed(emulator, f"cache-{number}", images=["redis:7"])
    outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(20)])
    assert not any(item.error for item in outcomes.items)
    sent = operations(emulator)
    assert sent == [LIST, REGION, USAGE, LIST, *[DELETE] * 20, LIST, LIST, LIST, *[CREATE] * 20, LIST]
    assert sum(sleeps) == 12.5


def test_many_take_hardly_longer_than_one(emulator: Emulator, run: Run, sleeps: list[float]) -> None:
    took = []
    for number in (1, 40):
        emulator.reset()
        emulator.settings.delete_after = 60
        sleeps.clear()
        for index in range(number):
            seed(emulator, f"cache-{index}", images=["redis:7"])
        outcomes = run(*[wanted(f"cache-{index}", drift="recreate") for index in range(number)], timeout=600)
        assert not any(item.error for item in outcomes.items)
        assert len(emulator.sent(CREATE)) == number
        took.append(sum(sleeps))
    assert 60 <= took[0] < 75
    assert took[1] < 1.3 * took[0]


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
@pytest.mark.parametrize(
    "bad",
    [
        {"name": "twice"},
        {"name": "drifted", "drift": "fail", "images": ["other"]},
        {"name": "old-2", "drift": "recreate", "azInfo": {"azName": "az9"}},
    ],
    ids=["ambiguous", "drift", "zone"],
)
def test_nothing_is_replaced_where_something_has_failed(
    bad: dict[str, Any], check_mode: bool, emulator: Emulator, run: Run
) -> None:
    for name in ("twice", "twice", "drifted"):
        seed(emulator, name)
    old = [seed(emulator, f"old-{number}", images=["redis:7"]) for number in range(3)]
    items = [wanted(f"old-{number}", drift="recreate") for number in range(2)]
    outcomes = run(*items, wanted(**bad), check_mode=check_mode)
    errors = [item.error for item in outcomes.items]
    assert all(errors)
    assert f"{bad['name']!r} failed." in str(errors[0])
    assert set(old) < set(present(emulator))
    assert not any(item.changed for item in outcomes.items)


def test_one_without_a_name_that_failed_is_named_by_its_id(emulator: Emulator, run: Run) -> None:
    seed(emulator, "old", images=["redis:7"])
    other = Desired("present", {"tags": [A]}, image_cache_id="imc-none")
    assert "'imc-none' failed" in str(run(wanted("old", drift="recreate"), other).items[0].error)


def test_a_create_that_fails_keeps_the_old_ones(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "old", images=["redis:7"])
    emulator.settings.quota = 1
    items = [wanted("old", drift="recreate"), wanted("new")]
    assert isinstance(run(*items, check_mode=True).items[0].error, StateConflict)
    outcomes = run(*items)
    assert isinstance(outcomes.items[1].error, QuotaUsedUp)
    assert "'new' failed." in str(outcomes.items[0].error)
    assert present(emulator) == [old]


def test_a_deletion_that_fails_stops_no_other(emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"delete_after": 2, "delete_fails": 1})
    for number in range(2):
        seed(emulator, f"cache-{number}", images=["redis:7"])
    items = [wanted(f"cache-{number}", drift="recreate") for number in range(2)]
    outcomes = run(*items, concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [WaitFailed, type(None)]
    assert all(item.changed for item in outcomes.items)
    assert names(emulator) == ["cache-0", "cache-1"]


def test_one_whose_deletion_is_refused_is_not_waited_for(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    for number in range(2):
        seed(emulator, f"cache-{number}", images=["redis:7"])
    emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden", message="not yours"))
    emulator.inject(Fault("status", LIST, skip=2, times=None))
    items = [wanted(f"cache-{number}", drift="recreate") for number in range(2)]
    outcomes = run(*items, concurrency=1, client=make_client(retries=0))
    assert "not yours" in str(outcomes.items[0].error)
    assert isinstance(outcomes.items[1].error, Unanswered)
    assert CREATE not in operations(emulator)


def test_each_of_several_that_fail_together_names_its_own_old_one(
    emulator: Emulator, run: Run, make_client: MakeClient
) -> None:
    ids = [seed(emulator, f"cache-{number}", images=["redis:7"]) for number in range(2)]
    emulator.inject(Fault("status", LIST, skip=2, times=None))
    outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(2)], client=make_client(retries=0))
    for item, old_id in zip(outcomes.items, ids, strict=True):
        assert re.findall("The old image cache (.*?) was deleted", str(item.error)) == [old_id]


def test_what_was_deleted_is_made_again_though_the_service_failed_too_often(
    emulator: Emulator, run: Run, make_client: MakeClient
) -> None:
    ids = [seed(emulator, f"cache-{number}", images=["redis:7"]) for number in range(2)]
    client = make_client()
    client.retry_quota = client._quotas[True] = RetryQuota(1)
    emulator.inject(Fault("status", DELETE, skip=1, times=2))
    outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(2)], client=client, concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None), Unanswered]
    assert sorted(present(emulator)) == sorted([outcomes.items[0].image_cache_id, ids[1]])
    assert ids[0] not in present(emulator)


def test_an_old_one_that_a_list_shows_again_is_not_taken_for_the_new_one(emulator: Emulator, run_one: RunOne) -> None:
    old_id = seed(emulator, images=["redis:7"])
    old = {"imageCacheId": old_id, "imageCacheName": "web", "images": ["redis:7"], "status": "ready"}
    lags = {"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": [old]}}
    emulator.inject(Fault("reset", CREATE), Fault("json", LIST, value=lags, skip=3))
    outcome = run_one(drift="recreate")
    assert present(emulator) == [outcome.image_cache_id] != [old_id]
