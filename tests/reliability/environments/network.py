# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies that do not come to an end, and some that look odd."""

from __future__ import annotations

from typing import Any

from tests.emulator import Fault
from tests.reliability.environments.stage import CREATE, PROCESS, Environment, Stage, demand
from tests.reliability.playbook import BODY

TIMEOUT = 3.0
ENDLESS: dict[str, dict[str, Any]] = {
    "drip_chunks": {"interval": 0.5},
    "hang": {"seconds": 20.0},
}


def _endless(stage: Stage) -> str:
    stage.emulator.inject(*(Fault(kind, "region", **details) for kind, details in ENDLESS.items()))
    task = {"ctyun.eci.region_info": {"timeout": TIMEOUT, "retries": 0}, "ignore_errors": True}
    run = stage.play([task] * len(ENDLESS))
    for result in run.results:
        demand("No complete reply" in result["msg"] and "option timeout" in result["msg"], "it says otherwise", run)
    demand(len(run.results) == len(ENDLESS), "results are missing", run)
    demand(run.seconds < len(ENDLESS) * TIMEOUT + 20, f"they took {run.seconds:.0f} s", run)
    return f"{len(ENDLESS)} tasks ended, after {run.seconds:.0f} s in all"


def _odd(stage: Stage) -> str:
    odd = [Fault("informational", "region", statuses=[100]), Fault("bom", "region")]
    stage.emulator.inject(*odd, Fault("numeric_request_id", CREATE))
    reading = {"ctyun.eci.region_info": {"retries": 0}}
    run = stage.play([reading, reading, {"ctyun.eci.image_cache": {**BODY, "name": "web", "retries": 0}}])
    demand(run.status == 0 and len(run.results) == 3, "one of them failed", run)
    demand(isinstance(run.result["request_id"], str), "the request ID is no text", run)
    return "all were read; the request ID is a text"


ENVIRONMENTS = [
    Environment(
        "a reply that does not begin, and a body that does not end, `timeout: 3`",
        "each task ends in time",
        _endless,
        quick=[PROCESS],
    ),
    Environment(
        "100 before the reply; a byte order mark; a number as request ID",
        "the reply is read",
        _odd,
    ),
]
