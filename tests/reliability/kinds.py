# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of fault that a single request can meet.

What is left out is a service that lies, since no client can keep a promise then: a refusal in ECI's own words after it did
what was asked, success before it did, "not found" of what is there, an empty list where something is. A page or a word of
the gateway is no such lie, whatever its status: it tells nothing about an image cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.emulator import Fault
from tests.unit.plugins.emulated import CREATE, DELETE, LIST, UPDATE

CHANGING = (CREATE, UPDATE, DELETE)
ANY = "any"
NEXT_DAY = 86400


class Kind(NamedTuple):
    """A fault of the emulator, or with ``proxied`` of the proxy before it. ``only`` and ``never`` are operations."""

    name: str
    kind: str
    when: str = "before"
    details: dict[str, Any] = {}  # noqa: RUF012  nobody changes it
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    proxied: bool = False

    @property
    def is_late(self) -> bool:
        """Whether the effect may come after all looks."""
        return self.kind == "late" and self.details["seconds"] > 7

    def fits(self, operation: str) -> bool:
        """Whether a request of this operation, or of ANY, may meet it."""
        if operation == ANY:
            return not self.is_for_one_operation
        return operation not in self.never and (not self.only or operation in self.only)

    @property
    def is_for_one_operation(self) -> bool:
        """Whether the next request may be one that must not meet it."""
        return len(self.only) == 1 or bool(self.never)

    def fault(self, operation: str, before: list[str], times: int) -> Fault:
        """The fault at a request of this operation, after those before."""
        if self.is_for_one_operation:
            return Fault(self.kind, operation, times, self.when, before.count(operation), **self.details)
        return Fault(self.kind, None, times, self.when, len(before), **self.details)


def _both(name: str, kind: str, **details: Any) -> Iterator[Kind]:
    """Without effect, and after it; a request that only reads has none."""
    yield Kind(f"{name}, before", kind, "before", details)
    yield Kind(f"{name}, after the effect", kind, "after", details, only=CHANGING)


def _broken() -> Iterator[Kind]:
    yield from _both("reset", "reset")
    yield from _both("closed", "reset", clean=True)
    yield from _both("cut off", "truncate")
    yield from _both("page with HTTP 200", "html")
    yield from _both("redirect", "redirect")
    yield from _both("too large", "huge", megabytes=1)
    for body in (b"", b"{", b"[" * 3000):
        yield from _both(f"body {body[:4]!r}", "body", body=body)
    yield Kind("other charset", "charset")
    for seconds in (2.0, 5.0, 12.0):
        yield Kind(f"takes effect {seconds:g} s later", "late", details={"seconds": seconds}, only=CHANGING)


# None of these claims anything about an image cache.
_ODD_JSON: tuple[Any, ...] = (
    None,
    {},
    {"returnObj": {"imageCacheId": "imc-no"}},
    {"statusCode": 200, "returnObj": []},
    {"statusCode": [200], "returnObj": {}},
    {"statusCode": 503, "error": {"a": 1}, "message": 5},
)
_ODD_FOR: dict[str, tuple[Any, ...]] = {
    CREATE: (
        {"statusCode": 200},
        {"statusCode": 200, "returnObj": {"imageCacheId": 7}},
        {"statusCode": "200", "returnObj": {}},
    ),
    LIST: (
        {"statusCode": 200},
        {"statusCode": 200, "returnObj": {"imageCaches": {}}},
        {"statusCode": 200, "returnObj": {"imageCaches": [7]}},
        {"statusCode": 200, "returnObj": {"imageCaches": [], "nextToken": 7}},
    ),
}


def _odd() -> Iterator[Kind]:
    for value in _ODD_JSON:
        yield from _both(f"JSON {value}", "json", value=value)
    for operation, values in _ODD_FOR.items():
        for value in values:
            for kind in _both(f"JSON {value}", "json", value=value):
                if kind.fits(operation):
                    yield kind._replace(only=(operation,))
    yield Kind("no ID", "no_id", only=(CREATE,))
    for name in ("repeat_token", "endless_pages", "nameless", "idless"):
        yield Kind(name, name, only=(LIST,))
    yield Kind("numeric request ID", "numeric_request_id")
    yield Kind("byte order mark", "bom")
    yield Kind("1xx first", "informational", details={"statuses": [102, 103], "count": 2, "interval": 0.0})


def _outages() -> Iterator[Kind]:
    for status, html in ((500, False), (502, True), (503, False), (503, True), (408, False), (408, True)):
        yield from _both(f"{status} as {'page' if html else 'envelope'}", "status", status=status, html=html)
    for status in (403, 404, 409):
        yield from _both(f"{status} as page", "status", status=status, html=True)


def _refusals() -> Iterator[Kind]:
    for wait in (None, 3, NEXT_DAY, "soon", "Thu, 01 Jan 2099 00:00:00 GMT"):
        details = {"status": 429, "reason": "TooManyRequests", "retry_after": wait}
        yield Kind(f"429, Retry-After {wait}", "status", details=details)
    yield Kind("429 as page", "status", details={"status": 429, "html": True})
    for status, reason in (
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (409, "Conflict"),
        (422, "Invalid"),
        (429, "QuotaExceed"),
    ):
        yield Kind(f"{status} {reason}", "status", details={"status": status, "reason": reason})
    for status, reason in ((403, "Forbidden"), (409, "Conflict"), (429, "QuotaExceed"), (429, "TooManyRequests")):
        yield Kind(f"{reason} with HTTP 200", "json", details={"value": _envelope(status, "ECI", reason)})
    for status, reason, product in ((404, "NotFound", "VPC"), (410, "Gone", "EBS")):
        yield Kind(f"{status} {reason}", "status", details={"status": status, "reason": reason}, never=(DELETE, UPDATE))
        yield Kind(f"{reason} of {product}", "json", details={"value": _envelope(status, product, reason)})
    yield Kind("AlreadyExists", "status", details={"status": 409, "reason": "AlreadyExists"}, only=(CREATE,))
    yield Kind("plain 900", "json", details={"value": {"statusCode": "900", "message": "no"}})


def _envelope(status: int, product: str, reason: str) -> dict[str, Any]:
    return {"statusCode": status, "error": f"{product}.Openapi.StatusReason{reason}", "message": "no"}


def _gateway() -> Iterator[Kind]:
    for shape in ("full", "bare", "number"):
        for code, status in (("10009", 401), ("10009", 200)):
            details = {"code": code, "shape": shape, "status": status}
            yield Kind(f"gateway {code}, {shape}, HTTP {status}", "gateway", details=details)
        for code, status in (("50000", 500), ("77777", 401), ("77777", 404)):
            details = {"code": code, "shape": shape, "status": status}
            yield from _both(f"gateway {code}, {shape}, HTTP {status}", "gateway", **details)
    for code in ("40010", "50001", "51003"):
        yield Kind(f"gateway {code}", "gateway", details={"code": code})
    for place in ("X-Request-Id", "x-trace-id", "none"):
        yield Kind(f"gateway, its request ID: {place}", "gateway", details={"request_id": place})


def _proxy() -> Iterator[Kind]:
    for kind in ("drop_reply", "hang_up"):
        yield Kind(f"proxy: {kind}", kind, proxied=True)
    for status in (403, 407, 502):
        yield Kind(f"proxy refuses with {status}", "refuse", details={"status": status}, proxied=True)
    for status in (200, 404):
        yield Kind(f"page of the proxy with {status}", "answer_page", details={"status": status}, proxied=True)


KINDS = (*_broken(), *_odd(), *_outages(), *_refusals(), *_gateway(), *_proxy())
