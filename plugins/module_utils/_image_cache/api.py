# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on image caches. Private to the collection.

A list may match names loosely, come in pages that move while they are read, and hold objects that cannot be read: all of
this is handled here. Paths and fields: docs/api_notes.md.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from typing import Any, Callable, Collection, Iterable, Mapping, NamedTuple

from .._api.client import Attempts, Client
from .._api.responses import Reply
from .._api.transport import Operation
from .._errors import POSSIBLE, EciError, StateConflict, Unanswered
from .._pool import for_each
from .._text import option_name, redact_all
from .model import ImageCache, Tag, Tags, from_wire, usable_id

_PATH = "/eci/api/v1/imageCache/"
CREATE = Operation("createImageCache", "POST", _PATH + "createImageCache", changes=True, repeatable=False)
LIST = Operation("describeImageCaches", "POST", _PATH + "describeImageCaches")
DESCRIBE = Operation("describeImageCache", "GET", _PATH + "describeImageCache/")
UPDATE = Operation("updateImageCache", "PUT", _PATH + "updateImageCache", changes=True)
DELETE = Operation("deleteImageCache", "DELETE", _PATH + "deleteImageCache/", changes=True)

MAX_PAGES = 1000
# How often a list of several pages is read whose ``total`` says that more is there than it shows.
READINGS = 3
EVENTS_SHOWN = 3


class Listing(NamedTuple):
    """The image caches of a list, in its order; ``unreadable`` counts objects without an ID or a name.

    A list is ``complete`` if it came in one page that holds as many objects as its ``total`` says, all readable. An image
    cache that is missing in any other list may be there. It is ``short`` if its ``total`` says that there are more.
    """

    caches: list[ImageCache]
    complete: bool
    unreadable: int
    short: bool

    @property
    def idless(self) -> int:
        """The number of objects without an ID; they are not among ``caches``."""
        return self.unreadable - sum(not cache.image_cache_name for cache in self.caches)


