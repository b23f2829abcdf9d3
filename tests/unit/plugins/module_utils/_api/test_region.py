# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones and quota: what is read of odd answers, and of those about another region."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import (
    IMAGE_CACHE_COUNT,
    image_cache_quota,
    region,
    usage,
    zones,
)
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, Unanswered, Unreachable
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import MakeClient


def answer(value: Any) -> Fault:
    return Fault("json", value={"statusCode": 200, "returnObj": value})


def test_the_zones_of_the_region(client: Client, emulator: Emulator) -> None:
    assert region(client) == {"region_id": emulator.settings.region_id, "zones": emulator.settings.zones}
    assert (emulator.sent()[0].method, emulator.sent()[0].raw) == ("GET", b"")
    assert zones(client) == emulator.settings.zones
    # beside the header; so its signature is good
    assert [record.query for record in emulator.sent()] == [f"regionId={emulator.settings.region_id}"] * 2


def names(region_id: Any, *zones: Any) -> Any:
    return {"region": {"regionId": region_id, "zones": list(zones)}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"region": {"zones": ["a", None, 5, "b"]}}, {"region_id": None, "zones": ["a", "b"]}),
        *((names(odd, "a"), {"region_id": None, "zones": ["a"]}) for odd in ("", None, [], {"id": 1})),
        (names(200000002368, "a"), {"region_id": "200000002368", "zones": ["a"]}),
        (names("200000002368"), {"region_id": "200000002368", "zones": []}),
    ],
    ids=str,
)
def test_odd_regions(value: Any, found: dict[str, Any], make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.region_id = "200000002368"
    client = make_client()
    emulator.inject(answer(value), answer(value))
    assert region(client) == found
    assert zones(client) == found["zones"]  # nothing says that they are another region's


def test_an_answer_about_another_region(client: Client, emulator: Emulator) -> None:
    emulator.inject(answer(names("another", "az9")), answer(names("another", "az9")))
    assert region(client) == {"region_id": "another", "zones": ["az9"]}
    assert zones(client) is None


def test_a_failure_is_raised(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=400))
    with pytest.raises(EciError):
        zones(make_client())
    with pytest.raises(Unreachable):
        zones(make_client(endpoint="http://nope.invalid", retries=0))


@pytest.mark.parametrize("found", [None, [], {}, {"zones": None}, {"zones": "az1"}], ids=str)
def test_a_reply_without_zones(found: Any, client: Client, emulator: Emulator) -> None:
    emulator.inject(answer({"region": found}))
    with pytest.raises(Unanswered, match="has no zones") as caught:
        region(client)
    assert caught.value.operation == "region"


def test_the_quota(client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"quota": 50})
    emulator.service.seed("web", ["a"])
    assert image_cache_quota(client) == (1, 50)
    records = usage(client)
    assert [record["resource_type"] for record in records] == ["memory", IMAGE_CACHE_COUNT, "gpu", "cpu"]
    assert records[1] == {
        "resource_type": "imageCacheCount",
        "resource_name": "镜像缓存总数量上限",
        "resource_description": "用户可拥有的镜像缓存最大数量",
        "resource_limit": 50,
        "resource_used": 1,
    }


@pytest.mark.parametrize(
    ("kind", "used", "limit"),
    [("cpu", 1, 2), (IMAGE_CACHE_COUNT, None, 2), (IMAGE_CACHE_COUNT, 1, None), (IMAGE_CACHE_COUNT, "1", "2")],
)
def test_a_quota_that_the_reply_lacks(kind: str, used: Any, limit: Any, client: Client, emulator: Emulator) -> None:
    emulator.inject(answer({"records": [{"resourceType": kind, "resourceUsed": used, "resourceLimit": limit}]}))
    assert image_cache_quota(client) is None


def test_odd_records(client: Client, emulator: Emulator) -> None:
    emulator.inject(answer({"records": [None, "x", {"resourceType": "cpu", "new": 1}]}))
    (record,) = usage(client)
    fields = ("resource_type", "resource_name", "resource_description", "resource_limit", "resource_used")
    assert record == {**dict.fromkeys(fields), "resource_type": "cpu"}
    emulator.inject(answer({"records": []}))
    assert usage(client) == []


@pytest.mark.parametrize("value", [{}, {"records": None}, {"records": {}}, {"records": "x"}], ids=str)
def test_a_reply_without_records(value: Any, client: Client, emulator: Emulator) -> None:
    emulator.inject(answer(value))
    with pytest.raises(Unanswered, match="has no list of quota records") as caught:
        usage(client)
    assert caught.value.operation == "listUsage"
