# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many image caches in one task: few requests, every outcome told, nothing done that was not asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client, RetryQuota
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    Blocked,
    Cancelled,
    DriftError,
    LockError,
    NoSuchCache,
    QuotaUsedUp,
    ServiceError,
    Unanswered,
    WaitFailed,
    WaitTimeout,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome, listed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, _Run, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS, Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    CREATE,
    DELETE,
    DESCRIBE,
    LIST,
    REGION,
    UPDATE,
    USAGE,
    A,
    B,
    names,
    operations,
    present,
    seed,
    somebody_else_creates,
)


@pytest.fixture
def run(client: Client, sleeps: list[float]) -> Callable[..., Outcome]:
    def run(
        *wanted: Desired, client: Client = client, timeout: float = 60, prune_tags: Any = None, **options: Any
    ) -> Outcome:
        prune = None
        if prune_tags is not None:
            prune = Prune(prune_tags, **{key: options.pop(key) for key in ("keep", "grace", "first") if key in options})
        fields = ("concurrency", "diff_mode", "preflight")
        context = {"concurrency": 4, **{key: options.pop(key) for key in fields if key in options}}
        return reconcile(wanted, Context(client, Wait(timeout, 5), **context), prune=prune, **options)

    return run


def wanted(name: str, **options: Any) -> Desired:
    fields = ("purge_tags", "drift", "wait")
    policy = {key: options.pop(key) for key in fields if key in options}
    body = {
        "imageCacheName": name,
        "images": ["nginx:latest"],
        "azInfo": {"azName": "az1"},
        "vpcId": "vpc-test",
        "vSwitchId": "subnet-test",
        "securityGroupId": "sg-test",
        **options,
    }
    return Desired("present", body, **policy)


def absent(name: str, **options: Any) -> Desired:
    return Desired("absent", {"imageCacheName": name}, **options)


def test_creating_takes_two_lists_and_a_request_for_each(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    outcomes = run(*[wanted(f"cache-{number}") for number in range(30)])
    assert [item.name for item in outcomes.items] == [f"cache-{number}" for number in range(30)]
    assert all(item.changed and not item.error for item in outcomes.items)
    assert operations(emulator) == [LIST, *[CREATE] * 30, LIST]
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids
    assert all(item.image_cache.status == "pending" for item in outcomes.items)


def test_nothing_to_do_takes_one_list(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    for number in range(30):
        seed(emulator, f"cache-{number}", tags=[A])
    outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(30)])
    assert not any(item.changed for item in outcomes.items)
    assert operations(emulator) == [LIST]


def test_what_was_made_is_looked_at_where_something_was_made(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    seed(emulator, "web", tags=[B])
    assert run(wanted("web", tags=[A])).items[0].changed
    assert operations(emulator) == [LIST, UPDATE, LIST]


def test_one_that_could_not_be_made_is_not_looked_for(
    emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
) -> None:
    outcomes = run(wanted("bad", azInfo={"azName": "az9"}), wanted("good"))
    assert [bool(item.error) for item in outcomes.items] == [True, False]
    assert sleeps == []


def test_connections_are_as_many_as_workers(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    run(*[wanted(f"cache-{number}") for number in range(30)], client=make_client(pool_size=3), concurrency=3)
    assert emulator.connections <= 3


def test_each_gets_what_it_needs(emulator: Emulator, run: Callable[..., Outcome]) -> None:
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


def test_recreating(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    old_ids = {seed(emulator, f"cache-{number}", images=["redis:7"]) for number in range(3)}
    outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(3)])
    assert all(item.changed for item in outcomes.items)
    assert names(emulator) == ["cache-0", "cache-1", "cache-2"]
    assert not {item.image_cache_id for item in outcomes.items} & old_ids


def test_drift_that_fails_and_names_that_are_ambiguous_keep_nobody_else(
    emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    seed(emulator, "drift", images=["redis:7"])
    seed(emulator, "twice")
    seed(emulator, "twice")
    outcomes = run(wanted("drift", drift="fail"), wanted("twice"), wanted("new"))
    assert [type(item.error) for item in outcomes.items] == [DriftError, AmbiguousName, type(None)]
    assert outcomes.items[2].changed


def test_one_refused_create_keeps_nobody_else(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    outcomes = run(*[wanted(f"cache-{number}", azInfo={"azName": f"az{number}"}) for number in range(4)])
    assert [type(item.error) for item in outcomes.items] == [ServiceError, type(None), ServiceError, ServiceError]
    assert names(emulator) == ["cache-1"]
    assert [item.changed for item in outcomes.items] == [False, True, False, False]


@pytest.mark.parametrize("when", ["before", "after"])
def test_open_outcomes_make_no_doubles(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client], when: str
) -> None:
    emulator.inject(Fault("reset", CREATE, when=when, times=5), Fault("truncate", CREATE, when=when, times=5))
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)], client=make_client(retries=20))
    assert not any(item.error for item in outcomes.items)
    assert names(emulator) == sorted(f"cache-{number}" for number in range(20))
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids


