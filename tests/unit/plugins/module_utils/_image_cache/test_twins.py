# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that share no lock and make the same image cache: one of them is left, and both know it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    EciError,
    Irreplaceable,
    ServiceError,
    TaskEnded,
    Unanswered,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import twins
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import BODY, CREATE, DELETE, LIST, UPDATE, A, B, operations, present, seed


@pytest.fixture(params=["one", "many"])
def run(request: pytest.FixtureRequest, client: Client) -> Callable[..., Outcome]:
    """Converge, through the task for one image cache and through the one for many."""

    def run(**changes: Any) -> Outcome:
        policy = {key: changes.pop(key) for key in ("drift", "wait", "purge_tags", "duplicates") if key in changes}
        check_mode = changes.pop("check_mode", False)
        wanted = Wanted("present", {**BODY, **changes}, **policy)
        if request.param == "one":
            return converge(wanted, client, Wait(60, 5), check_mode)
        outcomes = converge_all([wanted], client, Wait(60, 5), concurrency=2, check_mode=check_mode)
        error = outcomes.items[0].error
        if error:
            error.outcome = outcomes.items[0].outcome
            raise error
        outcomes.items[0].outcome.warnings += outcomes.warnings
        return outcomes.items[0].outcome

    return run


@pytest.fixture
def rival(emulator: Emulator) -> Callable[..., list[str]]:
    """Let another client make one just before this one does, or just after; the list of its ID."""

    def rival(when: str = "before", seconds: float = 2, **changes: Any) -> list[str]:
        made: list[str] = []
        at = CREATE if when == "before" else LIST

        def make(record: Record) -> None:
            if record.operation != at or made or not (when == "before" or emulator.sent(CREATE)):
                return
            if when == "after":
                emulator.advance(seconds)
            made.append(seed(emulator, **changes))
            if when == "before":
                emulator.advance(seconds)

        emulator.before = make
        return made

    return rival


def test_the_younger_one_gives_way(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    elder = rival("before")
    outcome = run()
    assert present(emulator) == elder == [outcome.image_cache_id]
    assert not outcome.changed
    assert outcome.image_cache and outcome.image_cache.image_cache_id == elder[0]
    (warning,) = outcome.warnings
    assert elder[0] in warning
    assert emulator.sent(DELETE)[0].path.rpartition("/")[2] in warning
    assert not run().changed


def test_what_it_needs_besides_is_done_to_the_elder(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    elder = rival("before", tags=[A])
    outcome = run(tags=[B])
    assert [outcome.image_cache_id] == present(emulator) == elder
    assert outcome.changed
    assert emulator.service.caches()[0]["tags"] == [B]


def test_the_elder_stays_and_says_nothing_if_the_other_goes(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]], sleeps: list[float]
) -> None:
    younger = rival("after")
    make = emulator.before

    def make_and_go(record: Record) -> None:
        make(record)
        if younger and len(emulator.sent(LIST)) == 4 and younger[0] in present(emulator):
            emulator.service.remove(younger[0])

    emulator.before = make_and_go
    outcome = run()
    assert outcome.changed
    assert present(emulator) == [outcome.image_cache_id]
    assert outcome.warnings == []
    assert sum(sleeps) <= 3


def test_the_elder_never_deletes_the_other(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]], sleeps: list[float]
) -> None:
    younger = rival("after")
    outcome = run()
    assert sum(sleeps) == sum(twins.PAUSES)
    assert outcome.changed
    assert sorted(present(emulator)) == sorted([str(outcome.image_cache_id), younger[0]])
    assert "There are now several image caches named 'web'" in outcome.warnings[0]
    assert all(image_cache_id in outcome.warnings[0] for image_cache_id in present(emulator))
    assert DELETE not in operations(emulator)


@pytest.mark.parametrize("seconds", [0, 2])
@pytest.mark.parametrize("changes", [{"images": ["other"]}, {"imageCacheSize": 20}, {"status": "failed"}], ids=str)
def test_one_that_is_not_what_the_task_wants_is_not_adopted(
    changes: dict[str, Any],
    seconds: float,
    emulator: Emulator,
    run: Callable[..., Outcome],
    rival: Callable[..., list[str]],
) -> None:
    rival("before", seconds=seconds, **changes)
    outcome = run()
    assert outcome.changed
    assert len(present(emulator)) == 2
    assert "There are now several" in outcome.warnings[0]


