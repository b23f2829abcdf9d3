# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One createImageCache that takes effect at most once. Private to the collection.

The operation has no idempotency token and orders a disk that is billed. After an outcome that is open the name is
looked up, several times with growing pauses since a list may lag, before anything is sent again.
"""

from __future__ import annotations

import contextlib
from typing import Any, Collection, Mapping, NamedTuple

from .. import _region as regions
from .._errors import AlreadyExists, EciError, NotFound, OpenOutcome, QuotaUsedUp, ServiceError, Throttled
from .operations import ImageCache, ImageCaches

# Seconds before each look for an object that a list may not show yet.
LOOK_PAUSES = (0.0, 1.0, 2.0, 4.0)


class Created(NamedTuple):
    """An image cache that is there now. ``changed`` is false if no attempt here can have made it."""

    image_cache_id: str
    changed: bool
    request_id: str | None


def create(caches: ImageCaches, body: Mapping[str, Any], known: Collection[str] = ()) -> Created:
    """Create an image cache whose name was not there a moment ago, or adopt the one that an attempt here made.

    ``known`` are IDs that do not count (an image cache of that name that was just deleted). Raises EciError.
    """
    client = caches.client
    name = body["imageCacheName"]
    opened = False
    attempt = 0
    while True:
        try:
            image_cache_id, request_id = caches.create(body, attempt)
            return Created(image_cache_id, True, request_id)
        except EciError as error:
            if not (error.retryable or isinstance(error, AlreadyExists)):
                _explain(caches, body, error)
                raise
            opened = opened or isinstance(error, OpenOutcome)
            may_exist = opened or isinstance(error, AlreadyExists)
            found = _looked_up(caches, name, known, error, LOOK_PAUSES if may_exist else LOOK_PAUSES[:1])
            if found:
                return Created(found["image_cache_id"], opened, error.request_id if opened else None)
            if isinstance(error, AlreadyExists) or attempt >= client.connection.retries:
                if opened:
                    error.add(_may_exist(name))
                raise
            if not isinstance(error, Throttled):  # then the client keeps a pause by itself
                client.sleep(client.delay(attempt, error.retry_after))
            attempt += 1


def look(
    caches: ImageCaches,
    name: str,
    known: Collection[str] = (),
    pauses: Collection[float] = LOOK_PAUSES,
    expected: str | None = None,
) -> list[ImageCache]:
    """The image caches of a name, but for ``known`` ones, as soon as the list shows any, or the expected ID.

    Raises EciError.
    """
    found: list[ImageCache] = []
    for pause in pauses:
        caches.client.pause(pause)
        found = [cache for cache in caches.named(name) if cache["image_cache_id"] not in known]
        if any(expected in (None, cache["image_cache_id"]) for cache in found):
            break
    return found


def _looked_up(
    caches: ImageCaches, name: str, known: Collection[str], error: EciError, pauses: Collection[float]
) -> ImageCache | None:
    try:
        found = look(caches, name, known, pauses)
    except EciError as lookup:
        error.add(f"It could not be looked up either: {lookup.message} {_may_exist(name)}")
        raise error from None
    return found[0] if found else None


def _may_exist(name: str) -> str:
    return (
        f"An image cache named {name!r} may exist all the same. Look it up with the module ctyun.eci.image_cache_info,"
        " or run this task again later: it adopts what it finds."
    )


def _explain(caches: ImageCaches, body: Mapping[str, Any], error: EciError) -> None:
    """Add to a refusal what one more read can tell about its cause."""
    with contextlib.suppress(EciError):
        if isinstance(error, QuotaUsedUp):
            for record in regions.usage(caches.client):
                if record["resource_type"] == regions.IMAGE_CACHE_COUNT:
                    error.add(f"Image caches: {record['resource_used']} of {record['resource_limit']} are used.")
        elif type(error) in (ServiceError, NotFound):
            zones = regions.region(caches.client)["zones"]
            if body["azInfo"]["azName"] not in zones:
                error.add(f"az_info.az_name is not a zone of this region. Its zones: {', '.join(zones)}.")
