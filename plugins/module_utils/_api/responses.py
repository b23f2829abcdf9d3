# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reply of the service -> its returnObj, or the typed error it means. Pure; private to the collection.

The envelope is described, with its sources, in docs/wire.md. What is unknown there is met both ways here: a status
code as a number or a text, an error with HTTP status 200 or with its own. An error has no effect only if it is a
refusal that is known as one; what is not known is possible.
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
from . import gateway
from .._text import Redact as Hide
from .._text import sanitize as told

CLOCK_WINDOW = 15 * 60
MESSAGE_LENGTH = 2000

GOOD_STATUS_CODES = ("200", "800")
_STATUS_CODE = re.compile("[0-9]{3,6}")
# Where a failure may carry its code, see docs/wire.md. A good reply may have a "code" as well.
_CODE_FIELDS = ("eopErrCode", "error", "errorCode")
_ECI = "ECI."
# product.object.reason, as CTYun's products write their codes
_SEGMENTS = 3
_REASON_PREFIX = "StatusReason"
# The reasons of CTYun's Go SDK, by what they mean for the request.
_BY_REASON: dict[str, type[EciError]] = {
    **dict.fromkeys(["Unauthorized", "Forbidden"], AuthenticationError),
    **dict.fromkeys(["NotFound", "Gone"], NotFound),
    **dict.fromkeys(["AlreadyExists", "Conflict"], AlreadyExists),
    **dict.fromkeys(["QuotaExceed"], QuotaUsedUp),
    **dict.fromkeys(["TooManyRequests"], Throttled),
    **dict.fromkeys(["Unknown", "InternalError", "ServerTimeout", "Timeout"], Unanswered),
    **dict.fromkeys(["RequestTimeout", "ServiceUnavailable"], Unanswered),
    **dict.fromkeys(["Invalid", "BadRequest", "OutOfRange", "Expired", "PaymentRequired"], ServiceError),
    **dict.fromkeys(["MethodNotAllowed", "NotAcceptable", "UnsupportedMediaType"], ServiceError),
    **dict.fromkeys(["RequestEntityTooLarge"], ServiceError),
}
# A 404 or 409 without a word of ECI's says nothing about an image cache.
_BY_STATUS: dict[int, type[EciError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    408: Unanswered,
    429: Throttled,
}
_RIGHTS = (
    "Check access_key and secret_key, what the account may do (the right to the API of ECI), and whether the account"
    " lists the IP addresses that may call its API."
)


class HttpReply(NamedTuple):
    """What came back: ``content`` is None if it was too large to be a reply of this service.

    ``request_id`` is the ID that was sent, and in a failure stands in for one that the service did not give.
    """

    operation: str
    request_id: str
    status: int
    headers: Mapping[str, str]
    content: bytes | None


class Reply(NamedTuple):
    """A good reply: its ``returnObj``, empty if it has none, and the service's ID of the request, if it told one."""

    obj: dict[str, Any]
    request_id: str | None


class _Meaning(NamedTuple):
    kind: type[EciError]
    effect: str
    advice: str = ""


_OPEN = _Meaning(Unanswered, POSSIBLE)


class _Words(NamedTuple):
    """What a reply says of itself. ``code`` and ``status_code`` are as they came, the rest is fit to be told."""

    status_code: str
    code: str
    message: str
    request_id: str | None


def read(reply: HttpReply, now: float, hide: Hide = str) -> Reply:
    """The good reply that this is.

    ``now`` is the local time in seconds since the epoch; ``hide`` takes secrets out of what the service wrote. Raises
    an EciError for any other reply.
    """
    try:
        parsed = _parsed(reply.content)
    except MemoryError:
        raise MachineLimit(NO_MEMORY, effect=POSSIBLE, operation=reply.operation, request_id=reply.request_id) from None
    envelope = parsed if isinstance(parsed, dict) else {}
    words = _words(envelope, reply.headers, hide)

    def failed(meaning: _Meaning, problem: str = "") -> EciError:
        return _error(meaning, reply, words, problem, now, hide)

    if 300 <= reply.status < 400:
        raise failed(_Meaning(ServiceError, POSSIBLE), "the endpoint answered with a redirect, which is not followed")
    if not isinstance(parsed, dict):
        raise failed(_by_status_alone(reply.status), _unreadable(reply.content))
    if words.code or reply.status >= 400:
        raise failed(_meaning(reply.status, envelope, words))
    if not _STATUS_CODE.fullmatch(words.status_code):
        raise failed(_OPEN, "the reply has no statusCode, or an odd one")
    if words.status_code not in GOOD_STATUS_CODES:
        raise failed(_meaning(reply.status, envelope, words))
    payload = envelope.get("returnObj")
    if payload is not None and not isinstance(payload, dict):
        raise failed(_OPEN, "the returnObj of the reply is not an object")
    return Reply(payload or {}, words.request_id)


def _parsed(content: bytes | None) -> Any:
    try:
        return json.loads((content or b"").decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _words(envelope: Mapping[str, Any], headers: Mapping[str, str], hide: Hide) -> _Words:
    status_code = "" if envelope.get("statusCode") is None else str(envelope["statusCode"]).strip()
    text = envelope.get("message") or envelope.get("description")
    message = told(text, hide)[:MESSAGE_LENGTH] if isinstance(text, str) else ""
    request_id = told(_request_id(envelope, headers), hide)
    return _Words(status_code, _code(envelope, status_code), message, request_id or None)


def _code(envelope: Mapping[str, Any], status_code: str) -> str:
    """The code of a failure, or an empty text."""
    for field in _CODE_FIELDS:
        if envelope.get(field):
            return str(envelope[field]).strip()
    if status_code in GOOD_STATUS_CODES:
        return ""
    if envelope.get("code") and str(envelope["code"]) != status_code:
        return str(envelope["code"]).strip()
    return status_code if re.match("[A-Za-z]", status_code) or gateway.refusal(status_code) else ""


def _request_id(envelope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The service's ID of the request, from wherever it may stand; an empty text if there is none."""
    for source in (envelope.get("returnObj"), envelope):
        value = source.get("requestId") if isinstance(source, dict) else None
        if isinstance(value, (str, int)) and value != "" and not isinstance(value, bool):
            return str(value)
    return headers.get("X-Request-Id") or headers.get("x-trace-id") or ""


def _unreadable(content: bytes | None) -> str:
    if content is None:
        return "the reply is too large"
    if not content.strip():
        return "the reply is empty"
    return "the reply is not a JSON object; is the endpoint the ECI service, or did a proxy answer?"


def _by_status_alone(http_status: int) -> _Meaning:
    """What a page means. It tells nothing about an image cache, only that something else answered."""
    return _by_status(http_status, "") if 400 <= http_status < 500 else _OPEN


def _meaning(http_status: int, envelope: Mapping[str, Any], words: _Words) -> _Meaning:
    code = words.code
    if gateway.is_gateway(envelope, code):
        known = gateway.refusal(code)
        if known:
            return _Meaning(known.kind, POSSIBLE if known.kind is Unanswered else NONE, known.advice)
        return _by_status(http_status, "")
    reason = code.rpartition(".")[2]
    if reason.startswith(_REASON_PREFIX):
        reason = reason[len(_REASON_PREFIX) :]
    kind = _BY_REASON.get(reason)
    if kind is None:
        return _by_status(http_status, words.status_code)
    is_eci = code.startswith(_ECI)
    if kind in (NotFound, AlreadyExists) and not is_eci:
        kind = ServiceError  # another product's: a subnet, say, and no image cache
    is_known = is_eci or len(code.split(".")) == _SEGMENTS or http_status == 429
    return _Meaning(kind, NONE if is_known and kind is not Unanswered else POSSIBLE)


def _by_status(http_status: int, status_code: str) -> _Meaning:
    """What a failure means whose code says nothing: whether it had an effect is known of one kind only."""
    for status in (http_status, int(status_code) if re.fullmatch("[1-9][0-9]{2}", status_code) else 0):
        if status in _BY_STATUS:
            return _Meaning(_BY_STATUS[status], NONE if http_status == 429 else POSSIBLE)
        if 500 <= status < 600:
            return _OPEN
    return _Meaning(ServiceError, POSSIBLE)


def _error(meaning: _Meaning, reply: HttpReply, words: _Words, problem: str, now: float, hide: Hide) -> EciError:
    text = ": ".join(part for part in (problem, words.message) if part) or "the service gave no reason"
    # a good statusCode is no code of a failure
    code = told(words.code or ("" if words.status_code in GOOD_STATUS_CODES else words.status_code), hide)
    request_id = words.request_id or reply.request_id
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
    hints: list[str | None] = [meaning.advice]
    if isinstance(error, AuthenticationError):
        hints = [_clock_hint(reply, now), meaning.advice or _RIGHTS]
    for hint in hints:
        if hint:
            error.add(hint)
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
