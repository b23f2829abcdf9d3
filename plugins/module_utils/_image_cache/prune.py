# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image caches are pruned: those that are known to carry the tags, are not wanted, and need not be kept. Private to
the collection.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Collection, Iterable, NamedTuple

from .image_cache import ImageCache, Tags, normal_tags
from .tags import TagFilter


class Prune(NamedTuple):
    """What a task says about pruning: ``keep`` so many of the newest, and all for ``grace`` seconds after the youngest wanted
    one was created. With ``first`` they are deleted before anything is made. Only what has a name of the pattern ``names``
    goes, if there is one; then ``youngest`` is the name of the wanted one whose time of creation counts.
    """

    tags: Tags
    keep: int = 0
    grace: float = 0.0
    first: bool = False
    names: str | None = None
    youngest: str | None = None

    def may_go(self, cache: ImageCache) -> bool:
        """Whether its name allows that it is pruned."""
        return self.names is None or re.fullmatch(self.names, cache.name) is not None


class Kept(NamedTuple):
    """An image cache that could be pruned, but was kept: why, and until when where that is known (UTC, ISO 8601)."""

    image_cache: ImageCache
    reason: str
    until: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What a task returns of it: always the same keys."""
        return {
            "image_cache_name": self.image_cache.image_cache_name,
            "image_cache_id": self.image_cache.image_cache_id,
            "reason": self.reason,
            "until": self.until,
        }


def prunable(
    prune: Prune, tag_filter: TagFilter, existing: Iterable[ImageCache], wanted: Collection[str | None]
) -> tuple[list[ImageCache], list[Kept]]:
    """The image caches that carry all of the tags and are not wanted, the newest first; and those of which that cannot be
    told. ``wanted`` has names and IDs.

    One without a readable name may be a wanted one, and one that is on its way out needs nothing done. Where the
    service shows no tags, the filter of the list is asked. Raises EciError.
    """
    tags = normal_tags(prune.tags)
    unwanted = [
        cache
        for cache in existing
        if cache.image_cache_name
        and prune.may_go(cache)
        and cache.image_cache_name not in wanted
        and cache.image_cache_id not in wanted
        and not cache.is_going
    ]
    carrying = [cache for cache in unwanted if cache.tags is not None and all(tag in cache.tags for tag in tags)]
    unseen = [cache for cache in unwanted if cache.tags is None]
    carriers = tag_filter.carriers(tags) if unseen else set()
    if carriers is not None:
        carrying += [cache for cache in unseen if cache.image_cache_id in carriers]
        unseen = []
    carrying.sort(key=lambda cache: cache.age_order, reverse=True)
    return carrying, [Kept(cache, "tags_unknown") for cache in unseen]


def chosen(
    prune: Prune, carrying: list[ImageCache], wanted: Iterable[ImageCache], now: float
) -> tuple[list[ImageCache], list[Kept]]:
    """Which of those that carry the tags, the newest first, go ``now`` (seconds since the epoch), and which are kept."""
    kept = [Kept(cache, "prune_keep") for cache in carrying[: prune.keep]]
    rest = carrying[prune.keep :]
    if prune.grace and not prune.first:
        born = [cache.created_at for cache in wanted]
        times = [time for time in born if time is not None]
        if len(times) < len(born):
            return [], kept + [Kept(cache, "prune_grace") for cache in rest]
        until = max(times, default=float("-inf")) + prune.grace
        if now < until:
            return [], kept + [Kept(cache, "prune_grace", _utc(until)) for cache in rest]
    return rest, kept


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
