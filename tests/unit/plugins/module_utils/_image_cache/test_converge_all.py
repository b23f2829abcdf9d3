# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many image caches in one task: few requests, every outcome told, nothing done that was not asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    DriftError,
    OpenOutcome,
    ServiceError,
    WaitFailed,
    WaitTimeout,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import create
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import Outcomes, converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator, Fault

LIST, DESCRIBE = "describeImageCaches", "describeImageCache"
CREATE, UPDATE, DELETE = "createImageCache", "updateImageCache", "deleteImageCache"
A = {"key": "a", "value": "1"}
B = {"key": "b", "value": "1"}


@pytest.fixture(autouse=True)
def _locks_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def run(client: Client, sleeps: list[float]) -> Callable[..., Outcomes]:
    def run(*wanted: Wanted, client: Client = client, timeout: float = 60, **options: Any) -> Outcomes:
        wait = Wait(timeout, 5, client.sleep, lambda: sum(sleeps))
        return converge_all(wanted, client, wait, **{"concurrency": 4, **options})

    return run


def wanted(name: str, **options: Any) -> Wanted:
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
    return Wanted("present", body, **policy)


def seed(emulator: Emulator, name: str, **fields: Any) -> str:
    return emulator.service.seed(name, fields.pop("images", ["nginx:latest"]), azName="az1", **fields)


def names(emulator: Emulator) -> list[str]:
    return sorted(cache["imageCacheName"] for cache in emulator.service.caches())


def operations(emulator: Emulator) -> list[str]:
    return [str(record.operation) for record in emulator.requests]


def test_creating_takes_two_lists_and_a_request_for_each(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    outcomes = run(*[wanted(f"cache-{number}") for number in range(30)])
    assert [item.name for item in outcomes.items] == [f"cache-{number}" for number in range(30)]
    assert all(item.application.outcome.changed and not item.error for item in outcomes.items)
    assert operations(emulator) == [LIST, *[CREATE] * 30, LIST]
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids
    assert all(item.application.outcome.image_cache["status"] == "pending" for item in outcomes.items)


def test_nothing_to_do_takes_one_list(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    for number in range(30):
        seed(emulator, f"cache-{number}", tags=[A])
    outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(30)])
    assert not any(item.application.outcome.changed for item in outcomes.items)
    assert operations(emulator) == [LIST]


def test_connections_are_as_many_as_workers(
    emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
) -> None:
    run(*[wanted(f"cache-{number}") for number in range(30)], client=make_client(pool_size=3), concurrency=3)
    assert emulator.connections <= 3


def test_each_gets_what_it_needs(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    ids = {
        "same": seed(emulator, "same"),
        "retag": seed(emulator, "retag", tags=[A]),
        "drift": seed(emulator, "drift", images=["redis:7"]),
    }
    outcomes = run(wanted("new"), wanted("same"), wanted("retag", tags=[B]), wanted("drift"))
    new, same, retag, drift = (item.application.outcome for item in outcomes.items)
    assert [outcome.changed for outcome in (new, same, retag, drift)] == [True, False, True, False]
    assert [outcome.image_cache_id for outcome in (same, retag, drift)] == list(ids.values())
    assert retag.image_cache and retag.image_cache["tags"] == [B]
    assert [bool(outcome.warnings) for outcome in (new, same, retag, drift)] == [False, False, False, True]


def test_recreating(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    old_ids = {seed(emulator, f"cache-{number}", images=["redis:7"]) for number in range(3)}
    outcomes = run(*[wanted(f"cache-{number}", drift="recreate") for number in range(3)])
    assert all(item.application.outcome.changed for item in outcomes.items)
    assert names(emulator) == ["cache-0", "cache-1", "cache-2"]
    assert not {item.image_cache_id for item in outcomes.items} & old_ids


def test_drift_that_fails_and_names_that_are_ambiguous_keep_nobody_else(
    emulator: Emulator, run: Callable[..., Outcomes]
) -> None:
    seed(emulator, "drift", images=["redis:7"])
    seed(emulator, "twice")
    seed(emulator, "twice")
    outcomes = run(wanted("drift", drift="fail"), wanted("twice"), wanted("new"))
    assert [type(item.error) for item in outcomes.items] == [DriftError, AmbiguousName, type(None)]
    assert outcomes.items[2].application.outcome.changed


def test_one_refused_create_keeps_nobody_else(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    outcomes = run(*[wanted(f"cache-{number}", azInfo={"azName": f"az{number}"}) for number in range(4)])
    assert [type(item.error) for item in outcomes.items] == [ServiceError, type(None), ServiceError, ServiceError]
    assert names(emulator) == ["cache-1"]
    assert [item.application.outcome.changed for item in outcomes.items] == [False, True, False, False]


@pytest.mark.parametrize("when", ["before", "after"])
def test_open_outcomes_make_no_doubles(
    emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client], when: str
) -> None:
    emulator.inject(Fault("reset", CREATE, when=when, times=5), Fault("truncate", CREATE, when=when, times=5))
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)], client=make_client(retries=20))
    assert not any(item.error for item in outcomes.items)
    assert names(emulator) == sorted(f"cache-{number}" for number in range(20))
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert {item.name: item.image_cache_id for item in outcomes.items} == ids


