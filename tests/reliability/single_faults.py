# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every single fault at every request of every kind of task, enumerated.

For each scenario and each habit of the service the task is run without faults first, which tells its requests, and that
check mode predicts it. Then comes each kind of fault at each of these requests and at two more, once and twice in a
row, with and without retries (tasks for many: twice only with them). After each the promises are looked at, then the task is run again without faults, which
must reach the wanted state, and once more, which must change nothing.

The server and its sockets are real, the pauses are not. Each run has a temporary directory of its own, new and empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from tests.emulator import Emulator, Proxy, Record
from tests.reliability import promises
from tests.reliability.asks import SECRET_KEY, Ask
from tests.reliability.controllers import Controller, apart, behind, pass_time, to, virtual_clock
from tests.reliability.figures import Figures
from tests.reliability.kinds import ANY, KINDS, Kind
from tests.reliability.prediction import predicted
from tests.reliability.promises import Broken, Run, World
from tests.reliability.scenarios import HABITS, SCENARIOS, Scenario
from tests.reliability.witness import Witness

RETRIES = (0, 2)
TIMES = (1, 2)
# How many requests more than without faults a fault is tried at: those that it brings about.
MORE = 2
# Longer than anything that a fault here puts off.
SETTLED = 20.0


class Case(NamedTuple):
    """One fault: its kind, at which of the task's operations, how often in a row; and how often the client retries."""

    scenario: Scenario
    habit: str
    retries: int
    kind: Kind
    operations: list[str]
    at: int
    times: int

    def __str__(self) -> str:
        parts = (self.scenario.name, self.habit, f"retries {self.retries}", self.kind.name, f"request {self.at}")
        return ", ".join([*parts, f"{self.times} in a row"])


class Group(NamedTuple):
    """A scenario with a habit of the service, and how often the client retries: the cases of one have much in common."""

    scenario: Scenario
    habit: str
    retries: int


def groups() -> list[Group]:
    """Every group, always in the same order."""
    return [
        Group(scenario, habit, retries) for scenario in SCENARIOS for habit in scenario.habits for retries in RETRIES
    ]


