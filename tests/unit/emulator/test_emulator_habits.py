# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The habits that a wire check can observe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.emulator.like import like, read


@pytest.fixture
def two(emulator: Emulator) -> list[str]:
    return [emulator.service.seed(name, [f"{name}:1", "both:1"]) for name in ("Web-1", "Web-2")]


def names(api: Any, **filters: Any) -> list[str]:
    return [cache["imageCacheName"] for cache in api.find(**filters).json()["returnObj"]["imageCaches"]]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("match", "name", "found"),
    [
        ("exact", "Web-1", 1), ("exact", "web-1", 0), ("prefix", "Web", 2), ("prefix", "eb-1", 0), ("fuzzy", "eb-1", 1),
        ("off", "nobody", 2),
    ],
)  # fmt: skip
def test_names(api: Any, emulator: Emulator, match: str, name: str, found: int) -> None:
    emulator.settings.update({"name_match": match})
    assert len(names(api, imageCacheName=name)) == found


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(("how", "found"), [("all", 0), ("any", 1), ("off", 2)])
def test_images(api: Any, emulator: Emulator, how: str, found: int) -> None:
    emulator.settings.update({"images_filter": how})
    assert len(names(api, images=["Web-1:1", "nobody's:1"])) == found


@pytest.mark.parametrize(("how", "found"), [("all", []), ("any", ["Web-1"])])
def test_several_filters(api: Any, emulator: Emulator, two: list[str], how: str, found: list[str]) -> None:
    emulator.settings.update({"filters_match": how})
    assert names(api, imageCacheId=two[0], imageCacheName="nobody") == found
    assert len(names(api)) == 2


@pytest.mark.usefixtures("two")
def test_lists(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"list_needs_images": True})
    assert api.find().status_code == 422
    assert len(names(api, images=[])) == 2
    emulator.settings.update({"list_needs_images": False, "max_page": 1})
    token = api.find().json()["returnObj"]["nextToken"]
    assert names(api, nextToken=token) == ["Web-2"]
    for wrong in ("!!!!", "ab", "a.b.c"):
        assert api.find(nextToken=wrong).status_code == 422


@pytest.mark.parametrize(("form", "end"), [("offset", "+08:00"), ("utc", "Z"), ("bare", "")])
def test_times(api: Any, emulator: Emulator, form: str, end: str) -> None:
    emulator.settings.update({"time_form": form})
    emulator.service.seed("web", ["nginx:latest"])
    time = api.find().json()["returnObj"]["imageCaches"][0]["creationTime"]
    assert time[19:] == end


@pytest.mark.usefixtures("two")
def test_nulls(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"null_fields": True})
    reply = api.find().json()
    assert (reply["error"], reply["returnObj"]["imageCaches"][0]["tags"]) == (None, None)


def test_a_likeness(tmp_path: Path) -> None:
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
    path = tmp_path / "report.json"
    for text in ("no JSON", "[]", json.dumps({"wire_report": 2, "habits": {}}), json.dumps({"wire_report": 1})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"report\.json"):
            read(path)
    with pytest.raises(ValueError, match="No such file"):
        read(tmp_path / "none")
