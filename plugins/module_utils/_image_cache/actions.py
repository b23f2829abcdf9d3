# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, delete, retag: one changing request each, and the truth about its effect. Private to the collection."""

from __future__ import annotations

from functools import partial
from typing import Callable, TypeVar

from .._api.client import Attempts
from .._errors import NONE, POSSIBLE, AlreadyExists, EciError, NotFound, StateConflict
from .._polling import CONSISTENCY_DELAYS, poll
from .api import CREATE, ImageCachesApi
from .batch import Created, Item
from .model import ImageCache, Tags, remaining
from .plan import Action, Fits, diff

T = TypeVar("T")


def create(api: ImageCachesApi, item: Item, fits: Fits) -> Created:
    """Create the image cache of a plan at most once, or adopt the one that an attempt here created.

    createImageCache has no idempotency token and orders a disk that is billed. So after an attempt whose effect is
    possible the name is listed, several times since a list may lag, before the next attempt. Of several that are found
    and were not known before, the oldest that fits is adopted. Raises EciError; where its ``effect`` is possible, its
    message says so.
    """
    attempts = Attempts(api.client, CREATE)
    open_attempts = 0
    while True:
        try:
            image_cache_id, request_id = api.create(item.change.body, attempts)
            return Created(image_cache_id, True, request_id, True, open_attempts > 0)
        except EciError as error:
            open_attempts += error.effect == POSSIBLE
            error.effect = POSSIBLE if open_attempts else NONE
            if open_attempts or isinstance(error, AlreadyExists):
                found = _find_created(api, item, error)
                if found:
                    chosen = next((cache for cache in found if fits(cache)), found[0])
                    request_id = error.request_id if open_attempts else None
                    return Created(chosen.id, open_attempts > 0, request_id, False, open_attempts > 1)
            if not api.client.may_retry(attempts, error):
                if open_attempts:
                    error.add(_may_exist(item.name))
                raise


def _find_created(api: ImageCachesApi, item: Item, error: EciError) -> list[ImageCache]:
    def read() -> list[ImageCache]:
        return remaining(api.named(item.name, item.known))

    return _look_up(api, error, read, [], _may_exist(item.name))


def _look_up(api: ImageCachesApi, error: EciError, read: Callable[[], T], nothing: T, text: str) -> T:
    """Read until the effect of a failed request shows. If that fails, raise its error with this text."""
    try:
        return poll(api.client.clock, CONSISTENCY_DELAYS, read, bool, nothing)
    except EciError as lookup:
        error.add(f"Its state could not be read either: {lookup.message} {text}")
        raise error from None


def _may_exist(name: str) -> str:
    return (
        f"An image cache named {name!r} may exist. Check with the module ctyun.eci.image_cache_info, or run this task again"
        " later: it uses what it finds."
    )


def delete(api: ImageCachesApi, existing: ImageCache) -> tuple[bool, str | None]:
    """Delete an image cache. Return whether this task did it, and the ID of the request. Raises EciError."""
    try:
        return True, api.delete(existing.id)
    except NotFound as error:  # deleted by an earlier attempt of this call, or by another client
        return error.effect == POSSIBLE, None
    except AlreadyExists as error:  # a conflict, for example with a deletion under way
        if not _is_deleting(api, error, existing.id):
            raise
        return error.effect == POSSIBLE, None
    except EciError as error:
        if error.effect != POSSIBLE:
            raise
        if not _is_deleting(api, error, existing.id):
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


def _is_deleting(api: ImageCachesApi, error: EciError, image_cache_id: str) -> bool:
    """Return True if the list shows that it is gone, or that its deletion is under way."""

    def read() -> bool:
        cache = api.get(image_cache_id)
        return cache is None or cache.is_deleting

    return _look_up(api, error, read, False, _may_be_deleted(image_cache_id))


def _may_be_deleted(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} may have been deleted; run the task again."


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
        error.add(f"The tags of {existing.id} may have been set; run the task again.")
        unsure = error
    try:
        current = _read_tags(api, existing, tags)
    except EciError as error:
        if unsure:
            unsure.add(f"Its state could not be read either: {error.message}")
            raise unsure from None
        error.add(
            f"The service accepted the new tags of {existing.id}, but they could not be read back: changed is true since it"
            " may have set them."
        )
        raise
    item.image_cache, item.done = current, True
    if current is None:
        raise StateConflict(_disappeared(existing.id))
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
            f"The service accepted the new tags of {existing.id} but shows others: it shows the keys {_keys(shown)}, not"
            f" {_keys(tags)}. It may have added the tags instead of replacing them."
        )
    item.diff = diff(item.change, after=current)


def _read_tags(api: ImageCachesApi, existing: ImageCache, tags: Tags) -> ImageCache | None:
    def is_shown(cache: ImageCache | None) -> bool:
        return cache is not None and (cache.tags is None or cache.tags == tags)

    return poll(api.client.clock, CONSISTENCY_DELAYS, partial(api.get, existing.id), is_shown, None)


def _keys(tags: Tags) -> str:
    return ", ".join(tag["key"] for tag in tags) or "(none)"


def _disappeared(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} was deleted while its tags were set. Run the task again."
