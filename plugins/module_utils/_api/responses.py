# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a good reply of the service. Pure; private to the collection. For other replies see ``failures``.

docs/api_notes.md describes the envelope and its sources. Where these differ, all forms are accepted: a status code as a
number or as text, an error with HTTP status 200 or with its own.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple

from .._errors import NO_MEMORY, POSSIBLE, MachineLimit
from .._text import Redact, sanitize

GOOD_STATUS_CODES = ("200", "800")
# Where a failure may carry its code, see docs/api_notes.md. A good reply may have a "code" as well.
CODE_FIELDS = ("eopErrCode", "error", "errorCode")


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


def read(reply: HttpReply, redact: Redact = str) -> Reply | None:
    """Return the good reply that this is, None for any other. Raises MachineLimit."""
    try:
        envelope = parse(reply.content)
    except MemoryError:
        raise MachineLimit(NO_MEMORY, effect=POSSIBLE, operation=reply.operation, request_id=reply.request_id) from None
    if reply.status < 300 and envelope and status_code(envelope) in GOOD_STATUS_CODES:
        payload = envelope.get("returnObj")
        if not any(envelope.get(field) for field in CODE_FIELDS) and (payload is None or isinstance(payload, dict)):
            return Reply(payload or {}, request_id(envelope, reply.headers, redact))
    return None


def parse(content: bytes | None) -> dict[str, Any] | None:
    """Return the JSON object in a body, None if it is none."""
    try:
        # the codec utf-8-sig would be imported by each worker, which takes longer than a request
        text = (content or b"").decode().lstrip("\ufeff")
        parsed = json.loads(text)
        if "\\ud" in text.lower():  # lone surrogates can be written in JSON, and in no file
            parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def status_code(envelope: Mapping[str, Any]) -> str:
    """Return the status code as text, empty if there is none."""
    return "" if envelope.get("statusCode") is None else str(envelope["statusCode"]).strip()


def request_id(envelope: Mapping[str, Any], headers: Mapping[str, str], redact: Redact) -> str | None:
    """Return the service's ID of the request, None if it gave none."""
    for source in (envelope.get("returnObj"), envelope):
        value = source.get("requestId") if isinstance(source, dict) else None
        if isinstance(value, (str, int)) and value != "" and not isinstance(value, bool):
            return sanitize(str(value), redact) or None
    return sanitize(headers.get("X-Request-Id") or headers.get("x-trace-id") or "", redact) or None
