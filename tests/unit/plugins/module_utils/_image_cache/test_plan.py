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

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache, predicted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import (
    Action,
    Desired,
    Plan,
    compare,
    desired_tags,
    diff,
    plan,
)
from tests.unit.plugins.emulated import BODY as PLAIN_BODY
from tests.unit.plugins.emulated import A, B

A2 = {"key": "a", "value": "2"}
ZONES = ["az1", "az2"]
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


def planned(wanted: Desired, existing: ImageCache | None) -> Plan:
    """The plan for what exists."""
    return plan(wanted, existing, compare(wanted.body, existing, lambda: ZONES)[0] if existing else ())


@pytest.mark.parametrize(
    ("body", "existing", "drift", "rewritten"),
    [
        ({}, {}, [], []),
        ({"imageCacheName": "web"}, {}, [], []),
        ({"imageCacheName": "web"}, {"image_cache_name": None}, [], []),
        ({"imageCacheName": "other"}, {}, ["image_cache_name"], []),
        ({"images": ["nginx:latest", "redis:7", "redis:7"]}, {}, [], []),
        ({"images": ["nginx:latest"]}, {}, ["images"], []),
        ({"images": ["nginx:latest"]}, {"images": None}, [], []),
        ({"images": ["nginx", "redis:7"]}, {}, [], ["images"]),
        ({"images": ["nginx"]}, {"images": ["registry.internal/mirror/nginx:latest"]}, [], ["images"]),
        ({"images": ["one.example.com/nginx"]}, {"images": ["two.example.com/nginx"]}, ["images"], []),
        ({"images": ["nginx:1"]}, {"images": ["registry.internal/nginx:2"]}, ["images"], []),
        ({"images": ["nginx", "nginx:latest"]}, {"images": ["nginx:latest", "other"]}, ["images"], []),
        ({"imageCacheSize": 20}, {}, [], []),
        ({"imageCacheSize": 41}, {}, ["image_cache_size"], []),
        ({"imageCacheSize": 41}, {"image_cache_size": None}, [], []),
        ({"azInfo": {"azName": "az2"}}, {}, ["az_info.az_name"], []),
        ({"azInfo": {"azName": "az2"}}, {"az_name": None}, [], []),
        ({"azInfo": {"azName": "az2"}}, {"az_name": "cn-huadong1-az2-public"}, [], ["az_info.az_name"]),
        ({"azInfo": {"azName": "az3"}}, {}, [], ["az_info.az_name"]),
        ({}, {"status": "Failed"}, ["status"], []),
        ({}, {"status": None}, [], []),
        ({}, {"status": "delete_failed"}, ["status"], []),
        ({}, {"status": "deleting"}, [], []),
        ({"retentionDays": 1, "vpcId": "other", "eip": {"eipInstanceId": "eip-1"}}, {}, [], []),
        ({"images": ["x"], "imageCacheSize": 50}, {"status": "failed"}, ["images", "image_cache_size", "status"], []),
    ],
)
def test_compare(body: dict[str, Any], existing: dict[str, Any], drift: list[str], rewritten: list[str]) -> None:
    found = compare(body, cache(**existing), lambda: ZONES)
    assert [[difference["option"] for difference in differences] for differences in found] == [drift, rewritten]
    assert all(difference["wanted"] != difference["found"] for differences in found for difference in differences)


def test_zones_are_read_only_where_two_differ() -> None:
    assert compare({"azInfo": {"azName": "az1"}}, cache(), lambda: pytest.fail("not needed")) == ([], [])


@pytest.mark.parametrize("zones", [None, []])
def test_zones_differ_only_if_the_region_lists_both(zones: Any) -> None:
    drift, rewritten = compare({"azInfo": {"azName": "az2"}}, cache(), lambda: zones)
    assert (drift, [difference["option"] for difference in rewritten]) == ([], ["az_info.az_name"])


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
def test_desired_tags(current: Any, wanted: Any, purge: bool, expected: Any) -> None:
    assert desired_tags(wanted, purge, current) == expected


# existing cache, its tags, wanted tags, drift policy -> action with state present
@pytest.mark.parametrize("purge", [True, False])
@pytest.mark.parametrize(
    ("differs", "shown", "wanted", "drift", "action", "refused"),
    [
        (False, None, None, "warn", Action.NONE, False),
        (False, None, None, "fail", Action.NONE, False),
        (False, None, None, "recreate", Action.NONE, False),
        (False, None, [], "warn", Action.NONE, False),
        (False, [A], [A], "warn", Action.NONE, False),
        (False, None, [A], "warn", Action.RETAG, False),
        (False, None, [A], "fail", Action.RETAG, False),
        (False, None, [A], "recreate", Action.RETAG, False),
        (False, [A], [A2], "warn", Action.RETAG, False),
        (True, None, None, "warn", Action.NONE, False),
        (True, None, [A], "warn", Action.RETAG, False),
        (True, [A], [A], "fail", Action.NONE, True),
        (True, None, [A], "fail", Action.NONE, True),
        (True, None, None, "recreate", Action.REPLACE, False),
        (True, [A], [B], "recreate", Action.REPLACE, False),
    ],
)
def test_action(differs: bool, shown: Any, wanted: Any, drift: str, action: Action, refused: bool, purge: bool) -> None:
    body = dict(BODY, images=["other"]) if differs else dict(BODY)
    if wanted is not None:
        body["tags"] = wanted
    change = planned(Desired("present", body, purge_tags=purge, drift=drift), cache(tags=shown))
    assert (change.action, change.refused, bool(change.drift)) == (action, refused, differs)


