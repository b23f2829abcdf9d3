# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of the proofs as tables, and where docs/reliability.md shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
# More would be too much to print if a change breaks everything.
MOST_VIOLATIONS = 10


@dataclass
class Figures:
    """Counts by their names, and the violations."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Add the figures of another process."""
        self.counts.update(other.counts)
        self.violations += other.violations

    def broken(self, what: object, why: object) -> None:
        """Record a violation."""
        self.counts["violations"] += 1
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(f"{what}\n{why}")

    def rows(self, *names: str) -> list[tuple[str, int]]:
        """Return each of these counts, followed by those whose names begin with it and a colon, the largest first."""
        rows: list[tuple[str, int]] = []
        for name in names:
            rows.append((name, self.counts[name]))
            rows += [one for one in self.counts.most_common() if one[0].startswith(f"{name}: ")]
        return rows


def table(heading: str, rows: Iterable[tuple[str, object]]) -> str:
    """Render a table of two columns."""
    return "\n".join([f"| {heading} | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)])


def write(mark: str, command: str, text: str) -> None:
    """Write figures into the page between the markers of this name, with the command that printed them."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    before, _mark, rest = page.partition(begin)
    _figures, _mark, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n`{command}`\n\n{text}\n{end}{after}", encoding="utf-8")
