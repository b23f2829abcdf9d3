# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do so that an image cache is as wanted. Pure; private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Collection, Dict, Mapping, NamedTuple

from .._names import option_name
from . import tags as rules
from .image_cache import ImageCache, Tags, normal_tags, predicted

Difference = Dict[str, Any]

DELETE = "delete"
CREATE = "create"
RETAG = "retag"

SECRET_FIELD = "imageRegistryCredentials"


class Wanted(NamedTuple):
    """What a task describes. ``body`` holds the fields of createImageCache that the task gave, and no others; ``note`` is
    what a reviewer is told of a create.
    """

    state: str
    body: Mapping[str, Any]
    image_cache_id: str | None = None
    purge_tags: bool = True
    drift: str = "warn"
    wait: bool = False
    duplicates: str = "fail"
    note: str = ""

    @property
    def name(self) -> str | None:
        """The wanted name, None if the task gives only an ID."""
        return self.body.get("imageCacheName")


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

    @property
    def old(self) -> ImageCache:
        """What there was before, or an empty one."""
        return self.before or ImageCache()

    @property
    def replaces(self) -> bool:
        """Whether something good or bad is deleted so that another can be made."""
        return self.steps == [DELETE, CREATE]


def plan(
    wanted: Wanted, existing: ImageCache | None, drift: Collection[Difference] = (), remembered: Tags | None = None
) -> Plan:
    """What to do so that the wanted state is there.

    ``existing`` may be one whose deletion is under way: nothing more is done about that, and a create waits until it
    is gone. ``drift`` is where the existing one differs; ``remembered`` are the tags of one that was being replaced.
    """
    if wanted.state == "absent":
        return Plan([DELETE] if existing and not existing.is_going else [], existing, None)
    given = wanted.body.get("tags")
    if existing is None or existing.is_going:
        body = _with_tags(wanted.body, rules.desired(given, wanted.purge_tags, remembered))
        return Plan([CREATE], existing, predicted(body), body=body)
    drift = list(drift)
    tags = rules.desired(given, wanted.purge_tags, existing.tags)
    if drift and wanted.drift == "recreate":
        # tags that the task says nothing about, or wants kept, move to the new image cache
        body = _with_tags(wanted.body, tags)
        return Plan([DELETE, CREATE], existing, predicted(body), body=body, drift=drift)
    if drift and wanted.drift == "fail":
        return Plan([], existing, existing, drift=drift, refused=True)
    if tags is None or tags == existing.shown_tags:
        return Plan([], existing, existing, drift=drift)
    return Plan([RETAG], existing, existing.with_tags(tags), tags=tags, drift=drift)


def _with_tags(body: Mapping[str, Any], tags: Tags | None) -> Mapping[str, Any]:
    """The body with these tags; those that the task gave stay as it wrote them."""
    return dict(body, tags=tags) if tags and tags != normal_tags(body.get("tags") or []) else body


def differences(body: Mapping[str, Any], existing: ImageCache) -> list[Difference]:
    """Where an image cache is not what the task gave: ``option``, ``wanted`` and ``found``.

    Only what the service returns can be compared, and images are compared as a set. A status that tells of a
    failure is a difference as well, since such an image cache is of no use.
    """
    found = []
    name = body.get("imageCacheName")
    if name is not None and existing.image_cache_name is not None and name != existing.image_cache_name:
        found.append(_difference("image_cache_name", name, existing.image_cache_name))  # where an ID picked it
    if "images" in body and existing.images is not None and set(body["images"]) != set(existing.images):
        found.append(_difference("images", body["images"], existing.images))
    size = existing.image_cache_size
    if "imageCacheSize" in body and size is not None and body["imageCacheSize"] != size:
        found.append(_difference("image_cache_size", body["imageCacheSize"], size))
    zone = body.get("azInfo", {}).get("azName")
    if zone is not None and existing.az_name is not None and zone != existing.az_name:
        found.append(_difference("az_info.az_name", zone, existing.az_name))
    if existing.has_failed:
        found.append(_difference("status", "ready", existing.status))
    return found


def _difference(option: str, wanted: Any, found: Any) -> Difference:
    return {"option": option, "wanted": wanted, "found": found}


def diff(change: Plan) -> dict[str, Any]:
    """Ansible's ``diff`` of a plan: the readable fields, and for a create what is only written; no credentials."""
    before = _shown(change.before) if change.before else {}
    after = _shown(change.after) if change.after else {}
    if CREATE in change.steps:
        written = {option_name(key): value for key, value in change.body.items() if key != SECRET_FIELD}
        after = {**{key: written[key] for key in written if key != "az_info"}, **after}
    cache = change.after or change.before
    name = (cache.image_cache_name if cache else None) or ""
    return {"before": before, "after": after, "before_header": name, "after_header": name}


def _shown(cache: ImageCache) -> dict[str, Any]:
    return {key: value for key, value in cache.as_dict().items() if value is not None}
