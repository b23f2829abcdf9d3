# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate at which requests go out, against a service that takes so many a second, in a time that is not real."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import threading
from collections.abc import Callable
from typing import NamedTuple

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import AT_ONCE, FIRST_PAUSE, LONGER, START, Pace
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept += seconds
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.sleep, lambda: self.now)


class Limited:
    """A service that takes so many a second, and so many at once; the way to it takes a millisecond."""

    def __init__(self, time: Time, rate: float, burst: int) -> None:
        self.time = time
        self.rate = rate
        self.burst = burst
        self.refused = 0
        self._tokens = float(burst)
        self._looked = time.now

    def take(self, pace: Pace) -> float:
        """Send a request until it is taken. Returns when its turn came."""
        for _attempt in range(100):
            sent = pace.keep()
            self.time.now += 0.001
            passed = self.time.now - self._looked
            self._looked = self.time.now
            self._tokens = min(float(self.burst), self._tokens + passed * self.rate)
            if self._tokens >= 1:
                self._tokens -= 1
                pace.accepted(sent)
                return sent
            self.refused += 1
            pace.refused(sent, 0)
        raise AssertionError("refused for ever")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    """A pace that is free from the start."""
    return Pace(time.clock, start=math.inf)


def take(pace: Pace, number: int) -> list[float]:
    """So many turns, each accepted."""
    turns = []
    for _number in range(number):
        turns.append(pace.keep())
        pace.accepted(turns[-1])
    return turns


def gaps(turns: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(turns)]


def test_a_start_in_step(time: Time) -> None:
    turns = take(Pace(time.clock), 1000)
    assert turns[:AT_ONCE] == [1000.0] * AT_ONCE
    assert turns[AT_ONCE + 1] - turns[AT_ONCE] == pytest.approx(1 / START, rel=0.2)
    assert time.slept < 0.3  # it is soon over
    assert gaps(turns)[-1] == 0


def test_nothing_is_slowed_down_before_a_refusal(pace: Pace, time: Time) -> None:
    assert take(pace, 1000) == [1000.0] * 1000
    assert time.slept == 0


def test_the_first_refusal(pace: Pace) -> None:
    pace.refused(pace.keep(), 0)
    assert pace.keep() == pytest.approx(1000 + FIRST_PAUSE)
    assert pace.keep() == pytest.approx(1000 + 2 * FIRST_PAUSE)


@pytest.mark.parametrize("pause", [0.5, 7, 3600])
def test_a_pause_that_the_service_asks_for_is_kept(pause: float, pace: Pace) -> None:
    pace.refused(pace.keep(), pause)
    assert pace.keep() == 1000 + pause


def test_what_was_on_its_way_is_the_same_refusal(pace: Pace, time: Time) -> None:
    on_their_way = [pace.keep() for _number in range(50)]
    time.now += 0.1
    for sent in on_their_way:
        pace.refused(sent, 0)
    assert pace.keep() == pytest.approx(1000.1 + FIRST_PAUSE)
    # but for the longest of the pauses that were asked for
    pace.refused(1000.0, 9)
    pace.refused(1000.0, 2)
    assert pace.keep() == pytest.approx(time.now)
    assert time.now >= 1009


def test_refused_again_and_again_it_gets_slower_and_slower(pace: Pace) -> None:
    turns = []
    for _number in range(9):
        turns.append(pace.keep())
        pace.refused(turns[-1], 0)
    assert gaps(turns) == pytest.approx([FIRST_PAUSE * LONGER**number for number in range(8)])


def test_what_is_accepted_is_the_rate(pace: Pace, time: Time) -> None:
    service = Limited(time, 10, 10)
    for _number in range(200):
        service.take(pace)
    assert 8 <= 1 / gaps([service.take(pace) for _number in range(2)])[0] <= 14


def test_time_without_a_refusal_raises_the_rate(pace: Pace, time: Time) -> None:
    service = Limited(time, 10, 10)
    for _number in range(200):
        service.take(pace)
    service.rate = 1000
    found = gaps([service.take(pace) for _number in range(1000)])
    assert found[-1] < found[0] / 1.5


def test_what_went_before_the_first_refusal_says_nothing_of_the_rate(pace: Pace, time: Time) -> None:
    early = [pace.keep() for _number in range(100)]
    time.now += 0.5
    pace.refused(pace.keep(), 0)
    for sent in early:
        pace.accepted(sent)
    assert pace.accepted_ones == 100
    pace.refused(pace.keep(), 0)
    assert pace.keep() == pytest.approx(1000.5 + (1 + LONGER) * FIRST_PAUSE)


