# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task found an image cache, and then its maker gave way to another one: the task follows.

Makers without a common lock put those of one second into the order of their IDs. So one that a task found alone may have
to go when another is made in the same second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, NotFound, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Record
from tests.unit.plugins.emulated import BODY, CREATE, DELETE, LIST, UPDATE, A, operations, present, seed

Run = Callable[..., Outcome]


@pytest.fixture(params=["one", "many"])
def run(request: pytest.FixtureRequest, client: Client) -> Run:
    """Converge and wait, through the task for one image cache and through the one for many."""

    def run(state: str = "present", image_cache_id: str | None = None, wait: bool = True, **changes: Any) -> Outcome:
        wanted = Wanted(state, {**BODY, **changes}, image_cache_id=image_cache_id, wait=wait)
        if request.param == "one":
            return converge(wanted, client, Wait(60, 5))
        (item,) = converge_all([wanted], client, Wait(60, 5), concurrency=2).items
        if item.error:
            item.error.outcome = item.outcome
            raise item.error
        return item.outcome

    return run


@pytest.fixture
def found(emulator: Emulator) -> str:
    """The image cache that the task finds; it is not ready yet."""
    return seed(emulator, status="pending")


Exchange = Callable[..., list[str]]


@pytest.fixture
def exchange(emulator: Emulator, found: str) -> Exchange:
    """Have the one that was found go after so many lists, or before an update, and others come; their IDs."""

    def exchange(*others: dict[str, Any], lists: int = 3, before: str = LIST) -> list[str]:
        made: list[str] = []

        def go(record: Record) -> None:
            if found in present(emulator) and record.operation == before and len(emulator.sent(LIST)) >= lists:
                made.extend(seed(emulator, **other) for other in others)
                emulator.service.remove(found)

        emulator.before = go
        return made

    return exchange


def test_the_one_that_is_left_is_followed(emulator: Emulator, run: Run, exchange: Exchange, found: str) -> None:
    made = exchange({})
    outcome = run()
    assert [outcome.image_cache_id] == present(emulator) == made
    assert outcome.image_cache and outcome.image_cache.is_ready
    assert not outcome.changed
    (warning,) = outcome.warnings
    assert found in warning
    assert made[0] in warning
    assert CREATE not in operations(emulator)
    assert DELETE not in operations(emulator)


def test_it_is_waited_for_as_well(emulator: Emulator, run: Run, exchange: Exchange) -> None:
    exchange({"status": "pending"})
    with pytest.raises(EciError, match="is not ready after 60 s") as caught:
        run()
    assert [caught.value.outcome.image_cache_id] == present(emulator)


def test_it_gets_the_tags(emulator: Emulator, run: Run, exchange: Exchange) -> None:
    made = exchange({}, lists=5)
    outcome = run(tags=[A])
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator) == made
    assert emulator.service.caches()[0]["tags"] == [A]


def test_what_goes_before_its_tags_are_set_is_followed(
    emulator: Emulator, run: Run, exchange: Exchange, found: str
) -> None:
    made = exchange({}, lists=1, before=UPDATE)
    outcome = run(tags=[A], wait=False)
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator) == made
    assert emulator.service.caches()[0]["tags"] == [A]
    assert found in outcome.warnings[0]


@pytest.mark.parametrize(
    "others",
    [[], [{"images": ["other"]}], [{"status": "failed"}], [{"imageCacheName": "db"}]],
    ids=["none", "other images", "failed", "other name"],
)
def test_what_somebody_deleted_is_an_error(
    others: list[dict[str, Any]], emulator: Emulator, run: Run, exchange: Exchange, found: str
) -> None:
    others = [{"name": other.pop("imageCacheName", "web"), **other} for other in map(dict, others)]
    exchange(*others)
    with pytest.raises(WaitFailed, match=f"{found} is gone: somebody else deleted it"):
        run()
    assert CREATE not in operations(emulator)


def test_one_that_was_picked_by_its_id_is_not_followed(
    emulator: Emulator, run: Run, exchange: Exchange, found: str
) -> None:
    exchange({}, lists=4)
    with pytest.raises(WaitFailed, match=f"{found} is gone: somebody else deleted it"):
        run(image_cache_id=found)


def test_one_that_was_picked_is_not_followed_for_its_tags_either(
    emulator: Emulator, run: Run, exchange: Exchange, found: str
) -> None:
    exchange({}, lists=1, before=UPDATE)
    with pytest.raises(NotFound):
        run(image_cache_id=found, tags=[A], wait=False)


def test_those_that_come_get_time_to_settle(
    emulator: Emulator, run: Run, exchange: Exchange, sleeps: list[float]
) -> None:
    made = exchange({}, {})
    exchanged = emulator.before
    assert exchanged

    def settle(record: Record) -> None:
        exchanged(record)
        if len(present(emulator)) == 2 and made and len(emulator.sent(LIST)) > 7:
            emulator.service.remove(made[1])

    emulator.before = settle
    outcome = run()
    assert [outcome.image_cache_id] == present(emulator) == made[:1]


def test_following_comes_to_an_end(emulator: Emulator, run: Run) -> None:
    """One after another comes and goes."""

    def go(record: Record) -> None:
        if record.operation == LIST and len(emulator.sent(LIST)) % 3 == 0:
            emulator.service.remove(present(emulator)[0])
            seed(emulator, status="pending")

    seed(emulator, status="pending")
    emulator.before = go
    with pytest.raises(WaitFailed, match="is gone") as caught:
        run()
    assert len(caught.value.outcome.warnings) == 3


def test_whoever_gives_way_waits_until_the_others_have_settled(
    emulator: Emulator, run: Run, sleeps: list[float]
) -> None:
    """Two others of the same second: the eldest waits for the other to go, and goes itself when that stays."""
    others: list[str] = []

    def make(record: Record) -> None:
        if record.operation == CREATE and not others:
            others.extend(seed(emulator, imageCacheId=f"imc-000000000000000{number}") for number in (1, 2))
        if sum(sleeps) >= 10 and others[0] in present(emulator):
            emulator.service.remove(others[0])

    emulator.before = make
    outcome = run(wait=False)
    assert [outcome.image_cache_id] == present(emulator) == others[1:]
    assert not outcome.changed
    assert len(outcome.warnings) == 1


def test_one_that_becomes_several_while_others_settle_gets_time_as_well(
    emulator: Emulator, client: Client, sleeps: list[float]
) -> None:
    elder, younger, db = seed(emulator), seed(emulator), seed(emulator, "db")
    late: list[str] = []

    def settle(record: Record) -> None:
        if sum(sleeps) >= 3 and not late:
            emulator.service.remove(younger)
            late.append(seed(emulator, "db"))
        if sum(sleeps) >= 10 and late[0] in present(emulator):
            emulator.service.remove(late[0])

    emulator.before = settle
    wanted = [Wanted("present", BODY), Wanted("present", {**BODY, "imageCacheName": "db"})]
    items = converge_all(wanted, client, Wait(60, 5), concurrency=2).items
    assert [item.error for item in items] == [None, None]
    assert [item.image_cache_id for item in items] == [elder, db]