class Prover:
    """Runs the cases in this process, with one emulator, and controllers with and without a proxy before it."""

    def __init__(self) -> None:
        self.figures = Figures()
        self._stack = ExitStack()
        self._proxy_fault: Case | None = None
        self._seen: set[str] = set()
        self._sent = 0

    def __enter__(self) -> Prover:
        base = self._stack.enter_context(apart())
        self.emulator = self._stack.enter_context(Emulator(secret_key=SECRET_KEY))
        self._proxy = self._stack.enter_context(Proxy())
        self._witness = Witness(self.emulator)
        self._controllers: dict[tuple[int, bool], Controller] = {}
        clock = virtual_clock(self.emulator)
        for retries in RETRIES:
            connection = to(self.emulator, retries=retries)
            for proxied, connect in ((False, Transport), (True, self._behind_proxy)):
                controller = Controller(base, f"{retries}-{proxied}", connection, clock, connect)
                self._controllers[retries, proxied] = controller
                self._stack.callback(controller.close)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def prove_group(self, number: int, every: int = 1, offset: int = 0) -> None:
        """Try the cases of a group, or some of them; what is broken goes to the figures."""
        group = groups()[number]
        self._seen.clear()
        try:
            operations = [*self.without_faults(group), *[ANY] * MORE]
        except Broken as broken:
            self.figures.broken(f"{group}, without faults", broken)
            return
        for case_number, case in enumerate(_cases(group, operations)):
            if (case_number + number) % every == offset % every:
                try:
                    self.prove(case)
                except Broken as broken:
                    self.figures.broken(case, broken)

    def without_faults(self, group: Group) -> list[str]:
        """The operations of a run without faults, which check mode predicted."""
        controller = self._controllers[group.retries, False]
        ask = self._prepare(group.scenario, group.habit)
        foretold = self._run(controller, ask, check_mode=True)
        predicted(foretold, self._run(controller, ask))
        run = self._run(controller, self._prepare(group.scenario, group.habit))
        return [str(record.operation) for record in run.sent]

    def prove(self, case: Case) -> None:
        """Try one case. Raises Broken if a promise is."""
        controller = self._controllers[case.retries, case.kind.proxied]
        ask = self._prepare(case.scenario, case.habit)
        self.figures.counts["cases"] += 1
        self._sent, self._proxy_fault = 0, case if case.kind.proxied else None
        if not case.kind.proxied:
            operation, before = case.operations[case.at], case.operations[: case.at]
            self.emulator.inject(case.kind.fault(operation, before, case.times))
        run = self._run(controller, ask, late=case.kind.is_late)
        met = self._sent > case.at if case.kind.proxied else any(_is_fault(record) for record in run.sent)
        self.emulator.faults.clear()
        self._proxy.reset()
        self._proxy_fault = None
        if not met:
            self.figures.counts["cases whose fault no request met"] += 1
            return
        self.figures.counts[f"cases: {'proxy, ' * case.kind.proxied}{case.kind.kind}"] += 1
        pass_time(self.emulator, SETTLED)
        world = self._witness.world()
        promises.one_left(run, world)
        promises.gone_is_gone(run, world)
        if not case.scenario.reachable:
            promises.nothing_lost(run)
        elif not ask.info and self._is_new(case, world):
            self._settle(case, controller, ask)

    def _is_new(self, case: Case, world: World) -> bool:
        """Whether no case of the group before left the same behind. If one did, the same comes of it again."""
        facts = sorted(repr(fact._replace(image_cache_id="")) for fact in world.all.values())
        left = repr((case.kind.proxied, facts))
        is_new = left not in self._seen
        self._seen.add(left)
        self.figures.counts["endings that differ"] += is_new
        return is_new

    def _settle(self, case: Case, controller: Controller, ask: Ask) -> None:
        """Two more runs without faults: one that gets there, one that rests."""
        calm = ask.calm(ask.wait)
        first = self._run(controller, calm)
        if case.kind.is_late and any("There are " in text for text in first.told.texts):
            return  # two of a name, which the user was told of and has to decide about
        pass_time(self.emulator, SETTLED)
        promises.reached(first)
        last = self._run(controller, calm)
        promises.rests(last)

    def _prepare(self, scenario: Scenario, habit: str) -> Ask:
        self.emulator.reset()
        self.emulator.settings.update(HABITS[habit])
        self._witness.watch()
        return scenario.prepare(self.emulator)

    def _run(self, controller: Controller, ask: Ask, check_mode: bool = False, late: bool = False) -> Run:
        run = self._witness.run(controller, ask, check_mode, late=late)
        self.figures.counts["runs of a task"] += 1
        self.figures.counts["requests"] += len(run.sent)
        promises.check(run, controller)
        return run

    def _behind_proxy(self, connection: Connection, pool_size: int) -> Transport:
        return behind(self._proxy.url, lambda: _Counted(connection, pool_size, self._before_send))

    def _before_send(self) -> None:
        case = self._proxy_fault
        if case and case.at <= self._sent < case.at + case.times:
            getattr(self._proxy, case.kind.kind)(**case.kind.details)
        self._sent += 1


class _Counted(Transport):
    """Tells of each request before it is sent."""

    def __init__(self, connection: Connection, pool_size: int, tell: Callable[[], None]) -> None:
        super().__init__(connection, pool_size)
        self._tell = tell

    def send(self, *arguments: Any, **keywords: Any) -> HttpReply:
        self._tell()
        return super().send(*arguments, **keywords)


def _cases(group: Group, operations: list[str]) -> Iterator[Case]:
    all_times = TIMES[:1] if group.scenario.is_for_many and not group.retries else TIMES
    for kind, (index, operation), times in itertools.product(KINDS, enumerate(operations), all_times):
        if kind.fits(operation):
            yield Case(*group, kind, operations, index, times)


def _is_fault(record: Record) -> bool:
    return str(record.status).startswith("fault:")
