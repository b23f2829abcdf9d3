# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import (
    DELETED,
    DELETING,
    FAILED,
    PENDING,
    READY,
    ImageCache,
    from_wire,
    ids,
    meaning,
    normal_tags,
    predicted,
    remaining,
)
from tests.unit.plugins.emulated import BODY, A

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


def shown(item: Any) -> dict[str, Any]:
    cache = from_wire(item)
    assert cache is not None
    return cache.as_dict()


def test_a_full_object() -> None:
    assert shown(FULL) == {
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
    cache = shown({**BARE, "surprise": 1, "events": [{"name": "e"}]})
    assert list(cache) == list(shown(FULL))
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
        ({"status": ""}, "status", None),
        ({"azName": ["az1"]}, "az_name", None),
        ({"tags": {"key": "a"}}, "tags", None),
        ({"tags": []}, "tags", []),
        ({"tags": ["a", {"key": "k"}, None]}, "tags", [{"key": "k", "value": ""}]),
        ({"tags": [{"key": None, "value": 5}]}, "tags", [{"key": "", "value": "5"}]),
        ({"imageCacheName": ""}, "image_cache_name", None),
        ({"imageCacheName": ["web"]}, "image_cache_name", None),
    ],
    ids=str,
)
def test_a_field_of_another_type_counts_as_not_returned(changes: dict[str, Any], key: str, value: Any) -> None:
    assert shown({**FULL, **changes})[key] == value


@pytest.mark.parametrize(
    "item",
    [
        None,
        "imc-1",
        5,
        [],
        [FULL],
        {},
        {"imageCacheName": "web"},
        {**BARE, "imageCacheId": ""},
        {**BARE, "imageCacheId": None},
        {**BARE, "imageCacheId": 5},
        {**BARE, "imageCacheId": "imc-1\x1b[2J"},
    ],
    ids=ascii,
)
def test_an_object_without_an_id_is_no_image_cache(item: Any) -> None:
    assert from_wire(item) is None


def test_normal_tags_can_be_compared() -> None:
    one = normal_tags([{"key": "b"}, {"value": "x", "key": "a", "more": 1}, {"key": "a", "value": None}])
    other = normal_tags([{"key": "a", "value": ""}, {"key": "a", "value": "x"}, {"key": "b", "value": ""}])
    assert one == other
    assert one == [{"key": "a", "value": ""}, {"key": "a", "value": "x"}, {"key": "b", "value": ""}]


def test_what_a_body_leads_to() -> None:
    assert predicted({**BODY, "tags": [A], "retentionDays": 3}) == ImageCache(
        image_cache_name="web", images=["nginx:latest"], image_cache_size=40, az_name="az1", tags=[A]
    )
    assert predicted({}) == ImageCache()
    assert predicted({"tags": []}).tags is None


def test_an_image_cache_does_not_change() -> None:
    cache = ImageCache("imc-1", tags=[A])
    with pytest.raises(FrozenInstanceError):
        cache.status = "ready"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("status", "ready", "failed", "going", "deletion_failed"),
    [
        ("DeleteFailed", False, True, False, True),
        ("TERMINATE-ERROR", False, True, False, True),
        ("deletingFailed", False, True, False, True),
        ("create_failed", False, True, False, False),
        ("ready", True, False, False, False),
        ("failed", False, True, False, False),
        ("deleting", False, False, True, False),
        ("delete_failed", False, True, False, True),
        (None, False, False, False, False),
    ],
)
def test_what_its_status_means(
    status: str | None, ready: bool, failed: bool, going: bool, deletion_failed: bool
) -> None:
    cache = ImageCache(status=status)
    assert (cache.is_ready, cache.has_failed, cache.is_deleting, cache.deletion_failed) == (
        ready,
        failed,
        going,
        deletion_failed,
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T08:00:00Z",
        "2026-11-30T16:00:00+08:00",
        "2026-11-30T16:00:00+0800",
        "2026-11-30 08:00:00",
        "2026-11-30 08:00:00 UTC",
        " 2026-11-30T08:00:00Z ",
        "2026-11-30T08:00:00.000000000Z",
        "2026-11-30T16:00:00.0+08:00",
        "2026-11-29T20:00:00.0-1200",
        "1796025600000",
        "1796025600",
        "Mon, 30 Nov 2026 08:00:00 GMT",
        "Mon, 30 Nov 2026 16:00:00 +0800",
    ],
)
def test_the_forms_of_a_time(text: str) -> None:
    assert ImageCache("imc-1", creation_time=text).created_at == 1796025600.0


