# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the info modules read. Private to the collection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Mapping

from ._arguments import wire_name
from ._client import Client
from ._image_caches import ImageCache, ImageCaches

EVENT_READERS = 10


def image_caches(arguments: Mapping[str, Any], client: Client) -> list[ImageCache]:
    """The image caches that all the given filters match, in the service's order. Raises EciError.

    ID and name are compared exactly here as well; images and tags are left to the service.
    """
    filters = {
        wire_name(option): arguments[option]
        for option in ("image_cache_id", "image_cache_name", "images", "tags")
        if arguments[option]
    }
    caches = ImageCaches(client)
    found = [
        cache
        for cache in caches.find(**filters)
        if all(arguments[key] in (None, "", cache[key]) for key in ("image_cache_id", "image_cache_name"))
    ]
    if arguments["events"] and found:
        with ThreadPoolExecutor(max_workers=EVENT_READERS) as pool:
            all_events = pool.map(caches.events, [cache["image_cache_id"] for cache in found])
            found = [dict(cache, events=events) for cache, events in zip(found, all_events)]
    return found
