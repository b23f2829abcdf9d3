# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache_info. Private to the collection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, Mapping

from .._api.client import Client
from .._arguments.schema import Violation
from .._arguments.specs import Spec, connection_spec, request_body, tags_option
from .._arguments.validation import mappings
from .._errors import EciError, NotFound
from .._image_cache.api import ImageCachesApi
from .._image_cache.model import ImageCache
from .._pool import for_each
from .._task import Arguments, Result, Task

# In check mode an image cache that an earlier task would have created has no ID yet, so it is not found.
NULLABLE = ("image_cache_id", "image_cache_name")
EVENT_READERS = 10
_EMPTY = "must not be empty; leave it out to list all"


def _spec() -> Spec:
    return {
        "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
        "image_cache_name": {"type": "str", "aliases": ["imageCacheName", "name"]},
        "images": {"type": "list", "elements": "str"},
        "tags": tags_option(),
        "events": {"type": "bool", "default": False},
        **connection_spec(),
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    """Refuse empty filters: one would list all, and a loop that deletes what is found would delete all."""
    for option in (*NULLABLE, "images", "tags"):
        if option in values and not values[option] and not (check_mode and option in NULLABLE):
            yield Violation((option,), _EMPTY)
    images = values.get("images")
    for index, image in enumerate(images if isinstance(images, list) else ()):
        if image == "":
            yield Violation(("images", index), _EMPTY)
    for index, tag in mappings(values, "tags"):
        if not any(tag.values()):
            yield Violation(("tags", index), _EMPTY)
        elif not tag.get("key"):
            yield Violation(("tags", index, "key"), "is required")
        elif "value" in tag and not tag["value"]:
            yield Violation(("tags", index, "value"), "must not be empty; leave it out to match any value")


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    if "" in (arguments["image_cache_id"], arguments["image_cache_name"]):
        return Result({"changed": False, "image_caches": []})
    filters = request_body(arguments)
    if arguments["image_cache_id"]:
        filters["imageCacheId"] = arguments["image_cache_id"]
    found, warnings = find_image_caches(filters, client, arguments["events"])
    return Result({"changed": False, "image_caches": [cache.as_dict() for cache in found]}, warnings)


def find_image_caches(filters: Mapping[str, Any], client: Client, events: bool) -> tuple[list[ImageCache], list[str]]:
    """Return the image caches that match all of these filters of describeImageCaches, in its order, and warnings.

    ID and name are compared exactly here as well; images and tags are left to the service. Raises EciError.
    """
    api = ImageCachesApi(client)
    listing = api.find(**filters)
    found = [
        cache
        for cache in listing.caches
        if filters.get("imageCacheId") in (None, cache.image_cache_id)
        and filters.get("imageCacheName") in (None, cache.image_cache_name)
    ]
    warnings = []
    if listing.idless:
        warnings.append(f"The service lists {listing.idless} image cache(s) without an ID, which cannot be shown.")
    return (_with_events(api, found) if events else found), warnings


def _with_events(api: ImageCachesApi, found: list[ImageCache]) -> list[ImageCache]:
    read: dict[str, ImageCache] = {}
    errors: list[EciError] = []

    def add(cache: ImageCache) -> None:
        try:
            read[cache.id] = replace(cache, events=api.events(cache.id))
        except NotFound:  # deleted since the list was read
            read[cache.id] = replace(cache, events=[])
        except EciError as error:
            errors.append(error)

    for_each(found, add, EVENT_READERS)
    if errors:
        raise errors[0]
    return [read[cache.id] for cache in found]


TASK = Task(_spec, _check, _run, NULLABLE, empty={"image_caches": []})