def test_too_many_requests_slow_all_down(emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", retry_after=9, skip=4))
    emulator.settings.latency = 0.1  # so that the others cannot be done before the one that is refused is heard
    sent: list[float] = []
    emulator.before = lambda record: sent.append(sum(sleeps)) if record.operation == CREATE else None
    outcomes = run(*[wanted(f"cache-{number}") for number in range(24)], concurrency=4)
    assert not any(item.error for item in outcomes.items)
    before = [when for when in sent if when < 9]
    assert len(sent) == 25
    assert 5 <= len(before) <= 9  # four that were good, the one that was refused, and those on their way then


def test_a_list_that_lags(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.list_lag = 2
    outcomes = run(wanted("a"), wanted("b"))
    assert all(item.image_cache.status for item in outcomes.items)
    assert operations(emulator) == [LIST, CREATE, CREATE, LIST, LIST, LIST]


def test_an_id_is_kept_though_the_list_fails(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    outcomes = run(wanted("a"), client=make_client(retries=1))
    assert outcomes.items[0].image_cache_id == emulator.service.caches()[0]["imageCacheId"]
    assert "could not be read" in outcomes.warnings[0]


def test_nothing_is_changed_if_nothing_can_be_listed(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", LIST, times=None))
    with pytest.raises(Unanswered):
        run(wanted("a"), client=make_client(retries=1))
    assert set(operations(emulator)) == {LIST}


def test_somebody_elses_is_adopted_and_brought_into_the_wanted_state(
    emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": sum(CONSISTENCY_DELAYS) - 1})
    body = dict(wanted("a").body, tags=[A])
    emulator.service.perform(CREATE, emulator.settings.region_id, "", body)
    outcomes = run(wanted("a", tags=[B]))
    assert not outcomes.items[0].error
    assert emulator.service.caches()[0]["tags"] == [B]
    assert len(emulator.service.caches()) == 1


def test_somebody_elses_that_cannot_be_looked_at_is_not_called_right(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 3})
    somebody_else_creates(emulator, imageCacheName="a", images=["other"])
    emulator.inject(Fault("status", LIST, skip=5, times=None))
    outcomes = run(wanted("a"), wanted("b"), client=make_client(retries=0), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [Unanswered, type(None)]
    assert "could not be read" in outcomes.warnings[0]


def test_an_odd_object_in_the_list_is_no_reason_to_fail_all(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    seed(emulator, "a")
    seed(emulator, "b")
    emulator.inject(Fault("nameless", LIST, times=2, index=1))
    outcomes = run(wanted("a"), wanted("b"), wanted("c"))
    assert [item.changed for item in outcomes.items] == [False, False, True]
    assert not any(item.error for item in outcomes.items)
    assert names(emulator) == ["a", "b", "c"]


def test_a_name_that_an_odd_object_may_have_is_not_made(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    seed(emulator, "a")
    seed(emulator, "b")
    emulator.inject(Fault("nameless", LIST, times=1, index=1), *[Fault("nameless", LIST, times=1)] * 2)
    outcomes = run(wanted("a"), wanted("b"), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None), AmbiguousName]
    assert CREATE not in operations(emulator)


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_one_that_a_list_of_pages_skips_is_not_made_again(
    order: str, emulator: Emulator, run: Callable[..., Outcome]
) -> None:
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


def test_what_is_raised_beside_our_own_errors_loses_nothing(
    emulator: Emulator, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _Run._create

    def create(self: _Run, item: Item) -> None:
        if item.name == "cache-3":
            raise MemoryError("no room")
        made(self, item)

    monkeypatch.setattr(_Run, "_create", create)
    outcomes = run(*[wanted(f"cache-{number}") for number in range(6)])
    assert [bool(item.error) for item in outcomes.items] == [False, False, False, True, False, False]
    assert "ulimit -v" in str(outcomes.items[3].error)
    assert len(emulator.service.caches()) == 5
    assert all(item.image_cache_id for item in outcomes.items if not item.error)


@pytest.mark.parametrize("error", [MemoryError(), TypeError("nobody reckoned with it"), LockError("busy")], ids=repr)
def test_what_is_raised_between_the_phases_loses_nothing(
    error: Exception,
    emulator: Emulator,
    run: Callable[..., Outcome],
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed(emulator, "old")

    def fail(_many: Any) -> None:
        raise error

    monkeypatch.setattr(_Run, "_replace", fail)
    outcomes = run(wanted("web"), wanted("db"), absent("old"))
    web, db, old = outcomes.items
    assert (web.changed, db.changed, old.changed) == (True, True, False)
    assert {web.image_cache_id, db.image_cache_id, old.image_cache_id} == set(present(emulator))
    assert (web.error, db.error) == (None, None)
    says = {"MemoryError": "ulimit -v", "TypeError": "TypeError in test_reconcile_many.py, line ", "LockError": "busy"}
    assert says[type(error).__name__] in str(old.error)


def kept(outcomes: Outcome) -> list[tuple[str, str, str | None]]:
    """What could have been pruned: name, reason, until."""
    return [(entry["image_cache_name"], entry["reason"], entry["until"]) for entry in outcomes.kept]


class TestReplacing:
    def test_deletions_are_polled_with_one_list(
        self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
    ) -> None:
        emulator.settings.delete_after = 12
        for number in range(20):
            seed(emulator, f"cache-{number}", images=["redis:7"])
        outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(20)])
        assert not any(item.error for item in outcomes.items)
        sent = operations(emulator)
        assert sent == [LIST, REGION, USAGE, LIST, *[DELETE] * 20, LIST, LIST, LIST, *[CREATE] * 20, LIST]
        assert sum(sleeps) == 12.5

    def test_many_take_hardly_longer_than_one(
        self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
    ) -> None:
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
        self, bad: dict[str, Any], check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        for name in ("twice", "twice", "drifted"):
            seed(emulator, name)
        old = [seed(emulator, f"old-{number}", images=["redis:7"]) for number in range(3)]
        items = [wanted(f"old-{number}", drift="recreate") for number in range(2)]
        outcomes = run(*items, wanted(**bad), check_mode=check_mode)
        errors = [item.error for item in outcomes.items]
        assert all(errors)
        assert f"{bad['name']!r} failed. Nothing was deleted" in str(errors[0])
        assert set(old) < set(present(emulator))
        assert not any(item.changed for item in outcomes.items)

    def test_one_without_a_name_that_failed_is_named_by_its_id(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        seed(emulator, "old", images=["redis:7"])
        other = Desired("present", {"tags": [A]}, image_cache_id="imc-none")
        assert "'imc-none' failed" in str(run(wanted("old", drift="recreate"), other).items[0].error)

    def test_one_that_is_going_is_waited_for_before_it_is_made_anew(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.delete_after = 12
        seed(emulator, "old")
        run(absent("old"))
        (item,) = run(wanted("old")).items
        assert present(emulator) == [item.image_cache_id]
        assert not item.warnings

    def test_a_create_that_fails_keeps_the_old_ones(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old = seed(emulator, "old", images=["redis:7"])
        emulator.settings.quota = 1
        outcomes = run(wanted("old", drift="recreate"), wanted("new"))
        assert isinstance(outcomes.items[1].error, QuotaUsedUp)
        assert "'new' failed. Nothing was deleted" in str(outcomes.items[0].error)
        assert present(emulator) == [old]

    def test_check_mode_counts_what_is_made_before(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "old", images=["redis:7"])
        emulator.settings.quota = 1
        outcomes = run(wanted("old", drift="recreate"), wanted("new"), check_mode=True)
        assert isinstance(outcomes.items[0].error, Blocked)

    def test_the_old_one_makes_room_for_the_new_one(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old = seed(emulator, "old", images=["redis:7"])
        emulator.settings.quota = 1
        (item,) = run(wanted("old", drift="recreate")).items
        assert item.error is None
        assert present(emulator) == [item.image_cache_id] != [old]

    def test_a_deletion_that_fails_is_told_and_keeps_nobody_else(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.update({"delete_after": 2, "delete_fails": 1})
        for number in range(2):
            seed(emulator, f"cache-{number}", images=["redis:7"])
        items = [wanted(f"cache-{number}", drift="recreate") for number in range(2)]
        outcomes = run(*items, concurrency=1)
        assert [type(item.error) for item in outcomes.items] == [WaitFailed, type(None)]
        assert all(item.changed for item in outcomes.items)
        assert names(emulator) == ["cache-0", "cache-1"]

    def test_one_whose_deletion_is_refused_is_not_waited_for(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        for number in range(2):
            seed(emulator, f"cache-{number}", images=["redis:7"])
        emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden", message="not yours"))
        emulator.inject(Fault("status", LIST, skip=2, times=None))
        items = [wanted(f"cache-{number}", drift="recreate") for number in range(2)]
        outcomes = run(*items, concurrency=1, client=make_client(retries=0))
        assert "not yours" in str(outcomes.items[0].error)
        assert isinstance(outcomes.items[1].error, Unanswered)
        assert CREATE not in operations(emulator)

    def test_one_that_takes_too_long_to_go(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.delete_after = 1000
        seed(emulator, "old", images=["redis:7"])
        outcomes = run(wanted("old", drift="recreate"))
        assert isinstance(outcomes.items[0].error, WaitTimeout)
        assert CREATE not in operations(emulator)


class TestCheckMode:
    def test_changes_nothing_and_predicts(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old = seed(emulator, "retag", tags=[A])
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=True), wanted("retag", tags=[B]), prune_tags=[A], check_mode=True)
        assert [item.changed for item in outcomes.all] == [True, True, True]
        assert [item.name for item in outcomes.pruned] == ["away"]
        assert [item.image_cache_id for item in outcomes.items] == [None, old]
        assert outcomes.items[1].image_cache.tags == [B]
        assert operations(emulator) == [LIST]

    def test_tells_of_one_that_will_never_be_ready(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "bad", status="failed")
        assert isinstance(run(wanted("bad", wait=True), check_mode=True).items[0].error, WaitFailed)
        assert run(wanted("bad"), check_mode=True).items[0].error is None

    def test_one_that_fails_of_drift_keeps_that_error(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "bad", status="failed")
        outcomes = run(wanted("bad", wait=True, drift="fail"), check_mode=True)
        assert isinstance(outcomes.items[0].error, DriftError)

    def test_tells_what_would_fail(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "drift", images=["redis:7"])
        outcomes = run(wanted("drift", drift="fail"), check_mode=True)
        assert isinstance(outcomes.items[0].error, DriftError)


class TestPrune:
    def test_only_carriers_of_all_tags_that_are_not_wanted(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        seed(emulator, "wanted", tags=[A, B])
        gone = seed(emulator, "both", tags=[A, B])
        seed(emulator, "one", tags=[A])
        seed(emulator, "none")
        outcomes = run(wanted("wanted"), prune_tags=[B, A])
        assert [item.image_cache_id for item in outcomes.pruned] == [gone]
        assert names(emulator) == ["none", "one", "wanted"]

    def test_what_is_going_already_is_left(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "wanted")
        seed(emulator, "away", tags=[A], status="deleting")
        outcomes = run(wanted("wanted"), prune_tags=[A])
        assert (outcomes.pruned, kept(outcomes)) == ([], [])
        assert operations(emulator) == [LIST, LIST]

    def test_where_there_is_nothing_to_prune_nothing_is_said(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        assert run(wanted("new"), prune_tags=[A]).warnings == []

    def test_first_prunes_once(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "old")
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new"), absent("old"), prune_tags=[A], first=True)
        assert [item.name for item in outcomes.pruned] == ["away"]
        assert len(emulator.sent(DELETE)) == 2

    def test_after_what_was_pruned_first_nothing_is_locked_again(
        self, emulator: Emulator, run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed(emulator, "away", tags=[A])
        held, times = _lock.held, []
        monkeypatch.setattr(_lock, "held", lambda *arguments: times.append(arguments) or held(*arguments))
        run(wanted("new"), prune_tags=[A], first=True)
        assert names(emulator) == ["new"]
        assert len(times) == 1

    def test_nothing_without_being_asked(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "other", tags=[A])
        assert run(wanted("new")).pruned == []
        assert names(emulator) == ["new", "other"]

    @pytest.mark.parametrize("tags_filter", ["all", "any", "key", "off"])
    def test_what_shows_no_tags_stays_whatever_the_filter_says(
        self, tags_filter: str, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        seed(emulator, "kept", tags=[A])
        emulator.settings.update({"tags_shown": False, "tags_filter": tags_filter})
        outcomes = run(wanted("new", wait=True), prune_tags=[A])
        assert names(emulator) == ["kept", "new"]
        assert kept(outcomes) == [("kept", "tags_unknown", None)]
        assert "the service shows no tags" in outcomes.warnings[0]

    def test_comes_last(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.ready_after = 20
        seed(emulator, "away", tags=[A])
        seed(emulator, "old", images=["redis:7"])
        run(wanted("new", wait=True), wanted("old", drift="recreate", wait=True), prune_tags=[A])
        sent = [
            (r.operation, (r.body or {}).get("imageCacheName", r.path))
            for r in emulator.requests
            if r.operation != LIST
        ]
        assert [operation for operation, _what in sent] == [CREATE, REGION, USAGE, DELETE, CREATE, DELETE]
        assert names(emulator) == ["new", "old"]

    def test_without_waiting_nothing_goes_until_what_is_wanted_is_ready(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new"), prune_tags=[A])
        assert outcomes.pruned == []
        assert "'new' is not ready yet" in outcomes.warnings[0]
        assert kept(outcomes) == [("away", "not_ready", None)]
        assert names(emulator) == ["away", "new"]
        emulator.advance(60)
        outcomes = run(wanted("new"), prune_tags=[A])
        assert [item.name for item in outcomes.pruned] == ["away"]
        assert names(emulator) == ["new"]

    @pytest.mark.parametrize(("wait", "pruned"), [(True, ["away"]), (False, [])])
    def test_check_mode_reckons_with_the_wait(
        self, wait: bool, pruned: list[str], emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=wait), prune_tags=[A], check_mode=True)
        assert [item.name for item in outcomes.pruned] == pruned
        assert [reason for _name, reason, _until in kept(outcomes)] == ([] if wait else ["not_ready"])

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            ({"azInfo": {"azName": "az9"}}, "'new' failed"),
            ({"images": ["does-not-exist"], "wait": True}, "'new' failed"),
        ],
    )
    def test_nothing_goes_where_something_has_failed(
        self, bad: dict[str, Any], reason: str, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        old = seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", **bad), wanted("other", wait=True), prune_tags=[A])
        assert old in present(emulator)
        assert outcomes.pruned == []
        assert kept(outcomes) == [("away", "failed", None)]
        assert f"Nothing was pruned, since {reason}" in outcomes.warnings[0]

    def test_nothing_goes_where_the_quota_is_full(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old = [seed(emulator, f"away-{number}", tags=[A]) for number in range(3)]
        emulator.settings.quota = 3
        outcomes = run(wanted("away-0"), wanted("new", wait=True), prune_tags=[A])
        assert isinstance(outcomes.items[1].error, QuotaUsedUp)
        text = str(outcomes.items[1].error)
        assert "Pruning would make room by deleting 'away-" in text
        assert "; prune_first: true does that before" in text
        assert present(emulator) == old

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_first_makes_room_at_the_price_of_a_gap(
        self, check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        for number in range(3):
            seed(emulator, f"away-{number}", tags=[A])
        emulator.settings.quota = 3
        outcomes = run(wanted("new"), prune_tags=[A], first=True, check_mode=check_mode)
        assert [item.changed for item in outcomes.all] == [True] * 4
        assert names(emulator) == (["away-0", "away-1", "away-2"] if check_mode else ["new"])
        assert len(emulator.sent(DELETE)) == (0 if check_mode else 3)

    def test_first_does_nothing_where_something_has_failed(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        for name in ("twice", "twice"):
            seed(emulator, name)
        old = seed(emulator, "away", tags=[A])
        run(wanted("new"), wanted("twice"), prune_tags=[A], first=True)
        assert old in present(emulator)

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_the_newest_are_kept(self, check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "wanted")
        for number in range(4):
            seed(emulator, f"release-{number}", tags=[A])
            emulator.advance(60)
        outcomes = run(wanted("wanted"), prune_tags=[A], keep=2, check_mode=check_mode)
        assert kept(outcomes) == [("release-3", "prune_keep", None), ("release-2", "prune_keep", None)]
        assert [item.name for item in outcomes.pruned] == ["release-1", "release-0"]

    def test_all_are_kept_until_the_youngest_wanted_one_is_old_enough(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, "away", tags=[A])
        seed(emulator, "wanted")
        born = emulator.service.clock.now()
        outcomes = run(wanted("wanted"), prune_tags=[A], grace=3600, client=make_client(time=lambda: born + 60))
        assert outcomes.pruned == []
        ((name, reason, until),) = kept(outcomes)
        assert (name, reason) == ("away", "prune_grace")
        when = datetime.strptime(until or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        assert abs(when - (born + 3600)) <= 1
        predicted = run(wanted("new", wait=True), prune_tags=[A], grace=3600, check_mode=True)
        assert kept(predicted) == [("away", "prune_grace", None)]

    def test_grace_is_counted_from_what_shall_be_present(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, "away", tags=[A])
        seed(emulator, "wanted")
        born = emulator.service.clock.now()
        client = make_client(time=lambda: born + 60)
        outcomes = run(wanted("wanted"), absent("never"), prune_tags=[A], grace=30, client=client)
        assert [item.name for item in outcomes.pruned] == ["away"]

    def test_one_that_has_failed_before_keeps_the_others(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "bad", status="failed")
        old = seed(emulator, "away", tags=[A])
        outcomes = run(wanted("bad"), prune_tags=[A])
        assert "'bad' has failed" in outcomes.warnings[-1]
        assert old in present(emulator)

    def test_what_may_be_a_wanted_one_does_not_go(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "wanted")
        nameless = seed(emulator, "nameless", tags=[A])
        emulator.inject(Fault("nameless", LIST, times=None, index=1))
        run(wanted("wanted"), prune_tags=[A])
        assert nameless in present(emulator)

    def test_what_there_is_cannot_be_read_any_more(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        old = seed(emulator, "away", tags=[A])
        seed(emulator, "wanted", tags=[B])
        emulator.inject(Fault("status", LIST, skip=2, times=None))
        outcomes = run(wanted("wanted", tags=[A]), prune_tags=[A], client=make_client(retries=0))
        assert old in present(emulator)
        assert "Nothing was pruned, since the image caches could not be listed" in outcomes.warnings[-1]
        assert not outcomes.items[0].error

    def test_deletions_are_waited_for(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=True), prune_tags=[A])
        assert not outcomes.pruned[0].error
        assert names(emulator) == ["new"]

    def test_a_deletion_that_takes_too_long(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.delete_after = 1000
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=True), prune_tags=[A])
        assert isinstance(outcomes.pruned[0].error, WaitTimeout)
        assert outcomes.pruned[0].changed


class TestAbsent:
    def test_comes_after_what_is_made(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old = seed(emulator, "old")
        outcomes = run(absent("old"), wanted("new", wait=True), absent("never"))
        assert [item.changed for item in outcomes.items] == [True, True, False]
        assert [item.image_cache_id for item in outcomes.items] == [old, present(emulator)[0], None]
        assert names(emulator) == ["new"]
        changing = [operation for operation in operations(emulator) if operation != LIST]
        assert changing == [CREATE, DELETE]

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_nothing_goes_where_something_has_failed(
        self, check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        for name in ("old", "twice", "twice"):
            seed(emulator, name)
        outcomes = run(absent("old"), wanted("twice"), check_mode=check_mode)
        assert "is not deleted, since 'twice' failed" in str(outcomes.items[0].error)
        assert len(present(emulator)) == 3

    def test_there_is_nothing_to_wait_for_where_nothing_was(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        assert not run(absent("never", wait=True)).items[0].changed
        assert operations(emulator) == [LIST]

    def test_it_need_not_be_ready_before(
        self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
    ) -> None:
        seed(emulator, "old", status="pending")
        assert run(absent("old", wait=True)).items[0].changed
        assert sleeps == []

    def test_its_tags_are_not_asked_for(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.tags_shown = False
        seed(emulator, "old", tags=[A])
        run(Desired("absent", {"imageCacheName": "old", "tags": [A]}), check_mode=True)
        assert operations(emulator) == [LIST]

    def test_what_a_list_of_pages_shows_is_not_asked_for(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.max_page = 2
        for number in range(3):
            seed(emulator, f"cache-{number}")
        run(*[wanted(f"cache-{number}") for number in range(3)], absent("never"), check_mode=True)
        assert len(operations(emulator)) == 2 + 1  # two pages, and the name that they do not show

    def test_check_mode_predicts_it(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, "old")
        outcomes = run(absent("old"), absent("never"), check_mode=True)
        assert [item.changed for item in outcomes.items] == [True, False]
        assert names(emulator) == ["old"]

    @pytest.mark.parametrize("wait", [True, False])
    def test_a_slow_deletion(
        self, wait: bool, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
    ) -> None:
        emulator.settings.delete_after = 12
        for number in range(5):
            seed(emulator, f"old-{number}")
        outcomes = run(*[absent(f"old-{number}", wait=wait) for number in range(5)])
        assert all(item.changed for item in outcomes.items)
        assert sum(sleeps) == (12.5 if wait else 0)
        again = run(*[absent(f"old-{number}", wait=True) for number in range(5)])
        assert not any(item.changed for item in again.items)
        assert present(emulator) == []

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    @pytest.mark.parametrize("fault", [None, "nameless", "idless"])
    def test_one_that_a_list_of_pages_does_not_show_is_asked_for(
        self, fault: str | None, check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.update({"max_page": 2, "list_total": False})
        first = seed(emulator, "first")
        seed(emulator, "second")
        old = seed(emulator, "old")

        def move(record: Record) -> None:
            if record.operation == LIST and record.index == 1:
                if fault:
                    emulator.inject(Fault(fault))
                else:
                    emulator.service.remove(first)  # so that the next one moves to the page that was read already

        emulator.before = move
        outcomes = run(absent("old"), absent("never"), check_mode=check_mode)
        assert [item.changed for item in outcomes.items] == [True, False]
        assert (old in present(emulator)) is check_mode

    def test_a_list_that_fails_while_it_goes(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, "old")
        emulator.inject(Fault("status", LIST, skip=2, times=None))
        (item,) = run(absent("old", wait=True), client=make_client(retries=0)).items
        assert isinstance(item.error, Unanswered)
        assert item.changed

    def test_a_deletion_that_fails(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.update({"delete_after": 2, "delete_fails": 1})
        seed(emulator, "old")
        outcomes = run(absent("old", wait=True))
        assert isinstance(outcomes.items[0].error, WaitFailed)
        assert outcomes.items[0].changed


class TestPickedById:
    def test_several_of_a_name_can_be_resolved(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        first, second = seed(emulator, "twice"), seed(emulator, "twice")
        outcomes = run(absent("twice", image_cache_id=second), wanted("twice"))
        assert not any(item.error for item in outcomes.items)
        assert [item.changed for item in outcomes.items] == [True, False]
        assert present(emulator) == [first]

    @pytest.mark.parametrize("max_page", [1000, 1])
    @pytest.mark.parametrize("check_mode", [False, True])
    def test_no_second_one_is_made_of_one_that_stays(
        self, check_mode: bool, max_page: int, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.max_page = max_page
        ids = [seed(emulator, "web"), seed(emulator, "other")]
        picked = Desired("present", {"imageCacheName": "typo"}, image_cache_id=ids[0])
        outcomes = run(wanted("web"), picked, check_mode=check_mode)
        assert [item.changed for item in outcomes.items] == [False, False]
        assert outcomes.items[0].image_cache_id == ids[0]
        assert present(emulator) == ids

    @pytest.mark.parametrize("max_page", [1000, 1])
    def test_one_that_goes_does_not_count_under_its_name(
        self, max_page: int, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.max_page = max_page
        old, other = seed(emulator, "web"), seed(emulator, "other")
        predicted = run(wanted("web"), absent("web", image_cache_id=old), check_mode=True)
        outcomes = run(wanted("web"), absent("web", image_cache_id=old))
        assert [item.changed for item in predicted.items] == [True, True]
        assert [item.changed for item in outcomes.items] == [True, True]
        assert sorted(present(emulator)) == sorted([other, str(outcomes.items[0].image_cache_id)])

    def test_a_name_beside_it_is_a_condition(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        other = seed(emulator, "other")
        outcomes = run(absent("web", image_cache_id=other))
        assert isinstance(outcomes.items[0].error, NoSuchCache)
        assert present(emulator) == [other]

    def test_one_that_there_is_not(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        outcomes = run(
            Desired("present", {"tags": [A]}, image_cache_id="imc-none"),
            Desired("absent", {}, image_cache_id="imc-none"),
        )
        assert [type(item.error) for item in outcomes.items] == [NoSuchCache, type(None)]
        assert not outcomes.items[1].changed

    def test_one_without_a_readable_name(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        image_cache_id = seed(emulator)
        emulator.inject(Fault("nameless", LIST, times=None))
        outcomes = run(Desired("absent", {}, image_cache_id=image_cache_id))
        assert outcomes.items[0].changed
        assert present(emulator) == []

    def test_one_is_replaced_beside_another_of_its_name(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        old, other = seed(emulator, "web", images=["redis:7"]), seed(emulator, "web")
        (item,) = run(wanted("web", drift="recreate")._replace(image_cache_id=old)).items
        assert present(emulator) == [other, item.image_cache_id]
        assert (item.error, item.warnings) == (None, [])

    def test_its_tags(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        image_cache_id = seed(emulator, "other")
        outcomes = run(Desired("present", {"tags": [A]}, image_cache_id=image_cache_id))
        assert outcomes.items[0].changed
        assert emulator.service.caches()[0]["tags"] == [A]

    def test_is_not_pruned(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        image_cache_id = seed(emulator, "other", tags=[A])
        outcomes = run(Desired("present", {"tags": [A]}, image_cache_id=image_cache_id), prune_tags=[A])
        assert outcomes.pruned == []
        assert present(emulator) == [image_cache_id]

    @pytest.mark.parametrize("max_page", [1000, 1])
    def test_what_the_list_shows_is_not_asked_for(
        self, max_page: int, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.max_page = max_page
        ids = [seed(emulator, f"cache-{number}") for number in range(3)]
        outcomes = run(*[Desired("present", {}, image_cache_id=one) for one in ids], check_mode=True)
        assert [item.image_cache_id for item in outcomes.items] == ids
        assert len(operations(emulator)) == (1 if max_page > 1 else 3)

    def test_what_a_whole_list_does_not_show_is_not_asked_for(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        run(Desired("absent", {}, image_cache_id="imc-none"), check_mode=True)
        assert operations(emulator) == [LIST]

    def test_in_a_list_of_pages(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.max_page = 1
        ids = [seed(emulator, f"cache-{number}") for number in range(3)]
        outcomes = run(*[Desired("present", {"tags": [A]}, image_cache_id=image_cache_id) for image_cache_id in ids])
        assert all(item.changed for item in outcomes.items)


def test_a_service_that_fails_too_often_is_left_alone(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    client = make_client(retries=1)
    client.retry_quota = client._quotas[True] = RetryQuota(1)
    emulator.inject(Fault("status", CREATE, times=None))
    outcomes = run(*[wanted(f"cache-{number}") for number in range(4)], client=client, concurrency=1)
    assert len(emulator.sent(CREATE)) == 2
    assert [str(item.error).startswith("Not begun") for item in outcomes.items] == [False, True, True, True]


def test_of_many_names_a_message_has_a_few() -> None:
    assert listed(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert listed(["a", "b", "c", "d"]) == "'a', 'b', 'c' and 1 more"


def test_the_first_refusal_of_the_quota_ends_the_creates(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.quota = 2
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)], concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None)] * 2 + [QuotaUsedUp] * 18
    assert len(emulator.sent(CREATE)) == 3
    assert len(emulator.sent(USAGE)) == 1
    assert "2 of 2 are used" in str(outcomes.items[2].error)
    assert "2 of 2 are used" in str(outcomes.items[19].error)


class TestTagsThatAreNotShown:
    def test_are_asked_for_once_for_all_with_the_same(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.tags_shown = False
        for number in range(10):
            seed(emulator, f"cache-{number}", tags=[A])
        outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(10)])
        assert not any(item.changed for item in outcomes.items)
        assert operations(emulator) == [LIST, LIST, LIST]

    def test_cost_a_list_for_each_tag_and_one_for_each_key(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.tags_shown = False
        shared = [{"key": "stage", "value": "prod"}, {"key": "team", "value": "web"}]
        for number in range(100):
            seed(emulator, f"cache-{number}", tags=shared)
        outcomes = run(*[wanted(f"cache-{number}", tags=shared) for number in range(100)])
        assert not any(item.changed or item.error for item in outcomes.items)
        assert operations(emulator) == [LIST] * (1 + 2 + 2)

    @pytest.mark.parametrize(("tag", "lists"), [(B, 2), ({"key": "a", "value": ""}, 1)], ids=str)
    def test_cost_no_more_where_nothing_carries_them_or_the_filter_cannot_tell(
        self, tag: dict[str, str], lists: int, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.tags_shown = False
        seed(emulator, "web", tags=[A])
        assert run(wanted("web", tags=[tag]), check_mode=True).items[0].changed
        assert operations(emulator) == [LIST] * lists

    def test_are_asked_for_by_several_threads(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        emulator.settings.tags_shown = False
        own = [[{"key": "n", "value": str(number)}] for number in range(100)]
        for number, tags in enumerate(own):
            seed(emulator, f"cache-{number}", tags=tags)
        emulator.settings.latency = 0.02
        began = time.monotonic()
        outcomes = run(
            *[wanted(f"cache-{number}", tags=tags) for number, tags in enumerate(own)],
            client=make_client(pool_size=10),
            concurrency=10,
        )
        assert time.monotonic() - began < 100 * 0.02
        assert not any(item.changed or item.error for item in outcomes.items)
        assert operations(emulator) == [LIST] * (1 + 100 + 1)

    def test_that_cannot_be_asked_for_are_told_by_those_who_need_them(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.tags_shown = False
        seed(emulator, "a", tags=[A])
        emulator.inject(Fault("status", LIST, skip=1, times=None, status=400))
        outcomes = run(wanted("a", tags=[A]), wanted("b"))
        assert [bool(item.error) for item in outcomes.items] == [True, False]

    def test_are_set_where_the_filter_does_not_find_them(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.tags_shown = False
        seed(emulator, "a", tags=[A])
        seed(emulator, "b", tags=[B])
        outcomes = run(wanted("a", tags=[A]), wanted("b", tags=[A]))
        assert [item.changed for item in outcomes.items] == [False, True]


class TestWaiting:
    def test_polls_all_with_one_list(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.ready_after = 20
        outcomes = run(*[wanted(f"cache-{number}", wait=True) for number in range(10)])
        assert all(item.image_cache.status == "ready" for item in outcomes.items)
        assert operations(emulator) == [LIST, *[CREATE] * 10, LIST, LIST, LIST, LIST]

    def test_a_failure_is_told_with_its_events_and_keeps_nobody_else(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        outcomes = run(wanted("bad", wait=True, images=["does-not-exist"]), wanted("good", wait=True))
        bad, good = outcomes.items
        assert isinstance(bad.error, WaitFailed)
        assert bad.image_cache.events
        assert good.image_cache.status == "ready"
        assert operations(emulator).count(DESCRIBE) == 1

    def test_the_time_out_is_kept(self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]) -> None:
        emulator.settings.ready_after = 10_000
        outcomes = run(wanted("slow", wait=True), timeout=61)
        assert isinstance(outcomes.items[0].error, WaitTimeout)
        assert sum(sleeps) == 61
        assert outcomes.items[0].changed

    def test_one_that_disappears_meanwhile(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        away = seed(emulator, "away", status="pending")
        region = emulator.settings.region_id
        pauses: list[float] = []

        def go(seconds: float) -> None:
            emulator.service.perform(DELETE, region, away, None)
            pauses.append(seconds)

        outcomes = run(wanted("away", wait=True), client=make_client(sleep=go, monotonic=lambda: sum(pauses)))
        assert isinstance(outcomes.items[0].error, WaitFailed)
        assert len(pauses) == 1

    def test_one_that_no_list_shows(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.list_lag = 10_000
        (item,) = run(wanted("new", wait=True)).items
        assert isinstance(item.error, WaitTimeout)
        assert [item.image_cache_id] == present(emulator)

    def test_one_that_was_ready_and_goes_while_others_are_waited_for(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        emulator.settings.ready_after = 20
        done = seed(emulator, "done")

        def go(record: Record) -> None:
            if record.operation == LIST and len(emulator.sent(LIST)) == 3:
                emulator.service.remove(done)

        emulator.before = go
        outcomes = run(wanted("done", wait=True), wanted("new", wait=True))
        assert [item.error for item in outcomes.items] == [None, None]
        assert done not in present(emulator)

    def test_one_that_a_list_of_pages_skips_is_still_there(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.update({"max_page": 1, "ready_after": 12, "list_total": False})
        seed(emulator, "first")

        def move(record: Record) -> None:
            nonlocal moved
            if record.operation == LIST and (record.body or {}).get("nextToken") and len(emulator.sent(LIST)) > 6:
                moved = moved or not emulator.service.remove(first)

        first, moved = present(emulator)[0], False
        emulator.before = move
        outcomes = run(wanted("slow", wait=True))
        assert moved
        assert not outcomes.items[0].error
        assert outcomes.items[0].cache.is_ready

    def test_a_list_that_fails_meanwhile(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, "slow", status="pending")
        emulator.inject(Fault("status", LIST, skip=1, times=None))
        outcomes = run(wanted("slow", wait=True), client=make_client(retries=0))
        assert isinstance(outcomes.items[0].error, Unanswered)


class TestEnded:
    """Whatever ends a task, what is not done is told as that."""

    @pytest.fixture
    def interrupt(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Cancel the task before a request of a method of ImageCachesApi, after so many calls."""

        def interrupt(method: str, after: int = 0) -> None:
            calls = []
            real = getattr(ImageCachesApi, method)

            def interrupted(*arguments: Any, **keywords: Any) -> Any:
                calls.append(method)
                if len(calls) > after:
                    client.cancellation.cancel("SIGTERM")
                return real(*arguments, **keywords)

            monkeypatch.setattr(ImageCachesApi, method, interrupted)

        return interrupt

    def test_before_anything_is_known(self, run: Callable[..., Outcome], interrupt: Callable[..., None]) -> None:
        interrupt("find")
        with pytest.raises(Cancelled, match="SIGTERM"):
            run(wanted("web"))

    @pytest.mark.parametrize("method", ["create", "delete"])
    def test_in_the_midst_of_replacing(
        self, method: str, emulator: Emulator, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        seed(emulator, "web", images=["old"])
        interrupt(method)
        (item,) = run(wanted("web", drift="recreate")).items
        assert isinstance(item.error, Cancelled)
        assert item.changed is (method == "create")

    def test_after_what_is_done(
        self, emulator: Emulator, run: Callable[..., Outcome], client: Client, interrupt: Callable[..., None]
    ) -> None:
        interrupt("create", after=1)
        outcomes = run(wanted("a"), wanted("b"), absent("never"), concurrency=1)
        assert [type(item.error) for item in outcomes.items] == [type(None), Cancelled, type(None)]
        assert names(emulator) == ["a"]

    def test_what_failed_before_keeps_its_own_error(
        self, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        interrupt("create", after=1)
        outcomes = run(wanted("bad", azInfo={"azName": "az9"}), wanted("b"), concurrency=1)
        assert [type(item.error) for item in outcomes.items] == [ServiceError, Cancelled]

    def test_in_the_midst_of_deleting(
        self, emulator: Emulator, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        for name in ("old-1", "old-2"):
            seed(emulator, name)
        interrupt("delete", after=1)
        outcomes = run(absent("old-1"), absent("old-2"), concurrency=1)
        assert [type(item.error) for item in outcomes.items] == [type(None), Cancelled]

    def test_in_the_midst_of_cleaning_up(
        self, emulator: Emulator, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        for _number in range(3):
            seed(emulator, "web")
            emulator.advance(400)
        interrupt("delete", after=1)
        (item,) = run(wanted("web")._replace(duplicates="delete_younger")).items
        assert isinstance(item.error, Cancelled)
        assert len(item.duplicates) == 1
        assert len(present(emulator)) == 2

    def test_in_the_midst_of_pruning(
        self, emulator: Emulator, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        seed(emulator, "web")
        for name in ("old-1", "old-2"):
            seed(emulator, name, tags=[A])
        interrupt("delete", after=1)
        outcomes = run(wanted("web"), prune_tags=[A], concurrency=1)
        assert not outcomes.items[0].error
        assert [type(item.error) for item in outcomes.pruned] == [type(None), Cancelled]

    def test_before_anything_is_pruned(
        self, emulator: Emulator, run: Callable[..., Outcome], interrupt: Callable[..., None]
    ) -> None:
        seed(emulator, "web")
        seed(emulator, "old", tags=[A])
        interrupt("find", after=1)
        outcomes = run(wanted("web"), prune_tags=[A])
        assert isinstance(outcomes.items[0].error, Cancelled)
        assert not outcomes.items[0].changed
        assert names(emulator) == ["old", "web"]
