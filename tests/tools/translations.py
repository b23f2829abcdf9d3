# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell which Chinese pages lag behind the English ones.

    python -m tests.tools.translations                   say which, and where
    python -m tests.tools.translations --note PAGE ...   note that these Chinese pages say what the English ones say now

For each section of an English page, tests/docs/translations.json has a digest of what it said when its Chinese page was last made to
say the same. Figures that commands write do not count, nor does where a line ends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTED = ROOT / "tests" / "docs" / "translations.json"

# English pages that need no Chinese one, with the reason.
ENGLISH_ONLY: dict[str, str] = {}
# Pages that a command writes as a whole, with figures in all places.
MEASURED = ("docs/benchmarks.md",)

WRITTEN = re.compile(r"<!-- ([\w-]+): begin\b[^>]*-->.*?<!-- \1: end -->", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FIGURE = re.compile(r"\d+(\.\d+)*|\*\*missed\*\*|\bkept\b")
FENCE = "```"


def chinese_of(english: Path) -> Path:
    """Where the Chinese page of an English one is, or should be."""
    if english.parent == ROOT:
        return english.with_suffix(".zh-CN.md")
    return ROOT / "docs" / "zh-CN" / english.name


def english_pages() -> list[Path]:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md")]
    return sorted(page for page in pages if name(page) not in ENGLISH_ONLY)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def sections(page: Path) -> dict[str, str]:
    """A digest for each heading of a page, of all down to the next heading."""
    text = COMMENT.sub("", WRITTEN.sub("", page.read_text(encoding="utf-8")))
    if name(page) in MEASURED:
        text = FIGURE.sub("0", text)
    parts: dict[str, list[str]] = {}
    heading, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.startswith(FENCE)
        if line.startswith("#") and not fenced:
            heading = line.lstrip("# ")
            while heading in parts:
                heading += "+"
        parts.setdefault(heading, []).append(line)
    words = {heading: " ".join(" ".join(lines).split()) for heading, lines in parts.items()}
    return {heading: hashlib.sha256(text.encode()).hexdigest()[:8] for heading, text in words.items() if text}


def noted() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(NOTED.read_text(encoding="utf-8"))
    return found


def lag(english: Path, notes: dict[str, dict[str, str]]) -> str:
    """What to do about the Chinese page of an English one, or nothing."""
    chinese = chinese_of(english)
    if not chinese.is_file():
        return f"{name(english)} has no Chinese page: write {name(chinese)}, or say why not in ENGLISH_ONLY of tests/tools/translations.py"
    now, then = sections(english), notes.get(name(chinese), {})
    if now == then:
        return ""
    differing = [heading for heading in now if then.get(heading) != now[heading]]
    gone = [f"{heading} (gone)" for heading in then if heading not in now]
    return (
        f"{name(chinese)} lags behind {name(english)} in: {'; '.join(differing + gone)}. "
        f"Have it say the same, then: python -m tests.tools.translations --note {name(chinese)}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--note", metavar="PAGE", nargs="+", default=[], help="Chinese pages that are up to date")
    pages = {name(chinese_of(english)): english for english in english_pages()}
    chosen = parser.parse_args().note
    unknown = [page for page in chosen if page not in pages]
    if unknown:
        parser.error(f"these are no Chinese pages: {', '.join(unknown)}")
    notes = noted() if NOTED.is_file() else {}
    if chosen:
        notes.update({page: sections(pages[page]) for page in chosen})
        notes = {page: notes[page] for page in sorted(notes) if page in pages}
        NOTED.write_text(json.dumps(notes, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    lags = [text for text in (lag(english, notes) for english in pages.values()) if text]
    print("\n".join(lags) if lags else "Every Chinese page says what the English one says.")
    return 1 if lags and not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
