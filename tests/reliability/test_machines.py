# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines, which share no lock, run one play at the same moment. They end with one image cache, and all know it.

ECI_ROUNDS says how often they do, each time under other circumstances, and beginning up to some seconds apart.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.emulator import Emulator
from tests.reliability.playbook import BODY, LIMIT, Playbook, kill, until

CREATE = "createImageCache"
ROUNDS = int(os.environ.get("ECI_ROUNDS", "1"))
MACHINES = 8
NAMES = 4
TOLD = re.compile(r'"msg": "told (.*)"$', re.MULTILINE)
# Before its task each machine says that it is ready, waits for the others, and then for its own delay.
TOGETHER = "touch ready-{0}; for i in $(seq 1200); do [ -e {1} ] && break; sleep 0.05; done; sleep {{{{ after }}}}"


class Circumstances(NamedTuple):
    """Of a round, in seconds: what a request takes, how long the list does not show what is new, how far apart the
    machines begin at most; and whether they wait until it is ready.
    """

    latency: float
    lag: float
    spread: float
    wait: bool


ALL = [
    Circumstances(latency=0.05, lag=1.0, spread=1.0, wait=True),
    Circumstances(latency=0.0, lag=0.0, spread=0.0, wait=True),
    Circumstances(latency=0.2, lag=0.0, spread=1.0, wait=True),
    Circumstances(latency=0.02, lag=0.5, spread=0.0, wait=False),
    Circumstances(latency=0.1, lag=3.0, spread=4.0, wait=True),
    Circumstances(latency=0.2, lag=1.0, spread=2.0, wait=False),
]


class Told(NamedTuple):
    """What a task told: the IDs in the order of its names, and whether it says that it changed something."""

    ids: list[str]
    changed: bool


class Machines:
    """They share nothing but the service: each has temporary files and a home of its own. All do the same tasks at the same
    moments: one for an image cache and one for many, each twice.
    """

    def __init__(self, base: Path, environment: Mapping[str, str], count: int) -> None:
        bodies = [{**BODY, "name": f"{{{{ names[{number}] }}}}"} for number in range(NAMES)]
        waiting = {"wait": "{{ wait }}", "wait_interval": 0.5, "wait_timeout": 60}
        one = {"ctyun.eci.image_cache": {**bodies[0], **waiting}, "register": "result"}
        many = {"ctyun.eci.image_caches": {"image_caches": bodies[1:], **waiting}, "register": "result"}
        ids = ("[result.image_cache_id]", "result.image_caches | map(attribute='image_cache_id') | list")
        self._go = [base / f"go-{number}" for number in range(4)]
        tasks = []
        for number, go in enumerate(self._go):
            lookup = f"{{{{ lookup('ansible.builtin.pipe', '{TOGETHER.format(number, go)}') }}}}"
            told = f"told {{{{ [{ids[number % 2]}, result.changed] | to_json }}}}"
            tasks += [
                {"ansible.builtin.set_fact": {"together": lookup}},
                many if number % 2 else one,
                {"ansible.builtin.debug": {"msg": told}},
            ]
        self._playbooks = [Playbook(base / f"machine{number}", environment, tasks) for number in range(count)]

    def run(self, names: list[str], delays: list[float], wait: bool) -> list[list[Told]]:
        """What each machine's tasks told: those for one and for many, and both again."""
        for old in (*self._go, *(file for one in self._playbooks for file in one.folder.glob("ready-*"))):
            old.unlink(missing_ok=True)
        running = [
            playbook.start("-e", json.dumps({"names": names, "after": delay, "wait": wait}))
            for playbook, delay in zip(self._playbooks, delays, strict=True)
        ]
        try:
            for number, go in enumerate(self._go):
                ready = [playbook.folder / f"ready-{number}" for playbook in self._playbooks]
                until(partial(_all, ready, running), pause=0.05)
                go.touch()
            assert [process.wait(LIMIT) for process in running] == [0] * len(running), self._output
        finally:
            for process in running:
                kill(process)
        return [
            [Told(*json.loads(json.loads(f'"{told}"'))) for told in TOLD.findall(playbook.output)]
            for playbook in self._playbooks
        ]

    @property
    def _output(self) -> str:
        return "\n".join(playbook.output for playbook in self._playbooks)


def _all(ready: list[Path], running: list[subprocess.Popen[str]]) -> bool:
    return all(file.exists() for file in ready) or any(process.poll() is not None for process in running)


def test_without_a_common_lock_one_is_left(emulator: Emulator, tmp_path: Path) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    chance = random.Random(seed)
    machines = Machines(tmp_path, emulator.environment, MACHINES)
    for number in range(ROUNDS):
        now = ALL[number % len(ALL)]
        emulator.settings.update({"latency": now.latency, "list_lag": now.lag, "ready_after": 4.0})
        names = [f"round{number}-{one}" for one in range(NAMES)]
        began, sent = time.monotonic(), len(emulator.sent(CREATE))
        delays = [round(chance.uniform(0, now.spread), 2) for _machine in range(MACHINES)]
        told = machines.run(names, delays, now.wait)
        left = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
        made, seconds = len(emulator.sent(CREATE)) - sent, time.monotonic() - began
        print(f"round {number}, {now}: {made} made, {seconds:.1f} s")
        assert len(emulator.service.caches()) == len(left) == (number + 1) * NAMES
        expected = [left[name] for name in names]
        first, second = [runs[:2] for runs in told], [runs[2:] for runs in told]
        assert [one.ids + many.ids for one, many in second] == [expected] * MACHINES
        assert not any(run.changed for runs in second for run in runs)
        assert all(any(runs[task].changed for runs in first) for task in (0, 1))
        # who does not wait may have found one whose maker then gave way
        assert not now.wait or [one.ids + many.ids for one, many in first] == [expected] * MACHINES
