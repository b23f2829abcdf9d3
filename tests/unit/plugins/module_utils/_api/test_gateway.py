# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures of the gateway, in every shape that is known or likely, and with every HTTP status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api import failures
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError
from tests.emulator import Emulator
from tests.unit.plugins.emulated import MakeClient

from .replies import refused
from .servers import failing

MESSAGE = "ctyun-EOP: signature verification failed"
ID = "c6f1a2b3"


def full(code: str) -> dict[str, Any]:
    """The one failure of the gateway that somebody printed, with another code."""
    return {
        "requestId": ID,
        "error": code,
        "code": code,
        "message": MESSAGE,
        "eopErrCode": code,
        "statusCode": f"CTAPI_{code}",
        "returnObj": {},
    }


# Where a code can stand; the first is real, the others are what CTYun's cores and others read.
SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "full": full,
    "full, as numbers": lambda code: dict(full(code), error=int(code), code=int(code), eopErrCode=int(code)),
    "no eopErrCode": lambda code: {key: value for key, value in full(code).items() if key != "eopErrCode"},
    "no error": lambda code: {key: value for key, value in full(code).items() if key != "error"},
    "a word for error": lambda code: dict(full(code), error="Unauthorized"),
    "statusCode": lambda code: {"statusCode": f"CTAPI_{code}", "message": MESSAGE},
    "statusCode as a number": lambda code: {"statusCode": int(code), "message": MESSAGE},
    "statusCode as a bare text": lambda code: {"statusCode": code, "message": MESSAGE},
    "eopErrCode": lambda code: {"eopErrCode": code, "message": MESSAGE},
    "error": lambda code: {"error": code, "message": MESSAGE},
    "error with the prefix": lambda code: {"statusCode": 900, "error": f"CTAPI_{code}", "message": MESSAGE},
    "errorCode": lambda code: {"statusCode": 900, "errorCode": code, "message": MESSAGE},
    "code": lambda code: {"statusCode": 900, "code": code, "message": MESSAGE},
    "description": lambda code: {"statusCode": f"CTAPI_{code}", "description": MESSAGE},
    "a success that is none": lambda code: {"statusCode": 200, "error": code, "message": MESSAGE, "returnObj": {}},
    "with blanks": lambda code: {"statusCode": f" CTAPI_{code}\n", "message": MESSAGE},
}
HTTP = [200, 201, 400, 401, 403, 404, 405, 408, 409, 410, 422, 429, 500, 502, 503, 504]
# kind and words of the advice -> codes
CODES: dict[str, tuple[type[EciError], list[str]]] = {
    code: (kind, words)
    for codes, kind, words in [
        ("10000 40008 50003", errors.ServiceError, ["endpoint"]),
        ("10002", errors.AuthenticationError, ["access_key", "secret_key"]),
        ("10009 10020 40002 40006", errors.AuthenticationError, ["access_key", "secret_key", "clock"]),
        ("40009 40010", errors.AuthenticationError, ["IP address"]),
        ("50000", errors.Unanswered, []),
        ("50001 50002", errors.ServiceError, ["Activate ECI"]),
        ("51001", errors.ServiceError, ["expired"]),
        ("51002", errors.ServiceError, ["Buy"]),
        ("51003", errors.ServiceError, ["used up"]),
    ]
    for code in codes.split()
}


def test_the_codes_are_those_of_the_tables() -> None:
    assert sorted(CODES) == sorted(failures.GATEWAY_CODES)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", CODES)
def test_a_code_of_the_gateway_decides_whatever_the_http_status(code: str, shape: str) -> None:
    kind, advice = CODES[code]
    for status in HTTP:
        error = refused(SHAPES[shape](code), status)
        assert error.__class__ is kind, status
        assert error.effect == (POSSIBLE if kind is errors.Unanswered else NONE), status
        assert error.retryable is (kind is errors.Unanswered), status
        assert error.code in (code, f"CTAPI_{code}"), status
        assert (error.service_message, error.http_status) == (MESSAGE, status)
        assert f"code {error.code}, HTTP {status}" in error.message
        assert MESSAGE in error.message
        assert error.failure() == {
            "code": error.code,
            "message": MESSAGE,
            "request_id": ID if "requestId" in SHAPES[shape](code) else "sent-id",
            "http_status": status,
            "operation": "describeImageCaches",
            "effect": error.effect,
            "attempts": 0,
        }
        for words in advice:
            assert words in error.message, status


UNKNOWN = ["CTAPI_99999", "CTAPI_NotFound", "CTAPI_", "CTIAM_0005", "CTIAM_1044", "CTIAM_10009", "99999"]


@pytest.mark.parametrize("place", ["statusCode", "error", "errorCode", "eopErrCode", "code"])
@pytest.mark.parametrize("code", UNKNOWN)
def test_a_code_that_is_not_documented_says_nothing_about_an_image_cache(code: str, place: str) -> None:
    for status in HTTP:
        envelope = {"statusCode": 900, "message": MESSAGE, place: code}
        error = refused(envelope, status)
        assert not isinstance(error, (errors.NotFound, errors.AlreadyExists)), status
        assert error.effect == (NONE if status == 429 else POSSIBLE), status
        assert error.retryable is (status in (408, 429) or status >= 500), status
        assert (error.code, error.service_message) == (code, MESSAGE)
        assert f"code {code}, " in error.message
        if status in (401, 403):
            assert isinstance(error, errors.AuthenticationError)
            assert "IP addresses" in error.message
            assert "permission for the API of ECI" in error.message


