# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.advice import as_written, path_text
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import redacted_arguments
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import RULES, Violation
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import check, mappings
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import (
    image_cache,
    image_cache_info,
    image_caches,
    image_info,
    region_info,
)

from .examples import ABSENT, EXAMPLE, MIXED, SNAKE, every_option, example

MONTH = 31 * 24 * 60 * 60
TEXT, WHOLE, NUMBER, BOOL = "must be a string", "must be a whole number", "must be a number", "must be true or false"
LIST, MAPPING = "must be a list", "must be a mapping"
QUOTES = "must be a string; put it in quotes, or use | string in a template"
EMPTY = "value is empty; leave it out, for example with default(omit)"
JSON_TEXT = "must be a list, and this string is not JSON: write it as YAML"
CONTROL = "must not contain a control character, such as a line feed, a tab or a NUL"
ENDS = "ends with a line feed or a space; remove it, for example with the filter trim"
BEGINS = ENDS.replace("ends", "begins", 1)
DRIFT = "must be one of warn, fail, recreate"
POSITIVE = f"must be more than 0 and at most {MONTH}"
HOST = "must be a host, with a port or a path if need be, on both sides, without http:// or https://"

SECRET = "Pl4nted-Secret"
TEAM = {"key": "team", "value": "web"}


def violations(**given_arguments: Any) -> dict[str, str]:
    """The violations, without the examples behind their advice."""
    found = check(every_option, given_arguments).violations
    return {path: re.sub(", for example (?!with ).*", "", advice) for path, advice in found.items()}


def report(task: Task, given_arguments: dict[str, Any], check_mode: bool = False) -> str:
    return task.validate(given_arguments, check_mode).report()


# --- conversion


@pytest.mark.parametrize(
    ("option", "written", "converted"),
    [
        ("image_cache_size", "40", 40),
        ("image_cache_size", 40.0, 40),
        ("image_cache_size", "-1", -1),
        ("image_cache_name", 123, "123"),
        ("region_id", "", ""),
        ("images", " a , b", ["a", "b"]),
        ("images", "a", ["a"]),
        ("images", ["a", 5], ["a", "5"]),
        ("az_info", '{"az_name": "az1"}', {"az_name": "az1"}),
        ("registry_addresses", {"A.b:5000": "[::1]:5000"}, {"A.b:5000": "[::1]:5000"}),
        ("registry_addresses", {5: "a"}, {"5": "a"}),
        ("wait", "yes", True),
        ("wait", "no", False),
        ("wait", 1, True),
        ("timeout", "1.5", 1.5),
        ("preflight", False, "off"),  # YAML's bare off
        ("retries", "0", 0),
        ("tags", [{"key": " a ", "value": " "}], [{"key": " a ", "value": " "}]),
        ("tags", {"team": "web", 5: 7, "none": None}, [TEAM, {"key": "5", "value": "7"}, {"key": "none"}]),
        ("tags", {}, []),
        ("tags", '[{"key": "team", "value": "web"}]', [TEAM]),
        ("tags", ' {"team": "web"}', [TEAM]),
        ("images", '["a", "b"]', ["a", "b"]),
        ("name", None, None),
    ],
)
def test_a_value_is_converted_where_that_is_unambiguous(option: str, written: Any, converted: Any) -> None:
    checked = check(every_option, {option: written})
    option = "image_cache_name" if option == "name" else option
    assert (checked.violations, checked.report()) == ({}, "")
    assert checked.values == {option: converted}
    assert type(checked.values[option]) is type(converted)


