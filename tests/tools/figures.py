# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the READMEs show of docs/benchmarks.md, which "make bench" writes: a table, and the bars of a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping

BEGIN = '<!-- figures: begin; "make docs" writes what follows from docs/benchmarks.md -->'
END = "<!-- figures: end -->"
CASE = re.compile(r"^\| (?P<name>[^|]+) \| (?P<seconds>\d+\.\d+) \(\d+\.\d+-\d+\.\d+\) \|", re.MULTILINE)
MACHINE = re.compile(r"^Machine: (.+?)\. Rounds: \d+\.$", re.MULTILINE)

# What is shown, by the names of the cases: with uri, with this collection.
ONE = ("one uri", "one image_cache")
LOOP = ("loop of 100 uri", "loop of 100 image_cache")
BULK = "create 100 at 0 ms by 10"
AGAIN = "again 100 at 0 ms by 10"
EMPTY = "empty"

WORDS = {
    "en": {
        "head": ("seconds for the whole playbook", "`ansible.builtin.uri` by hand", "`ctyun.eci`"),
        "one": "one image cache",
        "loop": "100, a loop over a task",
        "bulk": "100, one task `image_caches`",
        "again": "the same 100 again, nothing to do",
        "none": "no such task",
        "post": "posts them again",
        "note": "Medians, {machine}. A playbook with nothing in it takes {empty} s. The emulator runs on the same machine.",
        "bars": (
            "ansible.builtin.uri, in a loop",
            "ctyun.eci.image_cache, in a loop",
            "ctyun.eci.image_caches, one task",
        ),
    },
    "zh": {
        "head": ("整个 playbook 的耗时（秒）", "手写 `ansible.builtin.uri`", "`ctyun.eci`"),
        "one": "1 个镜像缓存",
        "loop": "100 个，循环执行一个任务",
        "bulk": "100 个，一个 `image_caches` 任务",
        "again": "同样的 100 个再执行一次，无需变更",
        "none": "没有这样的任务",
        "post": "会再次提交",
        "note": "中位数，{machine}。空的 playbook 需要 {empty} 秒。模拟器运行在同一台机器上。",
        "bars": (
            "ansible.builtin.uri，循环",
            "ctyun.eci.image_cache，循环",
            "ctyun.eci.image_caches，一个任务",
        ),
    },
}


def cases(page: str) -> dict[str, str]:
    """Median seconds by the name of the case, as the page has them."""
    return {match["name"]: match["seconds"] for match in CASE.finditer(page)}


def table(page: str, language: str) -> str:
    """The block of a README, without its marks."""
    seconds = _complete(cases(page))
    machine = MACHINE.search(page)
    if not machine:
        raise ValueError("docs/benchmarks.md does not name its machine")
    word: Mapping[str, str] = {key: value for key, value in WORDS[language].items() if isinstance(value, str)}
    rows = [
        tuple(WORDS[language]["head"]),
        ("---", "---", "---"),
        (word["one"], seconds[ONE[0]], seconds[ONE[1]]),
        (word["loop"], seconds[LOOP[0]], seconds[LOOP[1]]),
        (word["bulk"], word["none"], seconds[BULK]),
        (word["again"], word["post"], seconds[AGAIN]),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", word["note"].format(machine=machine[1], empty=seconds[EMPTY])])


def bars(page: str, language: str) -> list[tuple[str, float, bool]]:
    """The rows of the picture: what it is, its seconds, and whether it is ours."""
    seconds = _complete(cases(page))
    names = WORDS[language]["bars"]
    return [
        (name, float(seconds[case]), ours)
        for name, case, ours in zip(names, (*LOOP, BULK), (False, True, True), strict=True)
    ]


def placed(readme: str, block: str) -> str:
    """A README with this block in its place."""
    begin, end = readme.find(BEGIN), readme.find(END)
    if not 0 <= begin < end:
        raise ValueError(f"no place for the figures: {BEGIN} ... {END}")
    return f"{readme[: begin + len(BEGIN)]}\n\n{block}\n\n{readme[end:]}"


def _complete(found: dict[str, str]) -> dict[str, str]:
    missing = [name for name in (EMPTY, *ONE, *LOOP, BULK, AGAIN) if name not in found]
    if missing:
        raise ValueError(f"docs/benchmarks.md has no case {', '.join(missing)}")
    return found
