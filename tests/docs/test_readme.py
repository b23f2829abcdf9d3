# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the READMEs run and print what they show, and the pages name what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.ctyun.eci.plugins.plugin_utils._action import PROGRESS, SWITCH
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import region_info
from tests.emulator import Emulator
from tests.tools.page import blocks

from .conftest import ROOT, Ansible
from .pages import missing

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/**/*.md"), *ROOT.glob("tests/**/*.md")}
    - {ROOT / "CHANGELOG.md"}
)
# The request on CTYun's page.
BODY = ROOT / "tests" / "integration" / "targets" / "image_cache" / "files" / "createImageCache.json"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_examples_print_what_is_shown(ansible: Ansible, emulator: Emulator, tmp_path: Path, path: Path) -> None:
    found = blocks(path)
    for number, block in enumerate(found):
        if block.kind == "yaml":
            (tmp_path / (block.file or f"{number}.yml")).write_text(block.text, encoding="utf-8")
    others = sorted(file.name for file in tmp_path.iterdir() if file.name not in ("my.yml", "vars.yml"))
    run = ansible("playbook", "ctyun.eci.quickstart", "my.yml", *others, cwd=tmp_path, **emulator.environment)
    assert run.returncode == 0, run.stdout + run.stderr
    shown = [line for block in found if block.kind == "text" for line in block.text.splitlines()]
    assert missing(shown, run.stdout) == [], run.stdout
    run = ansible("playbook", "ctyun.eci.image_cache", "-e", "@vars.yml", cwd=tmp_path, **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout


def test_the_readme_is_short() -> None:
    assert len(text(READMES[0]).split()) <= 900


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_first_example_is_the_request_of_the_page(path: Path) -> None:
    first = next(block for block in blocks(path) if block.kind == "yaml")
    task = yaml.safe_load(first.text)[0]["tasks"][0]
    assert task["ctyun.eci.image_cache"] == json.loads(text(BODY))


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_content_lists_the_modules_playbooks_and_roles(path: Path) -> None:
    files = [*ROOT.glob("plugins/modules/[!_]*.py"), *ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/[!_]*")]
    lines = re.findall(r"^- (`ctyun\.eci\..*)", text(path), re.MULTILINE)
    named = {found for line in lines for found in re.findall(r"`ctyun\.eci\.(\w+)`", line)}
    assert named == {file.stem for file in files}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    lost = []
    for link in LINK.findall(FENCED.sub("", text(path))):
        if link.startswith(("https://", "http://")):
            continue
        target, _mark, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or ROOT not in (found, *found.parents) or (anchor and anchor not in anchors(found)):
            lost.append(link)
    assert lost == []


def test_commands_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    commands = re.compile(r"`make ([a-z][a-z-]*)\b[^`\n]*`")
    named = {(name(path), target) for path in PAGES for target in commands.findall(text(path))}
    assert [pair for pair in sorted(named) if pair[1] not in targets] == []


def test_environment_variables_exist() -> None:
    known = {one for rules in region_info.TASK.spec().values() for one in rules.get("fallback", (None, []))[1]}
    known |= {SWITCH.upper(), PROGRESS.upper()}
    named = {(name(path), word) for path in PAGES for word in re.findall(r"\b(?:CTYUN|CTAPI)_[A-Z_]+\b", text(path))}
    assert [pair for pair in sorted(named) if pair[1] not in known] == []


def test_the_execution_environment_names_the_tarball_of_this_version() -> None:
    version = yaml.safe_load(text(ROOT / "galaxy.yml"))["version"]
    names = re.findall(r"ctyun-eci-([\d.]+)\.tar\.gz", text(ROOT / "examples" / "awx" / "execution-environment.yml"))
    assert set(names) == {version}
