# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count the words that ansible-doc shows, and those of the README: "make collections; python tests/tools/words.py"."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def words(text: str | list[str]) -> int:
    """Count words; each Han character is one."""
    text = text if isinstance(text, str) else " ".join(text)
    return len(re.findall(r"[\u3400-\u9fff]|[^\s\u3000-\u9fff\uff00-\uffef]+", text))


def options(tree: dict[str, Any]) -> list[int]:
    """Return the words of the description of each option, suboptions included."""
    own = [words(option["description"]) for option in tree.values()]
    return own + [count for option in tree.values() for count in options(option.get("suboptions") or {})]


if __name__ == "__main__":
    modules = [f"ctyun.eci.{path.stem}" for path in sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))]
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / "build" / "collections")
    shown = subprocess.check_output(["ansible-doc", "--json", *modules])
    print(f"{'module':<28}options  words each  longest  notes  words in notes")
    for name, entry in json.loads(shown).items():
        counts, notes = options(entry["doc"]["options"]), entry["doc"].get("notes", [])
        mean = round(sum(counts) / len(counts), 1)
        print(f"{name:<28}{len(counts):>7}{mean:>12}{max(counts):>9}{len(notes):>7}{words(notes):>16}")
    print(f"{'page':<28}words  with fenced blocks")
    for page in ("README.md", "README.zh-CN.md"):
        text = re.sub("(?s)<!--.*?-->", "", (ROOT / page).read_text(encoding="utf-8"))
        print(f"{page:<28}{words(re.sub('(?ms)^```.*?^```$', '', text)):>5}{words(text):>20}")
