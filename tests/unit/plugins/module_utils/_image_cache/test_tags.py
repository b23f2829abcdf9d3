# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags an image cache shall have, and which it has where no reply shows them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.tags import TagFilter, desired, keys
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import A, B, seed

A2 = {"key": "a", "value": "2"}
SEMANTICS = ["all", "any", "key", "off"]


@pytest.fixture
def caches(client: Client) -> ImageCaches:
    return ImageCaches(client)


@pytest.mark.parametrize(
    ("current", "wanted", "purge", "expected"),
    [
        (None, None, True, None),
        (None, None, False, None),
        ([A], None, True, [A]),
        ([A], None, False, [A]),
        (None, [], True, []),
        ([A], [], True, []),
        ([A], [], False, [A]),
        (None, [B, A], True, [A, B]),
        ([A], [B], True, [B]),
        ([A], [B], False, [A, B]),
        ([A], [A2], True, [A2]),
        ([A, B], [A2], False, [A2, B]),
    ],
)
def test_desired(current: Any, wanted: Any, purge: bool, expected: Any) -> None:
    assert desired(wanted, purge, current) == expected


def test_keys_for_a_message() -> None:
    assert keys([A, B]) == "a, b"
    assert keys([]) == "(none)"


@pytest.mark.parametrize("tags_filter", SEMANTICS)
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
def test_whatever_the_filter_means_it_never_misleads(
    tags_filter: str, carried: list[Any], asked: list[Any], carries: bool, caches: ImageCaches, emulator: Emulator
) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": tags_filter})
    image_cache_id = seed(emulator, tags=carried)
    seed(emulator, "other", tags=asked)
    for filters in ({}, {"imageCacheId": image_cache_id}):
        carriers = TagFilter(caches, **filters).carriers(asked)
        if tags_filter in ("all", "any"):
            assert carriers is not None
            assert (image_cache_id in carriers) is carries
        else:
            # a filter that does not look at values tells nothing, unless it finds nothing
            assert carriers is None or (image_cache_id not in carriers and not carries)


@pytest.mark.parametrize("times", [1, 2])
def test_an_object_without_an_id_may_be_the_one(times: int, caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.tags_shown = False
    image_cache_id = seed(emulator, tags=[A])
    emulator.inject(Fault("idless", times=times))
    if times == 1:
        assert TagFilter(caches).carriers([A]) == {image_cache_id}
    else:
        with pytest.raises(Unanswered, match="without an ID"):
            TagFilter(caches).carriers([A])


def test_an_object_without_a_name_carries_them_all_the_same(caches: ImageCaches, emulator: Emulator) -> None:
    image_cache_id = seed(emulator, tags=[A])
    emulator.inject(Fault("nameless"))
    assert TagFilter(caches).carriers([A]) == {image_cache_id}
    assert len(emulator.sent()) == 2


def test_each_tag_is_asked_for_alone_and_once(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, tags=[A, B])
    tag_filter = TagFilter(caches)
    for _time in range(3):
        assert tag_filter.carriers([A, B])
        assert tag_filter.carriers([A])
    asked = [record.body["tags"] for record in emulator.sent()]
    assert asked[0] == [A]
    assert asked[2] == [B]
    assert [tag["key"] for (tag,) in (asked[1], asked[3])] == ["a", "b"]
    assert asked[1] != [A]
    assert len(asked) == 4


def test_the_second_question_is_about_a_value_that_nobody_has(caches: ImageCaches, emulator: Emulator) -> None:
    seed(emulator, tags=[A])
    for _time in range(2):
        TagFilter(caches).carriers([A])
    asked = [record.body["tags"][0] for record in emulator.sent()]
    assert [tag["key"] for tag in asked] == ["a"] * 4
    assert asked[1] != asked[3]
    assert all(len(tag["value"]) == 32 for tag in (asked[1], asked[3]))


def test_a_tag_without_a_value_may_mean_any(caches: ImageCaches, emulator: Emulator) -> None:
    seed(emulator, tags=[A])
    assert TagFilter(caches).carriers([{"key": "a", "value": ""}]) is None
    assert emulator.sent() == []


def test_no_tags_are_asked_for_nothing(caches: ImageCaches, emulator: Emulator) -> None:
    assert TagFilter(caches).carriers([]) is None
    assert emulator.sent() == []


def test_once_nothing_is_left_no_further_tag_is_asked_for(caches: ImageCaches, emulator: Emulator) -> None:
    assert TagFilter(caches).carriers([A, B]) == set()
    assert len(emulator.sent()) == 1


def test_shown(caches: ImageCaches, emulator: Emulator) -> None:
    emulator.settings.tags_shown = False
    image_cache_id = seed(emulator, tags=[A])
    hidden = ImageCache(image_cache_id)
    tag_filter = TagFilter(caches)
    assert tag_filter.show(hidden, [A]).tags == [A]
    assert tag_filter.show(hidden, [B]) is hidden
    assert tag_filter.show(hidden, []) is hidden
    visible = hidden.with_tags([B])
    assert tag_filter.show(visible, [A]) is visible


def test_what_is_prepared_is_not_asked_for_any_more(caches: ImageCaches, emulator: Emulator) -> None:
    seed(emulator, tags=[A])
    tag_filter = TagFilter(caches)
    tag_filter.prepare([[A]], lambda things, ask: [ask(thing) for thing in things] and None)
    asked = len(emulator.sent())
    assert asked == 2
    assert tag_filter.carriers([A])
    assert len(emulator.sent()) == asked
