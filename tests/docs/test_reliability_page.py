# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The page on reliability names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.reliability.environments.__main__ import ENVIRONMENTS
from tests.tools.mutate import LEAST

from .conftest import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
FOLDERS = [ROOT / "tests" / "unit" / "plugins" / "module_utils", ROOT / "tests" / "reliability"]
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(?:(Test\w+)::)?(test_\w+)`", PAGE)))


def test_it_names_tests() -> None:
    assert len(NAMED) > 25


@pytest.mark.parametrize(("file", "group", "test"), NAMED)
def test_they_exist(file: str, group: str, test: str) -> None:
    texts = [path.read_text(encoding="utf-8") for folder in FOLDERS for path in folder.rglob(file)]
    found = [text for text in texts if re.search(rf"^ *def {test}\(", text, re.MULTILINE)]
    assert found
    assert not group or any(f"class {group}:" in text for text in found)


def test_the_figures_of_a_soak_are_there() -> None:
    figures = PAGE.split("<!-- soak: begin -->")[1].split("<!-- soak: end -->")[0]
    schedules = re.search(r"\| schedules \| (\d+)", figures)
    assert schedules
    assert int(schedules[1]) >= 10_000
    assert re.search(r"\| violations \| 0 ", figures)


def test_the_changes_of_the_code_are_there_and_most_are_noticed() -> None:
    figures = PAGE.split("<!-- mutants: begin -->")[1].split("<!-- mutants: end -->")[0]
    changes, noticed = (re.search(rf"\| {row} \| (\d+) \|", figures) for row in ("changes", "noticed by a test"))
    assert changes
    assert noticed
    assert int(noticed[1]) * 100 >= int(changes[1]) * LEAST


def test_the_rough_environments_are_there_and_no_promise_was_broken() -> None:
    begin, end = "<!-- environments: begin -->", "<!-- environments: end -->"
    rows = [line for line in PAGE.split(begin)[1].split(end)[0].splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 2 * len(ENVIRONMENTS)
    for environment in ENVIRONMENTS:
        assert sum(row.startswith(f"| {environment.name} |") for row in rows) == 2
    assert {row.rpartition(" | ")[2] for row in rows} <= {"yes |", "- |"}
