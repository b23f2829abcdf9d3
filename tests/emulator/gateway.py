# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failures of the gateway in front of the service, which never reached the service itself."""

from __future__ import annotations

import uuid
from typing import Any

from .faults import Fault
from .replies import Reply
from .settings import Settings
from .signature import BAD_ACCESS_KEY, SignatureError

_WRONG_ACCESS_KEY = str(BAD_ACCESS_KEY)
_WRONG_SIGNATURE = "10009"


def unsigned(error: SignatureError, settings: Settings) -> Reply:
    status = 401 if settings.http_errors else 200
    if settings.gateway_shape == "number":
        return _failure(str(error.code), error.message, status, "number", "x-trace-id")
    if error.code == BAD_ACCESS_KEY:
        return _failure(_WRONG_ACCESS_KEY, error.message, status, "full", "body")
    message = f"ctyun-EOP: signature verification failed: {error.message}"
    return _failure(_WRONG_SIGNATURE, message, status, "full", "body")


def injected(fault: Fault) -> Reply:
    code, status = fault.details["code"], fault.details["status"]
    return _failure(code, f"injected: {code}", status, fault.details["shape"], fault.details["request_id"])


def _failure(code: str, message: str, status: int, shape: str, place: str) -> Reply:
    """``place`` says where the request ID is: in the body (if that has all keys), in the header of this name, or none."""
    identifier = uuid.uuid4().hex
    payload: dict[str, Any]
    if shape == "full":
        payload = {
            "requestId": identifier,
            "error": code,
            "code": code,
            "message": message,
            "eopErrCode": code,
            "statusCode": f"CTAPI_{code}",
            "returnObj": {},
        }
        if place != "body":
            del payload["requestId"]
    else:
        payload = {"statusCode": f"CTAPI_{code}" if shape == "bare" else int(code), "message": message}
    return Reply(status, payload, headers={} if place in ("body", "none") else {place: identifier})
