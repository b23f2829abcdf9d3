# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.emulator import Emulator


def seed(emulator: Emulator, count: int) -> list[str]:
    names = [f"cache-{number}" for number in range(count)]
    for name in names:
        emulator.service.seed(name, ["nginx:latest"])
    return names


@pytest.mark.parametrize("count", [5, 6])
def test_pages_follow_the_token_to_the_end(api: Any, emulator: Emulator, count: int) -> None:
    names = seed(emulator, count)
    found: list[str] = []
    token, pages = "", 0
    while token or not pages:
        value = api.find(limit=2, nextToken=token).json()["returnObj"]
        assert value["total"] == count
        found += [cache["imageCacheName"] for cache in value["imageCaches"]]
        token = value.get("nextToken", "")
        pages += 1
        assert not token or re.fullmatch(rf"\d+\.{count}\.\d+", token)
    assert (found, pages) == (names, 3)


def test_a_page_has_at_most_what_the_service_gives(api: Any, emulator: Emulator) -> None:
    seed(emulator, 1001)
    emulator.settings.max_page = 5000
    assert len(api.listed()) == 1000  # without a limit
    assert len(api.listed(limit=2000)) == 1001
    emulator.settings.update({"max_page": 3, "list_total": False})
    for body in ({}, {"limit": 0}, {"limit": 100}):
        value = api.find(**body).json()["returnObj"]
        assert (len(value["imageCaches"]), sorted(value)) == (3, ["imageCaches", "nextToken", "requestId"])


def test_filters(api: Any, emulator: Emulator) -> None:
    first = emulator.service.seed("base", ["a:1", "b:1"])
    emulator.service.seed("base-2", ["b:1"])
    assert api.listed(imageCacheId=first) == ["base"]
    assert api.listed(imageCacheName="base") == ["base"]
    assert api.listed(imageCacheName="") == ["base", "base-2"]
    assert api.listed(images=["b:1"]) == ["base", "base-2"]
    assert api.listed(images=["a:1", "b:1"]) == ["base"]
    assert api.listed(imageCacheId=first, imageCacheName="base-2") == []


TEAM_X = {"key": "team", "value": "x"}
TEAM_Y = {"key": "team", "value": "y"}
ENV_P = {"key": "env", "value": "p"}


@pytest.mark.parametrize(
    ("how", "tags", "found"),
    [
        ("all", [TEAM_X, ENV_P], ["both"]),
        ("all", [{"key": "team"}], ["x", "y", "both"]),
        ("any", [TEAM_Y, {"key": "env"}], ["y", "both"]),
        ("any", [], ["x", "y", "both", "none"]),
        ("key", [TEAM_Y, {"key": "env", "value": "q"}], ["both"]),
        ("off", [TEAM_X], ["x", "y", "both", "none"]),
    ],
)
def test_filter_by_tags(api: Any, emulator: Emulator, how: str, tags: list[Any], found: list[str]) -> None:
    for name, carried in {"x": [TEAM_X], "y": [TEAM_Y], "both": [TEAM_X, ENV_P], "none": []}.items():
        emulator.service.seed(name, ["a:1"], tags=carried)
    emulator.settings.update({"tags_filter": how})
    assert api.listed(tags=tags) == found
