# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the service: sends operations, again where that is safe, and reads what comes back.

Private to the collection.
"""

from __future__ import annotations

import random
import time
from typing import Any, Callable, Mapping

from .._errors import EciError, OpenOutcome, Throttled
from .connection import Connection
from .reply import ReturnObj, return_obj
from .transport import Operation, Transport

FIRST_DELAY = 0.5


class Pace:
    """A pause for all threads of a client, after the service told one of them that they are too fast."""

    def __init__(self, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._resume = monotonic()

    def slow_down(self, seconds: float) -> None:
        """Let nobody go on before these seconds are over."""
        self._resume = max(self._resume, self._monotonic() + seconds)

    def keep(self) -> None:
        """Wait as long as a pause lasts."""
        left = self._resume - self._monotonic()
        if left > 0:
            self._sleep(left)


class Client:
    """Sends operations and reads their replies. Safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        pool_size: int = 1,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.connection = connection
        self.sleep = sleep
        self._transport = Transport(connection, pool_size, clock)
        self._pace = Pace(sleep, monotonic)
        self._clock = clock
        self._uniform = uniform

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the user wants between two attempts."""
        if seconds:
            self.sleep(min(seconds, self.connection.retry_max_delay))

    def call(
        self, operation: Operation, body: Mapping[str, Any] | None = None, identifier: str = "", earlier: int = 0
    ) -> ReturnObj:
        """Carry out an operation and return the reply's ``returnObj``, an empty one if it has none.

        ``identifier`` is the object's ID where the path ends in one. A repeatable operation is tried up to
        ``retries`` times more where that may help; ``earlier`` tells how often the caller has tried by itself.
        Raises an EciError.
        """
        attempt = earlier
        opened = False
        while True:
            try:
                self._pace.keep()
                return return_obj(self._transport.send(operation, body, identifier), self._clock())
            except EciError as error:
                error.after_open = opened
                opened = opened or isinstance(error, OpenOutcome)
                delay = self.delay(attempt, error.retry_after)
                if isinstance(error, Throttled):
                    self._pace.slow_down(delay)
                if not (operation.repeatable and error.retryable and attempt < self.connection.retries):
                    raise
                if not isinstance(error, Throttled):
                    self.sleep(delay)
                attempt += 1

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds before attempt ``attempt + 2``: full jitter under a doubling bound, or what the service asked for.

        Never more than ``retry_max_delay``.
        """
        longest = self.connection.retry_max_delay
        jitter = self._uniform(0, min(longest, FIRST_DELAY * 2.0 ** min(attempt, 30)))
        return min(longest, max(jitter, retry_after or 0))
