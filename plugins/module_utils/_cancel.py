# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cancellation: a signal sets a stop flag; the request under way is finished, no other is begun. Private to the collection."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import Any, Iterator

from ._errors import Cancelled

# Ansible's keyword timeout raises SIGALRM in the worker.
TIMEOUT = "SIGALRM"
# Longest sleep (s) between two checks of the flag.
_SLICE = 0.1


class Cancellation:
    """The stop flag of a task. ``reason`` is the name of the signal that set it, None before.

    A plain attribute, and no threading.Event: a handler that runs while its own thread holds the lock of an event deadlocks.
    """

    def __init__(self) -> None:
        self.reason: str | None = None

    def cancel(self, reason: str) -> None:
        """Set the flag. The first reason stays."""
        self.reason = self.reason or reason

    def check(self) -> None:
        """Raise Cancelled if the flag is set."""
        if self.reason:
            what = "the keyword timeout" if self.reason == TIMEOUT else self.reason
            raise Cancelled(f"The task was stopped before it finished ({what}).")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise Cancelled soon after the flag is set."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _SLICE))


@contextlib.contextmanager
def cancel_on_signals(cancellation: Cancellation) -> Iterator[None]:
    """Within this, signals that would end the process cancel the task. Only the main thread may set handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def cancel(number: int, _frame: Any) -> None:
        cancellation.cancel(signal.Signals(number).name)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if callable(signal.getsignal(signal.SIGALRM)):
        numbers.append(signal.SIGALRM)
    before = {number: signal.signal(number, cancel) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
