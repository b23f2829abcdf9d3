# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import importlib.util
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.ctyun.eci.plugins.module_utils._arguments import schema
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import (
    CREATE_IMAGE_CACHE,
    TAGS,
    Violation,
    validate,
)

# The request example of CTYun's page (document 10403805/10630018), as it stands there.
EXAMPLE: dict[str, Any] = {
    "securityGroupId": "sg-test",
    "vSwitchId": "subnet-test",
    "vpcId": "vpc-test",
    "imageCacheName": "lztest",
    "imageCacheSize": 40,
    "retentionDays": 30,
    "images": ["nginx:latest"],
    "tags": [{"key": "user", "value": "eci"}],
    "azInfo": {"azName": "az1"},
    "imageRegistryCredentials": [
        {"server": "chengdu1-az1.crs.ctyun.cn", "userName": "hello", "password": "world"},
    ],
}
REQUIRED = ["imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId"]
CREDENTIAL = {"server": "r.example", "userName": "u", "password": "p"}
ABSENT = object()

EMPTY, TEXT, WHOLE, LIST, MAPPING = "must not be empty", "must be a text", "must be a whole number", "must be a list", "must be a mapping"  # fmt: skip
DAYS = "must be between 0 and 3650, for example 30"
PLAIN = "must be the plain address, without http:// or https:// in front, for example chengdu1-az1.crs.ctyun.cn"
UNKNOWN = "is not a field of the request"


def body(**changes: Any) -> dict[str, Any]:
    merged = {**copy.deepcopy(EXAMPLE), **changes}
    return {name: value for name, value in merged.items() if value is not ABSENT}


def test_the_schema_is_one_of_its_draft() -> None:
    Draft202012Validator.check_schema(CREATE_IMAGE_CACHE)
    Draft202012Validator.check_schema(TAGS)
    assert CREATE_IMAGE_CACHE["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_the_schema_states_what_the_page_states_and_no_other_limits() -> None:
    properties = CREATE_IMAGE_CACHE["properties"]
    assert sorted(properties) == sorted([*EXAMPLE, "eip"])
    assert sorted(CREATE_IMAGE_CACHE["required"]) == sorted(REQUIRED)
    assert (properties["retentionDays"]["minimum"], properties["retentionDays"]["maximum"]) == (0, 3650)
    assert not {"minimum", "maximum"} & set(properties["imageCacheSize"])
    assert "required" not in TAGS["items"]


def _examples(schema: Any) -> list[tuple[dict[str, Any], Any]]:
    if not isinstance(schema, dict):
        return []
    own = [(schema, example) for example in schema.get("examples", [])]
    inner = [*schema.get("properties", {}).values(), schema.get("items")]
    return own + [pair for part in inner for pair in _examples(part)]


def test_the_examples_of_the_schema_follow_the_schema() -> None:
    found = _examples(CREATE_IMAGE_CACHE)
    assert len(found) > 10
    for part, example in found:
        Draft202012Validator(part).validate(example)


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(EXAMPLE, id="example-of-the-page"),
        pytest.param(
            body(imageCacheSize=ABSENT, retentionDays=ABSENT, tags=ABSENT, imageRegistryCredentials=ABSENT),
            id="required-only",
        ),
        pytest.param(body(retentionDays=0), id="days-0"),
        pytest.param(body(retentionDays=3650), id="days-3650"),
        pytest.param(body(imageCacheSize=10**9), id="no-limit-of-size"),
        pytest.param(body(tags=[]), id="no-tags"),
        pytest.param(body(tags=[{}]), id="tag-without-fields"),
        pytest.param(body(tags=[{"key": ""}] * 100), id="no-limit-of-tags"),
        pytest.param(body(imageRegistryCredentials=[]), id="no-credentials"),
        pytest.param(
            body(imageRegistryCredentials=[{**CREDENTIAL, "server": "r:5000/http://x"}]), id="http-further-on"
        ),
        pytest.param(body(imageRegistryCredentials=[{**CREDENTIAL, "server": "httpd.example"}]), id="server-httpd"),
        pytest.param(body(eip={"eipInstanceId": "eip-1"}), id="eip"),
        pytest.param(body(images=["a", "a"]), id="image-twice"),
        pytest.param(body(imageCacheName="名" * 1000), id="long-name"),
    ],
)
def test_good_bodies(good: dict[str, Any]) -> None:
    assert validate(good) == []


