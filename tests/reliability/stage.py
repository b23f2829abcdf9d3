# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several controllers on one stage: one service, one clock, and one request at a time, whose turn it is being chosen.

Each controller has a thread and a client of its own; only the sockets are left out, a request goes
straight to the emulator's service. A thread runs until it has a request to send, or pauses. Then the stage chooses whose
request is next. A pause ends when nobody has a request to send, the shortest first: requests are faster than the shortest
pause, that is the model. Everything is repeatable: the same choices lead to the same end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation, Transport
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from tests.emulator import caches, errors, replies, service
from tests.emulator import clock as clocks
from tests.emulator.settings import Settings
from tests.reliability.asks import SECRET_KEY, Ask
from tests.reliability.controllers import Controller, Told
from tests.reliability.promises import World
from tests.unit.plugins.emulated import CREATE

BEGINNING = 1_700_000_000.0
MOST_STEPS = 400
CONNECTION = Connection("ak", SECRET_KEY, Settings.region_id, "https://eci.test", True, 20.0, 2, 30.0)


class Killed(BaseException):
    """The end of a controller, at once and for good."""


class TooLong(AssertionError):
    """The controllers go on and on."""


@dataclass
class Step:
    """A request that was dealt with: ``identifier`` is the image cache's that it made or was about, or None.

    ``asked`` is its body, ``world`` is all there was just before. A request may be ``good`` and have no effect, if another
    one had just done the same.
    """

    actor: int
    operation: str
    identifier: str | None
    asked: Any
    good: bool
    effect: bool
    world: World

    def __str__(self) -> str:
        mark = "!" if self.effect else ""
        return f"{'ABC'[self.actor]} {self.operation}{mark} {self.identifier or ''}"


@dataclass
class Actor:
    """A controller on the stage, and where it is: ``pending`` is the request that it wants to send ``since`` a time, ``wakes``
    is when its pause is over.
    """

    number: int
    controller: Controller
    ask: Ask = field(default_factory=Ask)
    turn: threading.Lock = field(default_factory=threading.Lock)
    pending: tuple[Operation, Any, str] | None = None
    since: float = 0.0
    wakes: float | None = None
    done: bool = True
    killed: bool = False
    told: Told | None = None
    error: BaseException | None = None


# The actor whose request is next, or None to let time pass first, until the next pause is over.
Choose = Callable[[list[Actor]], Actor | None]


