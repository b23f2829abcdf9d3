# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task is told to end in the midst of its work, and ends: nothing new is begun, what it says is true, its locks are free,
and the next run ends at what is wanted.

Ansible tells nobody what a module returns after the keyword timeout, nor what any task returns after Ctrl-C.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.emulator import Emulator
from tests.reliability.playbook import BODY, LIMIT, Playbook, descendants, kill, until

CREATE, DELETE, LIST = "createImageCache", "deleteImageCache", "describeImageCaches"
CHANGING = (CREATE, DELETE, "updateImageCache")
LATENCY = 0.1
# Seconds after which a task that was told to end has ended, beside the time of a request, on a busy machine as well.
SOON = 10.0
LONG = 1000.0

TAGS = [{"key": "team", "value": "web"}]


class Phase(NamedTuple):
    """A phase of a task for many, or for one: what there is before, what is wanted, and when to tell it to end."""

    wanted: int
    options: dict[str, Any]
    old: int
    settings: dict[str, Any]
    reached: Callable[[Emulator], bool]


def sent(operation: str, number: int) -> Callable[[Emulator], bool]:
    return lambda emulator: len(emulator.sent(operation)) >= number


def waits(emulator: Emulator) -> bool:
    """Whether it was looked at after it was confirmed."""
    return len(emulator.sent(CREATE)) > 0 and len(emulator.sent(LIST)) >= 3


def is_replacing(emulator: Emulator) -> bool:
    return len(emulator.sent(DELETE)) > 0 and len(emulator.sent(LIST)) >= 3


MANY = {
    "creating": Phase(40, {"concurrency": 2}, 0, {"ready_after": 0}, sent(CREATE, 5)),
    "waiting": Phase(3, {"wait": True, "wait_interval": 0.2}, 0, {"ready_after": LONG}, waits),
    "replacing": Phase(
        3, {"drift": "recreate", "wait_interval": 0.2}, 3, {"ready_after": 0, "delete_after": LONG}, is_replacing
    ),
    "pruning": Phase(
        2,
        {"prune": True, "prune_tags": TAGS, "wait": True, "concurrency": 2, "wait_interval": 0.2},
        40,
        {"ready_after": 0},
        sent(DELETE, 5),
    ),
}
ONE = {
    "creating": Phase(1, {}, 0, {"ready_after": 0, "latency": 1.5}, sent(CREATE, 1)),
    "waiting": MANY["waiting"]._replace(wanted=1),
    "replacing": MANY["replacing"]._replace(wanted=1, old=1),
}


class Ended(NamedTuple):
    """What a task that was ended left: what it told, if Ansible says that; and how it was before."""

    told: dict[str, Any] | None
    before: set[str]
    playbook: Playbook


def names(emulator: Emulator) -> list[str]:
    return sorted(cache["imageCacheName"] for cache in emulator.service.caches())


def wanted_names(phase: Phase) -> list[str]:
    return sorted(f"cache-{number}" for number in range(phase.wanted))


def prepared(emulator: Emulator, folder: Path, module: str, phase: Phase, in_process: bool) -> Playbook:
    """What there is before, and the playbook."""
    emulator.settings.update({"latency": LATENCY, **phase.settings})
    prunes = "prune" in phase.options
    for number in range(phase.old):
        emulator.service.seed(f"old-{number}" if prunes else f"cache-{number}", ["redis:7"], tags=TAGS)
    bodies = [{**BODY, "name": name, "tags": TAGS} for name in wanted_names(phase)]
    arguments = {"image_caches": bodies} if module == "image_caches" else bodies[0]
    task = {
        f"ctyun.eci.{module}": {**arguments, **phase.options},
        "timeout": "{{ limit | default(0) }}",
        "ignore_errors": True,
    }
    environment = {
        **emulator.environment,
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "plugins" / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "json_lines",
    }
    return Playbook(folder, environment, [task], 1, {"ctyun_eci_in_process": in_process})


def told_by(playbook: Playbook) -> dict[str, Any]:
    """The result of the task."""
    (line,) = [json.loads(line) for line in playbook.output.splitlines() if line.startswith("{")]
    return {**line["result"], "failed": line["failed"]}


def module_process(process: subprocess.Popen[str]) -> int | None:
    """The Python in which the module runs."""
    for pid in descendants(process):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"python" in words[0] and any(b"AnsiballZ" in word for word in words):
                return pid
    return None


