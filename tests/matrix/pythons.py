# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

# From the oldest Python for modules to the newest one that the newest ansible-core supports.
LINES = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
_NAME = re.compile(r"python3\.\d+")


def find() -> dict[str, Path]:
    """The working ones by release line: the first one on the path, else the one of pyenv."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.glob("python3.*")) if folder.is_dir() else ():
            line = path.name[len("python") :]
            if _NAME.fullmatch(path.name) and line in LINES and line not in found and _runs(path, line):
                found[line] = path
    return dict(sorted(found.items(), key=lambda item: number(item[0])))


def missing(found: Iterable[str]) -> list[str]:
    """The release lines that this machine lacks."""
    return [line for line in LINES if line not in found]


def number(line: str) -> tuple[int, ...]:
    """The sort key of a release line."""
    return tuple(map(int, line.split(".")))


def _folders() -> Iterator[Path]:
    yield from map(Path, os.get_exec_path())
    yield from sorted((Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob("*/bin"))


def _runs(path: Path, line: str) -> bool:
    """Whether it is that Python and can make virtual environments; a shim of pyenv may have no Python behind it."""
    code = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info))"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == line
