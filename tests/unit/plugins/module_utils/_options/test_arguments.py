# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import KEYS
from ansible_collections.ctyun.eci.plugins.module_utils._options import arguments
from ansible_collections.ctyun.eci.plugins.module_utils._options.arguments import (
    HIDDEN,
    as_written,
    body_spec,
    check,
    connection_spec,
    masked,
    merged,
    option_name,
    path_text,
    policy_spec,
    report,
    request_body,
    secrets,
    tags_option,
    wait_spec,
    wire_name,
)
from ansible_collections.ctyun.eci.plugins.module_utils._options.schema import CREATE_IMAGE_CACHE, Violation
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import (
    image_cache,
    image_cache_info,
    image_caches,
    region_info,
)

ALL = merged(body_spec(), policy_spec(), wait_spec(), connection_spec())

# The request example of CTYun's page, as it stands there, and the same in the options' own names.
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
SNAKE: dict[str, Any] = {
    "security_group_id": "sg-test",
    "v_switch_id": "subnet-test",
    "vpc_id": "vpc-test",
    "image_cache_name": "lztest",
    "image_cache_size": 40,
    "retention_days": 30,
    "images": ["nginx:latest"],
    "tags": [{"key": "user", "value": "eci"}],
    "az_info": {"az_name": "az1"},
    "image_registry_credentials": [
        {"server": "chengdu1-az1.crs.ctyun.cn", "user_name": "hello", "password": "world"},
    ],
}
MIXED = {**EXAMPLE, "azInfo": {"az_name": "az1"}, "name": EXAMPLE["imageCacheName"]}
del MIXED["imageCacheName"]

TEXT, WHOLE, NUMBER, BOOL = "must be a text", "must be a whole number", "must be a number", "must be true or false"
LIST, MAPPING, PATH = "must be a list", "must be a mapping", "must be a path"


def example(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EXAMPLE), **changes}


def without(source: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in copy.deepcopy(source).items() if name not in names}


# --- conversion


@pytest.mark.parametrize(
    ("option", "written", "converted"),
    [
        ("image_cache_size", "40", 40),
        ("image_cache_size", " 40 ", 40),
        ("image_cache_size", 40, 40),
        ("image_cache_size", 40.0, 40),
        ("image_cache_size", "-1", -1),
        ("image_cache_size", "0", 0),
        ("image_cache_name", "x", "x"),
        ("image_cache_name", 123, "123"),
        ("image_cache_name", "", ""),
        ("image_cache_name", "true", "true"),
        ("ca_path", "/x", "/x"),
        ("images", "a,b", ["a", "b"]),
        ("images", "a", ["a"]),
        ("images", ["a", 5], ["a", "5"]),
        ("images", [], []),
        ("images", 5, ["5"]),
        ("az_info", '{"az_name": "az1"}', {"az_name": "az1"}),
        ("wait", "yes", True),
        ("wait", "no", False),
        ("wait", 1, True),
        ("wait", False, False),
        ("timeout", "1.5", 1.5),
        ("timeout", 2, 2.0),
        ("drift", "fail", "fail"),
        ("retries", "0", 0),
        ("retry_max_delay", 0, 0.0),
    ],
)
def test_a_value_becomes_what_ansible_would_make_of_it(option: str, written: Any, converted: Any) -> None:
    checked = check(ALL, {option: written})
    assert checked.violations == []
    assert checked.values == {option: converted}
    assert type(checked.values[option]) is type(converted)


