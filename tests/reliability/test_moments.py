# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release of 60 image caches is killed, or its time is over, at random moments of all of its phases; the next run ends at
exactly what is wanted, each name once.

ECI_MOMENTS says how many moments are tried, and ECI_SEED which ones.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.reliability.playbook import BODY, Playbook, descendants, kill, until

MOMENTS = int(os.environ.get("ECI_MOMENTS", "3"))
SEED = int(os.environ.get("ECI_SEED", "42"))
# 10 are to be replaced, 10 get tags, 40 are missing, and 20 are of the release before.
WANTED, DRIFTED, UNTAGGED, OLD = 60, 10, 10, 20
REQUESTS = 1 + 40 + 10 + 1 + 2 + 10 + 1 + 10 + 1 + 2 + OLD + 1
TAGS = [{"key": "team", "value": "web"}]
RELEASE = [{"key": "release", "value": "42"}, *TAGS]


def names(emulator: Emulator) -> list[str]:
    return sorted(cache["imageCacheName"] for cache in emulator.service.caches())


def seed(emulator: Emulator) -> None:
    fields = {"imageCacheSize": BODY["image_cache_size"], "azName": "az1"}
    for number in range(OLD):
        emulator.service.seed(f"old-{number}", ["redis:7"], tags=TAGS, **fields)
    for number in range(DRIFTED):
        emulator.service.seed(f"cache-{number}", ["redis:7"], tags=RELEASE, **fields)
    for number in range(DRIFTED, DRIFTED + UNTAGGED):
        emulator.service.seed(f"cache-{number}", BODY["images"], tags=TAGS, **fields)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_ended_at_any_moment_and_run_again(emulator: Emulator, tmp_path: Path, moment: int) -> None:
    chance = random.Random(f"{SEED} {moment}")
    by_time, in_process = chance.random() < 0.4, chance.random() < 0.75
    goal, pause = chance.randint(1, REQUESTS), chance.uniform(0, 0.1)
    latency = chance.uniform(0.04, 0.2) if by_time else 0.05
    print(f"after {'1 s' if by_time else f'{goal} requests'}, latency {latency:.2f} s, in process: {in_process}")
    emulator.settings.update({"ready_after": 0.2, "delete_after": 0.1, "latency": latency})
    seed(emulator)
    task = {
        "ctyun.eci.image_caches": {
            "image_caches": [{**BODY, "name": f"cache-{number}", "tags": RELEASE} for number in range(WANTED)],
            "drift": "recreate",
            "wait": True,
            "wait_interval": 0.1,
            "concurrency": 5,
            "prune": True,
            "prune_tags": TAGS,
        },
        "timeout": "{{ limit | default(0) }}",
    }
    playbook = Playbook(tmp_path, emulator.environment, [task], 1, {"ctyun_eci_in_process": in_process})
    process = playbook.start(*(["-e", "limit=1"] if by_time else []))
    own: list[int] = []
    try:
        if not by_time:
            until(lambda: len(emulator.requests) >= goal or process.poll() is not None)
            time.sleep(pause)
            own = descendants(process)
            kill(process, own)
        process.wait()
    finally:
        kill(process, own)
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in own))
    print(f"{len(emulator.requests)} requests, {len(emulator.service.caches())} image caches")
    emulator.settings.latency = 0
    assert playbook.run().status == 0
    assert names(emulator) == sorted(f"cache-{number}" for number in range(WANTED))
    for cache in emulator.service.caches():
        assert cache["images"] == BODY["images"]
        assert sorted(cache["tags"], key=lambda tag: tag["key"]) == RELEASE
    assert playbook.run().status == 0
    assert "changed=0" in playbook.output
