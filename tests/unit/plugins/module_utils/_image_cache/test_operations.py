# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import NotFound, OpenOutcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import operations
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import (
    KEYS,
    ImageCaches,
    from_wire,
    normal_tags,
)
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from tests.emulator import Emulator, Fault

FULL = {
    "imageCacheId": "imc-1",
    "imageCacheName": "web",
    "images": ["nginx:latest"],
    "imageCacheSize": 20,
    "status": "ready",
    "creationTime": "2025-01-16T09:26:44+08:00",
    "azName": "az1",
    "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}],
    "process": "p",
    "resourceGroupId": "g",
    "expireDateTime": "e",
    "lastMatchedTime": "l",
}
BARE = {"imageCacheId": "imc-1", "imageCacheName": "web"}


@pytest.fixture
def caches(client: Client) -> ImageCaches:
    return ImageCaches(client)


def names(found: list[dict[str, Any]]) -> list[str]:
    return [cache["image_cache_name"] for cache in found]


def listing(*items: Any, **fields: Any) -> Fault:
    value = {"statusCode": 200, "returnObj": {"requestId": "their-id", "imageCaches": list(items), **fields}}
    return Fault("json", "describeImageCaches", value=value)


# --- one object


def test_a_full_object() -> None:
    assert from_wire(FULL) == {
        "image_cache_id": "imc-1",
        "image_cache_name": "web",
        "images": ["nginx:latest"],
        "image_cache_size": 20,
        "status": "ready",
        "creation_time": "2025-01-16T09:26:44+08:00",
        "az_name": "az1",
        "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
        "process": "p",
        "resource_group_id": "g",
        "expire_date_time": "e",
        "last_matched_time": "l",
        "events": None,
    }


def test_what_is_missing_is_null_and_the_keys_are_always_the_same() -> None:
    cache = from_wire({**BARE, "surprise": 1, "events": [{"name": "e"}]})
    assert list(cache) == KEYS
    assert {key: value for key, value in cache.items() if value is not None} == {
        "image_cache_id": "imc-1",
        "image_cache_name": "web",
    }


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"images": "nginx"}, "images", None),
        ({"images": None}, "images", None),
        ({"images": []}, "images", []),
        ({"images": ["a", None, 5, {"b": 1}, "c"]}, "images", ["a", "c"]),
        ({"imageCacheSize": "20"}, "image_cache_size", None),
        ({"imageCacheSize": 20.5}, "image_cache_size", None),
        ({"imageCacheSize": True}, "image_cache_size", None),
        ({"imageCacheSize": 0}, "image_cache_size", 0),
        ({"status": 5}, "status", None),
        ({"status": ""}, "status", ""),
        ({"azName": ["az1"]}, "az_name", None),
        ({"tags": {"key": "a"}}, "tags", None),
        ({"tags": []}, "tags", []),
        ({"tags": ["a", {"key": "k"}, None]}, "tags", [{"key": "k", "value": ""}]),
        ({"tags": [{"key": None, "value": 5}]}, "tags", [{"key": "", "value": "5"}]),
        ({"imageCacheName": ""}, "image_cache_name", ""),
    ],
    ids=str,
)
def test_a_field_of_another_type_counts_as_not_returned(changes: dict[str, Any], key: str, value: Any) -> None:
    assert from_wire({**FULL, **changes})[key] == value


@pytest.mark.parametrize(
    "item",
    [
        None,
        "imc-1",
        5,
        [],
        [FULL],
        {},
        {"imageCacheId": "imc-1"},
        {"imageCacheName": "web"},
        {**BARE, "imageCacheId": ""},
        {**BARE, "imageCacheId": None},
        {**BARE, "imageCacheId": 5},
        {**BARE, "imageCacheName": None},
        {**BARE, "imageCacheName": ["web"]},
    ],
    ids=str,
)
def test_an_object_without_id_or_name_is_no_image_cache(item: Any) -> None:
    with pytest.raises(OpenOutcome, match="without an ID or a name") as caught:
        from_wire(item)
    assert caught.value.operation == "describeImageCaches"


def test_normal_tags_can_be_compared() -> None:
    one = normal_tags([{"key": "b"}, {"value": "x", "key": "a", "more": 1}, {"key": "a", "value": None}])
    other = normal_tags([{"key": "a", "value": ""}, {"key": "a", "value": "x"}, {"key": "b", "value": ""}])
    assert one == other
    assert one == [{"key": "a", "value": ""}, {"key": "a", "value": "x"}, {"key": "b", "value": ""}]


# --- lists


