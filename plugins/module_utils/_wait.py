# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time, and waiting for a state with growing pauses and an end. Private to the collection."""

from __future__ import annotations

import time as system
from typing import Callable, NamedTuple, TypeVar

GROWTH = 1.5
LONGEST = 6

T = TypeVar("T")


class Clock(NamedTuple):
    """The time of a task, in seconds: how to let it pass, and how to read it (``time`` is since the epoch)."""

    sleep: Callable[[float], None] = system.sleep
    monotonic: Callable[[], float] = system.monotonic
    time: Callable[[], float] = system.time


MACHINE_TIME = Clock()


class Wait(NamedTuple):
    """How to wait, in seconds: ``interval`` is the first pause; pauses grow to at most six times that."""

    timeout: float
    interval: float

    def until(self, clock: Clock, value: T, read: Callable[[], T], done: Callable[[T], bool]) -> tuple[bool, T]:
        """Call ``read`` until ``done`` of what it returns, or until the time is over; ``value`` was read just now.

        Returns whether it is done, and what was read last; a last look is taken when the time is over.
        """
        deadline = clock.monotonic() + self.timeout
        pause = self.interval
        while not done(value):
            left = deadline - clock.monotonic()
            if left <= 0:
                return False, value
            clock.sleep(min(pause, left))
            pause = min(pause * GROWTH, self.interval * LONGEST)
            value = read()
        return True, value
