# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.benchmark``: measure, print the table, and write docs/benchmarks.md with its plot."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import rates
from .cases import MEASURES, all_cases
from .emulator import Emulator
from .measure import run
from .report import Figures, table, write, write_rates

RATE_ROUNDS = 3


def measure(rounds: int, only: str) -> Figures:
    """Run every case in turn, and that several times, so that what else the machine does meets all alike."""
    figures = Figures(rounds=rounds)
    cases = [case for case in all_cases() if only in case.name or case.name == "empty"]
    with Emulator() as secure, Emulator(plain=True) as plain, tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for case in cases:
                if number >= case.rounds:
                    continue
                emulator = plain if case.plain else secure
                if not case.keep:
                    emulator.reset(case.latency)
                before = emulator.usage()
                cost = run(case.playbook, case.arguments(Path(folder)), emulator.environment)
                after = emulator.usage()
                figures.add(
                    case,
                    cost,
                    int(after["requests"] - before["requests"]),
                    float(after["cpu_seconds"] - before["cpu_seconds"]),
                )
                print(f"round {number + 1}: {case.name}: {cost.wall:.2f} s", file=sys.stderr)
    return figures


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only",
        default="",
        help="only cases whose name contains this, and nothing is written then; or rates, and only their table is written",
    )
    arguments = parser.parse_args()
    if arguments.only == "rates":
        return _rates(arguments.rounds)
    figures = measure(arguments.rounds, arguments.only)
    print(table(figures))
    if arguments.only:
        return 0
    write(figures)
    missed = [measure.name for measure in MEASURES if not measure.holds(figures.walls)]
    for name in missed:
        print(f"MISSED: {name}")
    return max(1 if missed else 0, _rates(min(arguments.rounds, RATE_ROUNDS)))


def _rates(rounds: int) -> int:
    found = rates.measure(rounds)
    print(rates.table(found))
    write_rates(rates.table(found))
    missed = rates.missed(found)
    for name in missed:
        print(f"MISSED: {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
