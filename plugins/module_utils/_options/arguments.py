# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules, the check of what a task gave for them, and the way from them to a request body.

Private to the collection. Each ``*_spec`` function here has a documentation fragment of the same name. The option
names are the API's field names in snake_case; ``wire_name`` leads back. Ansible's own check of arguments stops at
the first mistake and may quote its value, so ``check`` looks first: it reports every mistake, by the path that the
user wrote, and never a value.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
import re
from typing import Any, Callable, Dict, Iterable, Mapping, NamedTuple

from ansible.module_utils.common.parameters import env_fallback
from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
)

from .schema import Path, Violation, validate

Spec = Dict[str, Dict[str, Any]]

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
DEFAULT_ENDPOINT = "https://eci-global.ctapi.ctyun.cn"

# Options whose number has a smallest value; True where that value itself is too small.
_MINIMUM = {
    "timeout": (0, True),
    "retries": (0, False),
    "concurrency": (1, False),
    "retry_max_delay": (0, False),
    "wait_timeout": (0, False),
    "wait_interval": (0, True),
}
_WORDS = {
    "str": "a text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}
_PASSWORD_IN_ADDRESS = re.compile("//[^/@]*@")
_CONVERT: dict[str, Callable[[Any], Any]] = {
    "int": check_type_int,
    "float": check_type_float,
    "bool": check_type_bool,
    "list": check_type_list,
    "dict": check_type_dict,
}


def connection_spec() -> Spec:
    """How to reach the service. Nothing is required here, since arguments are checked before credentials are."""
    return {
        "access_key": {
            "type": "str",
            "no_log": True,
            "fallback": (env_fallback, ["CTYUN_AK", "CTAPI_AK"]),
        },
        "secret_key": {
            "type": "str",
            "no_log": True,
            "fallback": (env_fallback, ["CTYUN_SK", "CTAPI_SK"]),
        },
        "region_id": {"type": "str", "fallback": (env_fallback, ["CTYUN_REGION_ID"])},
        "endpoint": {
            "type": "str",
            "default": DEFAULT_ENDPOINT,
            "fallback": (env_fallback, ["CTYUN_ECI_ENDPOINT", "CTAPI_ECI_DOMAIN"]),
        },
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "float", "default": 30.0},
        "retries": {"type": "int", "default": 5},
        "retry_max_delay": {"type": "float", "default": 30.0},
    }


def tags_option() -> dict[str, Any]:
    """The option ``tags``: those to have, or those to look for."""
    return {
        "type": "list",
        "elements": "dict",
        "options": {"key": {"type": "str", "no_log": False}, "value": {"type": "str"}},
    }


def body_spec() -> Spec:
    """The request body of createImageCache, field by field. What is required there says the schema."""
    return {
        "image_cache_name": {"type": "str", "aliases": ["imageCacheName", "name"]},
        "image_cache_size": {"type": "int", "aliases": ["imageCacheSize"]},
        "retention_days": {"type": "int", "aliases": ["retentionDays"]},
        "security_group_id": {"type": "str", "aliases": ["securityGroupId"]},
        "v_switch_id": {"type": "str", "aliases": ["vSwitchId", "subnet_id"]},
        "az_info": {
            "type": "dict",
            "aliases": ["azInfo"],
            "options": {"az_name": {"type": "str", "required": True, "aliases": ["azName"]}},
        },
        "image_registry_credentials": {
            "type": "list",
            "elements": "dict",
            "aliases": ["imageRegistryCredentials"],
            "options": {
                "server": {"type": "str", "required": True},
                "user_name": {"type": "str", "required": True, "aliases": ["userName"]},
                "password": {"type": "str", "required": True, "no_log": True},
            },
        },
        "images": {"type": "list", "elements": "str"},
        "eip": {
            "type": "dict",
            "options": {"eip_instance_id": {"type": "str", "required": True, "aliases": ["eipInstanceId"]}},
        },
        "vpc_id": {"type": "str", "aliases": ["vpcId"]},
        "tags": tags_option(),
    }


def policy_spec() -> Spec:
    """What may be done to an image cache that exists already."""
    return {
        "purge_tags": {"type": "bool", "default": True},
        "drift": {"type": "str", "default": "warn", "choices": ["warn", "fail", "recreate"]},
    }


