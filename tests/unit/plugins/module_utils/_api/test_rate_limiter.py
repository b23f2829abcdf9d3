# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate of requests, against services that take so many a second: in virtual time, and over real sockets."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import random
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import (
    CAPACITY,
    DECREASE,
    FIRST_RATE,
    LOWEST_RATE,
    RateLimiter,
)
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._polling import SYSTEM_CLOCK, Clock
from ansible_collections.ctyun.eci.plugins.module_utils._pool import for_each
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, MakeClient

from .servers import CREATE

CONNECTION = Connection("ak", "sk", "r", "https://eci.example", True, 30.0, 5, 30.0)
GOOD = json.dumps({"statusCode": 200, "returnObj": {}}).encode()


class Time:
    """Moves when a single thread sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def limiter(self) -> RateLimiter:
        return RateLimiter(Clock(self.sleep, lambda: self.now))


def take(limiter: RateLimiter, number: int) -> list[float]:
    """So many tokens, each for a request that is accepted; when each was taken, from the first one on."""
    taken = []
    for _number in range(number):
        taken.append(limiter.acquire())
        limiter.on_success(taken[-1])
    return [moment - taken[0] for moment in taken]


def test_nothing_is_limited_before_a_request_is_throttled() -> None:
    limiter = Time().limiter()
    assert take(limiter, 1000) == [0.0] * 1000
    assert limiter.accepted == 1000


def test_the_first_throttled_request_starts_the_bucket() -> None:
    moment = Time()
    limiter = moment.limiter()
    limiter.on_throttled(limiter.acquire(), 0)
    assert limiter.acquire() == pytest.approx(1000 + 1 / FIRST_RATE)
    assert limiter.acquire() == pytest.approx(1000 + 2 / FIRST_RATE)
    moment.now += 10
    tokens = take(limiter, 100)  # the bucket is not larger for a long time without requests
    assert tokens.count(0.0) == pytest.approx(CAPACITY * FIRST_RATE, abs=2)


@pytest.mark.parametrize("retry_after", [0.5, 7, 3600])
def test_retry_after_holds_for_all(retry_after: float) -> None:
    limiter = Time().limiter()
    under_way = [limiter.acquire() for _number in range(3)]
    for sent, pause in zip(under_way, (retry_after, 0, retry_after / 2), strict=True):
        limiter.on_throttled(sent, pause)
    assert limiter.acquire() == 1000 + retry_after


def rates(limiter: RateLimiter, throttles: int) -> list[float]:
    """The rate after each of so many throttled requests."""
    found = []
    for _number in range(throttles):
        limiter.on_throttled(limiter.acquire(), 0)
        first = limiter.acquire()
        found.append(1 / (limiter.acquire() - first))
    return found


def test_the_rate_falls_by_a_factor_to_the_lowest() -> None:
    found = rates(Time().limiter(), 30)
    assert found[:3] == pytest.approx([FIRST_RATE, FIRST_RATE * DECREASE, FIRST_RATE * DECREASE**2])
    assert found[-1] == pytest.approx(LOWEST_RATE)


def test_requests_that_were_under_way_decrease_the_rate_once() -> None:
    moment = Time()
    limiter = moment.limiter()
    under_way = [limiter.acquire() for _number in range(50)]
    moment.now += 0.1
    for sent in under_way:
        limiter.on_throttled(sent, 0)
        limiter.on_success(sent)  # nor do they increase it
    assert rates(limiter, 1) == pytest.approx([FIRST_RATE * DECREASE])


def test_accepted_requests_increase_the_rate() -> None:
    limiter = Time().limiter()
    rates(limiter, 10)
    tokens = take(limiter, 200)
    assert tokens[-1] - tokens[-2] < (tokens[2] - tokens[1]) / 5


@pytest.mark.parametrize("idle", [1e3, 1e9])
def test_a_long_time_is_no_number_too_large(idle: float) -> None:
    moment = Time()
    limiter = moment.limiter()
    for _round in range(3):
        moment.now += idle
        take(limiter, 1000)
        limiter.on_throttled(limiter.acquire(), 0)
    assert limiter.acquire() < math.inf


# --- against a service, in virtual time


class VirtualTime:
    """Runs threads one at a time, in the order in which they wake up; time moves when all sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._sleeping: list[tuple[float, int, threading.Semaphore]] = []

    def sleep(self, seconds: float) -> None:
        own = self._enter(self.now + seconds)
        self._wake_next()
        own.acquire()

    def run(self, works: list[Callable[[], None]]) -> None:
        ended, left = threading.Semaphore(0), len(works)

        def thread(work: Callable[[], None], start: threading.Semaphore) -> None:
            nonlocal left
            start.acquire()
            work()
            left -= 1
            if left:
                self._wake_next()
            else:
                ended.release()

        for work in works:
            threading.Thread(target=thread, args=(work, self._enter(self.now)), daemon=True).start()
        self._wake_next()
        assert ended.acquire(timeout=60)

    def _enter(self, when: float) -> threading.Semaphore:
        own = threading.Semaphore(0)
        heapq.heappush(self._sleeping, (when, next(self._order), own))
        return own

    def _wake_next(self) -> None:
        self.now, _number, semaphore = heapq.heappop(self._sleeping)
        semaphore.release()


