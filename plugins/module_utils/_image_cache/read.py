# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module image_cache_info reads. Private to the collection."""

from __future__ import annotations

from typing import Any, Mapping

from .._api.client import Client
from .._errors import EciError, NotFound
from .._pool import for_each
from .model import ImageCache
from .api import ImageCachesApi

EVENT_READERS = 10


def image_caches(filters: Mapping[str, Any], client: Client, events: bool) -> tuple[list[ImageCache], list[str]]:
    """The image caches that all the given filters of describeImageCaches match, in the service's order, and warnings.

    ID and name are compared exactly here as well; images and tags are left to the service. Raises EciError.
    """
    caches = ImageCachesApi(client)
    listing = caches.find(**filters)
    found = [
        cache
        for cache in listing.caches
        if filters.get("imageCacheId") in (None, cache.image_cache_id)
        and filters.get("imageCacheName") in (None, cache.image_cache_name)
    ]
    warnings = []
    if listing.idless:
        warnings.append(f"The service lists {listing.idless} image cache(s) without an ID, which cannot be shown.")
    if events:
        found = _with_events(caches, found)
    return found, warnings


def _with_events(caches: ImageCachesApi, found: list[ImageCache]) -> list[ImageCache]:
    read: dict[int, ImageCache] = {}
    errors: list[EciError] = []

    def add(index: int) -> None:
        cache = found[index]
        try:
            read[index] = cache.with_events(caches.events(cache.id))
        except NotFound:  # gone since the list was read
            read[index] = cache.with_events([])
        except EciError as error:
            errors.append(error)

    for_each(range(len(found)), add, EVENT_READERS)
    if errors:
        raise errors[0]
    return [read[index] for index in range(len(found))]
