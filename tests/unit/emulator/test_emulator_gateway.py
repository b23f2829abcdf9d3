# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator, Fault


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"secret_key": "other"}, "10009", "ctyun-EOP: signature verification failed: the signature does not match"),
        ({"access_key": "other"}, "10002", "unknown access key"),
    ],
)
def test_a_refusal_with_all_keys(api: Any, emulator: Emulator, change: dict[str, str], code: str, message: str) -> None:
    emulator.settings.gateway_shape = "full"
    response = api.send("GET", "region", **change)
    assert response.status_code == 401
    body = response.json()
    assert body.pop("requestId")
    assert body == {
        "error": code,
        "code": code,
        "message": message,
        "eopErrCode": code,
        "statusCode": f"CTAPI_{code}",
        "returnObj": {},
    }
    assert "x-trace-id" not in response.headers
    emulator.settings.http_errors = False
    assert api.send("GET", "region", **change).status_code == 200


def test_the_usual_failure(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("gateway", "createImageCache"))
    response = api.create()
    assert response.status_code == 401
    body = response.json()
    assert (body["statusCode"], body["message"], body["returnObj"]) == ("CTAPI_10009", "injected: 10009", {})
    assert emulator.service.caches() == []
    assert emulator.requests[0].status == "fault:gateway"


def test_the_operation_may_have_taken_place(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("gateway", code="50000", status=500, when="after", message="broken"))
    response = api.create()
    assert (response.status_code, response.json()["message"]) == (500, "broken")
    assert len(emulator.service.caches()) == 1


@pytest.mark.parametrize(
    ("shape", "code", "status_code"),
    [
        ("full", "51003", "CTAPI_51003"),
        ("bare", "51003", "CTAPI_51003"),
        ("number", "51003", 51003),
        ("number", "CTIAM_0005", "CTIAM_0005"),
    ],
)
@pytest.mark.parametrize("place", ["body", "X-Request-Id", "x-trace-id", "none"])
def test_shapes_and_places(
    api: Any, emulator: Emulator, shape: str, code: str, status_code: object, place: str
) -> None:
    emulator.inject(Fault("gateway", code=code, shape=shape, request_id=place, id="request-1"))
    response = api.send("GET", "region")
    body = response.json()
    assert body["statusCode"] == status_code
    assert (len(body) > 2) is (shape == "full")
    assert body.get("requestId") == ("request-1" if (shape, place) == ("full", "body") else None)
    for name in ("X-Request-Id", "x-trace-id"):
        assert response.headers.get(name) == ("request-1" if name == place else None)
