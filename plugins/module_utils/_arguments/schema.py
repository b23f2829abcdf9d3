# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON schemas of the request body of createImageCache and of the options of a module. Private to the collection.

CREATE_IMAGE_CACHE is the published contract. It says what CTYun's page says (www.ctyun.cn, document 10403805/10630018):
types, what is required, the range of retentionDays, the form of a registry address. A required text or list that is
empty counts as missing. There are no other limits in it, since the page states none.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Mapping, NamedTuple, Tuple, Union

from .._text import option_name, wire_name
from .specs import Spec

try:
    from jsonschema import Draft202012Validator
except ImportError:
    HAS_JSONSCHEMA = False
else:
    HAS_JSONSCHEMA = True

Path = Tuple[Union[str, int], ...]


class Violation(NamedTuple):
    """A broken rule: the path of the option, and what to write instead; never the value."""

    path: Path
    advice: str


def _field(description: str, kind: str, *examples: Any, **rules: Any) -> dict[str, Any]:
    schema = {"description": description, "type": kind, **rules}
    return {**schema, "examples": list(examples)} if examples else schema


def _text(description: str, *examples: str, **rules: Any) -> dict[str, Any]:
    return _field(description, "string", *examples, minLength=1, **rules)


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_TAG = {
    "type": "object",
    "properties": {
        "key": _field("Key of the tag.", "string", "key-test"),
        "value": _field("Value of the tag.", "string", "value-test"),
    },
    "additionalProperties": False,
}
_SERVER = _text(
    "Address of the registry, without http:// or https:// in front.",
    "chengdu1-az1.crs.ctyun.cn",
    pattern="^(?![Hh][Tt][Tt][Pp][Ss]?://)",
)
_LOGIN = _object(
    {"server": _SERVER, "userName": _text("Name of the user.", "testuser"), "password": _text("Password of the user.")},
    ["server", "userName", "password"],
)
CREATE_IMAGE_CACHE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "createImageCache",
    "description": "Body of POST /eci/api/v1/imageCache/createImageCache.",
    **_object(
        {
            "imageCacheName": _text("Name of the image cache.", "test"),
            "imageCacheSize": _field("Size in GB. The service takes 20 if it is not given.", "integer", 20),
            "retentionDays": _field(
                "Days to keep it. 0 or not given: for ever.", "integer", 30, minimum=0, maximum=3650
            ),
            "tags": _field("Tags.", "array", [{"key": "user", "value": "eci"}], items=_TAG),
            "securityGroupId": _text("ID of the security group.", "sg-test"),
            "vSwitchId": _text("ID of the subnet.", "subnet-test"),
            "azInfo": {
                "description": "Availability zone.",
                **_object({"azName": _text("Name of the zone.", "az1")}, ["azName"]),
                "examples": [{"azName": "az1"}],
            },
            "imageRegistryCredentials": _field("Logins of image registries.", "array", items=_LOGIN),
            "images": _field(
                "Images that the cache holds.",
                "array",
                ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"],
                items={"type": "string", "minLength": 1},
                minItems=1,
            ),
            "eip": {
                "description": "Elastic IP, for images from the internet where there is no NAT gateway.",
                **_object({"eipInstanceId": _text("ID of the elastic IP.")}, ["eipInstanceId"]),
            },
            "vpcId": _text("ID of the VPC.", "vpc-ctt6yag121"),
        },
        ["imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId"],
    ),
}

_TYPES = {"str": "string", "path": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPES.update({"list": "array", "dict": "object"})
_MONTH = 31 * 86400  # longer than anybody waits, and no clock of a system overflows
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?ai)\A(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?\Z"
_PLACE = _HOST.replace(r"\Z", r"(?:/[a-z0-9._/-]*)?\Z")
_PLACE_ADVICE = "must be a host, with a port or a path if need be, on both sides, without http:// or https://"

# The rules of options beyond their types. ``advice`` is what to write instead, where the rule does not say it.
RULES: dict[str, dict[str, Any]] = {
    "timeout": {"exclusiveMinimum": 0, "maximum": _MONTH},
    "retries": {"minimum": 0, "maximum": 1000},
    "retry_max_delay": {"minimum": 0, "maximum": _MONTH},
    "concurrency": {"minimum": 1, "maximum": 1000},
    "wait_timeout": {"minimum": 0, "maximum": _MONTH},
    "wait_interval": {"exclusiveMinimum": 0, "maximum": _MONTH},
    "prune_keep": {"minimum": 0, "maximum": 100_000},
    "prune_grace": {"minimum": 0, "maximum": 3650 * 86400},
    "size_factor": {"minimum": 1, "maximum": 100},
    "platform": {
        "pattern": r"\A[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?\Z",
        "advice": "must be a system and an architecture, for example linux/amd64",
    },
    "registry_addresses": {
        "patternProperties": {_PLACE: {"type": "string", "pattern": _PLACE, "advice": _PLACE_ADVICE}},
        "additionalProperties": {"not": {}, "advice": _PLACE_ADVICE},
    },
}


@functools.lru_cache(maxsize=32)
def prepare(make_spec: Callable[[], Spec], nullable: tuple[str, ...]) -> tuple[Spec, Draft202012Validator]:
    """Make the spec of a module and the validator of its options, once per process."""
    spec = make_spec()
    return spec, Draft202012Validator(options_schema(spec, nullable))


def options_schema(spec: Spec, nullable: tuple[str, ...]) -> dict[str, Any]:
    """Generate the schema of options. A field of the request body has its schema there, unless the option may be empty."""
    return {
        "type": "object",
        "properties": {option: _option_schema(option, rules, nullable) for option, rules in spec.items()},
        "required": [option for option, rules in spec.items() if rules.get("required")],
    }


def _option_schema(option: str, rules: Mapping[str, Any], nullable: tuple[str, ...]) -> dict[str, Any]:
    field = CREATE_IMAGE_CACHE["properties"].get(wire_name(option))
    if field and option not in nullable:
        return _with_option_names(field)
    if "choices" in rules:
        return {"enum": rules["choices"]}
    schema = {"type": _TYPES[rules["type"]], **RULES.get(option, {})}
    if "options" in rules:
        schema["items"] = options_schema(rules["options"], nullable)
    return schema


def _with_option_names(field: Mapping[str, Any]) -> dict[str, Any]:
    schema = dict(field)
    if "properties" in field:
        parts = field["properties"].items()
        schema["properties"] = {option_name(name): _with_option_names(part) for name, part in parts}
        schema["required"] = [option_name(name) for name in field.get("required", ())]
    if "items" in field:
        schema["items"] = _with_option_names(field["items"])
    return schema
