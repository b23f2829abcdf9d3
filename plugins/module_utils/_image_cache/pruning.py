# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting what carries the tags of a task and is not wanted by it. Private to the collection."""

from __future__ import annotations

from typing import Sequence

from .._errors import EciError, QuotaUsedUp
from .group import Group, listed
from .image_cache import ImageCache
from .item import Item
from .lock import Locks
from .plan import Wanted
from .prune import Kept, Prune, chosen, prunable
from .tags import TagFilter


class Pruning:
    """What became of it: ``pruned`` have been deleted, or would be; ``kept`` could have been. With ``is_first`` it comes before
    anything is made.
    """

    def __init__(self, group: Group, prunes: Sequence[Prune]) -> None:
        self.pruned: list[Item] = []
        self.kept: list[Kept] = []
        self.warnings: list[str] = []
        self._group = group
        self._prunes = prunes
        self.is_first = any(prune.first for prune in prunes)

    def predict(self) -> None:
        """Find out what would be pruned, if all that is planned comes about."""
        for cache in self._chosen(predict=True):
            item = self._item(cache)
            item.predict()
            self.pruned.append(item)

    def carry_out(self, locks: Locks) -> None:
        """Prune what may be pruned now, but for what another task of this machine is at work on."""
        group = self._group
        for cache in self._chosen(predict=False):
            if locks.try_to_take(cache.name):
                self.pruned.append(self._item(cache))
            else:
                self.kept.append(Kept(cache, "busy"))
        group.each(self.pruned, Item.carry_out, "pruned")
        group.await_gone([item for item in self.pruned if item.wanted.wait])

    def _chosen(self, predict: bool) -> list[ImageCache]:
        group = self._group
        try:
            if not predict and any(item.outcome.changed for item in group.items):
                group.read()
            wanted = {item.name for item in group.items} | {item.image_cache_id for item in group.items}
            tag_filter = TagFilter(group.caches)
            found = [(one, *prunable(one, tag_filter, group.listing.caches, wanted)) for one in self._prunes]
        except EciError as error:
            self.warnings.append(f"Nothing was pruned, since what there is could not be read: {error.message}")
            return []
        self.kept = [kept for _prune, _carrying, unknown in found for kept in unknown]
        carrying = [cache for _prune, some, _unknown in found for cache in some]
        reason, text = self._reason_to_keep(predict)
        if reason and carrying:
            self.warnings.append(f"Nothing was pruned, since {text}.")
            self._tell_of_room(carrying)
            self.kept += [Kept(cache, reason) for cache in carrying]
            return []
        result: list[ImageCache] = []
        for prune, some, _unknown in found:
            going, spared = chosen(prune, some, self._born_with(prune), group.around.clock.time())
            self.kept += spared
            result += going
        return result

    def _born_with(self, prune: Prune) -> list[ImageCache]:
        """The wanted ones of whose time of creation the grace counts."""
        present = [item for item in self._group.items if item.wanted.state == "present"]
        return [item.cache for item in present if prune.youngest in (None, item.name)]

    def _reason_to_keep(self, predict: bool) -> tuple[str, str]:
        """Why nothing may be pruned now, for a program and for a message; empty texts if it may."""
        group = self._group
        if group.failures():
            return "failed", group.failures()
        for item in group.items if not self.is_first else []:
            if item.wanted.state == "absent" or item.cache.is_ready:
                continue
            if item.cache.has_failed:
                return "failed", f"{item.name!r} has failed"
            # a run has waited before; should one of them not be ready all the same, nothing goes
            if not (predict and item.wanted.wait):
                text = f"{item.name!r} is not ready yet: run the task again later, or let it wait (wait: true)"
                return "not_ready", text
        return "", ""

    def _tell_of_room(self, carrying: list[ImageCache]) -> None:
        """Say of a quota that is used up which image caches are in the way."""
        error = next((item.error for item in self._group.items if isinstance(item.error, QuotaUsedUp)), None)
        if error:
            names = listed([cache.name for cache in carrying])
            error.add(
                f"Pruning would make room by deleting {names}; prune_first: true does that before anything is made, and"
                " leaves a gap."
            )

    def _item(self, cache: ImageCache) -> Item:
        group = self._group
        waits = any(item.wanted.wait for item in group.items)
        item = Item(Wanted("absent", {"imageCacheName": cache.image_cache_name}, wait=waits), group.around)
        item.consider(cache)
        return item
