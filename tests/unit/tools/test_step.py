# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What "make test" says of its steps."""

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
    """A copy of the tool, which keeps what it writes beside it."""
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


def test_it_says_that_it_begins_before_it_runs(tool: Path) -> None:
    result = step(tool, "unit", "--figure", "^[0-9]+ passed", "--", "echo", "7 passed")
    begin, output, end = result.stdout.splitlines()
    assert re.fullmatch(rf"begin +unit +usually {step_module.USUAL['unit']} s", begin)
    assert output == "7 passed"
    assert re.fullmatch(r"ok +\d+\.\d s  unit +7 passed", end)
    assert (tool.parents[2] / "build" / "logs" / "unit.log").read_text() == "7 passed\n"


def test_it_learns_how_long_it_takes(tool: Path) -> None:
    times = tool.parents[2] / "build" / "times"
    step(tool, "unit", "--", "true")
    assert float((times / "unit").read_text()) < 10
    (times / "unit").write_text("33.2\n")
    assert "usually 33 s" in step(tool, "unit", "--", "false").stdout
    assert (times / "unit").read_text() == "33.2\n", "of a step that failed nothing is learned"
    (times / "unit").write_text("nonsense")
    assert f"usually {step_module.USUAL['unit']} s" in step(tool, "unit", "--", "true").stdout


def test_a_step_of_a_moment_has_no_time(tool: Path) -> None:
    assert step(tool, "reuse", "--", "true").stdout.splitlines()[0] == "begin           reuse"


def test_the_second_time_is_known_by_the_first(tool: Path) -> None:
    assert "again-integration" in step(tool, "integration", "--", "true", STEP_PREFIX="again-").stdout
    assert step_module.usually("again-no-such-step") == step_module.A_MOMENT


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


def test_quiet_shows_no_output(tool: Path) -> None:
    result = step(tool, "odd", "--", "echo", "words", STEP_QUIET="1")
    assert (result.returncode, "words" in result.stdout) == (0, False)


def test_the_usual_times_are_those_of_steps_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    steps = set(re.findall(r"\$\(STEP\) (?!\$)([a-z-]+)", makefile))
    assert {"unit", "playbooks"} <= steps
    assert set(step_module.USUAL) <= steps | {"integration", "integration-as-modules"}
