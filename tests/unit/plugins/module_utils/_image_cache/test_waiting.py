# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until image caches are ready, and what ends it."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import Unanswered, WaitFailed
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    CREATE,
    DELETE,
    DESCRIBE,
    LIST,
    MakeClient,
    Run,
    RunOne,
    operations,
    present,
    seed,
    wanted,
)


def test_wait_until_ready(emulator: Emulator, run_one: RunOne, sleeps: list[float]) -> None:
    emulator.settings.ready_after = 20
    outcome = run_one(wait=True)
    assert outcome.image_cache and outcome.image_cache.status == "ready"
    assert [pause for pause in sleeps if pause] == [5, 7.5, 11.25]
    assert operations(emulator) == [LIST, CREATE, LIST, LIST, LIST, LIST]


def test_one_list_that_misses_it_is_not_the_end(emulator: Emulator, run_one: RunOne) -> None:
    nothing = {"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": []}}
    emulator.inject(Fault("json", LIST, value=nothing, skip=2))
    outcome = run_one(wait=True)
    assert outcome.image_cache and outcome.image_cache.is_ready
    assert outcome.warnings == []


def test_an_unchanged_cache_is_waited_for(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.ready_after = 3
    run_one()
    outcome = run_one(wait=True)
    assert not outcome.changed
    assert outcome.image_cache and outcome.image_cache.status == "ready"


def test_a_failure_ends_it_at_once_with_the_newest_events(run_one: RunOne, sleeps: list[float]) -> None:
    with pytest.raises(WaitFailed, match=r"imc-\w+ has failed.*newest events") as caught:
        run_one(images=["does-not-exist:1"], wait=True)
    assert sum(sleeps) == 5
    outcome = caught.value.item
    assert outcome.changed
    assert outcome.image_cache.events[-1]["message"] in caught.value.message
    assert caught.value.message.count(outcome.image_cache.id) == 1


@pytest.mark.parametrize("timeout", [0, 1, 60, 61])
def test_the_time_out_is_kept(emulator: Emulator, run_one: RunOne, sleeps: list[float], timeout: float) -> None:
    emulator.settings.ready_after = 10_000
    with pytest.raises(WaitFailed, match=f"after {timeout} s") as caught:
        run_one(wait=True, timeout=timeout)
    assert sum(sleeps) == timeout
    outcome = caught.value.item
    assert outcome.changed
    assert outcome.image_cache.image_cache_id == outcome.image_cache_id
    assert outcome.image_cache.status == "pending"


def test_an_unknown_status_is_waited_on(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator, status="defragmenting")
    with pytest.raises(WaitFailed, match="defragmenting"):
        run_one(wait=True)


def test_a_failure_whose_events_cannot_be_read(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator, status="failed")
    emulator.inject(Fault("status", DESCRIBE, status=404, reason="NotFound"))
    with pytest.raises(WaitFailed, match="has failed"):
        run_one(wait=True)


def test_all_are_polled_with_one_list(emulator: Emulator, run: Run) -> None:
    emulator.settings.ready_after = 20
    outcomes = run(*[wanted(f"cache-{number}", wait=True) for number in range(10)])
    assert all(item.image_cache.status == "ready" for item in outcomes.items)
    assert operations(emulator) == [LIST, *[CREATE] * 10, LIST, LIST, LIST, LIST]


def test_one_that_fails_has_its_events_and_stops_no_other(emulator: Emulator, run: Run) -> None:
    outcomes = run(wanted("bad", wait=True, images=["does-not-exist"]), wanted("good", wait=True))
    bad, good = outcomes.items
    assert isinstance(bad.error, WaitFailed)
    assert bad.image_cache.events
    assert good.image_cache.status == "ready"
    assert operations(emulator).count(DESCRIBE) == 1


def test_one_that_disappears_meanwhile(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    away = seed(emulator, "away", status="pending")
    region = emulator.settings.region_id
    pauses: list[float] = []

    def go(seconds: float) -> None:
        emulator.service.perform(DELETE, region, away, None)
        pauses.append(seconds)

    outcomes = run(wanted("away", wait=True), client=make_client(sleep=go, monotonic=lambda: sum(pauses)))
    assert isinstance(outcomes.items[0].error, WaitFailed)
    assert len(pauses) == 1


def test_one_that_no_list_shows(emulator: Emulator, run: Run) -> None:
    emulator.settings.list_lag = 10_000
    (item,) = run(wanted("new", wait=True)).items
    assert isinstance(item.error, WaitFailed)
    assert [item.image_cache_id] == present(emulator)


def test_one_that_was_ready_and_goes_while_others_are_waited_for(emulator: Emulator, run: Run) -> None:
    emulator.settings.ready_after = 20
    done = seed(emulator, "done")

    def go(record: Record) -> None:
        if record.operation == LIST and len(emulator.sent(LIST)) == 3:
            emulator.service.remove(done)

    emulator.before = go
    outcomes = run(wanted("done", wait=True), wanted("new", wait=True))
    assert [item.error for item in outcomes.items] == [None, None]
    assert done not in present(emulator)


def test_one_that_a_list_of_pages_skips_is_still_there(emulator: Emulator, run: Run) -> None:
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


def test_a_list_that_fails_meanwhile(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    seed(emulator, "slow", status="pending")
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    outcomes = run(wanted("slow", wait=True), client=make_client(retries=0))
    assert isinstance(outcomes.items[0].error, Unanswered)
