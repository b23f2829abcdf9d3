# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a reply of the service: its returnObj, or the typed error. Pure; private to the collection.

docs/wire.md describes the envelope and its sources. Where these differ, all forms are accepted: a status code as a
number or as text, an error with HTTP status 200 or with its own. Only a refusal that is known as one has no effect.
"""

from __future__ import annotations

import json
import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Mapping, NamedTuple

from .._errors import (
    NO_MEMORY,
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    MachineLimit,
    NotFound,
    QuotaUsedUp,
    ServiceError,
    Throttled,
    Unanswered,
)
from .._text import Redact, sanitize
from . import gateway

CLOCK_WINDOW = 15 * 60
MESSAGE_LENGTH = 2000

GOOD_STATUS_CODES = ("200", "800")
_STATUS_CODE = re.compile("[0-9]{3,6}")
# Where a failure may carry its code, see docs/wire.md. A good reply may have a "code" as well.
_CODE_FIELDS = ("eopErrCode", "error", "errorCode")
_ECI = "ECI."
# CTYun's products write their codes as product.object.reason.
_SEGMENTS = 3
_REASON_PREFIX = "StatusReason"
# The reasons of CTYun's Go SDK.
_BY_REASON: dict[str, type[EciError]] = {
    **dict.fromkeys(["Unauthorized", "Forbidden"], AuthenticationError),
    **dict.fromkeys(["NotFound", "Gone"], NotFound),
    **dict.fromkeys(["AlreadyExists", "Conflict"], AlreadyExists),
    "QuotaExceed": QuotaUsedUp,
    "TooManyRequests": Throttled,
    **dict.fromkeys(["Unknown", "InternalError", "ServerTimeout", "Timeout"], Unanswered),
    **dict.fromkeys(["RequestTimeout", "ServiceUnavailable"], Unanswered),
    **dict.fromkeys(["Invalid", "BadRequest", "OutOfRange", "Expired", "PaymentRequired"], ServiceError),
    **dict.fromkeys(["MethodNotAllowed", "NotAcceptable", "UnsupportedMediaType"], ServiceError),
    "RequestEntityTooLarge": ServiceError,
}
# A 404 or 409 without a code of ECI says nothing about an image cache.
_BY_STATUS = {401: AuthenticationError, 403: AuthenticationError, 408: Unanswered, 429: Throttled}
_RIGHTS = (
    "Check access_key and secret_key, what the account may do (the right to the API of ECI), and whether the account"
    " lists the IP addresses that may call its API."
)


class HttpReply(NamedTuple):
    """A reply as it came. ``request_id`` is the one sent; ``content`` is None if it was too large."""

    operation: str
    request_id: str
    status: int
    headers: Mapping[str, str]
    content: bytes | None


class Reply(NamedTuple):
    """A good reply: its ``returnObj``, empty if it has none, and the service's ID of the request, if it gave one."""

    obj: dict[str, Any]
    request_id: str | None


class _Meaning(NamedTuple):
    kind: type[EciError]
    effect: str
    advice: str = ""


_OPEN = _Meaning(Unanswered, POSSIBLE)


class _Fields(NamedTuple):
    """The fields of an envelope. ``code`` and ``status_code`` are as they came, the others sanitized."""

    status_code: str
    code: str
    message: str
    request_id: str | None


def read(reply: HttpReply, now: float, redact: Redact = str) -> Reply:
    """Return the good reply that this is; raise EciError for any other. ``now`` is in seconds since the epoch."""
    try:
        envelope = _parsed(reply.content)
    except MemoryError:
        raise MachineLimit(NO_MEMORY, effect=POSSIBLE, operation=reply.operation, request_id=reply.request_id) from None
    fields = _fields(envelope or {}, reply.headers, redact)
    status, problem = reply.status, ""
    if 300 <= status < 400:
        meaning, problem = (
            _Meaning(ServiceError, POSSIBLE),
            "the endpoint answered with a redirect, which is not followed",
        )
    elif envelope is None:
        # a page says nothing about an image cache, only that something else answered
        meaning = _by_status(status, "") if 400 <= status < 500 else _OPEN
        problem = "the reply is not a JSON object; is the endpoint the ECI service, or did a proxy answer?"
        if not (reply.content or b"").strip():
            problem = "the reply is too large" if reply.content is None else "the reply is empty"
    elif fields.code or status >= 400:
        meaning = _meaning(status, envelope, fields)
    elif not _STATUS_CODE.fullmatch(fields.status_code):
        meaning, problem = _OPEN, "the reply has no statusCode, or an odd one"
    elif fields.status_code not in GOOD_STATUS_CODES:
        meaning = _meaning(status, envelope, fields)
    else:
        payload = envelope.get("returnObj")
        if payload is None or isinstance(payload, dict):
            return Reply(payload or {}, fields.request_id)
        meaning, problem = _OPEN, "the returnObj of the reply is not an object"
    raise _error(meaning, reply, fields, problem, now, redact)


