# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of "make test"."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import step as step_module

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A copy of the tool, which writes below its own folder."""
    copy = tmp_path / "tests" / "tools" / "step.py"
    copy.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "tests" / "tools" / "step.py", copy)
    return copy


def step(tool: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STEP_")}
    return subprocess.run(
        [sys.executable, str(tool), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_it_prints_its_start_and_its_log_first(tool: Path) -> None:
    result = step(tool, "unit", "--figure", "^[0-9]+ passed", "--", "echo", "7 passed")
    begin, output, end = result.stdout.splitlines()
    assert re.fullmatch(rf"begin +unit +build/logs/unit.log, usually {step_module.USUAL['unit']} s", begin)
    assert output == "7 passed"
    assert re.fullmatch(r"ok +\d+\.\d s  unit +7 passed", end)
    assert (tool.parents[2] / "build" / "logs" / "unit.log").read_text() == "7 passed\n"


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--", "sh", "-c", "exit 3"], 3, "exit status 3"),
        (["--require", "[0-9]+ passed", "--", "echo", "none"], 1, "no line matches '[0-9]+ passed'"),
        (["--reject", "^WARNING", "--", "echo", "WARNING: skipped"], 1, "rejected: WARNING: skipped"),
        (["--", "no-such-command"], 127, "exit status 127"),
    ],
)
def test_a_step_fails(tool: Path, arguments: list[str], status: int, complaint: str) -> None:
    result = step(tool, "odd", *arguments, STEP_QUIET="1")
    assert result.returncode == status
    assert re.search(r"^FAIL +\d+\.\d s  odd$", result.stdout, re.MULTILINE)
    assert complaint in result.stdout
    assert "----- output of odd -----" in result.stdout


def test_quiet_shows_no_output_and_the_usual_duration_is_that_of_the_last_good_run(tool: Path) -> None:
    times = tool.parents[2] / "build" / "times"
    result = step(tool, "odd", "--", "echo", "words", STEP_QUIET="1", STEP_PREFIX="again-")
    assert (result.returncode, "words" in result.stdout, "again-odd" in result.stdout) == (0, False, True)
    assert float((times / "again-odd").read_text()) < 10
    (times / "odd").write_text("33.2\n")
    assert "usually 33 s" in step(tool, "odd", "--", "false").stdout
    assert (times / "odd").read_text() == "33.2\n"


def test_a_sign_of_life(tool: Path) -> None:
    result = step(
        tool, "slow", "--", "sh", "-c", "echo begun; echo half; sleep 2", STEP_QUIET="1", STEP_SIGN_OF_LIFE="0.8"
    )
    begin, *running, end = result.stdout.splitlines()
    assert re.fullmatch(r"begin +slow +build/logs/slow.log", begin)
    assert [re.sub(r" +", " ", line) for line in running] == ["running 1 s slow half", "running 2 s slow half"]
    assert end.startswith("ok")
