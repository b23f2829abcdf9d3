# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides run by the command at their top, and print what their ``text`` blocks show, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.emulator import Emulator
from tests.emulator.documented import PASSWORD
from tests.tools import docsite
from tests.tools.page import blocks, write

from .conftest import ROOT, Ansible, Make
from .pages import missing

COMMAND = re.compile(r"^make play (PLAYBOOK=(docs/\S+\.md)\b.*)$", re.MULTILINE)
GUIDES = [path for path in sorted((ROOT / "docs").glob("*.md")) if COMMAND.search(path.read_text(encoding="utf-8"))]
CHANGING = ("createImageCache", "updateImageCache", "deleteImageCache")


def name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", GUIDES, ids=name)
def test_a_guide_runs_by_its_first_line_and_prints_what_it_shows(make: Make, path: Path) -> None:
    found = blocks(path)
    command = COMMAND.fullmatch(found[0].text.strip())
    assert command, "the first block is the command"
    assert command[2] == path.relative_to(ROOT).as_posix()
    run = make("play", *shlex.split(command[1]), cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    shown = [line for block in found if block.kind == "text" for line in block.text.splitlines()]
    assert missing(shown, run.stdout, run.stderr) == [], run.stdout + run.stderr
    assert PASSWORD not in run.stdout + run.stderr


def test_guides_exist_in_both_languages() -> None:
    english = {path.name for path in GUIDES if not path.stem.endswith(".zh-CN")}
    assert len(english) > 10
    assert {path.name for path in GUIDES} - english == {f"{Path(one).stem}.zh-CN.md" for one in english}


@pytest.mark.parametrize("path", GUIDES, ids=name)
def test_the_playbooks_that_a_guide_shows_as_files_are_valid(ansible: Ansible, tmp_path: Path, path: Path) -> None:
    write(path, tmp_path)
    files = [
        block.file for block in blocks(path) if block.file and re.search(r"^-?\s+hosts:", block.text, re.MULTILINE)
    ]
    if files:
        run = ansible("playbook", "--syntax-check", *files, cwd=tmp_path)
        assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("in_process", ["true", "false"])
def test_the_lifecycle_runs_in_check_mode_where_nothing_exists_yet(
    ansible: Ansible, emulator: Emulator, tmp_path: Path, in_process: str
) -> None:
    """No task finds what the one before it would have made."""
    playbook = write(ROOT / "docs" / "lifecycle.md", tmp_path / "guide")
    run = ansible("playbook", playbook, "--check", "-e", f"ctyun_eci_in_process={in_process}", **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "ignored=0" in run.stdout
    assert [record for record in emulator.requests if record.operation in CHANGING] == []
    # a task that names the image cache by its ID, which is not known, sends nothing
    assert {record.body.get("imageCacheName") for record in emulator.requests} == {"web", "broken"}


@pytest.mark.parametrize("page", docsite.pages(), ids=name)
def test_docs_ansible_com_has_the_page(page: Path) -> None:
    rendered = docsite.pages()[page].read_text(encoding="utf-8")
    assert docsite.checksum(page) in rendered, "make docs"


def test_no_rendered_page_is_left_over_or_missing_in_the_list_of_pages() -> None:
    sections = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == sorted(path.stem for path in docsite.RST.glob("*.rst"))
    assert set(listed) - {"environment_variables"} == {path.stem for path in docsite.pages().values()}
