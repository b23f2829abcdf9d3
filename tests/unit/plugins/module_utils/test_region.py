# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import OpenOutcome
from ansible_collections.ctyun.eci.plugins.module_utils._region import IMAGE_CACHE_COUNT, region, usage
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from tests.emulator import Emulator, Fault


def answer(value: Any) -> Fault:
    return Fault("json", value={"statusCode": 200, "returnObj": value})


def test_the_zones_of_the_region(client: Client, emulator: Emulator) -> None:
    assert region(client) == {"region_id": emulator.settings.region_id, "zones": emulator.settings.zones}
    assert (emulator.sent()[0].method, emulator.sent()[0].raw) == ("GET", b"")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"region": {"regionId": "r", "zones": []}}, {"region_id": "r", "zones": []}),
        ({"region": {"zones": ["a", None, 5, "b"]}}, {"region_id": None, "zones": ["a", "b"]}),
    ],
    ids=str,
)
def test_odd_regions(value: Any, found: dict[str, Any], client: Client, emulator: Emulator) -> None:
    emulator.inject(answer(value))
    assert region(client) == found


@pytest.mark.parametrize(
    "value", [{}, {"region": None}, {"region": []}, {"region": {}}, {"region": {"zones": None}}, {"region": {"zones": "az1"}}], ids=str
)  # fmt: skip
def test_a_reply_without_zones(value: Any, client: Client, emulator: Emulator) -> None:
    emulator.inject(answer(value))
    with pytest.raises(OpenOutcome, match="no zones") as caught:
        region(client)
    assert caught.value.operation == "region"


def test_the_quota(client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"quota": 50})
    emulator.service.seed("web", ["a"])
    records = usage(client)
    assert [record["resource_type"] for record in records] == ["memory", IMAGE_CACHE_COUNT, "gpu", "cpu"]
    assert records[1] == {
        "resource_type": "imageCacheCount",
        "resource_name": "镜像缓存总数量上限",
        "resource_description": "用户可拥有的镜像缓存最大数量",
        "resource_limit": 50,
        "resource_used": 1,
    }


def test_odd_records(client: Client, emulator: Emulator) -> None:
    emulator.inject(answer({"records": [None, "x", {"resourceType": "cpu", "new": 1}]}))
    (record,) = usage(client)
    assert record == {
        "resource_type": "cpu",
        "resource_name": None,
        "resource_description": None,
        "resource_limit": None,
        "resource_used": None,
    }
    emulator.inject(answer({"records": []}))
    assert usage(client) == []


@pytest.mark.parametrize("value", [{}, {"records": None}, {"records": {}}, {"records": "x"}], ids=str)
def test_a_reply_without_records(value: Any, client: Client, emulator: Emulator) -> None:
    emulator.inject(answer(value))
    with pytest.raises(OpenOutcome, match="no list of quota records") as caught:
        usage(client)
    assert caught.value.operation == "listUsage"
