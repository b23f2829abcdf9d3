# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.emulator import Emulator, Fault

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "hang", "seconds": 0.01}, {"kind": "truncate"}],
    ids=lambda fault: str(fault["kind"]),
)
def test_no_whole_answer(api: Any, emulator: Emulator, fault: dict[str, Any], when: str, effect: bool) -> None:
    emulator.inject(Fault(operation="createImageCache", when=when, **fault))
    with pytest.raises(BROKEN):
        api.create()
    assert len(emulator.service.caches()) == effect
    (record,) = emulator.requests
    assert (record.status, record.effect) == (f"fault:{fault['kind']}", effect)
    assert api.create().status_code == 200


def test_reset_is_a_reset(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("reset"))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.send("GET", "region")


def test_a_clean_reset_is_none(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("reset", "createImageCache", when="after", clean=True))
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.create()
    assert len(emulator.service.caches()) == 1


def test_hang_outlasts_a_timeout(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("hang", when="after"))
    with pytest.raises(requests.ReadTimeout):
        api.send("POST", "imageCache/createImageCache", api.body(), timeout=0.05)
    assert len(emulator.service.caches()) == 1


def test_status(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=429, retry_after=7, message="slow down"), Fault("status", when="after"))
    response = api.create()
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"
    assert response.json() == {
        "statusCode": 429,
        "error": "ECI.Openapi.StatusReasonTooManyRequests",
        "message": "slow down",
    }
    assert emulator.service.caches() == []
    response = api.create()
    assert (response.status_code, response.json()["error"]) == (
        503,
        "ECI.Openapi.StatusReasonServiceUnavailable",
    )
    assert "Retry-After" not in response.headers
    assert len(emulator.service.caches()) == 1


def test_status_with_reason_date_and_page(api: Any, emulator: Emulator) -> None:
    date = "Wed, 21 Oct 2037 07:28:00 GMT"
    emulator.inject(
        Fault("status", status=429, reason="QuotaExceed", retry_after=date),
        Fault("status", status=502, html=True),
    )
    response = api.send("GET", "region")
    assert response.json()["error"] == "ECI.Openapi.StatusReasonQuotaExceed"
    assert response.headers["Retry-After"] == date
    response = api.send("GET", "region")
    assert response.status_code == 502
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<html>" in response.text


def test_html(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("html"))
    response = api.send("GET", "region")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<html>" in response.text


def test_body(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("body", body=b"\xff\x00"), Fault("body", body="plain", content_type="text/plain"))
    assert api.send("GET", "region").content == b"\xff\x00"
    response = api.send("GET", "region")
    assert (response.text, response.headers["Content-Type"]) == ("plain", "text/plain")


@pytest.mark.parametrize("value", [None, [], "text", {"statusCode": 200}, {"statusCode": 200, "returnObj": None}])
def test_json(api: Any, emulator: Emulator, value: object) -> None:
    emulator.inject(Fault("json", value=value))
    response = api.send("GET", "region")
    assert (response.status_code, response.json()) == (200, value)


def test_huge(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("huge", megabytes=2))
    response = api.send("GET", "region")
    assert response.headers["Content-Type"].startswith("application/json")
    assert len(response.content) > 2 * 1024 * 1024
    assert response.json()["statusCode"] == 200


def test_trickle(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("trickle", "region", when="after", interval=0.0005))
    started = time.monotonic()
    response = api.send("GET", "region")
    assert response.json()["statusCode"] == 200
    assert time.monotonic() - started > 0.0005 * len(response.content)


@pytest.mark.parametrize("fault", [Fault("huge"), Fault("trickle", interval=0.001)], ids=["huge", "trickle"])
def test_a_client_may_leave_early(api: Any, emulator: Emulator, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    emulator.inject(fault)
    with api.send("GET", "region", stream=True) as response:
        assert response.raw.read(5) == b'{"sta'
    deadline = time.monotonic() + 0.05
    while time.monotonic() < deadline:
        assert api.send("GET", "region").status_code == 200
    assert caplog.records == []


def test_redirect(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("redirect", location="http://127.0.0.1:1/"))
    response = api.send("GET", "region")
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:1/")


def test_no_id(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("no_id"))
    assert api.find().status_code == 200
    assert list(api.create().json()["returnObj"]) == ["requestId"]
    assert len(emulator.service.caches()) == 1
    assert api.created()


def test_repeat_token(api: Any, emulator: Emulator) -> None:
    emulator.service.seed("base", ["a:1"])
    emulator.inject(Fault("repeat_token", times=None))
    first = api.find().json()["returnObj"]
    second = api.find(nextToken=first["nextToken"]).json()["returnObj"]
    assert first["nextToken"] == second["nextToken"]
    assert len(second["imageCaches"]) == 1


def test_endless_pages(api: Any, emulator: Emulator) -> None:
    emulator.service.seed("base", ["a:1"])
    emulator.inject(Fault("endless_pages", times=None))
    tokens = [""]
    for _number in range(5):
        value = api.find(nextToken=tokens[-1]).json()["returnObj"]
        assert len(value["imageCaches"]) == 1
        tokens.append(value["nextToken"])
    assert len(set(tokens)) == 6


def test_charset(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("charset"))
    response = api.send("GET", "region")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    with pytest.raises(UnicodeDecodeError):
        response.content.decode("utf-8")
    assert '"statusCode": 200' in response.content.decode("utf-16")


def test_which_request_gets_the_fault(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("status", "region", times=2, skip=1), Fault("html", "listUsage"))
    codes = [api.send("GET", "region").status_code for _number in range(4)]
    assert codes == [200, 503, 503, 200]
    assert len(emulator.faults) == 1
    assert "<html>" in api.send("GET", "resources/listUsage").text
    assert emulator.faults.pending() == []


def test_an_unsigned_request_uses_no_fault_up(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("status"))
    assert api.send("GET", "region", secret_key="other").status_code == 401
    assert len(emulator.faults) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "other"},
        {"kind": "reset", "operation": "other"},
        {"kind": "reset", "when": "during"},
        {"kind": "reset", "times": 0},
        {"kind": "reset", "skip": -1},
        {"kind": "reset", "seconds": 1},
        {"kind": "hang", "seconds": "1"},
        {"kind": "status", "status": "503"},
        {"kind": "status", "retry_after": True},
        {"kind": "reset", "clean": 1},
        {"kind": "nameless", "index": -1},
        {"kind": "informational", "statuses": 103},
        {"kind": "informational", "statuses": [200]},
        {"kind": "gateway", "code": 10009},
        {"kind": "gateway", "shape": "round"},
        {"kind": "gateway", "request_id": "header"},
    ],
)
def test_a_fault_must_make_sense(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**fields)
