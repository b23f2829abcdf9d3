# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook is killed while it makes image caches, and run again: each is there once.

A create that is under way when its process dies may take effect all the same; the next run has to find what it made.
The workers of ansible-core have sessions of their own, so a kill of the process group leaves them: they go on for a
moment beside the next run, which the lock keeps apart. In the other rounds they are killed as well.
"""

from __future__ import annotations

import random
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.reliability.playbook import BODY, Playbook, descendants, kill, until

CREATE = "createImageCache"
LATENCY = 0.05


@pytest.mark.parametrize(
    ("in_process", "workers_too", "hosts", "kills"),
    [(True, True, 20, 2), (True, False, 20, 2), (False, True, 10, 1)],
    ids=["all", "group", "module"],
)
def test_killed_and_run_again(
    emulator: Emulator, tmp_path: Path, in_process: bool, workers_too: bool, hosts: int, kills: int
) -> None:
    emulator.settings.latency = LATENCY
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    chance = random.Random(seed)
    task = {"ctyun.eci.image_cache": {**BODY, "name": "cache-{{ inventory_hostname }}"}}
    playbook = Playbook(tmp_path, emulator.environment, [task], hosts, {"ctyun_eci_in_process": in_process})
    left: set[int] = set()
    killed = 0
    for _round in range(kills):
        goal = len(emulator.sent(CREATE)) + chance.randint(1, hosts // (kills + 1))
        process = playbook.start("--forks", "4")
        until(partial(_reached, emulator, goal, process))
        time.sleep(chance.uniform(0, 2 * LATENCY))
        workers = descendants(process)
        killed += process.poll() is None
        kill(process, workers if workers_too else [])
        left.update(workers)
    made = len(emulator.service.caches())
    last = playbook.run("--forks", "4")
    assert killed
    assert last.status == 0, last.output
    assert until(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in left), 20)
    names = [cache["imageCacheName"] for cache in emulator.service.caches()]
    print(f"{killed} kills, {made} made before the last run, {len(emulator.sent(CREATE))} creates sent")
    assert sorted(names) == [f"cache-host{number:02}" for number in range(hosts)]


def _reached(emulator: Emulator, goal: int, process: subprocess.Popen[str]) -> bool:
    return len(emulator.sent(CREATE)) >= goal or process.poll() is not None
