# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated service: its state and its rules, without HTTP."""

from __future__ import annotations

import heapq
import random
import string
import threading
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import rules
from .caches import Cache
from .clock import Clock
from .errors import ServiceError
from .settings import Settings

_ALPHABET = string.ascii_lowercase + string.digits
_DAY = 86400.0
_DEFAULT_LIMIT = 1000
_DEFAULT_SIZE = 20
_KEPT = ["vpcId", "vSwitchId", "securityGroupId", "retentionDays", "eip"]


class Answer(NamedTuple):
    value: dict[str, Any]
    effect: bool = False


class Service:
    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self._lock = threading.RLock()
        self._caches: dict[str, Cache] = {}
        self._departures: list[tuple[float, str]] = []

    def perform(self, operation: str, region: str | None, identifier: str, body: object) -> Answer:
        with self._lock:
            self._check_region(region)
            self._remove_departed()
            match operation:
                case "createImageCache":
                    return self._create(_valid(rules.CREATE, body))
                case "describeImageCaches":
                    return self._list(_valid(rules.LIST, body))
                case "describeImageCache":
                    return self._describe(identifier)
                case "deleteImageCache":
                    return self._delete(identifier)
                case "updateImageCache":
                    return self._update(_valid(rules.UPDATE, body))
                case "region":
                    return self._region()
                case "listUsage":
                    return self._usage()
            raise ServiceError("NotFound", "no such operation")

    def caches(self) -> list[dict[str, Any]]:
        """Every cache there is, with what the replies never show, except passwords."""
        with self._lock:
            self._remove_departed()
            now = self.clock.now()
            return [cache.internal(now) for cache in self._caches.values()]

    def seed(
        self,
        imageCacheName: str,  # noqa: N803
        images: list[str],
        status: str = "ready",
        **fields: Any,
    ) -> str:
        """Put a cache in place that has this status for good. No quota, no validation, no list lag."""
        with self._lock:
            now = self.clock.now()
            return self._add({"imageCacheName": imageCacheName, "images": images, **fields}, now, now, status, now)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.clock.advance(seconds)

    def reset(self) -> None:
        with self._lock:
            self._caches.clear()
            self._departures.clear()
            self.clock.reset()

    def _check_region(self, region: str | None) -> None:
        if not region:
            raise ServiceError("BadRequest", "the regionId header is required")
        if region != self.settings.region_id:
            raise ServiceError("NotFound", "regionId: no such region")

    def _create(self, body: dict[str, Any]) -> Answer:
        settings, now = self.settings, self.clock.now()
        if settings.show_unknown_zone_error and body["azInfo"]["azName"] not in settings.zones:
            raise ServiceError("Invalid", "azInfo.azName: no such zone in this region")
        if settings.unique_names and any(c.name == body["imageCacheName"] for c in self._caches.values()):
            raise ServiceError("AlreadyExists", "imageCacheName: there is an image cache of this name")
        if len(self._caches) >= settings.quota:
            raise ServiceError("QuotaExceed", "imageCacheCount: the quota is used up")
        broken = any(part in image for image in body["images"] for part in settings.fail_images)
        outcome = "failed" if broken else "ready"
        identifier = self._add(body, now, now + settings.ready_after, outcome, now + settings.list_lag)
        return Answer({"requestId": _request_id(), "imageCacheId": identifier}, effect=True)

    def _add(self, body: dict[str, Any], now: float, settled: float, outcome: str, visible_from: float) -> str:
        identifier = body.get("imageCacheId") or "imc-" + "".join(random.choices(_ALPHABET, k=16))
        rest = {name: body[name] for name in _KEPT if name in body}
        if "imageRegistryCredentials" in body:
            rest["imageRegistryCredentials"] = [
                {name: value for name, value in entry.items() if name != "password"}
                for entry in body["imageRegistryCredentials"]
            ]
        cache = self._caches[identifier] = Cache(
            identifier=identifier,
            name=body["imageCacheName"],
            images=list(body["images"]),
            size=body.get("imageCacheSize", _DEFAULT_SIZE),
            zone=body.get("azInfo", {}).get("azName") or body.get("azName") or self.settings.zones[0],
            created=now,
            settled=settled,
            outcome=outcome,
            order=uuid.uuid4().hex,
            visible_from=visible_from,
            tags=[dict(tag) for tag in body.get("tags") or []],
            rest=rest,
            broken_images=[i for i in body["images"] if any(part in i for part in self.settings.fail_images)],
        )
        if body.get("retentionDays"):
            self._depart(cache, now + body["retentionDays"] * _DAY)
        return identifier

    def _list(self, body: dict[str, Any]) -> Answer:
        now = self.clock.now()
        found = list(self._matching(body, now))
        start = _offset(body.get("nextToken", ""))
        end = start + min(body.get("limit") or _DEFAULT_LIMIT, self.settings.max_page)
        reply: dict[str, Any] = {
            "requestId": _request_id(),
            "imageCaches": [cache.described(now, self.settings.tags_shown) for cache in found[start:end]],
            "total": len(found),
        }
        if end < len(found):
            reply["nextToken"] = f"{int(now)}.{len(found)}.{end}"
        return Answer(reply)

    def _matching(self, body: dict[str, Any], now: float) -> Iterator[Cache]:
        identifier, name = body.get("imageCacheId"), body.get("imageCacheName")
        images = body.get("images") or []
        tags = (body.get("tags") or []) if self.settings.tags_filter else []
        fuzzy = self.settings.name_match == "fuzzy"
        for cache in self._caches.values():
            if identifier and cache.identifier != identifier:
                continue
            if name and cache.name != name and not (fuzzy and name in cache.name):
                continue
            if cache.visible_from <= now and cache.has_images(images) and cache.has_tags(tags):
                yield cache

    def _describe(self, identifier: str) -> Answer:
        cache, now = self._found(identifier), self.clock.now()
        reply = cache.described(now, self.settings.tags_shown)
        return Answer({"requestId": _request_id(), **reply, "events": cache.events(now)})

    def _delete(self, identifier: str) -> Answer:
        cache = self._found(identifier)
        if cache.deleting:
            if self.settings.delete_again == "conflict":
                raise ServiceError("Conflict", "the image cache is being deleted")
            return Answer({"requestId": _request_id()})
        if self.settings.delete_after > 0:
            cache.deleting = True
            self._depart(cache, self.clock.now() + self.settings.delete_after)
        else:
            del self._caches[identifier]
        return Answer({"requestId": _request_id()}, effect=True)

    def _update(self, body: dict[str, Any]) -> Answer:
        cache = self._found(body["imageCacheId"])
        if cache.deleting:
            raise ServiceError("Conflict", "the image cache is being deleted")
        before = cache.tags
        if "tags" in body:
            tags = [dict(tag) for tag in body["tags"]]
            if self.settings.tags_update == "merge":
                cache.merge_tags(tags)
            else:
                cache.tags = tags
        return Answer({"requestId": _request_id()}, effect=cache.tags != before)

    def _region(self) -> Answer:
        return Answer({"region": {"regionId": self.settings.region_id, "zones": list(self.settings.zones)}})

    def _usage(self) -> Answer:
        kinds = (
            ("memory", "按量实例Memory总数量上限", "用户可拥有的按量实例Memory的最大数量", 1000, 0),
            (
                "imageCacheCount",
                "镜像缓存总数量上限",
                "用户可拥有的镜像缓存最大数量",
                self.settings.quota,
                len(self._caches),
            ),
            ("gpu", "按量实例GPU总数量上限", "用户可拥有的按量实例GPU的最大数量", 10, 0),
            ("cpu", "按量实例CPU总数量上限", "用户可拥有的按量实例CPU的最大数量", 400, 0),
        )
        names = ("resourceType", "resourceName", "resourceDescription", "resourceLimit", "resourceUsed")
        records = [dict(zip(names, kind, strict=True)) for kind in kinds]
        return Answer({"requestId": _request_id(), "records": records})

    def _found(self, identifier: str) -> Cache:
        cache = self._caches.get(identifier)
        if cache is None:
            raise ServiceError("NotFound", "imageCacheId: no such image cache")
        return cache

    def _depart(self, cache: Cache, moment: float) -> None:
        cache.gone_at = moment
        heapq.heappush(self._departures, (moment, cache.identifier))

    def _remove_departed(self) -> None:
        now = self.clock.now()
        while self._departures and self._departures[0][0] <= now:
            moment, identifier = heapq.heappop(self._departures)
            cache = self._caches.get(identifier)
            # A deletion before the end of the retention leaves an older entry behind.
            if cache is not None and cache.gone_at == moment:
                del self._caches[identifier]


def _valid(check: rules.Check, body: object) -> dict[str, Any]:
    check(body, "")
    assert isinstance(body, dict)
    return body


def _request_id() -> str:
    return str(uuid.uuid4())


def _offset(token: str) -> int:
    if not token:
        return 0
    parts = token.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ServiceError("Invalid", "nextToken: not a token of this service")
    return int(parts[2])
