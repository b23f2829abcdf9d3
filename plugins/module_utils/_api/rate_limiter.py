# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast the requests of a task follow each other. Private to the collection.

The rate of the service is not documented, so it is learned, after the manner of the adaptive retry mode of botocore: less
as soon as a request is refused, more again little by little. Until the first refusal requests are only kept from coming
all in one instant, so that few are on their way when a limit is met. From the first refusal on, what the service accepts
in a time tells its rate; only before anything was accepted is it guessed, each time less than the guess before.
"""

from __future__ import annotations

import threading

from .._polling import Clock

# Requests a second at first: this part of those that are expected, within bounds, since what is on its way when a limit is met is
# refused. After HELD of them it is doubled each RAMP seconds until FREE is reached. AT_ONCE of them need not wait.
SHARE = 0.6
SLOWEST_START = 30.0
START = 400.0
HELD = 8
RAMP = 0.03
FREE = 4000.0
AT_ONCE = 8
# After the first refusal slower than at first: the less, the more requests are expected, since of many more may be refused. At
# most one in so many seconds; again slower with each refusal until one is accepted. From then on at so much more than is accepted.
SLOWER = 400.0
LEAST_SLOWER = 2.0
MOST_SLOWER = 8.0
FIRST_PAUSE = 0.013
LONGER = 3.0
SEARCH = 2.0
# After a refusal that comes later this part of what was accepted, and so much more with each that is accepted.
BACK = 0.95
MORE = 0.004
# Turns are given for so many seconds to come, or for one.
FORESIGHT = 0.05


class Pace:
    """The pace of one task: ``keep`` it before each request, and say how that went. For several threads."""

    def __init__(self, clock: Clock, start: float = START) -> None:
        self.accepted_ones = 0
        self._clock = clock
        self._start = start
        self._began = clock.monotonic()
        self._next = self._began - AT_ONCE / start
        self._is_free = start > FREE
        self._expected = 0
        self._rate = start
        # whoever waits for its turn when this changes has to ask for another one
        self._plan = 0
        self._refused_first: float | None = None
        self._changed = self._began
        # so many were accepted since; that of long ago counts less and less
        self._accepted = 0.0
        self._since = self._began
        self._learned = 0.0
        self._in_a_row = 0
        self._lock = threading.Lock()

    def expect(self, requests: int) -> None:
        """So many requests are about to be sent, as fast as they may be. Heeded if they are more than ever before."""
        with self._lock:
            if requests > self._expected and self._refused_first is None and self._start <= FREE:
                self._expected = requests
                self._start = min(START, max(SLOWEST_START, SHARE * requests))
                self._began = self._clock.monotonic()
                self._next = self._began - AT_ONCE / self._start
                self._is_free = False

    def keep(self) -> float:
        """Wait for one's turn. Returns when that came."""
        while not self._is_free:
            with self._lock:
                plan = self._plan
                turn, is_mine = self._turn()
            left = turn - self._clock.monotonic()
            if left > 0:
                self._clock.sleep(left)
            if is_mine and plan == self._plan:
                return turn
        return self._clock.monotonic()

    def accepted(self, sent: float) -> None:
        """A request that had its turn at that time was not refused for its rate."""
        with self._lock:
            self.accepted_ones += 1
            if self._refused_first is None or sent < self._refused_first:
                return
            self._accepted += 1
            if self._learned:
                self._in_a_row += 1
                self._rate = self._learned * (1 + MORE * self._in_a_row)
            else:  # still searching
                self._rate = max(self._rate, SEARCH * self._accepted_rate())

    def refused(self, sent: float, pause: float) -> None:
        """A request that had its turn at that time was refused for its rate; nothing is sent in ``pause`` seconds."""
        with self._lock:
            now = self._clock.monotonic()
            if self._refused_first is not None and sent < self._changed:
                self._next = max(self._next, now + pause)  # it was on its way before the last change
                return
            self._plan += 1
            self._is_free = False
            self._changed = now
            self._in_a_row = 0
            if self._refused_first is None:
                self._refused_first = self._since = now
                slower = SLOWER / self._expected if self._expected else LEAST_SLOWER
                self._rate = min(1 / FIRST_PAUSE, self._start / min(max(slower, LEAST_SLOWER), MOST_SLOWER))
            elif not self._accepted:
                self._rate /= LONGER
            else:
                # never less than half, since there were times in which nobody asked
                self._learned = self._rate = max(self._accepted_rate() * BACK, self._rate / 2)
                self._accepted /= 2
                self._since = (self._since + now) / 2
            self._next = now + max(pause, 1 / self._rate)

    def _turn(self) -> tuple[float, bool]:
        """When the next turn is, and whether it is that of the one who asks: who would have to wait long asks again, since
        the rate may be another one then.
        """
        now = self._clock.monotonic()
        if self._refused_first is None:
            self._rate = self._start * 2 ** min(max(now - self._began - HELD / self._start, 0) / RAMP, 30)
            self._is_free = self._rate > FREE
        if self._next - now > max(FORESIGHT, 1 / self._rate):
            return self._next, False
        turn = max(now, self._next)
        self._next = max(self._next, now - AT_ONCE / self._rate) + 1 / self._rate
        return turn, True

    def _accepted_rate(self) -> float:
        seconds = self._clock.monotonic() - self._since
        return (self._accepted + 0.5) / max(seconds, FIRST_PAUSE)
