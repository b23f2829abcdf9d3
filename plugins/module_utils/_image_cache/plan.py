# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Desired and actual image cache -> the action to take, the drift, the diff. Pure; private to the collection."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Collection, Iterable, Mapping, NamedTuple, Sequence, TypedDict

from .._errors import StateConflict
from .._registry.reference import same_image
from .._text import option_name, printable
from .model import ImageCache, Tags, ids, normal_tags, predicted, remaining

_SECRET_FIELD = "imageRegistryCredentials"
ZONE = "az_info.az_name"


class Action(enum.Enum):
    """What a task does to one image cache."""

    NONE = "none"
    CREATE = "create"
    RETAG = "retag"
    REPLACE = "replace"
    DELETE = "delete"


# Delays (s) before each further list of a task that waits whether another controller deletes its own; and of a task that waits
# until others have left one, which is longer.
RESOLUTION_DELAYS = (1.0, 2.0, 4.0, 8.0)
OTHERS_DELAYS = (*RESOLUTION_DELAYS, 8.0, 8.0)
# Seconds after a create in which its controller may delete it again.
RECENT = 300.0

Fits = Callable[[ImageCache], bool]


class Difference(TypedDict):
    """An option whose value differs from what the service returns."""

    option: str
    wanted: Any
    found: Any


class Desired(NamedTuple):
    """The desired state. ``body`` holds the fields of createImageCache that the task gave, and no others.

    In check mode the ID of an image cache that an earlier task would have created is an empty text.
    """

    state: str
    body: Mapping[str, Any]
    image_cache_id: str | None = None
    purge_tags: bool = True
    drift: str = "warn"
    wait: bool = False
    duplicates: str = "fail"

    @property
    def name(self) -> str | None:
        """The name, None if the task gives only an ID."""
        return self.body.get("imageCacheName")

    @property
    def selector(self) -> str:
        """The ID if the task gives one, else the name."""
        return str(self.name) if self.image_cache_id is None else self.image_cache_id

    @property
    def is_present(self) -> bool:
        """True for state present."""
        return self.state == "present"


@dataclass(frozen=True)
class Plan:
    """The action, and the image caches before and after it.

    ``body`` is that of a create, ``tags`` those of an update. ``refused`` is True if drift makes the task fail.
    """

    action: Action
    before: ImageCache | None
    after: ImageCache | None
    body: Mapping[str, Any] = field(default_factory=dict)
    tags: Tags = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)
    refused: bool = False

    @property
    def will_create(self) -> bool:
        """True if the action ends with createImageCache."""
        return self.action in (Action.CREATE, Action.REPLACE)


def plan(desired: Desired, existing: ImageCache | None, drift: Collection[Difference] = ()) -> Plan:
    """Return the plan for an existing image cache, or for none.

    One whose deletion is under way counts as absent, and a create waits until it is gone. ``drift`` are its differences.
    """
    here = existing is not None and not existing.is_deleting
    if not desired.is_present:
        return Plan(Action.DELETE if here else Action.NONE, existing, None)
    given = desired.body.get("tags")
    if existing is None or not here:
        body = _with_tags(desired.body, desired_tags(given, desired.purge_tags, None))
        return Plan(Action.CREATE, existing, predicted(body), body=body)
    drift = list(drift)
    tags = desired_tags(given, desired.purge_tags, existing.tags)
    if drift and desired.drift == "recreate":
        # tags that the task leaves alone move to the new image cache
        body = _with_tags(desired.body, tags)
        return Plan(Action.REPLACE, existing, predicted(body), body=body, drift=drift)
    if drift and desired.drift == "fail":
        return Plan(Action.NONE, existing, existing, drift=drift, refused=True)
    if tags is None or tags == (existing.tags or []):
        return Plan(Action.NONE, existing, existing, drift=drift)
    return Plan(Action.RETAG, existing, replace(existing, tags=tags), tags=tags, drift=drift)


def desired_tags(given: Sequence[Mapping[str, Any]] | None, purge: bool, current: Tags | None) -> Tags | None:
    """Return the tags to have in the end: ``given`` None leaves the current ones, and without ``purge`` others stay."""
    if given is None:
        return current
    tags = normal_tags(given)
    if purge:
        return tags
    keys = {tag["key"] for tag in tags}
    return normal_tags([tag for tag in current or [] if tag["key"] not in keys] + tags)


