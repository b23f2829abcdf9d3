# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image cache can be replaced, asked before it is deleted. Private to the collection."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

from .._api import region as regions
from .._errors import EciError, Irreplaceable, ServiceError
from .._api.client import Client
from .image_cache import ids
from .operations import ImageCaches
from .plan import Plan

T = TypeVar("T")


class Room:
    """What the region offers to new image caches: its zones and the quota, each read once, at first need."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Any] = {}
        self.warnings: list[str] = []

    def zones(self) -> list[str] | None:
        """The zones of the region, None if that is not known. Raises EciError if the service cannot be asked."""
        return self._ask(regions.zones, "the zones of the region")

    def quota(self) -> tuple[int, int] | None:
        """How many image caches there are and may be, None if that is not known. Raises EciError as ``zones`` does."""
        return self._ask(regions.image_cache_quota, "the quota")

    def check(self, change: Plan, more: int) -> None:
        """Raise Irreplaceable if a replacement could not be made; ``more`` others are going to be created before it."""
        zones, quota = self.zones(), self.quota()
        zone = change.body["azInfo"]["azName"]
        if zones and zone not in zones:
            raise Irreplaceable(
                f"{_old(change)} is not replaced: az_info.az_name {zone!r} is not a zone of this region. Its zones:"
                f" {', '.join(zones)}. Nothing was deleted."
            )
        if quota and quota[0] + more > quota[1]:
            used, limit = quota
            raise Irreplaceable(
                f"{_old(change)} is not replaced: the quota of image caches has no room for a new one ({used} of"
                f" {limit} are used). Nothing was deleted."
            )

    def _ask(self, read: Callable[[Client], T], what: str) -> T | None:
        """What is read, or None where the service refuses to tell, which some accounts may have no right to."""
        if what not in self._known:
            try:
                self._known[what] = read(self._client)
            except ServiceError as error:
                self.warnings.append(f"Before anything was ordered, {what} could not be checked: {error.message}")
                self._known[what] = None
            except EciError as error:
                error.add(f"So {what} could not be checked, and nothing was deleted or ordered.")
                raise
        found: T | None = self._known[what]
        return found


def namesakes(caches: ImageCaches, change: Plan) -> list[str]:
    """The IDs of the image caches that have the name of the new one already, as the old one has.

    Raises Irreplaceable if they have it and the old one has another.
    """
    name = change.body["imageCacheName"]
    named = caches.named(name)
    if named and change.old.image_cache_name != name:
        raise Irreplaceable(
            f"{_old(change)} has another name, and {name!r} is the name of {ids(named)}: replacing it would make a"
            " second one of that name. Nothing was deleted."
        )
    return [cache.id for cache in named]


def _old(change: Plan) -> str:
    return f"The image cache {change.old.image_cache_id}"
