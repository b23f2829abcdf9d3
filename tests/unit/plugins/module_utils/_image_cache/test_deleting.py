# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State absent: what is deleted, after what, and what an open outcome means."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, ServiceError, Unanswered, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    CREATE,
    DELETE,
    LIST,
    A,
    MakeClient,
    Run,
    RunOne,
    absent,
    names,
    operations,
    present,
    seed,
    wanted,
)


def test_one_that_is_going_already_is_absent(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.delete_after = 12
    seed(emulator)
    assert run_one("absent").changed
    assert not run_one("absent").changed
    assert operations(emulator).count(DELETE) == 1
    assert not run_one("absent", wait=True).changed
    assert emulator.service.caches() == []


def test_one_that_is_being_deleted_is_waited_for_before_a_create(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.delete_after = 12
    old_id = seed(emulator)
    run_one("absent")
    outcome = run_one(tags=[A])
    assert outcome.changed
    assert outcome.image_cache_id != old_id
    assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [outcome.image_cache_id]


def test_a_create_refused_after_somebody_elses_deletion_mentions_none(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.delete_after = 12
    seed(emulator)
    run_one("absent")
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid"))
    with pytest.raises(ServiceError) as caught:
        run_one()
    assert "was deleted before" not in caught.value.message


def test_an_attempt_that_seemed_to_fail_is_the_cause_of_a_conflict(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"delete_after": 60, "delete_again": "conflict"})
    seed(emulator)
    emulator.inject(Fault("reset", DELETE, when="after"))
    assert run_one("absent").changed


@pytest.mark.parametrize(
    ("status", "reason", "lists"), [(409, "Conflict", 4), (403, "Forbidden", 0), (404, "Unknown", 4)]
)
def test_a_deletion_that_is_refused(
    status: int, reason: str, lists: int, emulator: Emulator, run_one: RunOne, make_client: MakeClient
) -> None:
    old_id = seed(emulator)
    emulator.inject(Fault("status", DELETE, status=status, reason=reason))
    with pytest.raises(EciError) as caught:
        run_one("absent", client=make_client(retries=0))
    assert not caught.value.item.changed
    assert present(emulator) == [old_id]
    assert operations(emulator) == [LIST, DELETE] + [LIST] * lists
    assert ("may have been deleted" in caught.value.message) is (reason == "Unknown")


def test_a_deletion_whose_outcome_stays_open(emulator: Emulator, run_one: RunOne, make_client: MakeClient) -> None:
    old_id = seed(emulator)
    emulator.inject(Fault("reset", DELETE), Fault("status", LIST, skip=1, times=None))
    says = f"Its state could not be read either.*{old_id} may have been deleted"
    with pytest.raises(Unanswered, match=says):
        run_one("absent", client=make_client(retries=0))


def test_gone_through_somebody_else_is_no_change(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator)
    emulator.inject(Fault("status", DELETE, status=404, reason="NotFound"))
    assert not run_one("absent").changed


def test_gone_through_an_attempt_that_seemed_to_fail(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator)
    emulator.inject(Fault("reset", DELETE, when="after"))
    outcome = run_one("absent")
    assert outcome.changed
    assert operations(emulator) == [LIST, DELETE, DELETE]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_open_outcome_is_looked_up(emulator: Emulator, run_one: RunOne, make_client: MakeClient, when: str) -> None:
    seed(emulator)
    emulator.inject(Fault("reset", DELETE, when=when))
    client = make_client(retries=0)
    if when == "after":
        assert run_one("absent", client=client).changed
    else:
        with pytest.raises(Unanswered) as caught:
            run_one("absent", client=client)
        assert not caught.value.item.changed


def test_a_deletion_that_failed_is_tried_again(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"delete_after": 5, "delete_fails": 1})
    seed(emulator)
    with pytest.raises(WaitFailed, match=r"could not be deleted, its status is 'delete_failed'.*billed.*events") as bad:
        run_one("absent", wait=True)
    assert bad.value.item.changed
    assert bad.value.item.image_cache.events
    outcome = run_one("absent", wait=True)
    assert outcome.changed
    assert present(emulator) == []


@pytest.mark.parametrize("wait", [True, False])
def test_a_deletion_that_fails_ends_the_wait_at_once(
    wait: bool, emulator: Emulator, run_one: RunOne, sleeps: list[float]
) -> None:
    emulator.settings.update({"delete_after": 3, "delete_fails": 5})
    seed(emulator, images=["redis:7"])
    with pytest.raises(WaitFailed, match="could not be deleted"):
        run_one(drift="recreate", timeout=1000, wait=wait)
    assert sum(sleeps) == 5
    with pytest.raises(WaitFailed, match="could not be deleted"):
        run_one("absent", timeout=1000, wait=True)
    assert sum(sleeps) < 30
    assert CREATE not in operations(emulator)


def test_a_conflict_with_a_deletion_that_is_under_way_is_no_error(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"delete_after": 60, "delete_again": "conflict"})
    image_cache_id = seed(emulator)

    def delete(record: Record) -> None:
        if record.operation == DELETE:
            emulator.service.perform(DELETE, emulator.settings.region_id, image_cache_id, None)

    emulator.before = delete
    assert not run_one("absent").changed


