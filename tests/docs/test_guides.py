# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the READMEs and guides tell readers to run does run, and prints what they show.

All ``yaml`` blocks of a document make one playbook, in their order: plays as they are, tasks in a play on localhost.
The lines of its ``text`` blocks must then be in what Ansible printed, in their order. Ansible prints a message of
several lines as one string, so what counts is the words; IDs, times and ports differ from run to run.

In a document, a comment before a block says more:

    <!-- not run: why -->      this block is not part of the playbook, or not of its output
    <!-- emulator: {...} -->   anywhere: "settings" of the emulator, image "caches" that exist before, and "faults"

What the READMEs have their readers save and run, and what that prints, is in test_followed.py. Here are the rest of their ``yaml`` blocks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.emulator import Emulator, Fault
from tests.tools import translations
from tests.tools.follow import Block
from tests.tools.shown import missing

from .conftest import ROOT, Ansible
from .registry import documented, fill

GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
DOCUMENTS = [
    path
    for english in (ROOT / "README.md", *GUIDES)
    for path in (english, translations.chinese_of(english))
    if path.is_file()
]
BLOCK = re.compile(
    r"^(?P<note><!-- not run: [^\n]+ -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PREPARED = re.compile(r"^<!-- emulator: (\{.*?\}) -->$", re.MULTILINE | re.DOTALL)
# What the documents expect in the environment.
VARIABLES = {"REGISTRY_PASSWORD": "planted-password"}
# Nobody waits long here.
DEFAULTS = {
    "group/ctyun.eci.eci": {"retry_max_delay": 0.01},
    "ctyun.eci.image_cache": {"wait_interval": 0.1},
    "ctyun.eci.image_caches": {"wait_interval": 0.1},
}


class Document(NamedTuple):
    """What a document wants to be run, and what it shows of that."""

    plays: list[Any]
    shown: list[str]
    prepared: dict[str, Any]


def read(path: Path) -> Document:
    text = path.read_text(encoding="utf-8")
    plays: list[Any] = []
    shown: list[str] = []
    for block in BLOCK.finditer(text):
        if block["note"] or (path.parent == ROOT and Block(block["kind"], block["text"]).file):
            continue
        if block["kind"] == "yaml":
            content = yaml.safe_load(block["text"])
            assert isinstance(content, list), f"neither plays nor tasks, and not marked as such:\n{block['text']}"
            plays += content if "hosts" in content[0] else [_play(content)]
        elif block["kind"] == "text":
            shown += block["text"].splitlines()
    prepared = PREPARED.search(text)
    return Document(plays, shown, json.loads(prepared[1]) if prepared else {})


def _play(tasks: list[Any]) -> dict[str, Any]:
    return {
        "name": "Tasks of the document",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": DEFAULTS,
        "tasks": tasks,
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_runs_and_prints_what_it_shows(ansible: Ansible, tmp_path: Path, path: Path) -> None:
    document = read(path)
    playbook = tmp_path / "document.yml"
    playbook.write_text(json.dumps(document.plays), encoding="utf-8")
    shown = [] if path.parent == ROOT else document.shown
    settings = {"ready_after": 0, **document.prepared.get("settings", {})}
    with Emulator(**settings) as emulator, documented(VARIABLES["REGISTRY_PASSWORD"]) as registry:
        fill(registry)
        for cache in document.prepared.get("caches", []):
            emulator.service.seed(**cache)
        emulator.inject(*(Fault(**fault) for fault in document.prepared.get("faults", [])))
        environment = {**emulator.environment, **registry.environment, **VARIABLES}
        run = ansible("playbook", playbook, **environment)
    assert run.returncode == 0, run.stdout + run.stderr
    assert missing(shown, run.stdout, run.stderr) == [], run.stdout + run.stderr
    assert VARIABLES["REGISTRY_PASSWORD"] not in run.stdout + run.stderr
