# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification of the EOP signature, as the gateway in front of the service would do it."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote_plus

BAD_ACCESS_KEY = 10002
BAD_SIGNATURE = 10020

_AUTHORIZATION = re.compile(r"(\S+) Headers=(\S+) Signature=(\S+)")
_BEIJING = timezone(timedelta(hours=8))
_DATE = "%Y%m%dT%H%M%SZ"
_SIGNED_HEADERS = "ctyun-eop-request-id;eop-date"
_WINDOW = 15 * 60

# What depends on the date alone is kept: a client in a hurry sends hundreds of requests in one second.
_dated = functools.lru_cache(maxsize=8)


class SignatureError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Verifier:
    """Keeps the request IDs it has accepted, since each may be used once only."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def reset(self) -> None:
        self._used.clear()

    def verify(
        self, headers: Mapping[str, str], query: str, body: bytes, access_key: str, secret_key: str, now: float
    ) -> None:
        request_id, date = headers.get("ctyun-eop-request-id", ""), headers.get("eop-date", "")
        if not request_id or not date:
            raise SignatureError(BAD_SIGNATURE, "ctyun-eop-request-id and Eop-date are required")
        authorization = _AUTHORIZATION.fullmatch(headers.get("eop-authorization", ""))
        if authorization is None:
            raise SignatureError(
                BAD_SIGNATURE, "Eop-Authorization is missing or not of the form AK Headers= Signature="
            )
        sent_key, signed_headers, signature = authorization.groups()
        if sent_key != access_key:
            raise SignatureError(BAD_ACCESS_KEY, "unknown access key")
        if signed_headers.lower() != _SIGNED_HEADERS:
            raise SignatureError(BAD_SIGNATURE, f"Headers must be {_SIGNED_HEADERS}")
        _check_date(date, now)
        expected = sign(request_id, date, query, body, access_key, secret_key)
        if not hmac.compare_digest(_bytes(expected), _bytes(signature)):
            raise SignatureError(BAD_SIGNATURE, "the signature does not match")
        if request_id in self._used:
            raise SignatureError(BAD_SIGNATURE, "ctyun-eop-request-id was used before")
        self._used.add(request_id)


def sign(request_id: str, date: str, query: str, body: bytes, access_key: str, secret_key: str) -> str:
    text = (
        f"ctyun-eop-request-id:{request_id}\neop-date:{date}\n"
        f"\n{canonical_query(query)}\n{hashlib.sha256(body).hexdigest()}"
    )
    return base64.b64encode(hmac.digest(_key(date, access_key, secret_key), _bytes(text), "sha256")).decode()


@_dated
def _key(date: str, access_key: str, secret_key: str) -> bytes:
    key = secret_key.encode()
    for part in (date, access_key, date[:8]):
        key = hmac.digest(key, _bytes(part), "sha256")
    return key


def canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = sorted((_encoded(name), _encoded(value)) for name, _equals, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _bytes(text: str) -> bytes:
    # Header bytes that are not UTF-8 arrive as surrogates.
    return text.encode("utf-8", "surrogateescape")


def _encoded(text: str) -> str:
    return quote(unquote_plus(text), safe="-_.~")


def _check_date(date: str, now: float) -> None:
    try:
        sent = _seconds(date)
    except ValueError:
        raise SignatureError(BAD_SIGNATURE, "Eop-date must read yyyyMMdd'T'HHmmss'Z'") from None
    if abs(sent - now) > _WINDOW:
        raise SignatureError(BAD_SIGNATURE, "Eop-date is more than 15 minutes off (it must be Beijing time)")


@_dated
def _seconds(date: str) -> float:
    return datetime.strptime(date, _DATE).replace(tzinfo=_BEIJING).timestamp()
