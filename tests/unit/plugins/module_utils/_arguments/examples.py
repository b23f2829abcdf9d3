# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options, and arguments of a task that are right, in each spelling."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import (
    Spec,
    body_spec,
    connection_spec,
    policy_spec,
    preflight_spec,
    prune_spec,
    registry_spec,
    wait_spec,
)


def every_option() -> Spec:
    return {
        **body_spec(),
        **policy_spec(),
        **preflight_spec(),
        **prune_spec(),
        **registry_spec(),
        **wait_spec(),
        "platform": {"type": "str"},
        "concurrency": {"type": "int"},
        **connection_spec(),
    }


# The request example of CTYun's page (document 10403805/10630018) as it stands there, and the same in the options' own names.
EXAMPLE: dict[str, Any] = {
    "securityGroupId": "sg-test",
    "vSwitchId": "subnet-test",
    "vpcId": "vpc-test",
    "imageCacheName": "lztest",
    "imageCacheSize": 40,
    "retentionDays": 30,
    "images": ["nginx:latest"],
    "tags": [{"key": "user", "value": "eci"}],
    "azInfo": {"azName": "az1"},
    "imageRegistryCredentials": [{"server": "chengdu1-az1.crs.ctyun.cn", "userName": "hello", "password": "world"}],
}
SNAKE: dict[str, Any] = {
    "security_group_id": "sg-test",
    "v_switch_id": "subnet-test",
    "vpc_id": "vpc-test",
    "image_cache_name": "lztest",
    "image_cache_size": 40,
    "retention_days": 30,
    "images": ["nginx:latest"],
    "tags": [{"key": "user", "value": "eci"}],
    "az_info": {"az_name": "az1"},
    "image_registry_credentials": [{"server": "chengdu1-az1.crs.ctyun.cn", "user_name": "hello", "password": "world"}],
}
MIXED = {**EXAMPLE, "azInfo": {"az_name": "az1"}, "name": EXAMPLE["imageCacheName"]}
del MIXED["imageCacheName"]
ABSENT = object()


def example(**changes: Any) -> dict[str, Any]:
    changed = {**copy.deepcopy(EXAMPLE), **changes}
    return {name: value for name, value in changed.items() if value is not ABSENT}
