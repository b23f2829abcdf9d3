# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many tasks want one image cache at the same moment: one is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import converge as converging
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.apply import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.connection import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator
from tests.reliability.playbook import BODY, Playbook

CREATE = "createImageCache"
WIRE_BODY = {
    "imageCacheName": "shared",
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}


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
def run(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], Outcome]:
    """Converge with a client of one's own, for many threads. The number is ignored."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    emulator.settings.latency = 0.02
    known = emulator.settings
    connection = Connection(known.access_key, known.secret_key, known.region_id, emulator.url, True, 20.0, 0, 30.0)

    def run(_number: int) -> Outcome:
        client = Client(connection)
        try:
            return converge(Wanted("present", WIRE_BODY), client, Wait(60, 5))
        finally:
            client.close()

    return run


def test_many_threads(emulator: Emulator, run: Callable[[int], Outcome]) -> None:
    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(run, range(50)))
    assert len(emulator.sent(CREATE)) == 1
    assert sum(outcome.changed for outcome in outcomes) == 1
    assert len({outcome.image_cache_id for outcome in outcomes}) == 1


def test_two_machines_have_no_common_lock_and_are_told_what_came_of_it(
    emulator: Emulator, run: Callable[[int], Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_looked = threading.Barrier(2, timeout=20)
    existing = converging._existing

    def look(*arguments: Any) -> Any:
        found = existing(*arguments)
        both_have_looked.wait()
        return found

    monkeypatch.setattr(converging, "_existing", look)
    monkeypatch.setattr(lock, "exclusive", lambda *arguments: nullcontext())
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, range(2)))
    made = [cache["imageCacheId"] for cache in emulator.service.caches()]
    assert sorted(outcome.image_cache_id or "" for outcome in outcomes) == sorted(made)
    assert len(made) == 2
    warnings = [warning for outcome in outcomes for warning in outcome.warnings]
    assert warnings
    assert all(image_cache_id in warnings[-1] for image_cache_id in made)
