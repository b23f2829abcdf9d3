# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call operations of the API, with retries. Private to the collection."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import Callable

from .._cancel import Cancellation
from .._errors import NO_FILES, NONE, POSSIBLE, Cancelled, EciError, MachineLimit, Throttled
from .._polling import SYSTEM_CLOCK, Clock
from .._text import Redact
from .rate_limiter import RateLimiter
from .responses import HttpReply, Reply, read
from .transport import Body, Operation, Transport

FIRST_DELAY = 0.5
RETRY_QUOTA = 20
FREE_THROTTLES = 5  # in a row and with nothing accepted in between, before one counts as a failed attempt


class RetryQuota:
    """Bounds the retries of a task in an outage: each retry takes one, each success gives one back."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._lock = threading.Lock()

    @property
    def exhausted(self) -> bool:
        return self._left == 0

    def take(self) -> bool:
        """Take one; return False if none is left."""
        with self._lock:
            taken, self._left = self._left > 0, max(self._left - 1, 0)
            return taken

    def give_back(self) -> None:
        with self._lock:
            self._left = min(self._size, self._left + 1)


class Attempts:
    """Counts the attempts at one request: those made, those that count as failed, those throttled in a row."""

    def __init__(self, client: Client, operation: Operation) -> None:
        self.operation = operation
        self.began = client.clock.monotonic()
        self.accepted = client.limiter.accepted
        self.made = self.failed = self.throttled = 0


class Client:
    """Calls operations for one task. Safe to use from several threads.

    ``redact`` removes the secrets of the task; ``write`` takes progress lines, or is None. ``clock`` is for all parts
    of the task: its ``sleep`` raises Cancelled once the task is cancelled. ``retry_quota`` is for changing requests.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock = SYSTEM_CLOCK,
        uniform: Callable[[float, float], float] = random.uniform,
        redact: Redact = str,
        write: Callable[[str], None] | None = None,
        cancellation: Cancellation | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.connection = transport.connection
        self.cancellation = cancellation or Cancellation()
        self._plain_sleep = self.cancellation.sleep if clock.sleep is SYSTEM_CLOCK.sleep else clock.sleep
        self.clock = clock._replace(sleep=self._sleep)
        self.redact, self.write = redact, write
        self.limiter = limiter or RateLimiter(self.clock)
        self.on_reply: Callable[[HttpReply], None] | None = None
        # by whether the operation changes something: reads that succeed say nothing about changes
        self._quotas = [RetryQuota(max(RETRY_QUOTA, 2 * self.connection.retries)) for _changes in (False, True)]
        self.retry_quota = self._quotas[True]
        self._transport, self._uniform = transport, uniform

    def call(
        self, operation: Operation, body: Body | None = None, identifier: str = "", attempts: Attempts | None = None
    ) -> Reply:
        """Carry out an operation. Raises EciError, whose ``effect`` is that of all attempts of this call.

        ``identifier`` ends the path. An operation that is not repeatable is sent once; see ``may_retry`` for more.
        """
        attempts = attempts or Attempts(self, operation)
        effect = NONE
        while True:
            sent = 0.0
            try:
                self.cancellation.check()
                sent = self.limiter.acquire()
                http_reply = self._transport.send(operation, body, identifier, self.clock.time, self.redact)
                if self.on_reply:
                    self.on_reply(http_reply)
                reply = read(http_reply, self.redact)
                if reply is None:
                    raise self._failure(http_reply)
            except EciError as error:
                error.attempts = attempts.made + (not isinstance(error, Cancelled))
                effect = POSSIBLE if operation.changes and error.effect == POSSIBLE else effect
                error.effect = effect
                if isinstance(error, Throttled):
                    self.limiter.on_throttled(sent, min(error.retry_after or 0, self.connection.retry_max_delay))
                elif error.http_status:
                    self.limiter.on_success(sent)  # whatever the answer is, the rate was accepted
                if isinstance(error, Cancelled) or not (operation.repeatable and self.may_retry(attempts, error)):
                    raise
            else:
                self.limiter.on_success(sent)
                self._quotas[operation.changes].give_back()
                return reply

    def _failure(self, reply: HttpReply) -> EciError:
        try:
            from .failures import failure  # most tasks do without
        except OSError:
            return MachineLimit(f"{NO_FILES}.", effect=POSSIBLE, operation=reply.operation)
        return failure(reply, self.clock.time(), self.redact)

    def may_retry(self, attempts: Attempts, error: EciError) -> bool:
        """Wait until a failed request may be sent again; return False if it may not. For callers of ``call``, too."""
        error.attempts = attempts.made = attempts.made + 1
        delay = self._delay(attempts, error)
        with contextlib.suppress(Cancelled):
            if delay is not None:
                self.clock.sleep(delay)
                return True
        if attempts.made > 1:
            seconds = self.clock.monotonic() - attempts.began
            error.add(f"This was attempt {attempts.made}, {seconds:.0f} s after the first.")
        return False

    def _delay(self, attempts: Attempts, error: EciError) -> float | None:
        """Return the delay (s) before the next attempt, None if there is to be none."""
        retries, longest = self.connection.retries, self.connection.retry_max_delay
        if isinstance(error, Throttled):
            in_a_row, attempts.accepted = attempts.accepted == self.limiter.accepted, self.limiter.accepted
            attempts.throttled = attempts.throttled + 1 if in_a_row else 1
            if retries and attempts.throttled <= FREE_THROTTLES:
                return 0.0  # the limiter delays it
        if not error.retryable or attempts.failed >= retries or not self._quotas[attempts.operation.changes].take():
            return None
        jitter = self._uniform(0, min(longest, FIRST_DELAY * 2.0 ** min(attempts.failed, 30)))
        attempts.failed += 1
        return min(longest, max(jitter, error.retry_after or 0))

    def _sleep(self, seconds: float) -> None:
        self.cancellation.check()
        self._plain_sleep(seconds)