@pytest.mark.parametrize(
    ("changes", "path", "advice"),
    [
        ({"imageCacheName": ABSENT}, ("imageCacheName",), "is required, for example test"),
        ({"securityGroupId": ABSENT}, ("securityGroupId",), "is required, for example sg-test"),
        ({"vSwitchId": ABSENT}, ("vSwitchId",), "is required, for example subnet-test"),
        ({"vpcId": ABSENT}, ("vpcId",), "is required, for example vpc-ctt6yag121"),
        ({"azInfo": ABSENT}, ("azInfo",), "is required, for example {azName: az1}"),
        (
            {"images": ABSENT},
            ("images",),
            "is required, for example [registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest]",
        ),
        ({"imageCacheName": ""}, ("imageCacheName",), EMPTY),
        ({"imageCacheName": 5}, ("imageCacheName",), TEXT),
        ({"securityGroupId": ""}, ("securityGroupId",), EMPTY),
        ({"securityGroupId": None}, ("securityGroupId",), TEXT),
        ({"vSwitchId": ""}, ("vSwitchId",), EMPTY),
        ({"vSwitchId": []}, ("vSwitchId",), TEXT),
        ({"vpcId": ""}, ("vpcId",), EMPTY),
        ({"vpcId": True}, ("vpcId",), TEXT),
        ({"imageCacheSize": "40"}, ("imageCacheSize",), WHOLE),
        ({"imageCacheSize": 1.5}, ("imageCacheSize",), WHOLE),
        ({"imageCacheSize": True}, ("imageCacheSize",), WHOLE),
        ({"retentionDays": -1}, ("retentionDays",), DAYS),
        ({"retentionDays": 3651}, ("retentionDays",), DAYS),
        ({"retentionDays": "30"}, ("retentionDays",), WHOLE),
        ({"tags": {"a": "b"}}, ("tags",), LIST),
        ({"tags": ["a"]}, ("tags", 0), MAPPING),
        ({"tags": [{}, {"key": 1}]}, ("tags", 1, "key"), TEXT),
        ({"tags": [{"value": None}]}, ("tags", 0, "value"), TEXT),
        ({"tags": [{"colour": "red"}]}, ("tags", 0, "colour"), UNKNOWN),
        ({"azInfo": "az1"}, ("azInfo",), MAPPING),
        ({"azInfo": [{"azName": "az1"}]}, ("azInfo",), MAPPING),
        ({"azInfo": {}}, ("azInfo", "azName"), "is required, for example az1"),
        ({"azInfo": {"azName": ""}}, ("azInfo", "azName"), EMPTY),
        ({"azInfo": {"azName": 1}}, ("azInfo", "azName"), TEXT),
        ({"azInfo": {"azName": "az1", "azId": 1}}, ("azInfo", "azId"), UNKNOWN),
        ({"images": "nginx"}, ("images",), LIST),
        ({"images": []}, ("images",), "must list at least one"),
        ({"images": ["a", ""]}, ("images", 1), EMPTY),
        ({"images": ["a", None]}, ("images", 1), TEXT),
        ({"eip": "eip-1"}, ("eip",), MAPPING),
        ({"eip": {}}, ("eip", "eipInstanceId"), "is required"),
        ({"eip": {"eipInstanceId": ""}}, ("eip", "eipInstanceId"), EMPTY),
        ({"eip": {"eipInstanceId": "e", "autoCreateEip": True}}, ("eip", "autoCreateEip"), UNKNOWN),
        ({"imageRegistryCredentials": {}}, ("imageRegistryCredentials",), LIST),
        ({"imageRegistryCredentials": ["p"]}, ("imageRegistryCredentials", 0), MAPPING),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "server": "http://r"}]},
            ("imageRegistryCredentials", 0, "server"),
            PLAIN,
        ),
        (
            {"imageRegistryCredentials": [CREDENTIAL, {**CREDENTIAL, "server": "HTTPS://r"}]},
            ("imageRegistryCredentials", 1, "server"),
            PLAIN,
        ),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "server": ""}]},
            ("imageRegistryCredentials", 0, "server"),
            EMPTY,
        ),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "userName": ""}]},
            ("imageRegistryCredentials", 0, "userName"),
            EMPTY,
        ),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "password": ""}]},
            ("imageRegistryCredentials", 0, "password"),
            EMPTY,
        ),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "password": 1}]},
            ("imageRegistryCredentials", 0, "password"),
            TEXT,
        ),
        (
            {"imageRegistryCredentials": [{**CREDENTIAL, "email": "e"}]},
            ("imageRegistryCredentials", 0, "email"),
            UNKNOWN,
        ),
        ({"name": "x"}, ("name",), UNKNOWN),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_one_broken_rule(changes: dict[str, Any], path: tuple[str | int, ...], advice: str) -> None:
    (violation,) = validate(body(**changes))
    assert violation.path == path
    if advice.startswith(("is", DAYS, PLAIN)):
        assert violation.advice == advice
    else:
        # the rule, and perhaps an example behind it
        assert violation.advice.partition(", for example ")[0] == advice


@pytest.mark.parametrize("missing", ["server", "userName", "password"])
def test_a_credential_lacks_a_field(missing: str) -> None:
    credential = {name: value for name, value in CREDENTIAL.items() if name != missing}
    (violation,) = validate(body(imageRegistryCredentials=[CREDENTIAL, credential]))
    assert violation.path == ("imageRegistryCredentials", 1, missing)
    assert violation.advice.startswith("is required")


