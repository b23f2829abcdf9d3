# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured, beside which peer, and the goals."""

from __future__ import annotations

import json
import os
import shutil
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
        if self.playbook in ("image_caches.yml", "record.yml"):
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


def all_cases() -> list[Case]:
    """Every case, in the order in which a round runs them."""
    loop = Case(LOOP, "image_cache_loop.yml", 100)
    hundred, by_10, many = _bulk(100, 0.0, 10), _bulk(1000, LATENCY, 10), _bulk(4000, 0.0, 10, rounds=3)
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
        _replay(many),
        many,
        _again(many),
    ]


Walls = dict[str, list[float]]


@dataclass(frozen=True)
class Measure:
    """A case beside a peer: the peer's seconds are those of ``beside``, and ``seconds`` more. ``goal`` is for the ratio.

    ``faster`` turns the ratio round: how many times the peer takes as long, both above an empty play.
    """

    what: str
    peer: str
    beside: str
    case: str
    goal: str
    seconds: float = 0.0
    faster: bool = False

    def walls(self, walls: Walls) -> list[float]:
        """The peer's seconds."""
        return [self.seconds + wall for wall in walls[self.beside]]

    def ratio(self, walls: Walls) -> float:
        rows = zip(self.walls(walls), walls[self.case], walls["empty"], strict=False)
        if self.faster:
            return median((peer - empty) / (own - empty) for peer, own, empty in rows)
        return median(own / peer for peer, own, _empty in rows)


_DEBUG, _URI, _OWN = "`debug`", "`uri`", "Ansible's own"
MEASURES = [
    Measure("one image cache", _URI, "one uri", ONE, "0.64"),
    Measure("100 in a loop", _DEBUG, "loop of 100 debug", LOOP, "1.5"),
    Measure("100 in a loop, above an empty play", _URI, "loop of 100 uri", LOOP, "30 times faster", faster=True),
    Measure("5 tasks on each of 20 hosts", _DEBUG, "20 x 5 debug", HOSTS, "1.4"),
    Measure("1000 at 50 ms, 10 at a time", f"5 s + {_OWN}", replay(1000), bulk_name(1000, LATENCY, 10), "1.12", 5.0),
    Measure("1000 at 50 ms, 50 at a time", f"1 s + {_OWN}", replay(1000), bulk_name(1000, LATENCY, 50), "1.35", 1.0),
    Measure("1000, nothing to do", _OWN, replay(1000), bulk_name(1000, LATENCY, 10) + AGAIN, "1.5"),
    Measure("4000, nothing to do", _OWN, replay(4000), bulk_name(4000, 0.0, 10) + AGAIN, "1.5"),
]