def wait_spec() -> Spec:
    """Whether to wait for the wanted state, and how."""
    return {
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 1800.0},
        "wait_interval": {"type": "float", "default": 5.0},
    }


def merged(*specs: Spec) -> Spec:
    """One spec out of several."""
    result: Spec = {}
    for spec in specs:
        result.update(spec)
    return result


@functools.lru_cache(maxsize=None)
def wire_name(option: str) -> str:
    """The API's name of a field: ``v_switch_id`` -> ``vSwitchId``."""
    first, *rest = option.split("_")
    return first + "".join(part.title() for part in rest)


@functools.lru_cache(maxsize=None)
def option_name(field: str) -> str:
    """The option's name of a field of the API: ``vSwitchId`` -> ``v_switch_id``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)


def request_body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The body of createImageCache from checked arguments: what the user gave, under the API's names."""
    return _fields(body_spec(), arguments)


def _fields(spec: Spec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for option, rules in spec.items():
        value = arguments.get(option)
        if value is None:
            continue
        if "options" in rules:
            if isinstance(value, list):
                value = [_fields(rules["options"], item) if isinstance(item, dict) else item for item in value]
            elif isinstance(value, dict) and rules["type"] == "dict":
                value = _fields(rules["options"], value)
        body[wire_name(option)] = value
    return body


class Checked(NamedTuple):
    """What a task gave, under the options' own names and converted as Ansible would, and what is wrong with it."""

    values: dict[str, Any]
    violations: list[Violation]


def check(spec: Spec, given: Mapping[str, Any]) -> Checked:
    """Check the raw arguments of a task against the types, names and choices of a spec."""
    violations: list[Violation] = []
    values = _check_options(spec, given, (), violations)
    for option, (smallest, excluded) in _MINIMUM.items():
        number = values.get(option)
        if option in spec and isinstance(number, (int, float)) and (number < smallest or (excluded and number == 0)):
            violations.append(Violation((option,), f"must be {'more than' if excluded else 'at least'} {smallest}"))
    return Checked(values, violations)


def _check_options(spec: Spec, given: Mapping[str, Any], path: Path, violations: list[Violation]) -> dict[str, Any]:
    canonical = {alias: option for option, rules in spec.items() for alias in [option, *rules.get("aliases", ())]}
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in given.items():
        option = canonical.get(key)
        if option is None:
            violations.append(Violation(path + (str(key),), "is not an option here" + _closest(str(key), canonical)))
        elif value is not None and option in values:
            violations.append(Violation(path + (key,), f"is given twice, also as {written[option]}"))
        elif value is not None:
            written[option] = key
            values[option] = _check_value(spec[option], value, path + (key,), violations)
    return values


def _check_value(rules: Mapping[str, Any], value: Any, path: Path, violations: list[Violation]) -> Any:
    kind = rules["type"]
    converted = _convert(kind, value)
    if converted is None:
        violations.append(Violation(path, f"must be {_WORDS[kind]}"))
        return value
    if kind == "list":
        element = {"type": rules.get("elements", "str"), "options": rules.get("options")}
        return [_check_value(element, item, path + (index,), violations) for index, item in enumerate(converted)]
    if kind == "dict" and rules.get("options"):
        return _check_options(rules["options"], converted, path, violations)
    if "choices" in rules and converted not in rules["choices"]:
        violations.append(Violation(path, f"must be one of {', '.join(rules['choices'])}"))
    return converted


def _convert(kind: str, value: Any) -> Any:
    """The value as Ansible would convert it, or None where that would guess: ``true`` is no text and no number."""
    if kind in ("str", "path"):
        return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if kind in ("int", "float", "list") and isinstance(value, bool):
        return None
    if kind == "dict" and isinstance(value, str) and not value.lstrip().startswith("{"):
        return None  # Ansible would take "a=b" for a mapping, and so a misplaced base64 text as well
    try:
        converted = _CONVERT[kind](value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return None if kind == "float" and not math.isfinite(converted) else converted


def _closest(key: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, names, n=1)
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
        spelling = next((name for name in names if keys.get(name) is not None), unsaid)
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
            found.update((value, json.dumps(value)[1:-1], repr(value)[1:-1]))
        elif value and "options" in rules:
            for item in value if isinstance(value, list) else [value]:
                found.update(secrets(rules["options"], item))
    return sorted(found, key=len, reverse=True)
