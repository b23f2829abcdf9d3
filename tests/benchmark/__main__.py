# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.benchmark``: measure, print the tables, and write them to docs/maintainers/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import rates
from .cases import all_cases, record
from .emulator import Emulator
from .report import Figures, section, table, write


def measure(rounds: int, only: str, emulator: Emulator, folder: Path) -> Figures:
    """Run all cases one after another, and repeat that, so that other load on the machine affects all of them."""
    figures = Figures(rounds=rounds)
    cases = [case for case in all_cases() if only in case.name or case.name == "empty"]
    for items in sorted({case.items for case in cases if case.plugin and case.playbook == "image_caches.yml"} or {1}):
        record(items, emulator, folder)
    for number in range(rounds):
        for case in cases:
            if number >= case.rounds:
                continue
            case.prepare(emulator)
            before = emulator.usage()
            cost = case.run(emulator, folder)
            after = emulator.usage()
            requests, seconds = (after[name] - before[name] for name in ("requests", "cpu_seconds"))
            figures.add(case, cost, int(requests), float(seconds))
            print(f"round {number + 1}: {case.name}: {cost.wall:.2f} s, CPU {cost.cpu:.2f} s", file=sys.stderr)
    return figures


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="only cases whose name contains this, or rates; nothing is written then")
    arguments = parser.parse_args()
    with Emulator() as emulator, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.only == "rates":
            print(rates.table(rates.measure(arguments.rounds, emulator, folder)))
            return 0
        figures = measure(arguments.rounds, arguments.only or "", emulator, folder)
        if arguments.only:
            print(table(figures))
            return 0
        found = rates.measure(arguments.rounds, emulator, folder)
    text = section(figures, found)
    print(text)
    write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
