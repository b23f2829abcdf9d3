# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on image caches. Private to the collection.

That the list may match names loosely, in pages, show an object twice or not at all while pages move, and show objects
that are none, ends here.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from .._errors import POSSIBLE, AmbiguousName, Unanswered
from .._names import option_name
from .._api.client import Attempts, Client
from .._api.responses import Reply
from .._api.transport import Operation
from .image_cache import ImageCache, Tags, from_wire

_PATH = "/eci/api/v1/imageCache/"
CREATE = Operation("createImageCache", "POST", _PATH + "createImageCache", changes=True, repeatable=False)
LIST = Operation("describeImageCaches", "POST", _PATH + "describeImageCaches")
DESCRIBE = Operation("describeImageCache", "GET", _PATH + "describeImageCache/")
UPDATE = Operation("updateImageCache", "PUT", _PATH + "updateImageCache", changes=True)
DELETE = Operation("deleteImageCache", "DELETE", _PATH + "deleteImageCache/", changes=True)

MAX_PAGES = 1000
# How often a list of several pages is read, if it does not count what the service says there are.
READINGS = 3


class Listing(NamedTuple):
    """What a list showed. What is missing in one that is not ``whole`` may be there all the same.

    A list is whole if it came in one reply and each object in it had an ID and a name; ``unreadable`` counts those that
    had not, of which the ones without an ID are not among ``caches``.
    """

    caches: list[ImageCache]
    whole: bool
    unreadable: int

    @property
    def idless(self) -> int:
        """How many objects without an ID it showed, which are not among ``caches``."""
        return self.unreadable - sum(not cache.image_cache_name for cache in self.caches)


class ImageCaches:
    """The image caches of one region, through a client. All methods raise EciError."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def named(self, name: str) -> list[ImageCache]:
        """The image caches of exactly this name. Raises AmbiguousName if none shows, and one has no readable name."""
        listing = self.find(imageCacheName=name)
        found = _named(listing, name)
        if not found and not listing.whole:
            listing = self.find(imageCacheName=name)
            found = _named(listing, name)
        if not found and listing.unreadable:
            raise AmbiguousName(
                f"The service lists an image cache without a name or an ID, so it cannot be told whether {name!r} is"
                " there. Nothing was made. Look with the module ctyun.eci.image_cache_info.",
                operation=LIST.name,
            )
        return found

    def get(self, image_cache_id: str) -> ImageCache | None:
        """The image cache of this ID, or None."""
        for _reading in range(2):
            listing = self.find(imageCacheId=image_cache_id)
            found = next((cache for cache in listing.caches if cache.image_cache_id == image_cache_id), None)
            if found or listing.whole:
                return found
        if listing.idless:
            raise Unanswered(f"The service lists an image cache without an ID where {image_cache_id} was asked for.")
        return None

    def find(self, **filters: Any) -> Listing:
        """The image caches that the service finds with these filters of describeImageCaches: every page of them."""
        for _reading in range(READINGS):
            listing, total = self._read(filters)
            if total in (None, len(listing.caches)):
                break
        return listing

    def _read(self, filters: Mapping[str, Any]) -> tuple[Listing, int | None]:
        found: dict[str, ImageCache] = {}
        unreadable = 0
        seen_tokens: set[str] = set()
        body = dict(filters)
        for page in range(MAX_PAGES):
            reply = self.client.call(LIST, body)
            items = reply.obj.get("imageCaches")
            if items is None and not reply.obj.get("requestId"):
                # the SDK leaves out an empty list, but a reply with nothing at all is no answer
                raise self._unlistable("there is none in the reply", reply)
            if items is not None and not isinstance(items, list):
                raise self._unlistable("imageCaches is not a list", reply)
            for item in items or []:
                cache = from_wire(item)
                unreadable += not (cache and cache.image_cache_name)
                if cache:
                    found[cache.id] = cache
            token = reply.obj.get("nextToken")
            if not token:
                total = reply.obj.get("total")
                listing = Listing(list(found.values()), page == 0 and not unreadable, unreadable)
                return listing, total if isinstance(total, int) and page else None
            if not isinstance(token, str) or token in seen_tokens:
                raise self._unlistable("its nextToken repeats or is not a text", reply)
            seen_tokens.add(token)
            body = dict(filters, nextToken=token)
        raise self._unlistable(f"it does not end after {MAX_PAGES} pages", reply)

    def create(self, body: Mapping[str, Any], attempts: Attempts | None = None) -> tuple[str, str | None]:
        """Send one createImageCache, as one of these attempts. Returns the ID of the image cache and of the request."""
        reply = self.client.call(CREATE, body, attempts=attempts)
        image_cache_id = reply.obj.get("imageCacheId")
        if not isinstance(image_cache_id, str) or not image_cache_id:
            raise Unanswered(
                "createImageCache answered without an imageCacheId.",
                effect=POSSIBLE,
                operation=CREATE.name,
                request_id=reply.request_id,
            )
        return image_cache_id, reply.request_id

    def set_tags(self, image_cache_id: str, tags: Tags) -> str | None:
        """Send updateImageCache. Returns the ID of the request."""
        return self.client.call(UPDATE, {"imageCacheId": image_cache_id, "tags": tags}).request_id

    def delete(self, image_cache_id: str) -> str | None:
        """Send deleteImageCache. Returns the ID of the request."""
        return self.client.call(DELETE, identifier=image_cache_id).request_id

    def events(self, image_cache_id: str) -> list[dict[str, Any]]:
        """The events of an image cache, as the service orders them."""
        events = self.client.call(DESCRIBE, identifier=image_cache_id).obj.get("events")
        return [
            {option_name(key): self._hidden(value) for key, value in event.items()}
            for event in (events if isinstance(events, list) else [])
            if isinstance(event, dict)
        ]

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        if isinstance(value, dict):
            return {self.client.hide(key): self._hidden(item) for key, item in value.items()}
        return self.client.hide(value) if isinstance(value, str) else value

    @staticmethod
    def _unlistable(why: str, reply: Reply) -> Unanswered:
        return Unanswered(
            f"The list of image caches cannot be read: {why}.", operation=LIST.name, request_id=reply.request_id
        )


def _named(listing: Listing, name: str) -> list[ImageCache]:
    return [cache for cache in listing.caches if cache.image_cache_name == name]