def test_absent_comes_after_what_is_created(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "old")
    outcomes = run(absent("old"), wanted("new", wait=True), absent("never"))
    assert [item.changed for item in outcomes.items] == [True, True, False]
    assert [item.image_cache_id for item in outcomes.items] == [old, present(emulator)[0], None]
    assert names(emulator) == ["new"]
    changing = [operation for operation in operations(emulator) if operation != LIST]
    assert changing == [CREATE, DELETE]


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_nothing_goes_where_something_has_failed(check_mode: bool, emulator: Emulator, run: Run) -> None:
    for name in ("old", "twice", "twice"):
        seed(emulator, name)
    outcomes = run(absent("old"), wanted("twice"), check_mode=check_mode)
    assert "is not deleted, since 'twice' failed" in str(outcomes.items[0].error)
    assert len(present(emulator)) == 3


def test_there_is_nothing_to_wait_for_where_nothing_was(emulator: Emulator, run: Run) -> None:
    assert not run(absent("never", wait=True)).items[0].changed
    assert operations(emulator) == [LIST]


def test_absent_need_not_be_ready_before(emulator: Emulator, run: Run, sleeps: list[float]) -> None:
    seed(emulator, "old", status="pending")
    assert run(absent("old", wait=True)).items[0].changed
    assert sleeps == []


def test_tags_of_absent_are_not_asked_for(emulator: Emulator, run: Run) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, "old", tags=[A])
    run(Desired("absent", {"imageCacheName": "old", "tags": [A]}), check_mode=True)
    assert operations(emulator) == [LIST]


def test_what_a_list_of_pages_shows_is_not_asked_for(emulator: Emulator, run: Run) -> None:
    emulator.settings.max_page = 2
    for number in range(3):
        seed(emulator, f"cache-{number}")
    run(*[wanted(f"cache-{number}") for number in range(3)], absent("never"), check_mode=True)
    assert len(operations(emulator)) == 2 + 1  # two pages, and the name that they do not show


def test_check_mode_predicts_a_deletion(emulator: Emulator, run: Run) -> None:
    seed(emulator, "old")
    outcomes = run(absent("old"), absent("never"), check_mode=True)
    assert [item.changed for item in outcomes.items] == [True, False]
    assert names(emulator) == ["old"]


@pytest.mark.parametrize("wait", [True, False])
def test_a_slow_deletion(wait: bool, emulator: Emulator, run: Run, sleeps: list[float]) -> None:
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
    fault: str | None, check_mode: bool, emulator: Emulator, run: Run
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


def test_a_list_that_fails_while_it_goes(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    seed(emulator, "old")
    emulator.inject(Fault("status", LIST, skip=2, times=None))
    (item,) = run(absent("old", wait=True), client=make_client(retries=0)).items
    assert isinstance(item.error, Unanswered)
    assert item.changed


def test_those_that_go_are_polled_with_one_list_before_they_are_made(emulator: Emulator, run: Run) -> None:
    emulator.settings.delete_after = 12
    for number in range(20):
        emulator.service.perform(DELETE, emulator.settings.region_id, seed(emulator, f"cache-{number}"), None)
    outcomes = run(*[wanted(f"cache-{number}") for number in range(20)])
    assert not any(item.error for item in outcomes.items)
    assert operations(emulator) == [*[LIST] * 4, *[CREATE] * 20, LIST]


def test_one_that_is_listed_as_deleted_is_absent(emulator: Emulator, run_one: RunOne, sleeps: list[float]) -> None:
    seed(emulator, status="deleted")
    assert not run_one("absent", wait=True).changed
    assert run_one().changed
    emulator.settings.update({"deleting_status": "deleted", "delete_after": 1000})
    emulator.advance(60)
    assert run_one(drift="recreate", images=["redis:7"]).changed
    assert operations(emulator)[:4] == [LIST, LIST, CREATE, LIST]
    assert sleeps == []