@pytest.mark.parametrize(
    ("option", "written", "advice"),
    [
        ("image_cache_size", True, WHOLE),
        ("image_cache_size", False, WHOLE),
        ("image_cache_size", 1.5, WHOLE),
        ("image_cache_size", "1.5", WHOLE),
        ("image_cache_size", "big", WHOLE),
        ("image_cache_size", "", WHOLE),
        ("image_cache_size", [40], WHOLE),
        ("image_cache_size", {}, WHOLE),
        ("image_cache_size", math.nan, WHOLE),
        ("image_cache_size", math.inf, WHOLE),
        ("image_cache_size", "inf", WHOLE),
        ("image_cache_name", True, TEXT),
        ("image_cache_name", 1.5, TEXT),
        ("image_cache_name", ["x"], TEXT),
        ("image_cache_name", {}, TEXT),
        ("ca_path", True, PATH),
        ("ca_path", ["/x"], PATH),
        ("images", {"a": 1}, LIST),
        ("images", True, LIST),
        ("az_info", "az1", MAPPING),
        ("az_info", "azName=az1", MAPPING),  # Ansible would take it, and a base64 text as well
        ("az_info", ["az1"], MAPPING),
        ("az_info", 5, MAPPING),
        ("az_info", "{1, 2}", MAPPING),
        ("az_info", "{", MAPPING),
        ("az_info", "{" * 5000, MAPPING),
        ("wait", "perhaps", BOOL),
        ("wait", 2, BOOL),
        ("wait", [], BOOL),
        ("timeout", "soon", NUMBER),
        ("timeout", True, NUMBER),
        ("timeout", math.inf, NUMBER),
        ("timeout", "nan", NUMBER),
        ("timeout", 10**400, NUMBER),
        ("timeout", [], NUMBER),
        ("timeout", 0, "must be more than 0"),
        ("timeout", "-3", "must be more than 0"),
        ("retries", -1, "must be at least 0"),
        ("retry_max_delay", "-0.5", "must be at least 0"),
        ("wait_timeout", -1, "must be at least 0"),
        ("wait_interval", 0, "must be more than 0"),
        ("drift", "maybe", "must be one of warn, fail, recreate"),
        ("drift", True, TEXT),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_does_not_fit(option: str, written: Any, advice: str) -> None:
    # the first of a path is what report() shows
    first = check(ALL, {option: written}).violations[0]
    assert first == Violation((option,), advice)


def test_images_element_by_element() -> None:
    found = check(ALL, {"images": ["a", True, ["b"], {"c": 1}, None]}).violations
    assert [violation.path for violation in found] == [("images", 1), ("images", 2), ("images", 3), ("images", 4)]
    assert {violation.advice for violation in found} == {TEXT}


def test_null_counts_as_not_given() -> None:
    assert check(ALL, {"image_cache_size": None, "timeout": None, "name": "x", "imageCacheName": None}) == (
        {"image_cache_name": "x"},
        [],
    )


# --- names


@pytest.mark.parametrize("option", [*body_spec(), "az_name", "user_name", "eip_instance_id", *KEYS])
def test_option_names_and_wire_names_are_inverse(option: str) -> None:
    assert option_name(wire_name(option)) == option


@pytest.mark.parametrize(
    "field",
    [
        *CREATE_IMAGE_CACHE["properties"],
        *["azName", "eipInstanceId", "server", "userName", "password", "key", "value"],
        *["imageCacheId", "creationTime", "firstTimestamp", "resourceGroupId", "nextToken"],
    ],
)
def test_wire_names_and_option_names_are_inverse(field: str) -> None:
    assert wire_name(option_name(field)) == field


def test_the_options_are_the_fields_of_the_body() -> None:
    assert {wire_name(option) for option in body_spec()} == set(CREATE_IMAGE_CACHE["properties"])
    for option, rules in body_spec().items():
        field = wire_name(option)
        schema = CREATE_IMAGE_CACHE["properties"][field]
        assert field == option or field in rules["aliases"]
        assert {"str": "string", "int": "integer", "list": "array", "dict": "object"}[rules["type"]] == schema["type"]
        inner = schema.get("items", schema)
        for suboption, subrules in rules.get("options", {}).items():
            assert wire_name(suboption) in inner["properties"]
            assert subrules.get("required", False) == (wire_name(suboption) in inner.get("required", []))
        assert len(rules.get("options", {})) == len(inner.get("properties", {}))


def test_specs_are_made_anew_each_time() -> None:
    body_spec()["images"]["type"] = "str"
    tags_option()["type"] = "str"
    assert body_spec()["images"]["type"] == tags_option()["type"] == "list"


# --- the way to the body


@pytest.mark.parametrize("given_body", [EXAMPLE, SNAKE, MIXED], ids=["camel", "snake", "mixed"])
def test_the_body_is_the_example_field_for_field(given_body: dict[str, Any]) -> None:
    checked = check(ALL, given_body)
    assert checked.violations == []
    assert request_body(checked.values) == EXAMPLE
    assert image_cache.TASK.check(given_body) == []


def test_only_what_was_given_is_in_the_body() -> None:
    everything = dict.fromkeys(ALL)
    assert request_body(everything) == {}
    assert request_body({**everything, "tags": [], "image_cache_size": 0, "eip": {"eip_instance_id": "e"}}) == {
        "tags": [],
        "imageCacheSize": 0,
        "eip": {"eipInstanceId": "e"},
    }
    tags = [{"key": "a", "value": None}, {"key": None, "value": "b"}]
    assert request_body({"tags": tags}) == {"tags": [{"key": "a"}, {"value": "b"}]}


def test_what_has_the_wrong_form_stays_for_the_schema_to_refuse() -> None:
    body = request_body({"tags": ["a", {"key": "b"}], "az_info": "az1"})
    assert body == {"tags": ["a", {"key": "b"}], "azInfo": "az1"}


# --- bad arguments: each names its option and says what to do

CREDENTIALS = "imageRegistryCredentials"


@pytest.mark.parametrize(
    ("wrong", "lines"),
    [
        pytest.param(
            without(EXAMPLE, "imageCacheName"), ["imageCacheName: is required, for example test"], id="no-name"
        ),
        pytest.param(
            without(SNAKE, "image_cache_name"), ["image_cache_name: is required, for example test"], id="no-name-snake"
        ),
        pytest.param(without(EXAMPLE, "vpcId"), ["vpcId: is required, for example vpc-ctt6yag121"], id="no-vpc"),
        pytest.param(without(EXAMPLE, "azInfo"), ["azInfo: is required, for example {azName: az1}"], id="no-zone"),
        pytest.param(example(azInfo={}), ["azInfo.azName: is required, for example az1"], id="empty-zone"),
        pytest.param(
            without(EXAMPLE, "images"),
            ["images: is required, for example [registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest]"],
            id="no-images",
        ),
        pytest.param(
            example(images=[]),
            ["images: must list at least one, for example [registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest]"],
            id="empty-images",
        ),
        pytest.param(example(images=["a", ""]), ["images[1]: must not be empty"], id="empty-image"),
        pytest.param(example(images={"a": "b"}), ["images: must be a list"], id="images-mapping"),
        pytest.param(example(images=["a", {"b": "c"}]), ["images[1]: must be a text"], id="image-mapping"),
        pytest.param(example(images="a,,b"), ["images[1]: must not be empty"], id="images-comma-text"),
        pytest.param(
            example(imageCacheName=""), ["imageCacheName: must not be empty, for example test"], id="empty-name"
        ),
        pytest.param(example(imageCacheName=True), ["imageCacheName: must be a text"], id="bool-name"),
        pytest.param(example(imageCacheName=1.10), ["imageCacheName: must be a text"], id="float-name"),
        pytest.param(example(imageCacheSize="big"), ["imageCacheSize: must be a whole number"], id="size-text"),
        pytest.param(example(imageCacheSize=True), ["imageCacheSize: must be a whole number"], id="size-bool"),
        pytest.param(example(imageCacheSize=math.inf), ["imageCacheSize: must be a whole number"], id="size-infinite"),
        pytest.param(
            example(retentionDays=3651), ["retentionDays: must be between 0 and 3650, for example 30"], id="days-3651"
        ),
        pytest.param(
            example(retentionDays="-1"),
            ["retentionDays: must be between 0 and 3650, for example 30"],
            id="days-negative",
        ),
        pytest.param(example(name="x"), ["name: is given twice, also as imageCacheName"], id="name-twice"),
        pytest.param(
            example(image_cache_size=1), ["image_cache_size: is given twice, also as imageCacheSize"], id="size-twice"
        ),
        pytest.param(
            example(imageCacheNam="x"),
            ["imageCacheNam: is not an option here; did you mean imageCacheName?"],
            id="typing-error",
        ),
        pytest.param(example(zzz=1), ["zzz: is not an option here"], id="unknown"),
        pytest.param(
            example(azInfo={"azName": "az1", "azname": "x"}),
            ["azInfo.azname: is not an option here; did you mean az_name?"],
            id="unknown-inside",
        ),
        pytest.param(example(azInfo="az1"), ["azInfo: must be a mapping"], id="zone-text"),
        pytest.param(example(tags={"a": "b"}), ["tags: must be a list"], id="tags-mapping"),
        pytest.param(example(tags=["team"]), ["tags[0]: must be a mapping"], id="tag-text"),
        pytest.param(
            example(tags=[{"key": "a"}, {"name": "a"}]), ["tags[1].name: is not an option here"], id="tag-name"
        ),
        pytest.param(example(tags=[{"key": True}]), ["tags[0].key: must be a text"], id="tag-bool"),
        pytest.param(example(eip={"eipInstanceId": ""}), ["eip.eipInstanceId: must not be empty"], id="eip-empty"),
        pytest.param(example(eip={}), ["eip.eipInstanceId: is required"], id="eip-without-id"),
        pytest.param(
            example(imageRegistryCredentials=[{"server": "https://r", "userName": "u", "password": "p"}]),
            [
                f"{CREDENTIALS}[0].server: must be the plain address, without http:// or https:// in front, for example chengdu1-az1.crs.ctyun.cn"
            ],
            id="server-https",
        ),
        pytest.param(
            example(imageRegistryCredentials=[{"server": "r", "user_name": "u"}]),
            [f"{CREDENTIALS}[0].password: is required"],
            id="no-password",
        ),
        pytest.param(
            example(imageRegistryCredentials=[{"server": "r", "userName": "u", "password": ["p"]}]),
            [f"{CREDENTIALS}[0].password: must be a text"],
            id="password-list",
        ),
        pytest.param(
            example(imageRegistryCredentials={"server": "r"}),
            [f"{CREDENTIALS}: must be a list"],
            id="credentials-mapping",
        ),
        pytest.param(
            example(imageRegistryCredentials=[5]), [f"{CREDENTIALS}[0]: must be a mapping"], id="credentials-number"
        ),
        pytest.param(
            example(imageRegistryCredentials=[None]), [f"{CREDENTIALS}[0]: must be a mapping"], id="credentials-null"
        ),
        pytest.param(example(state="gone"), ["state: must be one of present, absent"], id="state"),
        pytest.param(example(drift="ask"), ["drift: must be one of warn, fail, recreate"], id="drift"),
        pytest.param(example(wait_interval=0), ["wait_interval: must be more than 0"], id="interval"),
        pytest.param(example(timeout="x"), ["timeout: must be a number"], id="timeout"),
        pytest.param(example(validate_certs="maybe"), ["validate_certs: must be true or false"], id="validate-certs"),
        pytest.param(
            {"state": "absent"},
            ["image_cache_name: is required, or image_cache_id, to delete one"],
            id="absent-what",
        ),
        pytest.param(
            {"state": "absent", "name": "x", "images": []},
            ["images: must list at least one, for example [registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest]"],
            id="absent-but-checked",
        ),
        pytest.param(
            {"imageCacheId": "imc-1", "drift": "recreate"},
            [
                f"{name}: is required"
                for name in ("imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId")
            ],
            id="recreate-by-id",
        ),
        pytest.param(
            example(imageCacheSize="x", retentionDays=-1, vpcId=""),
            [
                "imageCacheSize: must be a whole number",
                "retentionDays: must be between 0 and 3650, for example 30",
                "vpcId: must not be empty, for example vpc-ctt6yag121",
            ],
            id="three-at-once",
        ),
    ],
)
def test_bad_arguments(wrong: dict[str, Any], lines: list[str]) -> None:
    text = report(image_cache.TASK.check(wrong))
    head, *found = text.split("\n")
    assert head == "The arguments are not valid, nothing was sent:"
    assert len(found) == len(lines)
    for line, expected in zip(sorted(found), sorted(lines), strict=True):
        assert line.startswith(f"- {expected}")
    assert json.dumps(wrong)  # a task could say so


@pytest.mark.parametrize(
    "good",
    [
        {"state": "absent", "name": "x"},
        {"state": "absent", "image_cache_id": "imc-1"},
        {"image_cache_id": "imc-1", "tags": []},
        {"image_cache_id": "imc-1", "drift": "fail", "images": ["a"]},
        {**EXAMPLE, "image_cache_id": "imc-1", "drift": "recreate"},
        {**EXAMPLE, "access_key": None, "wait": True},
    ],
)
def test_good_arguments_of_other_kinds(good: dict[str, Any]) -> None:
    assert image_cache.TASK.check(good) == []


def test_a_wrong_state_is_named_first() -> None:
    assert image_cache.TASK.check({"state": "presnt", **without(EXAMPLE, "imageCacheName")})[:1] == [
        Violation(("state",), "must be one of present, absent")
    ]
    assert image_cache.TASK.check({**EXAMPLE, "state": "presnt"}) == [
        Violation(("state",), "must be one of present, absent")
    ]


# --- paths


@pytest.mark.parametrize(
    ("given_body", "path", "written"),
    [
        (EXAMPLE, ("imageRegistryCredentials", 0, "userName"), "imageRegistryCredentials[0].userName"),
        (SNAKE, ("imageRegistryCredentials", 0, "userName"), "image_registry_credentials[0].user_name"),
        (MIXED, ("azInfo", "azName"), "azInfo.az_name"),
        (MIXED, ("imageCacheName",), "name"),
        ({"imageCacheName": None, "name": "x"}, ("imageCacheName",), "name"),
        ({"subnet_id": ""}, ("vSwitchId",), "subnet_id"),
        ({"images": "a,b"}, ("images", 1), "images[1]"),
        ({"images": ["a"]}, ("images", 7), "images[7]"),
        # what is not there is spelled as its neighbours are
        ({}, ("vSwitchId",), "v_switch_id"),
        ({"vpc_id": "x"}, ("vSwitchId",), "v_switch_id"),
        ({"vpcId": "x"}, ("vSwitchId",), "vSwitchId"),
        ({"vpcId": "x"}, ("azInfo", "azName"), "azInfo.azName"),
        (
            {"imageRegistryCredentials": [{"userName": "u"}]},
            ("imageRegistryCredentials", 0, "password"),
            "imageRegistryCredentials[0].password",
        ),
        (
            {"image_registry_credentials": [{"userName": "u"}]},
            ("imageRegistryCredentials", 0, "password"),
            "image_registry_credentials[0].password",
        ),
        (
            {"image_registry_credentials": [{"password": "u"}]},
            ("imageRegistryCredentials", 0, "userName"),
            "image_registry_credentials[0].user_name",
        ),
        # what has the wrong form does not stop it
        ({"azInfo": "az1"}, ("azInfo", "azName"), "azInfo.azName"),
        (
            {"imageRegistryCredentials": 5},
            ("imageRegistryCredentials", 0, "userName"),
            "imageRegistryCredentials[0].userName",
        ),
        ({"azInfo": {1: "az1"}}, ("azInfo", "azName"), "azInfo.azName"),
        ({"vpcId": "x"}, ("surprise", "inside"), "surprise.inside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_path_in_the_words_of_the_task(given_body: Any, path: tuple[str | int, ...], written: str) -> None:
    assert path_text(as_written(path, body_spec(), given_body)) == written


def test_report_shows_the_first_advice_for_each_path() -> None:
    text = report([Violation(("a", 0, "b"), "one"), Violation(("a", 0, "b"), "two"), Violation(("c",), "three")])
    assert text == "The arguments are not valid, nothing was sent:\n- a[0].b: one\n- c: three"


# --- secrets

SECRET = "Pl4nted-Secret"
LOGIN = {"server": "r", "user_name": "u", "password": SECRET}


def test_masked_leaves_out_what_is_no_option() -> None:
    given_arguments = {"name": "x", "registry_password": SECRET, "az_info": {"azName": "az1", "zz": SECRET}}
    assert masked(ALL, given_arguments) == {"image_cache_name": "x", "az_info": {"az_name": "az1"}}


def test_masked_hides_secrets_by_their_place_and_nothing_else() -> None:
    arguments_given = {
        **SNAKE,
        "access_key": SECRET,
        "secret_key": "eci",
        "image_registry_credentials": [LOGIN],
        "wait": False,
    }
    hidden = [{"server": "r", "user_name": "u", "password": HIDDEN}]
    assert masked(ALL, {**arguments_given, "eip": None}) == {
        **arguments_given,
        "access_key": HIDDEN,
        "secret_key": HIDDEN,
        "image_registry_credentials": hidden,
    }


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param({"image_registry_credentials": SECRET}, id="text"),
        pytest.param({"image_registry_credentials": [SECRET]}, id="list-of-text"),
        pytest.param({"image_registry_credentials": [[LOGIN]]}, id="list-in-list"),
        pytest.param({"image_registry_credentials": LOGIN}, id="mapping"),
        pytest.param({"image_registry_credentials": {"r": LOGIN}}, id="mapping-of-mappings"),
        pytest.param({"image_registry_credentials": f"password={SECRET}"}, id="key-value-text"),
        pytest.param({"image_registry_credentials": json.dumps([LOGIN])}, id="json-text"),
        pytest.param({"image_registry_credentials": [{"passwort": SECRET}]}, id="unknown-suboption"),
        pytest.param({"image_registry_credentials": [{"password": [SECRET]}]}, id="password-in-list"),
        pytest.param(
            {"imageRegistryCredentials": [{**LOGIN, "userName": {"password": SECRET}}]}, id="password-in-user"
        ),
        pytest.param({"registry_password": SECRET}, id="unknown-option"),
        pytest.param({"access_key": {"value": SECRET}}, id="key-in-mapping"),
        pytest.param({"az_info": SECRET}, id="zone"),
        pytest.param({"tags": {"password": SECRET}}, id="tags-mapping"),
        # one level too deep: the next option indented under the list before it
        pytest.param({"images": ["nginx", {"image_registry_credentials": [LOGIN]}]}, id="indented-under-images"),
        pytest.param({"image_cache_name": {"image_registry_credentials": [LOGIN]}}, id="indented-under-name"),
        pytest.param({"tags": [{"key": "a", "value": {"password": SECRET}}]}, id="indented-under-a-tag"),
        # what Ansible makes of "c2VjcmV0=" where a mapping belongs
        pytest.param({"image_registry_credentials": [{SECRET: ""}]}, id="base64-taken-for-key-and-value"),
    ],
)
def test_masked_hides_what_stands_where_it_does_not_belong(malformed: dict[str, Any]) -> None:
    shown = repr(masked(ALL, malformed))
    assert SECRET not in shown


@pytest.mark.parametrize(
    "malformed",
    [
        {"image_registry_credentials": f"{SECRET}="},
        {"image_registry_credentials": [f"{SECRET}=="]},
        {"image_registry_credentials": [f"server=r user_name=u password=a {SECRET}=b"]},
        {"tags": f"{SECRET}=1"},
        {"image_registry_credentials": [{"password": {SECRET: SECRET}}]},
        {"image_cache_size": SECRET, "timeout": SECRET, "wait": SECRET, "drift": SECRET, "state": SECRET},
    ],
)
def test_report_quotes_no_part_of_a_text_value(malformed: dict[str, Any]) -> None:
    text = report(image_cache.TASK.check(malformed))
    assert SECRET not in text
    assert text.count("\n") >= 1


def test_secrets_are_found_with_their_quoted_forms_the_longest_first() -> None:
    password = 'a"b\\c\nd'
    found = secrets(
        ALL,
        {"access_key": "ak", "secret_key": None, "image_registry_credentials": [{**LOGIN, "password": password}, {}]},
    )
    assert set(found) == {"ak", password, r"a\"b\\c\nd", r'a"b\\c\nd'}
    assert [len(secret) for secret in found] == sorted((len(secret) for secret in found), reverse=True)
    assert secrets(ALL, {"eip": {"eip_instance_id": "e"}, "tags": [{"key": "k"}]}) == []


# --- fuzz

NAMES = st.sampled_from(
    [name for option, rules in image_cache.TASK.spec().items() for name in [option, *rules.get("aliases", ())]]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["a,b", "k=v", "{", "{}", '{"azName": 1}', "yes", "-1", "inf", "1e400", "", "absent", "recreate"])
)
SUBNAMES = st.sampled_from(["server", "userName", "user_name", "password", "azName", "az_name", "key", "value", "zz"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SUBNAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TASKS = [
    pytest.param(image_cache.TASK, id="image_cache"),
    pytest.param(image_caches.TASK, id="image_caches"),
    pytest.param(image_cache_info.TASK, id="image_cache_info"),
    pytest.param(region_info.TASK, id="region_info"),
]


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=30, deadline=None)
@given(given_arguments=st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=8))
def test_no_arguments_are_beyond_the_check(task: Task, given_arguments: dict[str, Any]) -> None:
    if task is image_caches.TASK:
        given_arguments = {**given_arguments, "image_caches": [given_arguments, *given_arguments.values()]}
    violations = task.check(given_arguments)
    assert all(isinstance(violation, Violation) and violation.path and violation.advice for violation in violations)
    report(violations)
    masked(task.spec(), given_arguments)


PLANTS = st.sampled_from([SECRET, f"x{SECRET}", f"password={SECRET}", f"a, {SECRET}", f'{{"password": "{SECRET}"}}'])
PLANTED = st.recursive(
    PLANTS | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SUBNAMES, inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES | st.sampled_from(["zz", "passwd"]), PLANTED, max_size=8))
def test_no_report_contains_a_planted_value(given_arguments: dict[str, Any]) -> None:
    assert SECRET not in report(image_cache.TASK.check(given_arguments))


def test_the_minimum_belongs_to_options_that_exist() -> None:
    assert set(arguments._MINIMUM) <= set(ALL) | set(image_caches.TASK.spec())
    assert check(connection_spec(), {"wait_timeout": -1}).violations == [
        Violation(("wait_timeout",), "is not an option here; did you mean timeout?")
    ]
