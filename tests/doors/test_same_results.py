# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns is the same through both doors, keys and warnings and hidden secrets included."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.emulator import Emulator

from .conftest import CHANGING, loaded

Play = Callable[..., subprocess.CompletedProcess[str]]

SECRET = "planted-secret"


def run(play: Play, emulator: Emulator, tmp_path: Path, in_process: bool) -> tuple[dict[str, Any], list[str], str]:
    """The results by task, the requests, and all that was printed."""
    emulator.reset()
    emulator.settings.ready_after = 0
    results = tmp_path / f"results-{in_process}.json"
    variables = tmp_path / "variables.json"  # since -vvvv shows what -e gives on the command line
    variables.write_text(json.dumps({"results": str(results), "ctyun_eci_in_process": in_process, "planted": SECRET}))
    done = play("same_results.yml", "-vvvv", "-e", f"@{variables}")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = loaded(CHANGING.sub("X", results.read_text()))
    return found, [str(record.operation) for record in emulator.requests], done.stdout + done.stderr


def test_results_and_requests_are_the_same(play: Play, emulator: Emulator, tmp_path: Path) -> None:
    process, process_requests, process_output = run(play, emulator, tmp_path, in_process=True)
    module, module_requests, module_output = run(play, emulator, tmp_path, in_process=False)
    assert "plugins/modules/image_cache.py" not in process_output
    assert "plugins/modules/image_cache.py" in module_output
    for name, result in module.items():
        assert process[name] == result, name
    assert sorted(process_requests) == sorted(module_requests)
    for shown in (process_output, module_output, json.dumps(module)):
        assert SECRET not in shown
