# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured, and how good it has to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

SIZES = (10, 100, 1000)
LATENCIES = (0.0, 0.05)
CONCURRENCIES = (10, 50)


@dataclass(frozen=True)
class Case:
    """One playbook run. ``rounds`` limits how often it is run; ``keep`` means after the case before, with its state;
    ``plain`` is over http, which the service does not have.
    """

    name: str
    playbook: str
    items: int = 0
    latency: float = 0.0
    concurrency: int = 10
    rounds: int = 99
    keep: bool = False
    plain: bool = False

    @property
    def requests(self) -> int:
        """How many requests one after another the service has to answer at least, with what runs beside them as one."""
        return 1 if self.keep else 2 + -(-self.items // self.concurrency)

    def arguments(self, folder: Path) -> list[str]:
        """More arguments for ansible-playbook; files that they need are written to ``folder``."""
        variables: dict[str, object] = {"items": self.items, "concurrency": self.concurrency}
        if self.playbook == "image_caches.yml":
            variables["wanted"] = [_image_cache(number) for number in range(self.items)]
        path = folder / f"{self.name.replace(' ', '-')}.json"
        path.write_text(json.dumps(variables))
        arguments = ["-e", f"@{path}"]
        if "hosts" in self.playbook:
            inventory = folder / "inventory"
            inventory.write_text("[many]\n" + "".join(f"host{n:02d} ansible_connection=local\n" for n in range(20)))
            arguments += ["-i", str(inventory)]
        return arguments


def _image_cache(number: int) -> dict[str, object]:
    return {
        "name": f"cache-{number}",
        "images": ["nginx:latest"],
        "vpc_id": "vpc-test",
        "v_switch_id": "subnet-test",
        "security_group_id": "sg-test",
        "az_info": {"az_name": "az1"},
    }


PLAIN = " over http"
ONE = "one image_cache"
LOOP = "loop of 100 image_cache"
HOSTS = "20 x 5 image_cache"


def bulk_name(items: int, latency: float, concurrency: int, keep: bool = False) -> str:
    """The name of a case of image_caches."""
    return f"{'again' if keep else 'create'} {items} at {latency * 1000:g} ms by {concurrency}"


def _bulk(items: int, latency: float, concurrency: int, keep: bool = False) -> Case:
    return Case(
        bulk_name(items, latency, concurrency, keep), "image_caches.yml", items, latency, concurrency, keep=keep
    )


def all_cases() -> list[Case]:
    """Every case, in the order in which a round runs them."""
    beside = [
        Case(ONE, "image_cache_loop.yml", 1),
        Case(LOOP, "image_cache_loop.yml", 100),
        Case(HOSTS, "image_cache_hosts.yml"),
        *(_bulk(1000, 0.05, concurrency) for concurrency in CONCURRENCIES),
    ]
    return [
        Case("empty", "empty.yml"),
        Case("one uri", "uri_loop.yml", 1),
        beside[0],
        Case("loop of 100 debug", "debug_loop.yml", 100),
        Case("loop of 100 debug of the same arguments", "debug_same_loop.yml", 100),
        beside[1],
        Case(f"{LOOP}, nothing to do", "image_cache_loop.yml", 100, keep=True),
        Case("loop of 100 uri", "uri_loop.yml", 100, rounds=3),
        Case("20 x 5 debug", "debug_hosts.yml"),
        beside[2],
        *(
            _bulk(items, latency, concurrency, keep)
            for latency in LATENCIES
            for concurrency in CONCURRENCIES
            for items in SIZES
            for keep in (False, True)
        ),
        *(replace(case, name=case.name + PLAIN, plain=True) for case in beside),
    ]


Walls = dict[str, list[float]]


def _ratio(walls: Walls, over: str, under: str) -> float:
    return median(a / b for a, b in zip(walls[over], walls[under], strict=False))


def _above_empty(walls: Walls, name: str) -> float:
    return median(a - b for a, b in zip(walls[name], walls["empty"], strict=False))


def _over_limit(walls: Walls, name: str, seconds: float) -> float:
    return median(a / (seconds + b) for a, b in zip(walls[name], walls["empty"], strict=False))


@dataclass(frozen=True)
class Measure:
    """A figure that is promised: ``value`` of the walls must be at most ``limit``, or at least if ``least``."""

    name: str
    limit: float
    value: Callable[[Walls], float]
    unit: str = "x"
    least: bool = False

    def holds(self, walls: Walls) -> bool:
        """Whether the promise is kept."""
        value = self.value(walls)
        return value >= self.limit if self.least else value <= self.limit


def _both(name: str, limit: float, value: Callable[[Walls, str], float], *, least: bool = False) -> list[Measure]:
    """A promise over https, and what it comes to over http: ``value`` takes the end of a case's name."""
    return [
        Measure(name, limit, lambda walls: value(walls, ""), least=least),
        Measure(name + PLAIN, limit, lambda walls: value(walls, PLAIN), least=least),
    ]


MEASURES = [
    *_both("one task, compared with uri", 0.62, lambda w, end: _ratio(w, ONE + end, "one uri")),
    *_both(
        "a loop of 100, how much faster than uri above an empty play",
        40,
        lambda w, end: _above_empty(w, "loop of 100 uri") / _above_empty(w, LOOP + end),
        least=True,
    ),
    *_both("a loop of 100, compared with debug", 1.5, lambda w, end: _ratio(w, LOOP + end, "loop of 100 debug")),
    *_both("20 hosts x 5 tasks, compared with debug", 1.4, lambda w, end: _ratio(w, HOSTS + end, "20 x 5 debug")),
    *_both(
        "image_caches: create 1000 at 50 ms by 10, compared with 5 s and an empty play",
        1.15,
        lambda w, end: _over_limit(w, bulk_name(1000, 0.05, 10) + end, 5),
    ),
    *_both(
        "image_caches: create 1000 at 50 ms by 50, compared with 1 s and an empty play",
        1.5,
        lambda w, end: _over_limit(w, bulk_name(1000, 0.05, 50) + end, 1),
    ),
    Measure(
        "image_caches: nothing to do for 1000 at 50 ms, above an empty play",
        1.5,
        lambda w: _above_empty(w, bulk_name(1000, 0.05, 10, keep=True)),
        "s",
    ),
]
