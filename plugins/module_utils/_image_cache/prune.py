# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pruning: choose among the image caches of a list (pure), and delete on a list read at that moment. Private to the collection."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Collection, Iterable, NamedTuple

from .._errors import EciError, QuotaUsedUp
from . import actions
from .batch import Batch, Item, listed
from .model import ImageCache, Tags, normal_tags

# The tag of the image caches that the role release keeps; their names are its value, a hyphen and 8 hexadecimal digits.
RELEASE = "release"


class Prune(NamedTuple):
    """The options of pruning: image caches that carry all ``tags`` and are not wanted are deleted.

    The newest ``keep`` stay, and all until ``grace`` seconds after the youngest wanted one was created. With ``first``
    they are deleted before anything is created.
    """

    tags: Tags
    keep: int = 0
    grace: float = 0.0
    first: bool = False


class Kept(NamedTuple):
    """An image cache that pruning could delete, but kept: the reason, and until when if known (UTC, ISO 8601)."""

    image_cache: ImageCache
    reason: str
    until: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of the result, always with the same keys."""
        return {
            "image_cache_name": self.image_cache.image_cache_name,
            "image_cache_id": self.image_cache.image_cache_id,
            "reason": self.reason,
            "until": self.until,
        }


def candidates(
    prune: Prune, existing: Iterable[ImageCache], wanted: Collection[str | None], tags_shown: bool
) -> tuple[list[ImageCache], list[Kept]]:
    """Return the unwanted image caches that carry all tags, the newest first; and those that stay in any case.

    These have unknown tags, since the service has shown none in this task, or are of the role release, and the tags to prune
    by do not name its key. ``wanted`` holds names and IDs. An image cache without a readable name may be a wanted one, so it
    is left out.
    """
    tags = normal_tags(prune.tags)
    unwanted = [
        cache
        for cache in existing
        if cache.image_cache_name
        and not cache.is_deleting
        and cache.image_cache_name not in wanted
        and cache.image_cache_id not in wanted
    ]
    if not tags_shown:
        return [], [Kept(cache, "tags_unknown") for cache in unwanted]
    carrying = [cache for cache in unwanted if all(tag in (cache.tags or []) for tag in tags)]
    carrying.sort(key=lambda cache: cache.age_order, reverse=True)
    if any(tag["key"] == RELEASE for tag in tags):
        return carrying, []
    kept = [Kept(cache, RELEASE) for cache in carrying if _is_of_release(cache)]
    return [cache for cache in carrying if not _is_of_release(cache)], kept


def _is_of_release(cache: ImageCache) -> bool:
    values = [tag["value"] for tag in cache.tags or [] if tag["key"] == RELEASE]
    return any(re.fullmatch(re.escape(value) + "-[0-9a-f]{8}", cache.name) for value in values)


def choose(
    prune: Prune, carrying: list[ImageCache], wanted: Iterable[ImageCache], now: float
) -> tuple[list[ImageCache], list[Kept]]:
    """Split the candidates, the newest first, into those to delete ``now`` (since the epoch) and those to keep."""
    kept: list[Kept] = []
    rest: list[ImageCache] = []
    for cache in carrying:
        if len(kept) < prune.keep and not cache.has_failed:  # nobody goes back to one that has failed
            kept.append(Kept(cache, "prune_keep"))
        else:
            rest.append(cache)
    created = [cache.created_at for cache in wanted]
    if not prune.grace or prune.first or not created:
        return rest, kept
    known = [time for time in created if time is not None]
    if len(known) < len(created):
        return [], kept + [Kept(cache, "prune_grace") for cache in rest]
    newest = max(known)
    if now < newest + prune.grace:
        return [], kept + [Kept(cache, "prune_grace", _utc(newest + prune.grace)) for cache in rest]
    going: list[ImageCache] = []
    for cache in rest:
        # One that is newer than all wanted ones was wanted after them; until when is unknown.
        if not cache.has_failed and (cache.created_at is None or cache.created_at > newest):
            kept.append(Kept(cache, "prune_grace"))
        else:
            going.append(cache)
    return going, kept


def why_not(wanted: Iterable[tuple[str, ImageCache | None]]) -> tuple[str, str]:
    """Return why nothing may be pruned, for a program and for a message; empty texts if all wanted ones are ready.

    ``wanted`` are names and image caches as the list to prune from shows them, None for one that is not in it.
    """
    for label, cache in wanted:
        if cache is None:
            return "missing", f"{label!r} is not listed any more"
        if cache.has_failed:
            return "failed", f"{label!r} has failed"
        if not cache.is_ready:
            return "not_ready", f"{label!r} is not ready yet: run the task again later, or set wait: true"
    return "", ""


def _utc(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return None


class Pruner:
    """Prunes for a batch. ``kept`` could have been deleted."""

    def __init__(self, batch: Batch, options: Prune) -> None:
        self.options = options
        self.kept: list[Kept] = []
        self._batch = batch

    def predict(self) -> None:
        """Choose from the last list, as if all that is planned succeeds."""
        for cache in self._choose(predict=True):
            self._add(cache).predict()

    def carry_out(self) -> None:
        """List, choose and delete."""
        for cache in self._choose():
            self._add(cache)
        self._batch.for_each(self._batch.pruned, lambda item: actions.delete_old(self._batch.api, item), "pruned")

    def _choose(self, predict: bool = False) -> list[ImageCache]:
        batch, lister = self._batch, self._batch.lister
        try:
            if not predict:
                lister.refresh()
        except EciError as error:
            batch.warnings.append(f"Nothing was pruned, since the image caches could not be listed: {error.message}")
            return []
        wanted = {item.name for item in batch.items} | {item.image_cache_id for item in batch.items}
        wanted |= {cache.id for item in batch.items for cache in item.removed}  # in check mode they are still there
        carrying, self.kept = candidates(self.options, lister.caches, wanted, lister.tags_shown)
        if self.kept and not lister.tags_shown:
            batch.warnings.append("Nothing was pruned, since the service shows no tags: see kept in the result.")
        reason, text = self._why_not(predict)
        if reason and carrying:
            batch.warnings.append(f"Nothing was pruned, since {text}.")
            self._advise_room([cache.name for cache in carrying])
            self.kept += [Kept(cache, reason) for cache in carrying]
            return []
        chosen, kept = choose(self.options, carrying, [item.cache for item in batch.present], batch.clock.time())
        self.kept += kept
        return chosen

    def _why_not(self, predict: bool) -> tuple[str, str]:
        failures, present = self._batch.failures(), self._batch.present
        if failures:
            return "failed", failures
        if self.options.first:
            return "", ""
        if predict:  # a run that waits goes on only if all are ready
            present = [item for item in present if item.cache.has_failed or not item.desired.wait]
            created = next((item.label for item in present if item.added), None)
            if created is not None:
                return "not_ready", f"{created!r} would be created first, and nothing is pruned before it is ready"
            return why_not((item.label, item.cache) for item in present)
        return why_not((item.label, self._batch.lister.shows(item.id)) for item in present)

    def _advise_room(self, names: list[str]) -> None:
        """Add to the error of a used-up quota which image caches pruning would delete."""
        error = next((item.error for item in self._batch.items if isinstance(item.error, QuotaUsedUp)), None)
        if error:
            without = " without prune_grace" if self.options.grace else ""
            error.add(
                f"Pruning would make room by deleting {listed(names)}; prune_first: true{without} does so before anything is"
                " created, which leaves a gap."
            )

    def _add(self, cache: ImageCache) -> Item:
        item = self._batch.deletion(cache, any(item.desired.wait for item in self._batch.items))
        self._batch.pruned.append(item)
        return item
