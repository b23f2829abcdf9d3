# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image caches that a task picks by their ID."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import AlreadyExists, LockError, StateConflict
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    A,
    Run,
    RunOne,
    absent,
    held,
    names,
    operations,
    present,
    reconcile_one,
    seed,
    somebody_else_creates,
    wanted,
)


def test_an_id_picks_one_of_several(emulator: Emulator, run_one: RunOne) -> None:
    first, second = seed(emulator), seed(emulator)
    outcome = run_one("absent", image_cache_id=second)
    assert (outcome.changed, outcome.image_cache_id) == (True, second)
    assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [first]


def test_an_unknown_id_is_an_error(emulator: Emulator, run_one: RunOne) -> None:
    with pytest.raises(StateConflict, match="imc-none"):
        run_one(image_cache_id="imc-none")
    assert set(operations(emulator)) == {LIST}


def test_a_name_beside_an_id_is_a_condition_for_a_deletion(emulator: Emulator, run_one: RunOne) -> None:
    other = seed(emulator, "other")
    with pytest.raises(StateConflict, match=f"{other} is named 'other', not 'web'"):
        run_one("absent", image_cache_id=other)
    assert present(emulator) == [other]


def test_a_task_by_id_waits_for_its_id_and_its_name(emulator: Emulator, client: Client) -> None:
    image_cache_id = seed(emulator, "other")
    by_id = Desired("present", {"tags": [A]}, image_cache_id=image_cache_id)
    with held(client, image_cache_id), pytest.raises(LockError):
        reconcile_one(by_id, client)
    with held(client, "other"):
        assert reconcile_one(by_id, client).changed
    with held(client, "web"), pytest.raises(LockError, match="'web'"):
        reconcile_one(Desired("present", BODY, image_cache_id=image_cache_id, drift="recreate"), client)


def test_an_id_alone_is_enough_for_a_deletion(emulator: Emulator, client: Client) -> None:
    image_cache_id = seed(emulator, "other")
    outcome = reconcile_one(Desired("absent", {}, image_cache_id=image_cache_id), client)
    assert outcome.changed


def test_an_unknown_id_is_absent(run_one: RunOne) -> None:
    outcome = run_one("absent", image_cache_id="imc-none", wait=True)
    assert (outcome.changed, outcome.image_cache_id) == (False, None)


def test_tags_by_id_alone(emulator: Emulator, client: Client) -> None:
    image_cache_id = seed(emulator, images=["redis:7"])
    wanted = Desired("present", {"tags": [A]}, image_cache_id=image_cache_id)
    outcome = reconcile_one(wanted, client, Wait(0, 1))
    assert (outcome.changed, outcome.drift) == (True, [])


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_nothing_is_deleted_for_a_name_that_is_taken(check_mode: bool, emulator: Emulator, run_one: RunOne) -> None:
    old_id, other = seed(emulator, "old"), seed(emulator, "web")
    with pytest.raises(StateConflict, match=f"'web' is the name of {other}"):
        run_one(image_cache_id=old_id, drift="recreate", check_mode=check_mode)
    assert present(emulator) == [old_id, other]


def test_by_its_id_it_can_get_another_name(emulator: Emulator, run_one: RunOne) -> None:
    old_id = seed(emulator, "old")
    outcome = run_one(image_cache_id=old_id, drift="recreate")
    assert names(emulator) == ["web"]
    assert present(emulator) == [outcome.image_cache_id]


def test_by_its_id_it_is_replaced_beside_another_of_its_name(emulator: Emulator, run_one: RunOne) -> None:
    old_id, other = seed(emulator, images=["redis:7"]), seed(emulator)
    outcome = run_one(image_cache_id=old_id, drift="recreate")
    assert present(emulator) == [other, outcome.image_cache_id]


def test_another_of_its_name_is_not_taken_for_the_new_one(emulator: Emulator, run_one: RunOne) -> None:
    old_id, other = seed(emulator, images=["redis:7"]), seed(emulator)
    emulator.inject(Fault("reset", CREATE))
    outcome = run_one(image_cache_id=old_id, drift="recreate")
    assert present(emulator) == [other, outcome.image_cache_id]
    assert len(emulator.sent(CREATE)) == 2


def test_one_that_is_going_cannot_be_picked(emulator: Emulator, run_one: RunOne) -> None:
    image_cache_id = seed(emulator, status="deleting")
    with pytest.raises(StateConflict):
        run_one(image_cache_id=image_cache_id)


def test_several_of_a_name_can_be_resolved(emulator: Emulator, run: Run) -> None:
    first, second = seed(emulator, "twice"), seed(emulator, "twice")
    outcomes = run(absent("twice", image_cache_id=second), wanted("twice"))
    assert not any(item.error for item in outcomes.items)
    assert [item.changed for item in outcomes.items] == [True, False]
    assert present(emulator) == [first]


@pytest.mark.parametrize("max_page", [1000, 1])
@pytest.mark.parametrize("check_mode", [False, True])
def test_no_second_one_is_made_of_one_that_stays(check_mode: bool, max_page: int, emulator: Emulator, run: Run) -> None:
    emulator.settings.max_page = max_page
    ids = [seed(emulator, "web"), seed(emulator, "other")]
    picked = Desired("present", {"imageCacheName": "typo"}, image_cache_id=ids[0])
    outcomes = run(wanted("web"), picked, check_mode=check_mode)
    assert [item.changed for item in outcomes.items] == [False, False]
    assert outcomes.items[0].image_cache_id == ids[0]
    assert present(emulator) == ids


