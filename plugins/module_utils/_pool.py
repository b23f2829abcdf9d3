# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many items by a bounded number of threads. Private to the collection."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Iterable, TypeVar

T = TypeVar("T")

# Seconds between two calls of ``tick``.
TICK = 0.5
_SHORT_PAUSE = 0.02


def for_each(
    items: Iterable[T], work: Callable[[T], None], concurrency: int, tick: Callable[[], None] = lambda: None
) -> None:
    """Call ``work`` for each item, ``concurrency`` at a time; in this thread where one is enough, or none can be started.

    ``work`` handles its own errors. An exception that escapes it ends the queue and is raised after all threads have
    ended, as is one that interrupts the wait for them. ``tick`` is called from time to time in this thread.
    """
    queue = deque(items)
    errors: list[BaseException] = []
    threads: list[threading.Thread] = []

    def drain() -> None:
        while True:
            try:
                item = queue.popleft()
            except IndexError:
                return
            try:
                work(item)
            except BaseException as error:  # noqa: BLE001  raised again below
                errors.append(error)
                queue.clear()

    count = min(concurrency, len(queue))
    for _number in range(count if count > 1 else 0):
        thread = threading.Thread(target=drain, name="ctyun-eci", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # the machine gives no more threads
            break
        threads.append(thread)
    if not threads:
        drain()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(TICK)
                tick()
    except BaseException:
        queue.clear()
        while any(thread.is_alive() for thread in threads):
            time.sleep(_SHORT_PAUSE)
        raise
    if errors:
        raise errors[0]
