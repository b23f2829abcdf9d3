# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many things at a time, by a bounded number of threads. Private to the collection."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Iterable, TypeVar

T = TypeVar("T")


# Seconds between two looks of the one who waits for the threads.
TICK = 0.5
SHORT_PAUSE = 0.02


def each(
    things: Iterable[T],
    work: Callable[[T], None],
    concurrency: int,
    tick: Callable[[], None] = lambda: None,
    end: Callable[[], None] = lambda: None,
) -> None:
    """Call ``work``, which handles its own errors, for each of the things, ``concurrency`` of them at a time.

    If the machine gives fewer threads, those do all of it; if none, it is done here. Whatever ends the wait for them
    (an interrupt, a time-out) ends the queue: what is under way is finished, nothing new is begun. ``end`` is called
    then, so that it is finished soon. ``tick`` is called from time to time meanwhile, in the calling thread.
    """
    queue = deque(things)
    errors: list[BaseException] = []
    threads: list[threading.Thread] = []
    # not Thread.join, which takes a thread for ended when a signal interrupts it (CPython issue 90882)
    someone_ended = threading.Event()

    def drain() -> None:
        while True:
            try:
                thing = queue.popleft()
            except IndexError:
                return
            try:
                work(thing)
            except BaseException as error:  # noqa: BLE001  told to whoever waits
                errors.append(error)
                queue.clear()

    ended: list[None] = []

    def run() -> None:
        try:
            drain()
        finally:
            ended.append(None)
            someone_ended.set()

    try:
        for _number in range(min(concurrency, len(queue))):
            thread = threading.Thread(target=run, name="ctyun-eci", daemon=True)
            threads.append(thread)
            try:
                thread.start()
            except (RuntimeError, MemoryError):  # no more threads
                threads.remove(thread)
                break
        if not threads:
            drain()
        while len(ended) < len(threads):
            if not someone_ended.wait(TICK):
                tick()
            someone_ended.clear()
    except BaseException:
        queue.clear()
        end()
        while any(thread.is_alive() for thread in threads):
            time.sleep(SHORT_PAUSE)
        raise
    if errors:
        raise errors[0]
