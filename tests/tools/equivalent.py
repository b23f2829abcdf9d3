# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the code that nothing could notice, each with its reason, from equivalent.toml.

They count as not noticed all the same. An entry is a change of mutations.py in a line of this text; one that fits no
change any more is an error.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.tools import mutations

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("equivalent.toml")


class Equivalent(NamedTuple):
    """A change of a line that makes no difference, and why."""

    file: str
    line: str
    change: str
    reason: str


def read() -> list[Equivalent]:
    """All of them."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["equivalent"]
    return [Equivalent(**entry) for entry in entries]


def find(listed: Iterable[Equivalent], file: Path, line: int, change: str) -> Equivalent | None:
    """The one that a change is, if it is any."""
    text = file.read_text(encoding="utf-8").splitlines()[line - 1].strip()
    name = str(file.relative_to(ROOT))
    return next((one for one in listed if (one.file, one.line, one.change) == (name, text, change)), None)


def outdated(listed: Iterable[Equivalent]) -> list[Equivalent]:
    """Those that fit no change of the code as it is."""
    there = set()
    for name in {one.file for one in listed}:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for change in mutations.of(ast.parse("\n".join(lines))):
            there.add((name, lines[change.line - 1].strip(), change.text))
    return [one for one in listed if one[:3] not in there]
