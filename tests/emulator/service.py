# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated service: its state and its rules, without HTTP."""

from __future__ import annotations

import heapq
import itertools
import random
import string
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import rules
from .caches import Cache, Tags
from .clock import Clock
from .errors import ServiceError
from .groups import Groups
from .settings import Settings

_ALPHABET = string.ascii_lowercase + string.digits
_DAY = 86400.0
_DEFAULT_LIMIT = 1000
_DEFAULT_SIZE = 20
# the one in CTYun's example of the operation region
_ANOTHER_REGION = "b342b77ef26b11ecb0ac0242ac110002"
_KEPT = ["vpcId", "vSwitchId", "securityGroupId", "retentionDays", "eip"]


class Answer(NamedTuple):
    value: dict[str, Any]
    effect: bool = False


class Call(NamedTuple):
    operation: str
    region: str | None
    identifier: str
    body: object


class Service:
    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self._lock = threading.RLock()
        self._groups = Groups(self.settings)
        self._caches: dict[str, Cache] = {}
        self._departures: list[tuple[float, str]] = []
        self._postponed: list[tuple[float, int, Call, Callable[[bool], None]]] = []
        self._number = itertools.count()

    def perform(self, operation: str, region: str | None, identifier: str, body: object) -> Answer:
        with self._lock:
            now = self._catch_up()
            return self._perform(Call(operation, region, identifier, body), now)

    def postpone(self, seconds: float, call: Call, note: Callable[[bool], None]) -> None:
        """Perform it as if it came ``seconds`` from now, and note then whether it had an effect."""
        with self._lock:
            heapq.heappush(self._postponed, (self.clock.now() + seconds, next(self._number), call, note))

    def caches(self) -> list[dict[str, Any]]:
        """Every cache there is, with what the replies never show, except passwords."""
        with self._lock:
            now = self._catch_up()
            return [cache.internal(now, self.settings) for cache in self._caches.values()]

    def seed(
        self,
        imageCacheName: str,  # noqa: N803
        images: list[str],
        status: str | None = None,
        age: float = 0.0,
        **fields: Any,
    ) -> str:
        """Put a cache in place that was made ``age`` seconds ago and has this status for good, or is ready. No quota, no
        validation, no list lag.
        """
        with self._lock:
            now = self._catch_up() - age
            body = {"imageCacheName": imageCacheName, "images": images, **fields}
            return self._add(body, now, now, self.settings.ready_status if status is None else status, now)

    def remove(self, identifier: str) -> None:
        """Take a cache away at once."""
        with self._lock:
            self._catch_up()
            del self._caches[self._found(identifier).identifier]

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.clock.advance(seconds)
            self._catch_up()

    def reset(self) -> None:
        with self._lock:
            self._caches.clear()
            self._groups.clear()
            self._departures.clear()
            self._postponed.clear()
            self.clock.reset()

    def _perform(self, call: Call, now: float) -> Answer:
        self._check_region(call.region)
        identifier, body = call.identifier, call.body
        match call.operation:
            case "createImageCache":
                return self._create(_valid(rules.CREATE, body), now)
            case "describeImageCaches":
                return self._list(_valid(rules.LIST, body), now)
            case "describeImageCache":
                return self._describe(identifier, now)
            case "deleteImageCache":
                return self._delete(identifier, now)
            case "updateImageCache":
                return self._update(_valid(rules.UPDATE, body), now)
            case "region":
                return self._region(identifier)
            case "listUsage":
                return self._usage()
        return self._perform_on_groups(call, now)

    def _perform_on_groups(self, call: Call, now: float) -> Answer:
        match call.operation:
            case "createContainerGroup":
                body = _valid(rules.CREATE_GROUP, call.body)
                value = self._groups.create(body, self._cached_images(body, now), now)
            case "describeContainerGroups":
                value = self._groups.listed(_valid(rules.LIST_GROUPS, call.body), now)
            case "describeContainerGroupStatus":
                value = self._groups.statuses(_valid(rules.LIST_GROUPS, call.body), now)
            case "describeContainerGroupEvent":
                value = self._groups.events(_valid(rules.LIST_GROUPS, call.body), now)
            case "deleteContainerGroup":
                value = self._groups.delete(call.identifier)
            case _:
                raise ServiceError("NotFound", "no such operation")
        return Answer({"requestId": _request_id(), **value}, effect=not call.operation.startswith("describe"))

    def _cached_images(self, body: dict[str, Any], now: float) -> list[str]:
        """Return the images of the image cache that a container group names, if it is ready and in the same zone."""
        zone = body["azInfo"][0]["azName"]
        if zone not in self.settings.zones:
            raise ServiceError("Invalid", "azInfo[0].azName: no such zone in this region")
        if not body.get("imageCacheId"):
            return []
        cache = self._found(body["imageCacheId"])
        is_ready = cache.status(now, self.settings) == self.settings.ready_status
        return cache.images if is_ready and cache.zone == zone else []

    def _check_region(self, region: str | None) -> None:
        if not region:
            raise ServiceError("BadRequest", "the regionId header is required")
        if region != self.settings.region_id:
            raise ServiceError("NotFound", "regionId: no such region")

    def _create(self, body: dict[str, Any], now: float) -> Answer:
        settings = self.settings
        zone = body["azInfo"]["azName"]
        body = _rewritten(body, settings)
        if {zone, body["azInfo"]["azName"]}.isdisjoint(settings.zones):
            raise ServiceError("Invalid", "azInfo.azName: no such zone in this region")
        if settings.unique_names and any(c.name == body["imageCacheName"] for c in self._caches.values()):
            raise ServiceError("AlreadyExists", "imageCacheName: there is an image cache of this name")
        if len(self._caches) >= settings.quota:
            raise ServiceError("QuotaExceed", "imageCacheCount: the quota is used up")
        broken = any(part in image for image in body["images"] for part in settings.fail_images)
        outcome = settings.failed_status if broken else settings.ready_status
        identifier = self._add(body, now, now + settings.ready_after, outcome, now + settings.list_lag)
        return Answer({"requestId": _request_id(), "imageCacheId": identifier}, effect=True)

    def _add(self, body: dict[str, Any], now: float, ready_at: float, outcome: str, visible_from: float) -> str:
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
            ready_at=ready_at,
            outcome=outcome,
            good=_is_good(outcome, self.settings),
            order=uuid.uuid4().hex,
            visible_from=visible_from,
            tags=[dict(tag) for tag in body.get("tags") or []],
            rest=rest,
            broken_images=[i for i in body["images"] if any(part in i for part in self.settings.fail_images)],
        )
        if body.get("retentionDays"):
            self._depart(cache, now + body["retentionDays"] * _DAY)
        return identifier

    def _list(self, body: dict[str, Any], now: float) -> Answer:
        settings = self.settings
        if settings.list_needs_images and "images" not in body:
            raise ServiceError("Invalid", "images: is required")
        found = list(self._matching(body, now))
        start = _offset(body.get("nextToken", ""))
        end = start + min(body.get("limit") or _DEFAULT_LIMIT, settings.max_page)
        reply: dict[str, Any] = {
            "requestId": _request_id(),
            "imageCaches": [cache.described(now, settings) for cache in found[start:end]],
        }
        if settings.list_total:
            reply["total"] = len(found)
        if end < len(found):
            reply["nextToken"] = f"{int(now)}.{len(found)}.{end}"
        return Answer(reply)

    def _matching(self, body: dict[str, Any], now: float) -> Iterator[Cache]:
        caches = self._caches.values()
        conditions = self._conditions(body)
        enough = any if conditions and self.settings.filters_match == "any" else all
        for cache in caches if self.settings.list_order == "oldest" else reversed(caches):
            if cache.visible_from <= now and enough(holds(cache) for holds in conditions):
                yield cache

    def _conditions(self, body: dict[str, Any]) -> list[Callable[[Cache], bool]]:
        """What each filter that is given asks of a cache."""
        settings = self.settings
        conditions: list[Callable[[Cache], bool]] = []
        identifier, name, images = body.get("imageCacheId"), body.get("imageCacheName"), body.get("images")
        if identifier:
            conditions.append(lambda cache: cache.identifier == identifier)
        if name and settings.name_match != "off":
            conditions.append(lambda cache: cache.has_name(name, settings.name_match))
        if images and settings.images_filter != "off":
            one = settings.images_filter == "any"
            conditions.append(lambda cache: cache.has_images(images, settings.image_prefix, one))
        tags = _filter(body.get("tags") or [], settings)
        if tags:
            conditions.append(lambda cache: cache.has_tags(tags, settings.tags_filter == "any"))
        return conditions

    def _describe(self, identifier: str, now: float) -> Answer:
        reason = self.settings.missing_reason
        if identifier not in self._caches and reason == "none":
            return Answer({"requestId": _request_id()})
        cache = self._found(identifier, reason)
        reply = cache.described(now, self.settings)
        return Answer({"requestId": _request_id(), **reply, "events": cache.events(now)})

    def _delete(self, identifier: str, now: float) -> Answer:
        cache = self._found(identifier)
        if cache.is_deleting(now):
            if self.settings.delete_again == "conflict":
                raise ServiceError("Conflict", "the image cache is being deleted")
            return Answer({"requestId": _request_id()})
        if self.settings.delete_fails > 0:
            self.settings.delete_fails -= 1
            cache.failed_deletions.append((now, now + self.settings.delete_after))
        elif self.settings.delete_after > 0:
            cache.deleting = True
            self._depart(cache, now + self.settings.delete_after)
        else:
            del self._caches[identifier]
        return Answer({"requestId": _request_id()}, effect=True)

    def _update(self, body: dict[str, Any], now: float) -> Answer:
        cache = self._found(body["imageCacheId"])
        if cache.is_deleting(now):
            raise ServiceError("Conflict", "the image cache is being deleted")
        before = cache.tags
        if "tags" in body:
            tags = [dict(tag) for tag in body["tags"]]
            if self.settings.tags_update == "merge":
                cache.merge_tags(tags)
            else:
                cache.tags = tags
        return Answer({"requestId": _request_id()}, effect=cache.tags != before)

    def _region(self, in_query: str) -> Answer:
        settings = self.settings
        is_asked_for = settings.region_returned == "asked" or (settings.region_returned == "query" and bool(in_query))
        region = settings.region_id if is_asked_for else _ANOTHER_REGION
        return Answer({"region": {"regionId": region, "zones": list(settings.zones)}})

    def _usage(self) -> Answer:
        quota, used = self.settings.quota, len(self._caches)
        kinds = (
            ("memory", "按量实例Memory总数量上限", "用户可拥有的按量实例Memory的最大数量", 1000, 0),
            ("imageCacheCount", "镜像缓存总数量上限", "用户可拥有的镜像缓存最大数量", quota, used),
            ("gpu", "按量实例GPU总数量上限", "用户可拥有的按量实例GPU的最大数量", 10, 0),
            ("cpu", "按量实例CPU总数量上限", "用户可拥有的按量实例CPU的最大数量", 400, 0),
        )
        names = ("resourceType", "resourceName", "resourceDescription", "resourceLimit", "resourceUsed")
        records = [dict(zip(names, kind, strict=True)) for kind in kinds]
        return Answer({"requestId": _request_id(), "records": records})

    def _found(self, identifier: str, reason: str = "NotFound") -> Cache:
        cache = self._caches.get(identifier)
        if cache is None:
            raise ServiceError(reason, "imageCacheId: no such image cache")
        return cache

    def _depart(self, cache: Cache, moment: float) -> None:
        cache.gone_at = moment
        heapq.heappush(self._departures, (moment, cache.identifier))

    def _catch_up(self) -> float:
        """Let happen what is due, each at its own time, and say what time it is now."""
        now = self.clock.now()
        while self._postponed and self._postponed[0][0] <= now:
            moment, _number, call, note = heapq.heappop(self._postponed)
            self._remove_departed(moment)
            try:
                note(self._perform(call, moment).effect)
            except ServiceError:
                # Nobody waits for this answer.
                pass
        self._remove_departed(now)
        return now

    def _remove_departed(self, now: float) -> None:
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


