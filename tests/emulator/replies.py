# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reply before it is written out."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .errors import ServiceError
from .service import Answer
from .settings import Settings

JSON = "application/json; charset=utf-8"
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_GOOD: dict[str, int | str] = {"int": 200, "str": "200", "800": 800}
# A token that is less than this away may as well be asked for at once.
_NEAR = 0.1


@dataclass
class Reply:
    status: int
    payload: Any
    effect: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    # what the record says instead of the HTTP status
    note: str = ""

    def encoded(self) -> bytes:
        return _ENCODER.encode(self.payload).encode("utf-8", "replace")


def good(answer: Answer, settings: Settings) -> Reply:
    payload: dict[str, Any] = {"statusCode": _GOOD[settings.status_code_style], "returnObj": answer.value}
    if settings.null_fields:
        payload.update(dict.fromkeys(("error", "message")))
    return Reply(200, payload, answer.effect)


def refused(error: ServiceError, settings: Settings) -> Reply:
    return Reply(error.http_status if settings.http_errors else 200, error.envelope())


def throttled(wait: float, settings: Settings, now: float) -> Reply:
    """There is a token in ``wait`` seconds."""
    reply = refused(ServiceError("TooManyRequests", "more requests than the rate allows"), settings)
    reply.note = "rate"
    if settings.rate_retry_after == "seconds":
        reply.headers["Retry-After"] = str(0 if wait < _NEAR else math.ceil(wait))
    elif settings.rate_retry_after == "date":
        reply.headers["Retry-After"] = _http_date(math.ceil(now + wait))
    return reply


@functools.lru_cache(maxsize=8)
def _http_date(now: int) -> str:
    return formatdate(now, usegmt=True)


def headers(now: float, content_type: str = JSON) -> dict[str, str]:
    return {"Content-Type": content_type, "Date": _http_date(int(now)), "Server": "ctyun-eci-emulator"}


def response(reply: Reply, now: float) -> web.Response:
    return web.Response(status=reply.status, body=reply.encoded(), headers={**headers(now), **reply.headers})
