# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out what the failure in a reply means, and whether the request can have taken effect. Pure; private to the collection.

Sources: docs/api_notes.md. Only a refusal that is known as one has no effect. ECI does not see a request that the gateway in
front of it refuses, so such a refusal says nothing about an image cache.
"""

from __future__ import annotations

import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Mapping, NamedTuple

from .._errors import (
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    NotFound,
    QuotaUsedUp,
    ServiceError,
    Throttled,
    Unanswered,
)
from .._text import Redact, sanitize
from .responses import CODE_FIELDS, GOOD_STATUS_CODES, HttpReply, parse, request_id, status_code

CLOCK_WINDOW = 15 * 60
MESSAGE_LENGTH = 2000

_GATEWAY_PREFIXES = ("CTAPI_", "CTIAM_")
_STATUS_CODE = re.compile("[0-9]{3,6}")
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
    "Check access_key and secret_key, the account's permission for the API of ECI, and its allowlist of IP addresses for"
    " the API."
)


class _Meaning(NamedTuple):
    """The kind of an error, its effect, and what to do about it."""

    kind: type[EciError]
    effect: str
    advice: str = ""


def _refused(advice: str, kind: type[EciError] = ServiceError) -> _Meaning:
    return _Meaning(kind, NONE, advice)


_OPEN = _Meaning(Unanswered, POSSIBLE)
_KEY = _refused("Check access_key and secret_key: the gateway does not know this access key.", AuthenticationError)
_SIGNATURE = _refused(
    "Check that access_key and secret_key belong together and are complete, and the clock of this machine.",
    AuthenticationError,
)
_ADDRESS = _refused(
    "The account has an allowlist of IP addresses for its API: add the address of this machine, or of its proxy.",
    AuthenticationError,
)
_NOT_OPENED = _refused("Activate ECI for this account in the console of CTYun.")
_UNKNOWN = _refused("Check endpoint: its gateway does not know this operation of ECI.")

GATEWAY_CODES = {
    "10000": _UNKNOWN,
    "10002": _KEY,
    "10009": _SIGNATURE,
    "10020": _SIGNATURE,
    "40002": _SIGNATURE,
    "40006": _SIGNATURE,
    "40008": _UNKNOWN,
    "40009": _ADDRESS,
    "40010": _ADDRESS,
    "50000": _OPEN,
    "50001": _NOT_OPENED,
    "50002": _NOT_OPENED,
    "50003": _UNKNOWN,
    "51001": _refused("The service has expired for this account: renew it in the console of CTYun."),
    "51002": _refused("Buy this API in the console of CTYun first."),
    "51003": _refused("The account has used up its API calls."),
}


class _Fields(NamedTuple):
    """The fields of an envelope. ``code`` and ``status_code`` are as they came, the others sanitized."""

    status_code: str
    code: str
    message: str
    request_id: str | None


def failure(reply: HttpReply, now: float, redact: Redact = str) -> EciError:
    """Return the error that a reply means which is not a good one. ``now`` is in seconds since the epoch."""
    envelope = parse(reply.content)
    fields = _fields(envelope or {}, reply.headers, redact)
    status, problem, meaning = reply.status, "", _OPEN
    if 300 <= status < 400:
        meaning = _Meaning(ServiceError, POSSIBLE)
        problem = "the endpoint answered with a redirect, which is not followed"
    elif envelope is None:
        # a page says nothing about an image cache, only that something else answered
        meaning = _by_status(status, "") if 400 <= status < 500 else _OPEN
        problem = "the reply is not a JSON object; is the endpoint the ECI service, or did a proxy answer?"
        if not (reply.content or b"").strip():
            problem = "the reply is too large" if reply.content is None else "the reply is empty"
    elif fields.code or status >= 400:
        meaning = _meaning(status, envelope, fields)
    elif not _STATUS_CODE.fullmatch(fields.status_code):
        problem = "the reply has no valid statusCode"
    elif fields.status_code not in GOOD_STATUS_CODES:
        meaning = _meaning(status, envelope, fields)
    else:
        problem = "the returnObj of the reply is not an object"
    return _error(meaning, reply, fields, problem, now, redact)


def _fields(envelope: Mapping[str, Any], headers: Mapping[str, str], redact: Redact) -> _Fields:
    texts = [envelope.get(name) for name in ("message", "description")]  # often in English and in Chinese
    message = " / ".join(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
    message = sanitize(message, redact)[:MESSAGE_LENGTH]
    number = status_code(envelope)
    return _Fields(number, _code(envelope, number), message, request_id(envelope, headers, redact))


def _code(envelope: Mapping[str, Any], number: str) -> str:
    """Return the code of a failure, or an empty text."""
    for field in CODE_FIELDS:
        if envelope.get(field):
            return str(envelope[field]).strip()
    if number in GOOD_STATUS_CODES:
        return ""
    if envelope.get("code") and str(envelope["code"]) != number:
        return str(envelope["code"]).strip()
    return number if re.match("[A-Za-z]", number) or refusal(number) else ""


def _meaning(http_status: int, envelope: Mapping[str, Any], fields: _Fields) -> _Meaning:
    code = fields.code
    if is_gateway(envelope, code):
        return refusal(code) or _by_status(http_status, "")
    reason = code.rpartition(".")[2]
    kind = _BY_REASON.get(reason[len(_REASON_PREFIX) :] if reason.startswith(_REASON_PREFIX) else reason)
    if kind is None:
        return _by_status(http_status, fields.status_code)
    is_eci = code.startswith(_ECI)
    if kind in (NotFound, AlreadyExists) and not is_eci:
        kind = ServiceError  # it is about an object of another product, such as a subnet
    is_known = is_eci or len(code.split(".")) == _SEGMENTS or http_status == 429
    return _Meaning(kind, NONE if is_known and kind is not Unanswered else POSSIBLE)


def _by_status(http_status: int, number: str) -> _Meaning:
    """Return the meaning of the HTTP status or, if it has none, of a status code that looks like one."""
    for status in (http_status, int(number) if re.fullmatch("[1-9][0-9]{2}", number) else 0):
        if status in _BY_STATUS:
            return _Meaning(_BY_STATUS[status], NONE if http_status == 429 else POSSIBLE)
        if 500 <= status < 600:
            return _OPEN
    return _Meaning(ServiceError, POSSIBLE)


def _error(meaning: _Meaning, reply: HttpReply, fields: _Fields, problem: str, now: float, redact: Redact) -> EciError:
    text = ": ".join(part for part in (problem, fields.message) if part) or "the service gave no reason"
    # a good statusCode is no code of a failure
    code = sanitize(fields.code or ("" if fields.status_code in GOOD_STATUS_CODES else fields.status_code), redact)
    request = fields.request_id or reply.request_id
    error = meaning.kind(
        f"{reply.operation} failed: {text.rstrip('.')}"
        f" ({f'code {code}, ' if code else ''}HTTP {reply.status}, request {request}).",
        effect=meaning.effect,
        operation=reply.operation,
        code=code or None,
        service_message=text,
        request_id=request,
        http_status=reply.status,
        retry_after=retry_after(reply.headers.get("Retry-After", ""), now),
    )
    if isinstance(error, AuthenticationError):
        error.add(_clock_hint(reply, now) + (meaning.advice or _RIGHTS))
    elif meaning.advice:
        error.add(meaning.advice)
    return error


def retry_after(value: str, now: float) -> float | None:
    """Return the seconds in a header Retry-After, None if it has none."""
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


def is_gateway(envelope: Mapping[str, Any], code: str) -> bool:
    """Return whether a failure is the gateway's: its codes are numbers, those of ECI have three segments."""
    return (
        bool(envelope.get("eopErrCode"))
        or code.startswith(_GATEWAY_PREFIXES)
        or re.fullmatch("[0-9]+", code) is not None
    )


def refusal(code: str) -> _Meaning | None:
    """Return the meaning of a code of the gateway, with or without its prefix; None if it is not documented."""
    return GATEWAY_CODES.get(code[len("CTAPI_") :] if code.startswith("CTAPI_") else code)
