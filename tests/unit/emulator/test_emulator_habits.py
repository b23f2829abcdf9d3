# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the service may write what it was sent, and the habits in a report of tools/wire_check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.emulator.like import like, read


def returned(api: Any, identifier: str) -> dict[str, Any]:
    value: dict[str, Any] = api.get(identifier).json()["returnObj"]
    (listed,) = api.find(imageCacheId=identifier).json()["returnObj"]["imageCaches"]
    assert listed.items() <= value.items()
    return value


def test_zones_can_have_other_names(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"zone_aliases": ["short=cn-xinan1-1A", "lost=nowhere"]})
    assert returned(api, api.created(azInfo={"azName": "short"}))["azName"] == "cn-xinan1-1A"
    assert returned(api, api.created(azInfo={"azName": "az1"}))["azName"] == "az1"
    assert api.create(azInfo={"azName": "lost"}).status_code == 422


def test_images_can_have_a_prefix_in_replies(api: Any, emulator: Emulator) -> None:
    emulator.settings.image_prefix = "hub.test/library/"
    with_a_registry = ["registry.test/a:1", "registry:5000/nginx", "localhost/nginx"]
    sent = ["nginx:latest", "team/nginx", *with_a_registry]
    prefixed = ["hub.test/library/nginx:latest", "hub.test/library/team/nginx", *with_a_registry]
    assert returned(api, api.created(images=sent))["images"] == prefixed
    assert emulator.service.caches()[0]["images"] == sent
    for image in ("nginx:latest", "hub.test/library/nginx:latest"):
        assert api.listed(images=[image, "registry.test/a:1"]) == ["base"]
    assert api.listed(images=["hub.test/library/registry.test/a:1"]) == []


@pytest.mark.parametrize(("sent", "step", "size"), [(21, 10, 30), (30, 10, 30), (..., 32, 32), (7, 0, 7)])
def test_sizes_can_be_rounded_up(api: Any, emulator: Emulator, sent: Any, step: int, size: int) -> None:
    emulator.settings.size_step = step
    assert returned(api, api.created(imageCacheSize=sent))["imageCacheSize"] == size


def test_a_report_gives_settings() -> None:
    found = like(
        {"zone_returned": "listed", "images_returned": "prefixed", "size_returned": "smaller", "name_match": "prefix",
         "list_lag": 3, "tags_shown": None, "ready_status": "other", "region_returned": "other", "some_day": "yes"}
    )  # fmt: skip
    assert found.left == ["size_returned (smaller)", "ready_status (other)", "some_day (yes)"]
    assert found.settings["zone_aliases"][0] == "az1=az1-alias"
    assert "az1-alias" in found.settings["zones"]
    habits = ("name_match", "list_lag", "region_returned")
    assert [found.settings[name] for name in habits] == ["prefix", 3, "other"]
    assert "tags_shown" not in found.settings


@pytest.mark.parametrize("text", ["no JSON", "[]", json.dumps({"wire_report": 2, "habits": {}}), None])
def test_another_file_is_no_report(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "report.json"
    if text:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"report\.json"):
        read(path)
