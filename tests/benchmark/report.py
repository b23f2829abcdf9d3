# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures -> tables to read, and the part of docs/maintainers/benchmarks.md that belongs to this ansible-core."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from . import rates
from .cases import AGAIN, LATENCY, LINEAR, MEASURES, PLANS, Case, Walls, bulk_name, replay
from .measure import Cost

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
# MiB of a case, and the number of its entries
MEMORY_GOALS = {bulk_name(1000, LATENCY, 50): (120, 1000), LINEAR[-1].name + AGAIN: (200, LINEAR[-1].items)}


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

    def cpu(self, name: str) -> float:
        """CPU time in seconds."""
        return median(cost.cpu for cost in self.costs[name])

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
        rows.append(
            f"| {name} | {median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {figures.cpu(name):.2f} "
            f"| {figures.memory(name):.0f} | {figures.requests[name]} | {median(figures.emulator[name]):.2f} |"
        )
    return "\n".join(rows)


def goals(figures: Figures, found: rates.Rates) -> str:
    """The goals with their floors and what was measured."""
    rows = ["| measure | goal | floor | measured | |", "|---|---|---|---|---|"]
    walls = figures.walls
    for measure in MEASURES:
        floor = measure.floor(walls)
        sign = "at least " if measure.least else ""
        rows.append(
            f"| {measure.name} | {sign}{measure.goal:g} | {'' if floor is None else f'{floor:.2f}'} "
            f"| {measure.measured(walls):.2f} | {_verdict(measure.holds(walls))} |"
        )
    for name, (goal, items) in MEMORY_GOALS.items():
        memory, own = figures.memory(name), figures.memory(replay(items))
        rows.append(f"| MiB of {name} | {goal} | {own:.0f} | {memory:.0f} | {_verdict(memory <= goal)} |")
    for rate, runs in found.items():
        if rate.rate == rates.FASTEST:
            what = f"{rate.rate} requests a second by {rate.concurrency}"
            what += ", Retry-After" if rate.retry_after else ""
            ratio = median(run.ratio for run in runs)
            rows.append(f"| {what} / the ideal | {rates.GOAL} | | {ratio:.2f} | {_verdict(rates.reached(runs))} |")
    return "\n".join(rows)


def _verdict(holds: bool) -> str:
    return "reached" if holds else "**missed**"


def linear(figures: Figures) -> str:
    """CPU time and memory of each image cache, above an empty play."""
    rows = [
        "| image caches | create: CPU ms each | KiB each | again: CPU ms each | KiB each | requests | Ansible's own: CPU ms each | KiB each |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in LINEAR:
        cells = []
        for name in (case.name, case.name + AGAIN, replay(case.items)):
            cpu = (figures.cpu(name) - figures.cpu("empty")) / case.items
            memory = (figures.memory(name) - figures.memory("empty")) / case.items
            cells += [f"{1000 * cpu:.2f}", f"{1024 * memory:.1f}"]
        cells.insert(4, str(figures.requests[case.name + AGAIN]))
        rows.append(f"| {case.items} | {' | '.join(cells)} |")
    return "\n".join(rows)


def plans(figures: Figures) -> str:
    """CPU time to plan, for each name of the task, above an empty play."""
    rows = ["| names | CPU ms each | requests |", "|---|---|---|"]
    for case in PLANS:
        cpu = (figures.cpu(case.name) - figures.cpu("empty")) / case.items
        rows.append(f"| {case.items} | {1000 * cpu:.2f} | {figures.requests[case.name]} |")
    return "\n".join(rows)


def _core() -> str:
    return ".".join(version("ansible-core").split(".")[:2])


def section(figures: Figures, found: rates.Rates) -> str:
    """The part of the page that this ansible-core has."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("requests", "urllib3", "jsonschema"))
    return f"""## ansible-core {_core()}

ansible-core {version("ansible-core")}, Python {platform.python_version()}, {packages}; {os.cpu_count()} cores
({platform.machine()}); {figures.rounds} rounds.

{goals(figures, found)}

One task for many, no latency, by 10:

{linear(figures)}

Check mode and diff mode where each name is there twice, with `duplicates: delete_younger`, and as many others are to be pruned:

{plans(figures)}

A service that takes a number of requests a second, {rates.ITEMS} image caches:

{rates.table(found)}

All cases:

{table(figures)}
"""


def write(text: str) -> None:
    """Put a section in the place of the one of the same ansible-core, or behind the others."""
    begin, end = (f"<!-- ansible-core {_core()}: {word} -->\n" for word in ("begin", "end"))
    page = PAGE.read_text()
    before, found, after = page.partition(begin)
    if not found:
        before += "\n"
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after.partition(end)[2]}")
