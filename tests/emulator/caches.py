# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image cache: what it is at a given time, and what the replies say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Tags = list[dict[str, str]]

_BEIJING = timezone(timedelta(hours=8))


def beijing(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, _BEIJING).isoformat(timespec="seconds")


@dataclass
class Cache:
    identifier: str
    name: str
    images: list[str]
    size: int
    zone: str
    created: float
    settled: float
    outcome: str
    order: str
    visible_from: float
    tags: Tags = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)
    broken_images: list[str] = field(default_factory=list)
    deleting: bool = False
    gone_at: float | None = None

    def status(self, now: float) -> str:
        if self.deleting:
            return "deleting"
        return self.outcome if now >= self.settled else "pending"

    def described(self, now: float, show_tags: bool) -> dict[str, Any]:
        reply: dict[str, Any] = {
            "imageCacheId": self.identifier,
            "imageCacheName": self.name,
            "imageCacheSize": self.size,
            "images": list(self.images),
            "status": self.status(now),
            "creationTime": beijing(self.created),
            "azName": self.zone,
        }
        if show_tags and self.tags:
            reply["tags"] = [dict(tag) for tag in self.tags]
        return reply

    def internal(self, now: float) -> dict[str, Any]:
        reply = self.described(now, show_tags=False)
        return {**reply, "tags": [dict(tag) for tag in self.tags], **self.rest}

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

    def has_images(self, wanted: list[str]) -> bool:
        return all(image in self.images for image in wanted)

    def has_tags(self, wanted: Tags) -> bool:
        return all(any(pair.items() <= tag.items() for tag in self.tags) for pair in wanted)

    def merge_tags(self, tags: Tags) -> None:
        keys = {tag.get("key") for tag in tags}
        self.tags = [tag for tag in self.tags if tag.get("key") not in keys] + tags

    def _history(self) -> list[tuple[float, str, str]]:
        ordered = self.created + (self.settled - self.created) / 4
        history = [
            (self.created, "Normal", "[ImageCache] created"),
            (self.created, "Normal", "[ImageCache] init"),
            (self.created, "Normal", "[ImageCache] creating resource"),
            (ordered, "Normal", f"[ImageCache] create disk order:{self.order}"),
        ]
        # Invented from here on: nothing is documented about the events after the disk order.
        if self.outcome.lower() == "ready":
            history += [(self.settled, "Normal", f"[ImageCache] pulled image {image}") for image in self.images]
            history.append((self.settled, "Normal", "[ImageCache] ready"))
        elif "fail" in self.outcome.lower():
            history += [
                (self.settled, "Warning", f"[ImageCache] failed to pull image {image}: not found")
                for image in self.broken_images or self.images[:1]
            ]
            history.append((self.settled, "Warning", "[ImageCache] failed"))
        return history
