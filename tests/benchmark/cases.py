# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured, and the goals."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from ansible import constants

from .emulator import Emulator
from .measure import Cost, run

PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"
PLUGINS = Path(__file__).resolve().parent / "plugins"
# Action plugins there: what Ansible itself costs, and what the same requests cost at least.
REPLAY, BARE = "replay", "bare"
LATENCY = 0.05
QUOTA = 12_000
PLAN = "plan.yml"


@dataclass(frozen=True)
class Case:
    """One playbook run. ``rounds`` limits how often it is run; ``keep`` means after the case before, with its state.

    With a ``plugin`` its tasks are of that action plugin in place of image_cache and image_caches.
    """

    name: str
    playbook: str
    items: int = 0
    latency: float = 0.0
    concurrency: int = 10
    rounds: int = 99
    keep: bool = False
    plugin: str = ""

    def prepare(self, emulator: Emulator) -> None:
        """Put in place what exists before, unless the state of the case before is kept."""
        if not self.keep:
            emulator.reset(self.latency, quota=QUOTA)
        if self.playbook == PLAN:
            fields = {"images": ["nginx:latest"], "azName": "az1", "tags": [{"key": "team", "value": "web"}]}
            names = [f"cache-{number}" for number in range(self.items)]
            names += names + [f"old-{number}" for number in range(self.items)]
            emulator.seed([{"imageCacheName": name, "age": 3600, **fields} for name in names])

    def run(self, emulator: Emulator, folder: Path) -> Cost:
        """Run it. The playbook and its variables are written to ``folder``, which has the recorded results."""
        # in a collection, since Ansible finds those plugins in another way
        plugins = folder / "ansible_collections" / "benchmark" / "floor" / "plugins" / "action"
        if not plugins.exists():
            shutil.copytree(PLUGINS, plugins)
        text = (PLAYBOOKS / self.playbook).read_text()
        for module in ("ctyun.eci.image_caches:", "ctyun.eci.image_cache:") if self.plugin else ():
            text = text.replace(module, f"benchmark.floor.{self.plugin}:")
        playbook = folder / "playbook.yml"
        playbook.write_text(text)
        arguments = ["-e", f"@{self._variables(folder)}"]
        if "hosts" in self.playbook:
            inventory = folder / "inventory"
            inventory.write_text("[many]\n" + "".join(f"host{n:02d} ansible_connection=local\n" for n in range(20)))
            arguments += ["-i", str(inventory)]
        collections = os.pathsep.join([os.environ["ANSIBLE_COLLECTIONS_PATH"], str(folder)])
        environment = {"ANSIBLE_COLLECTIONS_PATH": collections, "BENCHMARK_RESULTS": str(folder)}
        return run(playbook, arguments, {**emulator.environment, **environment})

    def _variables(self, folder: Path) -> Path:
        variables: dict[str, object] = {"items": self.items, "concurrency": self.concurrency, "folder": str(folder)}
        variables["invocation"] = "INJECT_INVOCATION" not in constants.config.get_configuration_definitions()
        if self.playbook in ("image_caches.yml", "record.yml", PLAN):
            variables["wanted"] = [_image_cache(number) for number in range(self.items)]
        path = folder / "variables.json"
        path.write_text(json.dumps(variables))
        return path


def _image_cache(number: int) -> dict[str, object]:
    return {
        "name": f"cache-{number}",
        "images": ["nginx:latest"],
        "vpc_id": "vpc-test",
        "v_switch_id": "subnet-test",
        "security_group_id": "sg-test",
        "az_info": {"az_name": "az1"},
    }


ONE, LOOP, HOSTS = "one image_cache", "loop of 100 image_cache", "20 x 5 image_cache"
AGAIN = ", again"


def bulk_name(items: int, latency: float, concurrency: int) -> str:
    """The name of a case of image_caches."""
    return f"image_caches {items} at {latency * 1000:g} ms by {concurrency}"


def _bulk(items: int, latency: float, concurrency: int, rounds: int = 99) -> Case:
    name = bulk_name(items, latency, concurrency)
    return Case(name, "image_caches.yml", items, latency, concurrency, rounds)


def _again(case: Case) -> Case:
    return replace(case, name=case.name + AGAIN, keep=True)


def _replay(case: Case) -> Case:
    return replace(case, name=replay(case.items), plugin=REPLAY)


def replay(items: int) -> str:
    """The name of the case that reads this number of entries and returns a recorded result."""
    return f"image_caches {items}, Ansible's own"


def bare(name: str) -> str:
    """The name of the case that sends the same requests and does nothing else."""
    return f"{name}, bare"


