# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache_info import (
    EVENT_READERS,
    TASK,
    find_image_caches,
)
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import A, MakeClient, seed
from tests.unit.plugins.tasks import lines, run


def found_by(client: Client, **filters: Any) -> list[str | None]:
    found, _warnings = find_image_caches(filters, client, events=False)
    return [cache.image_cache_name for cache in found]


def with_events(client: Client) -> list[ImageCache]:
    return find_image_caches({}, client, events=True)[0]


@pytest.fixture
def seeded(emulator: Emulator) -> Emulator:
    emulator.service.seed("web", ["nginx", "redis"], tags=[{"key": "team", "value": "a"}], imageCacheId="imc-1")
    emulator.service.seed("web-2", ["nginx"], imageCacheId="imc-2")
    emulator.service.seed("db", ["redis"], tags=[{"key": "team", "value": "a"}], imageCacheId="imc-3")
    return emulator


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["web", "web-2", "db"]),
        ({"imageCacheName": "web"}, ["web"]),
        ({"imageCacheName": "we"}, []),
        ({"imageCacheId": "imc-3"}, ["db"]),
        ({"imageCacheId": "imc-9"}, []),
        ({"imageCacheId": "imc-1", "imageCacheName": "db"}, []),
        ({"images": ["redis"]}, ["web", "db"]),
        ({"images": ["redis", "nginx"]}, ["web"]),
        ({"tags": [{"key": "team", "value": "a"}]}, ["web", "db"]),
        ({"tags": [{"key": "team"}]}, ["web", "db"]),
    ],
    ids=str,
)
def test_filters(filters: dict[str, Any], found: list[str], client: Client, seeded: Emulator) -> None:
    seeded.settings.update({"name_match": "fuzzy"})
    assert found_by(client, **filters) == found
    (record,) = seeded.sent()
    assert record.body == filters


def test_every_page(client: Client, seeded: Emulator) -> None:
    seeded.settings.update({"max_page": 1})
    assert found_by(client) == ["web", "web-2", "db"]
    assert len(seeded.sent()) == 3


def test_a_service_that_ignores_the_filters(client: Client, emulator: Emulator) -> None:
    items = [{"imageCacheId": f"imc-{name}", "imageCacheName": name} for name in ("web", "db")]
    value = {"statusCode": 200, "returnObj": {"imageCaches": items}}
    emulator.inject(Fault("json", value=value, times=None))
    assert found_by(client, imageCacheName="web") == ["web"]
    assert found_by(client, imageCacheId="imc-db") == ["db"]


def test_events_of_each_in_the_order_of_the_list(client: Client, emulator: Emulator) -> None:
    expected = [f"cache-{number}" for number in range(25)]
    for name in expected:
        emulator.service.seed(name, [f"image-of-{name}"])
    found = with_events(client)
    assert [cache.image_cache_name for cache in found] == expected
    for cache in found:
        messages = [event["message"] for event in cache.events or []]
        assert f"[ImageCache] pulled image image-of-{cache.image_cache_name}" in messages
    assert len(emulator.sent("describeImageCache")) == 25
    assert emulator.connections <= EVENT_READERS * 3


def test_events_over_kept_connections(make_client: MakeClient, emulator: Emulator) -> None:
    for number in range(25):
        emulator.service.seed(f"cache-{number}", ["a"])
    with_events(make_client(pool_size=EVENT_READERS))
    assert emulator.connections <= EVENT_READERS


def test_no_events_are_asked_for_where_there_is_nothing(client: Client, emulator: Emulator) -> None:
    assert with_events(client) == []
    assert [record.operation for record in emulator.sent()] == ["describeImageCaches"]


def test_events_are_null_unless_asked_for(client: Client, seeded: Emulator) -> None:
    assert [cache.events for cache in find_image_caches({}, client, events=False)[0]] == [None] * 3


def test_an_image_cache_that_goes_away_before_its_events_are_read(client: Client, seeded: Emulator) -> None:
    seeded.inject(Fault("status", "describeImageCache", status=404))
    found = with_events(client)
    # gone, or there without events: one that was deleted by somebody else does not spoil the others
    assert len([cache for cache in found if cache.events]) == 2


