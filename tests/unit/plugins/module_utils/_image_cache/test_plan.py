# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan is pure, so every combination can be looked at, and random ones besides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache, predicted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import (
    CREATE,
    DELETE,
    RETAG,
    Plan,
    Wanted,
    diff,
    differences,
    plan,
)
from tests.unit.plugins.emulated import BODY as PLAIN_BODY
from tests.unit.plugins.emulated import A, B

A2 = {"key": "a", "value": "2"}
BODY = {
    **PLAIN_BODY,
    "images": ["nginx:latest", "redis:7"],
    "imageRegistryCredentials": [{"server": "registry", "userName": "user", "password": "planted-secret"}],
}


def cache(**changes: Any) -> ImageCache:
    fields: dict[str, Any] = {
        "image_cache_id": "imc-1",
        "image_cache_name": "web",
        "images": ["redis:7", "nginx:latest"],
        "image_cache_size": 40,
        "status": "ready",
        "creation_time": "2025-03-11T11:35:09+08:00",
        "az_name": "az1",
    }
    return ImageCache(**{**fields, **changes})


def planned(wanted: Wanted, existing: ImageCache | None) -> Plan:
    """The plan where each difference is drift."""
    return plan(wanted, existing, differences(wanted.body, existing) if existing else ())


@pytest.mark.parametrize(
    ("body", "existing", "options"),
    [
        ({}, {}, []),
        ({"imageCacheName": "web"}, {}, []),
        ({"imageCacheName": "other"}, {}, ["image_cache_name"]),
        ({"images": ["nginx:latest", "redis:7", "redis:7"]}, {}, []),
        ({"images": ["nginx:latest"]}, {}, ["images"]),
        ({"images": ["nginx:latest"]}, {"images": None}, []),
        ({"imageCacheSize": 20}, {}, ["image_cache_size"]),
        ({"imageCacheSize": 20}, {"image_cache_size": None}, []),
        ({"azInfo": {"azName": "az2"}}, {}, ["az_info.az_name"]),
        ({"azInfo": {"azName": "az2"}}, {"az_name": None}, []),
        ({}, {"status": "Failed"}, ["status"]),
        ({}, {"status": "CreateError"}, ["status"]),
        ({}, {"status": None}, []),
        ({}, {"status": "delete_failed"}, ["status"]),
        ({}, {"status": "deleting"}, []),
        ({"imageCacheName": "web"}, {"image_cache_name": None}, []),
        ({"retentionDays": 1, "vpcId": "other", "eip": {"eipInstanceId": "eip-1"}}, {}, []),
        ({"images": ["x"], "imageCacheSize": 1}, {"status": "failed"}, ["images", "image_cache_size", "status"]),
    ],
)
def test_differences(body: dict[str, Any], existing: dict[str, Any], options: list[str]) -> None:
    found = differences(body, cache(**existing))
    assert [difference["option"] for difference in found] == options
    assert all(difference["wanted"] != difference["found"] for difference in found)


# existing cache, its tags, wanted tags, drift policy -> steps with state present
@pytest.mark.parametrize("purge", [True, False])
@pytest.mark.parametrize(
    ("differs", "shown", "wanted", "drift", "steps", "refused"),
    [
        (False, None, None, "warn", [], False),
        (False, None, None, "fail", [], False),
        (False, None, None, "recreate", [], False),
        (False, None, [], "warn", [], False),
        (False, [A], [A], "warn", [], False),
        (False, None, [A], "warn", [RETAG], False),
        (False, None, [A], "fail", [RETAG], False),
        (False, None, [A], "recreate", [RETAG], False),
        (False, [A], [A2], "warn", [RETAG], False),
        (True, None, None, "warn", [], False),
        (True, None, [A], "warn", [RETAG], False),
        (True, [A], [A], "fail", [], True),
        (True, None, [A], "fail", [], True),
        (True, None, None, "recreate", [DELETE, CREATE], False),
        (True, [A], [B], "recreate", [DELETE, CREATE], False),
    ],
)
def test_steps(
    differs: bool, shown: Any, wanted: Any, drift: str, steps: list[str], refused: bool, purge: bool
) -> None:
    body = dict(BODY, images=["other"]) if differs else dict(BODY)
    if wanted is not None:
        body["tags"] = wanted
    change = planned(Wanted("present", body, purge_tags=purge, drift=drift), cache(tags=shown))
    assert (change.steps, change.refused, bool(change.drift)) == (steps, refused, differs)


@pytest.mark.parametrize("status", ["deleting", "Deleted", "TERMINATING"])
def test_one_that_is_going_is_as_good_as_gone(status: str) -> None:
    going = cache(status=status)
    assert planned(Wanted("present", BODY), going).steps == [CREATE]
    assert planned(Wanted("absent", {}), going).steps == []


def test_create_when_there_is_none() -> None:
    change = planned(Wanted("present", BODY), None)
    assert change.steps == [CREATE]
    assert change.body == BODY
    assert change.after == predicted(BODY)


@pytest.mark.parametrize(("existing", "steps"), [(None, []), (cache(), [DELETE]), (cache(status="failed"), [DELETE])])
def test_absent(existing: Any, steps: list[str]) -> None:
    change = planned(Wanted("absent", {"imageCacheName": "web"}), existing)
    assert (change.steps, change.before, change.after) == (steps, existing, None)