class Service:
    """A transport to a service that takes ``rate`` requests a second, and ``burst`` at once after a time without any."""

    connection = CONNECTION

    def __init__(self, moment: VirtualTime, rate: float, burst: int, latency: float, retry: bool, seed: int) -> None:
        self.rate = rate
        self.throttled = 0
        self._time, self._burst, self._latency, self._retry_after = moment, burst, latency, retry
        self._chance = random.Random(seed)
        self._tokens, self._seen = float(burst), 0.0

    def send(self, *_arguments: Any) -> HttpReply:
        way = self._latency * self._chance.uniform(0.35, 0.65)
        self._time.sleep(way)
        passed, self._seen = self._time.now - self._seen, self._time.now
        self._tokens = min(float(self._burst), self._tokens + passed * self.rate)
        missing = 1 - self._tokens
        is_taken = missing <= 1e-9
        self._tokens -= is_taken
        self._time.sleep(way)
        if is_taken:
            return HttpReply("createImageCache", "id", 200, {}, GOOD)
        self.throttled += 1
        wait = missing / self.rate  # in whole seconds, as the emulator does
        headers = {"Retry-After": str(0 if wait < 0.1 else math.ceil(wait))} if self._retry_after else {}
        return HttpReply("createImageCache", "id", 429, headers, b"{}")


class Run(NamedTuple):
    """How a run went: ``ratio`` is its time by what the service needs for so many requests without a burst."""

    ratio: float
    throttled: int
    failed: int


def simulate(
    rate: float, creates: int, threads: int, *, burst: int = 10, latency: float = 0.05, retry_after: bool = False, seed: int = 0
) -> Run:  # fmt: skip
    moment = VirtualTime()
    service = Service(moment, rate, burst, latency, retry_after, seed)
    clock = Clock(moment.sleep, lambda: moment.now, lambda: moment.now)
    client = Client(service, clock=clock, uniform=random.Random(seed).uniform)  # type: ignore[arg-type]
    todo = iter(range(creates))
    failed = 0

    def work() -> None:
        nonlocal failed
        for _number in todo:
            try:
                client.call(CREATE._replace(repeatable=True), {})
            except EciError:
                failed += 1

    moment.run([work] * threads)
    return Run(moment.now / (creates / rate), service.throttled, failed)


@pytest.mark.parametrize("retry_after", [False, True], ids=["", "Retry-After"])
@pytest.mark.parametrize("threads", [8, 20, 50])
@pytest.mark.parametrize("creates", [60, 200])
@pytest.mark.parametrize("rate", [5, 20, 100])
def test_the_rate_of_the_service_is_used(rate: int, creates: int, threads: int, retry_after: bool) -> None:
    for seed in range(2):
        run = simulate(rate, creates, threads, retry_after=retry_after, seed=seed)
        assert run.ratio <= 1.1
        assert run.throttled <= threads + 0.6 * creates
        assert run.failed == 0


@pytest.mark.parametrize(
    ("rate", "creates", "threads", "burst", "latency", "most"),
    [
        (1, 30, 8, 10, 0.05, 1.1),
        (5, 100, 50, 10, 0.2, 1.1),
        (20, 200, 50, 3, 0.01, 1.1),
        (100, 200, 20, 3, 0.05, 1.25),
        (500, 1000, 50, 10, 0.05, 1.6),  # 50 threads send no more than 1000 a second
        (5, 60, 20, 1, 0.05, 1.4),  # nothing at once: requests that come near each other are throttled
    ],
)
def test_other_services(rate: int, creates: int, threads: int, burst: int, latency: float, most: float) -> None:
    for seed in range(2):
        run = simulate(rate, creates, threads, burst=burst, latency=latency, seed=seed)
        assert run.ratio <= most
        assert run.failed == 0


# --- over real sockets


@pytest.mark.parametrize(
    ("rate", "creates", "threads", "retry_after"),
    [
        (100.0, 200, 50, "none"),
        pytest.param(20.0, 60, 20, "seconds", marks=pytest.mark.thorough),
        pytest.param(100.0, 60, 8, "seconds", marks=pytest.mark.thorough),
    ],
)
def test_a_service_with_a_limit_serves_everybody(
    rate: float, creates: int, threads: int, retry_after: str, make_client: MakeClient, emulator: Emulator
) -> None:
    emulator.settings.update({"rate": rate, "rate_burst": 10, "rate_retry_after": retry_after, "latency": 0.05})
    client = make_client(pool_size=threads, retries=5, clock=SYSTEM_CLOCK)
    errors: list[EciError] = []

    def create(number: int) -> None:
        try:
            client.call(CREATE._replace(repeatable=True), {**BODY, "imageCacheName": f"web{number}"})
        except EciError as error:
            errors.append(error)

    for_each(range(creates), create, threads)
    assert errors == []
    assert len(emulator.service.caches()) == creates
    assert len(emulator.sent(CREATE)) < 2 * creates
