# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One updateImageCache, and what became of the tags. Private to the collection."""

from __future__ import annotations

from .._errors import POSSIBLE, EciError, NoSuchCache, NotFound
from .image_cache import ImageCache, Tags
from .looks import LOOK_PAUSES, looks
from .operations import ImageCaches
from .outcome import Outcome
from .tags import TagFilter, keys


def retag(caches: ImageCaches, outcome: Outcome, existing: ImageCache, tags: Tags) -> None:
    """Give an image cache these tags in place of those it has, and put into ``outcome`` what the service shows then.

    Raises EciError; ``outcome`` is true to what is known at that moment.
    """
    image_cache_id = existing.id
    unsure: EciError | None = None
    try:
        outcome.request_id = caches.set_tags(image_cache_id, tags)
        outcome.changed = True
    except NotFound as error:
        outcome.image_cache = None
        error.add(_disappeared(image_cache_id))
        raise
    except EciError as error:
        if error.effect != POSSIBLE:
            raise
        error.add(f"The tags of {image_cache_id} may be set all the same; run the task again.")
        unsure = error
    try:
        current = _read(caches, existing, tags)
    except EciError as error:
        if unsure:
            unsure.add(f"It could not be looked up either: {error.message}")
            raise unsure from None
        raise _unread(error, image_cache_id) from None
    outcome.image_cache = current
    if current is None:
        raise NoSuchCache(_disappeared(image_cache_id))
    if current.tags is None and tags:
        _look_behind(caches, outcome, current, tags, unsure)
    elif current.shown_tags == tags:
        outcome.changed = True
    elif unsure:
        raise unsure
    else:
        _tell_of_others(outcome, existing, current, tags)


def _read(caches: ImageCaches, existing: ImageCache, tags: Tags) -> ImageCache | None:
    """The image cache as the service shows it, once it shows these tags or has had time to; None if it is gone."""
    current: ImageCache | None = existing
    for _look in looks(caches.client.clock, LOOK_PAUSES[:3]):
        current = caches.get(existing.id)
        if current and (current.shown_tags == tags or current.tags is None):
            break
    return current


def _look_behind(
    caches: ImageCaches, outcome: Outcome, current: ImageCache, tags: Tags, unsure: EciError | None
) -> None:
    """Ask the filter of the list whether tags are there that no reply shows."""
    image_cache_id = current.id
    try:
        carriers = TagFilter(caches, imageCacheId=image_cache_id).carriers(tags)
    except EciError as error:
        raise unsure or _unread(error, image_cache_id) from None
    if carriers and image_cache_id in carriers:
        outcome.changed = True
        outcome.image_cache = current.with_tags(tags)
    elif unsure:
        raise unsure
    elif carriers is None:
        outcome.warnings.append(
            f"The service took the new tags of {image_cache_id} but shows none, so whether they were there before"
            " cannot be told: changed is true since they were sent."
        )
    else:
        outcome.warnings.append(
            f"The service took the new tags of {image_cache_id}, but shows none and does not find it by them:"
            " changed is true since they were sent."
        )


def _tell_of_others(outcome: Outcome, existing: ImageCache, current: ImageCache, tags: Tags) -> None:
    shown = current.shown_tags
    outcome.changed = shown != existing.shown_tags
    outcome.warnings.append(
        f"The service took the new tags of {current.image_cache_id} but shows others: it shows the keys {keys(shown)},"
        f" wanted are {keys(tags)}. It may add tags where it was asked to replace them."
    )


def _unread(error: EciError, image_cache_id: str) -> EciError:
    """The error of a read after the service took new tags, which it may have set, or added to those it had."""
    error.add(
        f"The service took the new tags of {image_cache_id}, but what it made of them could not be read: changed is"
        " true since it may have set them."
    )
    return error


def _disappeared(image_cache_id: str) -> str:
    return f"The image cache {image_cache_id} disappeared while it was given tags: somebody deleted it."
