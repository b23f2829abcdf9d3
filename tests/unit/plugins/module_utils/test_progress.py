# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that takes long shows meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _pool
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Progress, Wait, minutes
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, MakeClient, seed

Run = Callable[..., Any]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def run(make_client: MakeClient, lines: list[str], sleeps: list[float]) -> Run:
    sleeps.append(100.0)  # the clock of a machine does not begin with the task

    def run(*names: str, state: str = "present", timeout: float = 600, **policy: Any) -> Any:
        ctx = Context(make_client(write=lines.append), Wait(timeout, 5), concurrency=2)
        desired = [Desired(state, {**BODY, "imageCacheName": name}, wait=True, **policy) for name in names]
        return reconcile(desired, ctx, by_name=len(names) == 1)

    return run


def test_a_line_after_ten_seconds_then_one_each_half_minute(lines: list[str]) -> None:
    now = [100.0]
    progress = Progress(Clock(monotonic=lambda: now[0]), lines.append)
    silent = Progress(Clock(monotonic=lambda: now[0]), None)
    for second in range(0, 75, 5):
        now[0] = 100.0 + second
        progress.report(lambda second=second: f"{second} s\x1b\r")
        silent.report(lambda: pytest.fail("a line that nobody reads"))
    assert lines == [f"{second} s\\x1b\\r" for second in (10, 40, 70)]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (75.9, "1:15"), (3600, "60:00")])
def test_minutes(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_one_image_cache(emulator: Emulator, run: Run, lines: list[str]) -> None:
    emulator.settings.ready_after = 100
    (item,) = run("web").items
    assert lines == [
        "web: pending, 0:12 of 10:00",
        "web: pending, 1:05 of 10:00",
        "web: pending, 1:35 of 10:00",
        "web: ready, 2:05 of 10:00",
    ]
    assert item.waited == 125.9375
    assert item.result()["waited"] == 125.9


def test_a_short_wait_shows_nothing(emulator: Emulator, run: Run, lines: list[str]) -> None:
    emulator.settings.ready_after = 4
    run("web")
    assert lines == []


def test_a_deletion(emulator: Emulator, run: Run, lines: list[str]) -> None:
    emulator.settings.delete_after = 20
    seed(emulator, images=["other"])
    (item,) = run("web", drift="recreate").items
    assert lines[0] == "web: deleting, 0:12 of 10:00"
    assert 20 < item.waited < 60


def test_many(emulator: Emulator, run: Run, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "TICK", 0.02)
    emulator.settings.ready_after = 100
    outcome = run(*[f"cache-{number}" for number in range(6)])
    assert lines[0] == "0 of 6 ready, 0:12 of 10:00"
    assert lines[-1] == "6 of 6 ready, 2:05 of 10:00"
    assert outcome.waited == 125.9375
    assert {item.waited for item in outcome.items} == {125.9375}


def test_many_creates(
    emulator: Emulator, run: Run, lines: list[str], sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool, "TICK", 0.01)
    emulator.settings.latency = 0.05
    emulator.before = lambda record: sleeps.append(11.0) if record.operation == "createImageCache" else None
    run(*[f"cache-{number}" for number in range(6)], timeout=0)
    assert lines[0].endswith(" of 6 created or retagged")


def test_a_wait_that_times_out_says_how_long_it_was(emulator: Emulator, run: Run) -> None:
    emulator.settings.ready_after = 10_000
    (item,) = run("web").items
    assert item.error
    assert item.waited == 600
