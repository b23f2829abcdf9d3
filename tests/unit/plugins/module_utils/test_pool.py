# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work by a bounded number of threads, on machines that give fewer, and an exception in the wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _pool
from ansible_collections.ctyun.eci.plugins.module_utils._pool import for_each


def test_all_of_it_is_done_once() -> None:
    done: list[int] = []
    for_each(range(200), done.append, 10)
    assert sorted(done) == list(range(200))


@pytest.mark.parametrize(("things", "concurrency", "expected"), [(20, 4, 4), (3, 10, 3), (0, 10, 0), (5, 1, 1)])
def test_no_more_at_a_time_than_asked_for(things: int, concurrency: int, expected: int) -> None:
    running, most = set(), [0]
    barrier = threading.Barrier(expected) if expected else None

    def work(thing: int) -> None:
        running.add(thing)
        most[0] = max(most[0], len(running))
        if barrier and thing < expected:
            barrier.wait(10)  # so many are at work at the same time
        running.discard(thing)

    for_each(range(things), work, concurrency)
    assert most[0] == expected


@pytest.fixture
def few_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the machine give so many threads."""
    start = threading.Thread.start

    def limit(most: int, error: Exception | None = None) -> None:
        given = [0]

        def started(thread: threading.Thread) -> None:
            given[0] += 1
            if given[0] > most:
                raise error or RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", started)

    return limit


@pytest.mark.parametrize("error", [None, MemoryError()], ids=repr)
@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_machine_that_gives_few_threads(most: int, error: Exception | None, few_threads: Callable[..., None]) -> None:
    few_threads(most, error)
    done: list[int] = []
    for_each(range(50), done.append, 10)
    assert sorted(done) == list(range(50))


def test_an_error_ends_the_queue_and_is_raised() -> None:
    done: list[int] = []

    def work(thing: int) -> None:
        if thing == 3:
            raise LookupError(thing)
        done.append(thing)

    with pytest.raises(LookupError):
        for_each(range(1000), work, 1)
    assert done == [0, 1, 2]


def test_a_single_item_and_one_at_a_time_need_no_further_threads() -> None:
    seen: set[str] = set()
    for_each([1], lambda _item: seen.add(threading.current_thread().name), 10)
    for_each([1, 2], lambda _item: seen.add(threading.current_thread().name), 1)
    assert seen == {threading.current_thread().name}


def test_an_exception_in_the_wait_finishes_what_is_under_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "TICK", 0.01)
    begun: list[int] = []
    finished: list[int] = []
    ended = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        ended.wait(10)
        finished.append(item)

    def tick() -> None:
        ended.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for_each(range(100), work, 3, tick)
    assert sorted(finished) == sorted(begun)
    assert 3 <= len(begun) <= 6


def test_tick_is_called_in_the_thread_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "TICK", 0.01)
    ticks: list[str] = []
    for_each(range(3), lambda thing: time.sleep(0.2), 3, tick=lambda: ticks.append(threading.current_thread().name))
    assert len(ticks) > 3
    assert set(ticks) == {threading.current_thread().name}
