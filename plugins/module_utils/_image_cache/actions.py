# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, delete, retag: one changing request each, and the truth about its effect. And waiting. Private to the collection."""

from __future__ import annotations

import copy
from itertools import chain
from typing import Any, Callable, Collection, Iterable, Mapping, NamedTuple

from .._api.client import Attempts
from .._errors import NONE, POSSIBLE, AlreadyExists, EciError, NoSuchCache, NotFound, WaitFailed, WaitTimeout
from .._polling import CONSISTENCY_DELAYS, Wait, minutes, poll
from .api import CREATE, ImageCachesApi
from .batch import Batch, Item
from .model import ImageCache, Tags
from .plan import Action, diff


class Created(NamedTuple):
    """The result of a create.

    ``answered`` is True if the service returned the ID to this task, ``changed`` if this task can have created it.
    ``may_double`` is True if an earlier attempt without a reply may still take effect.
    """

    image_cache_id: str
    changed: bool
    request_id: str | None
    answered: bool
    may_double: bool


def create(api: ImageCachesApi, body: Mapping[str, Any], known: Collection[str] = ()) -> Created:
    """Create an image cache at most once, or adopt the one that an attempt here created.

    createImageCache has no idempotency token and orders a disk that is billed. So after an attempt whose effect is
    possible the name is listed, several times since a list may lag, before the next attempt. ``known`` are IDs of the name
    that were there before. Raises EciError; where its ``effect`` is possible, its message says so.
    """
    name = body["imageCacheName"]
    attempts = Attempts(api.client, CREATE)
    open_attempts = 0
    while True:
        try:
            image_cache_id, request_id = api.create(body, attempts)
            return Created(image_cache_id, True, request_id, answered=True, may_double=open_attempts > 0)
        except EciError as error:
            open_attempts += error.effect == POSSIBLE
            error.effect = POSSIBLE if open_attempts else NONE
            if open_attempts or isinstance(error, AlreadyExists):
                found = _find_created(api, name, known, error)
                if found:
                    request = error.request_id if open_attempts else None
                    return Created(found.id, open_attempts > 0, request, False, may_double=open_attempts > 1)
            if not api.client.may_retry(attempts, error):
                if open_attempts:
                    error.add(_may_exist(name))
                raise


def _find_created(api: ImageCachesApi, name: str, known: Collection[str], error: EciError) -> ImageCache | None:
    def read() -> list[ImageCache]:
        return [cache for cache in api.named(name) if cache.id not in known and not cache.is_going]

    try:
        found: list[ImageCache] = poll(api.client.clock, CONSISTENCY_DELAYS, read, bool, [])
    except EciError as lookup:
        error.add(f"Its name could not be looked up either: {lookup.message} {_may_exist(name)}")
        raise error from None
    return found[0] if found else None


def _may_exist(name: str) -> str:
    return (
        f"An image cache named {name!r} may exist nevertheless. Look it up with the module ctyun.eci.image_cache_info, or"
        " run this task again later: it adopts what it finds."
    )


def delete(api: ImageCachesApi, existing: ImageCache) -> tuple[bool, str | None]:
    """Delete an image cache. Return whether this task did it, and the ID of the request. Raises EciError."""
    try:
        return True, api.delete(existing.id)
    except NotFound as error:  # deleted by an earlier attempt of this call, or by another client
        return error.effect == POSSIBLE, None
    except AlreadyExists as error:  # a conflict, for example with a deletion under way
        if not _is_going(api, error, existing.id):
            raise
        return error.effect == POSSIBLE, None
    except EciError as error:
        if error.effect != POSSIBLE:
            raise
        if not _is_going(api, error, existing.id):
            error.add(_may_be_deleted(existing.id))
            raise
        return True, error.request_id


def delete_old(api: ImageCachesApi, item: Item) -> None:
    """Delete the image cache that the plan of an item found. Raises EciError."""
    deleted, request_id = delete(api, item.old)
    item.changed = item.changed or deleted
    item.request_id = request_id or item.request_id
    item.removed += [item.old] * deleted
    item.image_cache = None
    item.done = item.change.action is Action.DELETE


