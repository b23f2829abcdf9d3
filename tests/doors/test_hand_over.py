# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The in-process door is taken only where nothing could tell the difference."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.emulator import Emulator

Play = Callable[..., subprocess.CompletedProcess[str]]


def test_each_case_comes_through_its_door(play: Play, tmp_path: Path, emulator: Emulator) -> None:
    other = tmp_path / "other-python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    inventory = tmp_path / "inventory"
    inventory.write_text(f"other ansible_connection=local ansible_python_interpreter={other}\n")
    done = play("hand_over.yml", "-vvv", "-i", str(inventory), "-e", f"other_python={other}")
    assert done.returncode == 0, done.stdout + done.stderr
    doors = {
        name: "Module" if "plugins/modules/region_info.py" in output else "Process"
        for name, output in re.findall(r"TASK \[([^\]]+)\] \*+\n(.*?)(?=\nTASK|\nPLAY RECAP)", done.stdout, re.DOTALL)
    }
    assert len(doors) == 17
    assert {name: name.split(":")[0] for name in doors} == doors
    # the Python of the system may lack the libraries, or not work at all
    assert len(emulator.sent("region")) in (16, 17)


def test_a_controller_without_the_libraries_hands_over(play: Play, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "jsonschema.py").write_text("raise ImportError('not here')\n")
    done = play("same_results.yml", "-e", f"results={tmp_path / 'results'}", PYTHONPATH=str(broken))
    assert done.returncode != 0
    assert "Failed to import the required Python library (jsonschema" in done.stdout
