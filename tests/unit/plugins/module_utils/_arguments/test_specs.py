# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import CREATE_IMAGE_CACHE
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec, request_body, tags_option
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import check
from ansible_collections.ctyun.eci.plugins.module_utils._text import wire_name

from .examples import EXAMPLE, MIXED, SNAKE, every_option


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


def test_each_call_makes_a_spec_of_its_own() -> None:
    body_spec()["images"]["type"] = "str"
    tags_option()["type"] = "str"
    assert body_spec()["images"]["type"] == tags_option()["type"] == "list"


@pytest.mark.parametrize("given", [EXAMPLE, SNAKE, MIXED], ids=["camel", "snake", "mixed"])
def test_the_body_is_the_example_field_for_field(given: dict[str, Any]) -> None:
    checked = check(every_option, given)
    assert checked.violations == {}
    assert request_body(checked.values) == EXAMPLE


def test_only_what_is_given_is_in_the_body() -> None:
    everything = dict.fromkeys(every_option())
    assert request_body(everything) == {}
    given = {**everything, "tags": [], "image_cache_size": 0, "eip": {"eip_instance_id": "e"}}
    assert request_body(given) == {"tags": [], "imageCacheSize": 0, "eip": {"eipInstanceId": "e"}}
    tags = [{"key": "a", "value": None}, {"key": None, "value": "b"}]
    assert request_body({"tags": tags}) == {"tags": [{"key": "a"}, {"value": "b"}]}
