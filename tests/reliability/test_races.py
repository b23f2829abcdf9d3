# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many tasks want one image cache at the same moment: one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._polling import MACHINE_TIME
from tests.emulator import Emulator
from tests.reliability.asks import Ask
from tests.reliability.controllers import Controller, Told, apart, to
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


@pytest.fixture
def controllers(emulator: Emulator) -> Iterator[Callable[[str], Controller]]:
    """Make a controller, by its name; those of one name are tasks of one machine."""
    made: list[Controller] = []
    with apart() as base:

        def make(name: str) -> Controller:
            controller = Controller(base, name, to(emulator, retries=0), MACHINE_TIME)
            made.append(controller)
            return controller

        yield make
        for controller in made:
            controller.close()


def at_once(controllers: list[Controller]) -> list[Told]:
    with ThreadPoolExecutor(len(controllers)) as pool:
        return list(pool.map(lambda controller: controller.run(Ask()), controllers))


def test_many_threads(emulator: Emulator, controllers: Callable[[str], Controller]) -> None:
    emulator.settings.latency = 0.02
    told = at_once([controllers("one machine") for _number in range(50)])
    assert len(emulator.sent(CREATE)) == 1
    assert sum(one.changed for one in told) == 1
    assert {one.entries[0].image_cache_id for one in told} == set(present(emulator))


def test_two_machines_end_with_one(emulator: Emulator, controllers: Callable[[str], Controller]) -> None:
    """In real time and over sockets; orders.py plays every order of their requests."""
    emulator.settings.latency = 0.05
    told = at_once([controllers("one machine"), controllers("another")])
    assert [one.entries[0].image_cache_id for one in told] == present(emulator) * 2
    assert sum(one.changed for one in told) == 1
    assert len(emulator.sent(CREATE)) == len(emulator.sent(DELETE)) + 1
