# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many fault schedules, and the figures of them as a table.

    python -m tests.reliability.soak --schedules 10000 --processes 2 [--seed N] [--shrink]

Ends with 1 if anything was violated; the first schedule that did so is printed, as a program that can be replayed.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

# the root one makes ansible_collections.ctyun.eci
importlib.import_module("conftest")
machine = importlib.import_module("tests.reliability.machine")
figures = importlib.import_module("tests.reliability.figures")

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "requests_ca_bundle", "curl_ca_bundle")


def main() -> int:
    parser = argparse.ArgumentParser(description="Random fault schedules through the real client and the emulator.")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    parser.add_argument("--shrink", action="store_true", help="look for the smallest schedule that fails: minutes more")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.lower() in _PROXIES:
            del os.environ[name]
    share = -(-options.schedules // options.processes)
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        jobs = [(share, options.seed + number, options.shrink) for number in range(options.processes)]
        all_figures = pool.starmap(_run, jobs)
    table = _table(all_figures, options.seed, options.processes, time.monotonic() - began)
    print(table)
    if options.write:
        command = f"--schedules {options.schedules} --processes {options.processes} --seed {options.seed}"
        figures.write("soak", f"python -m tests.reliability.soak {command}", table)
    return 1 if any(one.violations for one in all_figures) else 0


def _run(schedules: int, seed_of_process: int, shrink: bool) -> Any:
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    chosen = settings(
        max_examples=schedules,
        stateful_step_count=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
        print_blob=False,
    )
    try:
        with machine.places():
            run_state_machine_as_test(seed(seed_of_process)(machine.FaultMachine), settings=chosen)
    except Exception as error:  # noqa: BLE001  whatever it is, it is a violation
        machine.FIGURES.violations += 1
        traceback.print_exc()
        print(*getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
    return machine.FIGURES


def _table(all_figures: list[Any], seed_used: int, processes: int, seconds: float) -> str:
    rows: list[tuple[str, object]] = [
        (text, sum(getattr(one, name) for one in all_figures))
        for text, name in (
            ("schedules", "schedules"),
            ("tasks", "tasks"),
            ("tasks that failed", "failed_tasks"),
            ("requests", "requests"),
            ("image caches created", "created"),
            ("effects hidden by a fault", "effects_behind_faults"),
        )
    ]
    faults: Counter[str] = sum((one.faults for one in all_figures), Counter())
    rows.append(("faults", sum(faults.values())))
    rows += [(f"faults: {kind}", count) for kind, count in faults.most_common()]
    rows += [("violations", sum(one.violations for one in all_figures))]
    rows += [("seconds", round(seconds)), ("processes", processes), ("seed", seed_used)]
    return str(figures.table("random schedules", rows))


if __name__ == "__main__":
    sys.exit(main())