def test_an_own_one_that_cannot_be_deleted_is_told(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    rival("before")
    emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden", times=None))
    outcome = run()
    assert outcome.changed
    assert len(present(emulator)) == 2
    assert "could not be deleted again" in outcome.warnings[0]
    assert "There are now several" in outcome.warnings[1]


def test_in_one_second_the_lower_id_waits_for_the_other_to_go(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    peer = rival("after", seconds=0, imageCacheId="imc-zzzzzzzzzzzzzzzzz")
    make = emulator.before

    def make_and_go(record: Record) -> None:
        make(record)
        if peer and len(emulator.sent(LIST)) == 5 and peer[0] in present(emulator):
            emulator.service.remove(peer[0])

    emulator.before = make_and_go
    outcome = run()
    assert present(emulator) == [outcome.image_cache_id]
    assert outcome.image_cache_id != peer[0]
    assert outcome.changed


def test_in_one_second_the_lower_id_goes_if_the_other_stays(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]], sleeps: list[float]
) -> None:
    peer = rival("before", seconds=0, imageCacheId="imc-zzzzzzzzzzzzzzzzz")
    outcome = run()
    assert present(emulator) == peer == [outcome.image_cache_id]
    assert not outcome.changed
    assert sum(sleeps) == sum(twins.PAUSES)


def test_in_one_second_the_higher_id_goes_at_once(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]], sleeps: list[float]
) -> None:
    peer = rival("before", seconds=0, imageCacheId="imc-00000000000000000")
    outcome = run()
    assert present(emulator) == peer == [outcome.image_cache_id]
    assert sum(sleeps) == 0