def _is_going(api: ImageCachesApi, error: EciError, image_cache_id: str) -> bool:
    """Return True if the list shows that it is gone, or that its deletion is under way."""

    def read() -> ImageCache | None:
        return api.get(image_cache_id)

    def is_going(cache: ImageCache | None) -> bool:
        return cache is None or cache.is_going

    try:
        return is_going(poll(api.client.clock, CONSISTENCY_DELAYS[:3], read, is_going, None))
    except EciError as lookup:
        error.add(f"It could not be looked up either: {lookup.message} {_may_be_deleted(image_cache_id)}")
        raise error from None


def _may_be_deleted(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} may be deleted nevertheless; run the task again."


def retag(api: ImageCachesApi, item: Item) -> None:
    """Set the tags of the plan, and read what the service shows then. Raises EciError; the item is right in any case."""
    existing, tags = item.old, item.change.tags
    unsure: EciError | None = None
    try:
        item.request_id = api.set_tags(existing.id, tags)
        item.changed = True
    except NotFound as error:
        item.image_cache = None
        error.add(_disappeared(existing.id))
        raise
    except EciError as error:
        if error.effect != POSSIBLE:
            raise
        error.add(f"The tags of {existing.id} may be set nevertheless; run the task again.")
        unsure = error
    try:
        current = _read_tags(api, existing, tags)
    except EciError as error:
        if unsure:
            unsure.add(f"It could not be looked up either: {error.message}")
            raise unsure from None
        error.add(
            f"The service accepted the new tags of {existing.id}, but they could not be read back: changed is true since it"
            " may have set them."
        )
        raise
    item.image_cache, item.done = current, True
    if current is None:
        raise NoSuchCache(_disappeared(existing.id))
    shown = current.tags or []
    if shown == tags:
        item.changed = True
    elif unsure:
        raise unsure
    elif current.tags is None:
        item.action_warnings.append(
            f"The service accepted the new tags of {existing.id} but shows none, so it is unknown whether they were there"
            " before: changed is true since they were sent."
        )
    else:
        item.changed = shown != (existing.tags or [])
        item.action_warnings.append(
            f"The service accepted the new tags of {existing.id} but shows others: it shows the keys {_keys(shown)}, wanted"
            f" are {_keys(tags)}. It may add tags where it was asked to replace them."
        )
    item.diff = diff(item.change, after=current)


def _read_tags(api: ImageCachesApi, existing: ImageCache, tags: Tags) -> ImageCache | None:
    def read() -> ImageCache | None:
        return api.get(existing.id)

    def is_shown(cache: ImageCache | None) -> bool:
        return cache is not None and (cache.tags is None or cache.tags == tags)

    return poll(api.client.clock, CONSISTENCY_DELAYS[:3], read, is_shown, None)


def _keys(tags: Tags) -> str:
    return ", ".join(tag["key"] for tag in tags) or "(none)"


def _disappeared(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} disappeared while its tags were set: somebody deleted it. Run the task again."


