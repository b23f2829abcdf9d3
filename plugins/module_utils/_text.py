# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The spellings of a field, and text of others made safe for a person to read. Private to the collection."""

from __future__ import annotations

import functools
from typing import Any, Callable

# Removes the secrets of a task from a text.
Redact = Callable[[str], str]


def printable(text: str, keep: str = "") -> str:
    """Escape the characters that are not printable, except those to ``keep``.

    For texts that a person reads: on a terminal line feeds and escape sequences hide or forge lines.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )


def sanitize(text: str, redact: Redact) -> str:
    """Redact secrets, collapse whitespace, escape what is not printable."""
    # again, since a secret may have a blank where the text has a line feed
    return printable(redact(" ".join(redact(text).split())))


def redact_all(value: Any, redact: Redact) -> Any:
    """Redact secrets in all texts of a value of JSON."""
    if isinstance(value, list):
        return [redact_all(item, redact) for item in value]
    if isinstance(value, dict):
        return {redact(key): redact_all(item, redact) for key, item in value.items()}
    return redact(value) if isinstance(value, str) else value


@functools.lru_cache(maxsize=None)
def wire_name(option: str) -> str:
    """Return the API's name of a field: ``v_switch_id`` -> ``vSwitchId``."""
    first, *rest = option.split("_")
    return first + "".join(part.title() for part in rest)


@functools.lru_cache(maxsize=None)
def option_name(field: str) -> str:
    """Return the option's name of a field: ``vSwitchId`` -> ``v_switch_id``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
