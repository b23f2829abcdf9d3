# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.ctyun.eci.plugins.module_utils._arguments import schema
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import CREATE_IMAGE_CACHE, RULES
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec, request_body
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import check, missing_fields
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_cache, image_caches, image_info

from .examples import ABSENT, EXAMPLE, every_option, example

REQUIRED = ["imageCacheName", "securityGroupId", "vSwitchId", "azInfo", "images", "vpcId"]
LOGIN = {"server": "r.example", "userName": "u", "password": "p"}
CONTRACT = Draft202012Validator(CREATE_IMAGE_CACHE)


def logins(**changes: Any) -> dict[str, Any]:
    changed = {name: value for name, value in {**LOGIN, **changes}.items() if value is not ABSENT}
    return example(imageRegistryCredentials=[LOGIN, changed])


# --- the contract


def test_the_schemas_are_of_their_draft() -> None:
    options = (schema.options_schema(spec, ()) for spec in (every_option(), image_caches.TASK.spec()))
    for one in (CREATE_IMAGE_CACHE, *options):
        Draft202012Validator.check_schema(one)
    assert CREATE_IMAGE_CACHE["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_the_schema_states_what_the_page_states_and_no_other_limits() -> None:
    properties = CREATE_IMAGE_CACHE["properties"]
    assert sorted(properties) == sorted([*EXAMPLE, "eip"])
    assert sorted(CREATE_IMAGE_CACHE["required"]) == sorted(REQUIRED)
    assert (properties["retentionDays"]["minimum"], properties["retentionDays"]["maximum"]) == (0, 3650)
    assert not {"minimum", "maximum"} & set(properties["imageCacheSize"])
    assert "required" not in properties["tags"]["items"]


def _examples(part: Any) -> list[tuple[dict[str, Any], Any]]:
    if not isinstance(part, dict):
        return []
    own = [(part, one) for one in part.get("examples", [])]
    inner = [*part.get("properties", {}).values(), part.get("items")]
    return own + [pair for one in inner for pair in _examples(one)]


def test_the_examples_of_the_schema_follow_the_schema() -> None:
    found = _examples(CREATE_IMAGE_CACHE)
    assert len(found) > 10
    for part, one in found:
        Draft202012Validator(part).validate(one)


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(EXAMPLE, id="example-of-the-page"),
        pytest.param({name: EXAMPLE[name] for name in REQUIRED}, id="required-only"),
        pytest.param(example(retentionDays=0), id="days-0"),
        pytest.param(example(retentionDays=3650), id="days-3650"),
        pytest.param(example(imageCacheSize=10**9), id="no-limit-of-size"),
        pytest.param(example(tags=[]), id="no-tags"),
        pytest.param(example(tags=[{}]), id="tag-without-fields"),
        pytest.param(example(tags=[{"key": ""}] * 100), id="no-limit-of-tags"),
        pytest.param(example(imageRegistryCredentials=[]), id="no-credentials"),
        pytest.param(logins(server="r:5000/http://x"), id="http-further-on"),
        pytest.param(logins(server="httpd.example"), id="server-httpd"),
        pytest.param(example(eip={"eipInstanceId": "eip-1"}), id="eip"),
        pytest.param(example(images=["a", "a"]), id="image-twice"),
        pytest.param(example(imageCacheName="名" * 1000), id="long-name"),
    ],
)
def test_good_bodies(good: dict[str, Any]) -> None:
    assert CONTRACT.is_valid(good)
    assert check(body_spec, good).violations == {}
    assert list(missing_fields(check(body_spec, good).values)) == []


