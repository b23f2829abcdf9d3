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

from .._api import region as regions
from .._errors import (
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    QuotaUsedUp,
    ServiceError,
    Throttled,
)
from .._api.client import Attempts
from .image_cache import ImageCache, Tags
from .looks import look
from .mark import Marks
from .operations import CREATE, ImageCaches


class Created(NamedTuple):
    """An image cache that is there now.

    ``answered`` is true if the service gave its ID in answer to an attempt here, ``changed`` if an attempt here can
    have made it. ``unsettled`` is true if an earlier attempt, of which nothing was seen, may still take effect.
    """

    image_cache_id: str
    changed: bool
    request_id: str | None
    answered: bool
    unsettled: bool


def create(
    caches: ImageCaches, marks: Marks, body: Mapping[str, Any], known: Collection[str] = (), kept: Tags | None = None
) -> Created:
    """Create an image cache whose name was not there a moment ago, or adopt the one that an attempt here made.

    ``known`` are IDs that do not count (an image cache of that name that was just deleted); ``kept`` are tags that it
    got from that one. Raises EciError; if its ``effect`` is possible, so its message says.
    """
    name = body["imageCacheName"]
    marks.sending(name, kept)
    try:
        created = _create(caches, body, known)
    except EciError as error:
        if error.effect == NONE and not kept:
            marks.settled(name)
        raise
    if not created.unsettled:
        marks.settled(name)
    return created


def _create(caches: ImageCaches, body: Mapping[str, Any], known: Collection[str]) -> Created:
    client = caches.client
    name = body["imageCacheName"]
    attempts = Attempts(client, CREATE)
    open_ones = 0  # attempts of which it is not known whether they take effect
    while True:
        try:
            image_cache_id, request_id = caches.create(body, attempts)
            return Created(image_cache_id, True, request_id, answered=True, unsettled=open_ones > 0)
        except EciError as error:
            open_ones += error.effect == POSSIBLE
            error.effect = POSSIBLE if open_ones else NONE
            if open_ones or isinstance(error, AlreadyExists):
                found = _looked_up(caches, name, known, error)
                if found:
                    request = error.request_id if open_ones else None
                    return Created(found.id, open_ones > 0, request, False, unsettled=open_ones > 1)
            if not client.again(attempts, error):
                _explain(caches, body, error)
                if open_ones:
                    error.add(may_exist(name))
                raise


def _looked_up(caches: ImageCaches, name: str, known: Collection[str], error: EciError) -> ImageCache | None:
    try:
        found = look(caches, name, known)
    except EciError as lookup:
        error.add(f"It could not be looked up either: {lookup.message} {may_exist(name)}")
        raise error from None
    return found[0] if found else None


def may_exist(name: str) -> str:
    """What to do about an image cache of which it is not known whether it was made."""
    return (
        f"An image cache named {name!r} may exist all the same. Look it up with the module ctyun.eci.image_cache_info,"
        " or run this task again later: it adopts what it finds."
    )


def _explain(caches: ImageCaches, body: Mapping[str, Any], error: EciError) -> None:
    """Add to a refusal what one more read can tell about its cause."""
    with contextlib.suppress(EciError):
        if isinstance(error, QuotaUsedUp):
            quota = regions.image_cache_quota(caches.client)
            if quota:
                error.add(f"Image caches: {quota[0]} of {quota[1]} are used.")
        elif isinstance(error, ServiceError) and not isinstance(error, (AuthenticationError, AlreadyExists, Throttled)):
            zones = regions.zones(caches.client)
            if zones and body["azInfo"]["azName"] not in zones:
                error.add(f"az_info.az_name is not a zone of this region. Its zones: {', '.join(zones)}.")
