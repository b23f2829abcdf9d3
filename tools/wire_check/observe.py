# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe the service, and an image cache that is created for it and deleted again."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api import region, responses
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import DELETE, DESCRIBE, LIST, ImageCachesApi
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache, Tag, Tags, from_wire
from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS, Wait, poll

# An answer that is not among those of the question.
OTHER = "other"
PREFIX = "wire-check-"
_OWN_NAME = re.compile(PREFIX + "[0-9a-f]{32}")
# These concern the account, so every other request would fail as well.
_ENDING = (errors.AuthenticationError, errors.QuotaUsedUp, errors.Throttled)
_REASON = re.compile(r"(?:ECI\.Openapi\.)?StatusReason([A-Za-z]+)")
_DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"
_TIME_FORMS = {"offset": _DATE + r"[+-]\d\d:\d\d", "utc": _DATE + "Z", "bare": _DATE}
# The answers, by which of the lists in _try_filter show the image cache.
_MATCHES = {
    "name_match": {"1000": "exact", "1100": "prefix", "1110": "fuzzy", "1111": "off"},
    "images_filter": {"100": "all", "110": "any", "111": "off"},
    "tags_filter": {"1000": "all", "1010": "any", "1100": "key", "1111": "off"},
}
# The service deletes it after a day, should this process be killed.
RETENTION_DAYS = 1
# Timeouts and intervals (s): until a list shows it, until it is ready, until it is gone.
LISTED, READY, DELETED = Wait(60, 1), Wait(1800, 5), Wait(300, 2)
T = TypeVar("T")