@pytest.mark.parametrize("fraction", [".5Z", ".5", ".500Z", ".500000000Z", ".5+00:00"])
def test_decimals_of_a_time(fraction: str) -> None:
    assert ImageCache("imc-1", creation_time=f"2026-11-30T08:00:00{fraction}").created_at == 1796025600.5


@pytest.mark.parametrize(
    "text",
    [*("", "soon", "2026-13-01T00:00:00Z", "2026-11-30", "2026-11-30T25:00:00Z", "1" * 40, "²", "Mon, 99 Nov 2026")],
)
def test_a_time_that_cannot_be_read_is_unknown(text: str) -> None:
    assert ImageCache("imc-1", creation_time=text).created_at is None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_at_the_end_of_the_calendar(text: str) -> None:
    assert ImageCache("imc-1", creation_time=text).created_at is not None


def test_the_order_of_age_is_that_of_time_then_of_ids_and_the_unknown_comes_last() -> None:
    old, new, none = "2025-03-11T03:35:09Z", "2025-03-11T03:35:10Z", None
    ordered = [
        ImageCache(f"imc-{number}", creation_time=time) for number, time in ((2, old), (3, old), (1, new), (0, none))
    ]
    assert sorted((ordered[at] for at in (3, 1, 0, 2)), key=lambda cache: cache.age_order) == ordered


def test_ids_for_a_message() -> None:
    assert ids([ImageCache("imc-1"), ImageCache()]) == "imc-1, (none)"


def test_what_is_not_returned_is_an_empty_text() -> None:
    full, empty = ImageCache("imc-1", "web", tags=[{"key": "a", "value": "1"}]), ImageCache()
    assert (full.id, full.name, full.size) == ("imc-1", "web", 20)
    assert (empty.id, empty.name, empty.size) == ("", "", 20)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ready", READY),
        ("Ready", READY),
        ("READY", READY),
        ("NotReady", PENDING),
        ("not_ready", PENDING),
        ("pending", PENDING),
        ("creating", PENDING),
        ("unheard-of", PENDING),
        ("already", PENDING),
        ("", PENDING),
        (None, PENDING),
        ("failed", FAILED),
        ("Failed", FAILED),
        ("CREATE_ERROR", FAILED),
        ("CreateFailed", FAILED),
        ("createFailed", FAILED),
        ("delete_failed", FAILED),
        ("DeleteFailed", FAILED),
        ("deleting-error", FAILED),
        ("deleting", DELETING),
        ("Deleted", DELETED),
        ("TERMINATING", DELETING),
        ("IsDeleting", DELETING),
        ("undeletable", PENDING),
        ("failover", PENDING),
    ],
)
def test_the_meaning_of_a_status(status: str | None, expected: str) -> None:
    assert meaning(status) == expected


def test_those_that_stay_the_eldest_first() -> None:
    old, new = "2025-03-11T03:35:09Z", "2025-03-11T11:35:10+08:00"
    caches = [
        ImageCache("imc-1", creation_time=new),
        ImageCache("imc-2", creation_time=old, status="deleting"),
        ImageCache("imc-3", creation_time=old),
    ]
    assert [cache.id for cache in remaining(caches)] == ["imc-3", "imc-1"]
