# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of misbehaviour, and which request gets which."""

from __future__ import annotations

import threading
from typing import Any

from .routes import OPERATIONS

# Each kind with its details; a default also says which type the detail has, None allows any.
KINDS: dict[str, dict[str, Any]] = {
    "reset": {"clean": False},
    "hang": {"seconds": 30.0},
    "late": {"seconds": 5.0, "hang": 0.0},
    "status": {"status": 503, "reason": "", "message": "", "retry_after": None, "html": False},
    "gateway": {"code": "10009", "status": 401, "shape": "full", "request_id": "body"},
    "truncate": {},
    "not_tls": {},
    "html": {},
    "body": {"body": b""},
    "json": {"value": None},
    "huge": {"megabytes": 64},
    "trickle": {"interval": 0.1},
    "redirect": {},
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
    "when": ("before", "after"),
}
# These change a real reply, so the operation always takes place.
_ON_REPLY = {
    *("no_id", "repeat_token", "endless_pages", "nameless", "idless", "numeric_request_id"),
    *("charset", "bom", "drip_headers", "drip_chunks", "informational"),
}
_ONLY_FOR = {
    "no_id": "createImageCache",
    **dict.fromkeys(("repeat_token", "endless_pages", "nameless", "idless"), "describeImageCaches"),
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
        for name, value in {"when": when, **details}.items():
            if name != "when" and name not in KINDS[kind]:
                raise ValueError(f"{kind} has no detail {name}")
            if value not in _CHOICES.get(name, (value,)) or not _fits(KINDS[kind].get(name), value):
                raise ValueError(f"{kind}: {name} cannot be {value!r}")
        self.kind = kind
        self.operation = operation or _ONLY_FOR.get(kind)
        self.times = times
        self.after = (when == "after" or kind in _ON_REPLY) and kind != "late"
        self.skip = skip
        self.details = {**KINDS[kind], **details}

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Fault({values})"


def _fits(default: Any, value: Any) -> bool:
    """Return whether a detail has the type of its default. A whole number is good for a float."""
    return default is None or isinstance(value, (int, float) if isinstance(default, float) else type(default))


class Faults:
    """The armed faults. The first that matches a request gets it."""

    def __init__(self, tls: bool = False) -> None:
        self._lock = threading.Lock()
        self._armed: list[dict[str, Any]] = []
        self._tls = tls

    def add(self, *faults: Fault) -> None:
        if not self._tls and any(fault.kind == "not_tls" for fault in faults):
            raise ValueError("not_tls needs an emulator with TLS")
        with self._lock:
            self._armed += [{"fault": fault, "skip": fault.skip, "times": fault.times} for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def __len__(self) -> int:
        return len(self._armed)

    def take(self, operation: str | None) -> Fault | None:
        with self._lock:
            for armed in self._armed:
                fault: Fault = armed["fault"]
                if fault.operation not in (None, operation):
                    continue
                if armed["skip"] > 0:
                    armed["skip"] -= 1
                    continue
                if armed["times"] is not None:
                    armed["times"] -= 1
                    if armed["times"] < 1:
                        self._armed.remove(armed)
                return fault
            return None
