# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of ansible-playbook and what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Wall and CPU time in seconds, with that of the workers, and the largest resident size of any one process in MiB."""

    wall: float
    cpu: float
    memory: float


def run(playbook: Path, arguments: list[str], environment: Mapping[str, str]) -> Cost:
    """Run a playbook with an empty folder for temporary files. Raises RuntimeError if it fails."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), *arguments]
    # the output goes to a file, since a reader at the other end of a pipe would want a core for itself at every line
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment, "TMPDIR": folder},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        _pid, status, usage = os.wait4(process.pid, 0)  # a wait with a timeout would look every 50 ms
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()[-4000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
