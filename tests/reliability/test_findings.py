# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the proofs and their author have found, each as the smallest schedule that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.emulator import Emulator, Fault
from tests.reliability.asks import ABSENT, Ask, Wish
from tests.reliability.controllers import Controller, Entry, apart, to, virtual_clock
from tests.reliability.promises import check
from tests.reliability.scenarios import A, B, seed
from tests.reliability.witness import Witness
from tests.unit.plugins.emulated import CREATE, DELETE, LIST, UPDATE, names, present

THROTTLED: dict[str, Any] = {"status": 429, "reason": "TooManyRequests", "times": None}
NEW, OLD = ("nginx:latest",), ("redis:7",)

Run = Callable[..., Entry]


@pytest.fixture
def controller(emulator: Emulator) -> Iterator[Controller]:
    with apart() as base:
        controller = Controller(base, "one", to(emulator, retries=1), virtual_clock(emulator))
        yield controller
        controller.close()


@pytest.fixture
def run(emulator: Emulator, controller: Controller) -> Run:
    """Run a task for one image cache, whose promises are looked at; what it told of that."""

    def run(state: str = "present", **options: Any) -> Entry:
        wish = {name: options.pop(name) for name in ("images", "tags", "image_cache_id") if name in options}
        witness = Witness(emulator)
        witness.watch()
        run = witness.run(controller, Ask((Wish(state=state, **wish),), **options))
        check(run, controller)
        (entry,) = run.told.entries
        return entry

    return run


def somebody_else_creates(emulator: Emulator, **fields: Any) -> None:
    emulator.service.perform(CREATE, emulator.settings.region_id, "", {**Wish().body(), **fields})


def test_tags_that_were_set_are_a_change_though_reading_them_back_fails(emulator: Emulator, run: Run) -> None:
    seed(emulator, "web", tags=B)
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    entry = run(tags=A)
    assert entry.failed
    assert entry.changed


@pytest.mark.parametrize("second", [Fault("status", LIST, skip=1, times=None), Fault("status", UPDATE, **THROTTLED)])
def test_tags_that_may_be_set_are_told(emulator: Emulator, run: Run, second: Fault) -> None:
    seed(emulator, "web", tags=B)
    emulator.inject(Fault("reset", UPDATE, when="after", times=2 if second.operation == LIST else 1), second)
    entry = run(tags=A)
    assert entry.changed or entry.may


@pytest.mark.parametrize("second", [Fault("status", LIST, skip=1, times=None), Fault("status", DELETE, **THROTTLED)])
def test_a_deletion_that_may_have_been_done_is_told(emulator: Emulator, run: Run, second: Fault) -> None:
    seed(emulator, "web")
    emulator.inject(Fault("reset", DELETE, when="after", times=2 if second.operation == LIST else 1), second)
    entry = run(ABSENT)
    assert entry.changed or entry.may


def test_a_deletion_under_way_is_no_conflict(emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"delete_after": 5.0, "delete_again": "conflict"})
    seed(emulator, "web")
    emulator.inject(Fault("reset", DELETE, when="after"))
    assert run(ABSENT, wait=True).changed
    assert present(emulator) == []


def test_absent_twice_while_the_deletion_is_under_way(emulator: Emulator, run: Run) -> None:
    emulator.settings.delete_after = 1000
    seed(emulator, "web")
    assert run(ABSENT).changed
    assert not run(ABSENT).changed


def test_an_odd_status_code_leaves_a_create_open(emulator: Emulator, run: Run) -> None:
    emulator.inject(Fault("json", CREATE, when="after", value={"statusCode": [200], "returnObj": {}}))
    entry = run()
    assert entry.changed
    assert [entry.image_cache_id] == present(emulator)


def test_a_replaced_one_is_told_from_its_namesake(emulator: Emulator, run: Run) -> None:
    old, namesake = seed(emulator, "web", OLD), seed(emulator, "web")
    emulator.inject(Fault("reset", CREATE, when="after"))
    entry = run(image_cache_id=old, drift="recreate")
    assert entry.image_cache_id not in (old, namesake)
    assert entry.image_cache_id in present(emulator)


def test_replacing_by_id_makes_no_second_one_of_another_name(emulator: Emulator, run: Run) -> None:
    seed(emulator, "web")
    old = seed(emulator, "other", OLD)
    assert run(image_cache_id=old, drift="recreate").failed
    assert names(emulator) == ["other", "web"]


def test_a_failed_replacement_names_no_id_that_is_gone(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "web", OLD)
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid"))
    entry = run(drift="recreate")
    assert old in entry.msg
    assert entry.image_cache_id is None


def test_a_replacement_in_doubt_does_not_say_that_there_is_none(emulator: Emulator, run: Run) -> None:
    seed(emulator, "web", OLD)
    emulator.inject(Fault("reset", CREATE, when="after"), Fault("status", LIST, skip=3, times=None))
    entry = run(drift="recreate")
    assert "may exist" in entry.msg
    assert "there is none of this name" not in entry.msg


def test_a_list_that_fails_after_the_deletion_says_that_the_old_one_is_gone(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "web", OLD)
    emulator.inject(Fault("status", LIST, skip=2, times=None))
    entry = run(drift="recreate")
    assert entry.changed
    assert f"The old image cache {old} was deleted before" in entry.msg


def test_a_list_without_image_caches_is_no_proof_that_there_are_none(
    emulator: Emulator, controller: Controller
) -> None:
    known = seed(emulator, "web")
    emulator.inject(Fault("json", LIST, value={"statusCode": 200}))
    assert "it has no imageCaches" in controller.run(Ask()).error
    assert present(emulator) == [known]


def test_many_tell_what_failed_after_an_adoption(emulator: Emulator, controller: Controller) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 1.0})
    somebody_else_creates(emulator)
    emulator.inject(Fault("status", UPDATE, status=403, reason="Forbidden"))
    assert controller.run(Ask((Wish(tags=A),), bulk=True)).entries[0].failed


def test_what_pages_hid_is_not_absent(emulator: Emulator, controller: Controller) -> None:
    emulator.settings.max_page = 2
    for name in ("one", "two", "three", "web"):
        seed(emulator, name)
    emulator.inject(Fault("nameless", skip=1, index=1))
    entries = controller.run(Ask((Wish("new"), Wish(state=ABSENT)), bulk=True)).entries
    assert [entry.changed for entry in entries] == [True, True]
    assert "web" not in names(emulator)


def test_of_two_creates_that_come_late_both_are_told(emulator: Emulator, controller: Controller) -> None:
    emulator.inject(Fault("late", CREATE, times=2, seconds=12.0))
    told = controller.run(Ask())
    assert "there will be two image caches of that name" in told.warnings[0]
    emulator.advance(30)
    assert len(present(emulator)) == 2
