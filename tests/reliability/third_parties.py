# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody else acts between any two requests of every kind of task, enumerated.

For each scenario and each habit the task is run without others first, which tells its requests. Then somebody acts just before
each of these requests: deletes one of the image caches that are there, takes its tags, gives it those that are pruned, makes it
fail, or creates one more of a wanted name, fitting or not. After each run:

* nothing was deleted for a reason that the last list did not show,
* no name has none where there was a good one, unless somebody else deleted it,
* nothing was ordered twice, and no result is called good that is not there,
* the next run reaches the wanted state, or names what is in the way, and the one after it changes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

from tests.emulator import Emulator, Fault, Record
from tests.reliability import promises
from tests.reliability.asks import ABSENT, SECRET_KEY, Ask, Wish, tag_list
from tests.reliability.controllers import Controller, apart, pass_time, to, virtual_clock
from tests.reliability.figures import Figures
from tests.reliability.promises import Broken, Fact, Run, World
from tests.reliability.scenarios import HABITS, OLD, SCENARIOS, TEAM, Scenario, seed
from tests.reliability.witness import Witness
from tests.unit.plugins.emulated import CREATE

# What is done to one of those that are there, by its place in the list; and what is created, by the place of its name.
TO_ONE = ("delete", "untag", "tag", "fail")
OF_A_NAME = ("add", "add another")
MOST_CACHES, MOST_NAMES = 6, 3
SETTLED = 400.0
# No habit of a service: the reply to the first createImageCache is lost.
LOST = "a reply is lost"


class Group(NamedTuple):
    """A kind of task with a habit of the service."""

    scenario: Scenario
    habit: str


class Case(NamedTuple):
    """Somebody acts before the request with this number."""

    group: Group
    at: int
    act: str
    place: int

    def __str__(self) -> str:
        return f"{self.group.scenario.name}, {self.group.habit}: {self.act} {self.place} before request {self.at}"


@dataclass
class Done:
    """What somebody did: the name of the image cache, and its ID if it was created."""

    name: str = ""
    created: str = ""


def groups() -> list[Group]:
    """Every group, always in the same order."""
    return [
        Group(scenario, habit)
        for scenario in SCENARIOS
        if not scenario.name.startswith("info")
        for habit in ("plain", "deletions take time", *[LOST] * scenario.creates)
    ]


class Prover:
    """Runs the cases in this process, with one emulator and one controller."""

    def __init__(self) -> None:
        self.figures = Figures()
        self._stack = ExitStack()

    def __enter__(self) -> Prover:
        base = self._stack.enter_context(apart())
        self.emulator = self._stack.enter_context(Emulator(secret_key=SECRET_KEY))
        self._witness = Witness(self.emulator)
        self._controller = Controller(base, "one", to(self.emulator), virtual_clock(self.emulator))
        self._stack.callback(self._controller.close)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def prove_group(self, number: int, every: int = 1, offset: int = 0) -> None:
        """Try the cases of a group, or some of them; what is broken goes to the figures."""
        group = groups()[number]
        ask = self._prepare(group)
        requests = len(self._run(ask).sent)
        self.emulator.faults.clear()
        for case_number, case in enumerate(_cases(group, requests)):
            if (case_number + number) % every == offset % every:
                try:
                    self.prove(case)
                except Broken as broken:
                    self.figures.broken(case, broken)

    def prove(self, case: Case) -> None:
        """Try one case. Raises Broken if a promise is."""
        ask, done = self._prepare(case.group), Done()
        start = len(self.emulator.records)

        def act(record: Record) -> None:
            if len(self.emulator.records) - start - 1 == case.at and not done.name:
                self._act(case, ask, done)
            self._witness.see(record)

        self.emulator.before = act
        run = self._run(ask)
        self.emulator.before = self._witness.see
        self.emulator.faults.clear()
        if not done.name:
            self.figures.counts["cases in which there was nothing to act on"] += 1
            return
        self.figures.counts["cases"] += 1
        self.figures.counts[f"cases: {case.act}"] += 1
        run.demand("e", not promises.is_mistaken(run.told), "a bug")
        promises.no_secret(run)
        _justified(run, done)
        _none_lost(run, case, done)
        if case.group.scenario.reachable:
            self._settle(ask)

    def _act(self, case: Case, ask: Ask, done: Done) -> None:
        service = self.emulator.service
        if case.act in OF_A_NAME:
            names = [wish.name for wish in ask.wishes]
            if case.place < len(names):
                done.name = names[case.place]
                done.created = seed(self.emulator, done.name, *([OLD] if case.act != "add" else []))
            return
        there = sorted(service.caches(), key=lambda cache: cache["imageCacheName"])
        if case.place >= len(there):
            return
        identifier, done.name = there[case.place]["imageCacheId"], there[case.place]["imageCacheName"]
        cache = service._caches[identifier]
        if case.act == "delete":
            service.remove(identifier)
        elif case.act == "fail":
            cache.outcome, cache.good = self.emulator.settings.failed_status, False
        else:
            cache.tags = tag_list(TEAM) if case.act == "tag" else []

    def _settle(self, ask: Ask) -> None:
        """Two more runs without others: one that gets there or says why not, one that rests."""
        pass_time(self.emulator, SETTLED)
        calm = ask.calm(ask.wait or ask.prune_tags is not None)
        first = self._run(calm)
        first.demand("d", not first.told.error, "not reached")
        for entry in first.told.entries:
            several = [fact for fact in first.before.of(entry.name) if not calm.spares(fact.image_cache_id)]
            named = len(several) > 1 and all(fact.image_cache_id in entry.msg for fact in several)
            reasons = ("has failed, its status", "since", "There is no image cache with the ID")
            told = named or bool(entry.drift) or any(reason in entry.msg for reason in reasons)
            first.demand("d", not entry.failed or told, f"{entry.name}: not reached")
        if not any(entry.failed for entry in first.told.entries):
            pass_time(self.emulator, SETTLED)
            promises.rests(self._run(calm))

    def _prepare(self, group: Group) -> Ask:
        self.emulator.reset()
        self.emulator.settings.update(HABITS["plain" if group.habit == LOST else group.habit])
        self._witness.watch()
        ask = group.scenario.prepare(self.emulator)
        if group.habit == LOST:
            self.emulator.inject(Fault("reset", CREATE, when="after"))
        return ask

    def _run(self, ask: Ask) -> Run:
        run = self._witness.run(self._controller, ask)
        self.figures.counts["runs of a task"] += 1
        self.figures.counts["requests"] += len(run.sent)
        return run


