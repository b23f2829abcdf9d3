# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments with a release line of ansible-core and the oldest or newest supported libraries."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "matrix"
NEEDED = ROOT / "meta" / "ee-requirements.txt"
CORES = ("2.17", "2.18", "2.19", "2.20", "2.21")
PRERELEASE = "pre-release"
OLDEST, NEWEST = "oldest", "newest"
_PIP = ["--disable-pip-version-check"]
_LEAST = re.compile(r"^([a-z]+)>=([\d.]+)$", re.MULTILINE)


class Environment(NamedTuple):
    """``core`` is a release line, PRERELEASE, or empty where only modules run; ``libraries`` is OLDEST or NEWEST. With
    ``tests`` it has the requirements of the unit tests as well.
    """

    python: str
    core: str
    libraries: str
    tests: bool = False

    @property
    def folder(self) -> Path:
        return (
            FOLDER
            / "venv"
            / "-".join([self.core or "target", self.python, self.libraries, *(["tests"] if self.tests else [])])
        )

    @property
    def interpreter(self) -> Path:
        return self.folder / "bin" / "python"


class DoesNotInstall(Exception):
    """pip failed; the text is its last line."""


def bounds() -> dict[str, str]:
    """The oldest supported releases of the libraries."""
    return dict(_LEAST.findall(NEEDED.read_text(encoding="utf-8")))


def make(environment: Environment, python: Path) -> None:
    """Make it, if it is not there yet. Raises DoesNotInstall, as where this Python is too old for the ansible-core."""
    environment.folder.parent.mkdir(parents=True, exist_ok=True)
    with open(environment.folder.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, packages = environment.folder / "made-of", wanted(environment)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == "\n".join(packages):
            return
        subprocess.run([python, "-m", "venv", "--clear", environment.folder], check=True)
        command = [environment.interpreter, "-m", "pip", "install", "--quiet", "--no-input", *_PIP]
        settings = {**os.environ, "HOME": os.environ.get("USER_HOME", os.environ["HOME"])}
        done = subprocess.run([*command, *packages], capture_output=True, text=True, env=settings, check=False)
        if done.returncode:
            raise DoesNotInstall(done.stderr.strip().rpartition("\n")[2])
        stamp.write_text("\n".join(packages), encoding="utf-8")


def releases(environment: Environment) -> dict[str, str]:
    """The installed releases by package name."""
    done = subprocess.run(
        [environment.interpreter, "-m", "pip", "list", "--format", "freeze", *_PIP],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("==", 1) for line in done.stdout.splitlines() if "==" in line)


def wanted(environment: Environment) -> list[str]:
    """The arguments for pip install."""
    exact = environment.libraries == OLDEST
    libraries = [f"{name}=={release}" if exact else name for name, release in bounds().items()]
    if environment.tests:
        libraries.append(f"--requirement={ROOT / 'tests' / 'unit' / 'requirements.txt'}")
    if environment.core == PRERELEASE:
        major, minor = CORES[-1].split(".")
        return [f"ansible-core>={major}.{int(minor) + 1}.0.dev0", *libraries]
    return [f"ansible-core=={environment.core}.*", *libraries] if environment.core else libraries
