# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the request body of createImageCache, and the check of a body against it. Private to the collection.

The schema says what CTYun's page says (www.ctyun.cn, document 10403805/10630018): types, what is required, the range
of retentionDays, the form of a registry address. A required text or list that is empty counts as missing. There are
no other limits in it, since the page states none.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, NamedTuple, Tuple, Union, cast

try:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
except ImportError:
    HAS_JSONSCHEMA = False
else:
    HAS_JSONSCHEMA = True

Path = Tuple[Union[str, int], ...]


class Violation(NamedTuple):
    """One rule that is broken: where (keys and list positions), and what to write instead; never the value."""

    path: Path
    advice: str


TAGS: dict[str, Any] = {
    "description": "Tags.",
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "key": {"description": "Key of the tag.", "type": "string", "examples": ["key-test"]},
            "value": {"description": "Value of the tag.", "type": "string", "examples": ["value-test"]},
        },
        "additionalProperties": False,
    },
    "examples": [[{"key": "user", "value": "eci"}]],
}

CREATE_IMAGE_CACHE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "createImageCache",
    "description": "Body of POST /eci/api/v1/imageCache/createImageCache.",
    "type": "object",
    "properties": {
        "imageCacheName": {
            "description": "Name of the image cache.",
            "type": "string",
            "minLength": 1,
            "examples": ["test"],
        },
        "imageCacheSize": {
            "description": "Size of the image cache in GB. The service takes 20 if it is not given.",
            "type": "integer",
            "examples": [20],
        },
        "retentionDays": {
            "description": "Days for which the image cache is kept. Not given or 0 means for ever.",
            "type": "integer",
            "minimum": 0,
            "maximum": 3650,
            "examples": [30],
        },
        "tags": TAGS,
        "securityGroupId": {
            "description": "ID of the security group.",
            "type": "string",
            "minLength": 1,
            "examples": ["sg-test"],
        },
        "vSwitchId": {
            "description": "ID of the subnet.",
            "type": "string",
            "minLength": 1,
            "examples": ["subnet-test"],
        },
        "azInfo": {
            "description": "Availability zone.",
            "type": "object",
            "properties": {
                "azName": {
                    "description": "Name of the zone.",
                    "type": "string",
                    "minLength": 1,
                    "examples": ["az1"],
                },
            },
            "required": ["azName"],
            "additionalProperties": False,
            "examples": [{"azName": "az1"}],
        },
        "imageRegistryCredentials": {
            "description": "Logins of image registries.",
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "server": {
                        "description": "Address of the registry, without http:// or https:// in front.",
                        "type": "string",
                        "minLength": 1,
                        "pattern": "^(?![Hh][Tt][Tt][Pp][Ss]?://)",
                        "examples": ["chengdu1-az1.crs.ctyun.cn"],
                    },
                    "userName": {
                        "description": "Name of the user.",
                        "type": "string",
                        "minLength": 1,
                        "examples": ["testuser"],
                    },
                    "password": {"description": "Password of the user.", "type": "string", "minLength": 1},
                },
                "required": ["server", "userName", "password"],
                "additionalProperties": False,
            },
        },
        "images": {
            "description": "Images that the cache holds.",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "examples": [["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]],
        },
        "eip": {
            "description": "Elastic IP, for images from the internet where there is no NAT gateway.",
            "type": "object",
            "properties": {
                "eipInstanceId": {
                    "description": "ID of the elastic IP.",
                    "type": "string",
                    "minLength": 1,
                },
            },
            "required": ["eipInstanceId"],
            "additionalProperties": False,
        },
        "vpcId": {
            "description": "ID of the VPC.",
            "type": "string",
            "minLength": 1,
            "examples": ["vpc-ctt6yag121"],
        },
    },
    "required": ["imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId"],
    "additionalProperties": False,
}

if HAS_JSONSCHEMA:
    _VALIDATOR = Draft202012Validator(CREATE_IMAGE_CACHE)

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping",
}


def validate(body: dict[str, Any], complete: bool = True) -> list[Violation]:
    """Check a body of createImageCache.

    Returns every violation, in the order of the schema's properties. With ``complete`` false, missing top-level
    fields are no violation (the options of a task that picks an existing cache by its ID).
    """
    found = [
        violation
        for error in _VALIDATOR.iter_errors(body)
        if complete or error.validator != "required" or error.absolute_path
        for violation in _violations(error)
    ]
    order = list(CREATE_IMAGE_CACHE["properties"])
    return sorted(found, key=lambda violation: order.index(violation.path[0]) if violation.path[0] in order else -1)


def _violations(error: ValidationError) -> Iterator[Violation]:
    path: Path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    rule = str(error.validator)
    if rule == "required":
        # jsonschema reports one error for each missing name but tells the name only in its text
        for name in schema["required"]:
            if error.message.startswith(repr(name)):
                yield Violation(path + (name,), "is required" + _example(schema["properties"][name]))
    elif rule == "additionalProperties":
        for name in sorted(set(cast(Dict[str, Any], error.instance)) - set(schema["properties"])):
            yield Violation((*path, name), "is not a field of the request")
    else:
        yield Violation(path, _advice(rule, schema))


def _advice(rule: str, schema: dict[str, Any]) -> str:
    if rule == "type":
        return f"must be {_TYPES[schema['type']]}" + _example(schema)
    if rule in ("minimum", "maximum"):
        return f"must be between {schema['minimum']} and {schema['maximum']}" + _example(schema)
    if rule == "minItems":
        return "must list at least one" + _example(schema)
    if rule == "minLength":
        return "must not be empty" + _example(schema)
    return "must be the plain address, without http:// or https:// in front" + _example(schema)


def _example(schema: dict[str, Any]) -> str:
    if not schema.get("examples"):
        return ""
    return f", for example {schema['examples'][0]}".replace("'", "")
