# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options, and arguments of a task that are right, in each spelling."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import Spec
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_cache, image_caches, image_info
from ansible_collections.ctyun.eci.plugins.module_utils._text import option_name


def every_option() -> Spec:
    options = {**image_info.TASK.spec(), **image_caches.TASK.spec(), **image_cache.TASK.spec()}
    return {name: rules for name, rules in options.items() if name != "image_caches"}


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
    **{option_name(field): value for field, value in EXAMPLE.items()},
    "az_info": {"az_name": "az1"},
    "image_registry_credentials": [{"server": "chengdu1-az1.crs.ctyun.cn", "user_name": "hello", "password": "world"}],
}
MIXED = {**EXAMPLE, "azInfo": {"az_name": "az1"}, "name": EXAMPLE["imageCacheName"]}
del MIXED["imageCacheName"]
ABSENT = object()


def example(**changes: Any) -> dict[str, Any]:
    changed = {**copy.deepcopy(EXAMPLE), **changes}
    return {name: value for name, value in changed.items() if value is not ABSENT}