def test_a_change_while_one_waits_for_its_turn(time: Time) -> None:
    """Who waits is not let go at the old pace, in the midst of a pause."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if time.now < 1010:
            pace.refused(time.now, 20)

    pace = Pace(Clock(sleep, lambda: time.now), start=math.inf)
    pace.refused(pace.keep(), 0)
    assert pace.keep() >= 1020


@pytest.mark.parametrize("idle", [1e3, 1e9])
def test_a_long_time_is_no_number_too_large(idle: float, time: Time) -> None:
    for pace in (Pace(time.clock), Pace(time.clock, start=math.inf)):
        take(pace, 10)
        time.now += idle
        take(pace, 10)
        pace.refused(pace.keep(), 0)
        for _round in range(3):
            time.now += idle
            take(pace, 10)
            pace.refused(pace.keep(), 0)
        assert pace.keep() < math.inf


# --- against a service


class Outcome(NamedTuple):
    """``seconds`` it took, how many were ``refused``, and how often one of them was at ``most``."""

    seconds: float
    refused: int
    most: int


def drive(rate: float, burst: int, requests: int, threads: int, latency: float, seed: int = 0) -> Outcome:
    """Send requests from so many threads (none of them real) to a bucket of tokens, each again until it is taken."""
    chance = random.Random(seed)
    now = 0.0
    pace = Pace(Clock(lambda _seconds: None, lambda: now))
    pace.expect(requests)
    order = itertools.count()
    events: list[tuple[float, int, Callable[[], None]]] = []
    left = requests
    tokens, looked = float(burst), 0.0
    refused = most = 0

    def at(when: float, what: Callable[[], None]) -> None:
        heapq.heappush(events, (when, next(order), what))

    def begin() -> None:
        nonlocal left
        if left:
            left -= 1
            keep(0)

    def keep(times: int) -> None:
        """What Pace.keep does, with an event where it would sleep."""
        if pace._is_free:
            send(times, now)
            return
        plan = pace._plan
        turn, is_mine = pace._turn()

        def go() -> None:
            if is_mine and plan == pace._plan:
                send(times, turn)
            else:
                keep(times)

        at(max(now, turn), go)

    def send(times: int, sent: float) -> None:
        way = latency * chance.uniform(0.35, 0.65)

        def arrive() -> None:
            nonlocal tokens, looked
            tokens, looked = min(float(burst), tokens + (now - looked) * rate), now
            taken = tokens >= 1
            tokens -= taken
            at(now + way, lambda: answer(times, sent, taken))

        at(now + way, arrive)

    def answer(times: int, sent: float, taken: bool) -> None:
        nonlocal refused, most
        if taken:
            pace.accepted(sent)
            begin()
            return
        refused += 1
        most = max(most, times + 1)
        pace.refused(sent, 0)
        keep(times + 1)

    for _number in range(threads):
        begin()
    for _turn in range(500 * requests):
        if not events:
            break
        now, _number, what = heapq.heappop(events)
        what()
    assert not events
    return Outcome(now, refused, most)


@pytest.mark.thorough
@pytest.mark.parametrize("latency", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("threads", [10, 50])
@pytest.mark.parametrize("rate", [5, 20, 50, 200])
def test_a_service_with_a_limit_is_used_to_it(rate: int, threads: int, latency: float) -> None:
    requests = rate * 40
    for seed in range(2):
        found = drive(rate, 10, requests, threads, latency, seed)
        best = max(requests / rate, requests * latency / threads)
        # a long way there and back makes what is known of the rate late
        assert found.seconds <= (1.2 if latency < 0.1 else 1.7) * best
        assert found.refused <= requests / 10 + threads
        assert found.most <= 6


@pytest.mark.parametrize("threads", [10, 50])
@pytest.mark.parametrize(("rate", "creates"), [(5, 60), (20, 200), (100, 200)])
def test_what_is_promised(rate: int, creates: int, threads: int) -> None:
    requests = creates + 2
    # the second is what an answer in 50 ms takes where Ansible, the emulator and the threads share a machine
    for latency in (0.05, 0.06):
        found = [drive(rate, 10, requests, threads, latency, seed) for seed in range(20)]
        for outcome in found:
            assert outcome.seconds <= 1.15 * ((requests - 10) / rate + latency)
            assert outcome.refused <= 0.1 * (requests + outcome.refused)


def test_few_requests_begin_slower_than_many(time: Time) -> None:
    def seconds(requests: int) -> float:
        pace = Pace(time.clock)
        pace.expect(requests)
        began = time.now
        take(pace, requests)
        return time.now - began

    assert seconds(8) == 0
    assert seconds(10) <= 0.1
    assert seconds(60) <= 0.5
    assert seconds(1000) <= 0.2


def test_fewer_than_before_are_not_slowed_down_again(time: Time) -> None:
    pace = Pace(time.clock)
    pace.expect(1000)
    take(pace, 1000)
    began = time.now
    pace.expect(60)
    take(pace, 60)
    assert time.now == began


def test_a_few_that_come_before_the_many_do_not_slow_these_down(time: Time) -> None:
    pace = Pace(time.clock)
    for requests in (0, 1, 1000):
        pace.expect(requests)
        take(pace, requests)
    assert time.now - 1000 <= 0.2


def test_a_service_that_becomes_slower(time: Time) -> None:
    pace = Pace(time.clock)
    service = Limited(time, 50, 10)
    for _number in range(1000):
        service.take(pace)
    service.rate, service.refused = 10, 0
    for _number in range(200):
        service.take(pace)
    assert service.refused <= 40


@pytest.mark.parametrize("rate", [5, 20, 50])
def test_a_time_without_requests_does_not_count(rate: int, time: Time) -> None:
    pace = Pace(time.clock)
    service = Limited(time, rate, 10)
    for _number in range(8 * rate):
        service.take(pace)
    for _number in range(30):  # as while a task waits
        time.now += 10
        service.take(pace)
    began = time.now
    for _number in range(24 * rate):
        service.take(pace)
    assert time.now - began <= 1.4 * 24


# --- many threads


def test_many_threads_take_turns() -> None:
    """Threads that really run, over a clock that is not real."""
    time = Time()
    lock = threading.Lock()
    turns: list[float] = []

    def sleep(seconds: float) -> None:
        with lock:
            time.now += max(0.0, seconds / 10)

    pace = Pace(Clock(sleep, lambda: time.now), start=math.inf)
    pace.refused(pace.keep(), 0)

    def work() -> None:
        for _number in range(20):
            turn = pace.keep()
            with lock:
                turns.append(turn)

    threads = [threading.Thread(target=work, daemon=True) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(turns) == 400
    assert max(turns) - 1000 >= (400 - AT_ONCE) * FIRST_PAUSE
