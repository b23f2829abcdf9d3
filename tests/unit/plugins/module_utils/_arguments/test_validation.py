# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ansible.module_utils.common.validation import check_type_int
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import (
    _BOUNDS,
    Checked,
    as_written,
    check,
    for_ansible,
    path_text,
    report,
)
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import masked
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import Violation
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import (
    body_spec,
    connection_spec,
    generations_spec,
    preflight_spec,
    prune_spec,
    registry_spec,
    tags_option,
)
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import (
    image_cache,
    image_cache_info,
    image_caches,
    region_info,
)

from .examples import ALL, EXAMPLE, MIXED, SNAKE, example, without

MONTH = 31 * 24 * 60 * 60
TEXT, WHOLE, NUMBER, BOOL = "must be a text", "must be a whole number", "must be a number", "must be true or false"
LIST, MAPPING, PATH = "must be a list", "must be a mapping", "must be a path"
QUOTES = "; put it in quotes"
JSON_TEXT = "must be a list, and a text in JSON is none: write it as YAML, or use the filter from_json"
CONTROL = "must not contain a control character, such as a line feed, a tab or a NUL"
ENDS = "ends with a line feed or a blank: give it without, for example with the filter trim"
BEGINS = ENDS.replace("ends", "begins", 1)

SECRET = "Pl4nted-Secret"


# --- conversion


