# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests over the emulator have in common: a body, image caches put in place, and what was sent."""

from __future__ import annotations

from typing import Any

from tests.emulator import Emulator

LIST, DESCRIBE = "describeImageCaches", "describeImageCache"
CREATE, UPDATE, DELETE = "createImageCache", "updateImageCache", "deleteImageCache"
REGION, USAGE = "region", "listUsage"

A = {"key": "a", "value": "1"}
B = {"key": "b", "value": "1"}
BODY: dict[str, Any] = {
    "imageCacheName": "web",
    "imageCacheSize": 40,
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}


def seed(emulator: Emulator, name: str = "web", **changes: Any) -> str:
    """Put an image cache in place as the body above would have made it; its ID."""
    fields = {"imageCacheSize": 40, "azName": "az1", "images": ["nginx:latest"], **changes}
    return emulator.service.seed(name, fields.pop("images"), **fields)


def somebody_else_creates(emulator: Emulator, **changes: Any) -> str:
    """Create one past the client, so that no request of its own is recorded; its ID."""
    answer = emulator.service.perform(CREATE, emulator.settings.region_id, "", {**BODY, **changes})
    return str(answer.value["imageCacheId"])


def operations(emulator: Emulator) -> list[str]:
    """The operations that were sent, in their order."""
    return [str(record.operation) for record in emulator.requests]


def present(emulator: Emulator) -> list[str]:
    """The IDs of what is there."""
    return [cache["imageCacheId"] for cache in emulator.service.caches()]


def names(emulator: Emulator) -> list[str]:
    """The names of what is there, sorted."""
    return sorted(cache["imageCacheName"] for cache in emulator.service.caches())
