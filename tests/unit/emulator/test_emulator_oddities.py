# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.emulator import Emulator, Fault
from tests.emulator.faults import KINDS


def bytes_of(api: Any, emulator: Emulator) -> bytes:
    """All that comes back for one request of a list."""
    lines = ["POST /eci/api/v1/imageCache/describeImageCaches HTTP/1.1", "Host: emulator", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in api.headers(b"{}").items()]
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "Content-Length: 2", "", "{}"]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("kind", ["drip_headers", "drip_chunks"])
def test_slow_and_good(api: Any, emulator: Emulator, kind: str) -> None:
    emulator.inject(Fault(kind, "createImageCache", interval=0.0005))
    started = time.monotonic()
    response = api.create()
    assert time.monotonic() - started > 0.01
    assert response.json()["returnObj"]["imageCacheId"] == emulator.service.caches()[0]["imageCacheId"]
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert api.listed() == ["base"]
    assert emulator.connections == 1


def test_refusals_can_be_slow_too(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("drip_headers", interval=0))
    response = api.get("imc-none")
    assert (response.status_code, response.reason, response.json()["statusCode"]) == (404, "Not Found", 404)


def test_chunks_have_extensions(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("drip_chunks", interval=0))
    head, _blank, body = bytes_of(api, emulator).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body.startswith(b'10;part=0\r\n{"statusCode": 2\r\n10;part=1\r\n')
    assert body.endswith(b"\r\n0;last\r\n\r\n")


@pytest.mark.parametrize(
    ("details", "statuses"),
    [
        ({}, ["103 Early Hints"]),
        ({"statuses": [100, 102, 199], "count": 2}, ["100 Continue", "102 Processing", "199 Odd"] * 2),
        ({"count": 0}, []),
    ],
)
def test_informational(api: Any, emulator: Emulator, details: dict[str, Any], statuses: list[str]) -> None:
    emulator.inject(Fault("informational", interval=0, **details))
    *early, head, body = bytes_of(api, emulator).decode().split("\r\n\r\n")
    assert early == [f"HTTP/1.1 {status}\r\nX-Progress: {status[:3]}" for status in statuses]
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["statusCode"] == 200


def test_bom(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("bom"))
    response = api.create()
    assert response.content.startswith(b"\xef\xbb\xbf{")
    assert json.loads(response.content.decode("utf-8-sig"))["statusCode"] == 200
    assert len(emulator.service.caches()) == 1


@pytest.mark.parametrize("kind", [kind for kind, details in KINDS.items() if "interval" in details])
def test_a_client_may_leave_early(api: Any, emulator: Emulator, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    more = {"count": 1000} if kind == "informational" else {}
    emulator.inject(Fault(kind, interval=0.001, when="after", **more))
    lines = ["GET /eci/api/v1/region HTTP/1.1", "Host: emulator"]
    lines += [f"{name}: {value}" for name, value in api.headers().items()]
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(1) == b"H"
    deadline = time.monotonic() + 0.05
    while time.monotonic() < deadline:
        assert api.send("GET", "region").status_code == 200
    assert caplog.records == []


@pytest.mark.parametrize(("kind", "name"), [("nameless", "imageCacheName"), ("idless", "imageCacheId")])
def test_a_listed_cache_can_lack_something(api: Any, emulator: Emulator, kind: str, name: str) -> None:
    for number in range(3):
        emulator.service.seed(f"cache-{number}", ["a:1"])
    emulator.inject(Fault(kind), Fault(kind, index=2), Fault(kind, index=3), Fault(kind, "createImageCache"))
    for lacking in ([0], [2], []):
        found = api.find().json()["returnObj"]["imageCaches"]
        assert [number for number, cache in enumerate(found) if name not in cache] == lacking
        assert all(len(cache) == 6 + (name in cache) for cache in found)
    assert sorted(api.create().json()["returnObj"]) == ["imageCacheId", "requestId"]
    assert len(emulator.service.caches()) == 4


def test_numeric_request_id(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("numeric_request_id", times=2))
    value = api.create().json()["returnObj"]
    assert isinstance(value["requestId"], int)
    assert value["imageCacheId"]
    assert "returnObj" not in api.get("imc-none").json()
