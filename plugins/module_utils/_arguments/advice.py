# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to write instead, where a task breaks a rule. Private to the collection."""

from __future__ import annotations

import difflib
import re
from typing import Any, Iterable, Iterator, Mapping, cast

from .._text import option_name, wire_name
from .schema import Path, Violation
from .specs import Spec

# The name of a field in the example of a mapping.
_NAME = re.compile(r"\{(\w+):")
_WORDS = {"string": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_WORDS.update({"array": "a list", "object": "a mapping"})


def violations_of(error: Any) -> Iterator[Violation]:
    """Yield the violations that an error of jsonschema means."""
    path: Path = tuple(error.absolute_path)
    schema = cast("dict[str, Any]", error.schema)
    if error.validator == "required":
        for name in schema["required"]:
            if name not in error.instance:
                yield Violation((*path, name), "is required" + example(schema["properties"][name]))
    else:
        yield Violation(path, _advise(str(error.validator), schema, error.instance))


def _advise(rule: str, schema: Mapping[str, Any], value: Any) -> str:
    if "advice" in schema:
        return str(schema["advice"])
    if rule == "enum":
        return f"must be one of {', '.join(schema['enum'])}"
    if "exclusiveMinimum" in schema and rule != "type":
        return f"must be more than {schema['exclusiveMinimum']} and at most {schema['maximum']}"
    if rule in ("minimum", "maximum"):
        advice = f"must be between {schema['minimum']} and {schema['maximum']}"
    elif rule == "type" and schema["type"] == "string" and isinstance(value, (bool, float)):
        return "must be a string; put it in quotes, or use | string in a template"
    elif rule == "type":
        advice = f"must be {_WORDS[schema['type']]}"
    elif rule == "minItems":
        advice = "must list at least one"
    elif rule == "minLength":
        advice = "must not be empty"
    else:
        advice = "must be the plain address, without http:// or https:// in front"
    return advice + example(schema)


def example(schema: Mapping[str, Any]) -> str:
    """Return the example of a field for a message."""
    if "examples" not in schema:
        return ""
    shown = schema["examples"][0]
    if isinstance(shown, dict):
        shown = {option_name(name): value for name, value in shown.items()}
    return f", for example {shown}".replace("'", "")


def as_written(path: Path, spec: Spec, given: Any) -> Path:
    """Return the path of an option in the words of the task.

    An option that is not given gets the spelling of its neighbours, or of those further out: the API's if they have it.
    """
    written: Path = ()
    camel_case = False
    for part in path:
        if isinstance(part, int) and isinstance(given, dict) and part < len(given):  # a mapping of tags
            return (*written, str(list(given)[part]))
        if isinstance(part, int):
            given = given[part] if isinstance(given, list) and part < len(given) else None
        else:
            keys = [str(key) for key in given] if isinstance(given, dict) else []
            camel_case = any(key != key.lower() for key in keys) or (camel_case and not any("_" in key for key in keys))
            rules = spec.get(part, {})
            names = [part, *rules.get("aliases", ())]
            field = wire_name(part)
            spelled = next((name for name in names if name in keys), field if camel_case and field in names else part)
            given = given.get(spelled) if keys else None
            spec = rules.get("options") or {}
            part = spelled
        written += (part,)
    return written


def in_the_words(advice: str, written: Path) -> str:
    """Return the advice with the names of an example as the task writes its names."""
    if str(written[-1]) == str(written[-1]).lower():
        return advice
    return _NAME.sub(lambda match: f"{{{wire_name(match[1])}:", advice)


def path_text(path: Path) -> str:
    """``("images", 0)`` -> ``images[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def closest(key: str, names: Iterable[str]) -> str:
    """Return a hint at the option that was meant, an empty text if none is close."""
    close = difflib.get_close_matches(key, names)
    return f"; did you mean {close[0]}?" if close else ""