class ImageCachesApi:
    """The image caches of one region. All methods raise EciError."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def named(self, name: str, without: Collection[str] = ()) -> list[ImageCache]:
        """Return the image caches of exactly this name, without these IDs.

        Raises StateConflict if there are none, and the list has one without a readable name or ID, or is short.
        """

        def is_wanted(cache: ImageCache) -> bool:
            return cache.image_cache_name == name and cache.id not in without

        listing, found = self._search(is_wanted, imageCacheName=name)
        if listing.short and not found:  # unless that total is the one of the region
            listing, found = self._search(is_wanted)
        if found or not (listing.unreadable or listing.short):
            return found
        why = (
            "an image cache without a name or an ID" if listing.unreadable else "fewer image caches than its total says"
        )
        raise StateConflict(
            f"The service lists {why}, so {name!r} may exist. Check with the module ctyun.eci.image_cache_info.",
            operation=LIST.name,
        )

    def get(self, image_cache_id: str) -> ImageCache | None:
        """Return the image cache of this ID, or None."""
        listing, found = self._search(lambda cache: cache.id == image_cache_id, imageCacheId=image_cache_id)
        if listing.idless and not found:
            raise Unanswered(f"The service lists an image cache without an ID in reply to {image_cache_id}.")
        return next(iter(found), None)

    def _search(self, wanted: Callable[[ImageCache], bool], **filters: str) -> tuple[Listing, list[ImageCache]]:
        """Return a list and those of it that are ``wanted``; read twice where none is, and the list may have missed one."""
        listing = self.find(**filters)
        if not (listing.complete or any(map(wanted, listing.caches))):
            listing = self.find(**filters)
        return listing, [cache for cache in listing.caches if wanted(cache)]

    def find(self, **filters: Any) -> Listing:
        """Return all pages of a list with these filters of describeImageCaches, each image cache once."""
        for _reading in range(READINGS):
            listing, pages = self._read(filters)
            if not (listing.short and pages > 1):  # it may have changed while its pages were read
                break
        return listing

    def _read(self, filters: Mapping[str, Any]) -> tuple[Listing, int]:
        """Read a list once. Return the number of its pages, too."""
        found: dict[str, ImageCache] = {}
        unreadable = 0
        tokens: set[str] = set()
        body = dict(filters)
        for page in range(MAX_PAGES):
            reply = self.client.call(LIST, body)
            items = reply.obj.get("imageCaches")
            if items is None and not reply.obj.get("requestId"):
                # the SDK leaves out an empty list, but a reply without any field is no answer
                raise _unlistable("it has no imageCaches", reply)
            if items is not None and not isinstance(items, list):
                raise _unlistable("imageCaches is not a list", reply)
            for item in items or []:
                cache = from_wire(item, self.client.redact)
                unreadable += not (cache and cache.image_cache_name)
                if cache:
                    found[cache.id] = cache
            token = reply.obj.get("nextToken")
            if not token:
                total = reply.obj.get("total")
                listing = Listing(list(found.values()), False, unreadable, False)
                short = isinstance(total, int) and total > len(found) + listing.idless
                return listing._replace(complete=not (page or unreadable or short), short=short), page + 1
            if not isinstance(token, str) or token in tokens:
                raise _unlistable("its nextToken repeats or is not a string", reply)
            tokens.add(token)
            body = dict(filters, nextToken=token)
        raise _unlistable(f"it does not end after {MAX_PAGES} pages", reply)

    def create(self, body: Mapping[str, Any], attempts: Attempts | None = None) -> tuple[str, str | None]:
        """Send one createImageCache, as one of these attempts. Return the IDs of the image cache and of the request."""
        reply = self.client.call(CREATE, body, attempts=attempts)
        image_cache_id = usable_id(reply.obj.get("imageCacheId"))
        if not image_cache_id:
            raise Unanswered(
                "The reply of createImageCache has no imageCacheId.",
                effect=POSSIBLE,
                operation=CREATE.name,
                request_id=reply.request_id,
            )
        return image_cache_id, reply.request_id

    def set_tags(self, image_cache_id: str, tags: Tags) -> str | None:
        """Send updateImageCache. Return the ID of the request."""
        return self.client.call(UPDATE, {"imageCacheId": image_cache_id, "tags": tags}).request_id

    def delete(self, image_cache_id: str) -> str | None:
        """Send deleteImageCache. Return the ID of the request."""
        return self.client.call(DELETE, identifier=image_cache_id).request_id

    def events(self, image_cache_id: str) -> list[dict[str, Any]]:
        """Return the events of an image cache in the order of the service, secrets redacted."""
        events = self.client.call(DESCRIBE, identifier=image_cache_id).obj.get("events")
        return [
            {option_name(key): redact_all(value, self.client.redact) for key, value in event.items()}
            for event in (events if isinstance(events, list) else [])
            if isinstance(event, dict)
        ]

    def with_events(self, cache: ImageCache) -> tuple[ImageCache, str]:
        """Add the events, and return a sentence with the newest ones; neither if they cannot be read."""
        with contextlib.suppress(EciError):
            events = self.events(cache.id)
            newest = "; ".join(" ".join(str(event.get("message")).split()) for event in events[-EVENTS_SHOWN:])
            return replace(cache, events=events), f" Its newest events: {newest}." if newest else ""
        return cache, ""


class Lister:
    """The image caches as read last: all of the region, or for one task item those of its name or ID.

    ``one`` is the name or ID to read alone; ``by_id`` says which of the two it is.
    """

    def __init__(self, api: ImageCachesApi, one: str | None = None, by_id: bool = False) -> None:
        self.caches: list[ImageCache] = []
        self.complete = True
        self.tags_shown = False  # in any list
        self.is_for_one = one is not None
        self._api = api
        self._one = one or ""
        self._by_id = by_id
        self._ids: dict[str, ImageCache] = {}
        self._names: dict[str, list[ImageCache]] = {}

    def refresh(self) -> None:
        """Read again. Raises EciError."""
        if not self.is_for_one:
            listing = self._api.find()
            self.caches, self.complete = listing.caches, listing.complete
        elif self._by_id:
            found = self._api.get(self._one) if self._one else None
            self.caches = [found] if found else []
        else:
            self.caches = self._api.named(self._one)
        self._ids = {cache.id: cache for cache in self.caches}
        self._names = {}
        for cache in self.caches:
            self._names.setdefault(cache.name, []).append(cache)
            self.tags_shown |= cache.tags is not None

    def named(self, name: str, without: Collection[str] = ()) -> list[ImageCache]:
        """Return those of a name in the list that was read, without these IDs."""
        return [cache for cache in self._names.get(name, ()) if cache.id not in without]

    def get(self, image_cache_id: str) -> ImageCache | None:
        """Return the one with this ID; listed alone if the list that was read may have missed it. Raises EciError."""
        found = self._ids.get(image_cache_id)
        return found if found or self.complete else self._api.get(image_cache_id)

    def shows(self, image_cache_id: str | None) -> ImageCache | None:
        """Return the one with this ID in the list that was read."""
        return self._ids.get(image_cache_id or "")


def find_carriers(api: ImageCachesApi, tags: Iterable[Tag], concurrency: int) -> dict[tuple[str, str], set[str]]:
    """Return the IDs of the image caches that carry each of these tags, as far as the filter of the list proves it.

    For a service whose replies show no tags. What the filter does is not documented. So each tag is asked for alone, and
    counts only if the filter finds nothing for its key with a random value. A tag without a proof is sent once more.
    """
    carriers: dict[tuple[str, str], set[str]] = {}
    proven: set[str] = set()

    def ask(tag: tuple[str, str]) -> None:
        with contextlib.suppress(EciError):
            found = api.find(tags=[Tag(key=tag[0], value=tag[1])])
            if found.caches and not found.idless:
                carriers[tag] = {cache.id for cache in found.caches}

    def ask_control(key: str) -> None:
        with contextlib.suppress(EciError):
            found = api.find(tags=[Tag(key=key, value=uuid.uuid4().hex)])
            if not (found.caches or found.unreadable):
                proven.add(key)

    unique = {(tag["key"], tag["value"]) for tag in tags if tag["value"]}  # an empty value may match any
    for_each(sorted(unique), ask, concurrency)
    for_each(sorted({key for key, _value in carriers}), ask_control, concurrency)
    return {tag: ids for tag, ids in carriers.items() if tag[0] in proven}


def _unlistable(why: str, reply: Reply) -> Unanswered:
    return Unanswered(
        f"The list of image caches cannot be read: {why}.", operation=LIST.name, request_id=reply.request_id
    )
