# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator
from tests.emulator.caches import with_prefix


def told(api: Any, identifier: str) -> dict[str, Any]:
    value: dict[str, Any] = api.get(identifier).json()["returnObj"]
    (listed,) = api.find(imageCacheId=identifier).json()["returnObj"]["imageCaches"]
    assert listed.items() <= value.items()
    return value


def test_zones_can_have_other_names(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"zone_aliases": ["short=cn-xinan1-1A", "lost=nowhere"]})
    assert told(api, api.created(azInfo={"azName": "short"}))["azName"] == "cn-xinan1-1A"
    assert told(api, api.created(azInfo={"azName": "az1"}))["azName"] == "az1"
    assert [cache["azName"] for cache in emulator.service.caches()] == ["cn-xinan1-1A", "az1"]
    assert api.create(azInfo={"azName": "lost"}).status_code == 422


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx:latest", "hub.test/library/nginx:latest"),
        ("team/nginx", "hub.test/library/team/nginx"),
        ("registry.test/nginx", "registry.test/nginx"),
        ("registry:5000/nginx", "registry:5000/nginx"),
        ("localhost/nginx", "localhost/nginx"),
        ("nginx.alpine:1.0", "hub.test/library/nginx.alpine:1.0"),
    ],
)
def test_with_prefix(image: str, expected: str) -> None:
    assert with_prefix(image, "hub.test/library/") == expected


def test_images_can_be_told_with_their_registry(api: Any, emulator: Emulator) -> None:
    emulator.settings.image_prefix = "hub.test/library/"
    identifier = api.created(images=["nginx:latest", "registry.test/a:1"])
    assert told(api, identifier)["images"] == ["hub.test/library/nginx:latest", "registry.test/a:1"]
    assert emulator.service.caches()[0]["images"] == ["nginx:latest", "registry.test/a:1"]
    for image in ("nginx:latest", "hub.test/library/nginx:latest"):
        assert api.listed(images=[image, "registry.test/a:1"]) == ["base"]
    assert api.listed(images=["hub.test/library/registry.test/a:1"]) == []


@pytest.mark.parametrize(("sent", "step", "size"), [(21, 10, 30), (30, 10, 30), (..., 32, 32), (7, 0, 7)])
def test_sizes_can_be_rounded_up(api: Any, emulator: Emulator, sent: Any, step: int, size: int) -> None:
    emulator.settings.size_step = step
    assert told(api, api.created(imageCacheSize=sent))["imageCacheSize"] == size
