# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation of the arguments of a task. Private to the collection.

Ansible's own validation stops at the first mistake and may quote its value. ``check`` comes before it, and reports every
mistake by the path that the user wrote, never by its value: names and aliases are resolved and values converted where that
is unambiguous, then one JSON schema judges them.
"""

from __future__ import annotations

import json
import math
import re
from itertools import chain
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_float, check_type_int

from .._text import option_name
from .schema import CREATE_IMAGE_CACHE, Path, Violation, prepare
from .specs import FREE_FORM, OFF, TAGS, Spec

Rules = Callable[[Mapping[str, Any]], Iterable[Violation]]

_TEXTS = ("str", "path")
# Texts that may begin or end with a blank.
_FREE_TEXTS = ("key", "value")
_TAG = {"type": "str"}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_EMPTY = "value is empty; leave it out, for example with default(omit)"
_JSON = "must be a list, and this string is not JSON: write it as YAML"
_ONE_TAG = "must be a list, for example [{key: team, value: web}], or a mapping, for example {team: web}"
_DEFAULTS = "use one spelling, in module_defaults and in YAML anchors as well"
_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "int": check_type_int,
    "float": check_type_float,
    "bool": check_type_bool,
    "dict": check_type_dict,
}


class Checked(NamedTuple):
    """The arguments of a task under the options' own names, converted; a null of a nullable option is an empty text.

    ``violations`` has what to write instead, by the path as the task wrote it.
    """

    spec: Spec
    values: dict[str, Any]
    violations: dict[str, str]

    @property
    def arguments(self) -> dict[str, Any]:
        """The values for Ansible's own validation. A null means the default, where there is one."""
        values = self.values.items()
        return {key: value for key, value in values if value is not None or self.spec[key].get("default") is None}

    def report(self) -> str:
        """Return the message with a line for each violation, an empty text if there are none."""
        lines = [f"- {path}: {advice}" for path, advice in self.violations.items()]
        return "\n".join(["The arguments are not valid, nothing was sent:", *lines]) if lines else ""


def check(
    make_spec: Callable[[], Spec],
    given: Mapping[str, Any],
    nullable: tuple[str, ...] = (),
    rules: Rules = lambda values: (),
) -> Checked:
    """Check the raw arguments of a task. ``rules`` are its own: they get the converted values, which may be of any type."""
    spec, validator = prepare(make_spec, nullable)
    conversion = _Conversion(nullable)
    values = conversion.options(spec, given, ())
    broken = [*conversion.violations, *rules(values)]
    errors = list(validator.iter_errors(_without_nulls(values)))
    found: dict[str, str] = {}
    if broken or errors:
        from .advice import as_written, in_the_words, path_text, violations_of  # most tasks do without

        for path, advice in chain(broken, *map(violations_of, errors)):
            written = as_written(path, spec, given)
            found.setdefault(path_text(written), in_the_words(advice, written))
    return Checked(spec, values, found)


