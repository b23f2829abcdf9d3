# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which generation of a name is wanted: by the digests, the size, the zone, and what there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import ContentUnknown
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.generations import (
    Generation,
    generations,
    is_generation,
    newest_ready,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.tags import DIGESTS_TAG, NAME_TAG
from ansible_collections.ctyun.eci.plugins.module_utils._registry.found import FOUND, UNREACHABLE, Found
from tests.unit.plugins.emulated import BODY, A

DAY = 86400
NOW = 1_000_000_000.0
IMAGE = "r.example/app:stable"
OWN = {"key": NAME_TAG, "value": "web"}


def found(*digests: str, images: Sequence[str] = ()) -> list[Found]:
    names = images or [IMAGE, "r.example/b:1", "r.example/c:1", "r.example/d:1", "r.example/e:1"]
    return [
        Found(image, FOUND, f"sha256:{digest * 64}") if digest else Found(image, UNREACHABLE, message="It is far.")
        for image, digest in zip(names, digests, strict=False)
    ]


def wanted(name: str = "web", **options: Any) -> Wanted:
    return Wanted("present", {**BODY, "imageCacheName": name, **options})


def one(
    digests: Sequence[str], existing: Sequence[ImageCache] = (), renew_before: float | None = None, **options: Any
) -> Generation:
    (generation,) = generations([wanted(**options)], [found(*digests)], existing, NOW, renew_before)
    return generation


def made(generation: Generation, days: float = 0, status: str = "ready", **fields: Any) -> ImageCache:
    """What there is of a generation so many days after it was made."""
    body = generation.wanted.body
    values: dict[str, Any] = {
        "image_cache_id": f"imc-{body['imageCacheName']}",
        "image_cache_name": body["imageCacheName"],
        "images": [IMAGE],
        "status": status,
        "tags": body["tags"],
        "creation_time": None if days is None else _iso(NOW - days * DAY),
        **fields,
    }
    return ImageCache(**values)


def _iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()


def name_of(generation: Generation) -> str:
    return str(generation.wanted.name)


class TestTheName:
    def test_it_is_that_of_the_task_and_eight_digits(self) -> None:
        generation = one("a")
        assert is_generation(ImageCache("i", name_of(generation)), "web")
        assert (generation.name, generation.warning) == ("web", "")

    @pytest.mark.parametrize(
        ("digests", "options"),
        [
            ("b", {}),
            ("ab", {}),
            ("a", {"imageCacheSize": 41}),
            ("a", {"azInfo": {"azName": "az2"}}),
        ],
    )
    def test_it_follows_the_content(self, digests: str, options: dict[str, Any]) -> None:
        assert name_of(one(digests, **options)) != name_of(one("a"))

    @pytest.mark.parametrize(
        "options",
        [
            {"tags": [A]},
            {"retentionDays": 7},
            {"vpcId": "vpc-other"},
            {"imageRegistryCredentials": [{"server": "r.example", "userName": "u", "password": "p"}]},
        ],
    )
    def test_nothing_else_counts(self, options: dict[str, Any]) -> None:
        assert name_of(one("a", **options)) == name_of(one("a"))

    def test_a_size_that_is_not_given_is_that_of_the_service(self) -> None:
        body = {key: value for key, value in BODY.items() if key != "imageCacheSize"}
        (without,) = generations([Wanted("present", body)], [found("a")], [], NOW)
        assert name_of(without) == name_of(one("a", imageCacheSize=20))

    def test_the_order_of_images_does_not_count(self) -> None:
        names = [IMAGE, "r.example/b:1"]
        orders = [
            generations([wanted()], [found("a", "b", images=names)], [], NOW),
            generations([wanted()], [found("b", "a", images=names[::-1])], [], NOW),
        ]
        assert name_of(orders[0][0]) == name_of(orders[1][0])

    @pytest.mark.parametrize(
        ("name", "tags", "is_one"),
        [
            ("web-0123abcd", None, True),
            ("web-0123abcd", [OWN], True),
            ("web-0123abcd", [], False),
            ("web-0123abcd", [{"key": NAME_TAG, "value": "other"}], False),
            ("web-0123ABCD", None, False),
            ("web-0123abc", None, False),
            ("web-0123abcd0", None, False),
            ("web-0123abcd\n", None, False),
            ("web-api-0123abcd", None, False),
            ("xweb-0123abcd", None, False),
            ("web", None, False),
            (None, None, False),
        ],
    )
    def test_what_counts_as_a_generation(self, name: str | None, tags: Any, is_one: bool) -> None:
        assert is_generation(ImageCache("i", name, tags=tags), "web") is is_one

    def test_a_name_is_no_pattern(self) -> None:
        assert not is_generation(ImageCache("i", "wxb-0123abcd"), "w.b")


class TestTags:
    def test_those_of_the_task_and_its_own(self) -> None:
        assert one("ab", tags=[A]).wanted.body["tags"] == [
            A,
            OWN,
            {"key": DIGESTS_TAG, "value": f"{'a' * 12}.{'b' * 12}"},
        ]

    def test_no_tag_is_longer_than_others_may_be(self) -> None:
        assert [tag["key"] for tag in one("abcd").wanted.body["tags"]] == [NAME_TAG, DIGESTS_TAG]
        assert [tag["key"] for tag in one("abcde").wanted.body["tags"]] == [NAME_TAG]

    @pytest.mark.parametrize("tags", [[A], []])
    def test_one_that_exists_keeps_its_own_beside_those_of_the_task(self, tags: Any) -> None:
        first = one("a", tags=[A])
        assert one("a", [made(first)], tags=tags).wanted.body["tags"] == [*tags, *first.wanted.body["tags"][1:]]

    def test_one_that_exists_is_left_alone_where_the_task_says_nothing_of_tags(self) -> None:
        assert "tags" not in one("a", [made(one("a"))]).wanted.body


class TestWhatThereIs:
    def test_nothing_moved(self) -> None:
        first = one("a")
        assert name_of(one("a", [made(first)])) == name_of(first)
        assert one("a", [made(first)]).wanted.note == ""

    def test_a_tag_that_moved(self) -> None:
        first, second = one("a"), one("b", [made(one("a"))])
        assert name_of(second) != name_of(first)
        assert second.wanted.note == f"{IMAGE} moved from {'a' * 12} to {'b' * 12}"

    def test_a_tag_that_moved_back(self) -> None:
        first = one("a")
        second = one("b", [made(first, 2)])
        assert name_of(one("a", [made(first, 2), made(second, 1)])) == name_of(first)

    @pytest.mark.parametrize(
        ("fields", "note"),
        [
            ({"tags": None}, "other content"),
            ({"images": None}, "other content"),
            ({"images": ["r.example/other:1"]}, "other content"),
            ({"images": [IMAGE, "r.example/b:1"]}, "other content"),
            ({"tags": [OWN, {"key": DIGESTS_TAG, "value": "b" * 12}]}, "other content"),
        ],
    )
    def test_what_is_not_told_is_no_move(self, fields: dict[str, Any], note: str) -> None:
        assert one("b", [made(one("a"), **fields)]).wanted.note == note

    def test_the_first_one(self) -> None:
        assert one("a", [ImageCache("i", "other-0123abcd")]).wanted.note == "the first generation"

    def test_one_that_is_on_its_way_out_does_not_count(self) -> None:
        first = one("a")
        going = made(first, status="deleting")
        assert name_of(one("a", [going])) == name_of(first)
        with pytest.raises(ContentUnknown):
            one([""], [going])


class TestRenewal:
    @pytest.mark.parametrize(
        ("days", "renew_before", "retention", "is_new"),
        [
            (4.9, 2, 7, False),
            (5, 2, 7, True),
            (8, 2, 7, True),
            (5, None, 7, False),
            (500, 2, 0, False),
            (500, 2, None, False),
            (0, 0, 7, False),
            (7, 0, 7, True),
        ],
    )
    def test_another_one_before_the_retention_ends(
        self, days: float, renew_before: float | None, retention: int | None, is_new: bool
    ) -> None:
        options = {} if retention is None else {"retentionDays": retention}
        first = one("a", **options)
        second = one("a", [made(first, days)], renew_before, **options)
        assert (name_of(second) != name_of(first)) is is_new
        assert second.wanted.note == ("made again of the same content" if is_new else "")

    def test_an_age_that_is_not_told_is_no_reason(self) -> None:
        first = one("a", retentionDays=7)
        assert name_of(one("a", [made(first, creation_time=None)], 2, retentionDays=7)) == name_of(first)

    def test_the_new_one_is_it_from_then_on(self) -> None:
        """Be the first one there or not, and be it its turn again."""
        first = one("a", retentionDays=7)
        second = one("a", [made(first, 6)], 2, retentionDays=7)
        with_both = one("a", [made(first, 6), made(second, 1)], 2, retentionDays=7)
        alone = one("a", [made(first, 99, image_cache_name="web-00000000"), made(second, 1)], 2, retentionDays=7)
        assert name_of(with_both) == name_of(alone) == name_of(second)
        third = one("a", [made(second, 6)], 2, retentionDays=7)
        assert name_of(third) == name_of(first)

    def test_its_number_may_be_higher_than_there_are_now(self) -> None:
        """Those before it have been pruned, or were deleted by the service."""
        there: list[ImageCache] = []
        for days in (3, 2, 1):
            there.append(made(forced(there), days))
        assert len({cache.image_cache_name for cache in there}) == 3
        assert name_of(one("a", there[2:])) == there[2].image_cache_name


def forced(existing: Sequence[ImageCache]) -> Generation:
    (generation,) = generations([wanted()], [found("a")], existing, NOW, None, force=True)
    return generation


def test_another_one_that_is_asked_for() -> None:
    first = made(one("a"), 1)
    second = forced([first])
    assert name_of(second) != first.image_cache_name
    assert second.wanted.note == "made again of the same content"
    assert name_of(one("a", [first, made(second)])) == name_of(second)


class TestWhatIsNotKnown:
    def test_the_newest_that_is_ready_is_kept_as_it_is(self) -> None:
        older, old, new = one("a"), one("b"), one("c")
        existing = [made(old, 2), made(older, 3), made(new, 1, status="pending")]
        kept = one(["d", ""], existing, tags=[A], imageCacheSize=99)
        assert kept.wanted == Wanted("present", {}, image_cache_id=existing[0].image_cache_id)
        assert kept.warning == (
            f"'web' stays at the generation {name_of(old)}, since it is not known what is in its images now."
            " image_caches[0].images[1]: 'r.example/b:1': It is far."
        )

    def test_the_newest_if_none_is_ready(self) -> None:
        old, new = made(one("a"), 2, status="failed"), made(one("b"), 1, status="pending")
        assert one([""], [old, new]).wanted.image_cache_id == new.image_cache_id

    def test_all_that_there_is_none_of_are_told_in_one_message(self) -> None:
        with pytest.raises(ContentUnknown) as raised:
            generations(
                [wanted("web"), wanted("api"), wanted("db")], [found("", "a"), found("a"), found("", "")],
                [made(one("a"), image_cache_name="api-0123abcd", tags=None)], NOW,
            )  # fmt: skip
        assert raised.value.message.splitlines() == [
            "It is not known what these images are now. Nothing was ordered or changed:",
            f"- image_caches[0].images[0]: '{IMAGE}': It is far.",
            f"- image_caches[2].images[0]: '{IMAGE}': It is far.",
            "- image_caches[2].images[1]: 'r.example/b:1': It is far.",
        ]
        assert raised.value.effect == "none"


def test_what_goes() -> None:
    generation = one("a")
    prune = generation.prune(2, 60.0)
    assert (prune.tags, prune.keep, prune.grace, prune.first) == ([OWN], 2, 60.0, False)
    assert prune.youngest == name_of(generation)
    assert prune.may_go(ImageCache("i", "web-0123abcd"))
    assert not prune.may_go(ImageCache("i", "web"))
    assert not prune.may_go(ImageCache("i", None))


def test_the_newest_that_can_be_used() -> None:
    caches = [made(one(digest), days, status) for digest, days, status in (("a", 3, "ready"), ("b", 2, "Ready"), ("c", 1, "pending"))]  # fmt: skip
    assert newest_ready("web", caches) == caches[1]
    assert newest_ready("web", caches[2:]) is None
    assert newest_ready("other", caches) is None
