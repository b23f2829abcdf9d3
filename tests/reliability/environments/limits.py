# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that give few threads, little memory or few files."""

from __future__ import annotations

import os
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from tests.emulator import Fault
from tests.reliability.environments.locks import many
from tests.reliability.environments.stage import DESCRIBE, LIST, PROCESS, Environment, NotTried, Run, Stage, demand

CACHES = 20
NAMES = [f"cache-{number:02}" for number in range(CACHES)]
# What ansible-playbook itself needs, through each door, before the task has a thread of its own.
OWN_THREADS = {True: 3, False: 7}
THREADS = 4
INFO = {"ctyun.eci.image_cache_info": {"events": True}}


def _all_made(stage: Stage, run: Run) -> None:
    demand(run.status == 0, "it failed", run)
    returned = {entry["image_cache_name"]: entry["image_cache_id"] for entry in run.result["image_caches"]}
    there = {cache["imageCacheName"]: cache["imageCacheId"] for cache in stage.emulator.service.caches()}
    demand(sorted(there) == NAMES and returned == there, "the result is not what there is", run)


def _all_events_read(stage: Stage, run: Run) -> None:
    demand(run.status == 0, "it failed", run)
    returned = run.result["image_caches"]
    demand(len(returned) == CACHES and all(cache["events"] for cache in returned), "events are missing", run)
    demand(len(stage.emulator.sent(DESCRIBE)) == CACHES, "they were not read once", run)


def _few_threads(concurrency: int, stage: Stage) -> str:
    room = OWN_THREADS[stage.door == PROCESS] + THREADS
    # of root the system does not count them
    user = None if os.getuid() else random.randrange(200_000, 2_000_000)
    if user is not None and not shutil.which("setpriv"):
        raise NotTried("root, and no setpriv")
    limits = f"ulimit -u {_threads(os.getuid() if user is None else user) + room}"
    stage.emulator.settings.latency = 0.05
    run = stage.play([many(*NAMES, concurrency=concurrency)], limits=limits, user=user)
    _all_made(stage, run)
    used = stage.emulator.connections
    demand(used < concurrency, f"there were {used} connections: the limit was none", run)
    _all_events_read(stage, stage.play([INFO], limits=limits, user=user))
    return f"all made over {used} connection(s), all IDs and events are in the result"


def _threads(user: int) -> int:
    """How many threads a user has."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.partition(":")[::2] for line in status.read_text(encoding="utf-8").splitlines())
        except OSError:
            continue
        if int(lines["Uid"].split()[0]) == user:
            count += int(lines["Threads"])
    return count


def _little_memory(concurrency: int, stage: Stage) -> str:
    stage.emulator.settings.latency = 0.05
    limits, run = _with_least_memory(stage, many(*NAMES, concurrency=concurrency))
    _all_made(stage, run)
    used = stage.emulator.connections
    if used >= concurrency:
        raise NotTried("the memory was enough for all threads")
    _all_events_read(stage, stage.play([INFO], limits=limits))
    return f"all made over {used} connection(s), all IDs and events are in the result"


def _no_memory_for_a_reply(stage: Stage) -> str:
    stage.emulator.inject(Fault("huge", LIST, skip=1, times=None, megabytes=31))
    _limits, run = _with_least_memory(stage, many(*NAMES, concurrency=2))
    _all_made(stage, run)
    if "WARNING" not in run.output:
        raise NotTried("the memory was enough for the reply")
    demand("ulimit -v" in run.output, "it does not say so", run)
    return "all made, all IDs are in the result; a warning says what could not be read, and why"


def _with_least_memory(stage: Stage, task: dict[str, Any]) -> tuple[str, Run]:
    """Run it with as little as ansible-playbook itself can run with."""
    for megabytes in (110, 140, 180, 240):
        limits = f"ulimit -v {megabytes * 1024}"
        run = stage.play([task], limits=limits)
        if run.results:
            return limits, run
    raise NotTried("ansible-playbook itself needs more memory")


def _many_connections(stage: Stage) -> str:
    count = 150 if stage.door == PROCESS else 10
    items = {"loop": list(range(count)), "ignore_errors": True}
    tasks = [
        {"ctyun.eci.region_info": {"region_id": "region-{{ item }}"}, **items},
        {"ctyun.eci.region_info": {"access_key": "account-{{ item }}"}, **items},
        {"ctyun.eci.region_info": {"timeout": "{{ 30 + item }}"}, **items},
    ]
    run = stage.play(tasks, limits="ulimit -n 64")
    demand(run.status == 0, "it failed", run)
    results = [one for one in run.results if "results" not in one]
    demand(len(results) == 3 * count, "results are missing", run)
    for number, says in enumerate(("no such region", "unknown access key", stage.emulator.settings.zones[0])):
        for one in results[number * count : (number + 1) * count]:
            demand(says in str(one), f"an item met something else: {one}")
    demand(len(stage.emulator.requests) == 3 * count, "something was sent again")
    return f"{len(results)} of {len(results)} items had their answer, each at the first attempt"


def _too_few_files(stage: Stage) -> str:
    stage.emulator.settings.latency = 0.3
    run = stage.play([many(*NAMES, concurrency=20)], limits="ulimit -n 20")
    entries = run.result["image_caches"]
    there = {cache["imageCacheName"]: cache["imageCacheId"] for cache in stage.emulator.service.caches()}
    returned = {one["image_cache_name"]: one["image_cache_id"] for one in entries if one["image_cache_id"]}
    demand(returned == there and run.result["changed"], "the result is not what there is", run)
    failed = [one for one in entries if one["failed"]]
    demand(failed, "the limit was none", run)
    for one in failed:
        demand("Too many open files (see ulimit -n)" in one["msg"], "it names something else", run)
        demand((one["failure"]["attempts"], one["failure"]["effect"]) == (1, "none"), "it was tried again", run)
    again = stage.play([many(*NAMES, concurrency=2)], limits="ulimit -n 20")
    _all_made(stage, again)
    return f"{len(there)} made, {len(failed)} failed: named as that, not tried again; with `concurrency: 2` all made"


ENVIRONMENTS = [
    *(
        Environment(
            f"`ulimit -u` with room for {THREADS} threads, `concurrency: {concurrency}`; events of {CACHES}",
            "all is done, all IDs are in the result",
            partial(_few_threads, concurrency),
            quick=[PROCESS] if concurrency == 10 else [],
        )
        for concurrency in (10, 50)
    ),
    *(
        Environment(
            f"`ulimit -v` of 110 MiB or a little more, `concurrency: {concurrency}`; events of {CACHES}",
            "all is done, all IDs are in the result",
            partial(_little_memory, concurrency),
        )
        for concurrency in (20, 50)
    ),
    Environment(
        "no memory for the list after the creates",
        "all IDs are in the result",
        _no_memory_for_a_reply,
        quick=[PROCESS],
    ),
    Environment(
        "`ulimit -n 64`, loops over 150 regions, 150 accounts and 150 timeouts (10 as modules)",
        "all is done",
        _many_connections,
        quick=[PROCESS],
    ),
    Environment(
        "`ulimit -n 20`, `concurrency: 20`",
        "the cause is named, IDs are in the result",
        _too_few_files,
        quick=[PROCESS],
    ),
]
