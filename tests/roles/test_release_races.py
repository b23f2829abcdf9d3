# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role release beside another run of it, and beside tags that move between any two requests."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator, Misbehaviour, Registry
from tests.unit.plugins.emulated import CREATE, DELETE, seed

from .conftest import Ansible, push, release

LIMIT = 60.0


class World:
    """What is there: ``ready`` notes at each request whether one is, and ``gaps`` when none was any more."""

    def __init__(self, emulator: Emulator, registry: Registry, act: Callable[[], object] = lambda: None) -> None:
        self._emulator, self._lock, self._act = emulator, threading.Lock(), act
        self.ready, self.gaps = False, 0
        emulator.before = registry.before = self._see

    def _see(self, _request: object) -> None:
        with self._lock:
            self._act()
            self.check()

    def check(self) -> None:
        ready = any(cache["status"] == "ready" for cache in self._emulator.service.caches())
        self.gaps += self.ready and not ready
        self.ready = self.ready or ready


@pytest.fixture
def runs(ansible: Ansible, emulator: Emulator, registry: Registry, tmp_path: Path) -> Callable[..., Any]:
    """Run the role a number of times in one playbook."""
    playbook = tmp_path / "runs.yml"
    role = {"ansible.builtin.include_role": {"name": "ctyun.eci.release"}, "loop": "{{ range(times | int) | list }}"}
    own = {"release_image_caches": [release(registry)], "release_wait_interval": 0.1, "release_wait_timeout": 60}
    defaults = {"group/ctyun.eci.eci": {"retry_max_delay": 0.05}}
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "vars": own, "tasks": [role]}
    show = {"ansible.builtin.debug": {"msg": "the ID is {{ release_image_cache_ids.web }}."}}
    playbook.write_text(json.dumps([{**play, "tasks": [role, show]}]), encoding="utf-8")
    return lambda times=1: ansible("playbook", playbook, "-e", f"times={times}", **emulator.environment)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_slow_run_deletes_nothing_that_is_newer_than_its_reading(
    runs: Callable[..., Any], emulator: Emulator, registry: Registry
) -> None:
    """It has read the tag, and gets the answer when two other runs are through."""
    push(registry, 1)
    assert runs().returncode == 0
    push(registry, 2)
    asked = len(registry.requests)

    def move() -> None:
        if len(emulator.sent(CREATE)) == 2 and moved == [3]:
            moved.append(4)
            push(registry, 4)

    moved = [3]
    world = World(emulator, registry, move)
    registry.inject(Misbehaviour("registry", "slow", times=1, only="/manifests/1", seconds=15.0))
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(runs)
        until(lambda: any("/manifests/1" in seen.path for seen in registry.requests[asked:]))
        push(registry, 3)
        done = runs(3)
        assert done.returncode == 0, done.stdout
        newest = {cache["imageCacheId"] for cache in emulator.service.caches()[-2:]}
        assert not slow.done(), "it was not slow enough"
        assert slow.result().returncode == 0
    world.check()
    assert world.gaps == 0
    assert newest <= {cache["imageCacheId"] for cache in emulator.service.caches()}
    assert len(emulator.sent(CREATE)) == 4  # one for each image
    assert runs().returncode == 0
    assert len(emulator.service.caches()) == 2


def test_a_run_that_waits_long_deletes_nothing_that_is_newer_than_its_reading(
    runs: Callable[..., Any], emulator: Emulator, registry: Registry
) -> None:
    old = [seed(emulator, f"web-{n}", age=9.0 - n, tags=[{"key": "release", "value": "web"}]) for n in range(3)]
    push(registry, 1)
    emulator.settings.ready_after = 3600.0
    world = World(emulator, registry)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(runs)
        until(lambda: emulator.sent(CREATE))
        emulator.settings.ready_after = 0.0
        push(registry, 2)
        assert runs().returncode == 0
        push(registry, 3)
        assert runs().returncode == 0
        assert not slow.done()
        for cache in emulator.service._caches.values():
            cache.ready_at = min(cache.ready_at, emulator.service.clock.now())
        done = slow.result()
    assert done.returncode == 0, done.stdout
    world.check()
    assert world.gaps == 0
    there = [cache["imageCacheId"] for cache in emulator.service.caches()]
    assert set(there).isdisjoint(old[:2])
    assert len(there) >= 3
    assert len(emulator.sent(CREATE)) == 3


def test_two_runs_that_read_different_images_leave_one_each(
    runs: Callable[..., Any], emulator: Emulator, registry: Registry
) -> None:
    """Both exist already, and the tag moves to and fro: each run would delete the image cache of the other."""
    for image in (1, 2):
        push(registry, image)
        assert runs().returncode == 0
    flip = random.Random(24)
    world = World(emulator, registry, lambda: push(registry, flip.choice((1, 2))))
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(runs, 2) for _run in range(2)]
        assert [run.result().returncode for run in both] == [0, 0]
    world.check()
    assert world.gaps == 0
    assert len(emulator.service.caches()) == 2


def test_a_soak_of_tags_that_move_between_any_two_requests(
    runs: Callable[..., Any], emulator: Emulator, registry: Registry
) -> None:
    draw = random.Random(24)
    moves = [0]
    push(registry, 0)

    def move() -> None:
        if moves[0] < 12 and draw.random() < 0.3:
            moves[0] += 1
            push(registry, moves[0])

    world = World(emulator, registry, move)
    done = runs(12)
    assert done.returncode == 0, done.stdout + done.stderr
    world.check()
    assert world.ready and world.gaps == 0
    assert moves[0] == 12
    assert len(emulator.sent(CREATE)) <= moves[0] + 1
    ordered = [record.body["imageCacheName"] for record in emulator.sent(CREATE)]
    assert len(set(ordered)) == len(ordered)
    assert len(emulator.service.caches()) == 2
    newest = emulator.service.caches()[-1]
    assert newest["imageCacheName"] == ordered[-1]
    assert f"the ID is {newest['imageCacheId']}." in done.stdout
    before = len(emulator.sent(CREATE)), len(emulator.sent(DELETE))
    assert runs(2).returncode == 0
    assert (len(emulator.sent(CREATE)), len(emulator.sent(DELETE))) == before


def test_a_soak_of_two_runs_at_once(runs: Callable[..., Any], emulator: Emulator, registry: Registry) -> None:
    draw = random.Random(24)
    moves = [0]
    push(registry, 0)
    emulator.settings.ready_after = 0.3

    def move() -> None:
        if moves[0] < 10 and draw.random() < 0.2:
            moves[0] += 1
            push(registry, moves[0])

    world = World(emulator, registry, move)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(runs, 6) for _run in range(2)]
        finished = [run.result() for run in both]
    assert [run.returncode for run in finished] == [0, 0], finished
    world.check()
    assert world.ready and world.gaps == 0
    assert len(emulator.sent(CREATE)) <= moves[0] + 1
