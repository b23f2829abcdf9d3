# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image cache: what it is at a given time, and what the replies say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .settings import Settings

Tags = list[dict[str, str]]

_BEIJING = timezone(timedelta(hours=8))
# Fields that only the types of CTYun's SDK have.
_UNSET = ("process", "resourceGroupId", "expireDateTime", "lastMatchedTime")


def beijing(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, _BEIJING).isoformat(timespec="seconds")


def creation_time(seconds: float, form: str) -> str:
    if form == "offset":
        return beijing(seconds)
    utc = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{utc}Z" if form == "utc" else utc


def with_prefix(image: str, prefix: str) -> str:
    """Return the image as the service writes it, which names the registry that others leave out."""
    host, slash, _rest = image.partition("/")
    named = slash and ("." in host or ":" in host or host == "localhost")
    return image if named else prefix + image


@dataclass
class Cache:
    identifier: str
    name: str
    images: list[str]
    size: int
    zone: str
    created: float
    ready_at: float
    outcome: str
    good: bool | None
    order: str
    visible_from: float
    tags: Tags = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)
    broken_images: list[str] = field(default_factory=list)
    deleting: bool = False
    gone_at: float | None = None
    # when each deletion that fails began, and when it ends
    failed_deletions: list[tuple[float, float]] = field(default_factory=list)

    def is_deleting(self, now: float) -> bool:
        return self.deleting or (bool(self.failed_deletions) and now < self.failed_deletions[-1][1])

    def status(self, now: float, settings: Settings) -> str:
        if self.is_deleting(now):
            return settings.deleting_status
        if self.failed_deletions:
            return settings.delete_failed_status
        return self.outcome if now >= self.ready_at else settings.pending_status

    def described(self, now: float, settings: Settings) -> dict[str, Any]:
        prefix = settings.image_prefix
        reply: dict[str, Any] = {
            "imageCacheId": self.identifier,
            "imageCacheName": self.name,
            "imageCacheSize": self.size,
            "images": [with_prefix(image, prefix) for image in self.images] if prefix else list(self.images),
            "status": self.status(now, settings),
            "creationTime": creation_time(self.created, settings.time_form),
            "azName": self.zone,
        }
        if settings.null_fields:
            reply.update(dict.fromkeys(("tags", *_UNSET)))
        if settings.expiry_shown and self.rest.get("retentionDays"):
            expires = self.created + self.rest["retentionDays"] * 86400
            reply["expireDateTime"] = creation_time(expires, settings.time_form)
        if settings.tags_shown and self.tags:
            reply["tags"] = [dict(tag) for tag in self.tags]
        return reply

    def internal(self, now: float, settings: Settings) -> dict[str, Any]:
        """All there is to know, with the images as they were sent."""
        hidden = {"images": list(self.images), "tags": [dict(tag) for tag in self.tags], **self.rest}
        return {**self.described(now, settings), **hidden}

    def events(self, now: float) -> list[dict[str, Any]]:
        happened = [entry for entry in self._history() if entry[0] <= now]
        return [
            {
                "type": kind,
                "message": message,
                "name": f"{self.identifier}.{int(moment * 1e9) + number:016x}",
                "count": 1,
                "firstTimestamp": beijing(moment),
                "lastTimestamp": beijing(moment),
            }
            for number, (moment, kind, message) in enumerate(happened)
        ]

    def has_name(self, wanted: str, match: str) -> bool:
        if match == "fuzzy":
            return wanted in self.name
        return self.name.startswith(wanted) if match == "prefix" else self.name == wanted

    def has_images(self, wanted: list[str], prefix: str, one_is_enough: bool) -> bool:
        own = {with_prefix(image, prefix) for image in self.images}
        found = (with_prefix(image, prefix) in own for image in wanted)
        return any(found) if one_is_enough else all(found)

    def has_tags(self, wanted: Tags, one_is_enough: bool) -> bool:
        found = (any(pair.items() <= tag.items() for tag in self.tags) for pair in wanted)
        return any(found) if one_is_enough else all(found)

    def merge_tags(self, tags: Tags) -> None:
        keys = {tag.get("key") for tag in tags}
        self.tags = [tag for tag in self.tags if tag.get("key") not in keys] + tags

    def _history(self) -> list[tuple[float, str, str]]:
        ordered = self.created + (self.ready_at - self.created) / 4
        history = [
            (self.created, "Normal", "[ImageCache] created"),
            (self.created, "Normal", "[ImageCache] init"),
            (self.created, "Normal", "[ImageCache] creating resource"),
            (ordered, "Normal", f"[ImageCache] create disk order:{self.order}"),
        ]
        # Invented from here on: nothing is documented about the events after the disk order.
        if self.good:
            history += [(self.ready_at, "Normal", f"[ImageCache] pulled image {image}") for image in self.images]
            history.append((self.ready_at, "Normal", "[ImageCache] ready"))
        elif self.good is False:
            history += [
                (self.ready_at, "Warning", f"[ImageCache] failed to pull image {image}: not found")
                for image in self.broken_images or self.images[:1]
            ]
            history.append((self.ready_at, "Warning", "[ImageCache] failed"))
        for began, ended in self.failed_deletions:
            history.append((began, "Normal", "[ImageCache] deleting"))
            history.append((ended, "Warning", "[ImageCache] failed to delete: the disk is in use"))
        return sorted(history, key=lambda entry: entry[0])
