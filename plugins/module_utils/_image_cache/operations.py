# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on image caches, in the words of the options. Private to the collection.

An image cache is a mapping with always the same keys, see KEYS; what the service does not return is None. That its
list may match names loosely, in pages, and show an object twice while pages move, ends here.
"""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Mapping

from .._errors import OpenOutcome
from .._options.arguments import option_name
from .._service.client import Client
from .._service.transport import Operation

ImageCache = Dict[str, Any]
Tag = Dict[str, str]
Tags = List[Tag]

_PATH = "/eci/api/v1/imageCache/"
CREATE = Operation("createImageCache", "POST", _PATH + "createImageCache", repeatable=False)
LIST = Operation("describeImageCaches", "POST", _PATH + "describeImageCaches")
DESCRIBE = Operation("describeImageCache", "GET", _PATH + "describeImageCache/")
UPDATE = Operation("updateImageCache", "PUT", _PATH + "updateImageCache")
DELETE = Operation("deleteImageCache", "DELETE", _PATH + "deleteImageCache/")

# CTYun's page documents the first seven. The others are in the types of its Go SDK only.
_FIELDS = {
    "imageCacheId": str,
    "imageCacheName": str,
    "images": list,
    "imageCacheSize": int,
    "status": str,
    "creationTime": str,
    "azName": str,
    "tags": list,
    "process": str,
    "resourceGroupId": str,
    "expireDateTime": str,
    "lastMatchedTime": str,
}
KEYS = [option_name(field) for field in _FIELDS] + ["events"]

MAX_PAGES = 1000


def from_wire(item: Any) -> ImageCache:
    """An image cache from an object of a reply.

    A field of another type than documented is taken as not returned, but an object without ID or name is no image
    cache: OpenOutcome.
    """
    source = item if isinstance(item, dict) else {}
    cache: ImageCache = {option_name(field): _of_kind(kind, source.get(field)) for field, kind in _FIELDS.items()}
    if not cache["image_cache_id"] or cache["image_cache_name"] is None:
        raise OpenOutcome("The service listed an image cache without an ID or a name.", operation=LIST.name)
    for key, kind in (("images", str), ("tags", dict)):
        if cache[key] is not None:
            cache[key] = [entry for entry in cache[key] if isinstance(entry, kind)]
    if cache["tags"] is not None:
        cache["tags"] = normal_tags(cache["tags"])
    cache["events"] = None
    return cache


def _of_kind(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) and not isinstance(value, bool) else None  # a true is no number


def normal_tags(tags: list[Any]) -> Tags:
    """Tags with both fields, in a fixed order, so that they can be compared."""
    return sorted(
        ({"key": str(tag.get("key") or ""), "value": str(tag.get("value") or "")} for tag in tags),
        key=lambda tag: (tag["key"], tag["value"]),
    )


class ImageCaches:
    """The image caches of one region, through a client. All methods raise EciError."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def named(self, name: str) -> list[ImageCache]:
        """The image caches of exactly this name."""
        return [cache for cache in self.find(imageCacheName=name) if cache["image_cache_name"] == name]

    def get(self, image_cache_id: str) -> ImageCache | None:
        """The image cache of this ID, or None."""
        found = self.find(imageCacheId=image_cache_id)
        return next((cache for cache in found if cache["image_cache_id"] == image_cache_id), None)

    def find(self, **filters: Any) -> list[ImageCache]:
        """The image caches that the service finds with these filters of describeImageCaches: every page of them."""
        found: dict[str, ImageCache] = {}
        seen_tokens: set[str] = set()
        body = dict(filters)
        for _page in range(MAX_PAGES):
            reply = self.client.call(LIST, body)
            items = reply.get("imageCaches")
            if items is None and not reply.get("requestId"):
                # the SDK leaves out an empty list, but a reply with nothing at all is no answer
                raise self._unlistable("there is none in the reply", reply)
            if items is not None and not isinstance(items, list):
                raise self._unlistable("imageCaches is not a list", reply)
            for item in items or []:
                cache = from_wire(item)
                found[cache["image_cache_id"]] = cache
            token = reply.get("nextToken")
            if not token:
                return list(found.values())
            if not isinstance(token, str) or token in seen_tokens:
                raise self._unlistable("its nextToken repeats or is not a text", reply)
            seen_tokens.add(token)
            body = dict(filters, nextToken=token)
        raise self._unlistable(f"it does not end after {MAX_PAGES} pages", reply)

    def create(self, body: Mapping[str, Any], earlier: int = 0) -> tuple[str, str | None]:
        """Send one createImageCache, after ``earlier`` ones. Returns the ID of the image cache and of the request."""
        reply = self.client.call(CREATE, body, earlier=earlier)
        image_cache_id = reply.get("imageCacheId")
        if not isinstance(image_cache_id, str) or not image_cache_id:
            raise OpenOutcome(
                "createImageCache answered without an imageCacheId.",
                operation=CREATE.name,
                request_id=reply.get("requestId"),
            )
        return image_cache_id, reply.get("requestId")

    def set_tags(self, image_cache_id: str, tags: Tags) -> str | None:
        """Send updateImageCache. Returns the ID of the request."""
        return self.client.call(UPDATE, {"imageCacheId": image_cache_id, "tags": tags}).get("requestId")

    def delete(self, image_cache_id: str) -> str | None:
        """Send deleteImageCache. Returns the ID of the request."""
        return self.client.call(DELETE, identifier=image_cache_id).get("requestId")

    def events(self, image_cache_id: str) -> list[dict[str, Any]]:
        """The events of an image cache, as the service orders them."""
        events = self.client.call(DESCRIBE, identifier=image_cache_id).get("events")
        return [
            {option_name(key): value for key, value in event.items()}
            for event in (events if isinstance(events, list) else [])
            if isinstance(event, dict)
        ]

    def carrying(self, tags: Tags, **filters: Any) -> set[str] | None:
        """The IDs of the image caches that carry these tags, asked through the filter of the list.

        CTYun's page shows no tags in any reply, but its list takes tags as a filter. None if the service lets
        everything through that filter, so that its answer says nothing.
        """
        carrying = {cache["image_cache_id"] for cache in self.find(tags=tags, **filters)}
        impossible = [{"key": uuid.uuid4().hex, "value": uuid.uuid4().hex}]
        if carrying and self.find(tags=impossible, **filters):
            return None
        return carrying

    def carries(self, image_cache_id: str, tags: Tags) -> bool | None:
        """Whether an image cache carries these tags; None if the service does not tell, see ``carrying``."""
        carrying = self.carrying(tags, imageCacheId=image_cache_id)
        return None if carrying is None else image_cache_id in carrying

    def _unlistable(self, why: str, reply: Mapping[str, Any]) -> OpenOutcome:
        return OpenOutcome(
            f"The list of image caches cannot be read: {why}.",
            operation=LIST.name,
            request_id=reply.get("requestId"),
        )
