# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit the rate of requests to what the service accepts. Private to the collection.

CTYun documents no rate, so it is learned, after the model of botocore's adaptive retry mode: nothing is limited until a
request is throttled; from then on a token bucket is, whose rate falls by a factor with a throttled request and rises a
little with each accepted one.
"""

from __future__ import annotations

import threading

from .._polling import Clock

# Rates are in requests per second. The first one after a throttled request is rather too high: that costs throttled
# requests, which cost nobody anything; one that is too low costs time.
FIRST_RATE = 100.0
# The lowest rate, and the factor of the decrease, are those of botocore (TokenBucket, CubicCalculator; RFC 9438 has the
# same factor). Those of the increase and the capacity were found by the simulation in test_rate_limiter.py.
LOWEST_RATE = 0.5
DECREASE = 0.7
INCREASE = 1.02
# The bucket holds the tokens of so many seconds, for threads that come late to take theirs.
CAPACITY = 0.1


class RateLimiter:
    """The token bucket of one task. ``accepted`` counts requests that were not throttled. Safe to use from threads."""

    def __init__(self, clock: Clock) -> None:
        self.accepted = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._rate: float | None = None
        # when there is a token again, and when the rate was last decreased
        self._next = self._decreased = clock.monotonic()

    def acquire(self) -> float:
        """Wait for a token; return when the request may be sent, to be passed to the methods below."""
        while True:
            with self._lock:
                now = self._clock.monotonic()
                delay = self._next - now
                if delay <= 0:
                    if self._rate:
                        self._next = max(self._next, now - CAPACITY) + 1 / self._rate
                    return now
            self._clock.sleep(delay)

    def on_success(self, sent: float) -> None:
        """Increase the rate: a request was not throttled."""
        with self._lock:
            self.accepted += 1
            if self._rate and sent >= self._decreased:
                self._rate *= INCREASE

    def on_throttled(self, sent: float, retry_after: float) -> None:
        """Decrease the rate, once for all requests under way, and send nothing for ``retry_after`` seconds."""
        with self._lock:
            now = self._clock.monotonic()
            if self._rate is None:
                self._rate = FIRST_RATE
                self._decreased = now
            elif sent >= self._decreased:
                self._rate = max(LOWEST_RATE, self._rate * DECREASE)
                self._decreased = now
            self._next = max(self._next, now + max(retry_after, 1 / self._rate))
