# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages name what is there: modules, playbooks, files, versions, options."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.ctyun.eci.plugins.module_utils._api import connection
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_cache, region_info
from tests.tools import figures, translations

from .conftest import ROOT

README = ROOT / "README.md"
READMES = [README, ROOT / "README.zh-CN.md"]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")} - {ROOT / "CHANGELOG.md"})
TOUR = [*READMES, ROOT / "docs" / "wire.md", *ROOT.glob("docs/guides/*.md"), *ROOT.glob("docs/zh-CN/*.md")]

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| `ctyun\.eci\.(\w+)` \|", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(home|root|work|tmp|Users|mnt|opt|srv|usr|var|workspace)/")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", READMES, ids=name)
def test_tables_list_what_is_there(path: Path) -> None:
    modules = sorted(module.stem for module in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
    playbooks = sorted(playbook.stem for playbook in (ROOT / "playbooks").glob("*.yml"))
    assert sorted(ROW.findall(text(path))) == sorted(modules + playbooks)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    lost = []
    for link in LINK.findall(FENCED.sub("", text(path))):
        if link.startswith(("https://", "http://")):
            continue
        target, _mark, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or ROOT not in (found, *found.parents) or (anchor and anchor not in anchors(found)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_no_machine_is_named(path: Path) -> None:
    assert MACHINE_PATH.findall(text(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_licence_is_named(path: Path) -> None:
    assert "GNU General Public License v3.0+" in text(path)[:400]


@pytest.mark.parametrize("path", READMES, ids=name)
def test_versions(path: Path) -> None:
    galaxy = yaml.safe_load(text(ROOT / "galaxy.yml"))
    runtime = yaml.safe_load(text(ROOT / "meta" / "runtime.yml"))
    page = re.sub(f"{re.escape(figures.BEGIN)}.*?{re.escape(figures.END)}", "", text(path), flags=re.DOTALL)
    assert set(re.findall(r"ctyun-eci-([\d.]+)\.tar\.gz", page)) == {galaxy["version"]}
    core = runtime["requires_ansible"].removeprefix(">=").removesuffix(".0")
    assert set(re.findall(r"ansible-core (\d[\d.]*\d)", page)) == {core}
    requirements = re.findall(r"^([a-z]+)(?:>=([\d.]+))?$", text(ROOT / "meta" / "ee-requirements.txt"), re.MULTILINE)
    for library, version in requirements:
        assert f"`{library}`" in page
        assert set(re.findall(rf"{library}>=([\d.]+)", page)) == ({version} if version else set())
    made_with = re.search(r"sys\.version_info < \((\d+), (\d+)\)", text(ROOT / "Makefile"))
    runs_on = re.search(r'"plugins/\*\*" = "py(\d)(\d+)"', text(ROOT / "pyproject.toml"))
    assert made_with and runs_on
    assert re.findall(r"Python (\d\.\d+)", page) == [".".join(made_with.groups()), ".".join(runs_on.groups())]


@pytest.mark.parametrize("path", READMES, ids=name)
def test_commands_of_make_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)\b[^`\n]*`", text(path))) | {"demo", "play", "test", "build"} <= targets


@pytest.mark.parametrize("path", READMES, ids=name)
def test_the_duration_of_make_test_is_what_it_says_itself(path: Path) -> None:
    said = re.search(
        r"make test takes about (\d+) minutes on two cores .*, and (\d+) after that", text(ROOT / "Makefile")
    )
    assert said
    contributing = re.split(r"^## (?:Contributing|参与开发)$", text(path), flags=re.MULTILINE)[1].partition("\n## ")[0]
    minutes = re.findall(
        r"about (\d+) minutes .*?and (\d+) after|大约 (\d+) 分钟.*?大约 (\d+) 分钟", contributing, re.DOTALL
    )
    assert [number for number in minutes[0] if number] == list(said.groups())


@pytest.mark.parametrize("path", TOUR, ids=name)
def test_environment_variables_exist(path: Path) -> None:
    spec = image_cache.TASK.spec()
    known = {variable for rules in spec.values() for variable in rules.get("fallback", (None, []))[1]}
    assert {variable for _option, variable in connection._CREDENTIALS} <= known
    assert set(re.findall(r"\b(?:CTYUN|CTAPI)_[A-Z_]+\b", text(path))) <= known


def test_the_authentication_guide_has_every_connection_option() -> None:
    page = text(ROOT / "docs" / "guides" / "authentication.md")
    assert [
        option for option in region_info.TASK.spec() if f"`{option}`" not in page and f"`{option}:" not in page
    ] == []


def test_chinese_pages_have_the_sections_of_the_english_ones() -> None:
    pairs = [(english, translations.chinese_of(english)) for english in translations.english_pages()]
    pairs = [(english, chinese) for english, chinese in pairs if chinese.is_file()]
    assert len(pairs) >= 3
    for english, chinese in pairs:
        levels = [re.findall(r"^#+(?= )", FENCED.sub("", text(path)), re.MULTILINE) for path in (english, chinese)]
        assert levels[0] == levels[1], chinese.name
        for page, other, language in ((english, chinese, "中文"), (chinese, english, "English")):
            assert f"[{language}]({os.path.relpath(other, page.parent)})" in text(page), page.name
