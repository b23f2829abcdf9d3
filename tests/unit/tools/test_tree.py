# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requirements of make build, and its messages without Git."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import tree


def test_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SystemExit, match="Git is needed, and a checkout"):
        tree.wanted()


def test_without_git_there_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(tree.ROOT / "tests" / "tools" / "tree.py")],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 1
    assert re.fullmatch(r"Git is needed, .*\n", run.stderr)


def test_a_build_installs_no_development_tools() -> None:
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    run = subprocess.run(
        ["make", "--dry-run", "--always-make", "--directory", str(tree.ROOT), "build"],
        env={name: value for name, value in os.environ.items() if name not in outer},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert re.findall(r" -r (\S+)", run.stdout) == ["requirements/run.txt"]
    assert "ansible-galaxy collection build" in run.stdout