class Waiter:
    """Waits until image caches are ready, or gone, with one list for all. ``waited`` is in seconds."""

    def __init__(self, batch: Batch, wait: Wait) -> None:
        self.waited = 0.0
        self._batch = batch
        self._api = batch.api
        self._wait = wait

    def until_ready(self, items: Collection[Item]) -> None:
        """Wait until these are ready. What fails becomes the error of its item."""

        def see(item: Item, cache: ImageCache | None, _reads: int) -> bool:
            if cache is None and item.cache.status:
                cache = self._api.get(item.cache.id)  # one miss is not gone
                if cache is None:
                    raise WaitFailed(
                        f"The image cache {item.image_cache_id} is gone: somebody deleted it. Run the task again."
                    )
            item.image_cache = cache or item.image_cache
            return _is_final(item.cache)

        waiting = [item for item in items if not _is_final(item.cache)]
        self._poll(waiting, lambda item: item.image_cache_id or "", see, "ready", self._wait.delays(self._batch.clock))
        for item in items:
            if not item.error and not item.cache.is_ready:
                item.error = self.failed(item) if item.cache.has_failed else self._not_ready(item.cache)

    def until_gone(self, items: Collection[Item]) -> None:
        """Wait until the old image caches of these are gone. What fails becomes the error of its item."""

        def see(item: Item, cache: ImageCache | None, reads: int) -> bool:
            item.image_cache = cache
            # right after a second deletion the list may still show that the first one failed
            if cache and cache.deletion_failed and (cache.status != item.old.status or reads > 1):
                item.image_cache, newest = self._api.with_events(cache)
                raise WaitFailed(
                    f"The image cache {cache.id} could not be deleted, its status is {cache.status!r}: it is still there and"
                    f" billed.{newest}"
                )
            return cache is None

        items = [item for item in items if not item.error]
        delays = chain((0.0,), self._wait.delays(self._batch.clock))
        self._poll(items, lambda item: item.old.id, see, "gone", delays)
        for item in items:
            if not item.error and item.image_cache:
                item.error = WaitTimeout(
                    f"The image cache {item.old.id} was deleted but is still listed after {self._wait.timeout:g} s (option"
                    " wait_timeout)."
                )

    def failed(self, item: Item) -> WaitFailed:
        """Return the error for a failed image cache, with its newest events, which go to the item as well."""
        item.image_cache, newest = self._api.with_events(item.cache)
        return WaitFailed(
            f"The image cache {item.image_cache_id} has failed, its status is {item.cache.status!r}.{newest}"
        )

    def _not_ready(self, cache: ImageCache) -> WaitTimeout:
        return WaitTimeout(
            f"The image cache {cache.id} is not ready after {self._wait.timeout:g} s (option wait_timeout), its status is"
            f" {cache.status!r}. It is still there; run the task again to wait on."
        )

    def _poll(
        self,
        items: Collection[Item],
        key: Callable[[Item], str],
        see: Callable[[Item, ImageCache | None, int], bool],
        goal: str,
        delays: Iterable[float],
    ) -> None:
        """List until ``see`` returns True or raises for each item; it gets what the list shows, and the number of the list."""
        clock = self._batch.clock
        began = clock.monotonic()
        pending = dict.fromkeys(items)
        reads = 0

        def read() -> dict[Item, None]:
            nonlocal reads
            reads += 1
            shown = self._list()
            for item in list(pending):
                try:
                    ends = see(item, shown(key(item)), reads)
                except EciError as error:
                    item.error, ends = error, True
                if ends:
                    del pending[item]
                    item.waited += clock.monotonic() - began
            self._batch.progress.say(
                lambda: self._line(items, len(items) - len(pending), goal, clock.monotonic() - began)
            )
            return pending

        try:
            if pending:
                poll(clock, delays, read, lambda left: not left, pending)
        except EciError as error:
            for item in pending:
                item.error = copy.copy(error)  # each may get a sentence of its own
        for item in pending:
            item.waited += clock.monotonic() - began
        self.waited += clock.monotonic() - began

    def _list(self) -> Callable[[str], ImageCache | None]:
        """Return what the service lists now, by ID; what a list may have missed is listed alone."""
        if self._batch.lister.is_for_one:
            return self._api.get
        listing = self._api.find()
        found = {cache.id: cache for cache in listing.caches}
        return lambda key: found.get(key) or (None if listing.whole else self._api.get(key))

    def _line(self, items: Collection[Item], done: int, goal: str, seconds: float) -> str:
        state = f"{done} of {len(items)} {goal}"
        if self._batch.lister.is_for_one:
            state = "; ".join(f"{item.label}: {item.cache.status}" for item in items)
        return f"{state}, {minutes(seconds)} of {minutes(self._wait.timeout)}"


def _is_final(cache: ImageCache) -> bool:
    return cache.is_ready or cache.has_failed
