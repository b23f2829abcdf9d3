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


def good(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    envelope = response.json()
    assert list(envelope) == ["statusCode", "returnObj"]
    assert envelope["statusCode"] == 200
    value: dict[str, Any] = envelope["returnObj"]
    return value


def test_create(api: Any) -> None:
    value = good(api.create())
    assert sorted(value) == ["imageCacheId", "requestId"]
    assert re.fullmatch(r"imc-[a-z0-9]{16}", value["imageCacheId"])
    assert uuid.UUID(value["requestId"])


def test_list(api: Any) -> None:
    identifier = api.created(imageCacheSize=40)
    value = good(api.find())
    assert sorted(value) == ["imageCaches", "requestId", "total"]
    assert value["total"] == 1
    (cache,) = value["imageCaches"]
    assert CREATED.fullmatch(cache.pop("creationTime"))
    assert cache == {
        "imageCacheId": identifier,
        "imageCacheName": "base",
        "imageCacheSize": 40,
        "images": ["nginx:latest"],
        "status": "pending",
        "azName": "az1",
    }


def test_describe(api: Any) -> None:
    identifier = api.created()
    value = good(api.get(identifier))
    assert value["imageCacheSize"] == 20
    assert list(value) == [
        "requestId",
        "imageCacheId",
        "imageCacheName",
        "imageCacheSize",
        "images",
        "status",
        "creationTime",
        "azName",
        "events",
    ]
    event = value["events"][0]
    assert sorted(event) == ["count", "firstTimestamp", "lastTimestamp", "message", "name", "type"]
    assert event["message"] == "[ImageCache] created"
    assert re.fullmatch(identifier + r"\.[0-9a-f]{16}", event["name"])


def test_delete(api: Any) -> None:
    identifier = api.created()
    assert list(good(api.delete(identifier))) == ["requestId"]
    assert api.get(identifier).status_code == 404
    assert api.delete(identifier).status_code == 404
    assert api.listed() == []


def test_update(api: Any, emulator: Emulator) -> None:
    identifier = api.created()
    tags = [{"key": "team", "value": "a"}]
    assert list(good(api.update(identifier, tags=tags))) == ["requestId"]
    assert emulator.service.caches()[0]["tags"] == tags
    assert api.get(identifier).json()["returnObj"]["tags"] == tags
    good(api.update(identifier))
    assert emulator.service.caches()[0]["tags"] == tags
    good(api.update(identifier, tags=[]))
    assert "tags" not in api.get(identifier).json()["returnObj"]


def test_update_merges_where_asked(api: Any, emulator: Emulator) -> None:
    emulator.settings.tags_update = "merge"
    identifier = api.created(tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "1"}])
    api.update(identifier, tags=[{"key": "b", "value": "2"}])
    assert emulator.service.caches()[0]["tags"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]


def test_tags_can_be_hidden(api: Any, emulator: Emulator) -> None:
    emulator.settings.tags_shown = False
    identifier = api.created(tags=[{"key": "a", "value": "1"}])
    assert "tags" not in api.get(identifier).json()["returnObj"]
    assert "tags" not in api.find().json()["returnObj"]["imageCaches"][0]


def test_region(api: Any, emulator: Emulator) -> None:
    value = good(api.send("GET", "region"))
    assert value == {"region": {"regionId": emulator.settings.region_id, "zones": emulator.settings.zones}}


def test_usage(api: Any, emulator: Emulator) -> None:
    emulator.settings.quota = 7
    api.create()
    value = good(api.send("GET", "resources/listUsage"))
    assert sorted(value) == ["records", "requestId"]
    records = {record["resourceType"]: record for record in value["records"]}
    assert sorted(records) == ["cpu", "gpu", "imageCacheCount", "memory"]
    assert records["imageCacheCount"] == {
        "resourceType": "imageCacheCount",
        "resourceName": "镜像缓存总数量上限",
        "resourceDescription": "用户可拥有的镜像缓存最大数量",
        "resourceLimit": 7,
        "resourceUsed": 1,
    }


@pytest.mark.parametrize(("style", "code"), [("int", 200), ("str", "200"), ("800", 800)])
def test_status_code_style(api: Any, emulator: Emulator, style: str, code: object) -> None:
    emulator.settings.update({"status_code_style": style})
    assert api.send("GET", "region").json()["statusCode"] == code


def test_unknown_path_and_method(api: Any) -> None:
    response = api.send("GET", "imageCache/other")
    assert response.status_code == 404
    assert response.json()["error"] == "ECI.Openapi.StatusReasonNotFound"
    response = api.send("GET", "imageCache/createImageCache")
    assert response.status_code == 405
    assert response.json()["error"] == "ECI.Openapi.StatusReasonMethodNotAllowed"


def test_region_header(api: Any) -> None:
    missing = api.send("GET", "region", regionId=None)
    assert (missing.status_code, missing.json()["error"]) == (400, "ECI.Openapi.StatusReasonBadRequest")
    unknown = api.send("GET", "region", regionId="elsewhere")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "ECI.Openapi.StatusReasonNotFound")


def test_content_type_is_not_needed(api: Any) -> None:
    body = b"{}"
    path = "imageCache/describeImageCaches"
    for content_type in (None, "text/plain"):
        response = api.send("POST", path, body, **{"Content-Type": content_type})
        assert response.status_code == 200


def test_quota(api: Any, emulator: Emulator) -> None:
    emulator.settings.quota = 1
    api.create()
    refused = api.create()
    assert refused.status_code == 429
    assert refused.json() == {
        "statusCode": 429,
        "error": "ECI.Openapi.StatusReasonQuotaExceed",
        "message": "imageCacheCount: the quota is used up",
    }


def test_names_may_repeat_unless_they_must_not(api: Any, emulator: Emulator) -> None:
    assert api.create().status_code == api.create().status_code == 200
    emulator.settings.unique_names = True
    refused = api.create()
    assert (refused.status_code, refused.json()["error"]) == (409, "ECI.Openapi.StatusReasonAlreadyExists")


def test_errors_can_come_with_http_200(api: Any, emulator: Emulator) -> None:
    emulator.settings.http_errors = False
    response = api.get("imc-none")
    assert (response.status_code, response.json()["statusCode"]) == (200, 404)
