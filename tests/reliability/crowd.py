# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three controllers at random: random tasks and orders, slow requests, faults, and kills.

A killed controller stops for good, before or after one of its requests took effect. What must be true: nobody deletes what
is another's; where all wanted an image cache and one controller ended well, there is one; and when all is over, one
more run of one that was not killed ends well, or names all that there are of a name, which the option ``duplicates``
then heals.

Without faults, kills and slow requests all promises of pairs.py hold for three as well.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.ctyun.eci.plugins.module_utils._errors import POSSIBLE, Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from tests.emulator.errors import envelope
from tests.reliability import pairs
from tests.reliability.asks import ABSENT, Ask
from tests.reliability.controllers import Told
from tests.reliability.figures import Figures
from tests.reliability.orders import HABITS, OLD, TASKS, TIMES, WORLDS
from tests.reliability.pairs import Play
from tests.reliability.promises import Broken, is_mistaken
from tests.reliability.stage import Actor, Killed, Stage, TooLong, ids_in_order

ACTORS = 3
SETTLED = 60.0
# No request takes longer, in seconds: half of what a maker of twins waits for the other one.
SLOWEST = 7.0
REFUSALS = ((503, "ServiceUnavailable"), (429, "TooManyRequests"), (403, "Forbidden"))


@dataclass(frozen=True)
class Schedule:
    """What a number stands for: how often something goes wrong, and how slow requests may be."""

    number: int
    faults: float
    kills: float
    slow: float
    world: str
    habit: str
    times: str
    asks: tuple[str, ...]
    delays: tuple[float, ...]

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong."""
        return not (self.faults or self.kills or self.slow)


def schedule(number: int) -> Schedule:
    """The schedule of a number, always the same."""
    chance = random.Random(number)
    # of two that want different images neither may give way, and one may delete what the other made: see orders.py
    tasks = {name: ask for name, ask in TASKS.items() if all(wish.images != OLD for wish in ask.wishes)}
    present = [name for name, ask in tasks.items() if all(wish.state != ABSENT for wish in ask.wishes)]
    names = present if chance.random() < 0.7 else list(tasks)
    return Schedule(
        number,
        faults=chance.choice([0.0, 0.0, 0.1, 0.3]),
        kills=chance.choice([0.0, 0.05, 0.15]),
        slow=chance.choice([0.0, 0.0, 0.3]),
        world=chance.choice(list(WORLDS)),
        habit=chance.choice(list(HABITS)),
        times=chance.choice(list(TIMES)),
        asks=tuple(chance.choice(names) for _actor in range(ACTORS)),
        delays=tuple(chance.choice([0.0, 0.0, 0.5, 2.5, 9.0]) for _actor in range(ACTORS)),
    )


class Prover:
    """Plays schedules on one stage."""

    def __init__(self, base: str) -> None:
        self.figures = Figures()
        self._stage = Stage(base, ACTORS, lambda ready: ready[0])

    def prove(self, number: int) -> None:
        """Play a schedule; what is broken goes to the figures."""
        plan = schedule(number)
        tick, direction = TIMES[plan.times]
        with ids_in_order(direction):
            try:
                self._play(plan, tick)
            except Broken as broken:
                self.figures.broken(plan, broken)

    def _play(self, plan: Schedule, tick: float) -> None:
        stage, chance = self._stage, random.Random(-plan.number - 1)
        self.figures.counts["schedules"] += 1
        stage.reset(HABITS[plan.habit], tick)
        WORLDS[plan.world](stage)
        before = stage.world()
        for actor, delay in zip(stage.actors, plan.delays, strict=True):
            actor.delay = delay
        stage.choose = self._chooser(plan, chance)
        stage.deal = self._dealer(plan, chance)
        try:
            actors = stage.play(*(TASKS[name] for name in plan.asks))
        except TooLong as error:
            raise Broken(f"(e) {error}") from None
        stage.choose, stage.deal = (lambda ready: ready[0]), (lambda actor, act: act())
        stage.pass_time(SETTLED)
        play = Play(actors, list(stage.steps), before, stage.world(), stage)
        self.figures.counts["requests"] += len(play.steps)
        if plan.is_calm:
            pairs.check(play)
        else:
            _held(play)
        self._settle(play)

    def _chooser(self, plan: Schedule, chance: random.Random) -> Callable[[list[Actor]], Actor | None]:
        stage = self._stage

        def choose(ready: list[Actor]) -> Actor | None:
            wake = stage.next_wake()
            may_wait = wake is not None and all(wake - actor.since <= SLOWEST for actor in ready)
            return None if may_wait and chance.random() < plan.slow else chance.choice(ready)

        return choose

    def _dealer(self, plan: Schedule, chance: random.Random) -> Callable[[Actor, Callable[[], HttpReply]], HttpReply]:
        def deal(actor: Actor, act: Callable[[], HttpReply]) -> HttpReply:
            survivors = [one for one in self._stage.actors if not one.killed]
            if len(survivors) > 1 and chance.random() < plan.kills:
                self.figures.counts["kills"] += 1
                if chance.random() < 0.5:
                    act()
                actor.killed = True
                raise Killed
            if chance.random() < plan.faults:
                self.figures.counts["faults"] += 1
                return _fault(chance, act)
            return act()

        return deal

    def _settle(self, play: Play) -> None:
        """One more run of one that was not killed, which may be told of several; that is healed then."""
        stage = self._stage
        actor = next(one for one in play.actors if not one.killed)
        run = self._alone(actor, actor.ask)
        several = [name for name in actor.ask.names if len(stage.world().of(name)) > 1]
        for entry in run.entries:
            named = all(fact.image_cache_id in entry.msg for fact in stage.world().of(entry.name))
            play.demand("d", not entry.failed or several, f"one more run: {entry}")
            play.demand("d", entry.name not in several or (entry.failed and named), f"one more run: {entry}")
        if several and all(wish.state != ABSENT for wish in actor.ask.wishes) and _fits(play, several):
            self.figures.counts["schedules that left several of a name, which were told and healed"] += 1
            healed = self._alone(actor, replace(actor.ask, duplicates="delete_younger"))
            play.demand("d", not any(entry.failed for entry in healed.entries), f"healing: {healed}")
            for name in several:
                play.demand("d", len(stage.world().of(name)) == 1, f"not healed: {healed}")

    def _alone(self, actor: Actor, ask: Ask) -> Told:
        asks = [ask if one is actor else None for one in self._stage.actors]
        actor.delay = 0.0
        (actor,) = self._stage.play(*asks)
        self._stage.pass_time(SETTLED)
        if actor.error:
            raise Broken(f"(e) one more run: {actor.error!r}") from actor.error
        assert actor.told is not None
        return actor.told


def _fault(chance: random.Random, act: Callable[[], HttpReply]) -> HttpReply:
    kind = chance.choice(["reset", "reset", "reset after", "reset after", "refusal"])
    if kind == "reset after":
        act()
    if kind != "refusal":
        raise Unanswered("The connection broke off.", effect=POSSIBLE)
    status, reason = chance.choice(REFUSALS)
    return HttpReply("request", "request", status, {}, json.dumps(envelope(status, reason, "no")).encode())


def _held(play: Play) -> None:
    """What holds whatever goes wrong."""
    for actor in play.actors:
        if actor.error and not isinstance(actor.error, Killed):
            raise Broken(f"(e) {actor.error!r}\n{play}") from actor.error
        play.demand("e", not (actor.told and is_mistaken(actor.told)), "an error that nobody reckoned with")
    pairs.nothing_of_others(play)
    for name in {name for actor in play.actors for name in actor.ask.names}:
        asked = [wish for actor in play.actors for wish in actor.ask.wishes if wish.name == name]
        if all(wish.state != ABSENT for wish in asked) and _somebody_finished(play, name):
            play.demand("a", play.after.of(name) or _cut_off(play, name), f"none named {name} is left")


def _somebody_finished(play: Play, name: str) -> bool:
    told = [entry for actor in play.actors if actor.told and not actor.killed for entry in actor.told.entries]
    return any(entry.name == name and not entry.failed for entry in told)


def _cut_off(play: Play, name: str) -> bool:
    """Whether one deleted what it was to replace, and got no further: the others may have finished before."""
    for actor in play.actors:
        replaced = play.deleted(actor) - play.made(actor) - {None}
        told = actor.told.entries if actor.told else []
        failed = actor.killed or any(entry.name == name and entry.failed for entry in told)
        if failed and any(fact.name == name for key, fact in play.before.all.items() if key in replaced):
            return True
    return False


def _fits(play: Play, names: list[str]) -> bool:
    """Whether all image caches of these names are what all tasks want, so that the younger ones may be deleted."""
    return all(fact.images == {"nginx:latest"} for name in names for fact in play.after.of(name))
