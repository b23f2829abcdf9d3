# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image cache can be replaced, asked before it is deleted. Private to the collection."""

from __future__ import annotations

from typing import Callable, TypeVar

from .. import _region as regions
from .._errors import EciError, Irreplaceable, ServiceError
from .._service.client import Client
from .image_cache import ImageCache, ids
from .operations import ImageCaches
from .plan import Plan

T = TypeVar("T")


class Room:
    """What the region offers to new image caches: its zones and the quota, each read once, at first need."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._zones: list[str] | None = None
        self._quota: tuple[int, int] | None = None
        self._is_read = False
        self.warnings: list[str] = []

    def check(self, change: Plan, more: int = 0) -> None:
        """Raise Irreplaceable if a replacement could not be made; ``more`` others are going to be created before it."""
        if not self._is_read:
            self._zones = self._ask(regions.zones, "the zones of the region")
            self._quota = self._ask(regions.image_cache_quota, "the quota")
            self._is_read = True
        zone = change.body["azInfo"]["azName"]
        if self._zones and zone not in self._zones:
            raise Irreplaceable(
                f"{_old(change)} is not replaced: az_info.az_name {zone!r} is not a zone of this region. Its zones:"
                f" {', '.join(self._zones)}. Nothing was deleted."
            )
        if self._quota and self._quota[0] + more > self._quota[1]:
            used, limit = self._quota
            raise Irreplaceable(
                f"{_old(change)} is not replaced: the quota of image caches has no room for a new one ({used} of"
                f" {limit} are used). Nothing was deleted."
            )

    def _ask(self, read: Callable[[Client], T], what: str) -> T | None:
        """What is read, or None where the service refuses to tell, which some accounts may have no right to."""
        try:
            return read(self._client)
        except ServiceError as error:
            self.warnings.append(f"Before replacing, {what} could not be checked: {error.message}")
            return None
        except EciError as error:
            error.add(f"So {what} could not be checked before replacing, and nothing was deleted.")
            raise


def namesakes(caches: ImageCaches, change: Plan) -> list[str]:
    """The IDs of other image caches that have the name of the new one already, as the old one has.

    Raises Irreplaceable if they have it and the old one has another.
    """
    old, name = change.before or ImageCache(), change.body["imageCacheName"]
    others = [cache for cache in caches.named(name) if cache.image_cache_id != old.image_cache_id]
    if others and old.image_cache_name != name:
        raise Irreplaceable(
            f"{_old(change)} has another name, and {name!r} is the name of {ids(others)}: replacing it would make a"
            " second one of that name. Nothing was deleted."
        )
    return [cache.image_cache_id or "" for cache in others]


def _old(change: Plan) -> str:
    return f"The image cache {change.before.image_cache_id if change.before else ''}"