class Probe:
    """Sends requests, and collects the answers. ``notes`` are for the terminal only, since they may hold IDs."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.answers: dict[str, Any] = {}
        self.notes: list[str] = []
        self.zones: list[Any] = []
        self._required: dict[str, Any] = {}  # filters without which a list is refused
        client.on_reply = self._note_status_code

    def read(self) -> None:
        """Observe what needs no new image cache. Raises EciError."""
        caches = [cache for cache in self.read_list() if not cache.is_deleting]
        self._describe_unknown_id()
        self._read_region()
        quota = self.ask(region.image_cache_quota, self.client)
        self.answers["quota"] = quota[1] if quota else None
        left = ", ".join(cache.id for cache in caches if _OWN_NAME.fullmatch(cache.name))
        if left:
            self.notes.append(f"An earlier check, unless it still runs, has left these, which are billed: {left}.")
        for cache in sorted(caches, key=lambda cache: (not cache.images, not cache.tags))[:1]:
            self.try_filters(cache, cache.tags or [])

    def read_list(self) -> list[ImageCache]:
        """Observe pages, order and fields of the whole list. Raises EciError."""
        try:
            pages = self._pages({})
        except errors.ServiceError as error:
            if isinstance(error, _ENDING) or self._required:
                raise
            self._required = {"images": []}
            pages = self._pages({})
        items = [item for page in pages for item in page["imageCaches"]]
        caches = list({cache.id: cache for cache in map(from_wire, items) if cache}.values())
        names = [cache.name for cache in caches if cache.name and not cache.is_deleting]
        ages = [cache.created_at or 0.0 for cache in caches]
        times = [cache.creation_time for cache in caches if cache.creation_time]
        orders = {"oldest": sorted(ages), "newest": sorted(ages, reverse=True)}
        self.answers.update(
            list_needs_images=bool(self._required),
            list_total=all(page.get("total") == len(items) for page in pages),
            list_order=_key(orders, lambda order: order == ages) if len(set(ages)) > 1 else None,
            max_page=len(pages[0]["imageCaches"]) if len(pages) > 1 else None,
            null_fields=any(None in item.values() for item in items) if items else None,
            time_form=_key(_TIME_FORMS, lambda form: re.fullmatch(form, times[0])) if times else None,
        )
        if len(set(names)) < len(names):
            self.answers["unique_names"] = False
        if any(cache.tags for cache in caches):
            self.answers["tags_shown"] = True
        for cache in caches:
            self.note_status(cache)
        return caches

    def try_filters(self, cache: ImageCache, tags: Tags) -> None:
        """Observe how the filters of a list match, by an image cache and its tags."""
        name, images, unused = cache.name, cache.images, uuid.uuid4().hex
        no_image, no_tag = f"wire-check.invalid/{unused}:none", Tag(key=PREFIX + unused[:8], value=unused)
        asked: dict[str, tuple[str, list[Any]]] = {}  # the last value of each filter matches nothing
        if name[1:] not in name[:-1]:
            asked["name_match"] = ("imageCacheName", [name, name[:-1], name[1:], unused])
        if images:
            asked["images_filter"] = ("images", [images[:1], [images[0], no_image], [no_image]])
        for tag in tags[:1]:
            asked["tags_filter"] = ("tags", [[tag], [Tag(key=tag["key"], value=unused)], [tag, no_tag], [no_tag]])
        for question, (field, values) in asked.items():
            self.ask(self._try_filter, cache.id, question, field, values)

    def try_delete(self) -> None:
        """Observe whether deleteImageCache is known under its path, by an ID that does not exist. Raises EciError if not."""
        refusal = None
        try:
            self.client.call(DELETE._replace(repeatable=False), identifier=_unknown_id())
        except errors.EciError as error:
            if not (error.code or "").startswith("ECI."):
                refusal = error
            if isinstance(error, _ENDING) or (refusal and not isinstance(error, errors.ServiceError)):
                raise
        self.answers["delete_known"] = refusal is None
        if refusal:
            raise errors.StateConflict(f"{refusal.message} Nothing was created, since it could not be deleted again.")

    def find(self, image_cache_id: str, filters: Mapping[str, Any] | None = None) -> ImageCache | None:
        """Return an image cache if a list with these filters shows it. Raises EciError."""
        pages = self._pages(filters or {"imageCacheId": image_cache_id})
        caches = (from_wire(item) for page in pages for item in page["imageCaches"])
        found = next((cache for cache in caches if cache and cache.id == image_cache_id), None)
        if found:
            self.note_status(found)
        return found

    def note_status(self, cache: ImageCache) -> None:
        """Keep the first status of each meaning."""
        meanings = {
            "delete_failed_status": cache.deletion_failed,
            "ready_status": cache.is_ready,
            "failed_status": cache.has_failed,
            "deleting_status": cache.is_deleting,
            "pending_status": True,
        }
        if cache.status:
            self.answers.setdefault(_key(meanings, bool), cache.status)

    def ask(self, send: Callable[..., T], *arguments: Any) -> T | None:
        """Return what ``send`` returns, None if the service refuses this one request or answers oddly."""
        try:
            return send(*arguments)
        except (errors.ServiceError, errors.Unanswered) as error:
            if isinstance(error, _ENDING):
                raise
            self.notes.append(f"Not observed: {error.message}")
            return None

    def _try_filter(self, image_cache_id: str, question: str, field: str, values: list[Any]) -> None:
        found = ["1" if self.find(image_cache_id, {field: value}) else "0" for value in values]
        answer = self.answers[question] = _MATCHES[question].get("".join(found), OTHER)
        if answer not in ("off", OTHER):
            both = self.find(image_cache_id, {"imageCacheId": image_cache_id, field: values[-1]})
            self.answers["filters_match"] = "any" if both else "all"

    def _pages(self, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        body = {**self._required, **filters}
        pages: list[dict[str, Any]] = []
        while len(pages) < 1000:
            page = self.client.call(LIST, body).obj
            items = page.get("imageCaches")
            page["imageCaches"] = [item for item in items or [] if isinstance(item, dict)]
            pages.append(page)
            token = page.get("nextToken")
            if not token or token == body.get("nextToken"):
                break
            body["nextToken"] = token
        return pages

    def _describe_unknown_id(self) -> None:
        operation = DESCRIBE._replace(repeatable=False)  # a failure is the answer
        try:
            found = self.client.call(operation, identifier=_unknown_id()).obj
            self.answers["missing_reason"] = OTHER if found.get("imageCacheId") else "none"
        except errors.EciError as error:
            if isinstance(error, _ENDING) or error.http_status is None:
                raise
            reason = _REASON.fullmatch(error.code or "")
            self.answers.update(http_errors=error.http_status >= 400, missing_reason=reason[1] if reason else OTHER)

    def _read_region(self) -> None:
        wanted = self.client.connection.region_id
        header_only = region.REGION._replace(path="/eci/api/v1/region")
        for answer, operation, query in (("asked", header_only, ""), ("query", region.REGION, wanted)):
            reply = self.ask(self.client.call, operation, None, query)
            found = reply.obj.get("region") if reply else None
            if isinstance(found, dict) and self.answers.get("region_returned", OTHER) == OTHER:
                self.zones = found.get("zones") or []
                self.answers["region_returned"] = answer if str(found.get("regionId")) == wanted else OTHER

    def _note_status_code(self, reply: responses.HttpReply) -> None:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            code = json.loads(reply.content or b"")["statusCode"]
            if str(code) in responses.GOOD_STATUS_CODES:
                self.answers["status_code_style"] = "800" if str(code) == "800" else type(code).__name__


class OwnImageCache:
    """An image cache with a random name, which no other one has. ``place`` is the rest of the body of createImageCache.

    ``cleaner`` deletes it; unlike the client of the probe, it cannot be cancelled.
    """

    def __init__(
        self, probe: Probe, cleaner: ImageCachesApi, place: Mapping[str, Any], say: Callable[[str], None]
    ) -> None:
        mark = uuid.uuid4().hex
        self.name, self.tag = PREFIX + mark, Tag(key=PREFIX + "a", value=mark)
        self.body = {**place, "imageCacheName": self.name, "retentionDays": RETENTION_DAYS, "tags": [self.tag]}
        self.ids: dict[str, bool] = {}  # whether the deletion was accepted
        self._unanswered = False  # one may exist whose ID is not known
        self._problem = ""
        self._probe, self._cleaner, self._say = probe, cleaner, say
        self._api, self._clock = ImageCachesApi(probe.client), probe.client.clock

    def check(self, duplicate: bool) -> None:
        """Create, observe and delete it. ``duplicate`` orders a second one of the name. Raises EciError."""
        if self._api.named(self.name):
            raise errors.StateConflict(f"There is an image cache named {self.name} already. Nothing was created.")
        self._probe.try_delete()
        try:
            self._observe(self._create())
            if duplicate:
                with contextlib.suppress(errors.AlreadyExists):
                    self._create()
                self._probe.answers["unique_names"] = len(self.ids) == 1
        finally:
            if self.ids or self._unanswered:
                self._delete()

    def _create(self) -> str:
        size = self.body["imageCacheSize"]
        self._say(f"Creating {self.name}, an image cache of {size} GB that is billed until it is deleted.")
        self._unanswered = True
        try:
            image_cache_id, _request_id = self._api.create(self.body)
        except errors.EciError as error:
            self._unanswered = error.effect == errors.POSSIBLE
            raise
        self.ids[image_cache_id] = self._unanswered = False
        self._say(f"Created {image_cache_id}.")
        return image_cache_id

    def _observe(self, image_cache_id: str) -> None:
        probe, clock = self._probe, self._clock
        read = functools.partial(probe.find, image_cache_id)
        began = clock.monotonic()
        cache = poll(clock, self._delays(LISTED), read, bool, None)
        if cache is None:
            probe.notes.append(f"No list showed {image_cache_id} within {LISTED.timeout} s.")
            return
        probe.answers.update(list_lag=int(clock.monotonic() - began), tags_shown=bool(cache.tags))
        self._compare(cache)
        probe.read_list()
        probe.try_filters(cache, [self.tag])
        self._say(f"Waiting until it is ready, for at most {READY.timeout} s.")
        poll(clock, self._delays(READY), read, lambda found: not found or found.is_ready or found.has_failed, None)
        probe.ask(self._retag, image_cache_id)

    def _compare(self, cache: ImageCache) -> None:
        """Compare what a list shows with what was sent."""
        zone, images, size = self.body["azInfo"]["azName"], self.body["images"], self.body["imageCacheSize"]
        shown_images, shown_size = cache.images or [], cache.image_cache_size or 0
        prefixed = all(any(shown.endswith("/" + image) for shown in shown_images) for image in images)
        for question, sent, shown, other in (
            ("zone_returned", zone, cache.az_name, "listed" if cache.az_name in self._probe.zones else "unlisted"),
            ("images_returned", images, cache.images, "prefixed" if prefixed else OTHER),
            ("size_returned", size, cache.image_cache_size, "larger" if shown_size > size else "smaller"),
        ):
            self._probe.answers[question] = None if shown is None else "same" if shown == sent else other

    def _retag(self, image_cache_id: str) -> None:
        probe, new = self._probe, Tag(key=PREFIX + "b", value=uuid.uuid4().hex)
        read = functools.partial(probe.find, image_cache_id)
        self._api.set_tags(image_cache_id, [new])
        cache = poll(
            self._clock,
            CONSISTENCY_DELAYS,
            read,
            lambda found: not (found and found.tags and new not in found.tags),
            None,
        )
        if cache and (cache.tags or probe.answers.get("tags_filter") in ("all", "any", "key")):
            shown = cache.tags or [tag for tag in (self.tag, new) if read({"tags": [tag]})]
            replaced = "merge" if self.tag in shown else "replace"
            probe.answers["tags_update"] = replaced if new in shown else OTHER

    def _delete(self) -> None:
        """Delete what was created, and wait until no list shows it. Raises WaitFailed if anything may be left."""
        clock = self._cleaner.client.clock
        began = clock.monotonic()
        self._say("Deleting what was created.")
        if poll(clock, self._delays(DELETED), self._is_gone, bool, False):
            self._probe.answers["delete_after"] = int(clock.monotonic() - began)
            self._say("It is deleted.")
            return
        which = " and ".join(self.ids) or "an image cache"
        raise errors.WaitFailed(
            f"{self._problem} This may be left, and is billed until it is deleted: {which}, named {self.name}. Delete it"
            f" with ctyun.eci.image_cache (name: {self.name}, state: absent) or in CTYun's console."
        )

    def _is_gone(self) -> bool:
        """Delete the known IDs, and what a list shows under the name now. Return whether nothing is left."""
        api = self._cleaner
        try:
            for image_cache_id in [known for known, is_accepted in self.ids.items() if not is_accepted]:
                self._send_delete(image_cache_id)  # a list may not show it yet
            listed = {cache.id: cache for cache in (*api.named(self.name), *filter(None, map(api.get, self.ids)))}
            for image_cache_id, cache in listed.items():
                self._probe.note_status(cache)
                self._unanswered &= image_cache_id in self.ids
                if not cache.is_deleting:
                    self._send_delete(image_cache_id)
        except Exception as error:  # noqa: BLE001
            self._problem = str(error)
            return False
        self._problem = f"The deletion was not complete after {DELETED.timeout} s."
        return not listed and all(self.ids.values()) and not self._unanswered

    def _send_delete(self, image_cache_id: str) -> None:
        try:
            self._cleaner.delete(image_cache_id)
            self.ids[image_cache_id] = True
        except errors.NotFound:
            self.ids.setdefault(image_cache_id, False)

    def _delays(self, wait: Wait) -> Iterator[float]:
        return itertools.chain([0.0], wait.delays(self._clock))


def _unknown_id() -> str:
    return f"imc-{uuid.uuid4().hex[:16]}"


def _key(values: Mapping[str, T], accept: Callable[[T], object]) -> str:
    """Return the first key whose value is accepted."""
    return next((key for key, value in values.items() if accept(value)), OTHER)
