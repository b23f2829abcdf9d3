# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from tests.emulator import Emulator

CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")
LOGIN = {"server": "registry.test", "userName": "user", "password": "private"}


def good(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    envelope = response.json()
    assert list(envelope) == ["statusCode", "returnObj"]
    assert envelope["statusCode"] == 200
    value: dict[str, Any] = envelope["returnObj"]
    return value


def failure(response: Any) -> tuple[int, str]:
    envelope = response.json()
    assert envelope["statusCode"] == response.status_code
    return response.status_code, str(envelope["error"]).removeprefix("ECI.Openapi.StatusReason")


def test_create(api: Any) -> None:
    value = good(api.create())
    assert sorted(value) == ["imageCacheId", "requestId"]
    assert re.fullmatch(r"imc-[a-z0-9]{16}", value["imageCacheId"])
    assert uuid.UUID(value["requestId"])


def test_create_takes_everything_documented(api: Any, emulator: Emulator) -> None:
    tags = [{"key": "user"}, {"value": "eci"}, {}]
    eip = {"eipInstanceId": "eip-test"}
    good(api.create(imageCacheSize=40, retentionDays=3650, tags=tags, imageRegistryCredentials=[LOGIN], eip=eip))
    (cache,) = emulator.service.caches()
    assert (cache["retentionDays"], cache["eip"], cache["vpcId"]) == (3650, eip, "vpc-test")
    assert cache["imageRegistryCredentials"] == [{"server": "registry.test", "userName": "user"}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"imageCacheName": ...}, "imageCacheName"),
        ({"imageCacheName": 5}, "imageCacheName"),
        ({"imageCacheName": ""}, "imageCacheName"),
        ({"vpcId": None}, "vpcId"),
        ({"azInfo": {}}, "azInfo.azName"),
        ({"azInfo": {"azName": "az1", "azId": "1"}}, "azInfo.azId"),
        ({"azInfo": {"azId": 1}}, "azInfo.azName"),
        ({"azInfo": {"azName": "az1", "azIds": 1}}, "azInfo.azIds"),
        ({"eip": {"eipInstanceId": "eip-test", "autoCreateEip": "true"}}, "eip.autoCreateEip"),
        ({"eip": {"autoCreateEip": True}}, "eip.eipInstanceId"),
        ({"regionId": 1}, "regionId"),
        ({"azInfo": {"azName": "elsewhere"}}, "azInfo.azName"),
        ({"azInfo": [{"azName": "az1"}]}, "azInfo"),
        ({"images": []}, "images"),
        ({"images": ["ok", 7]}, "images[1]"),
        ({"images": "nginx"}, "images"),
        ({"imageCacheSize": True}, "imageCacheSize"),
        ({"imageCacheSize": 0}, "imageCacheSize"),
        ({"retentionDays": 3651}, "retentionDays"),
        ({"tags": [{"key": "a", "value": 1}]}, "tags[0].value"),
        ({"surprise": 1}, "surprise"),
        ({"imageRegistryCredentials": [{**LOGIN, "server": "HTTPS://r.test"}]}, "imageRegistryCredentials[0].server"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(api: Any, emulator: Emulator, change: dict[str, Any], field: str) -> None:
    response = api.create(**change)
    assert failure(response) == (422, "Invalid")
    assert response.json()["message"].startswith(f"{field}: ")
    assert emulator.service.caches() == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\xfd", b"[" * 100000])
def test_what_is_not_json_is_refused(api: Any, raw: bytes) -> None:
    assert failure(api.send("POST", "imageCache/createImageCache", raw)) == (400, "BadRequest")


def test_list_and_update_refuse_wrong_fields(api: Any) -> None:
    wrong = ({"limit": -1}, {"status": "ready"}, {"images": "nginx"}, {"nextToken": "a.b.c"}, {"tags": [{"name": "a"}]})
    for body in wrong:
        assert failure(api.find(**body)) == (422, "Invalid")
    for update in ({"tags": []}, []):
        assert api.send("PUT", "imageCache/updateImageCache", update).status_code == 422
    assert api.update("imc-none", imageCacheName="new").status_code == 422
    assert failure(api.update("imc-none", tags=[])) == (404, "NotFound")


def test_names_keep_any_text(api: Any) -> None:
    api.create(imageCacheName="镜像")
    api.create(imageCacheName="\ud800")
    assert api.listed() == ["镜像", "?"]


def test_list_and_describe(api: Any) -> None:
    identifier = api.created()
    listed = good(api.find())
    assert (sorted(listed), listed["total"]) == (["imageCaches", "requestId", "total"], 1)
    described = good(api.get(identifier))
    assert re.fullmatch(r"[0-9a-f-]{36}", described.pop("requestId"))
    events = described.pop("events")
    assert [described] == listed["imageCaches"]
    assert CREATED.fullmatch(described.pop("creationTime"))
    assert described == {
        "imageCacheId": identifier,
        "imageCacheName": "base",
        "imageCacheSize": 20,
        "images": ["nginx:latest"],
        "status": "pending",
        "azName": "az1",
    }
    assert sorted(events[0]) == ["count", "firstTimestamp", "lastTimestamp", "message", "name", "type"]
    assert re.fullmatch(identifier + r"\.[0-9a-f]{16}", events[0]["name"])


def test_delete(api: Any) -> None:
    identifier = api.created()
    assert list(good(api.delete(identifier))) == ["requestId"]
    assert api.get(identifier).status_code == api.delete(identifier).status_code == 404
    assert api.listed() == []


def test_update_replaces_or_merges_tags(api: Any, emulator: Emulator) -> None:
    a, b = {"key": "a", "value": "1"}, {"key": "b", "value": "1"}
    identifier = api.created(tags=[a])
    assert list(good(api.update(identifier, tags=[b]))) == ["requestId"]
    assert api.get(identifier).json()["returnObj"]["tags"] == [b]
    good(api.update(identifier))
    assert emulator.service.caches()[0]["tags"] == [b]
    emulator.settings.tags_update = "merge"
    api.update(identifier, tags=[a, {"key": "b", "value": "2"}])
    assert emulator.service.caches()[0]["tags"] == [a, {"key": "b", "value": "2"}]
    emulator.settings.update({"tags_update": "replace", "tags_shown": False})
    assert "tags" not in api.get(identifier).json()["returnObj"]
    assert "tags" not in api.find().json()["returnObj"]["imageCaches"][0]
    good(api.update(identifier, tags=[]))
    assert emulator.service.caches()[0]["tags"] == []


def test_region(api: Any, emulator: Emulator) -> None:
    value = good(api.send("GET", "region"))
    assert value == {"region": {"regionId": emulator.settings.region_id, "zones": emulator.settings.zones}}
    assert failure(api.send("GET", "region", regionId=None)) == (400, "BadRequest")
    assert failure(api.send("GET", "region", regionId="elsewhere")) == (404, "NotFound")


def test_usage_and_quota(api: Any, emulator: Emulator) -> None:
    emulator.settings.quota = 1
    api.create()
    value = good(api.send("GET", "resources/listUsage"))
    assert sorted(value) == ["records", "requestId"]
    records = {record.pop("resourceType"): record for record in value["records"]}
    assert sorted(records) == ["cpu", "gpu", "imageCacheCount", "memory"]
    count = records["imageCacheCount"]
    assert sorted(count) == ["resourceDescription", "resourceLimit", "resourceName", "resourceUsed"]
    assert (count["resourceLimit"], count["resourceUsed"]) == (1, 1)
    assert failure(api.create()) == (429, "QuotaExceed")


def test_names_may_repeat_unless_they_are_unique(api: Any, emulator: Emulator) -> None:
    assert api.create().status_code == api.create().status_code == 200
    emulator.settings.unique_names = True
    assert failure(api.create()) == (409, "AlreadyExists")


def test_status_codes_of_success_and_of_failures(api: Any, emulator: Emulator) -> None:
    for style, code in (("str", "200"), ("800", 800)):
        emulator.settings.update({"status_code_style": style})
        assert api.send("GET", "region").json()["statusCode"] == code
    emulator.settings.http_errors = False
    response = api.get("imc-none")
    assert (response.status_code, response.json()["statusCode"]) == (200, 404)


def test_unknown_path_and_method(api: Any) -> None:
    assert failure(api.send("GET", "imageCache/other")) == (404, "NotFound")
    assert failure(api.send("GET", "imageCache/createImageCache")) == (405, "MethodNotAllowed")
