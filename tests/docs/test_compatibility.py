# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of the versions that the collection is for agrees, wherever it is said."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.matrix import environments, page, pythons

from .conftest import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """The rows of a page's table, without its head."""
    text = read(name).partition(page.BEGIN)[2].partition(page.END)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"][2:]


def test_the_oldest_core_is_the_first_of_the_matrix() -> None:
    oldest = environments.CORES[0]
    assert yaml.safe_load(read("meta/runtime.yml"))["requires_ansible"] == f">={oldest}.0"
    for name in ("README.md", "README.zh-CN.md", *page.WORDS):
        assert re.search(rf"ansible-core {re.escape(oldest)}\b", read(name)), name


@pytest.mark.parametrize("name", page.WORDS)
def test_the_table_has_every_core_and_all_that_was_run_is_good(name: str) -> None:
    rows = table(name)
    assert len(rows) == len(environments.CORES) + 1  # and the pre-release
    for row, core in zip(rows, environments.CORES, strict=False):
        assert row[0].startswith(f"{core}.")
        assert row[1:] == [cell for cell in row[1:] if cell]
    assert page.WORDS[name]["failed"] not in str(rows)
    assert pythons.LINES[0] in rows[0][2]


def test_the_bounds_of_the_libraries_are_the_same_everywhere() -> None:
    bounds = environments.bounds()
    assert set(bounds) == {"requests", "jsonschema"}
    for library, release in bounds.items():
        spaced, short = f"{library} >= {release}", f"{library}>={release}"
        for name in ("plugins/doc_fragments/connection.py", "plugins/modules/image_info.py"):
            assert f"  - {spaced}\n" in read(name)
        assert f'"{spaced}"' in read("plugins/module_utils/_module.py")
        for name in ("README.md", "README.zh-CN.md"):
            assert f"'{short}'" in read(name)
            assert re.search(rf"`{library}`[(（ ]+{re.escape(release)} ", read(name)), name
