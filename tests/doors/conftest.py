# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run by the real ansible-playbook, against an emulator in this process."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.docs.conftest import BIN, environment_of
from tests.emulator import Emulator

# What differs between any two runs: IDs and times.
CHANGING = re.compile(
    r"(imc|eci)-[a-z0-9]{16}(\.[0-9a-f]+)?|\b[0-9a-f]{32}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|order:[0-9a-f]{32}"
    r"|20\d\d-\d\d-\d\dT[0-9:+]+Z?"
)
Task = dict[str, Any]


class Run(NamedTuple):
    """What tasks returned, by their names, and what was printed."""

    results: dict[str, dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(ready_after=0) as running:
        yield running


@pytest.fixture
def play(emulator: Emulator, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a playbook, of this folder if the path is relative; more arguments and variables of the environment may follow."""
    own = {
        **environment_of(tmp_path),
        **emulator.environment,
        "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).with_name("plugins") / "connection"),
        "ANSIBLE_BECOME_PLUGINS": str(Path(__file__).with_name("plugins") / "become"),
        "ANSIBLE_ASYNC_DIR": str(tmp_path / "async"),
        "HOME": str(tmp_path),
    }

    def run(playbook: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / "ansible-playbook"), str(Path(__file__).parent / playbook), *arguments],
            env={**own, **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def tasks(play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Callable[..., Run]:
    """Run tasks through one door, in a playbook in the folder of the test. Those that fail do not end it.

    What the first one returned is in the variable ``result_0``, and so on.
    """

    def run(given: list[Task], in_process: bool, *arguments: str, **environment: str) -> Run:
        results = tmp_path / f"results-{in_process}.json"
        named = {task["name"]: f"result_{number}" for number, task in enumerate(given)}
        assert len(named) == len(given)
        pairs = ", ".join(f"{json.dumps(name)}: {variable}" for name, variable in named.items())
        copied = {"dest": str(results), "mode": "0600", "content": "{{ {" + pairs + "} | to_json }}"}
        written = {"ansible.builtin.copy": copied, "check_mode": False}
        playing = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ctyun_eci_in_process": in_process},
            "module_defaults": {"group/ctyun.eci.eci": {"retries": 1, "retry_max_delay": 0}},
            "tasks": [*({"register": named[task["name"]], "ignore_errors": True, **task} for task in given), written],
        }
        playbook = tmp_path / "playbook.json"
        playbook.write_text(json.dumps([playing]), encoding="utf-8")
        done = play(str(playbook), *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return Run(loaded(results.read_text(encoding="utf-8")), done.stdout, done.stderr)

    return run


@pytest.fixture
def both(tasks: Callable[..., Run], emulator: Emulator) -> Callable[..., Run]:
    """Run tasks through both doors; the results, the requests and what stderr got must be the same."""

    def run(given: list[Task], *arguments: str, prepare: Callable[[], None] = lambda: None, **environment: str) -> Run:
        seen = []
        for in_process in (True, False):
            emulator.reset()
            emulator.settings.ready_after = 0
            prepare()
            done = tasks(given, in_process, *arguments, **environment)
            seen.append((done, [record.operation for record in emulator.requests]))
        (process, sent), (module, sent_by_module) = seen
        for name, result in module.results.items():
            assert _same(process.results[name]) == _same(result), name
        assert sent == sent_by_module
        assert _same(process.stderr) == _same(module.stderr)
        return process

    return run


def loaded(results: str) -> Any:
    """Return results without the key by which ansible-core 2.22 marks that a module has printed JSON."""
    return json.loads(results, object_hook=lambda found: {key: found[key] for key in found if key != "ansible_parsed"})


def _same(value: Any) -> str:
    return CHANGING.sub("X", json.dumps(value, sort_keys=True))