def _rewritten(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the body in the service's own spelling of zones and sizes."""
    zone, size = body["azInfo"]["azName"], body.get("imageCacheSize", _DEFAULT_SIZE)
    aliases = dict(alias.split("=", 1) for alias in settings.zone_aliases)
    step = max(settings.size_step, 1)
    return {**body, "azInfo": {"azName": aliases.get(zone, zone)}, "imageCacheSize": -(-size // step) * step}


def _is_good(outcome: str, settings: Settings) -> bool | None:
    """Whether a cache with this status has come about; None where nothing is known of the word."""
    word = outcome.lower()
    if word in ("ready", settings.ready_status.lower()):
        return True
    return False if "fail" in word or word == settings.failed_status.lower() else None


def _filter(tags: Tags, settings: Settings) -> Tags:
    if settings.tags_filter == "off":
        return []
    if settings.tags_filter == "key":
        return [{name: value for name, value in tag.items() if name == "key"} for tag in tags]
    return tags


def _offset(token: str) -> int:
    """Return where the page begins that a nextToken stands for: a time, a total and the offset."""
    parts = token.split(".") if token else ["0", "0", "0"]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ServiceError("Invalid", "nextToken: not a token of this service")
    return int(parts[2])


def _request_id() -> str:
    return str(uuid.uuid4())