def _parsed(content: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object in a body, None if it is none."""
    try:
        parsed = json.loads((content or b"").decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _fields(envelope: Mapping[str, Any], headers: Mapping[str, str], redact: Redact) -> _Fields:
    status_code = "" if envelope.get("statusCode") is None else str(envelope["statusCode"]).strip()
    texts = [envelope.get(name) for name in ("message", "description")]  # often in English and in Chinese
    message = " / ".join(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
    message = sanitize(message, redact)[:MESSAGE_LENGTH]
    return _Fields(
        status_code, _code(envelope, status_code), message, sanitize(_request_id(envelope, headers), redact) or None
    )


def _code(envelope: Mapping[str, Any], status_code: str) -> str:
    """Return the code of a failure, or an empty text."""
    for field in _CODE_FIELDS:
        if envelope.get(field):
            return str(envelope[field]).strip()
    if status_code in GOOD_STATUS_CODES:
        return ""
    if envelope.get("code") and str(envelope["code"]) != status_code:
        return str(envelope["code"]).strip()
    return status_code if re.match("[A-Za-z]", status_code) or gateway.refusal(status_code) else ""


def _request_id(envelope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Return the service's ID of the request, or an empty text."""
    for source in (envelope.get("returnObj"), envelope):
        value = source.get("requestId") if isinstance(source, dict) else None
        if isinstance(value, (str, int)) and value != "" and not isinstance(value, bool):
            return str(value)
    return headers.get("X-Request-Id") or headers.get("x-trace-id") or ""


def _meaning(http_status: int, envelope: Mapping[str, Any], fields: _Fields) -> _Meaning:
    code = fields.code
    if gateway.is_gateway(envelope, code):
        known = gateway.refusal(code)
        if known:
            return _Meaning(known.kind, POSSIBLE if known.kind is Unanswered else NONE, known.advice)
        return _by_status(http_status, "")
    reason = code.rpartition(".")[2]
    kind = _BY_REASON.get(reason[len(_REASON_PREFIX) :] if reason.startswith(_REASON_PREFIX) else reason)
    if kind is None:
        return _by_status(http_status, fields.status_code)
    is_eci = code.startswith(_ECI)
    if kind in (NotFound, AlreadyExists) and not is_eci:
        kind = ServiceError  # it is about an object of another product, such as a subnet
    is_known = is_eci or len(code.split(".")) == _SEGMENTS or http_status == 429
    return _Meaning(kind, NONE if is_known and kind is not Unanswered else POSSIBLE)


def _by_status(http_status: int, status_code: str) -> _Meaning:
    """Return what the HTTP status means or, where it means nothing, a status code that looks like one."""
    for status in (http_status, int(status_code) if re.fullmatch("[1-9][0-9]{2}", status_code) else 0):
        if status in _BY_STATUS:
            return _Meaning(_BY_STATUS[status], NONE if http_status == 429 else POSSIBLE)
        if 500 <= status < 600:
            return _OPEN
    return _Meaning(ServiceError, POSSIBLE)


def _error(meaning: _Meaning, reply: HttpReply, fields: _Fields, problem: str, now: float, redact: Redact) -> EciError:
    text = ": ".join(part for part in (problem, fields.message) if part) or "the service gave no reason"
    # a good statusCode is no code of a failure
    code = sanitize(fields.code or ("" if fields.status_code in GOOD_STATUS_CODES else fields.status_code), redact)
    request_id = fields.request_id or reply.request_id
    error = meaning.kind(
        f"{reply.operation} failed: {text.rstrip('.')}"
        f" ({f'code {code}, ' if code else ''}HTTP {reply.status}, request {request_id}).",
        effect=meaning.effect,
        operation=reply.operation,
        code=code or None,
        service_message=text,
        request_id=request_id,
        http_status=reply.status,
        retry_after=_retry_after(reply.headers.get("Retry-After", ""), now),
    )
    if isinstance(error, AuthenticationError):
        error.add(_clock_hint(reply, now) + (meaning.advice or _RIGHTS))
    elif meaning.advice:
        error.add(meaning.advice)
    return error


def _retry_after(value: str, now: float) -> float | None:
    try:
        return max(0.0, float(value))
    except ValueError:
        when = _http_date(value)
        return None if when is None else max(0.0, when - now)


def _clock_hint(reply: HttpReply, now: float) -> str:
    there = _http_date(reply.headers.get("Date", ""))
    if there is None or abs(now - there) <= CLOCK_WINDOW:
        return ""
    side = "ahead of" if now > there else "behind"
    return (
        f"The clock of this machine is {abs(now - there) / 60:.0f} minutes {side} the clock of the service, and a"
        " signature is valid for 15 minutes: set the clock (NTP). "
    )


def _http_date(value: str) -> float | None:
    try:
        when = parsedate_to_datetime(value)
        # the oldest of HTTP's three forms names no zone, and means UTC
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
