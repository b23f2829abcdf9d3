# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of what a task gave. Private to the collection.

Ansible's own check of arguments stops at the first mistake and may quote its value, so ``check`` looks first: it reports
every mistake, by the path that the user wrote, and never a value.
"""

from __future__ import annotations

import difflib
import math
import re
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping, NamedTuple

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
)

from .._names import option_name
from .body import request_body
from .schema import Path, Violation, validate
from .specs import OFF, Spec

# Longer than anybody waits, and no clock of a system overflows.
_LONGEST = 31 * 86400
# The smallest and the largest number of an option; True where the smallest itself is too small.
_BOUNDS = {
    "timeout": (0, True, _LONGEST),
    "retries": (0, False, 1000),
    "concurrency": (1, False, 1000),
    "retry_max_delay": (0, False, _LONGEST),
    "wait_timeout": (0, False, _LONGEST),
    "wait_interval": (0, True, _LONGEST),
    "renew_before": (0, False, 3650),
    "prune_keep": (0, False, 100_000),
    "size_factor": (1, False, 100),
    "prune_grace": (0, False, 3650 * 86400),
}
# Texts that somebody copies, with a line feed or a blank at an end that is no part of them.
_COPIED = ("access_key", "secret_key", "region_id", "user_name", "password")
# Lists of tags: each key may occur once.
_TAGS = ("tags", "prune_tags")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_WORDS = {
    "str": "a text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}
_CONVERT: dict[str, Callable[[Any], Any]] = {
    "int": check_type_int,
    "float": check_type_float,
    "bool": check_type_bool,
    "list": check_type_list,
    "dict": check_type_dict,
}


class Checked(NamedTuple):
    """What a task gave, under the options' own names and converted as Ansible would, and what is wrong with it.

    A null is among the values, so that it can be told from what is not given.
    """

    values: dict[str, Any]
    violations: list[Violation]

    def entries(self, option: str) -> list[Any]:
        """The entries of a list, none if it is not given or is no list."""
        value = self.values.get(option)
        return value if isinstance(value, list) else []


def check(spec: Spec, given: Mapping[str, Any]) -> Checked:
    """Check the raw arguments of a task against the types, names and choices of a spec."""
    violations: list[Violation] = []
    values = _check_options(spec, given, (), violations)
    for option, (smallest, excluded, largest) in _BOUNDS.items():
        number = values.get(option)
        if not isinstance(number, (int, float)):
            continue
        if number < smallest or (excluded and number == smallest):
            violations.append(Violation((option,), f"must be {'more than' if excluded else 'at least'} {smallest}"))
        elif number > largest:
            violations.append(Violation((option,), f"must be at most {largest}"))
    return Checked(values, violations)


def for_ansible(spec: Spec, given: Mapping[str, Any], told: Collection[str] = ()) -> dict[str, Any]:
    """The checked raw arguments as Ansible shall convert them: a null counts as not given, where there is a default.

    Of the options ``told`` it becomes an empty text, for a task that has to tell it from one that is not given.
    """
    names = _names(spec)
    arguments: dict[str, Any] = {}
    for key, value in given.items():
        option = names[key]
        if value is not None:
            arguments[key] = value
        elif option in told:
            arguments[key] = ""
        elif spec[option].get("default") is None:
            arguments[key] = None
    return arguments


def _names(spec: Spec) -> dict[str, str]:
    """Each name that an option may be given by -> its own."""
    return {name: option for option, rules in spec.items() for name in [option, *rules.get("aliases", ())]}


def _check_options(spec: Spec, given: Mapping[str, Any], path: Path, violations: list[Violation]) -> dict[str, Any]:
    names = _names(spec)
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in given.items():
        option = names.get(key)
        if option is None:
            violations.append(Violation(path + (str(key),), "is not an option here" + _closest(str(key), names)))
        elif option in written:
            violations.append(Violation(path + (key,), f"is given twice, also as {written[option]}"))
        else:
            written[option] = key
            values[option] = None
            if value is not None:
                values[option] = _check_value(option, spec[option], value, path + (key,), violations)
    return values


def _check_value(option: str, rules: Mapping[str, Any], value: Any, path: Path, violations: list[Violation]) -> Any:
    kind = rules["type"]
    if value is False and OFF in rules.get("choices", ()):
        value = OFF  # as Ansible has it
    converted = _convert(kind, value)
    advice = _advice(option, rules, value, converted)
    if advice:
        violations.append(Violation(path, advice))
    if converted is None:
        return value
    if kind == "list":
        element = {"type": rules.get("elements", "str"), "options": rules.get("options")}
        items = [
            _check_value(option, element, item, path + (index,), violations) for index, item in enumerate(converted)
        ]
        if option in _TAGS:
            violations += _repeated_keys(items, path)
        return items
    if kind == "dict" and rules.get("options"):
        return _check_options(rules["options"], converted, path, violations)
    return converted


def _advice(option: str, rules: Mapping[str, Any], value: Any, converted: Any) -> str | None:
    """What to write instead of a value, None if it is good."""
    kind = rules["type"]
    if "choices" in rules and converted not in rules["choices"]:
        return f"must be one of {', '.join(rules['choices'])}"
    if converted is None:
        if kind == "list" and isinstance(value, str):
            return "must be a list, and a text in JSON is none: write it as YAML, or use the filter from_json"
        quotes = "; put it in quotes" if kind in ("str", "path") and isinstance(value, (bool, float)) else ""
        return f"must be {_WORDS[kind]}{quotes}"
    if kind not in ("str", "path"):
        return None
    if option in _COPIED and converted != converted.strip():
        end = "begins" if converted == converted.rstrip() else "ends"
        return f"{end} with a line feed or a blank: give it without, for example with the filter trim"
    if _CONTROL.search(converted):
        return "must not contain a control character, such as a line feed, a tab or a NUL"
    return None


def _repeated_keys(tags: list[Any], path: Path) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for index, tag in enumerate(tags):
        key = tag.get("key") if isinstance(tag, dict) else None
        if isinstance(key, str) and key and first.setdefault(key, index) != index:
            yield Violation((*path, index, "key"), f"is the same as in {path_text((*path, first[key]))}")


def _convert(kind: str, value: Any) -> Any:
    """The value as Ansible would convert it, or None where that would guess: ``true`` is no text and no number."""
    if kind in ("str", "path"):
        return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if kind in ("int", "float", "list") and isinstance(value, bool):
        return None
    if kind == "dict" and isinstance(value, str) and not value.lstrip().startswith("{"):
        return None  # Ansible would take "a=b" for a mapping, and so a misplaced base64 text as well
    if kind == "list" and isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        return None  # Ansible would split it at its commas
    try:
        converted = _CONVERT[kind](value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    if kind == "dict" and not isinstance(converted, dict):
        return None  # ansible-core 2.17 makes a set of "{1, 2}"
    return None if kind == "float" and not math.isfinite(converted) else converted


def _closest(key: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, names)
    return f"; did you mean {close[0]}?" if close else ""


def as_written(path: Path, spec: Spec, given: Any) -> Path:
    """The path of a field of the request body in the words of the task that gave it.

    A field that the task did not give gets the spelling of its neighbours, or of those further out: the API's if they
    have it, else the option's name.
    """
    written: Path = ()
    level: Any = given
    options: Spec = spec
    camel_case = False
    for part in path:
        if isinstance(part, int):
            written += (part,)
            level = level[part] if isinstance(level, list) and part < len(level) else None
            continue
        keys = level if isinstance(level, dict) else {}
        said = [str(key) for key in keys]
        camel_case = any(key != key.lower() for key in said) or (camel_case and not any("_" in key for key in said))
        option = option_name(part)
        rules = options.get(option, {})
        names = [option, *rules.get("aliases", ())]
        unsaid = part if camel_case else option
        spelling = next((name for name in names if name in keys), unsaid)
        written += (spelling,)
        level = keys.get(spelling)
        options = rules.get("options", {})
    return written


def check_body(spec: Spec, given: Any, at: Path, values: Mapping[str, Any], complete: bool = True) -> list[Violation]:
    """What the schema says of the body that ``values`` make, by paths under ``at`` as the task wrote them."""
    return [
        Violation(as_written(at + violation.path, spec, given), violation.advice)
        for violation in validate(request_body(values), complete)
    ]


def path_text(path: Path) -> str:
    """``("images", 0)`` -> ``images[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def report(violations: Iterable[Violation]) -> str:
    """The message for a task whose arguments are wrong: a line for each violation, the first one for a path."""
    lines: dict[str, str] = {}
    for violation in violations:
        lines.setdefault(path_text(violation.path), violation.advice)
    return "The arguments are not valid, nothing was sent:\n" + "\n".join(
        f"- {path}: {advice}" for path, advice in lines.items()
    )
