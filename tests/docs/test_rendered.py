# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that are rendered are what they are made of: the schema, the figures, the drawings."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from tests.benchmark import report
from tests.benchmark.cases import all_cases
from tests.benchmark.measure import Cost
from tests.tools import draw, figures, render_docs

from .conftest import ROOT

BODY = ["docs/createImageCache.md", "docs/zh-CN/createImageCache.md"]
NAMES = [
    "docs/createImageCache.schema.json",
    *BODY,
    "README.md",
    "docs/pictures/overview.svg",
    "docs/pictures/speed.svg",
    "README.zh-CN.md",
    "docs/pictures/overview.zh-CN.svg",
    "docs/pictures/speed.zh-CN.svg",
]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rendered files, which the tool works on."""
    files = render_docs.rendered()
    monkeypatch.setattr(render_docs, "rendered", lambda: files)
    monkeypatch.setattr(render_docs, "ROOT", tmp_path)
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    (tmp_path / "docs" / "zh-CN").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["render_docs.py", *arguments])
    return render_docs.main()


def test_the_files_are_up_to_date() -> None:
    files = render_docs.rendered()
    assert list(files) == NAMES
    assert [name for name in files if (ROOT / name).read_text(encoding="utf-8") != files[name]] == [], "make docs"


def test_the_schema_is_one() -> None:
    schema = json.loads(render_docs.rendered()[NAMES[0]])
    Draft202012Validator.check_schema(schema)
    # the page's own request
    body = json.loads((ROOT / "tests/integration/targets/image_cache/files/createImageCache.json").read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(body)) == []


@pytest.mark.parametrize("name", BODY)
def test_every_field_has_a_row(name: str) -> None:
    page = render_docs.rendered()[name]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == 11 + 2 + 1 + 3 + 1
    assert {row.count("|") for row in rows} == {8}


def test_rows_say_what_the_schema_says() -> None:
    page, chinese = (render_docs.rendered()[name] for name in BODY)
    assert "| `retentionDays` | `retention_days` | integer | | from 0 to 3650 |" in page
    assert "| `imageCacheName` | `image_cache_name`, `name` | string | yes | not empty |" in page
    assert "| `retentionDays` | `retention_days` | integer | | 0 到 3650 |" in chinese
    assert "| `imageCacheName` | `image_cache_name`、`name` | string | 是 | 不能为空 | 镜像缓存的名称。 |" in chinese


def test_nothing_to_do(elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    assert run(monkeypatch, "--check") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_differs(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (elsewhere / name).write_text("old", encoding="utf-8")
    assert run(monkeypatch, "--check") == 1
    assert name in capsys.readouterr().out
    assert (elsewhere / name).read_text(encoding="utf-8") == "old"
    assert run(monkeypatch) == 0
    assert name in capsys.readouterr().out
    assert run(monkeypatch, "--check") == 0


def test_a_file_that_is_missing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / NAMES[0]).unlink()
    assert run(monkeypatch, "--check") == 1


def test_the_figures_are_those_of_the_measurement() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for readme in ("README.md", "README.zh-CN.md"):
        block = (ROOT / readme).read_text(encoding="utf-8").partition(figures.BEGIN)[2].partition(figures.END)[0]
        for case in (*figures.ONE, *figures.LOOP, figures.BULK, figures.AGAIN):
            (seconds,) = re.findall(rf"^\| {case} \| ([\d.]+) \(", page, re.MULTILINE)
            assert f"| {seconds} |" in block


def test_other_figures_give_another_table_and_picture() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    slower = re.sub(r"^(\| loop of 100 uri \|) [\d.]+ ", r"\1 99.25 ", page, flags=re.MULTILINE)
    assert "| 99.25 |" in figures.table(slower, "en")
    assert "99.2 s" in draw.bars("zh", figures.bars(slower, "zh"))


def test_what_the_benchmark_writes_is_understood() -> None:
    measured = report.Figures(rounds=3)
    for number, case in enumerate(all_cases()):
        measured.add(case, Cost(number + 0.25, 50), requests=1, emulator=0.0)
    page = f"Machine: {report.machine()} Rounds: 3.\n\n{report.table(measured)}\n"
    seconds = figures.cases(page)
    assert list(seconds.values()) == [f"{number}.25" for number in range(len(all_cases()))]
    assert f"| one image cache | {seconds['one uri']} | {seconds['one image_cache']} |" in figures.table(page, "en")
    assert report.machine().removesuffix(".") in figures.table(page, "zh")


def test_a_case_that_is_gone_is_named() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no case one uri"):
        figures.table(page.replace("| one uri |", "| one curl |"), "en")
    with pytest.raises(ValueError, match="no place for the figures"):
        figures.placed("a page without a place", "figures")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".svg")])
def test_a_picture_stands_alone(name: str) -> None:
    picture = ElementTree.fromstring(render_docs.rendered()[name])
    width, height = (float(picture.attrib[side]) for side in ("width", "height"))
    text = render_docs.rendered()[name]
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"url\(|@import|@font-face|href|<script", text) == []
    for element in picture.iter():
        assert 0 <= float(element.attrib.get("x", 0)) <= width
        assert 0 <= float(element.attrib.get("y", 0)) <= height
    styles = set(re.findall(r"^\.(\w+) ", text, re.MULTILINE))
    assert {element.attrib["class"] for element in picture.iter() if element.attrib.get("class")} <= styles