@pytest.mark.parametrize("max_page", [1000, 1])
def test_one_that_goes_does_not_count_under_its_name(max_page: int, emulator: Emulator, run: Run) -> None:
    emulator.settings.max_page = max_page
    old, other = seed(emulator, "web"), seed(emulator, "other")
    predicted = run(wanted("web"), absent("web", image_cache_id=old), check_mode=True)
    outcomes = run(wanted("web"), absent("web", image_cache_id=old))
    assert [item.changed for item in predicted.items] == [True, True]
    assert [item.changed for item in outcomes.items] == [True, True]
    assert sorted(present(emulator)) == sorted([other, str(outcomes.items[0].image_cache_id)])


def test_one_without_a_readable_name(emulator: Emulator, run: Run) -> None:
    image_cache_id = seed(emulator)
    emulator.inject(Fault("nameless", LIST, times=None))
    outcomes = run(Desired("absent", {}, image_cache_id=image_cache_id))
    assert outcomes.items[0].changed
    assert present(emulator) == []


def test_one_picked_by_id_is_not_pruned(emulator: Emulator, run: Run) -> None:
    image_cache_id = seed(emulator, "other", tags=[A])
    outcomes = run(Desired("present", {"tags": [A]}, image_cache_id=image_cache_id), prune_tags=[A])
    assert outcomes.pruned == []
    assert present(emulator) == [image_cache_id]


@pytest.mark.parametrize("max_page", [1000, 1])
def test_what_the_list_shows_is_not_asked_for(max_page: int, emulator: Emulator, run: Run) -> None:
    emulator.settings.max_page = max_page
    ids = [seed(emulator, f"cache-{number}") for number in range(3)]
    outcomes = run(*[Desired("present", {}, image_cache_id=one) for one in ids], check_mode=True)
    assert [item.image_cache_id for item in outcomes.items] == ids
    assert len(operations(emulator)) == (1 if max_page > 1 else 3)


def test_what_a_whole_list_does_not_show_is_not_asked_for(emulator: Emulator, run: Run) -> None:
    run(Desired("absent", {}, image_cache_id="imc-none"), check_mode=True)
    assert operations(emulator) == [LIST]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shown", [True, False])
def test_one_that_goes_is_not_taken_for_the_new_one_whose_reply_is_lost(
    shown: bool, when: str, emulator: Emulator, run: Run
) -> None:
    old = seed(emulator)
    emulator.inject(Fault("reset", CREATE, when=when))
    if not shown:
        emulator.inject(Fault("idless", LIST))
    gone, new = run(Desired("absent", {}, image_cache_id=old), wanted("web")).items
    assert (gone.error, new.error, new.changed, gone.image_cache_id) == (None, None, True, old)
    assert present(emulator) == [new.image_cache_id] != [old]


def test_one_that_goes_is_not_taken_for_the_new_one_of_its_unique_name(emulator: Emulator, run: Run) -> None:
    emulator.settings.unique_names = True
    old = seed(emulator)
    gone, new = run(Desired("absent", {}, image_cache_id=old), wanted("web")).items
    assert [type(item.error) for item in (gone, new)] == [StateConflict, AlreadyExists]
    assert (new.changed, present(emulator)) == (False, [old])


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_two_entries_that_are_one_image_cache_are_refused(check_mode: bool, emulator: Emulator, run: Run) -> None:
    ids = [seed(emulator, "old", images=["redis:7"]), seed(emulator, "other")]
    entries = [wanted("new", image_cache_id=ids[0], drift="recreate"), wanted("old", drift="recreate")]
    outcomes = run(*entries, absent("other"), check_mode=check_mode)
    for item in outcomes.items[:2]:
        assert str(item.error) == f"'new' and 'old' are the same image cache {ids[0]}: list it only once."
    assert present(emulator) == ids


@pytest.mark.parametrize("damaged", [False, True])
def test_keep_one_by_its_id_and_no_other_of_the_name(damaged: bool, emulator: Emulator, run: Run) -> None:
    other = seed(emulator)
    emulator.advance(10)
    kept = seed(emulator)
    emulator.advance(1000)
    task = (Desired("present", {}, image_cache_id=kept), absent("web"))
    if damaged:  # a list that shows only the one that is kept does not prove that no other one is there
        emulator.inject(Fault("idless", LIST, times=None, index=present(emulator).index(other)))
        assert "may exist" in str(run(*task).items[1].error)
        emulator.faults.clear()
    assert [item.changed for item in run(*task).items] == [False, True]
    assert present(emulator) == [kept]
    assert [item.changed for item in run(*task).items] == [False, False]


def test_the_message_names_the_one_that_was_deleted(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, "old")

    def before(record: Record) -> None:
        if record.operation == DELETE:
            somebody_else_creates(emulator, images=["redis:7"])

    emulator.before = before
    (item,) = run(wanted("web", image_cache_id=old, drift="recreate"), by_name=True).items
    assert f"The old image cache {old} was deleted before" in str(item.error)
