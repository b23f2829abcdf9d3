# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault machine: random tasks over the emulator with random faults, and the promises that hold all the same.

One example of Hypothesis is one *schedule*: habits of the service and a way to reach it, then a few tasks, each with faults
of its own. After each task the promises are looked at (see promises.py), at the end of the schedule (d).

No client can keep them with every service, so the schedules leave out what makes that impossible:

* A service that lies, see kinds.py.
* A list that lags longer than the look-ups take (the sum of CONSISTENCY_DELAYS). Between two tasks the clock moves on by the
  lag, so that a task finds what the one before made.
* Another client that makes the same name within that lag, on a service that allows two of a name: only with
  ``unique_names``, and then without an open outcome, after which nobody could tell who made it. (Other controllers of this
  collection are in orders.py.)
* Tags that the service shows in no way: there changed is true whenever tags are sent. And where tags are hidden, those
  that the task does not name can neither be seen nor be kept or removed.
* A service that merges tags where it was asked to replace them: the task says so in a warning, others stay.

``Figures`` counts over all schedules of this process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from tests.emulator import Emulator, Fault, Proxy
from tests.reliability import draws, promises
from tests.reliability.asks import ABSENT, SECRET_KEY, Ask, Wish, tag_list
from tests.reliability.controllers import Controller, apart, behind, pass_time, to, virtual_clock
from tests.reliability.prediction import predicted
from tests.reliability.promises import Run
from tests.reliability.witness import Witness
from tests.unit.plugins.emulated import CREATE, DELETE


@dataclass
class Figures:
    """What the schedules of this process were made of."""

    schedules: int = 0
    tasks: int = 0
    failed_tasks: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    effects_behind_faults: int = 0
    created: int = 0
    violations: int = 0


FIGURES = Figures()


class Places:
    """The services of this process, and the controllers that reach them in every way. Each run is on a fresh one."""

    def __init__(self, base: str, stack: ExitStack) -> None:
        self._base = base
        self._stack = stack
        self._witnesses: dict[bool, Witness] = {}
        self._controllers: dict[tuple[draws.Way, float], Controller] = {}
        self.proxy = stack.enter_context(Proxy())

    def witness(self, tls: bool) -> Witness:
        """A service and who watches it; it is started at first need."""
        if tls not in self._witnesses:
            emulator = self._stack.enter_context(Emulator(secret_key=SECRET_KEY, tls=tls))
            self._witnesses[tls] = Witness(emulator)
        return self._witnesses[tls]

    def controller(self, way: draws.Way, timeout: float) -> Controller:
        """The controller that reaches its service in this way."""
        if (way, timeout) not in self._controllers:
            emulator = self.witness(way.tls).emulator
            patience = {"retries": way.retries, "retry_max_delay": way.retry_max_delay, "timeout": timeout}
            connect = self._behind_proxy if way.proxied else Transport
            controller = Controller(self._base, "machine", to(emulator, **patience), virtual_clock(emulator), connect)
            self._stack.callback(controller.close)
            self._controllers[way, timeout] = controller
        return self._controllers[way, timeout]

    def _behind_proxy(self, connection: Connection, pool_size: int) -> Transport:
        return behind(self.proxy.url, lambda: Transport(connection, pool_size))


@contextmanager
def places() -> Iterator[None]:
    """What the machine needs, as long as this lasts."""
    with ExitStack() as stack:
        FaultMachine.places = Places(stack.enter_context(apart()), stack)
        yield