@pytest.mark.parametrize("mark", ["77777", "ECI.Openapi.StatusReasonNotFound"])
@pytest.mark.parametrize("status", HTTP)
def test_what_has_a_mark_of_the_gateway_is_not_ecis(status: int, mark: str) -> None:
    envelope = {"statusCode": 404, "error": "ECI.Openapi.StatusReasonNotFound", "eopErrCode": mark}
    assert not isinstance(refused(envelope, status), errors.NotFound)


# Codes of other products, which the same gateway passes through
OTHERS = [
    *((f"Openapi.{name}.NotFound", errors.ServiceError, NONE) for name in ("Vpc", "Subnet", "SecurityGroup", "Eip")),
    *(
        (code, errors.ServiceError, NONE)
        for code in ("Ecs.Instance.NotFound", "Image.Check.NotFound", "ECIX.Openapi.NotFound")
    ),
    *((f"Openapi.Eip.{reason}", errors.ServiceError, NONE) for reason in ("AlreadyExists", "Conflict")),
    ("eci.Openapi.StatusReasonNotFound", errors.ServiceError, NONE),
    ("Openapi.Eip.QuotaExceed", errors.QuotaUsedUp, NONE),
    ("Openapi.Eip.Forbidden", errors.AuthenticationError, NONE),
    ("Openapi.Eip.InternalError", errors.Unanswered, POSSIBLE),
    *((code, None, POSSIBLE) for code in ("Openapi.Order.Inprogress", "Sfs.Order.InProgress", "ebs.order.inProgress")),
    *((code, None, POSSIBLE) for code in ("Openapi.RouterTable.AccessFailed", "Openapi.RegionInfo.AccessFailed")),
    *((code, None, POSSIBLE) for code in ("Openapi.Overview.ParamValueOutOfRange", "CCSE_500", "BC_0003", "Not Found")),
    *((code, errors.ServiceError, POSSIBLE) for code in ("NotFound", "Conflict", "Openapi.NotFound", "A.B.C.NotFound")),
    ("StatusReasonNotFound", errors.ServiceError, POSSIBLE),
]


@pytest.mark.parametrize(("code", "kind", "effect"), OTHERS)
@pytest.mark.parametrize("place", ["error", "errorCode", "code", "statusCode"])
def test_codes_of_other_products(code: str, kind: type[EciError] | None, effect: str, place: str) -> None:
    for status in HTTP:
        error = refused({"statusCode": 900, "message": MESSAGE, place: code}, status)
        assert not isinstance(error, (errors.NotFound, errors.AlreadyExists)), status
        assert (error.code, error.service_message) == (code, MESSAGE)
        if kind:
            assert error.__class__ is kind, status
        else:
            known = {**dict.fromkeys((401, 403), errors.AuthenticationError), 429: errors.Throttled}
            other = errors.Unanswered if status == 408 or status >= 500 else errors.ServiceError
            assert error.__class__ is known.get(status, other), status
        no_effect = status == 429 and error.__class__ is not errors.Unanswered
        assert error.effect == (NONE if no_effect else effect), status


# --- where the request ID stands


@pytest.mark.parametrize(
    ("envelope", "headers", "request_id"),
    [
        ({"requestId": "top", "returnObj": {"requestId": "inner"}}, {}, "inner"),
        *(({"requestId": "top", "returnObj": {"requestId": no}}, {"X_Request_Id": "h"}, "top") for no in ("", None)),
        ({"requestId": 12345}, {}, "12345"),
        ({}, {"X_Request_Id": "header", "x_trace_id": "trace"}, "header"),
        ({}, {"x_request_id": "header"}, "header"),
        ({}, {"X_Request_Id": "", "X_Trace_Id": "trace"}, "trace"),
        *(({"requestId": odd}, {}, "sent-id") for odd in (True, ["x"], " \n")),
        ({"requestId": "a\nb"}, {}, "a b"),
        ({}, {"X_Request_Id": "a\r\n b"}, "a b"),
        ({}, {}, "sent-id"),
    ],
    ids=str,
)
def test_where_the_id_of_a_request_stands(envelope: dict[str, Any], headers: dict[str, str], request_id: str) -> None:
    error = refused({"statusCode": "CTAPI_10009", **envelope}, 401, **headers)
    assert error.request_id == request_id
    assert f"request {request_id})." in error.message


# --- over the wire


@pytest.mark.parametrize("shape", ["full", "number"])
def test_a_wrong_key_and_a_wrong_clock(shape: str, make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.gateway_shape = shape
    error = failing(make_client(access_key="another"))
    assert (error.__class__, error.code) == (errors.AuthenticationError, "10002")
    assert "does not know this access key" in error.message
    emulator.settings.clock_offset = 3600
    error = failing(make_client())
    assert (error.__class__, error.code) == (errors.AuthenticationError, "10009" if shape == "full" else "10020")
    assert "The clock of this machine is 60 minutes behind" in error.message
    assert "access_key" in error.message
