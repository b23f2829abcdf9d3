# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that takes long tells meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _pool as workers
from ansible_collections.ctyun.eci.plugins.module_utils._errors import WaitTimeout
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.progress import Progress
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import hider
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, DESCRIBE, operations, seed


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def progress(time: Time, lines: list[str]) -> Progress:
    return Progress(Clock(monotonic=time.monotonic), lines.append)


def test_a_line_comes_when_something_has_changed_or_after_half_a_minute(
    progress: Progress, time: Time, lines: list[str]
) -> None:
    for done, failed, seconds in ((0, 0, 1), (0, 0, 9), (240, 3, 10), (240, 3, 5), (240, 3, 25), (240, 4, 1)):
        time.now += seconds
        progress.working(done, 1000, failed, "made")
    assert lines == [
        "0 of 1000 made, 0/s",
        "240 of 1000 made, 3 failed, 12/s",
        "240 of 1000 made, 3 failed, 5/s",
        "240 of 1000 made, 4 failed, 5/s",
    ]


def test_the_pace_of_the_first_moment(progress: Progress, time: Time, lines: list[str]) -> None:
    time.now += 0.5
    progress.working(5, 10, 0, "made")
    assert lines == ["5 of 10 made, 10/s"]


def test_many_that_are_waited_for(progress: Progress, time: Time, lines: list[str]) -> None:
    for ready, seconds in ((0, 5), (7, 120), (7, 10), (10, 60)):
        time.now += seconds
        progress.waiting_for_many(ready, 10, "ready", Wait(1800, 5))
    assert lines == ["0 of 10 ready, 0:05 of 30:00", "7 of 10 ready, 2:05 of 30:00", "10 of 10 ready, 3:15 of 30:00"]


def test_where_nobody_listens_nothing_is_asked_for(time: Time, client: Client, emulator: Emulator) -> None:
    cache = ImageCache(seed(emulator), "web")
    silent = Progress(Clock(monotonic=time.monotonic), None)
    for _look in range(5):
        time.now += 60
        silent.waiting_for_one(ImageCaches(client), cache, Wait(1800, 5))
    assert not silent.is_heard
    assert operations(emulator) == []


def test_where_a_status_stands_still_its_newest_event_is_told(
    progress: Progress, time: Time, lines: list[str], client: Client, emulator: Emulator
) -> None:
    cache = ImageCache(seed(emulator), "web", status="pending")
    for seconds in (5, 5, 31, 5, 31):
        time.now += seconds
        progress.waiting_for_one(ImageCaches(client), cache, Wait(1800, 5))
    assert lines == [
        "web: pending, 0:05 of 30:00",
        "web: pending, 0:41 of 30:00, newest event: [ImageCache] ready",
        "web: pending, 1:17 of 30:00, newest event: [ImageCache] ready",
    ]
    assert operations(emulator) == [DESCRIBE] * 2


def test_a_secret_in_an_event_is_not_told(
    progress: Progress, time: Time, lines: list[str], make_client: Callable[..., Client], emulator: Emulator
) -> None:
    password = "planted-secret of a registry"
    client = make_client(hide=hider([password]))
    event = {"message": f"pulling as user:{password}\nfailed"}
    emulator.inject(Fault("json", DESCRIBE, value={"statusCode": 200, "returnObj": {"events": [event]}}))
    for _look in range(2):
        time.now += 31
        progress.waiting_for_one(ImageCaches(client), ImageCache("imc-1", "web", status="pending"), Wait(600, 5))
    assert lines[1:] == ["web: pending, 1:02 of 10:00, newest event: pulling as user:******** failed"]


def test_an_event_that_cannot_be_read_is_no_error(
    progress: Progress, time: Time, lines: list[str], make_client: Callable[..., Client], emulator: Emulator
) -> None:
    emulator.inject(Fault("status", DESCRIBE, times=None))
    for _look in range(2):
        time.now += 31
        progress.waiting_for_one(ImageCaches(make_client(retries=0)), ImageCache("imc-1", status="x"), Wait(60, 5))
    assert lines == ["imc-1: x, 0:31 of 1:00", "imc-1: x, 1:02 of 1:00"]


@pytest.fixture
def run(make_client: Callable[..., Client], lines: list[str]) -> Callable[..., Any]:
    def run(*names: str, **policy: Any) -> Any:
        client, wait = make_client(say=lines.append), Wait(600, 5)
        wanted = [Wanted("present", {**BODY, "imageCacheName": name}, wait=True, **policy) for name in names]
        if len(wanted) == 1:
            return converge(wanted[0], client, wait)
        return converge_all(wanted, client, wait, concurrency=2)

    return run


@pytest.fixture(autouse=True)
def _later(sleeps: list[float]) -> None:
    """The clock of a machine does not begin with the task."""
    sleeps.append(100.0)


def test_of_one_image_cache(emulator: Emulator, run: Callable[..., Outcome], lines: list[str]) -> None:
    emulator.settings.ready_after = 100
    outcome = run("web")
    assert lines[0] == "web: pending, 0:05 of 10:00"
    assert lines[-1] == "web: ready, 2:05 of 10:00"
    assert any("newest event: [ImageCache] create disk order" in line for line in lines)
    assert outcome.waited == 125.9375
    assert outcome.result()["waited"] == 125.9


def test_of_its_deletion(emulator: Emulator, run: Callable[..., Outcome], lines: list[str]) -> None:
    emulator.settings.delete_after = 20
    seed(emulator, images=["other"])
    outcome = run("web", drift="recreate")
    assert lines[0] == "web: deleting, 0:00 of 10:00"
    assert 20 < outcome.waited < 60


def test_of_many(
    emulator: Emulator, run: Callable[..., Any], lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TICK", 0.02)
    emulator.settings.ready_after = 100
    emulator.settings.latency = 0.06
    outcomes = run(*[f"cache-{number}" for number in range(6)])
    assert any(line.startswith(("2 of 6 made", "4 of 6 made")) for line in lines)
    assert "0 of 6 ready, 0:00 of 10:00" in lines
    assert 100 < outcomes.waited < 200
    assert len([line for line in lines if "ready" in line]) <= 5


def test_a_wait_that_ends_badly_says_how_long_it_was(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.ready_after = 10_000
    with pytest.raises(WaitTimeout) as caught:
        run("web")
    assert caught.value.outcome.waited == 600
