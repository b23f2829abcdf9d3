# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of misbehaviour, and which request gets which."""

from __future__ import annotations

import threading
from typing import Any

from .routes import OPERATIONS

# Each kind with its details; a default also says which type the detail has.
KINDS: dict[str, dict[str, Any]] = {
    "reset": {"clean": False},
    "hang": {"seconds": 30.0},
    "late": {"seconds": 5.0, "hang": 0.0},
    "status": {"status": 503, "reason": "", "message": "", "retry_after": None, "html": False},
    "gateway": {"code": "10009", "message": "", "status": 401, "shape": "full", "request_id": "body", "id": ""},
    "truncate": {},
    "not_tls": {},
    "html": {},
    "body": {"body": b"", "content_type": "application/json"},
    "json": {"value": None},
    "huge": {"megabytes": 64},
    "trickle": {"interval": 0.1},
    "redirect": {"location": "/elsewhere"},
    "no_id": {},
    "repeat_token": {},
    "endless_pages": {},
    "nameless": {"index": 0},
    "idless": {"index": 0},
    "numeric_request_id": {},
    "charset": {},
    "bom": {},
    "drip_headers": {"interval": 0.1},
    "drip_chunks": {"interval": 0.1},
    "informational": {"statuses": [103], "count": 1, "interval": 0.1},
}

_CHOICES = {
    "shape": ("full", "bare", "number"),
    "request_id": ("body", "X-Request-Id", "x-trace-id", "none"),
}

# These change a real reply, so the operation always takes place.
_ON_REPLY = {
    *("no_id", "repeat_token", "endless_pages", "nameless", "idless", "numeric_request_id"),
    *("charset", "bom", "drip_headers", "drip_chunks", "informational"),
}
_ONLY_FOR = {
    "nameless": "describeImageCaches",
    "idless": "describeImageCaches",
    "no_id": "createImageCache",
    "repeat_token": "describeImageCaches",
    "endless_pages": "describeImageCaches",
}


class Fault:
    """``times=None`` means: from then on, always."""

    def __init__(
        self,
        kind: str,
        operation: str | None = None,
        times: int | None = 1,
        when: str = "before",
        skip: int = 0,
        **details: Any,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"no such kind of fault: {kind}")
        if operation is not None and operation not in OPERATIONS:
            raise ValueError(f"no such operation: {operation}")
        if when not in ("before", "after"):
            raise ValueError("when must be before or after")
        if times is not None and (times.__class__ is not int or times < 1):
            raise ValueError("times must be a whole number from 1, or None")
        if skip.__class__ is not int or skip < 0:
            raise ValueError("skip must be a whole number from 0")
        self.kind = kind
        self.operation = operation or _ONLY_FOR.get(kind)
        self.times = times
        self.after = (when == "after" or kind in _ON_REPLY) and kind != "late"
        self.skip = skip
        self.details = {
            **KINDS[kind],
            **{name: _detail(kind, name, value) for name, value in details.items()},
        }

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Fault({values})"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _detail(kind: str, name: str, value: Any) -> Any:
    if name not in KINDS[kind]:
        raise ValueError(f"{kind} has no detail {name}")
    default = KINDS[kind][name]
    if isinstance(default, bytes) and isinstance(value, str):
        return value.encode()
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "retry_after":
        fits = value is None or number or isinstance(value, str)
    elif isinstance(default, float):
        fits = number
    elif name == "statuses":
        fits = isinstance(value, list) and all(_is_whole(status) and 100 <= status < 200 for status in value)
    elif name == "index":
        fits = _is_whole(value) and value >= 0
    else:
        fits = default is None or type(value) is type(default)
    if not fits:
        raise ValueError(f"{kind}: {name} has the wrong type or value")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{kind}: {name} must be one of {', '.join(_CHOICES[name])}")
    return value


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.skip = fault.skip
        self.times = fault.times


class Faults:
    """The armed faults. The first that matches a request gets it."""

    def __init__(self, tls: bool = False) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self._tls = tls

    def add(self, *faults: Fault) -> None:
        if not self._tls and any(fault.kind == "not_tls" for fault in faults):
            raise ValueError("not_tls needs an emulator with TLS")
        with self._lock:
            self._armed += [_Armed(fault) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def pending(self) -> list[Fault]:
        with self._lock:
            return [armed.fault for armed in self._armed]

    def __len__(self) -> int:
        return len(self._armed)

    def take(self, operation: str | None) -> Fault | None:
        with self._lock:
            for armed in self._armed:
                if armed.fault.operation not in (None, operation):
                    continue
                if armed.skip > 0:
                    armed.skip -= 1
                    continue
                if armed.times is not None:
                    armed.times -= 1
                self._armed = [other for other in self._armed if other.times is None or other.times > 0]
                return armed.fault
            return None
