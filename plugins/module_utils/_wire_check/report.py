# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of the habits that were seen. Pure; private to the collection."""

from __future__ import annotations

from typing import Any, Mapping

from .habits import HABITS

# Counts up when a reader of reports has to know.
FORMAT = 1


def report(habits: Mapping[str, Any], created: bool) -> dict[str, Any]:
    """What goes into the file: the answers of ``HABITS`` and nothing else, whatever is given."""
    return {
        "wire_report": FORMAT,
        "created": bool(created),
        "habits": {name: habit.fit(habits.get(name)) for name, habit in HABITS.items()},
    }


def comparison(habits: Mapping[str, Any]) -> list[str]:
    """A line for each question: what is documented and what was seen."""
    return [
        f"{name}: {habit.question} Documented: {habit.documented}. {_seen(habit.fit(habits.get(name)))}."
        for name, habit in HABITS.items()
    ]


def _seen(value: Any) -> str:
    if value is None:
        return "Not seen"
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return f"Seen: {value}"