def end(emulator: Emulator, playbook: Playbook, phase: Phase, how: str, limit: int) -> bool:
    """Run it, and tell it to end when it has come to this phase. Nothing may be begun soon after that.

    Returns whether it had begun at all, which it may not have in so many seconds.
    """
    process = playbook.start(*(["-e", f"limit={limit}"] if how == "timeout" else []))
    own: set[int] = set()
    try:
        if how == "timeout":

            def has_ended() -> bool:
                own.update(descendants(process))
                return process.poll() is not None

            assert until(has_ended, pause=0.05)
            if not emulator.requests:
                return False
            ended = emulator.requests[0].time + limit
        else:
            assert until(lambda: phase.reached(emulator))
            own.update(descendants(process))
            ended = time.time()
            if how == "module":
                os.kill(module_process(process) or 0, signal.SIGTERM)
            else:
                process.send_signal(getattr(signal, how))
        process.wait(LIMIT)
        assert until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in own), 15)
    finally:
        kill(process, descendants(process))
        print(playbook.output)
    last = max(record.time for record in emulator.requests)
    print(f"told to end after {ended - emulator.requests[0].time:.2f} s, last request {last - ended:.2f} s after that")
    assert last <= ended + SOON + emulator.settings.latency
    return True


def is_free(playbook: Playbook) -> bool:
    """Whether nobody holds a lock."""
    (path,) = playbook.temporary.glob("ansible-ctyun.eci-*.lock")
    with open(path, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def check_truth(emulator: Emulator, told: dict[str, Any], before: set[str]) -> None:
    """What a task told is what there is."""
    there = {cache["imageCacheId"]: cache for cache in emulator.service.caches()}
    entries = [*told.get("image_caches", []), *told.get("pruned", [])] or [told]
    going = {identifier for identifier, cache in there.items() if cache["status"] == "deleting"}
    new, gone = set(there) - before, (before - set(there)) | going
    assert told["changed"] == bool(new or gone)
    assert told["failed"]
    told_new = {entry["image_cache_id"] for entry in entries if entry["changed"]} & set(there) - going
    assert told_new == new
    told_gone = {entry["image_cache_id"] for entry in entries if entry["changed"]} & before
    assert told_gone == gone
    for entry in entries:
        assert not (entry.get("failed") and not entry["msg"])


CASES = [
    *(("image_caches", phase, how, True) for phase in MANY for how in ("timeout", "SIGTERM")),
    *(("image_caches", phase, "module", False) for phase in MANY),
    ("image_caches", "creating", "SIGINT", True),
    ("image_caches", "creating", "SIGINT", False),
    ("image_caches", "pruning", "SIGTERM", False),
    ("image_caches", "replacing", "timeout", False),
    ("image_cache", "creating", "timeout", True),
    ("image_cache", "creating", "module", False),
    ("image_cache", "waiting", "SIGTERM", True),
    ("image_cache", "replacing", "module", False),
]


@pytest.mark.parametrize(
    ("module", "name", "how", "in_process"),
    CASES,
    ids=[f"{module}-{name}-{how}-{'process' if inside else 'module'}" for module, name, how, inside in CASES],
)
def test_ended_and_run_again(
    emulator: Emulator, tmp_path: Path, module: str, name: str, how: str, in_process: bool
) -> None:
    phase = (MANY if module == "image_caches" else ONE)[name]
    playbook = prepared(emulator, tmp_path, module, phase, in_process)
    before = {cache["imageCacheId"] for cache in emulator.service.caches()}
    limit = 1
    while not end(emulator, playbook, phase, how, limit):
        limit *= 2
    if how == "module" or (how == "timeout" and in_process):
        told = told_by(playbook)
        check_truth(emulator, told, before)
        assert "stopped" in told["msg"]
        assert told.get("timedout") == ({"period": limit} if how == "timeout" else None)
    assert is_free(playbook)
    emulator.settings.update({"ready_after": 0, "delete_after": 0, "latency": 0})
    emulator.advance(LONG)
    before_it = len(emulator.requests)
    again = playbook.run()
    assert again.status == 0
    assert not told_by(playbook)["failed"]
    assert emulator.requests[-1].time - emulator.requests[before_it].time < SOON
    assert sorted(names(emulator)) == wanted_names(phase)
    assert all(cache["images"] == BODY["images"] for cache in emulator.service.caches())
