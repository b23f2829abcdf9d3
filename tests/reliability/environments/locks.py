# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of one machine that wait for each other, or must not."""

from __future__ import annotations

import time
from typing import Any

from tests.reliability.environments.stage import (
    CREATE,
    DELETE,
    PROCESS,
    UPDATE,
    Environment,
    Stage,
    demand,
)
from tests.reliability.playbook import BODY

WEB = {"ctyun.eci.image_cache": {**BODY, "name": "web"}}
LOOPS = 8


def many(*names: str, **options: Any) -> dict[str, Any]:
    bodies = [{**BODY, "name": name} for name in names]
    return {"ctyun.eci.image_caches": {"image_caches": bodies, **options}}


def _spelled_in_two_ways(stage: Stage) -> str:
    stage.emulator.settings.latency = 0.3
    url = stage.emulator.url
    spelled = (
        "{{ ['" + f"{url}', '{url.replace('http', 'HTTP')}/" + "'][ansible_play_hosts.index(inventory_hostname) % 2] }}"
    )
    run = stage.play([{"ctyun.eci.image_cache": {**BODY, "name": "web", "endpoint": spelled}}], "--forks", "4", hosts=4)
    demand(run.status == 0, "one of them failed", run)
    sent = len(stage.emulator.sent(CREATE))
    demand(sent == 1, f"{sent} creates were sent", run)
    return "1 create"


def _starving(stage: Stage) -> str:
    items = 60 if stage.door == PROCESS else 15
    tags = [{"key": "who", "value": "{{ item }} {{ who }}"}]
    loop = {"ctyun.eci.image_cache": {**BODY, "name": "web", "tags": tags}, "loop": list(range(items))}
    stage.emulator.settings.latency = 0.05
    loops = [stage.start([loop], variables={"who": str(number)}) for number in range(LOOPS)]
    stage.wait_for(UPDATE, LOOPS)
    began = time.monotonic()
    bulk = stage.play([many("web", "db", "other")])
    ends = []
    for running in loops:
        run = running.end(600)
        demand(run.status == 0, "a loop failed", run)
        ends.append(time.monotonic() - began)
    demand(bulk.status == 0, "it failed", bulk)
    demand(bulk.seconds < max(ends) + 10, "it came to its turn long after all loops", bulk)
    return f"the bulk task ended after {bulk.seconds:.0f} s, the last loop after {max(ends):.0f} s"


def _slow_deletion(stage: Stage) -> str:
    old = stage.emulator.service.seed("web", ["redis:7"], imageCacheSize=40, azName="az1")
    options = {"image_cache_id": old, "drift": "recreate", "wait_interval": 0.5}
    recreate = stage.start([{"ctyun.eci.image_cache": {**WEB["ctyun.eci.image_cache"], **options}}])
    stage.wait_for(DELETE)
    others = stage.play([{"ctyun.eci.image_cache": {**BODY, "name": "db"}}, many("a", "b")])
    demand(others.status == 0, "they failed", others)
    demand(stage.made == ["a", "b", "db", "web"], f"there are {stage.made}")
    demand(old in stage.ids and not recreate.is_over, "they waited for the deletion")
    stage.emulator.advance(1000)
    run = recreate.end()
    demand(run.status == 0 and run.result["changed"] and old not in stage.ids, "it was not replaced", run)
    return "tasks for other names were done before the deletion was"


ENVIRONMENTS = [
    Environment(
        "4 tasks for one name, the endpoint spelled in two ways",
        "one create",
        _spelled_in_two_ways,
        quick=[PROCESS],
    ),
    Environment(
        "8 loops over one name and a bulk task with that name and others",
        "nobody starves",
        _starving,
    ),
    Environment(
        "`drift: recreate` by ID with a slow deletion; tasks for other names",
        "they do not wait",
        _slow_deletion,
        settings={"delete_after": 500.0},
    ),
]