class FaultMachine(RuleBasedStateMachine):
    """Tasks, faults, and other people's image caches; see the module's docstring. Needs ``places``."""

    places: ClassVar[Places]

    @initialize(habits=draws.habits(), way=draws.ways())
    def choose(self, habits: dict[str, Any], way: draws.Way) -> None:
        """A service in its first state, with these habits."""
        FIGURES.schedules += 1
        self.way = way
        self.witness = self.places.witness(way.tls)
        self.emulator = self.witness.emulator
        self.emulator.reset()
        self.emulator.settings.update(habits)
        self.witness.watch()
        self.last: dict[str, Ask] = {}

    # --- others

    @rule(name=st.sampled_from(draws.NAMES), images=st.sampled_from(draws.IMAGES), tags=st.sampled_from(draws.TAGS))
    def somebody_else_makes_one(self, name: str, images: tuple[str, ...], tags: Any) -> None:
        if not self._of(name):
            self._seed(name, images, tag_list(tags or ()))

    @rule(name=st.sampled_from(draws.NAMES))
    def somebody_else_has_one_that_failed(self, name: str) -> None:
        if not self._of(name):
            self._seed(name, draws.IMAGES[0], [], status=self.emulator.settings.failed_status)

    @rule(name=st.sampled_from(draws.NAMES))
    def somebody_else_makes_a_second_one(self, name: str) -> None:
        if len(self._of(name)) == 1 and not self.emulator.settings.unique_names:
            self._seed(name, draws.IMAGES[0], [])

    @rule(name=st.sampled_from(draws.NAMES))
    def somebody_else_deletes_one(self, name: str) -> None:
        for image_cache_id in self._of(name):
            self._elsewhere(DELETE, image_cache_id, None)
        self._settle([])

    @rule(ask=draws.single_asks("present"), refusals=st.lists(draws.faults(), max_size=2))
    def a_task_just_after_somebody_else_made_one(self, ask: Ask, refusals: list[Fault]) -> None:
        settings = self.emulator.settings
        if settings.unique_names and not self._of(ask.names[0]) and not settings.rate:
            self._elsewhere(CREATE, "", ask.wishes[0].body())
            self._task(
                ask, [fault for fault in refusals if fault.kind == "gateway" and fault.details["code"] == "10009"]
            )

    # --- tasks

    @rule(ask=draws.single_asks(), data=st.data(), number=st.integers(0, 5))
    def a_task(self, ask: Ask, data: st.DataObject, number: int) -> None:
        self._task(ask, [data.draw(draws.faults(self.way.tls)) for _fault in range(number)])

    @rule(ask=draws.single_asks(), fault=draws.aimed_faults(), more=st.lists(draws.faults(), max_size=1))
    def a_task_with_an_aimed_fault(self, ask: Ask, fault: Fault, more: list[Fault]) -> None:
        wish = ask.wishes[0]
        if fault.operation != CREATE and not self._of(wish.name):
            self._seed(wish.name, draws.IMAGES[0], tag_list((("b", "1"),)))
        if fault.operation == DELETE:
            ask = replace(ask, wishes=(replace(wish, state=ABSENT),))
        self._task(ask, [fault, *more])

    @rule(ask=draws.single_asks(), injected=st.lists(draws.faults(), max_size=3))
    def a_task_by_id(self, ask: Ask, injected: list[Fault]) -> None:
        ids = self._of(ask.names[0])
        if ids:
            wish = replace(ask.wishes[0], image_cache_id=ids[-1])
            self._task(replace(ask, wishes=(wish,)), injected)

    @rule(ask=draws.bulk_asks(), data=st.data(), number=st.integers(0, 4))
    def a_task_for_many(self, ask: Ask, data: st.DataObject, number: int) -> None:
        self._task(ask, [data.draw(draws.faults(self.way.tls)) for _fault in range(number)])

    @rule(ask=st.one_of(draws.single_asks(), draws.bulk_asks()), orders=st.lists(draws.proxy_orders(), max_size=2))
    def a_task_behind_a_proxy(self, ask: Ask, orders: list[tuple[str, dict[str, Any]]]) -> None:
        if self.way.proxied:
            for method, arguments in orders:
                getattr(self.places.proxy, method)(**arguments)
            self._task(ask, [])

    @rule(ask=st.one_of(draws.single_asks(), draws.bulk_asks()))
    def a_task_that_check_mode_predicted(self, ask: Ask) -> None:
        settings = self.emulator.settings
        if settings.delete_fails or settings.rate or settings.quota < 10 or settings.tags_update == "merge":
            return  # what nobody can know before
        foretold = self._run(ask, check_mode=True)
        predicted(foretold, self._run(ask))
        self._remember(ask)
        self._settle([])

    def teardown(self) -> None:
        """(d) Once the faults have stopped, each wanted state is reached, and then there is nothing more to do."""
        if not hasattr(self, "last"):
            return
        self.emulator.settings.update({"delete_fails": 0, "quota": 5000, "rate": 0.0})
        try:
            for ask in self.last.values():
                self._reach(ask)
        finally:
            self._note()

    # --- what they are made of

    def _task(self, ask: Ask, injected: list[Fault]) -> None:
        self._remember(ask)
        self.emulator.inject(*injected)
        slow = any(fault.kind in draws.SLOW_KINDS for fault in injected)
        lates = [fault.details["seconds"] for fault in injected if fault.kind == "late"]
        try:
            late = bool(lates) and max(lates) + self.emulator.settings.list_lag > draws.REACH
            run = self._run(ask, timeout=draws.SLOW if slow else 20.0, late=late)
        finally:
            self.emulator.faults.clear()
            self.places.proxy.reset()
        self._settle(lates)
        promises.one_left(run, self.witness.world())
        promises.gone_is_gone(run, self.witness.world())

    def _remember(self, ask: Ask) -> None:
        for wish in ask.wishes:
            one = replace(wish, image_cache_id=None)
            self.last[wish.name] = replace(ask, wishes=(one,), bulk=False, prune_tags=None)

    def _run(self, ask: Ask, check_mode: bool = False, timeout: float = 20.0, late: bool = False) -> Run:
        FIGURES.tasks += 1
        controller = self._controller(timeout)
        run = self.witness.run(controller, ask, check_mode, late)
        FIGURES.failed_tasks += bool(run.told.error) or any(entry.failed for entry in run.told.entries)
        promises.check(run, controller)
        FIGURES.created += sum(one.effect for one in run.sent if one.operation == CREATE)
        return run

    def _reach(self, ask: Ask) -> None:
        calm = replace(ask, wait=ask.wishes[0].state == ABSENT)
        first = self._run(calm)
        if len(first.before.of(ask.names[0])) > 1:
            (entry,) = first.told.entries
            named = all(one in entry.msg for one in self._of(entry.name))
            first.demand("d", entry.failed and named, "two of a name, but no complaint")
            return
        self._settle([])
        promises.reached(first)
        last = self._run(calm)
        promises.rests(last)

    def _controller(self, timeout: float = 20.0) -> Controller:
        return self.places.controller(self.way, timeout)

    def _seed(self, name: str, images: tuple[str, ...], tags: list[dict[str, str]], **more: Any) -> None:
        self.emulator.service.seed(name, list(images), tags=tags, azName="az1", imageCacheSize=Wish().size, **more)

    def _elsewhere(self, operation: str, identifier: str, body: Any) -> None:
        with suppress(Exception):  # one that is being deleted cannot be deleted again
            self.emulator.service.perform(operation, self.emulator.settings.region_id, identifier, body)

    def _settle(self, lates: list[float]) -> None:
        settings = self.emulator.settings
        pass_time(self.emulator, settings.list_lag + settings.delete_after + max(lates, default=0.0))

    def _of(self, name: str) -> list[str]:
        return [fact.image_cache_id for fact in self.witness.world().of(name)]

    def _note(self) -> None:
        requests = self.emulator.requests
        FIGURES.requests += len(requests)
        for record in requests:
            kind, _mark, fault = str(record.status).partition(":")
            if kind == "fault":
                FIGURES.faults[fault] += 1
                FIGURES.effects_behind_faults += record.effect
