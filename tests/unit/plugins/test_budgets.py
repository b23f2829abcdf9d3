# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task costs, in figures that do not depend on the machine. A budget that grows is a decision: say why in its commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.unit.plugins import emulated

ROOT = Path(__file__).resolve().parents[3]
MANY = 998  # with the two of the loop 1000, which is one page of the list

# Requests, threads and modules that are imported; then the most connections and calls of the file system.
BUDGETS = {
    "the first item of a loop, created": (3, 0, 0, 1, 3),
    "an item, created": (3, 0, 0, 0, 3),
    "an item, nothing to do": (1, 0, 0, 0, 3),
    f"{MANY} items of image_caches, created by 10": (MANY + 2, 10, 0, 10, MANY + 2),
    f"{MANY} items of image_caches, nothing to do": (1, 0, 0, 0, MANY + 2),
}

# What a task of image_cache loads at its start: modules of this collection, and their lines.
MOST_MODULES, MOST_LINES = 33, 4_560

# Calls of the file system are events of sys.addaudithook, which has none for a thread before Python 3.12.
COUNT = """
import json, os, sys, threading
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
import conftest
PLUGINS = "ansible_collections.ctyun.eci.plugins."
from ansible_collections.ctyun.eci.plugins.action import image_cache
from ansible_collections.ctyun.eci.plugins.module_utils._api import http
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport

# the CA bundle is read, and no process is forked beside a thread
assert http.tls_context.cache_info().currsize == 1
assert threading.active_count() == 1

paths = [module.__file__ for name, module in sys.modules.items() if name.startswith(PLUGINS) and module.__file__]
files = [path for path in paths if os.path.getsize(path)]
lines = sum(len(open(path, encoding="utf-8").read().splitlines()) for path in files)
print(json.dumps([len(files), lines]))
from ansible_collections.ctyun.eci.plugins.action import image_caches

FILES = ("open", "fcntl.", "os.", "shutil.", "tempfile.", "glob.")
counts = dict.fromkeys(("requests", "threads", "modules", "connections", "files"), 0)
def hook(event, arguments):
    if event == "socket.connect":
        counts["connections"] += 1
    elif event.startswith(FILES):
        counts["files"] += 1
sys.addaudithook(hook)
def count(kind, method, name):
    original = getattr(kind, method)
    def counting(self, *arguments):
        counts[name] += 1
        return original(self, *arguments)
    setattr(kind, method, counting)
count(Transport, "send", "requests")
count(threading.Thread, "start", "threads")

def perform(plugin, arguments):
    action = object.__new__(plugin.ActionModule)
    action._task = SimpleNamespace(check_mode=False, diff=False, timeout=0)
    counts.update(dict.fromkeys(counts, 0), modules=-len(sys.modules))
    result = action._perform(arguments, {}, False)
    counts["modules"] += len(sys.modules)
    assert not result.get("failed"), result
    print(json.dumps(list(counts.values())))

body = json.loads(sys.argv[2])
for name in ("a", "b", "b"):
    perform(image_cache, {**body, "imageCacheName": name})
many = [{**body, "imageCacheName": f"many-{number}"} for number in range(int(sys.argv[3]))]
for _time in range(2):
    perform(image_caches, {"image_caches": many})
"""


@pytest.fixture(scope="module")
def counted(running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> list[list[int]]:
    """What a process printed that ran the tasks of the table, after modules and lines at its start."""
    running_emulator.reset()
    own = {"TMPDIR": str(tmp_path_factory.mktemp("tmp")), "NO_PROXY": "*", "no_proxy": "*"}
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(ROOT), json.dumps(emulated.BODY), str(MANY)],
        env={**os.environ, **running_emulator.environment, **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(BUDGETS)), ids=list(BUDGETS))
def test_a_task_keeps_its_budget(counted: list[list[int]], number: int) -> None:
    budget, spent = list(BUDGETS.values())[number], counted[number + 1]
    assert spent[:3] == list(budget[:3])
    connections, files = spent[3:]
    assert connections <= budget[3]
    assert 0 < files <= budget[4]


def test_what_a_process_loads_at_its_start(counted: list[list[int]]) -> None:
    modules, lines = counted[0]
    assert modules <= MOST_MODULES
    assert lines <= MOST_LINES
