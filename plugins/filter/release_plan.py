# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter release_plan."""

from __future__ import annotations

import hashlib
import json
import re
import time
from typing import Any, Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import (
    DEFAULT_SIZE,
    ImageCache,
    seconds_since_epoch,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import RELEASE
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK

NOT_HERE = ("state", "image_cache_id", "imageCacheId")

DOCUMENTATION = r"""
name: release_plan
short_description: Plan the image caches of a release
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Plans what the role P(ctyun.eci.release#role) creates and deletes, from its variables, the digests of the images and the existing
    image caches. It sends no request, and warns of releases whose registry does not answer.
options:
  _input:
    description: The releases, as in C(release_image_caches).
    type: list
    elements: dict
    required: true
  images:
    description: The C(images) of the module M(ctyun.eci.image_info).
    type: list
    elements: dict
    required: true
  image_caches:
    description: The C(image_caches) of the module M(ctyun.eci.image_cache_info), read before the images.
    type: list
    elements: dict
    required: true
  keep:
    description: How many older image caches of a release to keep, at least V(1).
    type: int
    default: 1
  renew_before_days:
    description: The number of days before its expiry in which an image cache is created again. V(0) turns this off.
    type: float
    default: 0
"""

EXAMPLES = r"""
- name: Show the names that a release would get
  ansible.builtin.debug:
    msg: "{{ releases | ctyun.eci.release_plan(found.images, existing.image_caches) }}"
  vars:
    releases:
      - name: web
        images: [nginx:1.29]
        az_info: {az_name: az1}
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
    found:
      images:
        - image: nginx:1.29
          outcome: found
          platform_digest: sha256:5d4a3e7f6a1c2d31b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a
    existing: {image_caches: []}
"""

RETURN = r"""
_value:
  description:
    - The plan of each release by its name. It has C(wanted), the name and the tags of the desired image cache, or V(null) if the digests
      are not known; C(newest), the ID of the newest one that is ready; C(delete), the IDs of those that are no longer needed;
      C(failed), the IDs of those that failed; and C(error).
  type: dict
"""


def release_plan(
    releases: Sequence[Any],
    images: Sequence[Mapping[str, Any]],
    image_caches: Sequence[Mapping[str, Any]],
    keep: int = 1,
    renew_before_days: float = 0,
) -> dict[str, dict[str, Any]]:
    """Plan each release. Raises AnsibleFilterError for variables that are not valid."""
    entries = _checked(releases, keep)
    answers = {answer["image"]: answer for answer in images}
    caches = [ImageCache(**cache) for cache in image_caches]
    tags_shown = any(cache.tags for cache in caches)
    own: dict[str, list[ImageCache]] = {}
    for cache in sorted(caches, key=lambda cache: cache.age_order, reverse=True):
        own.setdefault(_release_of(cache, tags_shown), []).append(cache)
    expires_before = time.time() + renew_before_days * 86400 if renew_before_days else 0
    plans = {}
    for release in entries:
        name = release["image_cache_name"]
        plan = _plan(
            release, [answers.get(image) or {} for image in release["images"]], own.get(name, []), expires_before
        )
        wanted = plan.pop("id")
        others = [cache for cache in own.get(name, []) if cache.id != wanted]
        ready = [cache.id for cache in others if cache.is_ready]
        plan["delete"] = ready[keep:] if tags_shown else []
        plan["failed"] = [cache.id for cache in others if cache.has_failed and tags_shown]
        plans[name] = plan
    return plans


def _checked(releases: Sequence[Any], keep: int) -> list[dict[str, Any]]:
    """Return the releases under the names of the options, as the module that gets them reads them."""
    given = json.loads(json.dumps(releases, default=str))
    checked = TASK.validate({"image_caches": given}, False)
    refusals = [f"- {path}: {advice}" for path, advice in checked.violations.items()]
    entries: list[dict[str, Any]] = [] if refusals else checked.arguments["image_caches"]
    for number, entry in enumerate(entries):
        release = given[number]
        path = f"- image_caches[{number}]"
        refusals += [f"{path}.{option}: is not an option here" for option in NOT_HERE if option in release]
        if "name" not in release:
            refusals.append(f"{path}.name: is required")
        if not isinstance(release["images"], list):
            refusals.append(f"{path}.images: must be a list")
        if any(tag["key"] == RELEASE for tag in entry.get("tags") or []):
            refusals.append(f"{path}.tags: must not have the key {RELEASE}")
    refusals = [re.sub(r"(?<= )image_caches(?=[\[:])", "release_image_caches", line) for line in refusals]
    if keep < 1:  # two runs that read different digests would delete the image cache of each other
        refusals.append("- release_keep: must be at least 1")
    if refusals:
        raise AnsibleFilterError("\n".join(["The variables are not valid, nothing was sent:", *refusals]))
    return entries


def _release_of(cache: ImageCache, tags_shown: bool) -> str:
    """Return the release that an image cache belongs to, by its name where the service shows no tags."""
    if not tags_shown:
        return re.sub("-[0-9a-f]{8}$", "", cache.name)
    return next((tag["value"] for tag in cache.tags or [] if tag["key"] == RELEASE), "")


def _plan(
    release: Mapping[str, Any], answers: list[Mapping[str, Any]], own: list[ImageCache], expires_before: float
) -> dict[str, Any]:
    """Plan one release. Its image caches ``own`` are those that exist, the newest first."""
    newest = next((cache.id for cache in own if cache.is_ready), None)
    plan: dict[str, Any] = {"newest": newest, "error": None, "wanted": None, "id": None}
    absent = [answer["message"] for answer in answers if answer.get("outcome") in ("not_found", "refused")]
    silent = [answer.get("message") or "" for answer in answers if not answer.get("platform_digest")]
    if absent or (silent and not newest):
        return {**plan, "error": " ".join(absent or silent)}
    if silent:
        stays = f"The newest image cache {newest} of {release['image_cache_name']} is kept, since a digest could not be read."
        Display().warning(" ".join([stays, *silent]))
        return plan
    digests = sorted([answer["image"], answer["platform_digest"]] for answer in answers)
    usable = [cache for cache in own if not (cache.has_failed or _expires(cache, expires_before))]
    taken = {cache.name for cache in own}
    # The same images get another name where one is taken by an image cache that failed or expires.
    names = [_name(release, digests, number) for number in range(len(own) + 9)]
    there = [cache for cache in usable if cache.name in names]
    wanted = next((cache for cache in there if cache.is_ready), there[0] if there else None)
    name = wanted.name if wanted else next(name for name in names if name not in taken)
    tags = [*(release.get("tags") or []), {"key": RELEASE, "value": release["image_cache_name"]}]
    return {**plan, "wanted": {"name": name, "tags": tags}, "id": wanted and wanted.id}


def _name(release: Mapping[str, Any], digests: list[list[str]], number: int) -> str:
    size, zone = release.get("image_cache_size") or DEFAULT_SIZE, release["az_info"]["az_name"]
    content = json.dumps([digests, size, zone, *([number] if number else [])])
    return f"{release['image_cache_name']}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _expires(cache: ImageCache, before: float) -> bool:
    expires = seconds_since_epoch(cache.expire_date_time)
    return expires is not None and expires < before


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., dict[str, dict[str, Any]]]]:
        """Return the filter by its name."""
        return {"release_plan": release_plan}
