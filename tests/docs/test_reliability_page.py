# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The page on reliability names tests that exist."""

from __future__ import annotations

import re

import pytest

from .conftest import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
FOLDERS = [ROOT / "tests" / "unit" / "plugins" / "module_utils", ROOT / "tests" / "reliability"]
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(?:(Test\w+)::)?(test_\w+)`", PAGE)))


def test_it_names_tests() -> None:
    assert len(NAMED) > 25


@pytest.mark.parametrize(("file", "group", "test"), NAMED)
def test_they_exist(file: str, group: str, test: str) -> None:
    found = [path for folder in FOLDERS for path in folder.rglob(file)]
    assert found
    text = found[0].read_text(encoding="utf-8")
    assert re.search(rf"^ *def {test}\(", text, re.MULTILINE)
    assert not group or f"class {group}:" in text


def test_the_figures_of_a_soak_are_there() -> None:
    figures = PAGE.split("<!-- soak: begin -->")[1].split("<!-- soak: end -->")[0]
    schedules = re.search(r"\| schedules \| (\d+)", figures)
    assert schedules
    assert int(schedules[1]) >= 10_000
    assert re.search(r"\| violations \| 0 ", figures)
