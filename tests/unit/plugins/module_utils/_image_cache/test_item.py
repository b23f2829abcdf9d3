# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one image cache of a task at each moment, should the task end there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    Irreplaceable,
    ServiceError,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.create import Created
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.events import newest_events
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.item import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import CREATE, DELETE, RETAG, Plan, Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.surroundings import Surroundings
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, operations, present, seed

MADE = Created("imc-1", True, "r", answered=True, unsettled=False)
# one that the task found after an attempt that was not answered, and one that it found after a refusal
FOUND = MADE._replace(answered=False)
OTHERS = FOUND._replace(changed=False)


@pytest.fixture
def item(client: Client) -> Callable[..., Item]:
    def item(state: str = "present", **policy: Any) -> Item:
        return Item(Wanted(state, BODY, **policy), Surroundings(ImageCaches(client), Wait(60, 5)))

    return item


#   state     wait   steps            changed  status      made   done
WHAT_IS_DONE: list[tuple[str, bool, list[str], bool, str | None, bool, bool]] = [
    ("absent", False, [], False, None, False, True),
    ("absent", True, [], False, None, False, True),
    ("absent", False, [], False, "deleting", False, True),
    ("absent", True, [], False, "deleting", False, False),
    ("absent", False, [DELETE], False, "ready", False, False),
    ("absent", False, [DELETE], True, None, False, True),
    ("absent", False, [DELETE], False, None, False, True),
    ("absent", False, [DELETE], True, "deleting", False, True),
    ("absent", True, [DELETE], True, "deleting", False, False),
    ("present", False, [], False, "pending", False, True),
    ("present", True, [], False, "pending", False, False),
    ("present", True, [], False, "ready", False, True),
    ("present", False, [RETAG], False, "ready", False, False),
    ("present", False, [RETAG], True, "pending", False, True),
    ("present", True, [RETAG], True, "pending", False, False),
    ("present", True, [RETAG], False, "ready", False, False),
    ("present", False, [CREATE], False, None, False, False),
    ("present", False, [CREATE], True, "pending", True, True),
    ("present", True, [CREATE], True, "pending", True, False),
    ("present", True, [CREATE], True, "ready", True, True),
    ("present", False, [CREATE], False, "ready", True, False),
    ("present", False, [DELETE, CREATE], True, "ready", False, False),
    ("present", False, [DELETE, CREATE], True, "pending", True, True),
]


@pytest.mark.parametrize(("state", "wait", "steps", "changed", "status", "made", "done"), WHAT_IS_DONE)
def test_what_is_done_when_the_task_is_ended(
    state: str,
    wait: bool,
    steps: list[str],
    changed: bool,
    status: str | None,
    made: bool,
    done: bool,
    item: Callable[..., Item],
) -> None:
    it = item(state, wait=wait)
    assert not it.is_done
    it.change = Plan(steps, None, None)
    it.outcome.changed = changed
    it.outcome.image_cache = ImageCache("imc-1", status=status) if status else None
    it.created = MADE if made else None
    assert it.is_done is done


@pytest.mark.parametrize("left_open", [True, False])
def test_a_task_that_is_ended_says_whether_something_may_have_been_changed(
    left_open: bool, item: Callable[..., Item], client: Client
) -> None:
    client.is_left_open = left_open
    error = item().ended(KeyboardInterrupt())
    assert error.effect == (POSSIBLE if left_open else NONE)
    assert "The task was ended before it was done (KeyboardInterrupt)." in error.message
    assert ("may be changed all the same; run the task again" in error.message) is left_open


def test_what_has_younger_ones_to_be_deleted_is_not_done(item: Callable[..., Item]) -> None:
    it = item(duplicates="delete_younger")
    it.consider_named([ImageCache("imc-1", "web"), ImageCache("imc-2", "web")])
    assert it.has_younger
    assert not it.is_done


def test_of_what_is_not_there_no_events_are_asked_for(client: Client) -> None:
    assert newest_events(ImageCaches(client), Outcome()) == ""


