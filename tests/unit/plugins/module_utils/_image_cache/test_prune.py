# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of those that could be pruned are, and which are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import (
    Kept,
    Prune,
    candidates,
    choose,
    why_not,
)
from tests.unit.plugins.emulated import A, B


def cache(name: str, second: int | None = 0) -> ImageCache:
    when = None if second is None else f"2025-03-11T03:35:{second:02}Z"
    return ImageCache(f"imc-{name}", name, creation_time=when)


NOW = 1741664100.0  # the first of those seconds
NEWEST_FIRST = [cache("c"), cache("b"), cache("a")]


@pytest.mark.parametrize(("keep", "go"), [(0, "cba"), (1, "ba"), (3, ""), (9, "")])
def test_the_newest_are_kept(keep: int, go: str) -> None:
    going, kept = choose(Prune([A], keep=keep), NEWEST_FIRST, [], NOW)
    assert "".join(str(one.image_cache_name) for one in going) == go
    assert [one.reason for one in kept] == ["prune_keep"] * (3 - len(go))
    assert {one.until for one in kept} <= {None}


@pytest.mark.parametrize(("age", "goes"), [(0.0, False), (59.0, False), (60.0, True), (3600.0, True)])
def test_grace_is_counted_from_the_youngest_wanted_one(age: float, goes: bool) -> None:
    wanted = [cache("old", 0), cache("young", 9)]
    going, kept = choose(Prune([A], grace=60), NEWEST_FIRST, wanted, NOW + 9 + age)
    assert bool(going) is goes
    assert [(one.reason, one.until) for one in kept] == ([] if goes else [("prune_grace", "2025-03-11T03:36:09Z")] * 3)


def test_of_one_that_is_not_there_yet_no_age_is_known() -> None:
    going, kept = choose(Prune([A], grace=60), NEWEST_FIRST, [cache("new", None)], NOW + 10**9)
    assert (going, [one.until for one in kept]) == ([], [None] * 3)


def test_one_that_has_failed_is_not_kept_to_go_back_to() -> None:
    failed = replace(cache("d", 3), status="Failed")
    going, kept = choose(Prune([A], keep=2), [failed, *NEWEST_FIRST], [], NOW)
    assert ([one.name for one in going], [one.image_cache.name for one in kept]) == (["d", "a"], ["c", "b"])


@pytest.mark.parametrize("second", [10, None])
def test_since_when_a_younger_one_is_not_wanted_any_more_is_unknown(second: int | None) -> None:
    """After a rollback the wanted one is old, and the other one was the current one until a moment ago."""
    latest = cache("latest", second)
    going, kept = choose(Prune([A], grace=60), [latest, *NEWEST_FIRST], [cache("old", 9)], NOW + 10**6)
    assert (going, kept) == (NEWEST_FIRST, [Kept(latest, "prune_grace")])
    failed = replace(latest, status="failed")  # nobody goes back to that
    going, kept = choose(Prune([A], grace=60), [failed, *NEWEST_FIRST], [cache("old", 9)], NOW + 10**6)
    assert (going, kept) == ([failed, *NEWEST_FIRST], [])


def test_both() -> None:
    going, kept = choose(Prune([A], keep=1, grace=60), NEWEST_FIRST, [cache("new", 0)], NOW)
    assert (going, [one.reason for one in kept]) == ([], ["prune_keep", "prune_grace", "prune_grace"])


def test_first_knows_no_grace() -> None:
    assert choose(Prune([A], grace=60, first=True), NEWEST_FIRST, [cache("new", 0)], NOW)[0] == NEWEST_FIRST


def test_what_is_returned_of_one_that_is_kept() -> None:
    assert Kept(cache("a"), "prune_keep").as_dict() == {
        "image_cache_name": "a",
        "image_cache_id": "imc-a",
        "reason": "prune_keep",
        "until": None,
    }


def test_of_several_one_without_an_age_is_enough() -> None:
    wanted = [cache("a", 0), cache("new", None)]
    assert choose(Prune([A], grace=60), NEWEST_FIRST, wanted, NOW + 10**9)[0] == []


def test_where_nothing_is_wanted_there_is_nothing_to_wait_for() -> None:
    assert choose(Prune([A], grace=60), NEWEST_FIRST, [], 0.0) == (NEWEST_FIRST, [])


def tagged(name: str, *tags: dict[str, str], **changes: str) -> ImageCache:
    return replace(cache(name), tags=list(tags) or None, **changes)


def test_candidates_carry_all_tags_and_are_not_wanted() -> None:
    existing = [
        tagged("both", A, B),
        tagged("one", A),
        tagged("none"),
        tagged("wanted", A, B),
        tagged("id", A, B),
        tagged("going", A, B, status="deleting"),
        replace(tagged("nameless", A, B), image_cache_name=None),
    ]
    carrying, unknown = candidates(Prune([B, A]), existing, {"wanted", "imc-id"}, True)
    assert ([one.name for one in carrying], unknown) == (["both"], [])


def test_where_no_tags_are_shown_nothing_is_known() -> None:
    carrying, unknown = candidates(Prune([A]), [tagged("one"), tagged("wanted")], {"wanted"}, False)
    assert (carrying, [(kept.image_cache.name, kept.reason) for kept in unknown]) == ([], [("one", "tags_unknown")])


RELEASE = {"key": "release", "value": "web"}


@pytest.mark.parametrize(
    ("name", "key", "is_kept"),
    [
        ("web-0f3a9c21", "release", True),
        ("web-0f3a9c2", "release", False),
        ("web-0f3a9c211", "release", False),
        ("web-0F3A9C21", "release", False),
        ("web2-0f3a9c21", "release", False),
        ("web-42", "release", False),
        ("web-0f3a9c21", "edition", False),
    ],
)
def test_those_of_the_role_release_stay_unless_its_tag_is_named(name: str, key: str, is_kept: bool) -> None:
    one = tagged(name, A, {"key": key, "value": "web"})
    carrying, kept = candidates(Prune([A]), [one], set(), True)
    assert (carrying, kept) == (([], [Kept(one, "release")]) if is_kept else ([one], []))
    named = {"key": key, "value": "web"}
    assert candidates(Prune([A, named]), [one], set(), True) == ([one], [])


def test_the_name_of_a_release_is_a_text() -> None:
    one = tagged("axb-0f3a9c21", A, {"key": "release", "value": "a.b"})
    assert candidates(Prune([A]), [one], set(), True) == ([one], [])


def test_those_of_the_role_release_that_do_not_carry_the_tags_are_no_candidates() -> None:
    assert candidates(Prune([A]), [tagged("web-0f3a9c21", B, RELEASE)], set(), True) == ([], [])


@pytest.mark.parametrize(
    ("status", "reason"), [("ready", ""), ("failed", "failed"), ("pending", "not_ready"), (None, "missing")]
)
def test_why_nothing_may_be_pruned(status: str | None, reason: str) -> None:
    second = ImageCache("imc-2", status=status) if status else None
    found, text = why_not([("one", ImageCache("imc-1", status="ready")), ("two", second)])
    assert found == reason
    assert ("'two'" in text) is bool(reason)


def test_grace_may_end_after_the_last_year() -> None:
    wanted = [replace(cache("web"), creation_time="9999-12-31T23:59:59Z")]
    going, kept = choose(Prune([A], grace=3600), NEWEST_FIRST, wanted, NOW)
    assert (going, [(one.reason, one.until) for one in kept]) == ([], [("prune_grace", None)] * 3)