class Stage:
    """``choose`` picks one of the actors that want to send a request."""

    def __init__(self, base: str, actors: int, choose: Choose) -> None:
        self.choose = choose
        self.settings = Settings()
        self.clock = clocks.Clock(lambda: BEGINNING)
        self.service = service.Service(self.settings, self.clock)
        self.steps: list[Step] = []
        self.tick = 0.0
        self._parked = threading.Lock()
        self._parked.acquire()
        self.actors = [Actor(number, self._controller(base, number)) for number in range(actors)]
        for actor in self.actors:
            actor.turn.acquire()

    def reset(self, habits: Mapping[str, Any], tick: float = 0.0) -> None:
        """Back to the beginning. The service's clock goes on by ``tick`` seconds before each create."""
        self.settings.assign(Settings())
        self.settings.update(habits)
        self.service.reset()
        self.steps.clear()
        self.tick = tick
        for actor in self.actors:
            actor.killed = False

    def world(self) -> World:
        """All there is now."""
        return World(self.service.caches(), self.settings)

    def play(self, *asks: Ask | None) -> list[Actor]:
        """Let the controllers do these tasks, all at the same time; None for one that does nothing."""
        playing = [actor for actor, ask in zip(self.actors, asks, strict=True) if ask]
        for actor, ask in zip(self.actors, asks, strict=True):
            if ask:
                self._start(actor, ask)
        for _step in range(MOST_STEPS):
            ready = [actor for actor in playing if actor.pending]
            chosen = self.choose(ready) if ready else None
            if chosen:
                self._resume(chosen)
            elif not self._wake(playing):
                return playing
        for actor in playing:
            self.kill(actor)
        raise TooLong(f"more than {MOST_STEPS} steps")

    def kill(self, actor: Actor) -> None:
        """End a controller that waits for its turn, or sleeps."""
        actor.killed = True
        if not actor.done:
            self._resume(actor)

    def pass_time(self, seconds: float) -> None:
        """Let time pass for all."""
        self.service.advance(seconds)

    def next_wake(self) -> float | None:
        """When the first of the pauses is over."""
        return min((actor.wakes for actor in self.actors if actor.wakes is not None), default=None)

    def _start(self, actor: Actor, ask: Ask) -> None:
        actor.ask, actor.told, actor.error, actor.done = ask, None, None, False
        actor.pending = actor.wakes = None
        threading.Thread(target=self._run, args=(actor,), daemon=True).start()
        self._parked.acquire()

    def _run(self, actor: Actor) -> None:
        try:
            actor.told = actor.controller.run(actor.ask)
        except BaseException as error:  # noqa: BLE001  whoever looks at the actor raises it
            actor.error = error
        actor.pending = actor.wakes = None
        actor.done = True
        self._parked.release()

    def _resume(self, actor: Actor) -> None:
        actor.turn.release()
        self._parked.acquire()

    def _park(self, actor: Actor) -> None:
        """Give the turn back and wait for the next one."""
        self._parked.release()
        actor.turn.acquire()
        if actor.killed:
            raise Killed

    def _sleep(self, actor: Actor, seconds: float) -> None:
        if actor.killed:
            raise Killed
        actor.wakes = self.clock.now() + seconds
        self._park(actor)

    def _wake(self, playing: list[Actor]) -> bool:
        """Let time pass until the first pause is over; whether there was one."""
        until = self.next_wake()
        if until is None:
            return False
        self.service.advance(max(0.0, until - self.clock.now()))
        for actor in playing:
            if actor.wakes is not None and actor.wakes <= until:
                actor.wakes = None
                self._resume(actor)
        return True

    def _controller(self, base: str, number: int) -> Controller:
        clock = Clock(lambda seconds: self._sleep(self.actors[number], seconds), self.clock.now, self.clock.now)
        connect = partial(Direct, self, number)
        return Controller(base, str(number), CONNECTION, clock, connect)

    def send(self, number: int, operation: Operation, body: Any, identifier: str) -> HttpReply:
        """One request of an actor, in its thread."""
        actor = self.actors[number]
        if actor.killed:
            raise Killed
        actor.pending, actor.since = (operation, body, identifier), self.clock.now()
        self._park(actor)
        actor.pending = None
        return self._perform(number, operation, body, identifier)

    def _perform(self, number: int, operation: Operation, body: Any, identifier: str) -> HttpReply:
        if operation.name == CREATE:
            self.service.advance(self.tick)
        world = self.world() if operation.changes else _NOWHERE
        try:
            answer = self.service.perform(operation.name, self.settings.region_id, identifier, body)
            reply = replies.good(answer, self.settings)
        except errors.ServiceError as error:
            answer, reply = service.Answer({}), replies.refused(error, self.settings)
        about = identifier or answer.value.get("imageCacheId") or (body or {}).get("imageCacheId")
        good = "returnObj" in reply.payload
        self.steps.append(Step(number, operation.name, about, body, good, reply.effect, world))
        return HttpReply(operation.name, "request", reply.status, {}, reply.encoded())


_NOWHERE = World((), Settings())


class Direct(Transport):
    """A transport without a socket."""

    def __init__(self, stage: Stage, number: int, *_settings: Any) -> None:
        self.connection = CONNECTION
        self._stage = stage
        self._number = number

    def send(self, operation: Operation, body: Any, identifier: str, *_rest: Any) -> HttpReply:
        return self._stage.send(self._number, operation, body, identifier)

    def close(self) -> None:
        pass


@contextmanager
def ids_in_order(direction: int) -> Iterator[None]:
    """Let the service give IDs that go up (1) or down (-1), so that of two of one second the first is the lower or not."""
    number = 500

    def choices(_alphabet: str, k: int) -> list[str]:
        nonlocal number
        number += direction
        return [f"{number:0{k}}"]

    with patch.object(service, "random", SimpleNamespace(choices=choices)):
        yield


@contextmanager
def quick_times() -> Iterator[None]:
    """Remember how times are written: there are few, and each is written often."""
    known: dict[float, str] = {}
    real = caches.beijing

    def beijing(seconds: float) -> str:
        return known.get(seconds) or known.setdefault(seconds, real(seconds))

    with patch.object(caches, "beijing", beijing):
        yield
