# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Effects that come late, and tasks that are ended in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.emulator import Fault
from tests.reliability.environments.stage import CREATE, PROCESS, Environment, Run, Running, Stage, demand
from tests.reliability.playbook import BODY, until


def task(**options: Any) -> dict[str, Any]:
    return {"ctyun.eci.image_cache": {**BODY, "name": "web", **options}}


def _before_the_effect(end: Callable[[Running], None], stage: Stage) -> Run:
    """End a task before its create takes effect, and run it again at once. Return the second run."""
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
    return again


def _interrupted(stage: Stage) -> str:
    again = _before_the_effect(Running.interrupt, stage)
    demand(until(lambda: bool(stage.made), 10), "the effect did not come", again)
    demand(stage.made == ["web"], f"there are {stage.made}", again)
    demand(len(stage.emulator.sent(CREATE)) == 1, "a second create was sent", again)
    return f"1 image cache, found by the second run after {again.seconds:.0f} s"


def _killed(stage: Stage) -> str:
    again = _before_the_effect(Running.kill, stage)
    demand(until(lambda: len(stage.made) == 2, 10), "the effect did not come", again)
    return _named_and_deleted(stage)


def _named_and_deleted(stage: Stage) -> str:
    """Two of the name are there: a run names them, and one with duplicates: delete_younger leaves the elder."""
    named = stage.play([task()])
    demand(all(one in named.result["msg"] for one in stage.ids), "it does not name both IDs", named)
    last = stage.play([task(duplicates="delete_younger", wait=True)])
    demand(stage.made == ["web"] and last.status == 0, f"there are {stage.made}", last)
    return "the next run fails with both IDs, and leaves one with `duplicates: delete_younger`"


def _later_than_all_looks(stage: Stage) -> str:
    stage.emulator.inject(Fault("late", CREATE, seconds=1000, hang=10))
    first = stage.play([task(timeout=2)])
    demand(first.status == 0, "the first run failed", first)
    demand("there will be two image caches" in " ".join(first.output.split()), "there is no warning", first)
    stage.emulator.advance(1000)
    demand(stage.made == ["web", "web"], f"there are {stage.made}")
    return f"a warning; {_named_and_deleted(stage)}"


ENVIRONMENTS = [
    Environment(
        "a create takes effect 5 s late; Ctrl-C after 0.5 s; the same again at once",
        "one image cache",
        _interrupted,
    ),
    Environment(
        "a create takes effect 5 s late; SIGKILL after 0.5 s; the same again at once",
        "nothing is created in silence",
        _killed,
        quick=[PROCESS],
    ),
    Environment(
        "a create takes effect after the last look, with `timeout: 2`; later the same again",
        "nothing is created in silence",
        _later_than_all_looks,
    ),
]