def _with_floor(case: Case) -> list[Case]:
    return [replace(case, name=bare(case.name), plugin=BARE), case]


def record(items: int, emulator: Emulator, folder: Path) -> None:
    """Write the results of a task for one and of a task for many to ``folder``, for the plugins that return them again.

    Before ansible-core 2.21 each task also returns its arguments, which are not in a registered variable. The playbook writes
    them all, since this process must stay small: a child's largest size is never less than its parent's at the fork.
    """
    emulator.reset(0.0, quota=QUOTA)
    Case("record", "record.yml", items).run(emulator, folder)


PLANS = [Case(f"plan for {items}", PLAN, items, rounds=3) for items in (1000, 4000)]
LINEAR = [_bulk(items, 0.0, 10, rounds=3) for items in (1000, 4000, 10000)]


def all_cases() -> list[Case]:
    """Every case, in the order in which a round runs them."""
    loop = Case(LOOP, "image_cache_loop.yml", 100)
    hundred, by_10 = _bulk(100, 0.0, 10), _bulk(1000, LATENCY, 10)
    return [
        Case("empty", "empty.yml"),
        Case("one uri", "uri_loop.yml", 1),
        *_with_floor(Case(ONE, "image_cache_loop.yml", 1)),
        Case("loop of 100 debug", "debug_loop.yml", 100),
        *_with_floor(loop),
        _again(loop),
        Case("loop of 100 uri", "uri_loop.yml", 100, rounds=3),
        Case("20 x 5 debug", "debug_hosts.yml"),
        *_with_floor(Case(HOSTS, "image_cache_hosts.yml")),
        hundred,
        _again(hundred),
        _replay(by_10),
        *_with_floor(_bulk(1000, LATENCY, 50)),
        *_with_floor(by_10),
        _again(by_10),
        *(run for case in LINEAR for run in (case, _again(case))),
        *map(_replay, LINEAR[1:]),
        *PLANS,
    ]


Walls = dict[str, list[float]]


def _ratio(walls: Walls, over: str, under: str) -> float:
    return median(a / b for a, b in zip(walls[over], walls[under], strict=False))


def _than_uri(walls: Walls, name: str) -> float:
    rows = zip(walls["loop of 100 uri"], walls[name], walls["empty"], strict=False)
    return median((uri - empty) / (own - empty) for uri, own, empty in rows)


def _bulk_ratio(walls: Walls, name: str, seconds: float) -> float:
    return median(a / (seconds + b) for a, b in zip(walls[name], walls[replay(1000)], strict=False))


@dataclass(frozen=True)
class Measure:
    """A ratio with a goal: at most ``goal``, or at least if ``least``. ``value`` takes the walls and the name of a case."""

    name: str
    goal: float
    case: str
    value: Callable[[Walls, str], float]
    least: bool = False

    def measured(self, walls: Walls) -> float:
        """The ratio."""
        return self.value(walls, self.case)

    def floor(self, walls: Walls) -> float | None:
        """The ratio of the same requests without the collection, None if that is not measured."""
        return self.value(walls, bare(self.case)) if bare(self.case) in walls else None

    def holds(self, walls: Walls) -> bool:
        """Whether the goal is reached, as the table shows it."""
        value = round(self.measured(walls), 2)
        return value >= self.goal if self.least else value <= self.goal


MEASURES = [
    Measure("one task / one task of uri", 0.64, ONE, lambda w, name: _ratio(w, name, "one uri")),
    Measure("a loop of 100 / a loop of debug", 1.5, LOOP, lambda w, name: _ratio(w, name, "loop of 100 debug")),
    Measure("a loop of uri / a loop of 100, both above an empty play", 30, LOOP, _than_uri, least=True),
    Measure("20 hosts x 5 tasks / the same of debug", 1.4, HOSTS, lambda w, name: _ratio(w, name, "20 x 5 debug")),
    Measure(
        "1000 at 50 ms by 10 / 5 s and Ansible's own",
        1.12,
        bulk_name(1000, LATENCY, 10),
        lambda w, name: _bulk_ratio(w, name, 5),
    ),
    Measure(
        "1000 at 50 ms by 50 / 1 s and Ansible's own",
        1.35,
        bulk_name(1000, LATENCY, 50),
        lambda w, name: _bulk_ratio(w, name, 1),
    ),
    Measure(
        "1000 with nothing to do / Ansible's own",
        1.5,
        bulk_name(1000, LATENCY, 10) + AGAIN,
        lambda w, name: _ratio(w, name, replay(1000)),
    ),
]
