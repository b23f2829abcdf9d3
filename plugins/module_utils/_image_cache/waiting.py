# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until image caches are ready, or gone. Private to the collection."""

from __future__ import annotations

from itertools import chain
from typing import Callable, Collection

from .._errors import EciError, WaitFailed
from .._polling import Wait, minutes, poll
from .batch import Batch, Item
from .model import ImageCache, remaining
from .plan import Fits


class Waiter:
    """Waits until image caches are ready, or gone, with one list for all."""

    def __init__(self, batch: Batch, wait: Wait) -> None:
        self._batch = batch
        self._api = batch.api
        self._wait = wait

    def until_ready(self, items: Collection[Item], fits: Callable[[Item], Fits]) -> None:
        """Wait until these are ready. What fails becomes the error of its item.

        Where another client deleted one for the sake of an equal one of its name, that one takes its place.
        """

        def observe(item: Item, cache: ImageCache | None, _reads: int) -> bool:
            if cache is None and item.cache.status:
                cache = self._api.get(item.cache.id) or self._successor(item, fits(item))  # one miss is not gone
                if cache is None:
                    raise WaitFailed(f"The image cache {item.id} was deleted by another client. Run the task again.")
            item.image_cache = cache or item.image_cache
            return item.cache.is_ready or item.cache.has_failed

        waiting = [item for item in items if not (item.cache.is_ready or item.cache.has_failed)]
        self._poll(waiting, lambda item: item.id, observe, "ready", [])
        for item in items:
            if not item.error and not item.cache.is_ready:
                item.error = (
                    self.failed(item)
                    if item.cache.has_failed
                    else WaitFailed(
                        f"The image cache {item.id} is not ready after {self._wait.timeout:g} s (option wait_timeout), its status"
                        f" is {item.cache.status!r}. It still exists; run the task again to keep waiting."
                    )
                )

    def until_gone(self, items: Collection[Item]) -> None:
        """Wait until the old image caches of these are gone. What fails becomes the error of its item."""

        def observe(item: Item, cache: ImageCache | None, reads: int) -> bool:
            cache = item.image_cache = None if cache and cache.is_deleted else cache
            # right after a second deletion the list may still show that the first one failed
            if cache and cache.deletion_failed and (cache.status != item.old.status or reads > 1):
                item.image_cache, newest = self._api.with_events(cache)
                raise WaitFailed(
                    f"The image cache {cache.id} could not be deleted, its status is {cache.status!r}: it still exists and"
                    f" is billed.{newest}"
                )
            return cache is None

        items = [item for item in items if not item.error]
        self._poll(items, lambda item: item.old.id, observe, "gone", [0.0])
        for item in items:
            if item.image_cache:  # it is still billed
                item.removed = [cache for cache in item.removed if cache.id != item.old.id]
            if not item.error and item.image_cache:
                item.error = WaitFailed(
                    f"The image cache {item.old.id} was deleted but is still listed after {self._wait.timeout:g} s (option"
                    " wait_timeout)."
                )

    def failed(self, item: Item) -> WaitFailed:
        """Return the error for a failed image cache, with its newest events, which go to the item as well."""
        item.image_cache, newest = self._api.with_events(item.cache)
        return WaitFailed(f"The image cache {item.id} has failed, its status is {item.cache.status!r}.{newest}")

    def _successor(self, item: Item, fits: Fits) -> ImageCache | None:
        """Take an equal image cache of the name: another controller had created the awaited one, and yielded to this one."""
        if item.created or item.desired.image_cache_id:
            return None
        named = self._batch.lister.named(item.name, {*item.known, *self._batch.selected})
        found = next((cache for cache in remaining(named) if fits(cache) and cache.tags == item.cache.tags), None)
        if found:
            item.action_warnings.append(
                f"The image cache {item.id} was deleted by another client while this task waited for it. This task uses"
                f" {found.id}, which has the same name."
            )
            item.image_cache_id = found.image_cache_id
        return found

    def _poll(
        self,
        items: Collection[Item],
        key: Callable[[Item], str],
        observe: Callable[[Item, ImageCache | None, int], bool],
        goal: str,
        first: list[float],
    ) -> None:
        """List, also after the ``first`` delays (s), until ``observe`` returns True or raises for each item."""
        clock, lister = self._batch.clock, self._batch.lister
        began = clock.monotonic()
        pending = dict.fromkeys(items)
        reads = 0

        def read() -> dict[Item, None]:
            nonlocal reads
            reads += 1
            lister.refresh()
            for item in list(pending):
                try:
                    ends = observe(item, lister.get(key(item)), reads)
                except EciError as error:
                    item.error, ends = error, True
                if ends:
                    del pending[item]
                    item.waited += clock.monotonic() - began
            self._batch.progress.report(lambda: self._progress_line(items, pending, goal, clock.monotonic() - began))
            return pending

        try:
            if pending:
                poll(clock, chain(first, self._wait.delays(clock)), read, lambda left: not left, pending)
        except EciError as error:
            self._batch.fail(pending, error)
        for item in pending:
            item.waited += clock.monotonic() - began
        self._batch.waited += clock.monotonic() - began

    def _progress_line(self, items: Collection[Item], pending: Collection[Item], goal: str, seconds: float) -> str:
        state = f"{len(items) - len(pending)} of {len(items)} {goal}"
        if self._batch.lister.is_for_one:
            state = "; ".join(f"{item.label}: {item.cache.status}" for item in items)
        return f"{state}, {minutes(seconds)} of {minutes(self._wait.timeout)}"
