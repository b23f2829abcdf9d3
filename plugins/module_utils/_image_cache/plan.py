# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants and what exists -> what to do, and the diff of it. Pure; private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, NamedTuple

from .._options.arguments import option_name, request_body
from .operations import KEYS, ImageCache, Tags, normal_tags

Difference = Dict[str, Any]

DELETE = "delete"
CREATE = "create"
RETAG = "retag"

SECRET_FIELD = "imageRegistryCredentials"


class Wanted(NamedTuple):
    """What a task describes. ``body`` holds the fields of createImageCache that the task gave, and no others."""

    state: str
    body: Mapping[str, Any]
    image_cache_id: str | None = None
    purge_tags: bool = True
    drift: str = "warn"
    wait: bool = False

    @property
    def name(self) -> str | None:
        """The wanted name, None if the task gives only an ID."""
        return self.body.get("imageCacheName")


def wanted(
    arguments: Mapping[str, Any], body: Mapping[str, Any], state: str = "present", image_cache_id: str | None = None
) -> Wanted:
    """What a task's checked arguments describe; ``body`` holds those of them that are fields of the request body."""
    return Wanted(
        state=state,
        body=request_body(body),
        image_cache_id=image_cache_id,
        purge_tags=arguments["purge_tags"],
        drift=arguments["drift"],
        wait=arguments["wait"],
    )


@dataclass(frozen=True)
class Plan:
    """The steps in their order, and what they lead from and to.

    ``before`` and ``after`` are image caches or None; ``body`` is the body of a create; ``tags`` those of a retag;
    ``drift`` the readable options that differ; ``refused`` is true if the task asks to fail because of it.
    """

    steps: list[str]
    before: ImageCache | None
    after: ImageCache | None
    body: Mapping[str, Any] = field(default_factory=dict)
    tags: Tags = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)
    refused: bool = False


def plan(wanted: Wanted, existing: ImageCache | None) -> Plan:
    """What to do so that the wanted state is there.

    A create with something before it waits until that is gone.
    """
    if wanted.state == "absent":
        return Plan([DELETE] if existing and not is_going(existing) else [], existing, None)
    if existing is None or is_going(existing):
        return Plan([CREATE], existing, predicted(wanted.body), body=wanted.body)
    drift = differences(wanted.body, existing)
    tags = desired_tags(wanted, existing)
    if drift and wanted.drift == "recreate":
        # tags that the task says nothing about, or wants kept, move to the new image cache
        body = dict(wanted.body, tags=tags) if tags else wanted.body
        return Plan([DELETE, CREATE], existing, predicted(body), body=body, drift=drift)
    if drift and wanted.drift == "fail":
        return Plan([], existing, existing, drift=drift, refused=True)
    if tags is None or tags == (existing["tags"] or []):
        return Plan([], existing, existing, drift=drift)
    return Plan([RETAG], existing, dict(existing, tags=tags), tags=tags, drift=drift)


def desired_tags(wanted: Wanted, existing: ImageCache) -> Tags | None:
    """The tags that the image cache shall carry in the end, None if the service shows none and the task gives none."""
    current: Tags | None = existing["tags"]
    if wanted.body.get("tags") is None:
        return current
    tags = normal_tags(wanted.body["tags"])
    if wanted.purge_tags:
        return tags
    keys = {tag["key"] for tag in tags}
    return normal_tags([tag for tag in current or [] if tag["key"] not in keys] + tags)


def differences(body: Mapping[str, Any], existing: ImageCache) -> list[Difference]:
    """Where an image cache is not what the task gave: ``option``, ``wanted`` and ``found``.

    Only what the service returns can be compared, and images are compared as a set. A status that tells of a
    failure is a difference as well, since such an image cache is of no use.
    """
    found = []
    if body.get("imageCacheName") not in (None, existing["image_cache_name"]):  # where an ID picked it
        found.append(_difference("image_cache_name", body["imageCacheName"], existing["image_cache_name"]))
    if "images" in body and existing["images"] is not None and set(body["images"]) != set(existing["images"]):
        found.append(_difference("images", body["images"], existing["images"]))
    size = existing["image_cache_size"]
    if "imageCacheSize" in body and size is not None and body["imageCacheSize"] != size:
        found.append(_difference("image_cache_size", body["imageCacheSize"], size))
    zone = body.get("azInfo", {}).get("azName")
    if zone is not None and existing["az_name"] is not None and zone != existing["az_name"]:
        found.append(_difference("az_info.az_name", zone, existing["az_name"]))
    if has_failed(existing):
        found.append(_difference("status", "ready", existing["status"]))
    return found


def _difference(option: str, wanted: Any, found: Any) -> Difference:
    return {"option": option, "wanted": wanted, "found": found}


def is_ready(cache: Mapping[str, Any]) -> bool:
    """Whether the status is the good end that CTYun's SDK shows."""
    return (cache["status"] or "").lower() == "ready"


def has_failed(cache: Mapping[str, Any]) -> bool:
    """Whether the status tells of a failure; CTYun lists no statuses, so this goes by the word."""
    status = (cache["status"] or "").lower()
    return "fail" in status or "error" in status


def is_going(cache: Mapping[str, Any]) -> bool:
    """Whether the status tells of a deletion under way; CTYun lists no statuses, so this goes by the word."""
    status = (cache["status"] or "").lower()
    return "delet" in status or "terminat" in status


def predicted(body: Mapping[str, Any]) -> ImageCache:
    """The image cache that a body leads to, as far as it can be known before: no ID, status or time."""
    cache: ImageCache = dict.fromkeys(KEYS)
    cache.update(
        image_cache_name=body.get("imageCacheName"),
        images=body.get("images"),
        image_cache_size=body.get("imageCacheSize"),
        az_name=body.get("azInfo", {}).get("azName"),
        tags=normal_tags(body["tags"]) if body.get("tags") else None,
    )
    return cache


def diff(change: Plan) -> dict[str, Any]:
    """Ansible's ``diff`` of a plan: the readable fields, and for a create what is only written; no credentials."""
    before = _shown(change.before) if change.before else {}
    after = _shown(change.after) if change.after else {}
    if CREATE in change.steps:
        written = {option_name(key): value for key, value in change.body.items() if key != SECRET_FIELD}
        after = {**{key: written[key] for key in written if key not in after and key != "az_info"}, **after}
    name = (change.after or change.before or {}).get("image_cache_name") or ""
    return {"before": before, "after": after, "before_header": name, "after_header": name}


def _shown(cache: ImageCache) -> dict[str, Any]:
    return {key: value for key, value in cache.items() if value is not None}
