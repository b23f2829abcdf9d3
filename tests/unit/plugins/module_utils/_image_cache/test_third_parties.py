# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Others act between two requests of a task: whatever it deletes, it decides on the list that it has just read.

Each of these lost or ordered good image caches once. `make prove` enumerates the rest, see tests/reliability.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    UPDATE,
    A,
    B,
    MakeClient,
    Run,
    operations,
    present,
    seed,
    somebody_else_creates,
)


@pytest.fixture
def run(client: Client) -> Run:
    def run(*desired: Desired, client: Client = client, concurrency: int = 2, **options: Any) -> Outcome:
        return reconcile(desired, Context(client, Wait(1800, 5), concurrency), **options)

    return run


def named(name: str, state: str = "present", **policy: Any) -> Desired:
    return Desired(state, {**BODY, "imageCacheName": name, **policy.pop("body", {})}, **policy)


@pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
def test_the_adopted_one_is_not_deleted_as_the_younger(
    by_name: bool, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    elder = seed(emulator)
    emulator.advance(1000)
    younger = seed(emulator)
    at(UPDATE, 1, lambda: emulator.service.remove(elder))
    desired = named("web", duplicates="delete_younger", body={"tags": [B]})
    (item,) = run(desired, by_name=by_name).items
    assert present(emulator) == [younger]
    assert item.error
    emulator.before = None
    (item,) = run(desired, by_name=by_name).items
    assert (item.error, item.image_cache_id, present(emulator)) == (None, younger, [younger])


@pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
def test_an_elder_that_goes_before_the_younger_is_deleted(
    by_name: bool, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    elder = seed(emulator)
    emulator.advance(10)
    younger = seed(emulator)
    emulator.service._caches[elder].created -= 1000
    emulator.service._caches[younger].created -= 1000
    at(LIST, 2, lambda: emulator.service.remove(elder))
    (item,) = run(named("web", duplicates="delete_younger"), by_name=by_name).items
    assert present(emulator) == [younger]
    assert isinstance(item.error, WaitFailed)


def test_names_asked_for_by_threads_share_the_zones(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    emulator.settings.update({"zone_aliases": ["az1=cn-x-az1"], "latency": 0.02})
    ids = [somebody_else_creates(emulator, imageCacheName=f"c{number}") for number in range(6)]
    emulator.advance(100)
    for obj in ({"nextToken": "1.1.1", "imageCaches": []}, {"imageCaches": []}):
        emulator.inject(Fault("json", LIST, value={"statusCode": 200, "returnObj": {"requestId": "x", **obj}}))
    desired = [named(f"c{number}", drift="recreate") for number in range(6)]
    run(*desired, client=make_client(pool_size=8), concurrency=6)
    assert sorted(present(emulator)) == sorted(ids)


@pytest.mark.parametrize("wait", [True, False])
def test_one_that_loses_the_tag_before_the_prune_stays(
    wait: bool, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    web = somebody_else_creates(emulator, tags=[A])
    old = seed(emulator, "old", tags=[A])
    emulator.advance(0 if wait else 100)
    at(LIST, 3 if wait else 2, emulator.service._caches[old].tags.clear)
    outcome = run(named("web", wait=wait), prune=Prune([A]))
    assert sorted(present(emulator)) == sorted([web, old])
    assert outcome.pruned == []


@pytest.mark.parametrize("act", ["removes", "replaces by one that is not ready"])
def test_nothing_is_pruned_where_the_list_lacks_a_wanted_one(
    act: str, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    web, old = seed(emulator, "web", tags=[A]), seed(emulator, "old", tags=[A])

    def replace() -> None:
        emulator.service.remove(web)
        if act != "removes":
            somebody_else_creates(emulator, tags=[A])

    at(LIST, 2, replace)
    outcome = run(named("web", body={"tags": [A]}, wait=True), prune=Prune([A]))
    assert old in present(emulator)
    assert "Nothing was pruned, since 'web' is not listed any more" in outcome.warnings[0]
    assert [one["reason"] for one in outcome.kept] == ["missing"] * len(outcome.kept)


def test_the_newest_to_keep_is_that_of_the_last_list(emulator: Emulator, run: Run, at: Callable[..., None]) -> None:
    somebody_else_creates(emulator)
    old, newest = seed(emulator, "old", tags=[A]), seed(emulator, "newest", tags=[A])
    emulator.service._caches[old].created -= 100
    at(LIST, 3, lambda: emulator.service.remove(newest))
    run(named("web", wait=True), prune=Prune([A], keep=1))
    assert old in present(emulator)


@pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
@pytest.mark.parametrize("becomes", ["good", "gone"])
def test_what_changes_before_a_replacement_is_planned_again(
    becomes: str, by_name: bool, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    old = seed(emulator, images=["redis:7"])
    made: list[str] = []

    def act() -> None:
        emulator.service.remove(old)
        if becomes == "good":
            made.append(seed(emulator))

    at(LIST, 2, act)
    (item,) = run(named("web", drift="recreate"), by_name=by_name).items
    assert not item.error
    assert DELETE not in operations(emulator)
    assert len(emulator.sent(CREATE)) == (becomes == "gone")
    assert present(emulator) == [item.image_cache_id]


def test_what_is_absent_is_deleted_by_the_last_list(emulator: Emulator, run: Run, at: Callable[..., None]) -> None:
    old = seed(emulator, "old")
    made: list[str] = []
    at(LIST, 2, lambda: (emulator.service.remove(old), made.append(seed(emulator, "old"))))
    (item,) = run(named("old", "absent")).items
    assert (item.error, item.image_cache_id, present(emulator)) == (None, made[0], [])


def test_a_list_that_fails_after_a_deletion_is_not_called_a_failed_deletion(
    emulator: Emulator, make_client: MakeClient, run: Run, at: Callable[..., None]
) -> None:
    old = seed(emulator, "old", status="delete_failed")
    before = {"imageCacheId": old, "imageCacheName": "old", "status": "delete_failed"}
    lags = {"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": [before]}}
    faults = [Fault("json", LIST, value=lags), Fault("status", LIST, times=None)]
    at(DELETE, 1, lambda: emulator.inject(*faults))
    (item,) = run(named("old", "absent", wait=True), client=make_client(retries=0)).items
    assert isinstance(item.error, EciError)
    assert "could not be deleted" not in item.error.message
    assert item.changed


@pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
def test_a_page_that_says_there_is_more_creates_nothing(by_name: bool, emulator: Emulator, run: Run) -> None:
    web = seed(emulator)
    short = {"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": [], "total": 1}}
    emulator.inject(Fault("json", LIST, value=short))
    (item,) = run(named("web"), by_name=by_name).items
    assert (item.changed, item.image_cache_id) == (False, web)
    assert CREATE not in operations(emulator)


@pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
@pytest.mark.parametrize("successor", ["equal", "of other images", "with other tags", "none"])
def test_the_awaited_one_goes_in_favour_of_another(
    successor: str, by_name: bool, emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    emulator.settings.ready_after = 20
    awaited = somebody_else_creates(emulator, tags=[A])
    emulator.advance(10)

    def give_way() -> None:
        emulator.service.remove(awaited)
        if successor != "none":
            other = {"of other images": {"images": ["redis:7"]}, "with other tags": {"tags": [B]}}
            somebody_else_creates(emulator, **{"tags": [A], **other.get(successor, {})})

    at(LIST, 2, give_way)
    (item,) = run(named("web", body={"tags": [A]}, wait=True), by_name=by_name).items
    assert not item.changed
    assert DELETE not in operations(emulator)
    if successor == "equal":
        assert ([item.image_cache_id], item.error) == (present(emulator), None)
        assert item.image_cache and item.image_cache.is_ready and item.image_cache.image_cache_id == item.image_cache_id
        assert [item.image_cache_id in warning and awaited in warning for warning in item.action_warnings] == [True]
    else:
        assert isinstance(item.error, WaitFailed) and "was deleted by another client" in item.error.message
        assert (item.image_cache_id, item.action_warnings) == (awaited, [])


def test_what_the_task_created_or_selected_has_no_successor(
    emulator: Emulator, run: Run, at: Callable[..., None]
) -> None:
    emulator.settings.ready_after = 20
    selected = somebody_else_creates(emulator)

    def give_way() -> None:
        for cache in emulator.service.caches():
            emulator.service.remove(cache["imageCacheId"])
            somebody_else_creates(emulator, imageCacheName=cache["imageCacheName"])

    at(LIST, 3, give_way)
    outcome = run(named("web", wait=True, image_cache_id=selected), named("new", wait=True))
    assert [(bool(item.error), item.changed) for item in outcome.items] == [(True, False), (True, True)]
    assert all("was deleted by another client" in item.error.message for item in outcome.items if item.error)
