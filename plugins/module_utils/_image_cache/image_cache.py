# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image cache, as the service shows it or as it is going to be. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping

from .._names import option_name
from . import status as statuses

# In GB, what the service takes where no size is given, see docs/wire.md.
DEFAULT_SIZE = 20

Tag = Dict[str, str]
Tags = List[Tag]

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


@dataclass(frozen=True)
class ImageCache:
    """An image cache. What the service does not return, or is not known before it exists, is None."""

    image_cache_id: str | None = None
    image_cache_name: str | None = None
    images: list[str] | None = None
    image_cache_size: int | None = None
    status: str | None = None
    creation_time: str | None = None
    az_name: str | None = None
    tags: Tags | None = None
    process: str | None = None
    resource_group_id: str | None = None
    expire_date_time: str | None = None
    last_matched_time: str | None = None
    events: list[dict[str, Any]] | None = None

    @property
    def id(self) -> str:
        """The ID, or an empty text."""
        return self.image_cache_id or ""

    @property
    def name(self) -> str:
        """The name, or an empty text."""
        return self.image_cache_name or ""

    @property
    def shown_tags(self) -> Tags:
        """The tags that the service shows, none where it shows no tags at all."""
        return self.tags or []

    @property
    def is_ready(self) -> bool:
        """Whether it can be used."""
        return statuses.meaning(self.status) == statuses.GOOD

    @property
    def has_failed(self) -> bool:
        """Whether it will not become ready."""
        return statuses.meaning(self.status) == statuses.BAD

    @property
    def is_going(self) -> bool:
        """Whether its deletion is under way."""
        return statuses.meaning(self.status) == statuses.GOING

    @property
    def deletion_failed(self) -> bool:
        """Whether it was to be deleted and is still there."""
        return statuses.is_failed_deletion(self.status)

    @property
    def created_at(self) -> float | None:
        """When it was created, in seconds since the epoch, None if that is not told. CTYun's examples show UTC with a Z,
        and an offset.
        """
        try:
            when = datetime.fromisoformat((self.creation_time or "").replace("Z", "+00:00"))
            return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
        except (ValueError, OverflowError):
            return None

    @property
    def age_order(self) -> tuple[float, str]:
        """What puts image caches into one order, the eldest first, that every client computes alike."""
        created_at = self.created_at
        return (float("inf") if created_at is None else created_at, self.id)

    def with_tags(self, tags: Tags | None) -> ImageCache:
        """The same with these tags."""
        return replace(self, tags=tags)

    def with_events(self, events: list[dict[str, Any]]) -> ImageCache:
        """The same with these events."""
        return replace(self, events=events)

    def as_dict(self) -> dict[str, Any]:
        """What a task returns of it: always the same keys."""
        return {key: getattr(self, key) for key in KEYS}


KEYS = [field.name for field in fields(ImageCache)]


def from_wire(item: Any) -> ImageCache | None:
    """The image cache that an object of a reply is, None if it has no ID.

    A field of another type than documented is taken as not returned.
    """
    source = item if isinstance(item, dict) else {}
    if not _of_kind(str, source.get("imageCacheId")):
        return None
    values = {option_name(field): _of_kind(kind, source.get(field)) for field, kind in _FIELDS.items()}
    if values["images"] is not None:
        values["images"] = [image for image in values["images"] if isinstance(image, str)]
    if values["tags"] is not None:
        values["tags"] = normal_tags(tag for tag in values["tags"] if isinstance(tag, dict))
    return ImageCache(**values)


def predicted(body: Mapping[str, Any]) -> ImageCache:
    """The image cache that a body of createImageCache leads to, as far as that is known before."""
    return ImageCache(
        image_cache_name=body.get("imageCacheName"),
        images=body.get("images"),
        image_cache_size=body.get("imageCacheSize"),
        az_name=body.get("azInfo", {}).get("azName"),
        tags=normal_tags(body["tags"]) if body.get("tags") else None,
    )


def normal_tags(tags: Iterable[Mapping[str, Any]]) -> Tags:
    """Tags with both fields, in a fixed order, so that they can be compared."""
    return sorted(
        ({"key": str(tag.get("key") or ""), "value": str(tag.get("value") or "")} for tag in tags),
        key=lambda tag: (tag["key"], tag["value"]),
    )


def ids(caches: Iterable[ImageCache]) -> str:
    """The IDs of image caches, for a message."""
    return ", ".join(cache.id or "(none)" for cache in caches)


def _of_kind(kind: type, value: Any) -> Any:
    # a true is no number, an empty text no name
    return value if isinstance(value, kind) and not isinstance(value, bool) and value != "" else None
