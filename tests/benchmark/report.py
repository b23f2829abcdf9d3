# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures -> a table to read and docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from .cases import CONCURRENCIES, LATENCIES, LOOP, MEASURES, SIZES, Case, Walls, bulk_name
from .measure import Cost

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"
MEMORY_LIMIT = 120
RATES_HEADER = "## A service with a limit\n\n`python -m tests.benchmark --only rates` measures this alone."
RATES_BEGIN = "<!-- rates: begin -->"
RATES_END = "<!-- rates: end -->"

HEADER = """<!--
Copyright (c) ctyun.eci contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

[中文](zh-CN/benchmarks.md)

Written by `make bench`; do not edit. All cases of one round run one after another, and the figures are medians over the
rounds, ratios those of the ratios within a round. They compare with each other; on another machine all of them move.
The emulator shares the machine with Ansible. It speaks https, as the service does, and the tasks trust as many authorities
as requests brings; what is over http says so.
"""


@dataclass
class Figures:
    """Wall times, memory, requests and the emulator's CPU seconds by the name of the case."""

    rounds: int
    walls: Walls = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, float] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    emulator: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cases: dict[str, Case] = field(default_factory=dict)

    def add(self, case: Case, cost: Cost, requests: int, emulator: float) -> None:
        """Take in one run."""
        self.cases[case.name] = case
        self.walls[case.name].append(cost.wall)
        self.memory[case.name] = max(cost.memory, self.memory.get(case.name, 0))
        self.requests[case.name] = requests
        self.emulator[case.name].append(emulator)


def table(figures: Figures) -> str:
    """Every case with its wall time, the limit that the service sets, memory, requests and the emulator's share."""
    rows = [
        "| case | wall s (min-max) | limit s | memory MiB | requests | emulator CPU s |",
        "|---|---|---|---|---|---|",
    ]
    empty = median(figures.walls["empty"])
    for name, walls in figures.walls.items():
        case = figures.cases[name]
        bound = f"{empty + case.requests * case.latency:.2f}" if case.playbook == "image_caches.yml" else ""
        rows.append(
            f"| {name} | {median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {bound} "
            f"| {figures.memory[name]:.0f} | {figures.requests[name]} | {median(figures.emulator[name]):.2f} |"
        )
    return "\n".join(rows)


def promises(figures: Figures) -> str:
    """The figures that are promised, beside their limits."""
    rows = ["| measure | limit | measured | |", "|---|---|---|---|"]
    for measure in MEASURES:
        sign = "at least" if measure.least else "at most"
        kept = "kept" if measure.holds(figures.walls) else "**missed**"
        value = measure.value(figures.walls)
        rows.append(
            f"| {measure.name} | {sign} {measure.limit:g} {measure.unit} | {value:.2f} {measure.unit} | {kept} |"
        )
    memory = max(figures.memory[bulk_name(1000, latency, 50)] for latency in LATENCIES)
    kept = "kept" if memory < MEMORY_LIMIT else "**missed**"
    rows.append(f"| image_caches: memory for 1000 | under {MEMORY_LIMIT} MiB | {memory:.0f} MiB | {kept} |")
    return "\n".join(rows)


def shares(figures: Figures) -> str:
    """What of a promised figure is not the collection's: the emulator's work, and Ansible's for the arguments."""
    debug, same = "loop of 100 debug", "loop of 100 debug of the same arguments"
    own = median(figures.emulator[LOOP])
    alone, without = (
        median(wall / base for wall, base in zip(walls, figures.walls[debug], strict=True))
        for walls in (
            figures.walls[same],
            [wall - work for wall, work in zip(figures.walls[LOOP], figures.emulator[LOOP], strict=True)],
        )
    )
    return (
        f"In the loop of 100 each task waits for three answers, so it holds the emulator's own work, {own:.2f} s of CPU time,"
        f" as well. Without that it is about {without:.2f} x debug. debug itself takes {alone:.2f} x with arguments like those"
        " of image_cache, for which Ansible fills in templates."
    )


def machine() -> str:
    """What the figures were measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "requests", "jsonschema", "aiohttp"))
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {packages}."


def _rates() -> str:
    """The part of docs/benchmarks.md that another measurement writes."""
    page = PAGE.read_text()
    return page[page.index(RATES_BEGIN) : page.index(RATES_END)] if RATES_BEGIN in page else f"{RATES_BEGIN}\n"


def write_rates(table: str) -> None:
    """Put the table of rates in its place in docs/benchmarks.md."""
    old = _rates()
    page = PAGE.read_text()
    if RATES_END not in page:
        page += f"\n{RATES_HEADER}\n\n{old}{RATES_END}\n"
    PAGE.write_text(page.replace(f"{old}{RATES_END}", f"{RATES_BEGIN}\n\n{machine()} {table}\n\n{RATES_END}"))


def write(figures: Figures) -> None:
    """Write docs/benchmarks.md and the plot beside it."""
    plot(figures, DOCS / "benchmarks.svg")
    text = (
        f"{HEADER}\nMachine: {machine()} Rounds: {figures.rounds}.\n\n## What is promised\n\n{promises(figures)}\n\n"
        f"{shares(figures)}\n\n"
        "## Cost against the number of image caches\n\n![Wall time against the number of image caches](benchmarks.svg)\n\n"
        "## All cases\n\nThe limit of an `image_caches` case is an empty play and the time in which the service answers:"
        " number x latency / concurrency, and one list before and one after. With nothing to do it is one list.\n\n"
        f"{table(figures)}\n\n{RATES_HEADER}\n\n{_rates()}{RATES_END}\n"
    )
    PAGE.write_text(text)
    print(promises(figures))
    print(shares(figures))


def plot(figures: Figures, path: Path) -> None:
    """Wall time above an empty play against the number of image caches."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ctyun.eci"
    from matplotlib import pyplot

    empty = median(figures.walls["empty"])
    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for latency in LATENCIES:
        for concurrency in CONCURRENCIES:
            names = [bulk_name(items, latency, concurrency) for items in SIZES]
            above = [median(figures.walls[name]) - empty for name in names]
            axes.plot(SIZES, above, marker="o", label=f"create, {latency * 1000:g} ms, {concurrency} at a time")
    again = [
        median(figures.walls[bulk_name(items, LATENCIES[-1], CONCURRENCIES[0], keep=True)]) - empty for items in SIZES
    ]
    axes.plot(SIZES, again, marker="s", linestyle="--", label="nothing to do, 50 ms")
    axes.set_xlabel("image caches in one task")
    axes.set_ylabel("seconds above an empty play")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