@pytest.mark.parametrize("status", ["deleting", "Deleted", "TERMINATING"])
def test_one_that_is_going_is_as_good_as_gone(status: str) -> None:
    going = cache(status=status)
    assert planned(Desired("present", BODY), going).action is Action.CREATE
    assert planned(Desired("absent", {}), going).action is Action.NONE


def test_create_when_there_is_none() -> None:
    change = planned(Desired("present", BODY), None)
    assert change.action == Action.CREATE
    assert change.body == BODY
    assert change.after == predicted(BODY)


@pytest.mark.parametrize(
    ("existing", "action"), [(None, Action.NONE), (cache(), Action.DELETE), (cache(status="failed"), Action.DELETE)]
)
def test_absent(existing: Any, action: Action) -> None:
    change = planned(Desired("absent", {"imageCacheName": "web"}), existing)
    assert (change.action, change.before, change.after) == (action, existing, None)


@pytest.mark.parametrize(
    ("wanted", "purge", "tags"), [(None, True, [A]), ([], True, []), ([B], True, [B]), ([B], False, [A, B])]
)
def test_recreating_loses_no_tags_that_the_task_leaves_alone(wanted: Any, purge: bool, tags: Any) -> None:
    body = dict(BODY, imageCacheSize=80)
    if wanted is not None:
        body["tags"] = wanted
    change = planned(Desired("present", body, purge_tags=purge, drift="recreate"), cache(tags=[A]))
    assert change.body.get("tags", []) == tags


def test_predicted_shows_no_secret() -> None:
    assert "planted-secret" not in repr(predicted(BODY))


def test_a_difference_that_is_not_named_as_drift_is_none() -> None:
    change = plan(Desired("present", dict(BODY, imageCacheSize=80), drift="recreate"), cache(), drift=())
    assert (change.action, change.drift) == (Action.NONE, [])


def test_diff_of_a_create_shows_what_is_written_but_no_credentials() -> None:
    shown = diff(planned(Desired("present", dict(BODY, retentionDays=30, tags=[A])), None))
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
    shown = diff(planned(Desired("present", dict(BODY, tags=[B])), cache(tags=[A])))
    assert {key for key in shown["after"] if shown["after"][key] != shown["before"].get(key)} == {"tags"}
    assert shown["before_header"] == shown["after_header"] == "web"


def test_diff_of_a_delete_has_nothing_after() -> None:
    shown = diff(planned(Desired("absent", {}), cache()))
    assert shown["before"]["image_cache_id"] == "imc-1"
    assert shown["after"] == {}
    assert shown["before_header"] == shown["after_header"] == "web"


def test_the_headers_of_a_diff_are_one_line() -> None:
    shown = diff(planned(Desired("absent", {}, "imc-1"), cache(image_cache_name="web\n\x1b[2J")))
    assert shown["before_header"] == shown["after_header"] == "web\\n\\x1b[2J"


def test_diff_of_a_replacement_has_the_new_name() -> None:
    shown = diff(planned(Desired("present", dict(BODY, imageCacheName="new"), drift="recreate"), cache()))
    assert shown["before_header"] == shown["after_header"] == "new"


def test_diff_where_nothing_is_there_or_wanted() -> None:
    empty = {"before": {}, "after": {}, "before_header": "", "after_header": ""}
    assert diff(planned(Desired("absent", {}), None)) == empty


def test_diff_of_nothing_is_equal() -> None:
    shown = diff(planned(Desired("present", BODY), cache()))
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
    lambda state, given_tags, given_images, size, purge, drift: Desired(
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
    st.sampled_from([20, 40, 60]),
    st.booleans(),
    st.sampled_from(["warn", "recreate"]),
)


@given(wanted_states, existing_caches)
def test_planning_again_after_the_plan_gives_nothing_to_do(wanted: Desired, existing: Any) -> None:
    change = planned(wanted, existing)
    reached = change.after
    if change.will_create and reached:
        reached = replace(reached, image_cache_id="imc-2", status="ready")
    assert planned(wanted, reached).action is Action.NONE
