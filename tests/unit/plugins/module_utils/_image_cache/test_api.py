# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import POSSIBLE, NotFound, StateConflict, Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import api as operations
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi, Listing, find_carriers
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, A, B, MakeClient, seed

FULL = {"imageCacheId": "imc-1", "imageCacheName": "web", "images": ["nginx:latest"], "status": "ready"}


@pytest.fixture
def caches(client: Client) -> ImageCachesApi:
    return ImageCachesApi(client)


def names(found: Listing | list[ImageCache]) -> list[str | None]:
    caches = found.caches if isinstance(found, Listing) else found
    return [cache.image_cache_name for cache in caches]


def listing(*items: Any, **fields: Any) -> Fault:
    value = {"statusCode": 200, "returnObj": {"requestId": "their-id", "imageCaches": list(items), **fields}}
    return Fault("json", "describeImageCaches", value=value)


# --- lists


def test_every_page_is_followed(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.update({"max_page": 3})
    expected = [f"cache-{number}" for number in range(8)]
    for name in expected:
        emulator.service.seed(name, ["a"])
    assert names(caches.find()) == expected
    first, second, third = (record.body for record in emulator.sent())
    assert first == {}
    assert set(second) == set(third) == {"nextToken"}
    assert second != third


def test_the_filters_go_with_every_page(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.update({"max_page": 1})
    for name in ("one", "two"):
        emulator.service.seed(name, ["a"], tags=[{"key": "k", "value": "v"}])
    emulator.service.seed("three", ["b"])
    filters = {"images": ["a"], "tags": [{"key": "k", "value": "v"}]}
    assert names(caches.find(**filters)) == ["one", "two"]
    assert len(emulator.sent()) == 2
    for record in emulator.sent():
        assert {name: record.body[name] for name in filters} == filters


def test_no_image_cache_at_all(caches: ImageCachesApi, emulator: Emulator) -> None:
    assert caches.find() == ([], True, 0, False)
    reply = {"requestId": "r", "imageCaches": None, "nextToken": None}
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": reply}))
    assert caches.find() == ([], True, 0, False)


@pytest.mark.parametrize("reply", [{"statusCode": 200}, {"statusCode": 200, "returnObj": {}}])
def test_a_reply_without_anything_is_not_taken_for_none(caches: ImageCachesApi, emulator: Emulator, reply: Any) -> None:
    emulator.inject(Fault("json", value=reply))
    with pytest.raises(Unanswered, match="it has no imageCaches"):
        caches.find()


def test_an_object_on_two_pages_counts_once_as_shown_last(caches: ImageCachesApi, emulator: Emulator) -> None:
    other = {**FULL, "imageCacheId": "imc-2"}
    emulator.inject(
        listing({**FULL, "status": "pending"}, other, nextToken="1.2.3"), listing(other, FULL, {**FULL, "imageCacheId": "imc-3"}, nextToken="")
    )  # fmt: skip
    found = caches.find().caches
    assert [cache.image_cache_id for cache in found] == ["imc-1", "imc-2", "imc-3"]
    assert found[0].status == "ready"


def test_a_token_that_repeats_ends_the_list_with_an_error(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.service.seed("web", ["a"])
    emulator.inject(Fault("repeat_token", times=None))
    with pytest.raises(Unanswered, match="nextToken repeats") as caught:
        caches.find()
    assert len(emulator.sent()) == 2
    assert caught.value.operation == "describeImageCaches"
    assert caught.value.request_id


def test_a_token_that_repeats_later(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(*[listing(FULL, nextToken=token) for token in ("a", "b", "c", "a")])
    with pytest.raises(Unanswered, match="nextToken repeats"):
        caches.find()
    assert len(emulator.sent()) == 4


@pytest.mark.parametrize("token", [5, True, ["a"], {"a": 1}, [[]]], ids=str)
def test_a_token_that_is_no_text(token: Any, caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(listing(FULL, nextToken=token))
    with pytest.raises(Unanswered, match="not a string") as caught:
        caches.find()
    assert caught.value.request_id == "their-id"
    assert len(emulator.sent()) == 1


def test_pages_without_end(caches: ImageCachesApi, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operations.MAX_PAGES >= 1000  # the service's own limit of a page is 1000 as well
    monkeypatch.setattr(operations, "MAX_PAGES", 7)
    emulator.service.seed("web", ["a"])
    emulator.inject(Fault("endless_pages", times=None))
    with pytest.raises(Unanswered, match="does not end after 7 pages"):
        caches.find()
    assert len(emulator.sent()) == 7


@pytest.mark.parametrize("listed", [{}, "imc-1", 5, True, {"imageCaches": []}], ids=str)
def test_a_list_that_is_none(listed: Any, caches: ImageCachesApi, emulator: Emulator) -> None:
    value = {"statusCode": 200, "returnObj": {"requestId": "their-id", "imageCaches": listed}}
    emulator.inject(Fault("json", value=value))
    with pytest.raises(Unanswered, match="imageCaches is not a list") as caught:
        caches.find()
    assert caught.value.request_id == "their-id"


# --- lists that are not complete


def test_a_list_in_one_reply_is_complete(caches: ImageCachesApi, emulator: Emulator) -> None:
    seed(emulator)
    assert caches.find().complete
    emulator.inject(listing(FULL, total=1))
    assert caches.find().complete
    emulator.inject(listing(FULL, total=7))
    assert not caches.find().complete
    assert len(emulator.sent()) == 3


def test_a_list_in_several_replies_is_not(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.max_page = 2
    for number in range(4):
        seed(emulator, f"cache-{number}")
    assert caches.find() == (caches.find().caches, False, 0, False)
    assert len(emulator.sent()) == 4


def test_a_list_that_does_not_count_what_it_says_is_read_again(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.update({"max_page": 2, "list_order": "newest"})
    for number in range(4):
        seed(emulator, f"cache-{number}")
    emulator.before = lambda record: seed(emulator, "new") if record.index == 1 else None
    assert sorted(map(str, names(caches.find()))) == ["cache-0", "cache-1", "cache-2", "cache-3", "new"]
    assert len(emulator.sent()) > 3


def test_a_list_that_never_counts_what_it_says_has_an_end(caches: ImageCachesApi, emulator: Emulator) -> None:
    pages = [listing(FULL, nextToken="t", total=9), listing({**FULL, "imageCacheId": "imc-2"}, total=9)]
    emulator.inject(*pages * operations.READINGS)
    assert names(caches.find()) == ["web", "web"]
    assert len(emulator.sent()) == 2 * operations.READINGS


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        ({"imageCacheName": "x"}, ["web"]),
        (None, ["web"]),
        ({"imageCacheId": "imc-2"}, ["web", None]),
        ({"imageCacheId": "imc-2", "imageCacheName": 5}, ["web", None]),
    ],
    ids=str,
)
def test_an_odd_object_does_not_hide_the_others(
    odd: Any, shown: list[str | None], caches: ImageCachesApi, emulator: Emulator
) -> None:
    emulator.inject(listing(FULL, odd, total=2))
    found = caches.find()
    assert len(emulator.sent()) == 1
    assert (names(found), found.complete, found.unreadable) == (shown, False, 1)


def test_a_name_that_an_odd_object_may_have_is_not_called_missing(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(listing({"imageCacheId": "imc-2"}), listing({"imageCacheId": "imc-2"}), listing(FULL, None))
    with pytest.raises(StateConflict, match="so 'web' may exist"):
        caches.named("web")
    assert names(caches.named("web")) == ["web"]


def test_a_name_that_one_list_did_not_show_is_found_in_the_next(caches: ImageCachesApi, emulator: Emulator) -> None:
    seed(emulator)
    emulator.inject(Fault("nameless"))
    assert names(caches.named("web")) == ["web"]


def test_a_count_that_is_no_number_says_nothing(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(listing(FULL, nextToken="t", total="9"), listing({**FULL, "imageCacheId": "imc-2"}, total="9"))
    assert len(caches.find().caches) == 2
    assert len(emulator.sent()) == 2


def test_a_name_is_looked_for_twice_if_the_list_was_not_complete(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.update({"name_match": "fuzzy", "max_page": 1})
    for number in range(3):
        seed(emulator, f"web-{number}")
    assert caches.named("web") == []
    assert len(emulator.sent()) == 6


def test_an_id_that_an_odd_object_may_have_is_not_called_missing(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(*[listing(None)] * 2)
    with pytest.raises(Unanswered, match="without an ID in reply to imc-1"):
        caches.get("imc-1")
    emulator.inject(*[listing({"imageCacheId": "imc-2"})] * 2)
    assert caches.get("imc-1") is None
    emulator.inject(listing({"imageCacheId": "imc-1"}))
    assert caches.get("imc-1") == ImageCache("imc-1")


@pytest.mark.parametrize("name", ["web", "other"])
def test_a_name_that_a_short_list_lacks_is_looked_for_in_all(
    name: str, caches: ImageCachesApi, emulator: Emulator
) -> None:
    seed(emulator, name)
    emulator.inject(*[listing(total=1)] * 2)
    assert names(caches.named("web")) == [name] * (name == "web")
    assert [set(record.body) for record in emulator.sent()] == [{"imageCacheName"}, {"imageCacheName"}, set()]


def test_a_name_is_not_called_missing_where_all_lists_are_short(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(*[listing(total=1)] * 4)
    with pytest.raises(StateConflict, match="lists fewer image caches than its total says, so 'web' may exist"):
        caches.named("web")


# --- one out of many


@pytest.mark.parametrize("match", ["exact", "fuzzy"])
def test_names_are_compared_exactly(match: str, caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.update({"name_match": match, "max_page": 2})
    for name in ("web", "web-2", "my-web", "Web", "web "):
        emulator.service.seed(name, ["a"])
    assert names(caches.named("web")) == ["web"]
    assert caches.named("we") == []
    emulator.service.seed("web", ["a"])
    assert names(caches.named("web")) == ["web", "web"]


def test_a_filter_that_the_service_ignores(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(listing({**FULL, "imageCacheName": "other"}, FULL))
    assert names(caches.named("web")) == ["web"]
    emulator.inject(listing({**FULL, "imageCacheId": "imc-2"}, FULL))
    found = caches.get("imc-1")
    assert found is not None
    assert found.image_cache_id == "imc-1"
    emulator.inject(listing({**FULL, "imageCacheId": "imc-2"}))
    assert caches.get("imc-1") is None


def test_get(caches: ImageCachesApi, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"])
    found = caches.get(identifier)
    assert found is not None
    assert found.image_cache_name == "web"
    assert emulator.sent()[0].body == {"imageCacheId": identifier}
    assert caches.get("imc-none") is None


# --- changes


def test_create_sends_the_body_as_it_is(caches: ImageCachesApi, emulator: Emulator) -> None:
    identifier, request_id = caches.create(BODY)
    (record,) = emulator.sent()
    assert record.body == BODY
    assert emulator.service.caches()[0]["imageCacheId"] == identifier
    assert request_id


@pytest.mark.parametrize("value", [None, "", 5, ["imc-1"], "imc\n1", ...], ids=ascii)
def test_a_create_without_an_id_is_open(value: Any, caches: ImageCachesApi, emulator: Emulator) -> None:
    reply = {"requestId": "their-id", "imageCacheId": value}
    if value is ...:
        emulator.inject(Fault("no_id"))
    else:
        emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": reply}))
    with pytest.raises(Unanswered, match="has no imageCacheId") as caught:
        caches.create(BODY)
    assert (caught.value.operation, caught.value.effect) == ("createImageCache", POSSIBLE)
    assert caught.value.request_id
    assert len(emulator.sent()) == 1


def test_set_tags(caches: ImageCachesApi, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"], tags=[{"key": "old", "value": "1"}])
    tags = [{"key": "new", "value": "2"}]
    assert caches.set_tags(identifier, tags)
    assert emulator.sent()[0].body == {"imageCacheId": identifier, "tags": tags}
    assert emulator.service.caches()[0]["tags"] == tags
    caches.set_tags(identifier, [])
    assert emulator.service.caches()[0]["tags"] == []


def test_delete(caches: ImageCachesApi, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["a"])
    assert caches.delete(identifier)
    assert emulator.service.caches() == []
    with pytest.raises(NotFound):
        caches.delete(identifier)


# --- events


def test_events_in_the_words_of_the_options(caches: ImageCachesApi, emulator: Emulator) -> None:
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
def test_odd_events(value: Any, found: list[Any], caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": {**FULL, "events": value}}))
    assert caches.events("imc-1") == found
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": FULL}))
    assert caches.events("imc-1") == []


def test_events_without_secrets(make_client: MakeClient, emulator: Emulator) -> None:
    caches = ImageCachesApi(make_client(redact=lambda text: text.replace("planted-secret", "***")))
    event = {
        "message": "login with planted-secret failed",
        "count": 2,
        "detail": [{"planted-secret": ["planted-secret", None]}],
    }
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": {**FULL, "events": [event]}}))
    detail = [{"***": ["***", None]}]
    assert caches.events("imc-1") == [{"message": "login with *** failed", "count": 2, "detail": detail}]


def test_fields_that_may_say_anything_have_no_secrets(make_client: MakeClient, emulator: Emulator) -> None:
    caches = ImageCachesApi(make_client(redact=lambda text: re.sub("planted-secret|ready", "***", text)))
    odd = {"status": "error: planted-secret", "process": "user:planted-secret"}
    emulator.inject(listing({**FULL, **odd}, {**FULL, "imageCacheId": "imc-2"}))
    found = [(cache.status, cache.process) for cache in caches.find().caches]
    assert found == [("error: ***", "user:***"), ("ready", None)]


def test_an_error_of_a_list_is_an_error_here(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=500, times=None))
    with pytest.raises(Unanswered):
        ImageCachesApi(make_client(retries=0)).named("web")


# --- tags that no reply shows


A2 = {"key": "a", "value": "2"}


@pytest.mark.parametrize("tags_filter", ["all", "any", "key", "off"])
@pytest.mark.parametrize(
    ("carried", "asked", "carries"),
    [
        ([A], [A], True),
        ([A, B], [A], True),
        ([A, B], [A, B], True),
        ([A2], [A], False),
        ([B], [A], False),
        ([], [A], False),
        ([A], [A, B], False),
        ([A2, B], [A, B], False),
    ],
    ids=str,
)
def test_no_filter_proves_what_is_not_there(
    tags_filter: str, carried: list[Any], asked: list[Any], carries: bool, caches: ImageCachesApi, emulator: Emulator
) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": tags_filter})
    cache = ImageCache(seed(emulator, tags=carried))
    seed(emulator, "other", tags=asked)
    found = find_carriers(caches, asked, 2)
    proven = all(cache.id in found.get((tag["key"], tag["value"]), ()) for tag in asked)
    assert proven is (carries and tags_filter in ("all", "any"))


def test_each_key_and_each_tag_is_asked_for_once(caches: ImageCachesApi, emulator: Emulator) -> None:
    emulator.settings.tags_shown = False
    cache = ImageCache(seed(emulator, tags=[A, B]))
    found = find_carriers(caches, [A, B, A, A2, {"key": "c", "value": ""}], 1)
    asked = [record.body["tags"][0] for record in emulator.sent()]
    assert asked[:3] == [A, A2, B]
    assert [(tag["key"], len(tag["value"])) for tag in asked[3:]] == [("a", 32), ("b", 32)]
    assert found == {("a", "1"): {cache.id}, ("b", "1"): {cache.id}}


@pytest.mark.parametrize(
    ("skip", "kind", "details"),
    [(0, "idless", {}), (0, "status", {"status": 403, "reason": "Forbidden"}), (1, "status", {"status": 500})],
)
def test_a_request_that_fails_proves_nothing(
    skip: int, kind: str, details: dict[str, Any], make_client: MakeClient, emulator: Emulator
) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, tags=[A])
    emulator.inject(Fault(kind, skip=skip, **details))
    found = find_carriers(ImageCachesApi(make_client(retries=0)), [A], 1)
    assert not found.get(("a", "1"))


@pytest.mark.parametrize(("tags_filter", "number", "skip"), [("all", 2, 0), ("key", 1, 1)])
def test_an_object_without_an_id_proves_nothing(
    tags_filter: str, number: int, skip: int, caches: ImageCachesApi, emulator: Emulator
) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": tags_filter})
    for _number in range(number):
        seed(emulator, tags=[A])
    emulator.inject(Fault("idless", skip=skip))
    assert find_carriers(caches, [A], 1) == {}
