# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image cache from what it is to what a task wants. Private to the collection."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Iterator

from .._errors import EciError, Vanished, WaitFailed, WaitTimeout
from .._api.client import Client
from .._polling import Wait
from .._pool import each
from .events import newest_events
from .folder import PRIVATE, Folder
from .image_cache import ImageCache
from .item import Item
from .operations import ImageCaches
from .outcome import Outcome
from .pick import picked
from .plan import CREATE, Wanted
from .surroundings import Surroundings
from .tags import TagFilter
from .twins import staying

if TYPE_CHECKING:
    from .preflight import Preflight


def converge(
    wanted: Wanted,
    client: Client,
    wait: Wait,
    check_mode: bool = False,
    folder: Folder = PRIVATE,
    preflight: Preflight | None = None,
) -> Outcome:
    """Bring one image cache into the wanted state.

    ``wait`` is used if the task wants to wait for the end, and where an image cache is replaced. In check mode
    nothing is changed, and the outcome is the predicted one. ``folder`` is for what tasks tell each other, ``preflight``
    looks at what is going to be ordered. Raises EciError, whose ``outcome`` tells what was reached before.
    """
    around = Surroundings(ImageCaches(client), wait, folder, preflight)
    item = Item(wanted, around)
    try:
        if check_mode:
            _consider(item)
            item.predict()
            if wanted.wait and item.cache.has_failed:
                raise failed(item)
        else:
            with _locked(wanted, around):
                _consider(item)
                _carry_out(item)
            if wanted.wait:
                _await_end(item)
    except EciError as error:
        error.outcome = item.outcome
        raise
    except BaseException as reason:
        if not isinstance(reason, Exception):
            client.end(reason)
        ended = item.ended(reason)
        ended.outcome = item.outcome
        raise ended from reason
    finally:
        item.outcome.warnings += around.room.warnings
    return item.outcome


def _consider(item: Item) -> None:
    """Find out what exists, and plan."""
    caches, wanted = item.around.caches, item.wanted
    if wanted.image_cache_id:
        existing = picked(wanted, caches.get(wanted.image_cache_id))
        item.consider(existing, TagFilter(caches, imageCacheId=wanted.image_cache_id))
    else:
        named = item.named()
        eldest = next(iter(staying(named)), ImageCache())
        item.consider_named(named, TagFilter(caches, imageCacheId=eldest.image_cache_id))
    if CREATE in item.planned.steps:
        item.outcome.warnings += item.around.look_before([("", item.planned)])
    if item.planned.replaces:
        item.check_replacement()


def _carry_out(item: Item) -> None:
    """Do what is planned. Where that changes something it is done by a thread, which whatever ends this one does not
    interrupt: a request that is under way is finished, so that it can be told what came of it.
    """

    def work(item: Item) -> None:
        item.carry_out()
        item.delete_younger()

    if item.planned.steps or item.has_younger:
        each([item], work, 1, end=item.around.caches.client.end)
    else:
        work(item)


@contextlib.contextmanager
def _locked(wanted: Wanted, around: Surroundings) -> Iterator[None]:
    names = [wanted.name]
    if wanted.image_cache_id:
        found = around.caches.get(wanted.image_cache_id)
        names.append((found and found.image_cache_name) or wanted.image_cache_id)
    with around.locked(name for name in names if name):
        yield


def _await_end(item: Item) -> None:
    if item.wanted.state == "present":
        _await_present(item)
    elif item.image_cache_id:
        item.await_gone()


def _await_present(item: Item) -> None:
    """Wait until it is ready, or another one that is found in its place."""
    try:
        _await_ready(item, item.id)
    except Vanished:
        if not item.may_follow:
            raise
        with item.around.locked([item.name]):
            if not item.follow_another():
                raise
            _carry_out(item)
        _await_present(item)


def _await_ready(item: Item, image_cache_id: str) -> None:
    outcome, around = item.outcome, item.around
    progress = around.progress()
    began = around.clock.monotonic()

    def read() -> ImageCache:
        cache = around.caches.get(image_cache_id)
        last = item.cache
        if cache is None and last.status:
            cache = around.caches.get(image_cache_id)  # one miss is not gone
            if cache is None:
                raise gone(image_cache_id)
        outcome.image_cache = cache or last
        progress.waiting_for_one(around.caches, outcome.image_cache, around.wait)
        return outcome.image_cache

    done, cache = around.wait.until(around.clock, item.cache, read, is_at_end)
    outcome.waited += around.clock.monotonic() - began
    if not done:
        raise not_ready(cache, around.wait)
    if cache.has_failed:
        raise failed(item)


def is_at_end(cache: ImageCache) -> bool:
    """Whether an image cache is ready or will never be."""
    return cache.is_ready or cache.has_failed


def gone(image_cache_id: str) -> Vanished:
    """The error for an image cache that was there and is not any more."""
    return Vanished(f"The image cache {image_cache_id} is gone: somebody else deleted it during the wait.")


def not_ready(cache: ImageCache, wait: Wait) -> WaitTimeout:
    """The error for an image cache that is not ready in time."""
    return WaitTimeout(
        f"The image cache {cache.image_cache_id} is not ready after {wait.timeout:g} s (option wait_timeout), its"
        f" status is {cache.status!r}. It is still there; run the task again to wait on."
    )


def failed(item: Item) -> WaitFailed:
    """The error for an image cache that has failed, with its newest events, which are read; they go to the outcome."""
    cache = item.cache
    return WaitFailed(
        f"The image cache {cache.image_cache_id} has failed, its status is {cache.status!r}."
        + newest_events(item.around.caches, item.outcome)
    )
