# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at the service without changing anything in it. Private to the collection.

What a request that only asks is refused for, or answered oddly, is not seen, and that is all; whatever concerns every
request (the keys, the network, the pace) ends the check.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import Any, Callable, Mapping

from .._api import region as regions
from .._errors import AuthenticationError, EciError, QuotaUsedUp, ServiceError, Throttled, Unanswered
from .._image_cache.image_cache import ImageCache, from_wire
from .._image_cache.operations import DESCRIBE, LIST, ImageCaches, Listing
from .._api.client import Client
from .._api.responses import GOOD_STATUS_CODES, HttpReply
from .._api.transport import Operation
from .habits import OTHER
from .seen import Missing, Seen

# What says nothing about a single request.
_OF_ALL = (AuthenticationError, QuotaUsedUp, Throttled)
# Asked once: a failure is an answer here.
_MISSING = DESCRIBE._replace(repeatable=False)
_SHORTEST_NAME = 4


class Observer:
    """Looks, and writes down into ``seen`` what it saw. Methods raise EciError."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.caches = ImageCaches(client)
        self.seen = Seen()
        self.warnings: list[str] = []
        self._objects: list[dict[str, Any]] = []
        self._filters: dict[str, Any] = {}
        client.hear = self._hear

    def read(self) -> None:
        """Look at all that can be seen without an image cache of one's own."""
        self.read_list()
        self._read_limited()
        self._read_missing()
        self._read_region()
        named = next(filter(_has_good_name, self._listed), None)
        if named:
            self.ask_names(named)
        with_images = next((cache for cache in self._listed if cache.images), None)
        if with_images:
            self.ask_images(with_images)
        tagged = next((cache for cache in self._listed if _good_tags(cache)), None)
        if tagged:
            self.ask_tags(tagged, _good_tags(tagged))
        anyone = named or with_images
        if anyone:
            self.ask_filters(anyone)

    def read_list(self) -> None:
        """Read the whole list, and how it is made."""
        self._objects = []
        self._find_all()
        pages = self._objects
        seen = self.seen
        seen.items, seen.pages, seen.totals = [], [], []
        for page in pages:
            items = [item for item in page.get("imageCaches") or [] if isinstance(item, dict)]
            seen.items += items
            seen.pages.append(len(items))
            seen.totals.append(page.get("total"))
            if not page.get("nextToken"):
                break  # it may have been read again
            seen.tokens.append(page["nextToken"])

    def ask_names(self, cache: ImageCache) -> None:
        """Ask for an image cache by its name, and by parts of it."""
        name = cache.name
        asked = {
            "whole": name,
            "beginning": name[:-1],
            "end": name[1:],
            "nobody's": uuid.uuid4().hex,
        }
        if name.swapcase() != name:
            asked["capitals"] = name.swapcase()
        self.seen.names = {key: self.finds(cache, imageCacheName=text) for key, text in asked.items()}

    def ask_images(self, cache: ImageCache) -> None:
        """Ask for an image cache by one of its images, and by one that nobody has."""
        own, nobodys = (cache.images or [])[:1], f"wire-check.invalid/{uuid.uuid4().hex}:none"
        asked = {"own": own, "one of two": [*own, nobodys], "nobody's": [nobodys]}
        self.seen.images = {key: self.finds(cache, images=images) for key, images in asked.items()}

    def ask_tags(self, cache: ImageCache, own: list[dict[str, str]]) -> None:
        """Ask for an image cache by a tag that it has, and by tags that nobody has."""
        nobodys = _tag()
        asked = {
            "own": own[:1],
            "other value": [{**own[0], "value": nobodys["value"]}],
            "one of two": [own[0], nobodys],
            "nobody's": [nobodys],
        }
        self.seen.tags = {key: self.finds(cache, tags=tags) for key, tags in asked.items()}

    def ask_filters(self, cache: ImageCache) -> None:
        """Ask for an image cache by its ID and something that nobody has."""
        nobodys: dict[str, dict[str, Any]] = {
            "name": {"imageCacheName": uuid.uuid4().hex},
            "images": {"images": [f"wire-check.invalid/{uuid.uuid4().hex}:none"]},
            "tags": {"tags": [_tag()]},
        }
        identifier = cache.image_cache_id
        self.seen.filters = {
            key: self.finds(cache, imageCacheId=identifier, **filters) for key, filters in nobodys.items()
        }

    def finds(self, cache: ImageCache, **filters: Any) -> bool | None:
        """Whether a list with these filters shows an image cache, None if it is refused."""

        def find() -> bool:
            listing = self._find(filters)
            return any(found.image_cache_id == cache.image_cache_id for found in listing.caches)

        found: bool | None = self._tried(find)
        return found

    def item(self, image_cache_id: str) -> dict[str, Any] | None:
        """What the list shows of an image cache, as it came."""
        self._objects = []
        self._find({"imageCacheId": image_cache_id})
        items = [item for page in self._objects for item in page.get("imageCaches") or []]
        return next((item for item in items if _id_of(item) == image_cache_id), None)

    def last_object(self) -> dict[str, Any]:
        """The returnObj of the last good reply."""
        return self._objects[-1] if self._objects else {}

    @property
    def _listed(self) -> list[ImageCache]:
        return [cache for cache in map(from_wire, self.seen.items) if cache and not cache.is_going]

    def _find_all(self) -> None:
        try:
            self._find({})
        except ServiceError as refused:
            if isinstance(refused, _OF_ALL) or self._filters:
                raise
            self._find_with_images(refused)
        self.seen.needs_images = bool(self._filters)

    def _find_with_images(self, refused: ServiceError) -> None:
        """Find out whether a list is refused since it has no images."""
        self._filters = {"images": []}
        try:
            self._find({})
        except ServiceError:
            raise refused from None
        with contextlib.suppress(ServiceError):
            self.client.call(LIST, {})
            self._filters = {}  # that was a refusal of the moment
        self._objects = []
        self._find({})

    def _find(self, filters: Mapping[str, Any]) -> Listing:
        return self.caches.find(**{**self._filters, **filters})

    def _read_limited(self) -> None:
        def limited() -> int:
            found = self.client.call(LIST, {**self._filters, "limit": 1}).obj
            if found.get("nextToken"):
                self.seen.tokens.append(found["nextToken"])
            items = found.get("imageCaches")
            return len(items) if isinstance(items, list) else 0

        self.seen.limited = self._tried(limited)

    def _read_missing(self) -> None:
        try:
            found = self.client.call(_MISSING, identifier=f"imc-{uuid.uuid4().hex[:16]}").obj
        except EciError as error:
            if isinstance(error, _OF_ALL) or error.http_status is None:
                raise
            self.seen.missing = Missing(error.http_status, error.code or "?")
        else:
            self.seen.missing = None if found.get("imageCacheId") else Missing(200, "")

    def _read_region(self) -> None:
        wanted = self.client.connection.region_id
        for habit, operation, query in (("asked", regions.REGION, ""), ("query", regions.REGION_IN_QUERY, wanted)):
            told = self._tried(self._region, operation, query)
            if told == wanted:
                self.seen.region = habit
            if told is None or told == wanted:
                return
        self.seen.region = OTHER

    def _region(self, operation: Operation, query: str) -> str | None:
        """The region that the service names, None if it names none."""
        found = self.client.call(operation, identifier=query).obj.get("region")
        told = found if isinstance(found, dict) else {}
        zones = told.get("zones")
        self.seen.zones = zones if isinstance(zones, list) else []
        return str(told["regionId"]) if told.get("regionId") else None

    def _tried(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """What was asked, None if that was refused."""
        try:
            return ask(*arguments)
        except (ServiceError, Unanswered) as error:
            if isinstance(error, _OF_ALL):
                raise
            self.warnings.append(f"Not seen: {error.message}")
            return None

    def _hear(self, reply: HttpReply) -> None:
        try:
            envelope = json.loads((reply.content or b"").decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return
        if not isinstance(envelope, dict) or str(envelope.get("statusCode")) not in GOOD_STATUS_CODES:
            return
        payload = envelope.pop("returnObj", None)
        self.seen.envelopes.append(envelope)
        self._objects.append(payload if isinstance(payload, dict) else {})


def _id_of(item: Any) -> Any:
    return item.get("imageCacheId") if isinstance(item, dict) else None


def _has_good_name(cache: ImageCache) -> bool:
    """Whether the beginning of its name is not its end, and it has capitals to change."""
    name = cache.name
    return len(name) >= _SHORTEST_NAME and not name.startswith(name[1:]) and name.swapcase() != name


def _good_tags(cache: ImageCache) -> list[dict[str, str]]:
    return [tag for tag in cache.shown_tags if tag["key"] and tag["value"]]


def _tag() -> dict[str, str]:
    return {"key": f"wire-check-{uuid.uuid4().hex[:8]}", "value": uuid.uuid4().hex}
