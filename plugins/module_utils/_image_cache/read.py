# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the info modules read. Private to the collection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Mapping

from .._errors import NotFound
from .._options.arguments import request_body
from .._service.client import Client
from .operations import ImageCache, ImageCaches

EVENT_READERS = 10


def image_caches(arguments: Mapping[str, Any], client: Client) -> list[ImageCache]:
    """The image caches that all the given filters match, in the service's order. Raises EciError.

    ID and name are compared exactly here as well; images and tags are left to the service.
    """
    filters = {key: value for key, value in request_body(arguments).items() if value}
    if arguments["image_cache_id"]:
        filters["imageCacheId"] = arguments["image_cache_id"]
    caches = ImageCaches(client)
    found = [
        cache
        for cache in caches.find(**filters)
        if all(arguments[key] in (None, "", cache[key]) for key in ("image_cache_id", "image_cache_name"))
    ]
    if arguments["events"] and found:
        with ThreadPoolExecutor(max_workers=EVENT_READERS) as pool:
            all_events = pool.map(lambda cache: _events(caches, cache), found)
            found = [dict(cache, events=events) for cache, events in zip(found, all_events)]
    return found


def _events(caches: ImageCaches, cache: ImageCache) -> list[dict[str, Any]]:
    try:
        return caches.events(cache["image_cache_id"])
    except NotFound:  # gone since the list was read
        return []
