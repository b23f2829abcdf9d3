# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many tasks want one image cache at the same moment: one is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._polling import SYSTEM_CLOCK
from tests.emulator import Emulator
from tests.reliability.asks import Ask
from tests.reliability.controllers import Controller, apart, to
from tests.reliability.playbook import BODY, Playbook
from tests.unit.plugins.emulated import CREATE, DELETE, present


@pytest.mark.parametrize(("in_process", "hosts"), [(True, 50), (False, 12)], ids=["in process", "module"])
def test_a_play_without_run_once(emulator: Emulator, tmp_path: Path, in_process: bool, hosts: int) -> None:
    emulator.settings.latency = 0.02
    task = {"ctyun.eci.image_cache": {**BODY, "name": "shared"}, "delegate_to": "localhost"}
    playbook = Playbook(tmp_path, emulator.environment, [task], hosts, {"ctyun_eci_in_process": in_process})
    finished = playbook.run("--forks", "10")
    assert finished.status == 0, finished.output
    assert len(emulator.sent(CREATE)) == 1
    recap = finished.output.partition("PLAY RECAP")[2]
    assert (recap.count("changed=1"), recap.count("changed=0")) == (1, hosts - 1)


def test_two_machines_end_with_one(emulator: Emulator) -> None:
    """In real time and over sockets; orders.py plays every order of their requests."""
    emulator.settings.latency = 0.05
    with apart() as base, ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        controllers = [Controller(base, name, to(emulator, retries=0), SYSTEM_CLOCK) for name in ("one", "another")]
        for controller in controllers:
            stack.callback(controller.close)
        runs = list(pool.map(lambda controller: controller.run(Ask()), controllers))
    assert [run.entries[0].image_cache_id for run in runs] == present(emulator) * 2
    assert sum(run.changed for run in runs) == 1
    assert len(emulator.sent(CREATE)) == len(emulator.sent(DELETE)) + 1
