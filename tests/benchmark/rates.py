# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_caches against a service that limits the rate of requests: how near it comes to that limit, and how often it is refused."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .cases import LATENCY, REPLAY, Case, record
from .emulator import Emulator

BURST = 10
ITEMS = 200
GOAL = 1.25


@dataclass(frozen=True)
class Rate:
    """A limit in requests a second. With ``retry_after``, a refusal says in Retry-After when to come again."""

    rate: int
    concurrency: int
    retry_after: bool

    def ideal(self, own: float) -> float:
        """Seconds: the burst at once, the rest of the creates and two lists at the rate, one answer, and Ansible's own."""
        return (ITEMS + 2 - BURST) / self.rate + LATENCY + own


class Figure(NamedTuple):
    """One run, in which all were created: ``refused`` of 100 requests."""

    seconds: float
    ratio: float
    refused: float


RATES = [
    Rate(rate, concurrency, retry_after)
    for rate in (20, 100)
    for concurrency in (10, 50)
    for retry_after in (False, True)
]

Rates = dict[Rate, list[Figure]]


def measure(rounds: int, emulator: Emulator, folder: Path) -> Rates:
    """Run all of them one after another, and repeat that. Raises RuntimeError if an image cache is not created."""
    found: Rates = defaultdict(list)
    record(ITEMS, emulator, folder)
    for number in range(rounds):
        own = Case("own", "image_caches.yml", ITEMS, plugin=REPLAY).run(emulator, folder).wall
        for rate in RATES:
            figure = _one(rate, emulator, folder, own)
            found[rate].append(figure)
            print(f"round {number + 1}: {rate}: {figure}", file=sys.stderr)
    return found


def _one(rate: Rate, emulator: Emulator, folder: Path, own: float) -> Figure:
    retry_after = "seconds" if rate.retry_after else "none"
    emulator.reset(LATENCY, rate=rate.rate, rate_burst=BURST, rate_retry_after=retry_after)
    cost = Case("rate", "image_caches.yml", ITEMS, LATENCY, rate.concurrency).run(emulator, folder)
    statuses = [record["status"] for record in emulator.get("requests")]
    refused = 100 * statuses.count("rate") / max(len(statuses), 1)
    return Figure(cost.wall, cost.wall / rate.ideal(own), refused)


def table(rates: Rates) -> str:
    """The figures."""
    rows = [
        "| requests a second | at a time | Retry-After | seconds | x ideal (min-max) | refused % |",
        "|---|---|---|---|---|---|",
    ]
    for rate, figures in rates.items():
        ratios = [figure.ratio for figure in figures]
        rows.append(
            f"| {rate.rate} | {rate.concurrency} | {'seconds' if rate.retry_after else 'none'}"
            f" | {median(figure.seconds for figure in figures):.2f}"
            f" | {median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            f" | {median(figure.refused for figure in figures):.1f} |"
        )
    return "\n".join(rows)
