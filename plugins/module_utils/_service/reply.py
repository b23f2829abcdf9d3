# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reply of the service -> its returnObj, or the typed error it means. Pure; private to the collection.

The envelope is described, with its sources, in docs/wire.md. What is unknown there is met both ways here: a status
code as a number or a text, an error with HTTP status 200 or with its own.
"""

from __future__ import annotations

import json
import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Dict, Mapping, NamedTuple

from .._errors import (
    AlreadyExists,
    AuthenticationError,
    EciError,
    NotFound,
    OpenOutcome,
    QuotaUsedUp,
    ServiceError,
    Throttled,
)

ReturnObj = Dict[str, Any]

CLOCK_WINDOW = 15 * 60
MESSAGE_LENGTH = 2000

_GOOD_STATUS_CODES = ("200", "800")
_STATUS_CODE = re.compile("[0-9]{3,6}")
_REASON_PREFIX = "StatusReason"
# The reasons of CTYun's Go SDK and the codes of its gateway, by what they mean for the request.
_BY_REASON: dict[str, type[EciError]] = {
    **dict.fromkeys(["Unauthorized", "Forbidden"], AuthenticationError),
    **dict.fromkeys(["10002", "10020", "40002", "40006", "40009", "40010"], AuthenticationError),
    **dict.fromkeys(["NotFound", "Gone"], NotFound),
    **dict.fromkeys(["AlreadyExists", "Conflict"], AlreadyExists),
    **dict.fromkeys(["QuotaExceed", "51003"], QuotaUsedUp),
    **dict.fromkeys(["TooManyRequests"], Throttled),
    **dict.fromkeys(["Unknown", "InternalError", "ServerTimeout", "Timeout", "50000"], OpenOutcome),
    **dict.fromkeys(["RequestTimeout", "ServiceUnavailable"], OpenOutcome),
    **dict.fromkeys(["Invalid", "BadRequest", "OutOfRange", "Expired", "PaymentRequired", "51001"], ServiceError),
    **dict.fromkeys(["MethodNotAllowed", "NotAcceptable", "UnsupportedMediaType"], ServiceError),
    **dict.fromkeys(["RequestEntityTooLarge"], ServiceError),
}
_BY_STATUS: dict[int, type[EciError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFound,
    408: OpenOutcome,
    409: AlreadyExists,
    410: NotFound,
    429: Throttled,
}


class HttpReply(NamedTuple):
    """What came back: ``content`` is None if it was too large to be a reply of this service."""

    operation: str
    request_id: str
    status: int
    headers: Mapping[str, str]
    content: bytes | None


def return_obj(reply: HttpReply, now: float) -> ReturnObj:
    """The ``returnObj`` of a good reply, an empty one if it has none.

    ``now`` is the local time in seconds since the epoch. Raises an EciError for any other reply.
    """
    if 300 <= reply.status < 400:
        raise _error(ServiceError, reply, "the endpoint answered with a redirect, which is not followed", now)
    envelope = _parsed(reply.content)
    if not isinstance(envelope, dict):
        raise _unreadable(reply, now)
    payload = envelope.get("returnObj")
    if isinstance(payload, dict) and isinstance(payload.get("requestId"), str):
        reply = reply._replace(request_id=payload["requestId"])
    code = envelope.get("error") or envelope.get("errorCode")
    status_code = "" if envelope.get("statusCode") is None else str(envelope["statusCode"])
    if not code and reply.status < 300 and not _STATUS_CODE.fullmatch(status_code):
        raise _error(OpenOutcome, reply, "the reply has no statusCode, or an odd one", now)
    if code or reply.status >= 300 or status_code not in _GOOD_STATUS_CODES:
        raise _refusal(reply, envelope, "" if code is None else str(code), status_code, now)
    if payload is None:
        return {}
    if not isinstance(payload, dict):
        raise _error(OpenOutcome, reply, "the returnObj of the reply is not an object", now)
    return payload


def _parsed(content: bytes | None) -> Any:
    try:
        return json.loads((content or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _unreadable(reply: HttpReply, now: float) -> EciError:
    if reply.content is None:
        text = "the reply is too large"
    elif not reply.content.strip():
        text = "the reply is empty"
    else:
        text = "the reply is not a JSON object; is the endpoint the ECI service?"
    kind = _BY_STATUS.get(reply.status, ServiceError) if 400 <= reply.status < 500 else OpenOutcome
    if kind in (NotFound, AlreadyExists):
        # a page tells nothing about an image cache, only that something else answered
        kind = ServiceError
    return _error(kind, reply, text, now)


def _refusal(reply: HttpReply, envelope: Mapping[str, Any], code: str, status_code: str, now: float) -> EciError:
    text = envelope.get("message") or envelope.get("description")
    message = text[:MESSAGE_LENGTH] if isinstance(text, str) else ""
    kind = _kind(reply.status, code, status_code)
    return _error(kind, reply, message or "the service gave no reason", now, code or status_code or None)


def _kind(http_status: int, code: str, status_code: str) -> type[EciError]:
    for candidate in (code, status_code):
        reason = candidate.rpartition(_REASON_PREFIX)[2]
        if reason in _BY_REASON:
            return _BY_REASON[reason]
    for status in (http_status, int(status_code) if re.fullmatch("[1-9][0-9]{2}", status_code) else 0):
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        if 500 <= status < 600:
            return OpenOutcome
    return ServiceError


def _error(kind: type[EciError], reply: HttpReply, text: str, now: float, code: str | None = None) -> EciError:
    details = f"HTTP {reply.status}, request {reply.request_id}"
    error = kind(
        f"{reply.operation} failed: {text.rstrip('.')} ({f'code {code}, ' if code else ''}{details}).",
        operation=reply.operation,
        code=code,
        service_message=text,
        request_id=reply.request_id,
        http_status=reply.status,
        retry_after=_retry_after(reply.headers.get("Retry-After", ""), now),
    )
    if isinstance(error, AuthenticationError):
        error.add(_clock_hint(reply, now) or "Check access_key, secret_key and what the account may do.")
    return error


def _retry_after(value: str, now: float) -> float | None:
    try:
        return max(0.0, float(value))
    except ValueError:
        when = _http_date(value)
        return None if when is None else max(0.0, when - now)


def _clock_hint(reply: HttpReply, now: float) -> str | None:
    there = _http_date(reply.headers.get("Date", ""))
    if there is None or abs(now - there) <= CLOCK_WINDOW:
        return None
    side = "ahead of" if now > there else "behind"
    return (
        f"The clock of this machine is {abs(now - there) / 60:.0f} minutes {side} the clock of the service, and a"
        " signature is good for 15 minutes: set the clock (NTP)."
    )


def _http_date(value: str) -> float | None:
    try:
        when = parsedate_to_datetime(value)
        # the oldest of HTTP's three forms names no zone, and means UTC
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
