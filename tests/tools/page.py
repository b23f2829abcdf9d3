# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the examples of a Markdown page into a playbook: "make play PLAYBOOK=docs/lifecycle.md" runs them as a reader sees them.

    python tests/tools/page.py PAGE     # prints the path of the playbook, below build/play

The ``yaml`` blocks of the page make one playbook, in their order: plays as they are, tasks in a play on localhost. A block that starts with
a comment of a file name, such as "# vars.yml", is written to that file beside the playbook. Other blocks and HTML comments do nothing.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\A# ([\w./-]+\.\w+)\n")
PLAY = re.compile(r"^-?\s+hosts:", re.MULTILINE)


class Block(NamedTuple):
    """``file`` is the name in the comment at the start of the block, under which a reader saves it."""

    kind: str
    text: str
    file: str | None


def blocks(page: Path) -> list[Block]:
    visible = COMMENT.sub("", page.read_text(encoding="utf-8"))
    found = BLOCK.finditer(visible)
    return [Block(block["kind"], block["text"], (file := FILE.match(block["text"])) and file[1]) for block in found]


def playbook(page: Path) -> str:
    parts = ["---\n"]
    in_tasks = False
    for block in blocks(page):
        if block.kind != "yaml" or block.file:
            continue
        is_play = bool(PLAY.search(block.text.split("tasks:", 1)[0]))
        if not is_play and not in_tasks:
            parts.append(f"- name: {page.name}\n  hosts: localhost\n  gather_facts: false\n  tasks:\n")
        parts.append(block.text if is_play else textwrap.indent(block.text, " " * 4))
        in_tasks = not is_play
    return "\n".join(parts)


def write(page: Path, folder: Path) -> Path:
    """Write the playbook and the files of a page. Returns the path of the playbook."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in {block.file: block.text for block in blocks(page)}.items():
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    path = folder / "playbook.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(playbook(page), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), ROOT / "build" / "play" / Path(sys.argv[1]).stem))
