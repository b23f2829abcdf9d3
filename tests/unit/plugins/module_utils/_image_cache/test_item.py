# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one image cache of a task at each moment, should the task end there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.create import Created
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.events import newest_events
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.item import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import CREATE, DELETE, RETAG, Plan, Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.surroundings import Surroundings
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.unit.plugins.emulated import BODY

MADE = Created("imc-1", True, "r", answered=True, unsettled=False)


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
