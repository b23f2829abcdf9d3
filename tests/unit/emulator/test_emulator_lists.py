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


def test_pages_follow_the_token_to_the_end(api: Any, emulator: Emulator) -> None:
    names = seed(emulator, 5)
    found: list[str] = []
    token, pages = "", 0
    while token or not pages:
        value = api.find(limit=2, nextToken=token).json()["returnObj"]
        assert value["total"] == 5
        found += [cache["imageCacheName"] for cache in value["imageCaches"]]
        token = value.get("nextToken", "")
        pages += 1
        assert not token or re.fullmatch(r"\d+\.5\.\d+", token)
    assert (found, pages) == (names, 3)


def test_a_page_has_at_most_what_the_service_gives(api: Any, emulator: Emulator) -> None:
    seed(emulator, 4)
    emulator.settings.max_page = 3
    for body in ({}, {"limit": 0}, {"limit": 100}):
        value = api.find(**body).json()["returnObj"]
        assert (len(value["imageCaches"]), value["total"]) == (3, 4)
        assert "nextToken" in value


def test_without_a_limit_a_page_has_1000(api: Any, emulator: Emulator) -> None:
    seed(emulator, 1001)
    emulator.settings.max_page = 5000
    assert len(api.listed()) == 1000
    assert len(api.listed(limit=2000)) == 1001


def test_an_exact_multiple_has_no_empty_page(api: Any, emulator: Emulator) -> None:
    seed(emulator, 4)
    token = api.find(limit=2).json()["returnObj"]["nextToken"]
    value = api.find(limit=2, nextToken=token).json()["returnObj"]
    assert len(value["imageCaches"]) == 2
    assert "nextToken" not in value


def test_filters(api: Any, emulator: Emulator) -> None:
    first = emulator.service.seed("base", ["a:1", "b:1"], tags=[{"key": "team", "value": "x"}])
    emulator.service.seed("base-2", ["b:1"], tags=[{"key": "team", "value": "y"}, {"key": "env", "value": "p"}])
    assert api.listed(imageCacheId=first) == ["base"]
    assert api.listed(imageCacheName="base") == ["base"]
    assert api.listed(imageCacheName="") == ["base", "base-2"]
    assert api.listed(images=["b:1"]) == ["base", "base-2"]
    assert api.listed(images=["a:1", "b:1"]) == ["base"]
    assert api.listed(tags=[{"key": "team", "value": "y"}]) == ["base-2"]
    assert api.listed(tags=[{"key": "team"}]) == ["base", "base-2"]
    assert api.listed(tags=[{"key": "team", "value": "x"}, {"key": "env", "value": "p"}]) == []
    assert api.listed(imageCacheId=first, imageCacheName="base-2") == []


def test_filters_can_be_looser(api: Any, emulator: Emulator) -> None:
    emulator.service.seed("base", ["a:1"])
    emulator.service.seed("base-2", ["a:1"])
    emulator.settings.update({"name_match": "fuzzy", "tags_filter": "off"})
    assert api.listed(imageCacheName="base") == ["base", "base-2"]
    assert api.listed(tags=[{"key": "team", "value": "x"}]) == ["base", "base-2"]


def test_a_new_cache_can_be_late_in_lists(api: Any, emulator: Emulator) -> None:
    emulator.settings.list_lag = 10
    identifier = api.created()
    assert api.listed() == []
    assert api.get(identifier).status_code == 200
    emulator.advance(10)
    assert api.listed() == ["base"]


TEAM_X = {"key": "team", "value": "x"}
TEAM_Y = {"key": "team", "value": "y"}
ENV_P = {"key": "env", "value": "p"}


@pytest.mark.parametrize(
    ("how", "tags", "found"),
    [
        ("all", [TEAM_X, ENV_P], ["both"]),
        ("all", [{"key": "team"}], ["x", "y", "both"]),
        ("any", [TEAM_X, ENV_P], ["x", "both"]),
        ("any", [TEAM_Y, {"key": "env"}], ["y", "both"]),
        ("any", [], ["x", "y", "both", "none"]),
        ("key", [TEAM_X], ["x", "y", "both"]),
        ("key", [TEAM_Y, {"key": "env", "value": "q"}], ["both"]),
        ("key", [{"value": "q"}], ["x", "y", "both"]),
        ("off", [TEAM_X], ["x", "y", "both", "none"]),
    ],
)
def test_how_tags_are_compared(api: Any, emulator: Emulator, how: str, tags: list[Any], found: list[str]) -> None:
    for name, carried in {"x": [TEAM_X], "y": [TEAM_Y], "both": [TEAM_X, ENV_P], "none": []}.items():
        emulator.service.seed(name, ["a:1"], tags=carried)
    emulator.settings.update({"tags_filter": how})
    assert api.listed(tags=tags) == found


def test_with_the_newest_first_pages_move(api: Any, emulator: Emulator) -> None:
    seed(emulator, 4)
    emulator.settings.list_order = "newest"
    first = api.find(limit=2).json()["returnObj"]
    emulator.service.seed("cache-4", ["nginx:latest"])
    assert [cache["imageCacheName"] for cache in first["imageCaches"]] == ["cache-3", "cache-2"]
    assert api.listed(limit=2, nextToken=first["nextToken"]) == ["cache-2", "cache-1"]
    for cache in emulator.service.caches()[2:]:
        emulator.service.remove(cache["imageCacheId"])
    assert api.listed() == ["cache-1", "cache-0"]


def test_the_total_can_be_left_out(api: Any, emulator: Emulator) -> None:
    seed(emulator, 3)
    emulator.settings.list_total = False
    value = api.find(limit=2).json()["returnObj"]
    assert sorted(value) == ["imageCaches", "nextToken", "requestId"]