@pytest.mark.parametrize(
    ("option", "written", "converted"),
    [
        ("image_cache_size", "40", 40),
        ("image_cache_size", " 40 ", 40),
        ("image_cache_size", 40, 40),
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


def test_a_whole_number_with_a_point_is_one_where_ansible_takes_it_for_one() -> None:
    checked = check(ALL, {"image_cache_size": 40.0})
    try:
        assert checked == ({"image_cache_size": check_type_int(40.0)}, [])
    except TypeError:  # ansible-core 2.17
        assert [violation.advice for violation in checked.violations] == [WHOLE]


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
        ("image_cache_name", True, TEXT + QUOTES),
        ("image_cache_name", 1.5, TEXT + QUOTES),
        ("image_cache_name", ["x"], TEXT),
        ("image_cache_name", {}, TEXT),
        ("ca_path", True, PATH + QUOTES),
        ("ca_path", ["/x"], PATH),
        ("images", {"a": 1}, LIST),
        ("images", True, LIST),
        ("images", '["a", "b"]', JSON_TEXT),
        ("images", " [a, b]", JSON_TEXT),
        ("images", '{"a": "b"}', JSON_TEXT),
        ("tags", '[{"key": "a", "value": "b"}]', JSON_TEXT),
        ("image_registry_credentials", "[]", JSON_TEXT),
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
        ("drift", True, "must be one of warn, fail, recreate"),
        ("drift", ["warn"], "must be one of warn, fail, recreate"),
        ("timeout", MONTH + 0.5, f"must be at most {MONTH}"),
        ("wait_timeout", 1e300, f"must be at most {MONTH}"),
        ("wait_interval", str(MONTH + 1), f"must be at most {MONTH}"),
        ("retry_max_delay", MONTH * 2, f"must be at most {MONTH}"),
        ("retries", 1001, "must be at most 1000"),
        ("retries", 10**30, "must be at most 1000"),
        ("access_key", "ak\n", ENDS),
        ("secret_key", "sk ", ENDS),
        ("secret_key", "\tsk", BEGINS),
        ("secret_key", " sk\r\n", ENDS),
        ("region_id", " ", ENDS),
        ("region_id", "\u3000r", BEGINS),
        ("secret_key", "s\0k", CONTROL),
        ("image_cache_name", "we\0b", CONTROL),
        ("image_cache_name", "web\n", CONTROL),
        ("image_cache_name", "\x7f", CONTROL),
        ("image_cache_name", "\x9b1m", CONTROL),
        ("endpoint", "https://h.example\0", CONTROL),
        ("ca_path", "/a\0b", CONTROL),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_does_not_fit(option: str, written: Any, advice: str) -> None:
    # the first of a path is what report() shows
    first = check(ALL, {option: written}).violations[0]
    assert first == Violation((option,), advice)


def test_a_value_that_does_not_fit_stays_as_it_is() -> None:
    assert check(ALL, {"image_cache_size": "many"}).values == {"image_cache_size": "many"}


def test_images_element_by_element() -> None:
    found = check(ALL, {"images": ["a", True, ["b"], {"c": 1}, None]}).violations
    assert [violation.path for violation in found] == [("images", 1), ("images", 2), ("images", 3), ("images", 4)]
    assert [violation.advice for violation in found] == [TEXT + QUOTES, TEXT, TEXT, TEXT]


@pytest.mark.parametrize(
    ("given", "good"), [(False, True), ("off", True), ("fail", True), (True, False), ("no", False)]
)
def test_an_off_without_quotes(given: Any, good: bool) -> None:
    """YAML reads it as a false, and Ansible takes that for the off among the choices."""
    advice = [] if good else ["must be one of off, warn, fail"]
    assert [violation.advice for violation in check(preflight_spec(), {"preflight": given}).violations] == advice


@pytest.mark.parametrize(("option", "largest"), [(option, bounds[2]) for option, bounds in _BOUNDS.items()])
def test_the_largest_number_is_good(option: str, largest: int) -> None:
    spec = {
        **ALL,
        **prune_spec(),
        **registry_spec(),
        **preflight_spec(),
        **generations_spec(),
        "concurrency": {"type": "int"},
    }
    assert check(spec, {option: largest}).violations == []
    assert check(spec, {option: largest + 1}).violations == [Violation((option,), f"must be at most {largest}")]


@pytest.mark.parametrize(
    ("path", "given_body"),
    [
        ("imageCacheName", {"imageCacheName": "a\0"}),
        ("images[1]", {"images": ["a", "b\n"]}),
        ("images[0]", {"images": "a\0"}),
        ("vpcId", {"vpcId": "\x1b[1m"}),
        ("subnet_id", {"subnet_id": "a\tb"}),
        ("azInfo.azName", {"azInfo": {"azName": "az1\n"}}),
        ("tags[0].key", {"tags": [{"key": "a\0", "value": "b"}]}),
        ("tags[0].value", {"tags": [{"key": "a", "value": "b\n"}]}),
        ("eip.eipInstanceId", {"eip": {"eipInstanceId": "a\0"}}),
        ("imageRegistryCredentials[0].server", {"imageRegistryCredentials": [{"server": "r\n"}]}),
        ("imageRegistryCredentials[0].password", {"imageRegistryCredentials": [{"password": "a\nb"}]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_control_characters_are_named_by_their_place(path: str, given_body: dict[str, Any]) -> None:
    assert [(path_text(found.path), found.advice) for found in check(body_spec(), given_body).violations] == [
        (path, CONTROL)
    ]


@pytest.mark.parametrize(
    ("field", "written", "advice"),
    [
        ("userName", "user\n", ENDS),
        ("user_name", " user", BEGINS),
        ("password", f"{SECRET}\n", ENDS),
        ("password", f"{SECRET} ", ENDS),
        ("password", f"\n{SECRET}", BEGINS),
        ("password", "\n", ENDS),
    ],
)
def test_a_login_with_a_line_feed_or_a_blank_at_an_end(field: str, written: str, advice: str) -> None:
    given_body = {"image_registry_credentials": [{}, {field: written}]}
    (found,) = check(body_spec(), given_body).violations
    assert found == Violation(("image_registry_credentials", 1, field), advice)


def test_blanks_inside_are_no_mistake_of_copying() -> None:
    given_body = {"name": " web ", "image_registry_credentials": [{"password": "correct horse battery"}]}
    assert check(body_spec(), given_body).violations == []


@pytest.mark.parametrize("option", ["tags", "prune_tags"])
def test_a_key_that_is_no_text_is_the_same_as_none(option: str) -> None:
    found = check({option: tags_option()}, {option: [{"key": ["a"]}, {"key": ["a"]}]}).violations
    assert found == [Violation((option, index, "key"), TEXT) for index in (0, 1)]


@pytest.mark.parametrize(
    ("tags", "repeated"),
    [
        ([{"key": "a", "value": "1"}, {"key": "b"}, {"key": "a", "value": "2"}], {2: 0}),
        ([{"key": "a"}, {"key": "a"}, {"key": "a"}], {1: 0, 2: 0}),
        ([{"key": 1}, {"key": "1"}], {1: 0}),
        ([{"key": "a"}, {"key": "A"}, {"value": "x"}, {"value": "x"}, {"key": ""}, {"key": ""}, {"key": None}], {}),
    ],
)
@pytest.mark.parametrize("option", ["tags", "prune_tags"])
def test_each_key_of_a_tag_may_occur_once(option: str, tags: list[dict[str, Any]], repeated: dict[int, int]) -> None:
    spec = {"tags": tags_option(), "prune_tags": tags_option()}
    assert check(spec, {option: tags}).violations == [
        Violation((option, index, "key"), f"is the same as in {option}[{first}]") for index, first in repeated.items()
    ]


def test_a_null_under_another_name_is_given_twice_as_well() -> None:
    for first, second in ((None, "x"), ("x", None), (None, None)):
        found = check(ALL, {"vpcId": first, "vpc_id": second}).violations
        assert found == [Violation(("vpc_id",), "is given twice, also as vpcId")]


def test_null_is_no_mistake() -> None:
    given_arguments = {"image_cache_size": None, "timeout": None, "name": None, "tags": [{"key": "a", "value": None}]}
    values = {**given_arguments, "image_cache_name": None}
    del values["name"]
    assert check(ALL, given_arguments) == (values, [])


def test_entries_of_what_is_no_list() -> None:
    for value in (None, True, "x", {"a": 1}):
        assert Checked({"tags": value}, []).entries("tags") == []
    assert Checked({"tags": [1]}, []).entries("tags") == [1]
    assert Checked({}, []).entries("tags") == []


def test_a_null_stands_for_the_default() -> None:
    given_arguments = {"wait": None, "timeout": None, "endpoint": None, "vpcId": None, "access_key": None, "name": "x"}
    left = {"vpcId": None, "access_key": None, "name": "x"}
    assert for_ansible(ALL, given_arguments) == left
    assert for_ansible(ALL, {**given_arguments, "name": None}, ["image_cache_name"]) == {**left, "name": ""}


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
        pytest.param(
            example(imageCacheName=True), ["imageCacheName: must be a text; put it in quotes"], id="bool-name"
        ),
        pytest.param(
            example(imageCacheName=1.10), ["imageCacheName: must be a text; put it in quotes"], id="float-name"
        ),
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
        pytest.param(example(name=None), ["name: is given twice, also as imageCacheName"], id="name-and-null"),
        pytest.param(
            {**without(EXAMPLE, "vSwitchId"), "subnet_id": "x", "v_switch_id": None},
            ["v_switch_id: is given twice, also as subnet_id"],
            id="subnet-and-null",
        ),
        pytest.param(
            example(azInfo={"azName": "az1", "az_name": None}),
            ["azInfo.az_name: is given twice, also as azName"],
            id="zone-twice",
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
        pytest.param(example(tags=[{"key": True}]), ["tags[0].key: must be a text; put it in quotes"], id="tag-bool"),
        pytest.param(
            example(tags=[{"key": "spot", "value": True}]),
            ["tags[0].value: must be a text; put it in quotes"],
            id="tag-value-bool",
        ),
        pytest.param(
            example(tags=[{"key": "a"}, {"key": "a"}]), ["tags[1].key: is the same as in tags[0]"], id="tag-twice"
        ),
        pytest.param(example(images='["a","b"]'), ["images: must be a list, and a text in JSON is none"], id="json"),
        pytest.param(
            example(image_cache_id=None),
            ["image_cache_id: must not be empty; leave it out to pick one by its name"],
            id="id-null",
        ),
        pytest.param(
            {"imageCacheId": "", "tags": []},
            ["imageCacheId: must not be empty; leave it out to pick one by its name"],
            id="id-empty",
        ),
        pytest.param(
            {"imageCacheId": "", "state": "absent"},
            ["imageCacheId: must not be empty; leave it out to pick one by its name"],
            id="absent-id-empty",
        ),
        pytest.param(
            {"image_cache_id": None, "state": "absent", "name": "web"},
            ["image_cache_id: must not be empty; leave it out to pick one by its name"],
            id="absent-id-null",
        ),
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
    text = report(image_cache.TASK.check(wrong, False))
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
    assert image_cache.TASK.check(good, False) == []


@pytest.mark.parametrize(
    "good",
    [
        {"image_cache_id": None},
        {"imageCacheId": "", "tags": []},
        {"image_cache_id": "", "wait": True, "name": "web"},
        {"image_cache_id": None, "state": "absent"},
        {**EXAMPLE, "image_cache_id": "", "drift": "recreate"},
    ],
)
def test_in_check_mode_an_id_may_not_be_known_yet(good: dict[str, Any]) -> None:
    assert image_cache.TASK.check(good, True) == []
    assert image_cache.TASK.check(good, False) != []


def test_in_check_mode_all_else_is_checked_as_well() -> None:
    text = report(image_cache.TASK.check({"image_cache_id": None, "tags": "x", "images": []}, True))
    assert [line.partition(":")[0] for line in text.split("\n")[1:]] == ["- tags[0]", "- images"]
    missing = report(image_cache.TASK.check({"image_cache_id": None, "drift": "recreate"}, True))
    assert "image_cache_name: is required" in missing


def test_a_wrong_state_is_named_first() -> None:
    assert image_cache.TASK.check({"state": "presnt", **without(EXAMPLE, "imageCacheName")}, False)[:1] == [
        Violation(("state",), "must be one of present, absent")
    ]
    assert image_cache.TASK.check({**EXAMPLE, "state": "presnt"}, False) == [
        Violation(("state",), "must be one of present, absent")
    ]


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
    text = report(image_cache.TASK.check(malformed, False))
    assert SECRET not in text
    assert text.count("\n") >= 1


# --- paths


@pytest.mark.parametrize(
    ("given_body", "path", "written"),
    [
        (EXAMPLE, ("imageRegistryCredentials", 0, "userName"), "imageRegistryCredentials[0].userName"),
        (SNAKE, ("imageRegistryCredentials", 0, "userName"), "image_registry_credentials[0].user_name"),
        (MIXED, ("azInfo", "azName"), "azInfo.az_name"),
        (MIXED, ("imageCacheName",), "name"),
        ({"imageCacheName": None, "vpc_id": "x"}, ("imageCacheName",), "imageCacheName"),
        ({"subnet_id": ""}, ("vSwitchId",), "subnet_id"),
        ({"images": "a,b"}, ("images", 1), "images[1]"),
        ({"images": ["a"]}, ("images", 1), "images[1]"),
        ({"images": ["a"]}, ("images", 7), "images[7]"),
        # what is not there is spelled as its neighbours are
        ({}, ("vSwitchId",), "v_switch_id"),
        ({"vpc_id": "x"}, ("vSwitchId",), "v_switch_id"),
        ({"vpcId": "x"}, ("vSwitchId",), "vSwitchId"),
        ({"vpcId": "x"}, ("azInfo", "azName"), "azInfo.azName"),
        ({"vpcId": "x", "azInfo": {"no_such": 1}}, ("azInfo", "azName"), "azInfo.az_name"),
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
@given(given_arguments=st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=8), check_mode=st.booleans())
def test_no_arguments_are_beyond_the_check(task: Task, given_arguments: dict[str, Any], check_mode: bool) -> None:
    if task is image_caches.TASK:
        given_arguments = {**given_arguments, "image_caches": [given_arguments, *given_arguments.values()]}
    violations = task.check(given_arguments, check_mode)
    assert all(isinstance(violation, Violation) and violation.path and violation.advice for violation in violations)
    report(violations)
    masked(task.spec(), given_arguments)
    if not violations:
        for_ansible(task.spec(), given_arguments, task.told)


PLANTS = st.sampled_from([SECRET, f"x{SECRET}", f"password={SECRET}", f"a, {SECRET}", f'{{"password": "{SECRET}"}}'])
PLANTED = st.recursive(
    PLANTS | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SUBNAMES, inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES | st.sampled_from(["zz", "passwd"]), PLANTED, max_size=8))
def test_no_report_contains_a_planted_value(given_arguments: dict[str, Any]) -> None:
    assert SECRET not in report(image_cache.TASK.check(given_arguments, False))


def test_the_bounds_belong_to_options_that_exist() -> None:
    assert set(_BOUNDS) <= set(ALL) | set(image_caches.TASK.spec()) | set(registry_spec())
    assert check(connection_spec(), {"wait_timeout": -1}).violations == [
        Violation(("wait_timeout",), "is not an option here; did you mean timeout?")
    ]