def missing_fields(values: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield the required fields of the request body that are not among these options."""
    for field in CREATE_IMAGE_CACHE["required"]:
        if values.get(option_name(field)) is None:
            from .advice import example

            yield Violation((option_name(field),), "is required" + example(CREATE_IMAGE_CACHE["properties"][field]))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


class _Conversion:
    """Resolves names and converts values. What cannot be converted stays as it is, for the schema to refuse."""

    def __init__(self, nullable: tuple[str, ...]) -> None:
        self.violations: list[Violation] = []
        self._nullable = nullable

    def options(self, spec: Spec, given: Mapping[str, Any], path: Path) -> dict[str, Any]:
        names = {name: option for option, rules in spec.items() for name in (option, *rules.get("aliases", ()))}
        values: dict[str, Any] = {}
        written: dict[str, str] = {}
        for key, value in given.items():
            option = names.get(key)
            if option is None:
                from .advice import closest

                self._refuse((*path, str(key)), "is not an option here" + closest(str(key), names))
            elif option in written:
                self._refuse((*path, key), f"is given twice, also as {written[option]}; {_DEFAULTS}")
            elif value is not None or "choices" not in spec[option]:  # Ansible takes null for a wrong choice
                written[option] = key
                if value is None and option in self._nullable:
                    value = ""
                values[option] = value if value is None else self._value(option, spec[option], value, (*path, option))
        return values

    def _value(self, option: str, rules: Mapping[str, Any], value: Any, path: Path) -> Any:
        kind = rules["type"]
        if kind in _TEXTS:
            return self._text(option, rules, value, path)
        if isinstance(value, str) and not value.strip():
            self._refuse(path, _EMPTY)
        elif kind == "list":
            return self._list(option, rules, value, path)
        else:
            value = _converted(kind, value)
        if kind == "dict" and isinstance(value, dict):
            options = rules.get("options")
            if options:
                return self.options(options, value, path)
            if option in FREE_FORM:
                return value  # as it goes out
            return {str(key): "" if item is None else item for key, item in value.items()}
        return value

    def _text(self, option: str, rules: Mapping[str, Any], value: Any, path: Path) -> Any:
        if value is False and OFF in rules.get("choices", ()):
            return OFF  # as Ansible has it
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str):
            if value != value.strip() and rules["type"] == "str" and option not in _FREE_TEXTS:
                end = "begins" if value == value.rstrip() else "ends"
                self._refuse(path, f"{end} with a line feed or a space; remove it, for example with the filter trim")
            elif _CONTROL.search(value):
                self._refuse(path, "must not contain a control character, such as a line feed, a tab or a NUL")
        return value

    def _list(self, option: str, rules: Mapping[str, Any], value: Any, path: Path) -> Any:
        of_texts = rules["elements"] == "str"
        if isinstance(value, str) and value.lstrip().startswith(("[", "{")):  # Ansible would split it at its commas
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                self._refuse(path, _JSON)
        elif isinstance(value, str) and of_texts:
            value = [item.strip() for item in value.split(",")]
        elif isinstance(value, int) and not isinstance(value, bool) and of_texts:
            value = [value]
        if option in TAGS and isinstance(value, dict):
            return self._tags(value, path)
        if not isinstance(value, list):
            return value
        element = {"type": rules["elements"], "options": rules.get("options")}
        items = [self._value(option, element, item, (*path, index)) for index, item in enumerate(value)]
        if option in TAGS:
            self.violations += _repeated_keys(items, path)
        return items

    def _tags(self, given: Mapping[Any, Any], path: Path) -> list[Any]:
        """Return the tags of a mapping. One that has the form of a single tag may be meant as that, so it is refused."""
        if "key" in given:
            self._refuse(path, _ONE_TAG)
        tags = []
        for key, value in given.items():
            parts = {"key": key, "value": value} if value is not None else {"key": key}
            tags.append({name: self._text(name, _TAG, part, (*path, str(key))) for name, part in parts.items()})
        return tags

    def _refuse(self, path: Path, advice: str) -> None:
        self.violations.append(Violation(path, advice))


def _converted(kind: str, value: Any) -> Any:
    """Convert a value as Ansible does, unless that would guess: ``true`` is no number, ``a=b`` no mapping."""
    if isinstance(value, bool) and kind != "bool":
        return value
    if kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    text = value.strip() if isinstance(value, str) else value
    if kind == "dict" and isinstance(value, str) and not text.startswith("{"):
        return value  # it may be a misplaced base64 text
    try:
        converted = _CONVERTERS[kind](text)
    except (TypeError, ValueError, ArithmeticError):
        return value
    if kind == "float" and not math.isfinite(converted):
        return str(value)  # JSON has no such number, so the schema refuses it
    # ansible-core 2.17 makes a set of "{1, 2}"
    return value if kind == "dict" and not isinstance(converted, dict) else converted


def _repeated_keys(tags: list[Any], path: Path) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for index, tag in enumerate(tags):
        key = tag.get("key") if isinstance(tag, dict) else None
        if isinstance(key, str) and key and first.setdefault(key, index) != index:
            from .advice import path_text

            yield Violation((*path, index, "key"), f"is the same as in {path_text((*path, first[key]))}")


def mappings(values: Mapping[str, Any], option: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the items of a list that are mappings, as they should be, with their positions."""
    items = values.get(option)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield index, item