# The first word of the advice, or two: the whole messages are in test_validation.py.
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    *((example(**{name: ABSENT}), name, "is required") for name in REQUIRED),
    *((example(**{name: ""}), name, "") for name in ("imageCacheName", "securityGroupId", "vSwitchId", "vpcId")),
    *((example(**{name: True}), name, "") for name in EXAMPLE),
    *((example(**{name: {"a": [1]}}), name, "") for name in EXAMPLE if name not in ("azInfo", "tags")),
    (example(tags={"a": [1]}), "tags.a", "must be a string"),
    (example(imageCacheSize=1.5), "imageCacheSize", "must be a whole number"),
    (example(retentionDays=-1), "retentionDays", "must be between"),
    (example(retentionDays=3651), "retentionDays", "must be between"),
    (example(tags=["a"]), "tags[0]", "must be a mapping"),
    (example(tags=[{}, {"key": True}]), "tags[1].key", "must be a string"),
    (example(tags=[{"colour": "red"}]), "tags[0].colour", "is not an option"),
    (example(azInfo={}), "azInfo.azName", "is required"),
    (example(azInfo={"azName": ""}), "azInfo.azName", "must not be empty"),
    (example(azInfo={"azName": "az1", "azId": 1}), "azInfo.azId", "is not an option"),
    (example(images=[]), "images", "must list at least one"),
    (example(images=["a", ""]), "images[1]", "must not be empty"),
    (example(images=["a", None]), "images[1]", "must be a string"),
    (example(eip={}), "eip.eipInstanceId", "is required"),
    (example(eip={"eipInstanceId": "e", "autoCreateEip": True}), "eip.autoCreateEip", "is not an option"),
    (example(imageRegistryCredentials=["p"]), "imageRegistryCredentials[0]", "must be a mapping"),
    (logins(server="http://r"), "imageRegistryCredentials[1].server", "must be the plain address"),
    (logins(server="HTTPS://r"), "imageRegistryCredentials[1].server", "must be the plain address"),
    *((logins(**{name: ""}), f"imageRegistryCredentials[1].{name}", "must not be empty") for name in LOGIN),
    (logins(email="e"), "imageRegistryCredentials[1].email", "is not an option"),
    *((logins(**{name: ABSENT}), f"imageRegistryCredentials[1].{name}", "is required") for name in LOGIN),
]


@pytest.mark.parametrize(("body", "path", "advice"), BROKEN, ids=[f"{path}-{advice}" for _body, path, advice in BROKEN])
def test_one_broken_rule(body: dict[str, Any], path: str, advice: str) -> None:
    assert not CONTRACT.is_valid(body)
    found = image_cache.TASK.validate(body, False).violations
    assert list(found) == [path]
    assert found[path].startswith(advice)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ALMOST_RIGHT = st.fixed_dictionaries(
    {},
    optional={
        "tags": JSON | st.lists(st.dictionaries(st.sampled_from(["key", "value", "x"]), JSON, max_size=3), max_size=3),
        "azInfo": st.dictionaries(st.sampled_from(["azName", "azId"]), JSON, max_size=2),
        "eip": st.dictionaries(st.sampled_from(["eipInstanceId", "x"]), JSON, max_size=2),
        "images": st.lists(JSON, max_size=3),
        "imageRegistryCredentials": st.lists(
            st.dictionaries(st.sampled_from([*LOGIN, "x"]), JSON, max_size=4), max_size=3
        ),
        **dict.fromkeys(("retentionDays", "imageCacheSize", "vpcId", "surprise"), JSON),
    },
)


@settings(max_examples=80, deadline=None)
@given(ALMOST_RIGHT)
def test_what_is_accepted_makes_a_body_that_follows_the_contract(changes: dict[str, Any]) -> None:
    checked = image_cache.TASK.validate(example(**changes), False)
    if checked.violations:
        assert all(checked.violations.values())
    else:
        CONTRACT.validate(request_body(checked.values))


# --- the options


def test_the_rules_belong_to_options_that_exist() -> None:
    assert set(RULES) <= {*image_caches.TASK.spec(), *image_info.TASK.spec()}


def test_an_option_that_may_be_empty_has_no_least_length() -> None:
    for nullable, expected in (((), 1), (("image_cache_name",), None)):
        properties = schema.options_schema(body_spec(), nullable)["properties"]
        assert properties["image_cache_name"].get("minLength") == expected


def test_the_schema_can_be_imported_without_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    spec = importlib.util.spec_from_file_location(schema.__name__ + "_alone", str(schema.__file__))
    assert spec and spec.loader
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert (alone.HAS_JSONSCHEMA, schema.HAS_JSONSCHEMA) == (False, True)
    assert alone.CREATE_IMAGE_CACHE == CREATE_IMAGE_CACHE
