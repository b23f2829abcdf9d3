# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests as CTYun's Go SDK sends them are served.

They were recorded: the SDK (telecom-cloud/telecomcloud-sdk-go e22cdb0, with client-go 5cc0641) was built from source and
pointed at a local socket, in the time zone of Beijing, with the keys and the region of the emulator.
"""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.emulator import Emulator

DATE = "20261201T000738Z"  # of all of them


class Sent(NamedTuple):
    method: str
    path: str
    request_id: str
    signature: str
    body: str = ""


CREATE = Sent(
    "POST",
    "/eci/api/v1/imageCache/createImageCache",
    "mxogzy2r41u6bz5anxrat84wonu0cqgv",
    "sofGiXdTup3yOpoHto3/jejAEecxP+DcjdrvhXRqldU=",
    '{"securityGroupId":"sg-test","vSwitchId":"subnet-test","vpcId":"vpc-test",'
    '"imageCacheName":"sdk-demo-nginx","imageCacheSize":10,'
    '"images":["registry-huadong1.crs-internal.ctyun.cn/open-source/nginx:1.25-alpine"],'
    '"azInfo":{"azName":"az1","azId":1},"regionId":"bb9fdb42056f11eda1610242ac110002"}',
)
CREATE_WITH_ALL = Sent(
    "POST",
    "/eci/api/v1/imageCache/createImageCache",
    "lh18bquyoug7wtmxzd4g8utircr6u0db",
    "RsBgZKQTf0O2eFmXwAcgOhPEYMzmp605mhUBLYJGPPw=",
    '{"securityGroupId":"sg-test","vSwitchId":"subnet-test","vpcId":"vpc-test",'
    '"imageCacheName":"all","imageCacheSize":20,"retentionDays":30,"images":["nginx:latest"],'
    '"tags":[{"key":"user","value":"eci"}],"azInfo":{"azName":"az1","azId":1},'
    '"eip":{"eipInstanceId":"eip-test","autoCreateEip":true,"eipBandwidth":5,'
    '"publicIpAddressPoolName":"pool"},"imageRegistryCredentials":[{"password":"made-up",'
    '"server":"registry.test","userName":"user"}],"regionId":"bb9fdb42056f11eda1610242ac110002"}',
)
LIST = Sent(
    "POST",
    "/eci/api/v1/imageCache/describeImageCaches",
    "7vf9uxreu8s6c7welni5t9bppjks00pw",
    "i/iTMH0WNew43TLW6j0OM8eVPTMAvooRpdyac2hcC3c=",
    '{"imageCacheName":"sdk-demo-nginx","regionId":"bb9fdb42056f11eda1610242ac110002"}',
)
UPDATE = Sent(
    "PUT",
    "/eci/api/v1/imageCache/updateImageCache",
    "whbw8nzeu1qufvoaledg2tpnvd9twqro",
    "N3EbScgS1Q9YcMrlFZj81myj2GIi6sNvXWyREP+FcnE=",
    '{"imageCacheId":"imc-ej5ow9e4sp0igevf","tags":[{"key":"sdk-demo-key-2",'
    '"value":"sdk-demo-value-3"}],"regionId":"bb9fdb42056f11eda1610242ac110002"}',
)
DELETE = Sent(
    "DELETE",
    "/eci/api/v1/imageCache/deleteImageCache/%7BimageCacheId%7D",
    "kh0opmd6gytinn80acj0ggn6ii2gca5c",
    "+zSNIOjKBi3RGCxipx9GsKS+EraY+jqa97QbNdmU0mQ=",
)


@pytest.fixture
def at_that_time(emulator: Emulator) -> Emulator:
    """The emulator with a wall clock that shows the time of the recording."""
    recorded = datetime.strptime(DATE, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - timedelta(hours=8)
    emulator.settings.clock_offset = (recorded - datetime.now(UTC)).total_seconds()
    return emulator


def replay(emulator: Emulator, sent: Sent, body: str | None = None) -> tuple[int, Any]:
    """Send it with the headers of the SDK, in its spelling. Return the HTTP status and the envelope."""
    host = emulator.url.removeprefix("http://")
    raw = (sent.body if body is None else body).encode()
    signed = "ctyun-eop-request-id;eop-date"
    headers = {
        "User-Agent": "hertz",
        "Host": host,
        "Content-Type": "application/json; charset=utf-8" if raw else "application/x-www-form-urlencoded",
        "Content-Length": str(len(raw)),
        "Ctyun-Eop-Request-Id": sent.request_id,
        "Eop-Authorization": f"{emulator.settings.access_key} Headers={signed} Signature={sent.signature}",
        "Regionid": emulator.settings.region_id,
        "Eop-Date": DATE,
    }
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.putrequest(sent.method, sent.path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(raw)
    with connection.getresponse() as response:
        status, envelope = response.status, json.loads(response.read())
    connection.close()
    return status, envelope


def test_the_image_cache_of_the_sdks_example_is_created_and_found(at_that_time: Emulator) -> None:
    status, created = replay(at_that_time, CREATE)
    assert (status, created["statusCode"]) == (200, 200), created
    (cache,) = at_that_time.service.caches()
    assert cache["imageCacheId"] == created["returnObj"]["imageCacheId"]
    assert (cache["imageCacheSize"], cache["azName"]) == (10, "az1")
    status, listed = replay(at_that_time, LIST)
    assert [found["imageCacheId"] for found in listed["returnObj"]["imageCaches"]] == [cache["imageCacheId"]]


def test_a_create_may_hold_all_that_the_sdks_types_have(at_that_time: Emulator) -> None:
    status, envelope = replay(at_that_time, CREATE_WITH_ALL)
    assert status == 200, envelope
    (cache,) = at_that_time.service.caches()
    assert cache["eip"] == json.loads(CREATE_WITH_ALL.body)["eip"]
    assert cache["tags"] == [{"key": "user", "value": "eci"}]


def test_tags_are_updated(at_that_time: Emulator) -> None:
    identifier = json.loads(UPDATE.body)["imageCacheId"]
    at_that_time.service.seed("web", ["nginx:latest"], imageCacheId=identifier)
    assert replay(at_that_time, UPDATE)[0] == 200
    assert at_that_time.service.caches()[0]["tags"] == json.loads(UPDATE.body)["tags"]


def test_a_delete_names_no_image_cache(at_that_time: Emulator) -> None:
    """The SDK leaves the place of the ID as it is, so its delete finds nothing, whatever the ID."""
    at_that_time.service.seed("web", ["nginx:latest"])
    status, envelope = replay(at_that_time, DELETE)
    assert (status, envelope["error"]) == (404, "ECI.Openapi.StatusReasonNotFound")
    assert len(at_that_time.service.caches()) == 1


def test_a_signature_is_good_for_its_own_body(at_that_time: Emulator) -> None:
    status, envelope = replay(at_that_time, CREATE, CREATE.body.replace("sdk-demo-nginx", "sdk-demo-nginy"))
    assert (status, envelope["message"]) == (401, "the signature does not match")
    assert at_that_time.service.caches() == []
