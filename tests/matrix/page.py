# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of docs/compatibility.md and of its Chinese version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import pythons
from .cells import AS_MODULES, IN_PROCESS, PLAYBOOKS, SANITY, UNITS, Done
from .environments import ROOT, Environment, releases

BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
WORDS = {
    "docs/compatibility.md": {
        "head": (
            *("ansible-core", "Python of the controller, in process", "Python of the modules"),
            *("sanity tests", "unit tests", "playbook tests"),
        ),
        "failed": "failed",
        "ok": "passed",
        "libraries": "Libraries: requests {requests}, jsonschema {jsonschema}.",
        "and": " and ",
        "missing": "Not tested, since this machine does not have it: Python {}.",
    },
    "docs/compatibility.zh-CN.md": {
        "head": ("ansible-core", "进程内的 Python", "模块的 Python", "sanity 测试", "单元测试", "playbook 测试"),
        "failed": "失败",
        "ok": "通过",
        "libraries": "依赖库：requests {requests}，jsonschema {jsonschema}。",
        "and": " 和 ",
        "missing": "未测试（机器上没有）：Python {}。",
    },
}


def write(done: Sequence[Done], missing: Sequence[str]) -> None:
    """Write the results between the marks of both pages."""
    for name, words in WORDS.items():
        path = Path(ROOT / name)
        before, _begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        _table, _end, after = rest.partition(END)
        path.write_text(f"{before}{BEGIN}\n{text(done, missing, words)}\n{END}{after}", encoding="utf-8")


def text(done: Sequence[Done], missing: Sequence[str], words: dict[str, object]) -> str:
    """Render the table, the libraries and the missing Pythons."""
    head = words["head"]
    assert isinstance(head, tuple)
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    by_core: dict[str, list[Done]] = {}
    for one in done:
        by_core.setdefault(one.cell.controller.core, []).append(one)
    for core in sorted(by_core, key=_order):
        rows.append(_row(core, by_core[core], words))
    environments = [one.cell.target or one.cell.controller for one in done]
    used = {name: _used(environments, name, str(words["and"])) for name in ("requests", "jsonschema")}
    lines = ["`make matrix`", "", *rows, "", str(words["libraries"]).format(**used)]
    if missing:
        lines += ["", str(words["missing"]).format(", ".join(missing))]
    return "\n".join(lines)


def _row(core: str, done: Sequence[Done], words: dict[str, object]) -> str:
    def result(one: Done, python: str) -> str:
        return python if one.good else f"{python} **{words['failed']}**"

    def pythons_of(kind: str) -> str:
        found = {(one.cell.target or one.cell.controller).python: one for one in done if one.cell.kind == kind}
        return ", ".join(result(found[python], python) for python in sorted(found, key=pythons.number)) or "-"

    def judged(kind: str) -> str:
        results = [
            f"{words['ok' if one.good else 'failed']} ({one.cell.controller.python})"
            for one in done
            if one.cell.kind == kind
        ]
        return ", ".join(results) or "-"

    release = releases(done[0].cell.controller)["ansible-core"]
    tests = " | ".join(map(judged, (SANITY, UNITS, PLAYBOOKS)))
    return f"| {release} | {pythons_of(IN_PROCESS)} | {pythons_of(AS_MODULES)} | {tests} |"


def _used(environments: Sequence[Environment], name: str, word: str) -> str:
    """The oldest and the newest release of a library in these environments."""
    found = sorted({releases(one)[name] for one in environments}, key=pythons.number)
    return word.join(dict.fromkeys((found[0], found[-1])))


def _order(core: str) -> tuple[int, ...]:
    return pythons.number(core) if core[0].isdigit() else (99,)
