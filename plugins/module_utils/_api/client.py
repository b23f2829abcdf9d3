# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of one task: each as often as it takes, at the service's pace. Private to the collection."""

from __future__ import annotations

import random
import threading
import time
from typing import Any, Callable, Mapping

from .._errors import NONE, POSSIBLE, EciError, Throttled
from .._polling import SYSTEM_CLOCK, Clock
from .config import Connection
from .rate_limiter import Pace
from .responses import HttpReply, Reply, read
from .._text import Redact as Hide
from .._cancel import Cancellation
from .transport import Operation, Transport

FIRST_DELAY = 0.5
# So many attempts of a task, of all its requests together, may be followed by another; a success gives one back.
LEAST_BUDGET = 20
# The pace finds out by itself how much slower it has to be; so many refusals in a row are no sign of anything else.
PROBES = 3


class Attempts:
    """How often one request was tried, see Client.again."""

    def __init__(self, client: Client, operation: Operation) -> None:
        self.operation = operation
        self.made = 0
        self.began = client.clock.monotonic()
        self.accepted_before = -1
        self.refused = 0


class Client:
    """Sends operations and reads their replies, for one task. Safe to use from several threads.

    ``hide`` takes the secrets of the task out of what the service wrote. ``retried`` has a line for each attempt that
    was followed by another. ``is_left_open`` is true if a request that changes something was
    interrupted. ``say`` takes a line on the progress of the task, where somebody listens; ``hear``, where it is set,
    takes each reply as it came. ``clock`` is the one that all parts of the task have: its ``sleep`` ends with TaskEnded
    as soon as the task is ended.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock = SYSTEM_CLOCK,
        uniform: Callable[[float, float], float] = random.uniform,
        redact: Hide = str,
        write: Callable[[str], None] | None = None,
        cancellation: Cancellation | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.connection: Connection = transport.connection
        self.redact = self.hide = redact
        self.write = write
        self.cancellation = cancellation or Cancellation()

        class Q:
            exhausted = property(lambda q: self._budgets[True] <= 0)

        self.retry_quota = Q()
        self.hear: Callable[[HttpReply], None] | None = None
        self.retried: list[str] = []
        self.is_left_open = False
        self._transport = transport
        self._uniform = uniform
        self._ended = threading.Event()
        self.ended_by: BaseException | None = None
        self._sleep = clock.sleep
        self.clock = clock._replace(sleep=self._sleep_unless_ended)
        self.pace = pace or Pace(self.clock)
        # one for requests that change something, one for those that do not: reads that succeed say nothing of the others
        budget = max(LEAST_BUDGET, 2 * self.connection.retries)
        self._budgets = {True: budget, False: budget}
        self._full_budget = budget

    def end(self, reason: BaseException | None = None) -> None:
        """End the task: no pause and no further attempt from now on. ``ended_by`` tells the first reason."""
        self.ended_by = self.ended_by or reason
        self._ended.set()

    def successor(self) -> Client:
        """Another one for what has to be done although the task is ended."""
        clock = self.clock._replace(sleep=self._sleep)
        other = Client(self._transport, clock=clock, uniform=self._uniform, hide=self.hide, say=self.say)
        other.retried = self.retried
        other.hear = self.hear
        return other

    @property
    def is_ended(self) -> bool:
        """Whether the task was ended."""
        return self._ended.is_set()

    @property
    def is_worn_out(self) -> bool:
        """Whether requests that change something have failed so often that no more of them should be begun."""
        return self._budgets[True] <= 0

    def call(
        self,
        operation: Operation,
        body: Mapping[str, Any] | None = None,
        identifier: str = "",
        attempts: Attempts | None = None,
    ) -> Reply:
        """Carry out an operation and return the reply to it.

        ``identifier`` is the object's ID where the path ends in one. A repeatable operation is tried up to
        ``retries`` times more where that may help; for another one the caller keeps count, in ``attempts``. Raises an
        EciError, whose ``effect`` is that of all attempts.
        """
        attempts = attempts or Attempts(self, operation)
        effect = NONE
        while True:
            sent = 0.0
            self.cancellation.check()
            try:
                sent = self.pace.keep()
                reply = self._transport.send(operation, body, identifier, self.clock.time, self.hide)
                if self.hear:
                    self.hear(reply)
                good = read(reply, self.clock.time(), self.hide)
            except EciError as error:
                if operation.changes and error.effect == POSSIBLE:
                    effect = POSSIBLE
                error.effect = effect
                if isinstance(error, Throttled):
                    self.pace.refused(sent, self._pause(error, attempts))
                elif error.http_status:  # whatever it is that was answered
                    self.pace.accepted(sent)
                if not (operation.repeatable and self.may_retry(attempts, error)):
                    raise
            except BaseException:
                self.is_left_open = self.is_left_open or operation.changes
                raise
            else:
                self.pace.accepted(sent)
                self._budgets[operation.changes] = min(self._budgets[operation.changes] + 1, self._full_budget)
                return good

    def may_retry(self, attempts: Attempts, error: EciError) -> bool:
        """Whether a request that failed is to be tried again; after the pause that is due before that.

        A refusal for rate is no attempt, as long as the service accepts others in between.
        """
        throttled = isinstance(error, Throttled)
        if throttled:
            may = 0 < self.connection.retries > attempts.refused - PROBES
        else:
            may = error.retryable and attempts.made < self.connection.retries and self._take(attempts.operation)
        attempts.made += 1
        error.attempts = attempts.made
        if not may or self.is_ended:
            if attempts.made > 1:
                seconds = self.clock.monotonic() - attempts.began
                error.add(f"This was attempt {attempts.made}, {seconds:.0f} s after the first.")
            return False
        delay = 0.0 if throttled else self.delay(attempts.made - 1, error.retry_after)
        when = "when its turn comes" if throttled else f"in {delay:.1f} s"
        self.retried.append(f"attempt {attempts.made}, the next one {when}: {error.message}")
        try:
            self.clock.sleep(delay)  # none where the pace has become slower instead
        except EciError:
            return False
        return True

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds before attempt ``attempt + 2``: full jitter under a doubling bound, or what the service asked for.

        Never more than ``retry_max_delay``.
        """
        longest = self.connection.retry_max_delay
        jitter = self._uniform(0, min(longest, FIRST_DELAY * 2.0 ** min(attempt, 30)))
        return min(longest, max(jitter, retry_after or 0))

    def _pause(self, error: EciError, attempts: Attempts) -> float:
        """The pause for all after a refusal for rate, beside that of the pace: longer if nothing is accepted at all."""
        alone = attempts.accepted_before == self.pace.accepted_ones
        attempts.refused = attempts.refused + 1 if alone else 1
        attempts.accepted_before = self.pace.accepted_ones
        if attempts.refused > PROBES:
            return self.delay(attempts.refused - PROBES - 1, error.retry_after)
        return min(self.connection.retry_max_delay, error.retry_after or 0.0)

    def _take(self, operation: Operation) -> bool:
        left = self._budgets[operation.changes]
        self._budgets[operation.changes] = max(left - 1, 0)  # whatever was begun in an outage may succeed after it
        return left > 0

    def _sleep_unless_ended(self, seconds: float) -> None:
        if not self.is_ended:
            if self._sleep is time.sleep:
                self._ended.wait(seconds)
            else:
                self._sleep(seconds)
        if self.is_ended:
            raise EciError("The task was ended.")
