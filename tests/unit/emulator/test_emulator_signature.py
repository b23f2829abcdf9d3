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
    assert canonical_query("b=1+2&a=%7e&c&a=%e7%bc%93") == "a=%E7%BC%93&a=~&b=1%202&c="


def test_a_wrong_key_is_refused(api: Any) -> None:
    assert refused(api.send("GET", "region", access_key="other"), 10002) == "unknown access key"
    refused(api.send("GET", "region", secret_key="other"), 10020)


@pytest.mark.parametrize(
    "headers",
    [
        {"ctyun-eop-request-id": None},
        {"Eop-date": None},
        {"Eop-date": "yesterday"},
        {"Eop-Authorization": None},
        {"Eop-Authorization": "nonsense"},
        {"Eop-Authorization": "emulator-access-key Headers=eop-date Signature=eA=="},
        {"Eop-Authorization": "emulator-access-key Headers=ctyun-eop-request-id;eop-date Signature=\xff"},
    ],
)
def test_headers_that_are_missing_or_odd_are_refused(api: Any, headers: dict[str, Any]) -> None:
    refused(api.send("GET", "region", **headers), 10020)


def test_another_body_or_query_than_was_signed_is_refused(api: Any) -> None:
    headers = api.headers(b'{"limit": 1}')
    message = refused(api.send("POST", "imageCache/describeImageCaches", b'{"limit":1}', headers=headers), 10020)
    assert message == "the signature does not match"
    refused(api.send("GET", "region?a=1"), 10020)


def test_a_signature_is_good_for_15_minutes_of_beijing_time(api: Any, emulator: Emulator) -> None:
    emulator.advance(3600)  # the time of the service is another
    for age in (-890, 890):
        assert api.send("GET", "region", age=age).status_code == 200
    for age in (-910, 910, 8 * 3600):
        assert "Beijing" in refused(api.send("GET", "region", age=age), 10020)


def test_the_clock_can_be_off(api: Any, emulator: Emulator) -> None:
    emulator.settings.clock_offset = 3600
    response = api.send("GET", "region")
    refused(response, 10020)
    assert 3590 < parsedate_to_datetime(response.headers["Date"]).timestamp() - time() < 3610
    assert api.send("GET", "region", age=-3600).status_code == 200


def test_a_request_id_is_good_for_one_request(api: Any) -> None:
    headers = api.headers()
    assert api.send("GET", "region", headers=headers).status_code == 200
    assert "used before" in refused(api.send("GET", "region", headers=headers), 10020)
    refused(api.send("GET", "region", headers=api.headers(request_id=headers["ctyun-eop-request-id"])), 10020)


@pytest.mark.parametrize(("keys", "code"), [({"secret_key": "other"}, "10009"), ({"access_key": "other"}, "10002")])
def test_a_refusal_can_have_all_keys(api: Any, emulator: Emulator, keys: dict[str, str], code: str) -> None:
    emulator.settings.gateway_shape = "full"
    response = api.send("GET", "region", **keys)
    body = response.json()
    assert body.pop("requestId") and body.pop("message")
    assert body == {
        "error": code, "code": code, "eopErrCode": code, "statusCode": f"CTAPI_{code}", "returnObj": {},
    }  # fmt: skip
    assert (response.status_code, "x-trace-id" in response.headers) == (401, False)
    emulator.settings.http_errors = False
    assert api.send("GET", "region", **keys).status_code == 200
