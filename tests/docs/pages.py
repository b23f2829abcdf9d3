# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the output that a page shows with that of a run.

Ansible prints a message of several lines as one string, so only the words are compared. IDs, times and ports differ from run to run.
"""

from __future__ import annotations

import re

_VARYING = [
    (re.compile(r"\b(imc|eci)-[0-9a-z]{16}\b"), r"\1-*"),
    (re.compile(r"\b[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"\b127\.0\.0\.1:\d{4,5}\b"), "127.0.0.1:*"),
    (re.compile(r" \*{3,}$", re.MULTILINE), ""),
]


def missing(shown: list[str], printed: str, warned: str = "") -> list[str]:
    """The lines that are neither in the output, in this order, nor among the warnings."""
    printed, warned = _words(printed), _words(warned)
    position = 0
    lost = []
    for line in map(_words, shown):
        found = -1 if line == "..." else printed.find(line, position)
        if found >= 0:
            position = found + len(line)
        elif line not in ("", "...") and line not in warned:
            lost.append(line)
    return lost


def _words(text: str) -> str:
    """The text without what varies, and without the form that Ansible gives it."""
    text = text.replace("\\n", "\n").replace('\\"', '"')
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())
