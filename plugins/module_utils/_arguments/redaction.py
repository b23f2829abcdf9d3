# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redaction of secrets. Private to the collection."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping

from .._text import Redact
from .specs import FREE_FORM, Spec

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
REDACTED = "********"
# A secret of this length does not occur by chance.
_LONG = 6

# A password may hold a slash or a sign of at, so everything up to the last one is hidden.
_PASSWORD_IN_ADDRESS = re.compile("//.*@", re.DOTALL)


def redacted_arguments(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments without secrets, under the options' own names, for ``invocation`` in the result.

    Secrets are hidden by their place, not by their value: a password "eci" must not blank every "eci" in a result.
    A value of the wrong type is hidden and an unknown option left out, since they may be misplaced secrets.
    """
    shown: dict[str, Any] = {}
    for option, rules in spec.items():
        names = (option, *rules.get("aliases", ()))
        value = next((given[name] for name in names if given.get(name) is not None), None)
        if option == "endpoint" and "@" in str(value) and not str(value).startswith(("http://", "https://")):
            value = f"//{value}"  # the scheme was forgotten, or misspelt
        if value is not None:
            if option in FREE_FORM:
                from .free_form import redacted  # most tasks do without

                shown[option] = redacted(value, HIDDEN)
            else:
                shown[option] = _redacted(rules, value)
    return shown


def _redacted(rules: Mapping[str, Any], value: Any) -> Any:
    if rules.get("no_log"):
        return HIDDEN
    if isinstance(value, list) and rules["type"] == "list":
        return [_redacted({**rules, "type": rules["elements"]}, item) for item in value]
    if "options" in rules:
        return redacted_arguments(rules["options"], value) if isinstance(value, dict) else HIDDEN
    if isinstance(value, str):
        return without_password(value)
    return HIDDEN if isinstance(value, (dict, list)) else value


def without_password(text: str) -> str:
    """Hide the user and the password in an address."""
    return _PASSWORD_IN_ADDRESS.sub(f"//{REDACTED}@", text)


def secrets(spec: Spec, arguments: Mapping[str, Any]) -> list[str]:
    """Return the secrets among validated arguments, also as JSON and Python quote them; the longest first."""
    found: set[str] = set()
    for option, rules in spec.items():
        value = arguments.get(option)
        if value and rules.get("no_log"):
            quoted = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
            found.update((value, *(text[1:-1] for text in quoted)))
        elif value and option in FREE_FORM:
            from .free_form import secret_texts  # most tasks do without

            for text in secret_texts(value):
                found.update(secrets({"secret": {"no_log": True}}, {"secret": text}))
        elif value and "options" in rules:
            for item in value if isinstance(value, list) else [value]:
                found.update(secrets(rules["options"], item))
    return sorted(found, key=len, reverse=True)


def redactor(hidden: list[str]) -> Redact:
    """Make a function that redacts these secrets, the longest first.

    A short one is redacted where it stands by itself: a password "1" is part of most IDs and codes by chance.
    """

    def redact(text: str) -> str:
        if any(secret in text for secret in hidden):  # the pattern takes longer to compile than most texts are worth
            text = re.sub("|".join(map(_pattern, hidden)), REDACTED, text)
        return text

    return redact


def _pattern(secret: str) -> str:
    text = re.escape(secret)
    return text if len(secret) >= _LONG else f"(?<![A-Za-z0-9_-]){text}(?![A-Za-z0-9_-])"