def _with_tags(body: Mapping[str, Any], tags: Tags | None) -> Mapping[str, Any]:
    """Set the tags of a body; equal ones stay as the task wrote them."""
    return dict(body, tags=tags) if tags and tags != normal_tags(body.get("tags") or []) else body


def compare(
    body: Mapping[str, Any], existing: ImageCache, zones: Callable[[], Collection[str] | None]
) -> tuple[list[Difference], list[Difference]]:
    """Return the drift of an image cache, and the differences that are none: the service may write a value its own way.

    Values are compared in a normal form: images as a set, without registry where one of two leaves it out; a size that
    is at least the wanted one is equal; two zones differ only if the region lists both (``zones()``, None if unknown).
    Only what the service returns is compared. A failed status is drift. A name can differ where an ID selected it.
    """
    drift: list[Difference] = []
    rewritten: list[Difference] = []

    def add(differences: list[Difference], option: str, wanted: Any, found: Any) -> None:
        differences.append(Difference(option=option, wanted=wanted, found=found))

    name, zone = body.get("imageCacheName"), body.get("azInfo", {}).get("azName")
    size, images = body.get("imageCacheSize"), body.get("images")
    if name is not None and existing.image_cache_name not in (None, name):
        add(drift, "image_cache_name", name, existing.image_cache_name)
    if images is not None and existing.images is not None and set(images) != set(existing.images):
        add(rewritten if _same_images(images, existing.images) else drift, "images", images, existing.images)
    if size is not None and existing.image_cache_size is not None and size > existing.image_cache_size:
        add(drift, "image_cache_size", size, existing.image_cache_size)
    if zone is not None and existing.az_name not in (None, zone):
        both_exist = {zone, existing.az_name} <= set(zones() or ())
        add(drift if both_exist else rewritten, ZONE, zone, existing.az_name)
    if existing.has_failed:
        add(drift, "status", "ready", existing.status)
    return drift, rewritten


def _same_images(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Return True if each image has one of the other list that it is the same as."""
    return all(any(same_image(one, other) for other in found) for one in wanted) and all(
        any(same_image(one, other) for one in wanted) for other in found
    )


def diff(change: Plan, after: ImageCache | None = None) -> dict[str, Any]:
    """Return Ansible's ``diff``: the readable fields, for a create also the write-only ones, but no credentials.

    ``after`` is the image cache as the service shows it after the change, if it does.
    """
    last = after or change.after
    before, after_text = _shown(change.before), _shown(last)
    if change.will_create:
        written = {option_name(key): value for key, value in change.body.items() if key != _SECRET_FIELD}
        after_text = {**{key: written[key] for key in written if key != "az_info"}, **after_text}
    name = printable((last or change.before or ImageCache()).name)
    return {"before": before, "after": after_text, "before_header": name, "after_header": name}


def _shown(cache: ImageCache | None) -> dict[str, Any]:
    return {key: value for key, value in cache.as_dict().items() if value is not None} if cache else {}


def may_be_resolved(named: Iterable[ImageCache], fits: Fits, now: float) -> bool:
    """Return True if there are several that fit, and a controller may be about to delete one; ``now`` is since the epoch."""
    several = remaining(named)
    recent = any(cache.created_at is not None and abs(now - cache.created_at) < RECENT for cache in several)
    return len(several) > 1 and recent and all(fits(cache) for cache in several)


def younger_ones(named: Iterable[ImageCache], fits: Fits) -> list[ImageCache]:
    """Return all but the oldest of a name if all fit, else none."""
    several = remaining(named)
    return several[1:] if all(fits(cache) for cache in several) else []


def unique(named: Iterable[ImageCache]) -> ImageCache | None:
    """Return the image cache of a name, or None. One whose deletion is under way counts only if there is no other.

    Raises StateConflict if there are several.
    """
    named = [cache for cache in named if not cache.is_deleted]
    several = remaining(named)
    if len(several) > 1:
        raise StateConflict(
            f"There are {len(several)} image caches named {several[0].name!r}: {ids(several)}. Select one with"
            " image_cache_id, or delete all but the oldest with duplicates: delete_younger."
        )
    return next(iter(several or named), None)


def several_exist(name: str, named: Iterable[ImageCache]) -> str:
    """Return the warning about several of a name that stay."""
    return (
        f"There are now several image caches named {name!r}: {ids(remaining(named))}. Another client created one at the same"
        " moment. If it is a task of this collection that wants the same, it deletes its own; until then each is billed."
    )
