# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Effects that come late, and tasks that are ended in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.emulator import Fault
from tests.reliability.environments.stage import CREATE, DELETE, PROCESS, Broken, Environment, Running, Stage, demand
from tests.reliability.playbook import BODY, until

TAGS = [{"key": "team", "value": "web"}]


def task(**options: Any) -> dict[str, Any]:
    return {"ctyun.eci.image_cache": {**BODY, "name": "web", **options}}


def _ended_before_the_effect(end: Callable[[Running], None], stage: Stage) -> str:
    stage.emulator.inject(Fault("late", CREATE, seconds=5, hang=10))
    running = stage.start([task()])
    stage.wait_for(CREATE)
    time.sleep(0.5)
    demand(not stage.made, "the effect was there before the end")
    end(running)
    running.end()
    stage.wait_for_the_end()
    again = stage.play([task()])
    demand(again.status == 0, "the second run failed", again)
    demand(until(lambda: bool(stage.made), 10), "the effect did not come", again)
    demand(stage.made == ["web"], f"there are {stage.made}", again)
    demand(len(stage.emulator.sent(CREATE)) == 1, "a second create was sent", again)
    demand(stage.left_files == ["locks"], f"left in the folder: {stage.left_files}")
    return f"1 image cache, found by the second run after {again.seconds:.0f} s"


def _later_than_all_looks(stage: Stage) -> str:
    stage.emulator.inject(Fault("late", CREATE, seconds=1000, hang=10))
    first = stage.play([task(timeout=2)])
    demand(first.status == 0, "the first run failed", first)
    demand("Should it take effect late" in " ".join(first.output.split()), "it does not say so", first)
    stage.emulator.advance(1000)
    demand(stage.made == ["web", "web"], f"there are {stage.made}")
    second = stage.play([task()])
    demand(all(one in second.result["msg"] for one in stage.ids), "it does not tell both IDs", second)
    third = stage.play([task(duplicates="delete_younger")])
    demand(stage.made == ["web"] and third.status == 0, f"there are {stage.made}", third)
    demand(first.result["image_cache_id"] == third.result["image_cache_id"], "the first one is gone", third)
    return "told by a warning; the next run fails with both IDs, and leaves one with `duplicates: delete_younger`"


def _without_an_answer(stage: Stage) -> str:
    stage.emulator.inject(Fault("late", CREATE, seconds=20, hang=10))
    first = stage.play([task(timeout=2, retries=0)])
    demand("may exist all the same" in first.result["msg"], "it does not say so", first)
    second = stage.play([task()])
    demand(second.status == 0 and stage.made == ["web"], f"there are {stage.made}", second)
    demand(len(stage.emulator.sent(CREATE)) == 1, "a second create was sent", second)
    return f"the task fails and says so; the next run finds it after {second.seconds:.0f} s"


def _replaced_without_tags(how: str, stage: Stage) -> str:
    stage.emulator.service.seed("web", ["redis:7"], imageCacheSize=40, azName="az1", tags=TAGS)
    recreate = task(drift="recreate", wait_interval=0.5)
    running = stage.start([{**recreate, "timeout": 5} if how == "timeout" else recreate])
    stage.wait_for(DELETE)
    if how == "kill":
        running.kill()
    running.end()
    stage.wait_for_the_end()
    demand(not stage.emulator.sent(CREATE), "it was ended too late")
    demand(stage.emulator.service.caches()[0]["tags"] == TAGS, "the old one has lost its tags")
    again = stage.play([recreate])
    demand(again.status == 0 and stage.made == ["web"], f"there are {stage.made}", again)
    (cache,) = stage.emulator.service.caches()
    if cache["images"] != BODY["images"] or cache["tags"] != TAGS:
        raise Broken(f"there is {cache}\n{again.output}")
    return "replaced by the second run, with the tags of the old one"


ENVIRONMENTS = [
    Environment(
        "a create takes effect 5 s late; Ctrl-C after 0.5 s; the same again at once",
        "one image cache",
        partial(_ended_before_the_effect, Running.interrupt),
    ),
    Environment(
        "a create takes effect 5 s late; SIGKILL after 0.5 s; the same again at once",
        "one image cache",
        partial(_ended_before_the_effect, Running.kill),
        quick=[PROCESS],
    ),
    Environment(
        "a create takes effect after the last look, with `timeout: 2`; later the same again",
        "nothing is made in silence",
        _later_than_all_looks,
    ),
    Environment(
        "a create takes effect 20 s late, with `timeout: 2` and `retries: 0`; the same again at once",
        "one image cache",
        _without_an_answer,
    ),
    Environment(
        "`drift: recreate` without `tags`, SIGKILL while it waits for the deletion; the same again",
        "the tags are kept",
        partial(_replaced_without_tags, "kill"),
        quick=[PROCESS],
        settings={"delete_after": 8.0},
    ),
    Environment(
        "`drift: recreate` without `tags`, the keyword `timeout` is over while it waits; the same again",
        "the tags are kept",
        partial(_replaced_without_tags, "timeout"),
        settings={"delete_after": 12.0},
    ),
]