def test_an_elder_that_is_gone_when_the_own_one_is_deleted(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    elder = rival("before")
    make = emulator.before

    def make_and_go(record: Record) -> None:
        make(record)
        if record.operation == DELETE and elder[0] in present(emulator):
            emulator.service.remove(elder[0])

    emulator.before = make_and_go
    outcome = run()
    assert present(emulator) == [outcome.image_cache_id]
    assert outcome.image_cache_id != elder[0]
    assert outcome.changed


def test_an_own_one_that_somebody_deleted_meanwhile(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    younger = rival("after")
    make = emulator.before

    def make_and_clean(record: Record) -> None:
        make(record)
        own = [image_cache_id for image_cache_id in present(emulator) if image_cache_id not in younger]
        if younger and own and len(emulator.sent(LIST)) == 4:
            emulator.service.remove(own[0])

    emulator.before = make_and_clean
    outcome = run()
    assert present(emulator) == younger == [outcome.image_cache_id]


def test_after_replacing_it_has_changed_something_all_the_same(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    seed(emulator, images=["old"])
    elder = rival("before")
    outcome = run(drift="recreate")
    assert present(emulator) == elder == [outcome.image_cache_id]
    assert outcome.changed


def test_a_list_that_fails_meanwhile_is_told(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    rival("before")
    emulator.inject(Fault("status", LIST, status=403, reason="Forbidden", skip=2, times=None))
    try:
        outcome = run()
    except Exception as error:  # noqa: BLE001
        outcome = error.outcome  # type: ignore[attr-defined]
    else:
        assert "There are now several" in outcome.warnings[0]
    assert outcome.changed
    assert outcome.image_cache_id in present(emulator)
    assert len(present(emulator)) == 2


@pytest.mark.parametrize(
    ("elder", "younger"),
    [
        ("2025-03-11T11:35:09+08:00", "2025-03-11T03:35:10Z"),
        ("2025-03-11T03:35:09Z", "2025-03-11T11:35:10+08:00"),
        ("2025-03-11T03:35:09Z", None),
        ("2025-03-11T03:35:09Z", "yesterday"),
        ("2025-03-11T03:35:09", "2025-03-11T03:35:10Z"),
    ],
)
def test_the_order_of_age(elder: str, younger: str | None) -> None:
    first, second = ImageCache("imc-2", creation_time=elder), ImageCache("imc-1", creation_time=younger)
    assert first.age_order < second.age_order


def test_of_one_time_the_id_decides() -> None:
    one = ImageCache("imc-1", creation_time="2025-03-11T03:35:09Z")
    two = ImageCache("imc-2", creation_time="2025-03-11T11:35:09+08:00")
    assert one.age_order < two.age_order
    assert ImageCache("imc-1").age_order < ImageCache("imc-2").age_order


def test_requests_beside_nothing_but_its_own(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    run(tags=[A])
    assert operations(emulator) == [LIST, CREATE, LIST]
    assert UPDATE not in operations(emulator)


# --- several of a name that are there already


def test_the_makers_of_several_get_time_to_clean_up(
    emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
) -> None:
    elder, younger = seed(emulator), seed(emulator)

    def clean(record: Record) -> None:
        if sum(sleeps) >= 5 and younger in present(emulator):
            emulator.service.remove(younger)

    emulator.before = clean
    outcome = run()
    assert (outcome.changed, outcome.image_cache_id) == (False, elder)
    assert present(emulator) == [elder]


@pytest.mark.parametrize(
    ("changes", "seconds", "waits"),
    [({}, 0, True), ({}, 3600, False), ({"images": ["other"]}, 0, False)],
    ids=["young", "old", "not what is wanted"],
)
def test_if_they_stay_the_name_is_ambiguous(
    changes: dict[str, Any],
    seconds: float,
    waits: bool,
    emulator: Emulator,
    run: Callable[..., Outcome],
    sleeps: list[float],
    make_client: Callable[..., Client],
) -> None:
    ids = [seed(emulator), seed(emulator, **changes)]
    make_client().clock.sleep(seconds)
    before = sum(sleeps)
    with pytest.raises(AmbiguousName) as caught:
        run()
    assert all(image_cache_id in caught.value.message for image_cache_id in ids)
    assert (sum(sleeps) - before > 20) is waits


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_a_play_can_heal_what_a_task_left_that_was_ended(
    check_mode: bool, emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    elder = seed(emulator)
    emulator.advance(10)
    younger = [seed(emulator), seed(emulator)]
    outcome = run(duplicates="delete_younger", check_mode=check_mode)
    assert outcome.changed
    assert outcome.image_cache_id == elder
    assert sorted(outcome.duplicates) == sorted(younger)
    assert sorted(present(emulator)) == sorted([elder, *younger] if check_mode else [elder])
    if not check_mode:
        again = run(duplicates="delete_younger")
        assert (again.changed, again.duplicates) == (False, [])


@pytest.mark.parametrize("operation", [CREATE, DELETE])
def test_what_is_under_way_when_the_task_is_ended_is_finished_and_told(
    operation: str, emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    younger = []
    if operation == DELETE:
        seed(emulator)
        emulator.advance(10)
        younger = [seed(emulator)]

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    def end(record: Record) -> None:
        if record.operation == operation:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.05)

    emulator.before = end
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(TaskEnded) as caught:
            run(duplicates="delete_younger")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value.outcome.changed
    assert caught.value.outcome.duplicates == younger
    assert present(emulator) == [caught.value.outcome.image_cache_id]


def test_what_is_not_as_wanted_is_never_healed_away(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    ids = [seed(emulator), seed(emulator, images=["other"])]
    with pytest.raises(AmbiguousName):
        run(duplicates="delete_younger")
    assert present(emulator) == ids


def test_a_younger_one_that_went_by_itself_is_no_change_and_hides_none(
    emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    seed(emulator), seed(emulator)
    emulator.inject(*[Fault("status", DELETE, status=404, reason="NotFound")] * 2)
    assert not run(duplicates="delete_younger").changed
    assert run(duplicates="delete_younger", tags=[A]).changed


def test_what_shall_be_absent_is_not_healed(emulator: Emulator, client: Client) -> None:
    ids = [seed(emulator), seed(emulator)]
    with pytest.raises(AmbiguousName):
        converge(Wanted("absent", BODY, duplicates="delete_younger"), client, Wait(60, 5))
    assert present(emulator) == ids


def test_where_nothing_is_there_is_nothing_to_heal(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    assert run(duplicates="delete_younger").duplicates == []
    assert not run(duplicates="delete_younger").changed
    assert len(present(emulator)) == 1


def test_giving_way_comes_to_an_end(emulator: Emulator, client: Client) -> None:
    """Each time it gives way the elder one goes as well."""
    elders: list[str] = []

    def make_and_go(record: Record) -> None:
        if record.operation == CREATE:
            elders.append(seed(emulator))
            emulator.advance(2)
        elif record.operation == DELETE:
            emulator.service.remove(elders[-1])

    emulator.before = make_and_go
    converge(Wanted("present", BODY), client, Wait(60, 5))
    assert len(elders) == 4


def test_another_one_shows_and_the_own_one_does_not(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    emulator.settings.list_lag = 10_000
    elder = rival("before")
    outcome = run()
    assert outcome.changed
    assert "does not list it yet" in outcome.warnings[0]
    assert "There are now several" in outcome.warnings[1]
    assert all(str(one) in outcome.warnings[1] for one in (*elder, outcome.image_cache_id))


def test_healing_that_fails_is_told(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    seed(emulator), seed(emulator)
    emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden"))
    with pytest.raises(ServiceError) as caught:
        run(duplicates="delete_younger", tags=[A])
    assert caught.value.outcome is None or caught.value.outcome.changed


def test_many_give_way_at_once_while_others_of_them_wait(
    emulator: Emulator, client: Client, sleeps: list[float]
) -> None:
    """Two controllers that each wait for what the other one does last would wait for nothing."""
    made: dict[str, str] = {}
    deleted_after: list[float] = []

    def make(record: Record) -> None:
        if record.operation == CREATE:
            name = record.body["imageCacheName"]
            last = "z" if name == "waits" else "0"
            made[name] = seed(emulator, name, imageCacheId=f"imc-{last * 17}")
        elif record.operation == DELETE:
            deleted_after.append(sum(sleeps))

    emulator.before = make
    wanted = [Wanted("present", {**BODY, "imageCacheName": name}) for name in ("waits", "goes")]
    outcomes = converge_all(wanted, client, Wait(60, 5), concurrency=1)
    assert deleted_after == [0, sum(twins.PAUSES)]
    assert {item.name: item.image_cache_id for item in outcomes.items} == made
    assert sorted(present(emulator)) == sorted(made.values())


def test_what_gave_way_is_not_returned_though_reading_fails(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    elder = rival("before")
    # the look at what was created and the one at its twin succeed
    emulator.inject(Fault("status", LIST, status=403, reason="Forbidden", skip=3, times=None))
    with pytest.raises(EciError) as caught:
        run()
    assert present(emulator) == elder == [caught.value.outcome.image_cache_id]
    assert not caught.value.outcome.changed


def test_where_several_others_are_left_nothing_more_is_made(
    emulator: Emulator, run: Callable[..., Outcome], rival: Callable[..., list[str]]
) -> None:
    elder = rival("before")
    make = emulator.before

    def go_and_leave_two(record: Record) -> None:
        make(record)
        if record.operation == LIST and emulator.sent(DELETE) and elder[0] in present(emulator):
            emulator.service.remove(elder[0])
            seed(emulator), seed(emulator)

    emulator.before = go_and_leave_two
    with pytest.raises(AmbiguousName):
        run()
    assert len(emulator.sent(CREATE)) == 1


def test_the_one_that_was_replaced_is_not_taken_for_the_new_one_where_a_list_shows_it_again(
    emulator: Emulator, run: Callable[..., Outcome]
) -> None:
    old = seed(emulator, images=["old"])
    emulator.inject(Fault("reset", CREATE))

    def show_again(record: Record) -> None:
        if record.operation == LIST and emulator.sent(CREATE) and old not in present(emulator):
            seed(emulator, imageCacheId=old, images=["old"])

    emulator.before = show_again
    outcome = run(drift="recreate")
    assert len(emulator.sent(CREATE)) == 2
    assert sorted(present(emulator)) == sorted([old, str(outcome.image_cache_id)])
    assert outcome.image_cache and outcome.image_cache.images == BODY["images"]


def test_those_that_gave_way_are_told_though_a_later_look_fails(
    emulator: Emulator, make_client: Callable[..., Client]
) -> None:
    made: dict[str, str] = {}

    def make(record: Record) -> None:
        if record.operation == CREATE:
            name = record.body["imageCacheName"]
            made[name] = seed(emulator, name, imageCacheId=f"imc-{('z' if name == 'waits' else '0') * 17}")

    emulator.before = make
    # of the looks at what was created the second one fails
    emulator.inject(Fault("status", LIST, skip=3, times=None))
    wanted = [Wanted("present", {**BODY, "imageCacheName": name}) for name in ("waits", "goes")]
    wanted.append(Wanted("absent", {"imageCacheName": "old"}))
    seed(emulator, "old")
    outcomes = converge_all(wanted, make_client(retries=0), Wait(60, 5), concurrency=1)
    waits, goes, old = outcomes.items
    assert isinstance(old.error, Irreplaceable)
    assert "Image caches of one name could not be looked at" in outcomes.warnings[0]
    assert isinstance(goes.error, Unanswered)
    assert goes.image_cache_id == made["goes"]
    assert waits.error is None
    assert waits.image_cache_id not in made.values()
    assert "There are now several image caches named 'waits'" in waits.outcome.warnings[0]
    assert len(emulator.sent(DELETE)) == 1


def test_where_nothing_else_is_there_is_nothing_to_give_way_to() -> None:
    alone = twins.Twins("web", ImageCache("imc-1", "web"), lambda _cache: True)
    alone.see([])
    assert (alone.elder, alone.peer, alone.is_settled) == (None, None, True)


@pytest.mark.parametrize(
    ("when", "settling"),
    [("2025-03-11T03:35:00Z", True), ("2025-03-11T03:34:59Z", False), ("2025-03-11T03:45:01Z", False), (None, False)],
)
def test_how_long_they_may_be_about_to_go(when: str | None, settling: bool) -> None:
    several = [ImageCache(f"imc-{number}", "web", creation_time=when) for number in range(2)]
    now = ImageCache(creation_time="2025-03-11T03:39:59.9Z").created_at
    assert twins.are_settling(several, lambda _cache: True, float(str(now))) is settling


def test_at_the_end_of_that_time_they_stay() -> None:
    several = [ImageCache(f"imc-{number}", "web", creation_time="2025-03-11T03:35:00Z") for number in range(2)]
    born = float(str(several[0].created_at))
    assert not twins.are_settling(several, lambda _cache: True, born + twins.YOUNG)
