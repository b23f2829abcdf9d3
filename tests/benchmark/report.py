# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures -> the tables of docs/maintainers/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from . import rates
from .cases import MEASURES, Case, Walls, bare
from .measure import Cost

PAGE = Path(__file__).resolve().parents[2] / "docs" / "maintainers" / "benchmarks.md"
BEGIN, END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"


@dataclass
class Figures:
    """What the cases cost, by their names; requests and the emulator's CPU seconds."""

    rounds: int
    costs: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))
    requests: dict[str, int] = field(default_factory=dict)
    emulator: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: Case, cost: Cost, requests: int, emulator: float) -> None:
        """Add one run."""
        self.costs[case.name].append(cost)
        self.requests[case.name] = requests
        self.emulator[case.name].append(emulator)

    @property
    def walls(self) -> Walls:
        """Wall times in seconds."""
        return {name: [cost.wall for cost in costs] for name, costs in self.costs.items()}

    def memory(self, name: str) -> float:
        """The largest process in MiB."""
        return max(cost.memory for cost in self.costs[name])


def table(figures: Figures) -> str:
    """Every case with its wall and CPU time, memory, requests and the emulator's share."""
    rows = [
        "| case | wall s (min-max) | CPU s | memory MiB | requests | emulator CPU s |",
        "|---|---|---|---|---|---|",
    ]
    for name, walls in figures.walls.items():
        cpu = median(cost.cpu for cost in figures.costs[name])
        rows.append(
            f"| {name} | {median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {cpu:.2f} "
            f"| {figures.memory(name):.0f} | {figures.requests[name]} | {median(figures.emulator[name]):.2f} |"
        )
    return "\n".join(rows)


def peers(figures: Figures) -> str:
    """Each measure: seconds of the peer, of the floor and of the collection, their ratio and its goal."""
    rows = [
        "| what | peer | peer s | floor s | ctyun.eci s | MiB | ratio | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    walls = figures.walls
    for measure in MEASURES:
        floor = f"{median(walls[bare(measure.case)]):.2f}" if bare(measure.case) in walls else ""
        cells = [measure.what, measure.peer, f"{median(measure.walls(walls)):.2f}", floor]
        cells += [f"{median(walls[measure.case]):.2f}", f"{figures.memory(measure.case):.0f}"]
        ratio = f"{measure.ratio(walls):.1f} times faster" if measure.faster else f"{measure.ratio(walls):.2f}"
        rows.append(f"| {' | '.join([*cells, ratio, measure.goal])} |".replace("|  |", "| |"))
    return "\n".join(rows)


def section(figures: Figures, found: rates.Rates) -> str:
    """The part of the page that the command writes."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "requests", "urllib3", "jsonschema"))
    return f"""## Peers

Python {platform.python_version()}, {packages}; {os.cpu_count()} cores ({platform.machine()}); {figures.rounds} rounds. An empty play takes
{median(figures.walls["empty"]):.2f} s.

{peers(figures)}

## Rate limits

{rates.ITEMS} image caches at a service that takes a number of requests a second. The goal is {rates.GOAL} x the ideal.

{rates.table(found)}
"""


def write(text: str) -> None:
    """Replace the section in the page."""
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
