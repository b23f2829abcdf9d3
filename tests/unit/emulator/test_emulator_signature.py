# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import pytest
import requests

from tests.emulator import Emulator
from tests.emulator.signature import canonical_query, sign

REQUEST_ID = "c0ffee00-0000-4000-8000-000000000001"
DATE = "20260102T030405Z"


def refused(response: requests.Response, code: int) -> str:
    assert response.status_code == 401
    envelope = response.json()
    assert sorted(envelope) == ["message", "statusCode"]
    assert envelope["statusCode"] == code
    assert response.headers["x-trace-id"]
    return str(envelope["message"])


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("", "", "0YBf8Z5Gsvwr0VngSqNBpqVSy381SkYbe5fYgQT5hX4="),
        ("", '{"imageCacheName": "缓存"}', "euMaGVeIRZzcmzS7S81mrAlUdU/AaNCcoq8m5jeWSgg="),
        ("b=x%20y%2Fz&a=1&a-b=~", "", "AphEDywPA7ms0EPGdWzkGVtuFUlAWvNwSJSuawjgWMQ="),
    ],
)
def test_agrees_with_ctyuns_own_python_sdk(query: str, body: str, expected: str) -> None:
    """The expected values were computed with ctyun-openapi-sdk-core 0.0.2."""
    assert sign(REQUEST_ID, DATE, query, body.encode(), "test-access-key", "test-secret-key") == expected


def test_canonical_query() -> None:
    assert canonical_query("b=1+2&a=%7e&c&a=%e7%bc%93") == "a=%E7%BC%93&a=~&b=1%202&c="


@pytest.mark.parametrize("header", ["ctyun-eop-request-id", "Eop-date", "Eop-Authorization"])
def test_a_missing_header(api: Any, header: str) -> None:
    refused(api.send("GET", "region", **{header: None}), 10020)


def test_a_wrong_key(api: Any) -> None:
    assert refused(api.send("GET", "region", access_key="other"), 10002) == "unknown access key"
    refused(api.send("GET", "region", secret_key="other"), 10020)


def test_other_bytes_than_were_signed(api: Any) -> None:
    headers = api.headers(b'{"limit": 1}')
    message = refused(api.send("POST", "imageCache/describeImageCaches", b'{"limit":1}', headers=headers), 10020)
    assert message == "the signature does not match"


def test_another_query_than_was_signed(api: Any) -> None:
    refused(api.send("GET", "region?a=1"), 10020)


@pytest.mark.parametrize(
    "authorization",
    [
        "nonsense",
        "emulator-access-key Headers=eop-date Signature=eA==",
        "emulator-access-key Headers=ctyun-eop-request-id;eop-date Signature=\xff",
    ],
)
def test_an_odd_authorization(api: Any, authorization: str) -> None:
    refused(api.send("GET", "region", **{"Eop-Authorization": authorization}), 10020)


def test_an_odd_date(api: Any) -> None:
    refused(api.send("GET", "region", **{"Eop-date": "yesterday"}), 10020)


@pytest.mark.parametrize("age", [-890, 890])
def test_within_the_window(api: Any, age: float) -> None:
    assert api.send("GET", "region", age=age).status_code == 200


@pytest.mark.parametrize("age", [-910, 910, 8 * 3600])
def test_outside_the_window(api: Any, age: float) -> None:
    assert "Beijing" in refused(api.send("GET", "region", age=age), 10020)


def test_the_servers_clock_can_be_off(api: Any, emulator: Emulator) -> None:
    emulator.settings.clock_offset = 3600
    response = api.send("GET", "region")
    refused(response, 10020)
    off = parsedate_to_datetime(response.headers["Date"]).timestamp() - time()
    assert 3590 < off < 3610
    assert api.send("GET", "region", age=-3600).status_code == 200


def test_advancing_leaves_the_window_alone(api: Any, emulator: Emulator) -> None:
    emulator.advance(3600)
    assert api.send("GET", "region").status_code == 200


def test_a_replay(api: Any) -> None:
    headers = api.headers()
    assert api.send("GET", "region", headers=headers).status_code == 200
    assert "used before" in refused(api.send("GET", "region", headers=headers), 10020)
    fresh = api.headers(request_id=headers["ctyun-eop-request-id"])
    refused(api.send("GET", "region", headers=fresh), 10020)


def test_with_http_200(api: Any, emulator: Emulator) -> None:
    emulator.settings.http_errors = False
    response = api.send("GET", "region", secret_key="other")
    assert (response.status_code, response.json()["statusCode"]) == (200, 10020)
