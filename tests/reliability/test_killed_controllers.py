# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller is killed at each of its requests in turn, and another one does its task after it, on another machine.

The request at which it is killed takes no effect, or takes effect, or takes effect some seconds later. The two share a
folder (lock_dir), or nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from tests.reliability.asks import ABSENT, Ask, Tags, Wish, tag_list
from tests.reliability.controllers import Told, apart
from tests.reliability.stage import Actor, Killed, Stage
from tests.unit.plugins.emulated import CREATE

OLD, NEW = ("redis:7",), ("nginx:latest",)
A: Tags = (("a", "1"),)
TEAM: Tags = (("team", "x"),)
# So much later a request may take effect, and so much later all has come to rest, in seconds.
LATE, SETTLED = 5.0, 60.0
HABITS = [{}, {"list_lag": 2.0}, {"delete_after": 3.0}]


class Kind(NamedTuple):
    """A task, and what is there before it; ``beside`` says that another client makes the same just before."""

    ask: Ask
    before: tuple[tuple[str, tuple[str, ...], Tags], ...] = ()
    beside: bool = False


KINDS = {
    "create": Kind(Ask()),
    "create and wait": Kind(Ask((Wish(tags=A),), wait=True)),
    "create beside another client": Kind(Ask(), beside=True),
    "replace": Kind(Ask(drift="recreate"), (("web", OLD, A),)),
    "retag": Kind(Ask((Wish(tags=A),)), (("web", NEW, TEAM),)),
    "delete": Kind(Ask((Wish(state=ABSENT),)), (("web", NEW, ()),)),
    "two": Kind(Ask((Wish(), Wish("db")), bulk=True)),
    "two beside another client": Kind(Ask((Wish(), Wish("db")), bulk=True), beside=True),
    "two and prune": Kind(
        Ask((Wish(), Wish("db", NEW)), bulk=True, wait=True, drift="recreate", prune_tags=TEAM),
        (("old", OLD, TEAM), ("db", OLD, ())),
    ),
}


@dataclass
class Kill:
    """Ends the first controller at its request of this number. ``effect`` is when that one takes effect, in seconds, None
    for never.
    """

    number: int
    effect: float | None
    sent: int = 0
    late: Callable[[], HttpReply] | None = None

    def deal(self, actor: Actor, act: Callable[[], HttpReply]) -> HttpReply:
        self.sent += actor.number == 0
        if actor.number or self.sent != self.number:
            return act()
        if self.effect:
            self.late = act
        elif self.effect is not None:
            act()
        actor.killed = True
        raise Killed


@pytest.fixture(params=[True, False], ids=["with a common folder", "without"])
def shared(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def stage(shared: bool, tmp_path: Path) -> Iterator[Stage]:
    folder = tmp_path / "locks"
    folder.mkdir(mode=0o700)
    with apart() as base:
        yield Stage(base, 2, lambda ready: ready[0], str(folder) if shared else None)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_another_machine_ends_what_a_killed_one_began(kind: Kind, shared: bool, stage: Stage, tmp_path: Path) -> None:
    cases = healed = 0
    for habits, effect in itertools.product(HABITS, (None, 0.0, LATE)):
        for number in itertools.count(1):
            for file in (tmp_path / "locks").iterdir():
                file.unlink()
            kill = Kill(number, effect)
            _begin(kind, stage, habits, kill)
            if kill.sent < number:
                break
            cases += 1
            healed += _end(kind, stage, shared, kill, f"{habits}, request {number}, effect {effect}")
    print(f"{cases} kills, healed {healed} times")
    assert cases > 10
    # one that makes the same and knows of no lock may have been killed before it gave way
    assert not healed or not shared or kind.beside


def _begin(kind: Kind, stage: Stage, habits: dict[str, float], kill: Kill) -> None:
    """Have the first controller do the task, and kill it."""
    stage.reset(habits, tick=1.0)
    for name, images, tags in kind.before:
        stage.service.seed(name, list(images), azName="az1", imageCacheSize=40, tags=tag_list(tags))
    made: list[str] = []

    def choose(ready: list[Actor]) -> Actor:
        operation = ready[0].pending[0].name if ready[0].pending else ""
        if kind.beside and operation == CREATE and not made:
            for wish in kind.ask.wishes:
                made.append(stage.service.seed(wish.name, list(wish.images), azName="az1", imageCacheSize=40))
        return ready[0]

    stage.choose, stage.deal = choose, kill.deal
    (first,) = stage.play(kind.ask, None)
    assert isinstance(first.error, Killed) or first.error is None


def _end(kind: Kind, stage: Stage, shared: bool, kill: Kill, case: str) -> bool:
    """Have the second one do it, until there is nothing to do any more; whether it had to delete what was too many."""

    def deal(actor: Actor, act: Callable[[], HttpReply]) -> HttpReply:
        if kill.late and stage.clock.now() >= late:
            kill.late()
            kill.late = None
        return act()

    late = stage.clock.now() + LATE
    stage.choose, stage.deal = (lambda ready: ready[0]), deal
    told = _alone(stage, kind.ask)
    if kill.late:
        kill.late()
        stage.pass_time(SETTLED)
    several = any(len(stage.world().of(wish.name)) > 1 for wish in kind.ask.wishes)
    if several or told.changed:
        told = _alone(stage, kind.ask)
    if several:
        messages = [entry.msg for entry in told.entries if entry.failed]
        assert messages and all("image caches named" in text for text in messages), f"{case}: {told}"
        told = _alone(stage, replace(kind.ask, duplicates="delete_younger"))
    last = _alone(stage, kind.ask)
    world = stage.world()
    for one in (told, last):
        assert not one.error, f"{case}: {one}"
        assert not any(entry.failed for entry in one.entries), f"{case}: {one}"
    assert not last.changed, f"{case}: {last}"
    for wish in kind.ask.wishes:
        left = world.of(wish.name)
        assert len(left) == (wish.state != ABSENT), f"{case}: {left}"
        tags = wish.tags or (A if shared and kind.before and kind.before[0][2] == A else ())
        assert all(fact.tags.issuperset(tags) for fact in left), f"{case}: {left}"
    return several


def _alone(stage: Stage, ask: Ask) -> Told:
    (actor,) = stage.play(None, ask)
    stage.pass_time(SETTLED)
    assert actor.told, actor.error
    return actor.told
