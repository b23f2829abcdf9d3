# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to many image caches at the same time: by several threads, and with one list for all. Private to the
collection.
"""

from __future__ import annotations

from typing import Callable, Collection, Iterable, Mapping, TypeVar

from .._errors import EciError, Unanswered, unexpected
from .._pool import each
from .converge import failed, gone, is_at_end, not_ready
from .delete import Departure, raise_if_there
from .image_cache import ImageCache, normal_tags
from .item import Item
from .looks import looks
from .operations import ImageCaches, Listing
from .surroundings import Surroundings
from .twins import ByName

T = TypeVar("T")

NAMED_IN_A_MESSAGE = 3


class Group:
    """The items of a task for many. ``listing`` is the list that was read last; ``waited`` is in seconds."""

    def __init__(self, items: list[Item], around: Surroundings, concurrency: int) -> None:
        self.items = items
        self.around = around
        self.caches: ImageCaches = around.caches
        self.listing: Listing
        self.waited = 0.0
        self._shown: dict[str, ImageCache] = {}
        self._concurrency = concurrency
        self._states = {item.wanted.image_cache_id: item.wanted.state for item in items}

    def planned(self, *steps: list[str]) -> list[Item]:
        """The items that these steps are planned for, and that nothing has happened to."""
        return [item for item in self.items if item.is_to_take(*steps)]

    def failures(self) -> str:
        """Which items have failed so far, for a message; empty if none has."""
        names = [item.label for item in self.items if item.error]
        return f"{listed(names)} failed" if names else ""

    def each(self, items: Collection[Item], step: Callable[[Item], object], verb: str) -> None:
        """Take a step with each of the items, by several threads; what fails is told by the item."""
        progress = self.around.progress()
        done: list[Item] = []

        client = self.caches.client

        def work(item: Item) -> None:
            if client.is_worn_out:
                item.error = Unanswered("Not begun, since the service failed too often in this task.")
                return
            try:
                attempt(item, step)
            except Exception as error:  # noqa: BLE001  what the others have reached must not be lost
                item.error = unexpected(error, client.hide)
            done.append(item)

        def tick() -> None:
            progress.working(len(done), len(items), sum(bool(item.error) for item in done), verb)

        self._each(items, work, tick)

    def _each(self, things: Collection[T], work: Callable[[T], None], tick: Callable[[], None] = lambda: None) -> None:
        client = self.caches.client
        client.pace.expect(len(things))
        each(things, work, self._concurrency, tick, client.end)

    def ask_for_tags(self, named: ByName) -> None:
        """Ask for the tags of what exists and does not show them, a question for each tag and each key, by several threads."""
        hidden = {cache.image_cache_id for cache in self.listing.caches if cache.tags is None}
        all_tags = [
            normal_tags(item.wanted.body.get("tags") or [])
            for item in self.items
            if item.wanted.state == "present"
            and not hidden.isdisjoint({item.wanted.image_cache_id, *(one.image_cache_id for one in named(item.name))})
        ]
        self.around.tag_filter.prepare(all_tags, self._each)

    def read(self) -> ByName:
        """List all. Raises EciError."""
        self.listing = self.caches.find()
        self._shown = by_id(self.listing.caches)
        return self._by_name(self.listing.caches)

    def named(self, name: str) -> list[ImageCache]:
        """What there is of a name, asked for alone. Raises EciError."""
        return self._by_name(self.caches.named(name))(name)

    def _by_name(self, caches: Collection[ImageCache]) -> ByName:
        """What is picked by its ID does not count under its name, unless it is to stay and is all that there is of it: no
        second one is made then.
        """
        states = self._states
        others = by_name(cache for cache in caches if cache.image_cache_id not in states)
        staying = by_name(cache for cache in caches if states.get(cache.image_cache_id) == "present")
        return lambda name: others.get(name) or staying.get(name, [])

    def read_until(self, ids: Collection[str | None]) -> ByName:
        """List all, once the list shows these IDs or has had time to. Raises EciError."""
        found: list[ImageCache] = []
        for _look in looks(self.around.clock):
            found = self.caches.find().caches
            if {cache.image_cache_id for cache in found}.issuperset(ids):
                break
        names = by_name(found)
        return lambda name: names.get(name, [])

    def find(self, image_cache_id: str) -> ImageCache | None:
        """One of the list that was read last; asked for alone if that list may have missed it. Raises EciError."""
        return self._found(image_cache_id, self._shown, self.listing)

    def _found(self, image_cache_id: str, shown: Mapping[str, ImageCache], listing: Listing) -> ImageCache | None:
        found = shown.get(image_cache_id)
        return found if found or listing.whole else self.caches.get(image_cache_id)

    def await_ready(self, items: list[Item]) -> None:
        """Wait until these are ready, with one list for all."""
        wait = self.around.wait

        def look() -> None:
            shown = by_id(self.caches.find().caches)
            for item in items:
                attempt(item, lambda item: self._see(item, shown.get(item.id)))

        self._poll(items, look, lambda item: is_at_end(item.cache), "ready")
        for item in items:
            if not item.error and not item.cache.is_ready:
                item.error = failed(item) if item.cache.has_failed else not_ready(item.cache, wait)

    def await_gone(self, items: list[Item]) -> None:
        """Wait until these are gone, as far as they were deleted, with one list for all."""
        items = [item for item in items if not item.error]
        ends = {id(item): Departure(item.planned.old.status) for item in items}

        def look() -> None:
            listing = self.caches.find()
            shown = by_id(listing.caches)
            for item in items:
                item.outcome.image_cache = self._found(item.id, shown, listing)

        def is_over(item: Item) -> bool:
            return ends[id(item)].is_reached(item.outcome.image_cache)

        if items:
            try:
                look()
            except EciError as error:
                for item in items:
                    item.error = error
        self._poll(items, look, is_over, "gone")
        for item in items:
            item.leave_behind()
            if not item.error:
                attempt(item, lambda item: raise_if_there(self.caches, self.around.wait, item.outcome, ends[id(item)]))

    def _see(self, item: Item, cache: ImageCache | None) -> None:
        """Take over what a list showed of an image cache that is waited for."""
        if cache is None and item.cache.status and not is_at_end(item.cache):
            cache = self.caches.get(item.id)  # one miss is not gone
            if cache is None:
                raise gone(item.id)
        item.outcome.image_cache = cache or item.outcome.image_cache

    def _poll(
        self, items: Collection[Item], look: Callable[[], None], is_over: Callable[[Item], bool], word: str
    ) -> None:
        """Look until it is over for all, or the time is; an error of a look is that of all that are left."""
        clock, wait = self.around.clock, self.around.wait
        progress = self.around.progress()
        began = clock.monotonic()

        def left() -> list[Item]:
            return [item for item in items if not item.error and not is_over(item)]

        def is_done(_value: None) -> bool:
            pending = left()
            if pending:
                progress.waiting_for_many(len(items) - len(pending), len(items), word, wait)
            return not pending

        try:
            wait.until(clock, None, look, is_done)
        except EciError as error:
            for item in left():
                item.error = error
        self.waited += clock.monotonic() - began


def attempt(item: Item, step: Callable[[Item], object]) -> None:
    """Take a step with an item; what fails is told by the item."""
    try:
        step(item)
    except EciError as error:
        item.error = error


def listed(names: Collection[str]) -> str:
    """The first few names, for a message."""
    more = len(names) - NAMED_IN_A_MESSAGE
    return ", ".join(repr(name) for name in list(names)[:NAMED_IN_A_MESSAGE]) + (
        f" and {more} more" if more > 0 else ""
    )


def by_name(caches: Iterable[ImageCache]) -> dict[str, list[ImageCache]]:
    """Image caches by their names."""
    found: dict[str, list[ImageCache]] = {}
    for cache in caches:
        found.setdefault(cache.name, []).append(cache)
    return found


def by_id(caches: Iterable[ImageCache]) -> dict[str, ImageCache]:
    """Image caches by their IDs."""
    return {cache.id: cache for cache in caches}
