# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides do one task after the other runs in check mode too, where no task finds what the one before has made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator import Emulator

from .conftest import ROOT, Ansible
from .test_guides import read

CHANGING = ("createImageCache", "updateImageCache", "deleteImageCache")
GUIDES = [ROOT / "docs" / "guides" / "lifecycle.md", ROOT / "docs" / "zh-CN" / "lifecycle.md"]


@pytest.mark.parametrize("in_process", ["true", "false"])
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_life_of_an_image_cache_in_check_mode_on_an_empty_region(
    ansible: Ansible, emulator: Emulator, tmp_path: Path, path: Path, in_process: str
) -> None:
    playbook = tmp_path / "guide.yml"
    playbook.write_text(json.dumps(read(path).plays), encoding="utf-8")
    run = ansible("playbook", playbook, "--check", "-e", f"ctyun_eci_in_process={in_process}", **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "ignored=0" in run.stdout
    assert [record for record in emulator.requests if record.operation in CHANGING] == []
    # what picks the image cache by its ID, which nobody knows, asks for nothing
    assert {record.body.get("imageCacheName") for record in emulator.requests} == {"web"}
