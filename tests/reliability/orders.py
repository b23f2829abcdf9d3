# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every order of the requests of any two tasks on two controllers that share no lock, enumerated.

Each pair of tasks is played in each world and with each habit of the service, in every order of their requests that can
make a difference (see walk.py). Image caches that are made at the same moment get creation times that differ, or the same
one, and then the IDs of both orders. What must be true then is in pairs.py; besides, if both tasks want the same,
both return the ID of the one that is left, and a further run of either finds nothing to do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.reliability import pairs
from tests.reliability.asks import ABSENT, Ask, Tags, Wish, tag_list
from tests.reliability.figures import Figures
from tests.reliability.pairs import Play
from tests.reliability.promises import Broken, World
from tests.reliability.stage import Actor, Stage, TooLong, ids_in_order
from tests.reliability.walk import Walk

A: Tags = (("a", "1"),)
B: Tags = (("b", "1"),)
TEAM: Tags = (("team", "x"),)
NEW, OLD = ("nginx:latest",), ("redis:7",)
SETTLED = 60.0

_web, _db = Wish("web", NEW), Wish("db", NEW)
TASKS: dict[str, Ask] = {
    "present": Ask((_web,)),
    "present with tags": Ask((Wish("web", NEW, A),)),
    "present with other tags": Ask((Wish("web", NEW, B),)),
    "present and wait": Ask((_web,), wait=True),
    "recreate": Ask((_web,), drift="recreate"),
    "recreate and wait": Ask((_web,), drift="recreate", wait=True),
    "absent": Ask((Wish("web", state=ABSENT),)),
    "absent and wait": Ask((Wish("web", state=ABSENT),), wait=True),
    "present with other images": Ask((Wish("web", OLD),)),
    "recreate with other images": Ask((Wish("web", OLD),), drift="recreate"),
    "one absent, one present": Ask((Wish("web", state=ABSENT), _db), bulk=True),
    "two": Ask((_web, _db), bulk=True),
    "two and recreate": Ask((_web, _db), bulk=True, drift="recreate"),
    "two and prune": Ask((_web, _db), bulk=True, wait=True, prune_tags=TEAM),
    "one and prune": Ask((_web,), bulk=True, wait=True, prune_tags=TEAM),
}


def _put(stage: Stage, name: str, images: tuple[str, ...], tags: Tags = ()) -> None:
    stage.service.seed(name, list(images), azName="az1", imageCacheSize=40, tags=tag_list(tags))


def _fitting(stage: Stage) -> None:
    _put(stage, "web", NEW)


def _drifting(stage: Stage) -> None:
    _put(stage, "web", OLD, B)


def _old_one(stage: Stage) -> None:
    _put(stage, "old", OLD, TEAM)


WORLDS: dict[str, Callable[[Stage], None]] = {
    "nothing is there": lambda _stage: None,
    "one is there": _fitting,
    "another is there": _drifting,
    "an old one is there": _old_one,
}
HABITS: dict[str, Mapping[str, Any]] = {
    "plain": {},
    "lists lag": {"list_lag": 2.0},
    "deletions take time": {"delete_after": 3.0},
    "both, and names are unique": {"list_lag": 2.0, "delete_after": 3.0, "unique_names": True},
}
# Seconds between two creates, and whether the IDs go up or down.
TIMES = {"one after the other": (1.0, 1), "in one second, IDs go up": (0.0, 1), "in one second, IDs go down": (0.0, -1)}


class Pair(NamedTuple):
    """Two tasks, what they find, how the service is, and when their image caches are made."""

    one: str
    other: str
    world: str
    habit: str
    times: str

    def __str__(self) -> str:
        return f"{self.one} / {self.other}, {self.world}, {self.habit}, {self.times}"


def all_pairs() -> Iterator[Pair]:
    """Every pair, always in the same order."""
    for one, other in itertools.combinations_with_replacement(TASKS, 2):
        for world, habit, times in itertools.product(WORLDS, HABITS, TIMES):
            prunes = any(TASKS[name].prune_tags for name in (one, other))
            if prunes or world != "an old one is there":
                yield Pair(one, other, world, habit, times)


class Prover:
    """Plays pairs on one stage."""

    def __init__(self, base: str) -> None:
        self.figures = Figures()
        self._stage = Stage(base, 2, lambda ready: ready[0])

    def prove(self, pair: Pair, most: int | None = None) -> None:
        """Play a pair in every order, or in the first so many; what is broken goes to the figures."""
        walk = Walk()
        self.figures.counts["pairs of tasks"] += 1
        for _number in itertools.count() if most is None else range(most):
            try:
                self._play(pair, walk)
            except Broken as broken:
                self.figures.broken(pair, broken)
            if not walk.advance():
                return

    def _play(self, pair: Pair, walk: Walk) -> None:
        tick, direction = TIMES[pair.times]
        stage, asks = self._stage, (TASKS[pair.one], TASKS[pair.other])
        with ids_in_order(direction):
            stage.reset(HABITS[pair.habit], tick)
            WORLDS[pair.world](stage)
            before = stage.world()
            stage.choose = walk.choose
            actors = self._acted(pair, asks)
            stage.choose = lambda ready: ready[0]
            stage.pass_time(SETTLED)
            play = Play(actors, list(stage.steps), before, stage.world(), stage)
            pairs.check(play)
            counts = self.figures.counts
            counts["orders"] += 1
            counts["orders that differ from another one in reads only"] += walk.is_repeated
            counts["requests"] += len(play.steps)
            counts["orders in which one gave way to the other"] += _gave_way(actors)
            if is_one_wish(before, *asks):
                self._agree(play)

    def _acted(self, pair: Pair, asks: tuple[Ask, Ask]) -> list[Actor]:
        try:
            return self._stage.play(*asks)
        except TooLong as error:
            raise Broken(f"(e) {pair}: {error}") from None

    def _agree(self, play: Play) -> None:
        """Both return the ID of the one that is left, and are content with it."""
        for actor in play.actors:
            assert actor.told is not None
            for entry in actor.told.entries:
                left = [fact.image_cache_id for fact in play.after.of(entry.name)]
                play.demand("a", not entry.failed, f"{actor.number} failed")
                play.demand("a", left == [entry.image_cache_id], f"{actor.number} returns another ID")
        told = [actor.told for actor in play.actors]
        for asks in ((play.actors[0].ask, None), (None, play.actors[1].ask)):
            (actor,) = self._stage.play(*asks)
            play.demand("d", actor.told and not actor.told.changed, f"{actor.number} changes again: {actor.told}")
            play.demand("j", not actor.controller.left, f"left on the controller: {actor.controller.left}")
        for actor, before in zip(play.actors, told, strict=True):
            actor.told = before


def _gave_way(actors: list[Actor]) -> bool:
    return any(actor.told and any("at the same moment" in text for text in actor.told.texts) for actor in actors)


def is_one_wish(before: World, *asks: Ask) -> bool:
    """Whether tasks want the same: all present, and nothing that contradicts."""
    wishes = [wish for ask in asks for wish in ask.wishes]
    tags = {wish.tags for wish in wishes if wish.tags is not None}
    images = {wish.images for wish in wishes}
    differs = any(fact.images != set(wish.images) for wish in wishes for fact in before.of(wish.name))
    drift = {ask.drift for ask in asks} if differs else set()
    return all(wish.state != ABSENT for wish in wishes) and len(tags) <= 1 and len(images) == 1 and len(drift) <= 1