def test_too_many_requests_slow_all_down(
    emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", retry_after=9))
    emulator.settings.latency = 0.02  # so that the others cannot be done before the one that is refused is heard
    paused: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds:
            paused.append(seconds)

    client = make_client(sleep=sleep, monotonic=lambda: 0.0)
    outcomes = run(*[wanted(f"cache-{number}") for number in range(24)], client=client, concurrency=4)
    assert not any(item.error for item in outcomes.items)
    # this clock stands still, so whoever sends a request after the 429 keeps the pause
    assert set(paused) == {9}
    assert len(paused) > 4


def test_a_list_that_lags(emulator: Emulator, run: Callable[..., Outcomes]) -> None:
    emulator.settings.list_lag = 2
    outcomes = run(wanted("a"), wanted("b"))
    assert all(item.application.outcome.image_cache["status"] for item in outcomes.items)
    assert operations(emulator) == [LIST, CREATE, CREATE, LIST, LIST, LIST]


def test_an_id_is_kept_though_the_list_fails(
    emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    outcomes = run(wanted("a"), client=make_client(retries=1))
    assert outcomes.items[0].image_cache_id == emulator.service.caches()[0]["imageCacheId"]
    assert "could not be read" in outcomes.warnings[0]


def test_nothing_is_changed_if_nothing_can_be_listed(
    emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", LIST, times=None))
    with pytest.raises(OpenOutcome):
        run(wanted("a"), client=make_client(retries=1))
    assert set(operations(emulator)) == {LIST}


def test_somebody_elses_is_adopted_and_brought_into_the_wanted_state(
    emulator: Emulator, run: Callable[..., Outcomes]
) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": sum(create.LOOK_PAUSES) - 1})
    body = dict(wanted("a").body, tags=[A])
    emulator.service.perform(CREATE, emulator.settings.region_id, "", body)
    outcomes = run(wanted("a", tags=[B]))
    assert not outcomes.items[0].error
    assert emulator.service.caches()[0]["tags"] == [B]
    assert len(emulator.service.caches()) == 1


class TestCheckMode:
    def test_changes_nothing_and_predicts(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        old = seed(emulator, "retag", tags=[A])
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new"), wanted("retag", tags=[B]), prune_tags=[A], check_mode=True)
        assert [item.application.outcome.changed for item in outcomes.all] == [True, True, True]
        assert [item.name for item in outcomes.pruned] == ["away"]
        assert [item.image_cache_id for item in outcomes.items] == [None, old]
        assert outcomes.items[1].application.outcome.image_cache["tags"] == [B]
        assert operations(emulator) == [LIST]

    def test_tells_what_would_fail(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        seed(emulator, "drift", images=["redis:7"])
        outcomes = run(wanted("drift", drift="fail"), check_mode=True)
        assert isinstance(outcomes.items[0].error, DriftError)


class TestPrune:
    def test_only_carriers_of_all_tags_that_are_not_wanted(
        self, emulator: Emulator, run: Callable[..., Outcomes]
    ) -> None:
        seed(emulator, "wanted", tags=[A, B])
        gone = seed(emulator, "both", tags=[A, B])
        seed(emulator, "one", tags=[A])
        seed(emulator, "none")
        outcomes = run(wanted("wanted"), prune_tags=[B, A])
        assert [item.image_cache_id for item in outcomes.pruned] == [gone]
        assert names(emulator) == ["none", "one", "wanted"]

    def test_nothing_without_being_asked(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        seed(emulator, "other", tags=[A])
        assert run(wanted("new")).pruned == []
        assert names(emulator) == ["new", "other"]

    def test_tags_that_are_not_shown_are_asked_for(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        seed(emulator, "gone", tags=[A])
        seed(emulator, "kept", tags=[B])
        emulator.settings.tags_shown = False
        run(wanted("new"), prune_tags=[A])
        assert names(emulator) == ["kept", "new"]

    def test_nothing_where_tags_cannot_be_known(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        seed(emulator, "kept", tags=[A])
        emulator.settings.update({"tags_shown": False, "tags_filter": False})
        outcomes = run(wanted("new"), prune_tags=[A])
        assert names(emulator) == ["kept", "new"]
        assert "not pruned" in outcomes.warnings[0]

    def test_deletions_are_waited_for(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=True), prune_tags=[A])
        assert not outcomes.pruned[0].error
        assert names(emulator) == ["new"]

    def test_a_deletion_that_takes_too_long(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        emulator.settings.delete_after = 1000
        seed(emulator, "away", tags=[A])
        outcomes = run(wanted("new", wait=True), prune_tags=[A])
        assert isinstance(outcomes.pruned[0].error, WaitTimeout)
        assert outcomes.pruned[0].application.outcome.changed


class TestTagsThatAreNotShown:
    def test_are_asked_for_once_for_all_with_the_same(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        emulator.settings.tags_shown = False
        for number in range(10):
            seed(emulator, f"cache-{number}", tags=[A])
        outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(10)])
        assert not any(item.application.outcome.changed for item in outcomes.items)
        assert operations(emulator) == [LIST, LIST, LIST]

    def test_are_set_where_the_filter_does_not_find_them(
        self, emulator: Emulator, run: Callable[..., Outcomes]
    ) -> None:
        emulator.settings.tags_shown = False
        seed(emulator, "a", tags=[A])
        seed(emulator, "b", tags=[B])
        outcomes = run(wanted("a", tags=[A]), wanted("b", tags=[A]))
        assert [item.application.outcome.changed for item in outcomes.items] == [False, True]


class TestWaiting:
    def test_polls_all_with_one_list(self, emulator: Emulator, run: Callable[..., Outcomes]) -> None:
        emulator.settings.ready_after = 20
        outcomes = run(*[wanted(f"cache-{number}", wait=True) for number in range(10)])
        assert all(item.application.outcome.image_cache["status"] == "ready" for item in outcomes.items)
        assert operations(emulator) == [LIST, *[CREATE] * 10, LIST, LIST, LIST, LIST]

    def test_a_failure_is_told_with_its_events_and_keeps_nobody_else(
        self, emulator: Emulator, run: Callable[..., Outcomes]
    ) -> None:
        outcomes = run(wanted("bad", wait=True, images=["does-not-exist"]), wanted("good", wait=True))
        bad, good = outcomes.items
        assert isinstance(bad.error, WaitFailed)
        assert bad.application.outcome.image_cache["events"]
        assert good.application.outcome.image_cache["status"] == "ready"
        assert operations(emulator).count(DESCRIBE) == 1

    def test_the_time_out_is_kept(self, emulator: Emulator, run: Callable[..., Outcomes], sleeps: list[float]) -> None:
        emulator.settings.ready_after = 10_000
        outcomes = run(wanted("slow", wait=True), timeout=61)
        assert isinstance(outcomes.items[0].error, WaitTimeout)
        assert sum(sleeps) == 61
        assert outcomes.items[0].application.outcome.changed

    def test_one_that_disappears_meanwhile(
        self, emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
    ) -> None:
        away = seed(emulator, "away", status="pending")
        region = emulator.settings.region_id
        client = make_client(sleep=lambda seconds: emulator.service.perform(DELETE, region, away, None))
        outcomes = run(wanted("away", wait=True), client=client)
        assert isinstance(outcomes.items[0].error, WaitFailed)

    def test_a_list_that_fails_meanwhile(
        self, emulator: Emulator, run: Callable[..., Outcomes], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, "slow", status="pending")
        emulator.inject(Fault("status", LIST, skip=1, times=None))
        outcomes = run(wanted("slow", wait=True), client=make_client(retries=0))
        assert isinstance(outcomes.items[0].error, OpenOutcome)
