# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides run, and print what they show.

All ``yaml`` blocks of a guide make one playbook, in their order: plays as they are, tasks in a play on localhost. The lines of its ``text``
blocks must be in what Ansible prints, in their order. Comments in a guide:

    <!-- not run: why -->      the next block is not part of the playbook, or of its output
    <!-- emulator: {...} -->   anywhere: "settings" of the emulator, image "caches" that exist before, and "faults"
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.emulator import Emulator, Fault
from tests.emulator.documented import PASSWORD, documented, fill

from .conftest import ROOT, Ansible
from .pages import blocks, missing

GUIDES = [
    path
    for english in sorted((ROOT / "docs" / "guides").glob("*.md"))
    for path in (english, ROOT / "docs" / "zh-CN" / english.name)
    if path.is_file()
]
PREPARED = re.compile(r"^<!-- emulator: (\{.*?\}) -->$", re.MULTILINE | re.DOTALL)
# What the guides expect in the environment.
VARIABLES = {"REGISTRY_PASSWORD": PASSWORD}
# Short waits.
DEFAULTS = {
    "group/ctyun.eci.eci": {"retry_max_delay": 0.01},
    "ctyun.eci.image_cache": {"wait_interval": 0.1},
    "ctyun.eci.image_caches": {"wait_interval": 0.1},
}
CHANGING = ("createImageCache", "updateImageCache", "deleteImageCache")


class Guide(NamedTuple):
    plays: list[Any]
    shown: list[str]
    prepared: dict[str, Any]


def read(path: Path) -> Guide:
    plays: list[Any] = []
    shown: list[str] = []
    for block in blocks(path):
        if block.kind == "yaml":
            content = yaml.safe_load(block.text)
            assert isinstance(content, list), f"neither plays nor tasks, and not marked as such:\n{block.text}"
            plays += content if "hosts" in content[0] else [play(content)]
        elif block.kind == "text":
            shown += block.text.splitlines()
    prepared = PREPARED.search(path.read_text(encoding="utf-8"))
    return Guide(plays, shown, json.loads(prepared[1]) if prepared else {})


def play(tasks: list[Any]) -> dict[str, Any]:
    return {"hosts": "localhost", "gather_facts": False, "module_defaults": DEFAULTS, "tasks": tasks}


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_guide_runs_and_prints_what_it_shows(ansible: Ansible, tmp_path: Path, path: Path) -> None:
    guide = read(path)
    playbook = tmp_path / "guide.yml"
    playbook.write_text(json.dumps(guide.plays), encoding="utf-8")
    settings = {"ready_after": 0, **guide.prepared.get("settings", {})}
    with Emulator(**settings) as emulator, documented(VARIABLES["REGISTRY_PASSWORD"]) as registry:
        fill(registry)
        for cache in guide.prepared.get("caches", []):
            emulator.service.seed(**cache)
        emulator.inject(*(Fault(**fault) for fault in guide.prepared.get("faults", [])))
        run = ansible("playbook", playbook, **emulator.environment, **registry.environment, **VARIABLES)
    assert run.returncode == 0, run.stdout + run.stderr
    assert missing(guide.shown, run.stdout, run.stderr) == [], run.stdout + run.stderr
    assert VARIABLES["REGISTRY_PASSWORD"] not in run.stdout + run.stderr


@pytest.mark.parametrize("in_process", ["true", "false"])
def test_the_lifecycle_runs_in_check_mode_where_nothing_exists_yet(
    ansible: Ansible, emulator: Emulator, tmp_path: Path, in_process: str
) -> None:
    """No task finds what the one before it would have made."""
    playbook = tmp_path / "guide.yml"
    playbook.write_text(json.dumps(read(ROOT / "docs" / "guides" / "lifecycle.md").plays), encoding="utf-8")
    run = ansible("playbook", playbook, "--check", "-e", f"ctyun_eci_in_process={in_process}", **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "ignored=0" in run.stdout
    assert [record for record in emulator.requests if record.operation in CHANGING] == []
    # a task that names the image cache by its ID, which is not known, sends nothing
    assert {record.body.get("imageCacheName") for record in emulator.requests} == {"web", "broken"}