def test_what_a_task_does_not_give_is_an_empty_text(client: Client) -> None:
    by_id = Item(Wanted("absent", {}, image_cache_id="imc-1"), Surroundings(ImageCaches(client), Wait(60, 5)))
    assert (by_id.name, by_id.id, by_id.label) == ("", "", "imc-1")


def test_a_message_calls_it_by_its_name(item: Callable[..., Item]) -> None:
    it = item(image_cache_id="imc-1")
    it.outcome.image_cache_id = "imc-1"
    assert (it.name, it.id, it.label) == ("web", "imc-1", "web")


def test_there_is_no_plan_before_it_was_looked_for(item: Callable[..., Item]) -> None:
    with pytest.raises(RuntimeError, match="nothing is planned yet"):
        assert item().planned


def test_what_shall_be_absent_is_not_compared(item: Callable[..., Item], emulator: Emulator) -> None:
    it = item("absent")
    it.consider(ImageCache("imc-1", "web", az_name="odd"))
    assert it.planned.steps == [DELETE]
    assert it.outcome.warnings == []
    assert operations(emulator) == []


def confirmed(item: Item, created: Created, *named: ImageCache) -> Item:
    """The item after these were seen where it created one."""
    item.change = Plan([CREATE], None, None, body=BODY)
    item.created = created
    item.confirm(list(named))
    return item


def test_of_several_only_one_that_it_made_itself_is_given_up(item: Callable[..., Item]) -> None:
    both = ImageCache("imc-0", "web"), ImageCache("imc-1", "web")
    assert confirmed(item(), MADE, *both).twins
    it = confirmed(item(), FOUND, *both)
    assert it.twins is None
    assert "There are now several image caches named 'web': imc-0, imc-1" in it.outcome.warnings[0]


def test_one_that_goes_again_is_not_taken_for_the_one_that_was_made(item: Callable[..., Item]) -> None:
    it = confirmed(item(), MADE, ImageCache("imc-1", "web", status="deleting"))
    assert it.outcome.image_cache is None
    assert "imc-1 is made, but the service does not list it yet" in it.outcome.warnings[0]


def test_one_that_others_made_is_not_deleted_where_no_new_one_could_be_made(
    item: Callable[..., Item], emulator: Emulator
) -> None:
    emulator.settings.zones = ["az2"]
    other = ImageCache("imc-1", "web", images=["other"])
    with pytest.raises(Irreplaceable, match="'az1' is not a zone"):
        confirmed(item(drift="recreate"), OTHERS, other)
    it = item(drift="recreate")
    it.outcome.image_cache_id = "imc-1"
    with pytest.raises(Irreplaceable, match="'az1' is not a zone"):
        it.follow([other])
    assert "deleteImageCache" not in operations(emulator)


def test_one_that_others_made_and_that_could_not_be_replaced_is_not_done(
    item: Callable[..., Item], emulator: Emulator
) -> None:
    made = seed(emulator, images=["other"])
    emulator.inject(Fault("status", "createImageCache", status=422, reason="Invalid"))
    it = item(drift="recreate")
    with pytest.raises(ServiceError):
        confirmed(it, OTHERS._replace(image_cache_id=made), ImageCache(made, "web", images=["other"]))
    assert present(emulator) == []
    assert it.outcome.changed
    assert not it.is_done


def test_who_gave_way_follows_the_one_it_gave_way_to(item: Callable[..., Item]) -> None:
    it = item()
    it.outcome.image_cache_id = "imc-2"
    it.follow([ImageCache("imc-1", "web"), ImageCache("imc-2", "web")])
    assert it.planned.old.id == "imc-2"


def test_what_is_gone_does_not_take_its_own_place(item: Callable[..., Item], emulator: Emulator) -> None:
    it = item()
    it.outcome.image_cache_id = seed(emulator)
    assert not it.follow_another()
    assert it.outcome.warnings == []
