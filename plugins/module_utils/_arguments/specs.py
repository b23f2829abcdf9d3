# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules, as argument specs. Private to the collection.

Each ``*_spec`` function here has a documentation fragment of the same name. The option names are the API's field names
in snake_case, with the API's own as aliases.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible.module_utils.common.parameters import env_fallback

from .._text import wire_name

Spec = Dict[str, Dict[str, Any]]

# YAML reads it as false where it has no quotes.
OFF = "off"

# Lists of tags, which may be given as mappings.
TAGS = ("tags", "prune_tags")

# Options whose keys are the caller's, and whose values go out as they are.
FREE_FORM = ("body", "query")

DEFAULT_ENDPOINT = "https://eci-global.ctapi.ctyun.cn"


def connection_spec() -> Spec:
    """How to reach the service. Nothing is required here: arguments are validated before credentials are needed."""
    return {
        "access_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CTYUN_AK", "CTAPI_AK"])},
        "secret_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CTYUN_SK", "CTAPI_SK"])},
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
    """A list of tags, to set or to filter by."""
    return {
        "type": "list",
        "elements": "dict",
        "options": {"key": {"type": "str", "no_log": False}, "value": {"type": "str"}},
    }


def body_spec() -> Spec:
    """The request body of createImageCache, field by field. The schema says what is required."""
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


def prune_spec() -> Spec:
    """Which image caches that a task does not name are deleted."""
    return {
        "prune": {"type": "bool", "default": False},
        "prune_tags": tags_option(),
        "prune_keep": {"type": "int", "default": 0},
        "prune_grace": {"type": "float", "default": 0.0},
        "prune_first": {"type": "bool", "default": False},
    }


def policy_spec() -> Spec:
    """What may be done to an existing image cache."""
    return {
        "purge_tags": {"type": "bool", "default": True},
        "drift": {"type": "str", "default": "warn", "choices": ["warn", "fail", "recreate"]},
        "duplicates": {"type": "str", "default": "fail", "choices": ["fail", "delete_younger"]},
    }


def preflight_spec() -> Spec:
    """Whether to check images, zone and quota before an order."""
    return {"preflight": {"type": "str", "default": OFF, "choices": [OFF, "warn", "fail"]}}


def wait_spec() -> Spec:
    """Whether and how long to wait for the desired state."""
    return {
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 1800.0},
        "wait_interval": {"type": "float", "default": 5.0},
    }


def registry_spec() -> Spec:
    """How registries are reached, and how sizes follow from images."""
    return {
        "registry_addresses": {"type": "dict"},
        "platform": {"type": "str", "default": "linux/amd64"},
        "size_factor": {"type": "float", "default": 3.0},
    }


def request_body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Build the request body of createImageCache from validated arguments: those given, under the API's names."""
    return _fields(body_spec(), arguments)


def _fields(spec: Spec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for option, rules in spec.items():
        value = arguments.get(option)
        if value is None:
            continue
        if "options" in rules and rules["type"] == "list":
            value = [_fields(rules["options"], item) for item in value]
        elif "options" in rules:
            value = _fields(rules["options"], value)
        body[wire_name(option)] = value
    return body
