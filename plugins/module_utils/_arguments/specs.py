# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules, as argument specs. Private to the collection.

Each ``*_spec`` function here has a documentation fragment of the same name. The option names are the API's field names
in snake_case, with the API's own as aliases.
"""

from __future__ import annotations

from typing import Any, Dict

from ansible.module_utils.common.parameters import env_fallback

Spec = Dict[str, Dict[str, Any]]

# YAML takes it for a false where it has no quotes.
OFF = "off"

DEFAULT_ENDPOINT = "https://eci-global.ctapi.ctyun.cn"


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


def entry_spec() -> Spec:
    """One of many image caches: the request body, and what the module for one has beside it."""
    return {
        **body_spec(),
        "state": {"type": "str", "choices": ["present", "absent"]},
        "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
    }


def prune_spec() -> Spec:
    """What is deleted that a task does not name."""
    return {
        "prune": {"type": "bool", "default": False},
        "prune_tags": tags_option(),
        "prune_keep": {"type": "int", "default": 0},
        "prune_grace": {"type": "float", "default": 0.0},
        "prune_first": {"type": "bool", "default": False},
    }


def generations_spec() -> Spec:
    """Whether names follow what is in the images."""
    return {
        "generations": {"type": "bool", "default": False},
        "renew_before": {"type": "float"},
        "force": {"type": "bool", "default": False},
    }


def policy_spec() -> Spec:
    """What may be done to an image cache that exists already."""
    return {
        "purge_tags": {"type": "bool", "default": True},
        "drift": {"type": "str", "default": "warn", "choices": ["warn", "fail", "recreate"]},
        "duplicates": {"type": "str", "default": "fail", "choices": ["fail", "delete_younger"]},
    }


def preflight_spec() -> Spec:
    """Whether to look before anything is ordered."""
    return {"preflight": {"type": "str", "default": OFF, "choices": [OFF, "warn", "fail"]}}


def wait_spec() -> Spec:
    """Whether to wait for the wanted state, and how."""
    return {
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 1800.0},
        "wait_interval": {"type": "float", "default": 5.0},
    }


def lock_spec() -> Spec:
    """Where tasks that change something tell each other of it."""
    return {"lock_dir": {"type": "path", "fallback": (env_fallback, ["CTYUN_ECI_LOCK_DIR"])}}


def registry_spec() -> Spec:
    """How the registries of images are looked at."""
    return {
        "registry_addresses": {"type": "dict"},
        "size_factor": {"type": "float", "default": 3.0},
    }


def merged(*specs: Spec) -> Spec:
    """One spec out of several."""
    result: Spec = {}
    for spec in specs:
        result.update(spec)
    return result
