# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time, the one loop that waits, and progress lines meanwhile. Private to the collection."""

from __future__ import annotations

import time as system
from typing import Callable, Iterable, Iterator, NamedTuple, TypeVar

from ._text import printable

# Delays (s) before each read of a list that may lag behind a change. The service documents no consistency.
CONSISTENCY_DELAYS = (0.0, 1.0, 2.0, 4.0)
# Seconds until the first progress line, and between two lines.
FIRST_PROGRESS = 10.0
PROGRESS_INTERVAL = 30.0

_GROWTH = 1.5
_LARGEST = 6

T = TypeVar("T")


class Clock(NamedTuple):
    """The time of a task, in seconds; ``time`` is since the epoch. ``sleep`` raises Cancelled once the task is cancelled."""

    sleep: Callable[[float], None] = system.sleep
    monotonic: Callable[[], float] = system.monotonic
    time: Callable[[], float] = system.time


SYSTEM_CLOCK = Clock()


class Wait(NamedTuple):
    """The options of waiting, in seconds."""

    timeout: float
    interval: float

    def delays(self, clock: Clock) -> Iterator[float]:
        """The interval, growing to six times that; the last delay ends at the timeout."""
        deadline = clock.monotonic() + self.timeout
        delay = self.interval
        while True:
            left = deadline - clock.monotonic()
            if left <= 0:
                return
            yield min(delay, left)
            delay = min(delay * _GROWTH, self.interval * _LARGEST)


def poll(clock: Clock, delays: Iterable[float], read: Callable[[], T], done: Callable[[T], bool], first: T) -> T:
    """Call ``read`` after each delay until ``done`` accepts its value or the delays end; return the last value.

    ``first`` is returned where there are no delays, and has not been accepted. ``done`` must be pure: callers ask it again.
    """
    value = first
    for delay in delays:
        if delay:
            clock.sleep(delay)
        value = read()
        if done(value):
            break
    return value


class Progress:
    """Passes at most one line each PROGRESS_INTERVAL to ``write``, which is None where progress is not shown."""

    def __init__(self, clock: Clock, write: Callable[[str], None] | None) -> None:
        self._clock = clock
        self._write = write
        self._due = clock.monotonic() + FIRST_PROGRESS

    def report(self, line: Callable[[], str]) -> None:
        """Write this line if one is due."""
        if self._write is not None and self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + PROGRESS_INTERVAL
            self._write(printable(line()))


def minutes(seconds: float) -> str:
    """``75`` -> ``1:15``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
