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
import requests

from tests.emulator import Emulator, Fault
from tests.emulator.faults import KINDS

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def bytes_of(api: Any, emulator: Emulator) -> bytes:
    """All that comes back for one request of a list."""
    lines = ["POST /eci/api/v1/imageCache/describeImageCaches HTTP/1.1", "Host: emulator", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in api.headers(b"{}").items()]
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "Content-Length: 2", "", "{}"]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "reset"}, "reset by peer"),
        ({"kind": "reset", "clean": True}, "without response"),
        ({"kind": "hang", "seconds": 0.01}, "without response"),
        ({"kind": "truncate"}, None),
    ],
    ids=str,
)
def test_no_whole_reply(api: Any, emulator: Emulator, fault: Any, error: str | None, when: str, effect: bool) -> None:
    emulator.inject(Fault(operation="createImageCache", when=when, **fault))
    with pytest.raises(BROKEN, match=error):
        api.create()
    assert len(emulator.service.caches()) == effect
    (record,) = emulator.requests
    assert (record.status, record.effect) == (f"fault:{fault['kind']}", effect)
    assert api.create().status_code == 200


def test_status(api: Any, emulator: Emulator) -> None:
    date = "Wed, 21 Oct 2037 07:28:00 GMT"
    emulator.inject(
        Fault("status", status=429, retry_after=7, message="slow down"),
        Fault("status", status=429, reason="QuotaExceed", retry_after=date),
        Fault("status", status=502, html=True),
        Fault("status", when="after"),
    )
    busy, full, page, after = [api.create() for _number in range(4)]
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "7")
    reason = "ECI.Openapi.StatusReason"
    assert busy.json() == {"statusCode": 429, "error": f"{reason}TooManyRequests", "message": "slow down"}
    assert (full.json()["error"], full.headers["Retry-After"]) == (f"{reason}QuotaExceed", date)
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert (after.status_code, after.json()["error"]) == (503, f"{reason}ServiceUnavailable")
    assert "Retry-After" not in after.headers
    assert len(emulator.service.caches()) == 1


def test_other_contents_with_http_200(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("html"), Fault("body", body=b"\xff\x00"), Fault("json", value=[{"statusCode": 200}]))
    page, body, value = [api.send("GET", "region") for _number in range(3)]
    assert page.status_code == body.status_code == value.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (body.content, value.json()) == (b"\xff\x00", [{"statusCode": 200}])
    emulator.inject(Fault("huge", megabytes=2), Fault("redirect"))
    huge, redirect = [api.send("GET", "region") for _number in range(2)]
    assert len(huge.content) > 2 * 1024 * 1024
    assert huge.json()["statusCode"] == 200
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "/elsewhere")


@pytest.mark.parametrize("shape", ["full", "bare", "number"])
@pytest.mark.parametrize("place", ["body", "X-Request-Id", "x-trace-id", "none"])
def test_failures_of_the_gateway(api: Any, emulator: Emulator, shape: str, place: str) -> None:
    emulator.inject(Fault("gateway", code="51003", shape=shape, request_id=place))
    response = api.create()
    body = response.json()
    code = 51003 if shape == "number" else "CTAPI_51003"
    assert (response.status_code, body["statusCode"], body["message"]) == (401, code, "injected: 51003")
    assert (len(body) > 2) is (shape == "full")
    assert ("requestId" in body) is ((shape, place) == ("full", "body"))
    assert all((name in response.headers) is (name == place) for name in ("X-Request-Id", "x-trace-id"))
    assert emulator.service.caches() == []


@pytest.mark.parametrize("kind", ["trickle", "drip_headers", "drip_chunks"])
def test_slow_and_good(api: Any, emulator: Emulator, kind: str) -> None:
    emulator.inject(Fault(kind, "createImageCache", when="after", interval=0.0005))
    started = time.monotonic()
    response = api.create()
    assert time.monotonic() - started > 0.01
    assert response.json()["returnObj"]["imageCacheId"] == emulator.service.caches()[0]["imageCacheId"]
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    emulator.inject(Fault(kind, when="after", interval=0))
    refused = api.get("imc-none")
    assert (refused.status_code, refused.reason, refused.json()["statusCode"]) == (404, "Not Found", 404)
    assert api.listed() == ["base"]
    assert emulator.connections == 1


def test_chunks_have_extensions(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("drip_chunks", interval=0))
    head, _blank, body = bytes_of(api, emulator).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body.startswith(b'10;part=0\r\n{"statusCode": 2\r\n10;part=1\r\n')
    assert body.endswith(b"\r\n0;last\r\n\r\n")


def test_informational(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("informational", interval=0, statuses=[100, 102, 199], count=2))
    *early, head, body = bytes_of(api, emulator).decode().split("\r\n\r\n")
    statuses = ["100 Continue", "102 Processing", "199 Odd"] * 2
    assert early == [f"HTTP/1.1 {status}\r\nX-Progress: {status[:3]}" for status in statuses]
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["statusCode"] == 200


@pytest.mark.parametrize("kind", ["huge", *(kind for kind, details in KINDS.items() if "interval" in details)])
def test_a_client_may_leave_early(api: Any, emulator: Emulator, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    more: dict[str, Any] = {} if kind == "huge" else {"interval": 0.001}
    if kind == "informational":
        more["count"] = 1000
    emulator.inject(Fault(kind, when="after", **more))
    lines = ["GET /eci/api/v1/region HTTP/1.1", "Host: emulator"]
    lines += [f"{name}: {value}" for name, value in api.headers().items()]
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(1) == b"H"
    deadline = time.monotonic() + 0.05
    while time.monotonic() < deadline:
        assert api.send("GET", "region").status_code == 200
    assert caplog.records == []


def test_replies_that_lack_an_id_or_a_name(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("no_id"), Fault("numeric_request_id", "createImageCache", skip=1))
    assert api.find().status_code == 200
    assert list(api.create().json()["returnObj"]) == ["requestId"]
    assert api.created()
    assert isinstance(api.create().json()["returnObj"]["requestId"], int)
    for kind, name in (("nameless", "imageCacheName"), ("idless", "imageCacheId")):
        emulator.inject(Fault(kind), Fault(kind, index=2), Fault(kind, index=3))
        for lacking in ([0], [2], []):
            found = api.find().json()["returnObj"]["imageCaches"]
            assert [number for number, cache in enumerate(found) if name not in cache] == lacking


def test_other_encodings(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("charset"), Fault("bom"))
    other, bom = api.create(), api.create()
    assert other.headers["Content-Type"] == "application/json; charset=utf-8"
    assert '"statusCode": 200' in other.content.decode("utf-16")
    assert bom.content.startswith(b"\xef\xbb\xbf{")
    assert json.loads(bom.content.decode("utf-8-sig"))["statusCode"] == 200
    assert len(emulator.service.caches()) == 2


def test_which_request_gets_the_fault(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("status", "region", times=2, skip=1), Fault("html", "listUsage"))
    assert api.send("GET", "region", secret_key="other").status_code == 401  # it uses none up
    assert [api.send("GET", "region").status_code for _number in range(4)] == [200, 503, 503, 200]
    assert len(emulator.faults) == 1
    assert "<html>" in api.send("GET", "resources/listUsage").text
    assert len(emulator.faults) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "other"},
        {"kind": "reset", "operation": "other"},
        {"kind": "reset", "when": "during"},
        {"kind": "reset", "seconds": 1},
        {"kind": "hang", "seconds": "1"},
        {"kind": "gateway", "code": 10009},
        {"kind": "gateway", "shape": "round"},
    ],
)
def test_a_fault_that_makes_no_sense_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**fields)