@pytest.mark.parametrize("times", [1, None])
@pytest.mark.parametrize("operation", ["describeImageCaches", "describeImageCache"])
def test_an_error_of_either_read(operation: str, times: Any, make_client: MakeClient, seeded: Emulator) -> None:
    seeded.inject(Fault("status", operation, status=500, times=times))
    with pytest.raises(EciError) as caught:
        with_events(make_client(retries=0))
    assert isinstance(caught.value, Unanswered)
    assert caught.value.operation == operation


def test_what_cannot_be_shown_is_a_warning(client: Client, emulator: Emulator) -> None:
    items = [{"imageCacheId": "imc-1", "imageCacheName": "web"}, {"imageCacheName": "db"}, {"imageCacheId": "imc-3"}]
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": items}}))
    found, warnings = find_image_caches({}, client, events=False)
    assert [cache.image_cache_id for cache in found] == ["imc-1", "imc-3"]
    assert warnings == ["The service lists 1 image cache(s) without an ID, which cannot be shown."]


# --- the task

ALL = "must not be empty; leave it out to list all"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"image_cache_id": None}, [f"image_cache_id: {ALL}"]),
        ({"imageCacheId": ""}, [f"imageCacheId: {ALL}"]),
        ({"name": None}, [f"name: {ALL}"]),
        ({"image_cache_name": ""}, [f"image_cache_name: {ALL}"]),
        ({"images": None}, [f"images: {ALL}"]),
        ({"images": []}, [f"images: {ALL}"]),
        ({"images": ""}, ["images: value is empty"]),
        ({"images": ["a", ""]}, [f"images[1]: {ALL}"]),
        ({"tags": None}, [f"tags: {ALL}"]),
        ({"tags": []}, [f"tags: {ALL}"]),
        ({"tags": [{}]}, [f"tags[0]: {ALL}"]),
        ({"tags": [A, {"key": "", "value": None}]}, [f"tags[1]: {ALL}"]),
        ({"tags": [{"value": "x"}]}, ["tags[0].key: is required"]),
        ({"tags": [{"key": None, "value": "x"}]}, ["tags[0].key: is required"]),
        *(
            ({"tags": [{"key": "a", "value": no}]}, ["tags[0].value: must not be empty; leave it out to match"])
            for no in ("", None)
        ),
        ({"tags": [A, {"key": "a", "value": "2"}]}, ["tags[1].key: is the same as in tags[0]"]),
        ({"tags": [5], "images": {"a": 1}}, ["images: must be a list", "tags[0]: must be a mapping"]),
        ({"name": "we\0b"}, ["name: must not contain a control character"]),
        ({"name": "web "}, ["name: ends with a line feed or a space"]),
        ({"name": "web", "imageCacheName": None}, ["imageCacheName: is given twice, also as name"]),
        ({"name": "web", "image_cache_id": "imc-1", "images": ["a"], "tags": [{"key": "a"}], "events": None}, []),
        ({}, []),
    ],
)
def test_an_empty_filter_never_means_everything(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(TASK, **given)
    assert len(found) == len(expected)
    assert all(line.startswith(text) for line, text in zip(sorted(found), expected, strict=True))


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("option", ["image_cache_id", "imageCacheId", "image_cache_name", "name"])
@pytest.mark.parametrize("more", [{}, {"events": True}, {"tags": [A]}])
def test_what_is_not_made_in_check_mode_is_not_found(
    more: dict[str, Any], option: str, nothing: str | None, client: Client, emulator: Emulator
) -> None:
    result = run(TASK, client, True, **{option: nothing, **more})
    assert result.values == {"changed": False, "image_caches": []}
    assert emulator.requests == []


@pytest.mark.parametrize("given", [{"images": []}, {"images": None}, {"tags": None}, {"tags": [{}]}])
def test_other_empty_filters_are_refused_in_check_mode_as_well(given: dict[str, Any]) -> None:
    assert lines(TASK, True, name="", **given) == lines(TASK, **given) != []


def test_reading_image_caches(client: Client, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"], tags=[{"key": "team", "value": "x"}])
    seed(emulator, "db")
    for given, expected in (
        ({"name": "web"}, [identifier]),
        ({"imageCacheId": identifier}, [identifier]),
        ({"imageCacheId": identifier, "name": "db"}, []),
        ({"tags": [{"key": "team"}]}, [identifier]),
    ):
        result = run(TASK, client, **given).values
        assert (result["changed"], [cache["image_cache_id"] for cache in result["image_caches"]]) == (False, expected)
