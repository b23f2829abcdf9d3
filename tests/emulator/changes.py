# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to what a good reply says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .faults import Fault

_OLD_TIME = 1700000000


def _no_id(fault: Fault, value: dict[str, Any]) -> None:
    value.pop("imageCacheId", None)


def _repeat_token(fault: Fault, value: dict[str, Any]) -> None:
    value["nextToken"] = f"{_OLD_TIME}.1.0"


def _endless_pages(fault: Fault, value: dict[str, Any]) -> None:
    value["nextToken"] = f"{_OLD_TIME + int(time.monotonic() * 1e6)}.1.0"


def _nameless(fault: Fault, value: dict[str, Any]) -> None:
    _listed(fault, value).pop("imageCacheName", None)


def _idless(fault: Fault, value: dict[str, Any]) -> None:
    _listed(fault, value).pop("imageCacheId", None)


def _numeric_request_id(fault: Fault, value: dict[str, Any]) -> None:
    value["requestId"] = 20260102030405


def _listed(fault: Fault, value: dict[str, Any]) -> dict[str, Any]:
    listed: list[dict[str, Any]] = value.get("imageCaches", [])
    index = fault.details["index"]
    return listed[index] if index < len(listed) else {}


CHANGES: dict[str, Callable[[Fault, dict[str, Any]], None]] = {
    "no_id": _no_id,
    "repeat_token": _repeat_token,
    "endless_pages": _endless_pages,
    "nameless": _nameless,
    "idless": _idless,
    "numeric_request_id": _numeric_request_id,
}
