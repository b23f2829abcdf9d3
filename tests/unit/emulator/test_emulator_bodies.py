# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"imageCacheName": ...}, "imageCacheName"),
        ({"imageCacheName": 5}, "imageCacheName"),
        ({"imageCacheName": ""}, "imageCacheName"),
        ({"imageCacheName": None}, "imageCacheName"),
        ({"vpcId": ...}, "vpcId"),
        ({"vSwitchId": ...}, "vSwitchId"),
        ({"securityGroupId": ...}, "securityGroupId"),
        ({"azInfo": ...}, "azInfo"),
        ({"azInfo": {}}, "azInfo.azName"),
        ({"azInfo": {"azName": "az1", "azId": 1}}, "azInfo.azId"),
        ({"azInfo": {"azName": "elsewhere"}}, "azInfo.azName"),
        ({"azInfo": [{"azName": "az1"}]}, "azInfo"),
        ({"images": []}, "images"),
        ({"images": ["ok", 7]}, "images[1]"),
        ({"images": "nginx"}, "images"),
        ({"imageCacheSize": "20"}, "imageCacheSize"),
        ({"imageCacheSize": True}, "imageCacheSize"),
        ({"imageCacheSize": 0}, "imageCacheSize"),
        ({"retentionDays": -1}, "retentionDays"),
        ({"retentionDays": 3651}, "retentionDays"),
        ({"tags": [{"key": "a", "value": 1}]}, "tags[0].value"),
        ({"tags": {"a": "b"}}, "tags"),
        ({"eip": {}}, "eip.eipInstanceId"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_create_refuses(api: Any, emulator: Emulator, change: dict[str, Any], field: str) -> None:
    response = api.create(**change)
    assert response.status_code == 422
    envelope = response.json()
    assert envelope["statusCode"] == 422
    assert envelope["error"] == "ECI.Openapi.StatusReasonInvalid"
    assert envelope["message"].startswith(f"{field}: ")
    assert emulator.service.caches() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"server": "http://registry.test"}, "server"),
        ({"server": "HTTPS://registry.test"}, "server"),
        ({"password": ...}, "password"),
        ({"userName": 1}, "userName"),
    ],
)
def test_create_refuses_credentials(api: Any, change: dict[str, Any], field: str) -> None:
    login = {"server": "registry.test", "userName": "user", "password": "private", **change}
    login = {name: value for name, value in login.items() if value is not ...}
    response = api.create(imageRegistryCredentials=[login])
    assert response.status_code == 422
    assert response.json()["message"].startswith(f"imageRegistryCredentials[0].{field}: ")
    assert "private" not in response.text


def test_create_takes_everything_documented(api: Any, emulator: Emulator) -> None:
    response = api.create(
        imageCacheSize=40,
        retentionDays=3650,
        tags=[{"key": "user"}, {"value": "eci"}, {}],
        imageRegistryCredentials=[{"server": "registry.test", "userName": "user", "password": "private"}],
        eip={"eipInstanceId": "eip-test"},
    )
    assert response.status_code == 200
    (cache,) = emulator.service.caches()
    assert cache["retentionDays"] == 3650
    assert cache["eip"] == {"eipInstanceId": "eip-test"}
    assert cache["vpcId"] == "vpc-test"
    assert cache["imageRegistryCredentials"] == [{"server": "registry.test", "userName": "user"}]


def test_zones_can_be_left_unchecked(api: Any, emulator: Emulator) -> None:
    emulator.settings.show_unknown_zone_error = False
    assert api.create(azInfo={"azName": "elsewhere"}).status_code == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\xfd", b"[" * 100000])
def test_not_json(api: Any, raw: bytes) -> None:
    response = api.send("POST", "imageCache/createImageCache", raw)
    assert (response.status_code, response.json()["error"]) == (400, "ECI.Openapi.StatusReasonBadRequest")


def test_not_an_object(api: Any) -> None:
    response = api.send("PUT", "imageCache/updateImageCache", [])
    assert (response.status_code, response.json()["message"]) == (422, "request body: must be an Object")


def test_too_large(api: Any, emulator: Emulator) -> None:
    response = api.send("POST", "imageCache/createImageCache", b" " * 1024 * 1100)
    assert (response.status_code, response.json()["statusCode"]) == (413, 413)
    assert emulator.requests[0].status == 413


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"status": "ready"}, "status"),
        ({"images": "nginx"}, "images"),
        ({"nextToken": "nonsense"}, "nextToken"),
        ({"tags": [{"name": "a"}]}, "tags[0].name"),
    ],
)
def test_list_refuses(api: Any, body: dict[str, Any], field: str) -> None:
    response = api.find(**body)
    assert response.status_code == 422
    assert response.json()["message"].startswith(f"{field}: ")


def test_update_refuses(api: Any) -> None:
    assert api.send("PUT", "imageCache/updateImageCache", {"tags": []}).status_code == 422
    assert api.update("imc-none", imageCacheName="new").status_code == 422
    assert api.update("imc-none", tags=[]).status_code == 404


def test_any_text_survives(api: Any) -> None:
    api.create(imageCacheName="镜像")
    api.create(imageCacheName="\ud800")
    assert api.listed() == ["镜像", "?"]
    assert "镜像".encode() in api.find().content
