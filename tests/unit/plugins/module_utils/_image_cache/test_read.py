# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, OpenOutcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import read
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from tests.emulator import Emulator, Fault

NOTHING: dict[str, Any] = {
    "image_cache_id": None,
    "image_cache_name": None,
    "images": None,
    "tags": None,
    "events": False,
}


def found_by(client: Client, **arguments: Any) -> list[str]:
    return [cache["image_cache_name"] for cache in read.image_caches({**NOTHING, **arguments}, client)]


@pytest.fixture
def seeded(emulator: Emulator) -> Emulator:
    emulator.service.seed("web", ["nginx", "redis"], tags=[{"key": "team", "value": "a"}], imageCacheId="imc-1")
    emulator.service.seed("web-2", ["nginx"], imageCacheId="imc-2")
    emulator.service.seed("db", ["redis"], tags=[{"key": "team", "value": "a"}], imageCacheId="imc-3")
    return emulator


@pytest.mark.parametrize(
    ("arguments", "filters", "found"),
    [
        ({}, {}, ["web", "web-2", "db"]),
        ({"image_cache_id": "", "image_cache_name": "", "images": [], "tags": []}, {}, ["web", "web-2", "db"]),
        ({"image_cache_name": "web"}, {"imageCacheName": "web"}, ["web"]),
        ({"image_cache_name": "we"}, {"imageCacheName": "we"}, []),
        ({"image_cache_id": "imc-3"}, {"imageCacheId": "imc-3"}, ["db"]),
        ({"image_cache_id": "imc-9"}, {"imageCacheId": "imc-9"}, []),
        ({"image_cache_id": "imc-1", "image_cache_name": "db"}, {"imageCacheId": "imc-1", "imageCacheName": "db"}, []),
        ({"images": ["redis"]}, {"images": ["redis"]}, ["web", "db"]),
        ({"images": ["redis", "nginx"]}, {"images": ["redis", "nginx"]}, ["web"]),
        ({"tags": [{"key": "team", "value": "a"}]}, {"tags": [{"key": "team", "value": "a"}]}, ["web", "db"]),
    ],
    ids=str,
)
def test_filters(
    arguments: dict[str, Any], filters: dict[str, Any], found: list[str], client: Client, seeded: Emulator
) -> None:
    seeded.settings.update({"name_match": "fuzzy"})
    assert found_by(client, **arguments) == found
    (record,) = seeded.sent()
    assert record.body == filters


@pytest.mark.parametrize("tags", [[{"key": "team", "value": None}], [{"key": "team"}]])
def test_a_tag_without_a_value_looks_for_its_key(tags: list[Any], client: Client, seeded: Emulator) -> None:
    # Ansible gives a suboption that the task leaves out as null, and null is no value of the API
    assert found_by(client, tags=tags) == ["web", "db"]
    assert seeded.sent()[0].body == {"tags": [{"key": "team"}]}


def test_every_page(client: Client, seeded: Emulator) -> None:
    seeded.settings.update({"max_page": 1})
    assert found_by(client) == ["web", "web-2", "db"]
    assert len(seeded.sent()) == 3


def test_a_service_that_ignores_the_filters(client: Client, emulator: Emulator) -> None:
    items = [{"imageCacheId": f"imc-{name}", "imageCacheName": name} for name in ("web", "db")]
    value = {"statusCode": 200, "returnObj": {"imageCaches": items}}
    emulator.inject(Fault("json", value=value, times=None))
    assert found_by(client, image_cache_name="web") == ["web"]
    assert found_by(client, image_cache_id="imc-db") == ["db"]


def test_events_of_each_in_the_order_of_the_list(client: Client, emulator: Emulator) -> None:
    expected = [f"cache-{number}" for number in range(25)]
    for name in expected:
        emulator.service.seed(name, [f"image-of-{name}"])
    found = read.image_caches({**NOTHING, "events": True}, client)
    assert [cache["image_cache_name"] for cache in found] == expected
    for cache in found:
        messages = [event["message"] for event in cache["events"]]
        assert f"[ImageCache] pulled image image-of-{cache['image_cache_name']}" in messages
    assert len(emulator.sent("describeImageCache")) == 25
    assert emulator.connections <= read.EVENT_READERS * 3


def test_events_over_kept_connections(make_client: Callable[..., Client], emulator: Emulator) -> None:
    for number in range(25):
        emulator.service.seed(f"cache-{number}", ["a"])
    read.image_caches({**NOTHING, "events": True}, make_client(pool_size=read.EVENT_READERS))
    assert emulator.connections <= read.EVENT_READERS


def test_no_events_are_asked_for_where_there_is_nothing(client: Client, emulator: Emulator) -> None:
    assert found_by(client, events=True) == []
    assert [record.operation for record in emulator.sent()] == ["describeImageCaches"]


def test_events_are_null_unless_asked_for(client: Client, seeded: Emulator) -> None:
    assert [cache["events"] for cache in read.image_caches(NOTHING, client)] == [None] * 3


def test_an_image_cache_that_goes_away_before_its_events_are_read(client: Client, seeded: Emulator) -> None:
    seeded.inject(Fault("status", "describeImageCache", status=404))
    found = read.image_caches({**NOTHING, "events": True}, client)
    # gone, or there without events: one that was deleted by somebody else does not spoil the others
    assert len([cache for cache in found if cache["events"]]) == 2


@pytest.mark.parametrize("operation", ["describeImageCaches", "describeImageCache"])
def test_an_error_of_either_read_is_the_error(
    operation: str, make_client: Callable[..., Client], seeded: Emulator
) -> None:
    seeded.inject(Fault("status", operation, status=500, times=None))
    with pytest.raises(EciError) as caught:
        read.image_caches({**NOTHING, "events": True}, make_client(retries=0))
    assert isinstance(caught.value, OpenOutcome)
    assert caught.value.operation == operation
