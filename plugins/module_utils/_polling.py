# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time, and the one loop that waits. Private to the collection."""

from __future__ import annotations

import time as system
from typing import Callable, Iterable, Iterator, NamedTuple, TypeVar

# Delays (s) before each read of a list that may lag behind a change. The service documents no consistency.
CONSISTENCY_DELAYS = (0.0, 1.0, 2.0, 4.0)

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