def test_every_violation_at_once_in_the_order_of_the_fields() -> None:
    found = validate(
        {
            "images": [],
            "imageCacheSize": "x",
            "retentionDays": 9999,
            "azInfo": {},
            "imageRegistryCredentials": [{"server": "http://r"}, 5],
            "surprise": 1,
        }
    )
    paths = [violation.path for violation in found]
    assert sorted(paths, key=repr) == sorted(
        [
            ("surprise",),
            *[(name,) for name in ("imageCacheName", "securityGroupId", "vSwitchId", "vpcId")],
            *[("imageCacheSize",), ("retentionDays",), ("images",), ("azInfo", "azName")],
            *[("imageRegistryCredentials", 0, name) for name in ("server", "userName", "password")],
            ("imageRegistryCredentials", 1),
        ],
        key=repr,
    )
    order = ["surprise", *CREATE_IMAGE_CACHE["properties"]]
    assert [path[0] for path in paths] == sorted((str(path[0]) for path in paths), key=order.index)


def test_unknown_fields_come_in_a_fixed_order() -> None:
    names = [f"field{number}" for number in range(12)]
    found = [violation.path[0] for violation in validate(body(**dict.fromkeys(names, 1)))]
    assert found in (names, sorted(names))


def test_an_incomplete_body_lacks_nothing_at_its_top_but_is_checked_otherwise() -> None:
    found = validate({"azInfo": {}, "retentionDays": -1}, complete=False)
    assert [violation.path for violation in found] == [("retentionDays",), ("azInfo", "azName")]
    assert validate({}, complete=False) == []
    assert [violation.path for violation in validate({})] == [(name,) for name in REQUIRED]


PLANTED = "Pl4nted!"


@pytest.mark.parametrize(
    "planted",
    [
        body(imageCacheSize=PLANTED, retentionDays=[PLANTED], azInfo=PLANTED, images={PLANTED: PLANTED}),
        body(imageRegistryCredentials=[PLANTED, [PLANTED], {"server": f"http://{PLANTED}", "password": [PLANTED]}]),
        body(imageRegistryCredentials=PLANTED, tags=[PLANTED, {"key": [PLANTED], "value": {PLANTED: PLANTED}}]),
        body(eip=[PLANTED], vpcId=[PLANTED], vSwitchId={"x": PLANTED}, surprise=PLANTED),
    ],
)
def test_no_value_in_the_text(planted: dict[str, Any]) -> None:
    found = validate(planted)
    assert len(found) >= 4
    assert PLANTED not in repr(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*CREATE_IMAGE_CACHE["properties"], "surprise", "", "'", "server", "password"])


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(FIELDS | st.text(max_size=5), JSON, max_size=8), st.booleans())
def test_any_object_is_judged_without_an_exception(arbitrary: dict[str, Any], complete: bool) -> None:
    found = validate(arbitrary, complete)
    assert all(isinstance(violation, Violation) and violation.path and violation.advice for violation in found)
    valid = Draft202012Validator(CREATE_IMAGE_CACHE).is_valid(arbitrary)
    if complete:
        assert (found == []) is valid
    else:
        assert found == [] or not valid


FRAGMENTS = st.fixed_dictionaries(
    {},
    optional={
        "tags": JSON | st.lists(st.dictionaries(st.sampled_from(["key", "value", "x"]), JSON, max_size=3), max_size=3),
        "azInfo": st.dictionaries(st.sampled_from(["azName", "azId"]), JSON, max_size=2),
        "eip": st.dictionaries(st.sampled_from(["eipInstanceId", "x"]), JSON, max_size=2),
        "images": st.lists(JSON, max_size=3),
        "imageRegistryCredentials": st.lists(
            st.dictionaries(st.sampled_from(["server", "userName", "password", "x"]), JSON, max_size=4), max_size=3
        ),
        "retentionDays": JSON,
        "imageCacheSize": JSON,
    },
)


@settings(max_examples=40, deadline=None)
@given(FRAGMENTS)
def test_almost_right_objects_are_judged_as_the_schema_judges(changes: dict[str, Any]) -> None:
    almost = body(**changes)
    found = validate(almost)
    assert (found == []) is Draft202012Validator(CREATE_IMAGE_CACHE).is_valid(almost)
    assert len(set(found)) == len(found)


def test_the_schema_can_be_imported_without_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("jsonschema", "jsonschema.exceptions"):
        monkeypatch.setitem(sys.modules, library, None)
    spec = importlib.util.spec_from_file_location(schema.__name__ + "_alone", str(schema.__file__))
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert (alone.HAS_JSONSCHEMA, schema.HAS_JSONSCHEMA) == (False, True)
    assert alone.CREATE_IMAGE_CACHE == CREATE_IMAGE_CACHE
