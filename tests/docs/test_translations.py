# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every page has a Chinese version, and it does not lag behind."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.tools import translations

from .conftest import ROOT

CHINESE = [translations.chinese_of(english) for english in translations.english_pages()]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
HAN = r"[\u4e00-\u9fff]"
# A comma, a colon and the like of an English sentence between two Chinese characters, or after one at the end of a line.
HALF_WIDTH = re.compile(rf"{HAN}[,;:?!.]({HAN}|$)|{HAN}\(", re.MULTILINE)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("english", translations.english_pages(), ids=name)
def test_the_chinese_page_says_what_the_english_one_says(english: Path) -> None:
    assert translations.lag(english, translations.noted()) == ""


def test_only_pages_that_exist_are_noted() -> None:
    assert set(translations.noted()) <= {name(page) for page in CHINESE}
    assert [page for page in translations.ENGLISH_ONLY if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("page", [page for page in CHINESE if page.is_file()], ids=name)
def test_the_punctuation_is_chinese(page: Path) -> None:
    """Outside of code, which has its own."""
    text = CODE.sub("", FENCED.sub("", COMMENT.sub("", page.read_text(encoding="utf-8"))))
    assert [match[0] for match in HALF_WIDTH.finditer(text)] == []


class TestLag:
    @pytest.fixture
    def page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An English page and its Chinese one, which has just been noted."""
        monkeypatch.setattr(translations, "ROOT", tmp_path)
        monkeypatch.setattr(translations, "NOTED", tmp_path / "noted.json")
        (tmp_path / "docs" / "guides").mkdir(parents=True)
        (tmp_path / "docs" / "zh-CN").mkdir()
        page = tmp_path / "docs" / "guides" / "page.md"
        page.write_text(
            "# Page\n\nOne\nsentence.\n\n## Part\n\n```yaml\n# no heading\n```\n\n<!-- soak: begin -->\n17\n"
            "<!-- soak: end -->\n<!-- figures: begin; a command writes them -->\n0.5\n<!-- figures: end -->\n",
            encoding="utf-8",
        )
        translations.chinese_of(page).write_text("# 页面\n", encoding="utf-8")
        (tmp_path / "README.md").write_text("# Readme\n", encoding="utf-8")
        (tmp_path / "README.zh-CN.md").write_text("# 说明\n", encoding="utf-8")
        assert self.run(monkeypatch, "--note", "docs/zh-CN/page.md", "README.zh-CN.md") == 0
        return page

    @staticmethod
    def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["translations", *arguments])
        return translations.main()

    def change(self, page: Path, old: str, new: str) -> str:
        text = page.read_text(encoding="utf-8")
        assert old in text
        page.write_text(text.replace(old, new), encoding="utf-8")
        return translations.lag(page, translations.noted())

    def test_none(self, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.run(monkeypatch) == 0

    def test_other_ends_of_lines_and_other_figures_are_none(self, page: Path) -> None:
        assert self.change(page, "One\nsentence.", "One sentence.") == ""
        assert self.change(page, "17", "18") == ""
        assert self.change(page, "0.5", "0.6") == ""

    def test_a_changed_sentence_is_told_with_its_section(self, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        told = self.change(page, "One\nsentence.", "Another sentence.")
        assert told.startswith("docs/zh-CN/page.md lags behind docs/guides/page.md in: Page. ")
        assert self.run(monkeypatch) == 1
        assert self.run(monkeypatch, "--note", "docs/zh-CN/page.md") == 0
        assert translations.lag(page, translations.noted()) == ""

    def test_so_is_code(self, page: Path) -> None:
        assert " in: Part. " in self.change(page, "# no heading", "# still none")

    def test_and_a_section_that_is_gone(self, page: Path) -> None:
        assert " in: Chapter; Part (gone). " in self.change(page, "## Part", "## Chapter")

    def test_a_page_without_a_chinese_one(self, page: Path) -> None:
        translations.chinese_of(page).unlink()
        assert "write docs/zh-CN/page.md" in translations.lag(page, translations.noted())

    def test_a_page_that_was_never_noted(self, page: Path) -> None:
        assert "lags behind" in translations.lag(page, {})

    def test_figures_of_a_page_that_is_all_figures(self, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(translations, "MEASURED", ("docs/guides/page.md",))
        page.write_text("| one task | at most 0.7 x | 0.68 x | kept |\n", encoding="utf-8")
        before = translations.sections(page)
        page.write_text("| one task | at most 0.7 x | 12 x | **missed** |\n", encoding="utf-8")
        assert translations.sections(page) == before
        page.write_text("| two tasks | at most 0.7 x | 12 x | **missed** |\n", encoding="utf-8")
        assert translations.sections(page) != before
