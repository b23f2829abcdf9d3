# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._polling import GROWTH, LONGEST, MACHINE_TIME, Clock, Wait


class Time:
    """A clock that only sleeping moves, and a value that is read from it."""

    def __init__(self, cost: float = 0.0) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self.reads: list[float] = []
        self.cost = cost

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        assert len(self.sleeps) < 10_000
        self.sleeps.append(seconds)
        self.now += seconds

    def read(self) -> float:
        self.now += self.cost
        self.reads.append(self.now - 1000.0)
        return self.now - 1000.0

    def until(self, timeout: float, interval: float, done: Callable[[Any], bool], first: Any = 0.0) -> Any:
        return Wait(timeout, interval).until(Clock(self.sleep, lambda: self.now), first, self.read, done)


def test_what_is_done_already_takes_no_time_and_no_read() -> None:
    time = Time()
    assert time.until(60, 5, lambda value: True, "first") == (True, "first")
    assert (time.sleeps, time.reads) == ([], [])


def test_the_value_that_is_done_is_returned() -> None:
    time = Time()
    assert time.until(60, 5, lambda value: value >= 12) == (True, 12.5)
    assert time.sleeps == [5, 7.5]


@pytest.mark.parametrize("interval", [0.1, 1, 5, 30])
def test_the_pauses_grow_to_six_times_the_first(interval: float) -> None:
    time = Time()
    time.until(interval * 100, interval, lambda value: False)
    assert (GROWTH, LONGEST) == (1.5, 6)
    expected = [1, 1.5, 2.25, 3.375, 5.0625, 6, 6, 6]
    assert time.sleeps[:8] == pytest.approx([interval * factor for factor in expected])
    assert max(time.sleeps) == interval * 6
    assert time.sleeps[:-1] == sorted(time.sleeps[:-1])


@pytest.mark.parametrize(("timeout", "interval"), [(12, 5), (60, 5), (1, 5), (1800, 5), (7.5, 0.25), (12.5, 5)])
def test_the_time_out_is_kept_to_the_second_and_a_last_look_is_taken(timeout: float, interval: float) -> None:
    time = Time()
    done, value = time.until(timeout, interval, lambda value: False)
    assert done is False
    assert sum(time.sleeps) == timeout
    assert value == time.reads[-1] == timeout
    assert len(time.reads) == len(time.sleeps)
    assert min(time.sleeps) > 0


def test_the_last_look_can_still_find_it_done() -> None:
    assert Time().until(12, 5, lambda value: value >= 12) == (True, 12.0)


def test_no_time_at_all() -> None:
    time = Time()
    assert time.until(0, 5, lambda value: False, "first") == (False, "first")
    assert time.sleeps == []


def test_reads_take_time_as_well() -> None:
    time = Time(cost=4)
    done, value = time.until(10, 5, lambda value: False)
    assert done is False
    assert time.sleeps == [5, 1]
    assert value == 14.0


def test_an_error_of_the_read_ends_it() -> None:
    def read() -> float:
        raise LookupError

    time = Time()
    with pytest.raises(LookupError):
        Wait(60, 5).until(Clock(time.sleep, lambda: time.now), 0.0, read, lambda value: False)
    assert time.sleeps == [5]


def test_without_being_told_otherwise_it_is_the_machine_s_time() -> None:
    assert Wait(0.0, 1.0).until(MACHINE_TIME, "first", lambda: "next", lambda value: False) == (False, "first")
    assert Wait(60.0, 0.0).until(MACHINE_TIME, "first", lambda: "next", lambda value: value == "next") == (True, "next")
