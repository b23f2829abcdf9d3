# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_caches against a service that takes so many requests a second: how near it comes to that, and how often it is refused."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .cases import Case
from .emulator import Emulator
from .measure import run

BURST = 10
LATENCY = 0.05
MOST_TIME = 1.25


@dataclass(frozen=True)
class Rate:
    """So many creates at so many requests a second; with ``told``, a refusal says in Retry-After when to come again."""

    rate: int
    items: int
    concurrency: int
    told: bool

    def ideal(self, empty: float) -> float:
        """Seconds: the burst at once, the rest of the creates and two lists at the rate, one answer, and an empty play."""
        return (self.items + 2 - BURST) / self.rate + LATENCY + empty


class Figure(NamedTuple):
    """What one run came to: ``refused`` of 100 requests, and image caches that were not made."""

    seconds: float
    ratio: float
    refused: float
    failed: int


RATES = [
    Rate(rate, items, concurrency, told)
    for rate, items in ((5, 60), (20, 200), (100, 200))
    for concurrency in (10, 50)
    for told in (False, True)
]

Rates = dict[Rate, list[Figure]]


def measure(rounds: int) -> Rates:
    """Run each of them so often, in turn."""
    found: Rates = defaultdict(list)
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            emulator.reset(0.0)
            empty = run("empty.yml", Case("empty", "empty.yml").arguments(Path(folder)), emulator.environment).wall
            for rate in RATES:
                figure = _one(rate, emulator, Path(folder), empty)
                found[rate].append(figure)
                print(f"round {number + 1}: {rate}: {figure}", file=sys.stderr)
    return found


def _one(rate: Rate, emulator: Emulator, folder: Path, empty: float) -> Figure:
    case = Case("rate", "image_caches.yml", rate.items, LATENCY, rate.concurrency)
    settings = {"rate": rate.rate, "rate_burst": BURST, "rate_retry_after": "seconds" if rate.told else "none"}
    emulator.reset(LATENCY, **settings)
    began = time.perf_counter()
    try:
        run(case.playbook, case.arguments(folder), emulator.environment)
    except RuntimeError as error:
        print(error, file=sys.stderr)
    seconds = time.perf_counter() - began
    statuses = [record["status"] for record in emulator.get("requests")]
    refused = 100 * statuses.count("rate") / max(len(statuses), 1)
    return Figure(seconds, seconds / rate.ideal(empty), refused, rate.items - len(emulator.get("caches")))


def missed(rates: Rates) -> list[str]:
    """The promises that are not kept."""
    return [
        f"{rate}"
        for rate, figures in rates.items()
        if median(figure.ratio for figure in figures) > MOST_TIME or any(figure.failed for figure in figures)
    ]


def table(rates: Rates) -> str:
    """The figures and whether they are as promised."""
    rounds = max(map(len, rates.values()))
    text = (
        f"{LATENCY * 1000:g} ms latency, {BURST} requests at once after a time without any; medians of {rounds} rounds. The"
        " ideal is the time in which the service takes all of the requests, one answer, and an empty play. Promised are at"
        f" most {MOST_TIME:g} x the ideal, and none failed."
    )
    rows = [
        text,
        "",
        "| requests a second | creates | at a time | Retry-After | seconds | x ideal | refused % | failed | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    late = missed(rates)
    for rate, figures in rates.items():
        seconds, ratio, refused = (
            median(getattr(figure, name) for figure in figures) for name in ("seconds", "ratio", "refused")
        )
        failed = sum(figure.failed for figure in figures)
        kept = "**missed**" if str(rate) in late else "kept"
        rows.append(
            f"| {rate.rate} | {rate.items} | {rate.concurrency} | {'seconds' if rate.told else 'none'} | {seconds:.2f} |"
            f" {ratio:.2f} | {refused:.1f} | {failed} | {kept} |"
        )
    return "\n".join(rows)
