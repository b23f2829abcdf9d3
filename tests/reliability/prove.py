# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All enumerations, with their figures as tables.

    python -m tests.reliability.prove --processes 2 [--only single-faults third-parties orders] [--every N] [--write]

Exits with 1 if a promise was broken, and prints the first violations with all that led to them.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

# the root one makes ansible_collections.ctyun.eci
importlib.import_module("conftest")
controllers = importlib.import_module("tests.reliability.controllers")
figures = importlib.import_module("tests.reliability.figures")
orders = importlib.import_module("tests.reliability.orders")
single_faults = importlib.import_module("tests.reliability.single_faults")
stage = importlib.import_module("tests.reliability.stage")
third_parties = importlib.import_module("tests.reliability.third_parties")

PARTS = ("single-faults", "third-parties", "orders")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "requests_ca_bundle", "curl_ca_bundle")
_ROWS = {
    "single-faults": (
        "cases",
        "cases whose fault no request met",
        "endings that differ",
        "runs of a task",
        "requests",
    ),
    "third-parties": (
        "cases",
        "cases in which there was nothing to act on",
        "runs of a task",
        "requests",
    ),
    "orders": (
        "pairs of tasks",
        "orders",
        "orders that differ from another one in reads only",
        "orders in which one gave way to the other",
        "requests",
    ),
}

# What a process has open: it ends with the process.
_open = ExitStack()
_provers: dict[str, Any] = {}


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Try every single fault, every act of a third party, and every order of two controllers' requests."
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth case and each Nth pair")
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.lower() in _PROXIES:
            del os.environ[name]
    violations = 0
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for part in options.only:
            began = time.monotonic()
            total = _gather(part, pool.imap_unordered(_prove, _jobs(part, options)), len(_jobs(part, options)))
            rows = total.rows(*_ROWS[part], "violations")
            more = [("seconds", round(time.monotonic() - began)), ("processes", options.processes)]
            text = figures.table(part.replace("-", " "), [*rows, *more])
            print(text, *total.violations, sep="\n\n", flush=True)
            violations += total.counts["violations"]
            if options.write:
                figures.write(part, _command(part, options), text)
    return 1 if violations else 0


def _jobs(part: str, options: argparse.Namespace) -> list[tuple[str, int, int]]:
    if part == "orders":
        jobs = [(part, number, 1) for number in range(0, len(list(orders.all_pairs())), options.every)]
        random.Random(0).shuffle(jobs)  # the long ones are neighbours
        return jobs
    groups = (single_faults if part == "single-faults" else third_parties).groups()
    return [(part, number, options.every) for number in range(len(groups))]


def _gather(part: str, results: Iterable[Any], jobs: int) -> Any:
    total = figures.Figures()
    shown = time.monotonic()
    for number, result in enumerate(results, 1):
        total.add(result)
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{part}: {number} of {jobs}, {total.counts['violations']} violations", file=sys.stderr, flush=True)
    return total


def _prove(job: tuple[str, int, int]) -> Any:
    part, number, every = job
    prover = _provers.get(part) or _provers.setdefault(part, _prover(part))
    prover.figures = figures.Figures()
    if part == "orders":
        prover.prove(list(orders.all_pairs())[number])
    else:
        prover.prove_group(number, every)
    return prover.figures


def _prover(part: str) -> Any:
    if part == "single-faults":
        return _open.enter_context(single_faults.Prover())
    if part == "third-parties":
        return _open.enter_context(third_parties.Prover())
    _open.enter_context(stage.quick_times())
    return orders.Prover(_open.enter_context(controllers.apart()))


def _command(part: str, options: argparse.Namespace) -> str:
    parts = [f"python -m tests.reliability.prove --only {part} --processes {options.processes}"]
    parts += [f"--every {options.every}"] * (options.every > 1)
    return " ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
