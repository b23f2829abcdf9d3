# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets: where they stand among the arguments, and how they are kept out of what is shown. Private to the collection."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Mapping

from .specs import Spec

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# A secret of this length does not occur by chance.
LONG = 6

_PASSWORD_IN_ADDRESS = re.compile("//[^/@]*@")


def masked(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without secrets, under the options' own names, for ``invocation`` in the result.

    Secrets are hidden by their place, not by their value: a password "eci" must not blank every "eci" in a result.
    What stands where it does not belong is hidden or left out as well, since it may be a misplaced secret.
    """
    shown: dict[str, Any] = {}
    for option, rules in spec.items():
        value = given.get(option)
        for alias in rules.get("aliases", ()):
            value = given.get(alias) if value is None else value
        if value is not None:
            shown[option] = _masked(rules, value)
    return shown


def _masked(rules: Mapping[str, Any], value: Any) -> Any:
    if rules.get("no_log"):
        return HIDDEN
    if isinstance(value, list) and rules["type"] == "list":
        return [_masked(dict(rules, type=rules.get("elements", "str")), item) for item in value]
    if "options" in rules:
        return masked(rules["options"], value) if isinstance(value, dict) else HIDDEN
    if isinstance(value, str):
        return _PASSWORD_IN_ADDRESS.sub("//********@", value)
    return HIDDEN if isinstance(value, (dict, list)) else value


def secrets(spec: Spec, arguments: Mapping[str, Any]) -> list[str]:
    """The secrets among checked arguments, also as JSON and Python would quote them; the longest first."""
    found: set[str] = set()
    for option, rules in spec.items():
        value = arguments.get(option)
        if value and rules.get("no_log"):
            quoted = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
            found.update((value, *(text[1:-1] for text in quoted)))
        elif value and "options" in rules:
            for item in value if isinstance(value, list) else [value]:
                found.update(secrets(rules["options"], item))
    return sorted(found, key=len, reverse=True)


def hider(hidden: list[str]) -> Callable[[str], str]:
    """What takes these secrets, the longest first, out of a text that somebody else wrote.

    A short one is taken out where it stands by itself: a password "1" is part of most IDs and codes by chance.
    """
    if not hidden:
        return str
    pattern = re.compile("|".join(map(_pattern, hidden)))
    return lambda text: pattern.sub("********", text)


def _pattern(secret: str) -> str:
    text = re.escape(secret)
    return text if len(secret) >= LONG else f"(?<![A-Za-z0-9_-]){text}(?![A-Za-z0-9_-])"
