# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook with this checkout as ctyun.eci, in a home, with locks and with an environment of its own."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 120.0

BODY = {
    "image_cache_size": 40,
    "images": ["nginx:latest"],
    "az_info": {"az_name": "az1"},
    "vpc_id": "vpc-test",
    "v_switch_id": "subnet-test",
    "security_group_id": "sg-test",
}


class Finished(NamedTuple):
    """What a run left behind. ``output`` is all it printed, stdout first."""

    status: int
    output: str


class Playbook:
    """One play over hosts that are all this machine, in a folder of its own. ``before`` is what starts it, if not this."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        tasks: Sequence[Mapping[str, Any]],
        hosts: int = 1,
        variables: Mapping[str, Any] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self._before = before
        namespace = folder / "collections" / "ansible_collections" / "ctyun"
        namespace.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (namespace / "eci").symlink_to(ROOT)
        (folder / "home").mkdir(exist_ok=True)
        # not in the folder: ansible-core has sockets there, and the path of a socket must be short
        self.temporary = temporary = (
            Path(tempfile.gettempdir()) / f"eci-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
        )
        temporary.mkdir(mode=0o700, exist_ok=True)
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        names = [f"host{number:02}" for number in range(hosts)]
        lines = [f"{name} ansible_connection=local ansible_python_interpreter={sys.executable}" for name in names]
        (folder / "inventory").write_text("\n".join(lines) + "\n", encoding="utf-8")
        play = {"hosts": "all", "gather_facts": False, "vars_files": ["variables.json"], "tasks": list(tasks)}
        (folder / "play.yml").write_text(json.dumps([play], indent=2), encoding="utf-8")
        (folder / "variables.json").write_text(json.dumps(dict(variables or {})), encoding="utf-8")
        (folder / "ansible.cfg").write_text("", encoding="utf-8")
        self._environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(folder / "home"),
            "TMPDIR": str(temporary),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home" / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            **environment,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it in a process group of its own; what it prints goes to the file ``output``."""
        with open(self.folder / "output", "w", encoding="utf-8") as output:
            return subprocess.Popen(
                [*self._before, sys.executable, "-m", "ansible", "playbook", "-i", "inventory", "play.yml", *arguments],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> Finished:
        """Run it to its end."""
        process = self.start(*arguments)
        try:
            status = process.wait(LIMIT)
        finally:
            kill(process)
        print(self.output)  # for the report of a test that fails, and for planted.py
        return Finished(status, self.output)

    @property
    def output(self) -> str:
        """What the last run has printed."""
        return (self.folder / "output").read_text(encoding="utf-8", errors="backslashreplace")


def kill(process: subprocess.Popen[str], descendants: Sequence[int] = ()) -> None:
    """SIGKILL for the process group of a run, and for those of its descendants that left the group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    for pid in descendants:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(LIMIT)


def descendants(process: subprocess.Popen[str]) -> list[int]:
    """The processes that a run has started, its workers too: ansible-core gives each a session of its own."""
    parents: dict[int, int] = {}
    for pid, stat in _processes("stat"):
        with suppress(IndexError, ValueError):
            parents[pid] = int(stat.rpartition(")")[2].split()[1])
    found: list[int] = []
    generation = {process.pid}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found += generation
    return found


def command_lines() -> Iterator[str]:
    """What ``ps`` shows of every process."""
    for _pid, line in _processes("cmdline"):
        yield line.replace("\0", " ")


def _processes(file: str) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                yield int(folder.name), (folder / file).read_bytes().decode("utf-8", "backslashreplace")


def until(condition: Callable[[], bool], seconds: float = LIMIT, pause: float = 0.005) -> bool:
    """Wait until something is so; whether it came to be."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause)
    return False
