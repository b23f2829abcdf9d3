# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the docsite is made of. "make docsite" builds it, and fails if a page or a link is lost."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.ctyun.eci.plugins.plugin_utils import _action
from tests.tools.docsite import build

from .conftest import ROOT, Ansible
from .test_documentation import MODULES, task_of

DOCSITE = ROOT / "docs" / "docsite"
INDEXES = {path: path.read_text(encoding="utf-8") for path in (DOCSITE / "rst").glob("*.rst")}
LISTED = [name for text in INDEXES.values() for block in build.PAGES.findall(text) for name in block.split()]
VARIABLES = (DOCSITE / "rst" / "environment_variables.rst").read_text(encoding="utf-8")


def config(name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((DOCSITE / name).read_text(encoding="utf-8"))
    return found


def test_every_page_is_in_an_index() -> None:
    pages = [path for path in build.with_what_they_link(build.pages()) if path.suffix == ".md"]
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in pages]
    # a star stands for one name, not for folders
    lost = [
        name
        for name in names
        if not any(fnmatchcase(name, entry) and name.count("/") == entry.count("/") for entry in LISTED)
    ]
    assert lost == [], "add them to a list of pages in docs/docsite/rst/guides.rst or guides_zh.rst"
    assert len(names) > 20


def test_no_index_lists_a_page_that_is_not_there() -> None:
    assert [entry for entry in LISTED if not list(ROOT.glob(f"{entry}.md"))] == []


def test_every_index_is_on_the_front_page() -> None:
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(page for section in sections for page in section["toctree"]) == sorted(path.stem for path in INDEXES)


def test_environment_variables_have_their_page(ansible: Ansible) -> None:
    run = ansible("doc", "--type", "module", "--json", *(f"ctyun.eci.{name}" for name in MODULES))
    mentioned = set(re.findall(r"\bE\((\w+)\)", run.stdout))
    read = {
        variable
        for module in MODULES
        for rules in task_of(module).spec().values()
        for variable in rules.get("fallback", (None, []))[1]
    }
    described = re.findall(r"^\.\. envvar:: (\w+)$", VARIABLES, re.MULTILINE)
    assert read <= mentioned
    assert sorted(described) == sorted(mentioned)
    # what links from the modules lead to
    assert config("config.yml")["envvar_directives"] == described


def test_where_an_option_has_two_the_order_is_that_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    described = re.findall(r"^\.\. envvar:: (\w+)$", VARIABLES, re.MULTILINE)
    for rules in task_of("image_cache").spec().values():
        names = rules.get("fallback", (None, []))[1]
        assert [described.index(name) for name in names] == sorted(described.index(name) for name in names)
    monkeypatch.setenv("CTYUN_AK", "")
    monkeypatch.setenv("CTAPI_AK", "key")
    assert env_fallback("CTYUN_AK", "CTAPI_AK") == ""  # an empty one counts as given


def test_variables_have_their_page_and_every_module_names_them(ansible: Ansible) -> None:
    known = {_action.SWITCH, _action.PROGRESS}
    assert set(re.findall(r"``(ctyun_eci_\w+)``", VARIABLES)) == known
    run = ansible("doc", "--type", "module", "--json", *(f"ctyun.eci.{name}" for name in MODULES))
    for fqcn, found in json.loads(run.stdout).items():
        notes = " ".join(found["doc"]["notes"])
        expected = known if "wait" in found["doc"]["options"] else {_action.SWITCH}
        assert set(re.findall(r"ctyun_eci_\w+", notes)) == expected, fqcn


def test_the_changelog_is_on_the_site_from_the_first_release_on() -> None:
    releases = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    wanted = {"write_changelog": True} if releases else None
    assert config("config.yml").get("changelog") == wanted, "docs/docsite/config.yml says how"


def test_tables_of_contents_go_and_titles_are_the_name() -> None:
    """The theme has a table of contents beside each page, and shows an error where a page has another one."""
    index = "Ctyun.Eci\n=========\n\n.. contents::\n   :local:\n   :depth: 1\n\nText\n"
    notes = "=====\nCtyun.Eci Release Notes\n=====\n\n.. contents:: Topics\n\nv1.0.0\n======\n"
    assert build.tidy(index) == "ctyun.eci\n=========\n\n\nText\n"
    assert build.tidy(notes) == "=====\nctyun.eci Release Notes\n=====\n\n\nv1.0.0\n======\n"


def test_a_pattern_stands_for_what_is_listed_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.md").touch()
    index = "First\n\n.. pages:\n   c\n   *\n\nThen\n\n.. pages:\n   b\n"
    toctree = ".. toctree::\n   :maxdepth: 1\n\n"
    assert build.with_toctrees(index) == f"First\n\n{toctree}   /c\n   /a\n   /d\n\nThen\n\n{toctree}   /b\n"


class TestPages:
    @pytest.fixture
    def page(self, tmp_path: Path) -> Path:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file.yml").touch()
        return tmp_path / "page.md"

    def test_links_to_files_stay_and_those_to_folders_become_text(self, page: Path) -> None:
        page.write_text("[a](file.yml#part), [b](folder), [c](https://example.com/)\n", encoding="utf-8")
        assert build.as_page(page) == "[a](file.yml#part), b, [c](https://example.com/)\n"

    def test_chinese_lines_are_joined_outside_of_code(self, page: Path) -> None:
        page.write_text("一，\n二\n  三\nfour\n\n五\n```text\n六\n七\n```\n八\n- 九\n", encoding="utf-8")
        assert build.as_page(page) == "一，二三\nfour\n\n五\n```text\n六\n七\n```\n八\n- 九\n"

    def test_linked_files_come_along(self, page: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.md"
        page.write_text(
            "[a](file.yml), [b](other.md#part), [c](folder), [d](#part)\n```text\n[e](x.md)\n```\n", "utf-8"
        )
        other.write_text("[back](page.md)\n", encoding="utf-8")
        assert build.with_what_they_link([page]) == [page, tmp_path / "file.yml", other]