def test_every_page_is_followed(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.update({"max_page": 3})
    expected = [f"cache-{number}" for number in range(8)]
    for name in expected:
        emulator.service.seed(name, ["a"])
    assert names(caches.find()) == expected
    first, second, third = (record.body for record in emulator.sent())
    assert first == {}
    assert set(second) == set(third) == {"nextToken"}
    assert second != third


def test_the_filters_go_with_every_page(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.update({"max_page": 1})
    for name in ("one", "two"):
        emulator.service.seed(name, ["a"], tags=[{"key": "k", "value": "v"}])
    emulator.service.seed("three", ["b"])
    filters = {"images": ["a"], "tags": [{"key": "k", "value": "v"}]}
    assert names(caches.find(**filters)) == ["one", "two"]
    assert len(emulator.sent()) == 2
    for record in emulator.sent():
        assert {name: record.body[name] for name in filters} == filters


def test_no_image_cache_at_all(caches: ImageCaches, emulator: Emulator) -> None:
    assert caches.find() == []
    reply = {"requestId": "r", "imageCaches": None, "nextToken": None}
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": reply}))
    assert caches.find() == []


@pytest.mark.parametrize("reply", [{"statusCode": 200}, {"statusCode": 200, "returnObj": {}}])
def test_a_reply_without_anything_is_not_taken_for_none(caches: ImageCaches, emulator: Emulator, reply: Any) -> None:
    emulator.inject(Fault("json", value=reply))
    with pytest.raises(OpenOutcome, match="there is none in the reply"):
        caches.find()


def test_an_object_on_two_pages_counts_once_as_shown_last(caches: ImageCaches, emulator: Emulator) -> None:
    other = {**FULL, "imageCacheId": "imc-2"}
    emulator.inject(
        listing({**FULL, "status": "pending"}, other, nextToken="1.2.3"), listing(other, FULL, {**FULL, "imageCacheId": "imc-3"}, nextToken="")
    )  # fmt: skip
    found = caches.find()
    assert [cache["image_cache_id"] for cache in found] == ["imc-1", "imc-2", "imc-3"]
    assert found[0]["status"] == "ready"


def test_a_token_that_repeats_ends_the_list_with_an_error(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.service.seed("web", ["a"])
    emulator.inject(Fault("repeat_token", times=None))
    with pytest.raises(OpenOutcome, match="nextToken repeats") as caught:
        caches.find()
    assert len(emulator.sent()) == 2
    assert caught.value.operation == "describeImageCaches"
    assert caught.value.request_id


def test_a_token_that_repeats_later(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.inject(*[listing(FULL, nextToken=token) for token in ("a", "b", "c", "a")])
    with pytest.raises(OpenOutcome, match="nextToken repeats"):
        caches.find()
    assert len(emulator.sent()) == 4


@pytest.mark.parametrize("token", [5, True, ["a"], {"a": 1}, [[]]], ids=str)
def test_a_token_that_is_no_text(token: Any, caches: ImageCaches, emulator: Emulator) -> None:
    emulator.inject(listing(FULL, nextToken=token))
    with pytest.raises(OpenOutcome, match="not a text") as caught:
        caches.find()
    assert caught.value.request_id == "their-id"
    assert len(emulator.sent()) == 1


def test_pages_without_end(caches: ImageCaches, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operations.MAX_PAGES >= 1000  # the service's own limit of a page is 1000 as well
    monkeypatch.setattr(operations, "MAX_PAGES", 7)
    emulator.service.seed("web", ["a"])
    emulator.inject(Fault("endless_pages", times=None))
    with pytest.raises(OpenOutcome, match="does not end after 7 pages"):
        caches.find()
    assert len(emulator.sent()) == 7


@pytest.mark.parametrize("listed", [{}, "imc-1", 5, True, {"imageCaches": []}], ids=str)
def test_a_list_that_is_none(listed: Any, caches: ImageCaches, emulator: Emulator) -> None:
    value = {"statusCode": 200, "returnObj": {"requestId": "their-id", "imageCaches": listed}}
    emulator.inject(Fault("json", value=value))
    with pytest.raises(OpenOutcome, match="imageCaches is not a list") as caught:
        caches.find()
    assert caught.value.request_id == "their-id"


def test_a_list_with_something_odd_in_it(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.inject(listing(FULL, None))
    with pytest.raises(OpenOutcome, match="without an ID or a name"):
        caches.find()


# --- one out of many


@pytest.mark.parametrize("match", ["exact", "fuzzy"])
def test_names_are_compared_exactly(match: str, caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.update({"name_match": match, "max_page": 2})
    for name in ("web", "web-2", "my-web", "Web", "web "):
        emulator.service.seed(name, ["a"])
    assert names(caches.named("web")) == ["web"]
    assert caches.named("we") == []
    emulator.service.seed("web", ["a"])
    assert names(caches.named("web")) == ["web", "web"]


def test_a_filter_that_the_service_ignores(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.inject(listing({**FULL, "imageCacheName": "other"}, FULL))
    assert names(caches.named("web")) == ["web"]
    emulator.inject(listing({**FULL, "imageCacheId": "imc-2"}, FULL))
    found = caches.get("imc-1")
    assert found is not None
    assert found["image_cache_id"] == "imc-1"
    emulator.inject(listing({**FULL, "imageCacheId": "imc-2"}))
    assert caches.get("imc-1") is None


def test_get(caches: ImageCaches, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"])
    found = caches.get(identifier)
    assert found is not None
    assert found["image_cache_name"] == "web"
    assert emulator.sent()[0].body == {"imageCacheId": identifier}
    assert caches.get("imc-none") is None


# --- changes


BODY = {
    "imageCacheName": "web",
    "securityGroupId": "sg-test",
    "vSwitchId": "subnet-test",
    "vpcId": "vpc-test",
    "azInfo": {"azName": "az1"},
    "images": ["nginx:latest"],
}


def test_create_sends_the_body_as_it_is(caches: ImageCaches, emulator: Emulator) -> None:
    identifier, request_id = caches.create(BODY)
    (record,) = emulator.sent()
    assert record.body == BODY
    assert emulator.service.caches()[0]["imageCacheId"] == identifier
    assert request_id


@pytest.mark.parametrize("value", [None, "", 5, ["imc-1"], ...], ids=str)
def test_a_create_without_an_id_is_open(value: Any, caches: ImageCaches, emulator: Emulator) -> None:
    reply = {"requestId": "their-id", "imageCacheId": value}
    if value is ...:
        emulator.inject(Fault("no_id"))
    else:
        emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": reply}))
    with pytest.raises(OpenOutcome, match="without an imageCacheId") as caught:
        caches.create(BODY)
    assert caught.value.operation == "createImageCache"
    assert caught.value.request_id
    assert len(emulator.sent()) == 1


def test_set_tags(caches: ImageCaches, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"], tags=[{"key": "old", "value": "1"}])
    tags = [{"key": "new", "value": "2"}]
    assert caches.set_tags(identifier, tags)
    assert emulator.sent()[0].body == {"imageCacheId": identifier, "tags": tags}
    assert emulator.service.caches()[0]["tags"] == tags
    caches.set_tags(identifier, [])
    assert emulator.service.caches()[0]["tags"] == []


def test_delete(caches: ImageCaches, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"])
    assert caches.delete(identifier)
    assert emulator.service.caches() == []
    with pytest.raises(NotFound):
        caches.delete(identifier)


# --- events


def test_events_in_the_words_of_the_options(caches: ImageCaches, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"])
    events = caches.events(identifier)
    assert [event["message"] for event in events][:3] == [
        "[ImageCache] created",
        "[ImageCache] init",
        "[ImageCache] creating resource",
    ]
    assert set(events[0]) == {"name", "type", "message", "count", "first_timestamp", "last_timestamp"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ("x", []),
        ({"name": "e"}, []),
        ([], []),
        (
            [None, "x", {"name": "e", "lastTimestamp": 1, "new": None}],
            [{"name": "e", "last_timestamp": 1, "new": None}],
        ),
    ],
    ids=str,
)
def test_odd_events(value: Any, found: list[Any], caches: ImageCaches, emulator: Emulator) -> None:
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": {**FULL, "events": value}}))
    assert caches.events("imc-1") == found
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": FULL}))
    assert caches.events("imc-1") == []


# --- tags that are not shown

TAG = {"key": "team", "value": "web"}


@pytest.mark.parametrize(
    ("carried", "filtering", "answer"),
    [
        pytest.param([TAG], True, True, id="carries"),
        pytest.param([TAG, {"key": "more", "value": "1"}], True, True, id="carries-more"),
        pytest.param([{**TAG, "value": "other"}], True, False, id="another-value"),
        pytest.param([], True, False, id="none"),
        pytest.param([TAG], False, None, id="carries-but-filter-ignored"),
        pytest.param([], False, None, id="filter-ignored"),
    ],
)
def test_carries(
    carried: list[Any], filtering: bool, answer: bool | None, caches: ImageCaches, emulator: Emulator
) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": filtering})
    identifier = emulator.service.seed("web", ["a"], tags=carried)
    emulator.service.seed("other", ["a"], tags=[TAG])
    assert caches.carries(identifier, [TAG]) is answer
    assert len(emulator.sent()) == (1 if answer is False else 2)
    assert all(record.body["imageCacheId"] == identifier for record in emulator.sent())


def test_the_second_question_is_about_tags_that_nobody_has(caches: ImageCaches, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"], tags=[TAG])
    for _time in range(2):
        caches.carries(identifier, [TAG])
    asked = [record.body["tags"] for record in emulator.sent()]
    assert asked[0] == asked[2] == [TAG]
    assert asked[1] != asked[3]
    assert TAG not in asked[1] + asked[3]


def test_carrying_many(caches: ImageCaches, emulator: Emulator) -> None:
    one = emulator.service.seed("one", ["a"], tags=[TAG])
    two = emulator.service.seed("two", ["a"], tags=[TAG, {"key": "x", "value": "y"}])
    emulator.service.seed("three", ["a"])
    assert caches.carrying([TAG]) == {one, two}
    assert caches.carrying([TAG], imageCacheName="two") == {two}
    assert caches.carrying([{"key": "none", "value": ""}]) == set()
    emulator.settings.update({"tags_filter": False})
    assert caches.carrying([TAG]) is None


def test_an_error_of_a_list_is_an_error_here(make_client: Callable[..., Client], emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=500, times=None))
    with pytest.raises(OpenOutcome):
        ImageCaches(make_client(retries=0)).named("web")
