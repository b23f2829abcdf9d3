# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that takes long writes progress to stderr, and leaves stdout to the callback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY

Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("shown", [True, False])
def test_stdout_can_be_parsed(shown: bool, play: Play, emulator: Emulator, tmp_path: Path) -> None:
    emulator.settings.ready_after = 11.0
    task = {"ctyun.eci.image_cache": {**BODY, "wait": True, "wait_interval": 4}}
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    plugins = str(ROOT / "tests" / "reliability" / "plugins" / "callback")
    callback = {"ANSIBLE_STDOUT_CALLBACK": "json_lines", "ANSIBLE_CALLBACK_PLUGINS": plugins}
    done = play(str(playbook), CTYUN_ECI_PROGRESS=str(shown).lower(), **callback)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = [json.loads(line)["result"] for line in done.stdout.splitlines()]
    assert result["image_cache"]["status"] == "ready"
    lines = [line for line in done.stderr.splitlines() if line.startswith("ctyun.eci: ")]
    assert len(lines) == shown
    for line in lines:
        assert line.startswith("ctyun.eci: web: "), line
        assert line.endswith(" of 30:00"), line
