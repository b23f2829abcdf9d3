# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an environment has to work with: an emulator, playbooks through one door, and limits for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.emulator import Emulator
from tests.reliability.playbook import LIMIT, Playbook, descendants, kill, until

CREATE, UPDATE, DELETE = "createImageCache", "updateImageCache", "deleteImageCache"
LIST, DESCRIBE = "describeImageCaches", "describeImageCache"
# The line of a task's result with -v; what an item is stands between the host and the result.
RESULT = re.compile(r"^(?:ok|changed|failed|fatal): \[[^\]]*\].*? => (?=\{)", re.MULTILINE)
PROCESS, MODULE = "in process", "module"
DOORS = (PROCESS, MODULE)


class Broken(AssertionError):
    """A promise is."""


class NotTried(Exception):
    """This machine does not let it be tried."""


class Run(NamedTuple):
    """What a playbook left behind: the results of its tasks in their order, what it printed, and how long it took."""

    status: int
    output: str
    seconds: float

    @property
    def results(self) -> list[dict[str, Any]]:
        decoder = json.JSONDecoder()
        return [decoder.raw_decode(self.output, found.end())[0] for found in RESULT.finditer(self.output)]

    @property
    def result(self) -> dict[str, Any]:
        """That of the only task, or of the last."""
        if not self.results:
            raise Broken(f"no task has a result:\n{self.output}")
        return self.results[-1]


class Running:
    """A playbook that has been started."""

    def __init__(self, playbook: Playbook, arguments: Sequence[str]) -> None:
        self._playbook = playbook
        self._began = time.monotonic()
        self.process = playbook.start(*arguments)

    def end(self, seconds: float = LIMIT) -> Run:
        """Wait until it ends by itself."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"not at its end after {seconds:g} s:\n{self._playbook.output}") from None
        finally:
            kill(self.process, [])
        return Run(status, self._playbook.output, time.monotonic() - self._began)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def interrupt(self) -> None:
        """Ctrl-C: the signal goes to the process group of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL for all of it."""
        kill(self.process, descendants(self.process))


@dataclass
class Stage:
    """``folder`` is where an environment may leave what it likes; ``door`` is one of DOORS."""

    emulator: Emulator
    folder: Path
    door: str
    _playbooks: int = field(default=0, init=False)
    _running: list[Running] = field(default_factory=list, init=False)

    @property
    def temporary(self) -> Path:
        """TMPDIR of all playbooks."""
        path = self.folder / "tmp"
        path.mkdir(exist_ok=True)
        path.chmod(0o1777)
        return path

    def start(
        self,
        tasks: Sequence[Mapping[str, Any]],
        *arguments: str,
        limits: str = "",
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        hosts: int = 1,
    ) -> Running:
        """Start a playbook; ``limits`` are commands for bash before it, such as ``ulimit -n 64``, and ``user`` who runs it."""
        self._playbooks += 1
        folder = self.folder / f"playbook-{self._playbooks}"
        folder.mkdir()
        playbook = Playbook(
            folder,
            {
                **self.emulator.environment,
                "TMPDIR": str(self.temporary),
                "ANSIBLE_REMOTE_TMP": str(folder / "remote"),
                **(environment or {}),
            },
            tasks,
            hosts,
            {"ctyun_eci_in_process": self.door == PROCESS, **(variables or {})},
            [*_as(user), *(["bash", "-c", f'{limits}; exec "$@"', "bash"] if limits else [])],
        )
        if user is not None:
            for path in [self.folder, self.temporary, *folder.rglob("*"), folder]:
                os.chown(path, user, user, follow_symlinks=False)
        running = Running(playbook, ["-v", *arguments])
        self._running.append(running)
        return running

    def play(self, tasks: Sequence[Mapping[str, Any]], *arguments: str, **more: Any) -> Run:
        """Run a playbook to its end."""
        return self.start(tasks, *arguments, **more).end()

    def wait_for(self, operation: str, count: int = 1) -> None:
        """Wait until the service has got so many requests for this operation."""
        if not until(lambda: len(self.emulator.sent(operation)) >= count, 60):
            raise Broken(f"{operation} was not sent {count} time(s)")

    @property
    def made(self) -> list[str]:
        """The names of what is there."""
        return sorted(cache["imageCacheName"] for cache in self.emulator.service.caches())

    @property
    def ids(self) -> list[str]:
        """The IDs of what is there."""
        return [cache["imageCacheId"] for cache in self.emulator.service.caches()]

    def left(self) -> list[int]:
        """The processes of all playbooks that there still are, whoever their parents are by now."""
        mark = f"TMPDIR={self.temporary}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def wait_for_the_end(self) -> None:
        """Wait until no process of the playbooks is left."""
        if not until(lambda: not self.left(), 60, 0.05):
            raise Broken("processes are left")

    def close(self) -> None:
        """End what is left, and leave nothing."""
        for running in self._running:
            running.kill()
        for pid in self.left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _as(user: int | None) -> list[str]:
    """What starts a command as another user, who may read what root may: Python may be in the home of root."""
    if user is None:
        return []
    may = "-all,+dac_override"
    who = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["setpriv", *who, f"--inh-caps={may}", f"--ambient-caps={may}", f"--bounding-set={may}"]


def demand(kept: object, what: str, run: Run | None = None) -> None:
    """Raise Broken if a promise is not kept."""
    if not kept:
        raise Broken(what if run is None else f"{what}\n{run.output}")


@dataclass(frozen=True)
class Environment:
    """``run`` acts it out and returns what happened, in a few words; it raises Broken if ``promise`` was not kept.

    Through the ``quick`` doors it takes few seconds of the processor.
    """

    name: str
    promise: str
    run: Callable[[Stage], str]
    quick: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
