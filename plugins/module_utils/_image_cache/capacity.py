# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zones and the quota of the region, before anything is deleted or ordered. Private to the collection."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Callable, Mapping, TypeVar

from .._api import region
from .._api.client import Client
from .._errors import AlreadyExists, AuthenticationError, Cancelled, EciError, QuotaUsedUp, ServiceError, Throttled

T = TypeVar("T")


class Capacity:
    """Zones, read once, and quota. Both only advise: what cannot be read is None, with a warning."""

    def __init__(self, client: Client, warnings: list[str]) -> None:
        self._client = client
        self._warnings = warnings
        self._zones: list[list[str] | None] = []
        self._lock = threading.Lock()

    def zones(self) -> list[str] | None:
        """Return the zones of the region, None if unknown."""
        with self._lock:
            if not self._zones:
                self._zones.append(self._read("the zones of the region", region.zones))
            return self._zones[0]

    def quota(self) -> tuple[int, int] | None:
        """Return how many image caches are used and allowed, None if unknown."""
        return self._read("the quota of image caches", region.image_cache_quota)

    def checker(self, more: int | None) -> Callable[[Mapping[str, Any]], str]:
        """Return a function: what keeps a request body from replacing an image cache now, an empty text if nothing does.

        ``more`` image caches are created before it; None leaves the quota out.
        """
        zones, quota = self.zones(), None if more is None else self.quota()
        full = ""
        if quota and quota[0] + (more or 0) > quota[1]:
            full = f"the quota of image caches has no room for a new one ({quota[0]} of {quota[1]} are used)."
        return lambda body: _zone_problem(body, zones) or full

    def explain(self, error: ServiceError, body: Mapping[str, Any]) -> None:
        """Add the quota or the zones to the error of a refused create, read again at this moment."""
        with contextlib.suppress(EciError):
            if isinstance(error, QuotaUsedUp):
                quota = region.image_cache_quota(self._client)
                if quota:
                    error.add(f"Image caches: {quota[0]} of {quota[1]} are used.")
            elif not isinstance(error, (AuthenticationError, AlreadyExists, Throttled)):
                problem = _zone_problem(body, region.zones(self._client))
                if problem:
                    error.add(problem)

    def _read(self, what: str, read: Callable[[Client], T | None]) -> T | None:
        try:
            return read(self._client)
        except Cancelled:
            raise
        except EciError as error:
            self._warnings.append(f"Could not check {what}: {error.message}")
            return None


def _zone_problem(body: Mapping[str, Any], zones: list[str] | None) -> str:
    zone = body["azInfo"]["azName"]
    if not zones or zone in zones:
        return ""
    return f"az_info.az_name {zone!r} is not a zone of this region. Its zones: {', '.join(zones)}."