@pytest.mark.parametrize(
    ("option", "written", "advice"),
    [
        *(("image_cache_size", value, WHOLE) for value in (True, False, 1.5, "1.5", "big", [40], {})),
        *(("image_cache_size", value, WHOLE) for value in (math.nan, math.inf, "inf")),
        *(("image_cache_size", value, EMPTY) for value in ("", " ", "\n")),
        *(("image_cache_name", value, QUOTES) for value in (True, 1.5)),
        *(("image_cache_name", value, TEXT) for value in (["x"], {})),
        ("ca_path", ["/x"], TEXT),
        *(("images", value, LIST) for value in ({"a": 1}, True, 1.5)),
        *(("images", value, JSON_TEXT) for value in (" [a, b]", "['a']", '["a"', "[" * 5000)),
        ("images", '{"a": "b"}', LIST),
        ("images", "", EMPTY),
        ("tags", '[{"key": "a", "value": "b"}', JSON_TEXT),
        ("tags", {"key": "team", "value": "web"}, LIST),
        ("tags", {"key": "team"}, LIST),
        ("image_registry_credentials", f"{SECRET}=", LIST),
        # Ansible takes a=b, and a base64 text as well
        *(("az_info", value, MAPPING) for value in ("az1", "azName=az1", ["az1"], 5, "{1, 2}", "{", "{" * 5000)),
        ("az_info", "", EMPTY),
        *(("wait", value, BOOL) for value in ("perhaps", 2, [])),
        ("wait", "", EMPTY),
        *(("timeout", value, NUMBER) for value in ("soon", True, math.inf, math.nan, "nan", "1e400", [])),
        *(("timeout", value, POSITIVE) for value in (0, "-3", MONTH + 0.5, 10**400)),
        ("timeout", "", EMPTY),
        ("retries", 10**30, "must be between 0 and 1000"),
        ("wait_interval", 0, POSITIVE),
        *(("drift", value, DRIFT) for value in ("maybe", True, ["warn"], 5, "")),
        *(("preflight", value, "must be one of off, warn, fail") for value in (True, "no")),
        ("platform", "linux", "must be a system and an architecture"),
        *(("registry_addresses", value, MAPPING) for value in ("a=b", ["a"])),
        *((option, f"{SECRET}\n", ENDS) for option in ("access_key", "secret_key", "region_id", "endpoint", "drift")),
        *((option, f"\t{SECRET}", BEGINS) for option in ("image_cache_name", "vpc_id", "security_group_id")),
        ("region_id", "\u3000r", BEGINS),
        *(("image_cache_name", value, CONTROL) for value in ("we\0b", "we\nb", "\x7f", "\x9b1m")),
        ("endpoint", "https://h.example\0", CONTROL),
        ("ca_path", "/a\0b", CONTROL),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_does_not_fit(option: str, written: Any, advice: str) -> None:
    assert violations(**{option: written}) == {option: advice}


@pytest.mark.parametrize("option", RULES)
def test_the_bounds_themselves_are_good(option: str) -> None:
    rules = RULES[option]
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in rules:
            assert violations(**{option: rules[bound]}) == {}
            assert list(violations(**{option: rules[bound] + step})) == [option]


def test_addresses_of_registries() -> None:
    wrong = {"a b": "d", "x": 5, "y": "http://y", "z": "z\n", "null": None, "\u212a": "kelvin"}
    found = violations(registry_addresses={**wrong, "ok": "A.b:5000"})
    assert found == {f"registry_addresses.{name}": HOST for name in wrong}


def test_a_list_is_checked_item_by_item() -> None:
    found = violations(images=["a", True, ["b"], {"c": 1}, None, " a", "", 5])
    advice = [QUOTES, TEXT, TEXT, TEXT, BEGINS, "must not be empty"]
    assert found == {f"images[{number}]": text for number, text in enumerate(advice, 1)}


@pytest.mark.parametrize(
    ("path", "body", "advice"),
    [
        ("imageCacheName", {"imageCacheName": "a\0"}, CONTROL),
        ("images[1]", {"images": ["a", "b\nc"]}, CONTROL),
        ("subnet_id", {"subnet_id": "a\tb"}, CONTROL),
        ("azInfo.azName", {"azInfo": {"azName": "az1\n"}}, ENDS),
        ("tags[0].value", {"tags": [{"key": "a", "value": "b\n"}]}, CONTROL),
        ("eip.eipInstanceId", {"eip": {"eipInstanceId": "a\0"}}, CONTROL),
        *(
            (f"imageRegistryCredentials[0].{field}", {"imageRegistryCredentials": [{**LOGIN, field: text}]}, advice)
            for LOGIN in ({"server": "r", "userName": "u", "password": "p w"},)
            for field, text, advice in (
                ("server", "r\n", ENDS),
                ("userName", " user", BEGINS),
                ("password", f"{SECRET}\n", ENDS),
                ("password", f"\n{SECRET}", BEGINS),
                ("password", "a\nb", CONTROL),
            )
        ),
    ],
)
def test_control_characters_and_blanks_at_an_end_are_named(path: str, body: dict[str, Any], advice: str) -> None:
    assert check(body_spec, body).violations == {path: advice}


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
    assert violations(**{option: tags}) == {
        f"{option}[{index}].key": f"is the same as in {option}[{first}]" for index, first in repeated.items()
    }


@pytest.mark.parametrize("option", ["tags", "prune_tags"])
def test_a_key_that_is_no_text_is_the_same_as_none(option: str) -> None:
    found = violations(**{option: [{"key": ["a"]}, {"key": ["a"]}]})
    assert found == {f"{option}[{index}].key": TEXT for index in (0, 1)}


def test_null_is_no_mistake_and_stands_for_the_default() -> None:
    given_arguments = {"image_cache_size": None, "timeout": None, "name": None, "tags": [{"key": "a", "value": None}]}
    checked = check(every_option, given_arguments)
    assert checked.violations == {}
    nulls = {"image_cache_size": None, "timeout": None, "image_cache_name": None}
    assert checked.values == {**nulls, "tags": [{"key": "a", "value": None}]}
    assert checked.arguments == {key: value for key, value in checked.values.items() if key != "timeout"}
    checked = check(every_option, {"name": None, "vpc_id": None}, ("image_cache_name",))
    assert checked.values == {"image_cache_name": "", "vpc_id": None}


@pytest.mark.parametrize("task", [image_cache.TASK, image_caches.TASK], ids=["one", "many"])
def test_null_is_no_choice(task: Task) -> None:
    entry = example(state=None)
    checked = task.validate({"image_caches": [entry]} if task is image_caches.TASK else entry, False)
    assert ArgumentSpecValidator(task.spec()).validate(checked.arguments).error_messages == []


def test_the_items_of_a_list_that_are_mappings() -> None:
    for value in (None, True, "x", {"a": 1}):
        assert list(mappings({"tags": value}, "tags")) == []
    assert list(mappings({}, "tags")) == []
    assert list(mappings({"tags": [1, {"a": 1}]}, "tags")) == [(1, {"a": 1})]


# --- bad arguments: each names its option and says what to do

LOGINS, SNAKE_LOGINS = "imageRegistryCredentials", "image_registry_credentials"
IMAGES = "[registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest]"
SNAKE_WITHOUT_A_NAME = {key: value for key, value in SNAKE.items() if key != "image_cache_name"}
SNAKE_WITHOUT_A_ZONE = {key: value for key, value in SNAKE.items() if key != "az_info"}
NAMES = ", for example nginx:1.29 or registry.example.com/team/app:1"
IMPOSSIBLE = [
    f"images[0]: must be a name without http:// or https:// in front{NAMES}",
    f"images[1]: must be in lower case up to the tag{NAMES}",
    *(f"images[{number}]: is not a valid image name{NAMES}" for number in (2, 3)),
]
TWICE = "; use one spelling, in module_defaults and in YAML anchors as well"
NO_ID = "must not be empty; leave it out to select one by its name"
REQUIRED = ("imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId")


@pytest.mark.parametrize(
    ("wrong", "lines"),
    [
        (SNAKE_WITHOUT_A_NAME, ["image_cache_name: is required, for example test"]),
        (example(azInfo=ABSENT), ["azInfo: is required, for example {azName: az1}"]),
        (SNAKE_WITHOUT_A_ZONE, ["az_info: is required, for example {az_name: az1}"]),
        (example(tags={"team": True, "a": "b\0"}), [f"tags.a: {CONTROL}", f"tags.team: {QUOTES}"]),
        (example(images=["https://r.example/a", "r.example/A", "图:1", "a b"]), IMPOSSIBLE),
        (example(images=[]), [f"images: must list at least one, for example {IMAGES}"]),
        (example(imageCacheName=""), ["imageCacheName: must not be empty, for example test"]),
        (
            example(imageCacheSize="big", state="presnt", imageCacheName=ABSENT),
            [
                "imageCacheName: is required, for example test",
                f"imageCacheSize: {WHOLE}, for example 20",
                "state: must be one of present, absent",
            ],
        ),
        (example(retentionDays=3651), ["retentionDays: must be between 0 and 3650, for example 30"]),
        (example(name="x"), [f"name: is given twice, also as imageCacheName{TWICE}"]),
        (
            example(azInfo={"azName": "az1", "az_name": None}),
            [f"azInfo.az_name: is given twice, also as azName{TWICE}"],
        ),
        (example(name=None), [f"name: is given twice, also as imageCacheName{TWICE}"]),
        (
            example(imageRegistryCredentials=["x"], image_registry_credentials={}),
            [
                f"image_registry_credentials: is given twice, also as {LOGINS}{TWICE}",
                "image_registry_credentials[0]: must be a mapping",
            ],
        ),
        (example(imageCacheNam="x"), ["imageCacheNam: is not an option here; did you mean imageCacheName?"]),
        (
            example(azInfo={"azName": "a", "azname": "x"}),
            ["azInfo.azname: is not an option here; did you mean az_name?"],
        ),
        (example(tags=[{"key": "spot", "value": True}]), [f"tags[0].value: {QUOTES}"]),
        (example(image_cache_id=None), [f"image_cache_id: {NO_ID}"]),
        ({"imageCacheId": "", "state": "absent"}, [f"imageCacheId: {NO_ID}"]),
        (
            example(imageRegistryCredentials=[{"server": "https://r", "userName": "u", "password": "p"}]),
            [f"{LOGINS}[0].server: must be the plain address, without http:// or https:// in front, for example cheng"],
        ),
        ({"state": "absent"}, ["image_cache_name: is required, or image_cache_id, to delete one"]),
        (
            {"imageCacheId": "imc-1", "drift": "recreate"},
            [f"{name}: is required" for name in EXAMPLE if name in REQUIRED],
        ),
    ],
    ids=lambda value: value[0].partition(",")[0] if isinstance(value, list) else "",
)
def test_bad_arguments(wrong: dict[str, Any], lines: list[str]) -> None:
    head, *found = report(image_cache.TASK, wrong).split("\n")
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
    assert report(image_cache.TASK, good) == ""


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
    assert report(image_cache.TASK, good, True) == ""
    assert report(image_cache.TASK, good, False) != ""


def test_in_check_mode_all_else_is_checked_as_well() -> None:
    found = image_cache.TASK.validate({"image_cache_id": None, "tags": "x", "images": []}, True).violations
    assert list(found) == ["images", "tags"]
    missing = report(image_cache.TASK, {"image_cache_id": None, "drift": "recreate"}, True)
    assert "image_cache_name: is required" in missing


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
def test_a_report_quotes_no_part_of_a_value(malformed: dict[str, Any]) -> None:
    text = report(image_cache.TASK, malformed)
    assert SECRET not in text
    assert text.count("\n") >= 1


# --- paths


@pytest.mark.parametrize(
    ("body", "path", "written"),
    [
        (EXAMPLE, (SNAKE_LOGINS, 0, "user_name"), "imageRegistryCredentials[0].userName"),
        (SNAKE, (SNAKE_LOGINS, 0, "user_name"), "image_registry_credentials[0].user_name"),
        (MIXED, ("az_info", "az_name"), "azInfo.az_name"),
        (MIXED, ("image_cache_name",), "name"),
        ({"imageCacheName": None, "vpc_id": "x"}, ("image_cache_name",), "imageCacheName"),
        ({"images": "a,b"}, ("images", 1), "images[1]"),
        # what is not there is spelled as its neighbours are
        ({"vpcId": "x"}, ("v_switch_id",), "vSwitchId"),
        ({"vpcId": "x"}, ("az_info", "az_name"), "azInfo.azName"),
        ({"vpcId": "x", "azInfo": {"no_such": 1}}, ("az_info", "az_name"), "azInfo.az_name"),
        ({"tags": [{"value": "u"}]}, ("tags", 0, "key"), "tags[0].key"),
        # what has the wrong form does not stop it
        ({"azInfo": "az1"}, ("az_info", "az_name"), "azInfo.azName"),
        ({"imageRegistryCredentials": 5}, (SNAKE_LOGINS, 0, "user_name"), "imageRegistryCredentials[0].userName"),
        ({"vpcId": "x"}, ("surprise", "inside"), "surprise.inside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_path_in_the_words_of_the_task(body: Any, path: tuple[str | int, ...], written: str) -> None:
    assert path_text(as_written(path, every_option(), body)) == written


def test_the_first_advice_for_each_path_counts() -> None:
    own = [Violation(("tags", 0, "key"), "one"), Violation(("tags", 0, "key"), "two"), Violation(("wait",), "three")]
    checked = check(every_option, {"tags": [{"key": True}]}, rules=lambda values: own)
    assert checked.report() == "The arguments are not valid, nothing was sent:\n- tags[0].key: one\n- wait: three"


# --- fuzz

OPTIONS = image_cache.TASK.spec().items()
NAMES = st.sampled_from([name for option, rules in OPTIONS for name in [option, *rules.get("aliases", ())]])
TEXTS = ["a,b", "k=v", "{", "{}", '{"azName": 1}', "yes", "-1", "inf", "1e400", "", "absent", "recreate"]
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats()
LEAVES = SIMPLE | st.text(max_size=6) | st.sampled_from(TEXTS)
SUBNAMES = st.sampled_from(["server", "userName", "user_name", "password", "azName", "az_name", "key", "value", "zz"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SUBNAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TASKS = [
    pytest.param(task, id=task.check.__module__.rpartition(".")[2])
    for task in (image_cache.TASK, image_caches.TASK, image_cache_info.TASK, image_info.TASK, region_info.TASK)
]


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=30, deadline=None)
@given(given_arguments=st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=8), check_mode=st.booleans())
def test_no_arguments_are_beyond_the_check(task: Task, given_arguments: dict[str, Any], check_mode: bool) -> None:
    if task is image_caches.TASK:
        given_arguments = {**given_arguments, "image_caches": [given_arguments, *given_arguments.values()]}
    checked = task.validate(given_arguments, check_mode)
    assert all(checked.violations.values())
    assert bool(checked.violations) is bool(checked.report())
    redacted_arguments(task.spec(), given_arguments)
    if not checked.violations:
        assert ArgumentSpecValidator(task.spec()).validate(checked.arguments).error_messages == []


PLANTS = st.sampled_from([SECRET, f"x{SECRET}", f"password={SECRET}", f"a, {SECRET}", f'{{"password": "{SECRET}"}}'])
PLANTED = st.recursive(
    PLANTS | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SUBNAMES, inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES | st.sampled_from(["zz", "passwd"]), PLANTED, max_size=8))
def test_no_report_contains_a_planted_value(given_arguments: dict[str, Any]) -> None:
    assert SECRET not in report(image_cache.TASK, given_arguments)
