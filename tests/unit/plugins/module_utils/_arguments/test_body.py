# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.body import request_body
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import check
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_cache

from .examples import ALL, EXAMPLE, MIXED, SNAKE


@pytest.mark.parametrize("given_body", [EXAMPLE, SNAKE, MIXED], ids=["camel", "snake", "mixed"])
def test_the_body_is_the_example_field_for_field(given_body: dict[str, Any]) -> None:
    checked = check(ALL, given_body)
    assert checked.violations == []
    assert request_body(checked.values) == EXAMPLE
    assert image_cache.TASK.check(given_body, False) == []


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
