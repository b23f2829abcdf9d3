# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work by a bounded number of threads, on machines that give fewer, and an end that comes from outside."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _pool as workers
from ansible_collections.ctyun.eci.plugins.module_utils._pool import each


def test_all_of_it_is_done_once() -> None:
    done: list[int] = []
    each(range(200), done.append, 10)
    assert sorted(done) == list(range(200))


@pytest.mark.parametrize(("things", "concurrency", "expected"), [(20, 4, 4), (3, 10, 3), (0, 10, 0)])
def test_no_more_at_a_time_than_asked_for(things: int, concurrency: int, expected: int) -> None:
    running, most = set(), [0]
    barrier = threading.Barrier(expected) if expected else None

    def work(thing: int) -> None:
        running.add(thing)
        most[0] = max(most[0], len(running))
        if barrier and thing < expected:
            barrier.wait(10)  # so many are at work at the same time
        running.discard(thing)

    each(range(things), work, concurrency)
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
    each(range(50), done.append, 10)
    assert sorted(done) == list(range(50))


def test_an_error_ends_the_queue_and_is_told() -> None:
    done: list[int] = []

    def work(thing: int) -> None:
        if thing == 3:
            raise LookupError(thing)
        done.append(thing)

    with pytest.raises(LookupError):
        each(range(1000), work, 1)
    assert done == [0, 1, 2]


@pytest.mark.parametrize("times", [1, 30])
def test_an_end_from_outside_finishes_what_is_under_way_and_begins_nothing(times: int) -> None:
    begun, finished = [], []
    under_way, ended = threading.Event(), threading.Event()

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    def work(thing: int) -> None:
        begun.append(thing)
        under_way.set()
        ended.wait(10)
        time.sleep(0.05)
        finished.append(thing)

    def send() -> None:
        under_way.wait(10)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        for _time in range(times):
            begun.clear(), finished.clear(), under_way.clear(), ended.clear()
            threading.Thread(target=send).start()
            with pytest.raises(KeyboardInterrupt):
                each(range(100), work, 3, end=ended.set)
            assert sorted(finished) == sorted(begun)
            assert 1 <= len(begun) <= 3
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_whoever_waits_is_called_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "TICK", 0.01)
    ticks: list[str] = []
    each(range(3), lambda thing: time.sleep(0.2), 3, tick=lambda: ticks.append(threading.current_thread().name))
    assert len(ticks) > 3
    assert set(ticks) == {threading.current_thread().name}
