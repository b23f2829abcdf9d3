# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one loop that waits, and how long the delays of a wait are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._polling import SYSTEM_CLOCK, Clock, Wait, poll


class Time:
    """A clock that only sleeping moves, and a value that is read from it."""

    def __init__(self, cost: float = 0.0) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self.reads: list[float] = []
        self.cost = cost
        self.clock = Clock(self.sleep, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        assert len(self.sleeps) < 10_000
        self.sleeps.append(seconds)
        self.now += seconds

    def read(self) -> float:
        self.now += self.cost
        self.reads.append(self.now - 1000.0)
        return self.now - 1000.0

    def wait(self, timeout: float, interval: float, done: Callable[[Any], bool] = lambda _value: False) -> Any:
        return poll(self.clock, Wait(timeout, interval).delays(self.clock), self.read, done, "first")


def test_the_accepted_value_is_returned() -> None:
    time = Time()
    assert time.wait(60, 5, lambda value: value >= 12) == 12.5
    assert time.sleeps == [5, 7.5]


@pytest.mark.parametrize("interval", [0.1, 1, 5, 30])
def test_the_delays_grow_to_six_times_the_first(interval: float) -> None:
    time = Time()
    time.wait(interval * 100, interval)
    expected = [1, 1.5, 2.25, 3.375, 5.0625, 6, 6, 6]
    assert time.sleeps[:8] == pytest.approx([interval * factor for factor in expected])
    assert max(time.sleeps) == interval * 6
    assert time.sleeps[:-1] == sorted(time.sleeps[:-1])


@pytest.mark.parametrize(("timeout", "interval"), [(12, 5), (60, 5), (1, 5), (1800, 5), (7.5, 0.25), (12.5, 5)])
def test_the_timeout_is_kept_to_the_second_and_the_last_read_is_at_its_end(timeout: float, interval: float) -> None:
    time = Time()
    value = time.wait(timeout, interval)
    assert sum(time.sleeps) == timeout
    assert value == time.reads[-1] == timeout
    assert len(time.reads) == len(time.sleeps)
    assert min(time.sleeps) > 0


def test_without_time_nothing_is_read() -> None:
    time = Time()
    assert time.wait(0, 5) == "first"
    assert (time.sleeps, time.reads) == ([], [])


def test_reads_take_time_as_well() -> None:
    time = Time(cost=4)
    assert time.wait(10, 5) == 14.0
    assert time.sleeps == [5, 1]


@pytest.mark.parametrize(
    ("delays", "done_after", "sleeps"),
    [((0.0, 1.0, 2.0), 1, []), ((0.0, 1.0, 2.0), 2, [1.0]), ((1.0,), 9, [1.0]), ((), 9, [])],
)
def test_fixed_delays(delays: Iterable[float], done_after: int, sleeps: list[float]) -> None:
    time = Time()
    poll(time.clock, delays, time.read, lambda _value: len(time.reads) >= done_after, 0.0)
    assert time.sleeps == sleeps


def test_an_error_of_the_read_ends_it() -> None:
    def read() -> float:
        raise LookupError

    time = Time()
    with pytest.raises(LookupError):
        poll(time.clock, Wait(60, 5).delays(time.clock), read, lambda value: False, 0.0)
    assert time.sleeps == [5]


def test_the_system_clock() -> None:
    delays = Wait(60.0, 0.0).delays(SYSTEM_CLOCK)
    assert poll(SYSTEM_CLOCK, delays, lambda: "next", lambda _value: True, "first") == "next"