def _cases(group: Group, requests: int) -> Iterator[Case]:
    for at in range(requests):
        yield from (Case(group, at, act, place) for act, place in itertools.product(TO_ONE, range(MOST_CACHES)))
        yield from (Case(group, at, act, place) for act, place in itertools.product(OF_A_NAME, range(MOST_NAMES)))


def _justified(run: Run, done: Done) -> None:
    """Each deletion has a reason in the list that was read last."""
    removed: set[str] = set()
    for record, listed in run.deletions:
        identifier = record.path.rpartition("/")[2]
        fact = listed.all.get(identifier)
        run.demand("g", fact, f"{identifier} is deleted, and no list showed it")
        assert fact is not None
        run.demand("g", _has_reason(run, fact, listed, removed, done), f"{fact} is deleted without a reason")
        removed.add(identifier)


def _has_reason(run: Run, fact: Fact, listed: World, removed: set[str], done: Done) -> bool:
    wish = next((one for one in run.ask.wishes if fact.image_cache_id == one.image_cache_id), None)
    is_own = fact.image_cache_id not in {*run.before.all, done.created}
    of_name = [one for one in run.ask.wishes if fact.name == one.name and (is_own or not one.image_cache_id)]
    wish = wish or next(iter(of_name), None)
    if wish is None:
        carries = run.ask.prune_tags is not None and fact.tags.issuperset(run.ask.prune_tags)
        ready = run.settings.ready_status
        there = [one for one in run.ask.wishes if any(other.status == ready for other in listed.of(one.name))]
        return carries and (run.ask.prune_first or all(one in there or one.state == ABSENT for one in run.ask.wishes))
    if wish.state == ABSENT:
        return True
    others = [one for one in listed.of(fact.name) if one.image_cache_id not in {fact.image_cache_id, *removed}]
    fitting = [one for one in others if _fits(run, wish, one)]
    if is_own or run.ask.duplicates == "delete_younger":
        return bool(fitting)
    return run.ask.drift == "recreate" and not (fact.name == wish.name and _fits(run, wish, fact))


def _fits(run: Run, wish: Wish, fact: Fact) -> bool:
    return fact.images == set(wish.images) and fact.status != run.settings.failed_status


def _none_lost(run: Run, case: Case, done: Done) -> None:
    """No name is without one that had a good one, nothing was ordered twice, and no good result is false."""
    for wish, entry in zip(run.ask.wishes, run.told.entries, strict=bool(run.told.entries)):
        if wish.state == ABSENT:
            continue
        orders = [one for one in run.sent if one.operation == CREATE and one.effect]
        own = [one for one in orders if one.body["imageCacheName"] == wish.name]
        again = case.group.habit == LOST and case.act == "delete"  # what came of the lost one
        run.demand("a", len(own) <= 1 + again, f"{wish.name} was ordered {len(own)} times")
        if case.act == "delete" and done.name == wish.name:
            continue
        had = any(_fits(run, wish, fact) for fact in run.before.of(wish.name))
        left = run.after.of(wish.name)
        run.demand("a", left or not had, f"there was a good {wish.name}, and now there is none")
        run.demand("c", left or entry.failed, f"{wish.name}: called good, and there is none")
        there = entry.image_cache_id in run.after.all
        run.demand("c", entry.failed or there, f"{wish.name}: there is no {entry.image_cache_id}")
