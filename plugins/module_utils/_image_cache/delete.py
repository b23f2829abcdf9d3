# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deleteImageCache, and the wait until what it deletes is gone. Private to the collection."""

from __future__ import annotations

from .._errors import POSSIBLE, AlreadyExists, EciError, NotFound, WaitFailed, WaitTimeout
from .._polling import Wait
from .events import newest_events
from .image_cache import ImageCache
from .looks import LOOK_PAUSES, looks
from .operations import ImageCaches
from .outcome import Outcome
from .progress import Progress


def delete(caches: ImageCaches, outcome: Outcome, existing: ImageCache) -> None:
    """Delete an image cache, or find that somebody else has. Raises EciError."""
    image_cache_id = existing.id
    try:
        outcome.request_id = caches.delete(image_cache_id)
        outcome.changed = True
    except NotFound as error:
        # gone already: through an earlier attempt of this call, or through somebody else
        outcome.changed = outcome.changed or error.effect == POSSIBLE
    except AlreadyExists as error:  # a conflict, for example with a deletion that is under way
        if not _is_going(caches, error, image_cache_id):
            raise
        outcome.changed = outcome.changed or error.effect == POSSIBLE
    except EciError as error:
        if error.effect != POSSIBLE:
            raise
        if not _is_going(caches, error, image_cache_id):
            error.add(_may_be_deleted(image_cache_id))
            raise
        outcome.changed = True
    outcome.image_cache = None


def _is_going(caches: ImageCaches, error: EciError, image_cache_id: str) -> bool:
    """Whether an image cache is gone, or on its way, after a request of which that is not known."""
    try:
        for _look in looks(caches.client.clock, LOOK_PAUSES[:3]):
            current = caches.get(image_cache_id)
            if current is None or current.is_going:
                return True
    except EciError as lookup:
        error.add(f"It could not be looked up either: {lookup.message} {_may_be_deleted(image_cache_id)}")
        raise error from None
    return False


def await_gone(caches: ImageCaches, wait: Wait, outcome: Outcome, existing: ImageCache, progress: Progress) -> None:
    """Wait until the service lists an image cache no more, which was ``existing`` before it was deleted.

    Raises WaitTimeout, and WaitFailed as soon as its deletion is seen to have failed.
    """
    clock = caches.client.clock
    began = clock.monotonic()
    end = Departure(existing.status)

    def read() -> ImageCache | None:
        outcome.image_cache = caches.get(existing.id)
        if outcome.image_cache:
            progress.waiting_for_one(caches, outcome.image_cache, wait)
        return outcome.image_cache

    wait.until(clock, read(), read, end.is_reached)
    outcome.waited += clock.monotonic() - began
    raise_if_there(caches, wait, outcome, end)


class Departure:
    """Whether the deletion of one image cache has come to an end, good or bad, by what is seen of it.

    If it had a status of a failed deletion ``before``, the first look may still show that.
    """

    def __init__(self, before: str | None) -> None:
        self._before = before
        self._looks = 0

    def is_reached(self, cache: ImageCache | None) -> bool:
        """To be asked once for each look."""
        self._looks += 1
        return cache is None or self.has_failed(cache)

    def has_failed(self, cache: ImageCache) -> bool:
        """Whether it will stay."""
        return cache.deletion_failed and (cache.status != self._before or self._looks > 1)


def raise_if_there(caches: ImageCaches, wait: Wait, outcome: Outcome, end: Departure) -> None:
    """Raise WaitFailed or WaitTimeout for an image cache that was to be deleted and is still in ``outcome``."""
    cache = outcome.image_cache
    if cache is None:
        return
    if end.has_failed(cache):
        raise WaitFailed(
            f"The image cache {cache.image_cache_id} could not be deleted, its status is {cache.status!r}: it is still"
            f" there and billed.{newest_events(caches, outcome)}"
        )
    raise WaitTimeout(
        f"The image cache {cache.image_cache_id} is deleted but still listed after {wait.timeout:g} s (option"
        " wait_timeout)."
    )


def _may_be_deleted(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} may be deleted all the same; run the task again."