@pytest.mark.parametrize(
    ("wanted", "purge", "tags"), [(None, True, [A]), ([], True, []), ([B], True, [B]), ([B], False, [A, B])]
)
def test_recreating_loses_no_tags_that_the_task_leaves_alone(wanted: Any, purge: bool, tags: Any) -> None:
    body = dict(BODY, imageCacheSize=80)
    if wanted is not None:
        body["tags"] = wanted
    change = planned(Wanted("present", body, purge_tags=purge, drift="recreate"), cache(tags=[A]))
    assert change.body.get("tags", []) == tags


def test_tags_that_are_remembered_go_to_the_new_one_unless_the_task_says_otherwise() -> None:
    assert plan(Wanted("present", BODY), None, remembered=[A]).body["tags"] == [A]
    assert plan(Wanted("present", dict(BODY, tags=[B])), None, remembered=[A]).body["tags"] == [B]
    assert plan(Wanted("present", dict(BODY, tags=[]), purge_tags=True), None, remembered=[A]).body["tags"] == []
    assert plan(Wanted("present", dict(BODY, tags=[B]), purge_tags=False), None, remembered=[A]).body["tags"] == [A, B]


def test_predicted_shows_no_secret() -> None:
    assert "planted-secret" not in repr(predicted(BODY))


def test_a_difference_that_is_not_named_as_drift_is_none() -> None:
    change = plan(Wanted("present", dict(BODY, imageCacheSize=80), drift="recreate"), cache(), drift=())
    assert (change.steps, change.drift) == ([], [])


def test_diff_of_a_create_shows_what_is_written_but_no_credentials() -> None:
    shown = diff(planned(Wanted("present", dict(BODY, retentionDays=30, tags=[A])), None))
    assert shown["before"] == {}
    assert shown["after"] == {
        "image_cache_name": "web",
        "image_cache_size": 40,
        "images": ["nginx:latest", "redis:7"],
        "az_name": "az1",
        "tags": [A],
        "retention_days": 30,
        "vpc_id": "vpc-test",
        "v_switch_id": "subnet-test",
        "security_group_id": "sg-test",
    }


def test_diff_of_a_retag_differs_in_the_tags_alone() -> None:
    shown = diff(planned(Wanted("present", dict(BODY, tags=[B])), cache(tags=[A])))
    assert {key for key in shown["after"] if shown["after"][key] != shown["before"].get(key)} == {"tags"}
    assert shown["before_header"] == shown["after_header"] == "web"


def test_diff_of_a_delete_has_nothing_after() -> None:
    shown = diff(planned(Wanted("absent", {}), cache()))
    assert shown["before"]["image_cache_id"] == "imc-1"
    assert shown["after"] == {}
    assert shown["before_header"] == shown["after_header"] == "web"


def test_diff_of_a_replacement_has_the_new_name() -> None:
    shown = diff(planned(Wanted("present", dict(BODY, imageCacheName="new"), drift="recreate"), cache()))
    assert shown["before_header"] == shown["after_header"] == "new"


def test_diff_where_nothing_is_and_nothing_shall_be() -> None:
    empty = {"before": {}, "after": {}, "before_header": "", "after_header": ""}
    assert diff(planned(Wanted("absent", {}), None)) == empty


def test_diff_of_nothing_is_equal() -> None:
    shown = diff(planned(Wanted("present", BODY), cache()))
    assert shown["before"] == shown["after"]


tags = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from("abc"), "value": st.sampled_from("12")}),
    max_size=3,
    unique_by=lambda tag: tag["key"],
).map(lambda items: sorted(items, key=lambda tag: tag["key"]))
images = st.lists(st.sampled_from(["nginx:latest", "redis:7", "other"]), min_size=1, max_size=3)
existing_caches = st.none() | st.builds(
    cache,
    tags=st.none() | tags,
    images=st.none() | images,
    image_cache_size=st.sampled_from([None, 20, 40]),
    status=st.sampled_from([None, "pending", "ready", "failed"]),
)
wanted_states = st.builds(
    lambda state, given_tags, given_images, size, purge, drift: Wanted(
        state,
        {
            **BODY,
            "images": given_images,
            "imageCacheSize": size,
            **({} if given_tags is None else {"tags": given_tags}),
        },
        purge_tags=purge,
        drift=drift,
    ),
    st.sampled_from(["present", "absent"]),
    st.none() | tags,
    images,
    st.sampled_from([20, 40]),
    st.booleans(),
    st.sampled_from(["warn", "recreate"]),
)


@given(wanted_states, existing_caches)
def test_planning_again_after_the_plan_gives_nothing_to_do(wanted: Wanted, existing: Any) -> None:
    change = planned(wanted, existing)
    reached = change.after
    if CREATE in change.steps and reached:
        reached = replace(reached, image_cache_id="imc-2", status="ready")
    assert planned(wanted, reached).steps == []


def test_what_there_was_before_is_an_empty_one_where_there_was_none() -> None:
    there = ImageCache("imc-1")
    assert Plan([], there, there).old is there
    assert Plan(["create"], None, None).old == ImageCache()
