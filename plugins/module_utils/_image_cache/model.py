# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image cache, its tags and the meaning of its status. Private to the collection."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Iterable, List, Mapping, TypedDict

from .._text import Redact, option_name

# In GB; createImageCache uses it where no size is given, see docs/api_notes.md.
DEFAULT_SIZE = 20


class Tag(TypedDict):
    """A tag of an image cache."""

    key: str
    value: str


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

READY = "ready"
FAILED = "failed"
DELETING = "deleting"
DELETED = "deleted"
PENDING = "pending"

# CTYun lists no statuses. Known are ``pending`` (an example) and ``ready`` (a reply printed in its SDK); the other words
# are those that cloud services use. A status is split into words, so that ``delete_failed`` differs from ``deleting``,
# and ``NotReady`` from ``ready``. A status in no row is waited on.
_FAILED_WORDS = frozenset({"fail", "failed", "failure", "error", "errored"})
_DELETED_WORDS = frozenset({"deleted", "terminated"})
_DELETING_WORDS = frozenset({"deleting", "terminating", "removing", "releasing", "destroying"})
_DELETION_WORDS = _DELETING_WORDS | _DELETED_WORDS | {"delete", "deletion", "terminate", "remove", "release", "destroy"}

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)? ?(?:Z|UTC|GMT|([+-]\d\d):?(\d\d))?", re.ASCII)


@dataclass(frozen=True)
class ImageCache:
    """An image cache. A field that the service does not return, or that is unknown before a create, is None."""

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
    def size(self) -> int:
        """The size in GB, the default one where the service returns none."""
        return DEFAULT_SIZE if self.image_cache_size is None else self.image_cache_size

    @property
    def is_ready(self) -> bool:
        """True if it can be used."""
        return meaning(self.status) == READY

    @property
    def has_failed(self) -> bool:
        """True if it will not become ready."""
        return meaning(self.status) == FAILED

    @property
    def is_deleting(self) -> bool:
        """True if its deletion is under way, or done."""
        return meaning(self.status) in (DELETING, DELETED)

    @property
    def is_deleted(self) -> bool:
        """True if its deletion is done, though it is still listed."""
        return meaning(self.status) == DELETED

    @property
    def deletion_failed(self) -> bool:
        """True if its deletion failed, so that it is still there."""
        return self.has_failed and not _DELETION_WORDS.isdisjoint(_words(self.status))

    @property
    def created_at(self) -> float | None:
        """The time of creation in seconds since the epoch, None if unknown."""
        return seconds_since_epoch(self.creation_time)

    @property
    def age_order(self) -> tuple[float, str]:
        """A sort key, the oldest first, equal for every client."""
        created_at = self.created_at
        return (float("inf") if created_at is None else created_at, self.id)

    def as_dict(self) -> dict[str, Any]:
        """Return its fields for a result, always with the same keys."""
        return {key: getattr(self, key) for key in _KEYS}


_KEYS = [field.name for field in fields(ImageCache)]


@functools.lru_cache(maxsize=64)
def meaning(status: str | None) -> str:
    """Return READY, FAILED, DELETING, DELETED or PENDING for a status."""
    words = _words(status)
    if words == ("ready",):  # the whole status: "not_ready" is not
        return READY
    if not _FAILED_WORDS.isdisjoint(words):
        return FAILED
    if not _DELETED_WORDS.isdisjoint(words):
        return DELETED
    return PENDING if _DELETING_WORDS.isdisjoint(words) else DELETING


def _words(status: str | None) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", status or ""))


def seconds_since_epoch(text: str | None) -> float | None:
    """Read a time of the service; None if that is not possible. One without an offset is in UTC.

    CTYun's examples end in Z or in an offset. Other common forms are read as well, the same by every Python: a blank for
    the T, +0800, any number of decimals, milliseconds since the epoch, RFC 1123.
    """
    text = (text or "").strip()
    try:
        if text.isdigit() and len(text) <= 13:
            return int(text) / (1000 if len(text) > 11 else 1)
        match = _TIME.fullmatch(text)
        if match:
            day, time, fraction, hours, minutes = match.groups()
            when = datetime.fromisoformat(f"{day}T{time}{hours or '+00'}:{minutes or '00'}")
            return when.timestamp() + float(fraction or 0)
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def from_wire(item: Any, redact: Redact = str) -> ImageCache | None:
    """Parse an object of a reply; None if it has no usable ID. A field of another type than documented counts as missing.

    Texts that may say anything are redacted.
    """
    source = item if isinstance(item, dict) else {}
    if not usable_id(source.get("imageCacheId")):
        return None
    values = {option_name(field): _typed(kind, source.get(field)) for field, kind in _FIELDS.items()}
    for field in ("status", "process"):
        if not (values[field] or "").replace("_", "").isalpha():  # a password may be a word such as "ready"
            values[field] = redact(values[field] or "") or None
    if values["images"] is not None:
        values["images"] = [image for image in values["images"] if isinstance(image, str)]
    if values["tags"] is not None:
        values["tags"] = normal_tags(tag for tag in values["tags"] if isinstance(tag, dict))
    return ImageCache(**values)


def usable_id(value: Any) -> str | None:
    """Return the ID of an image cache, None for anything but a printable text: IDs stand in messages."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def predicted(body: Mapping[str, Any]) -> ImageCache:
    """Return the image cache that a body of createImageCache leads to, as far as that is known before."""
    return ImageCache(
        image_cache_name=body.get("imageCacheName"),
        images=body.get("images"),
        image_cache_size=body.get("imageCacheSize"),
        az_name=body.get("azInfo", {}).get("azName"),
        tags=normal_tags(body["tags"]) if body.get("tags") else None,
    )


def normal_tags(tags: Iterable[Mapping[str, Any]]) -> Tags:
    """Return tags with both fields in a fixed order, so that they can be compared."""
    return sorted(
        (Tag(key=str(tag.get("key") or ""), value=str(tag.get("value") or "")) for tag in tags),
        key=lambda tag: (tag["key"], tag["value"]),
    )


def remaining(caches: Iterable[ImageCache]) -> list[ImageCache]:
    """Return those whose deletion is not under way, the oldest first."""
    return sorted((cache for cache in caches if not cache.is_deleting), key=lambda cache: cache.age_order)


def ids(caches: Iterable[ImageCache]) -> str:
    """Return the IDs for a message."""
    return ", ".join(cache.id or "(none)" for cache in caches)


def _typed(kind: type, value: Any) -> Any:
    # True is no number, an empty text no name
    return value if isinstance(value, kind) and not isinstance(value, bool) and value != "" else None
