# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image caches whose names follow what is in them: where a tag of an image moved, a new one is wanted. Pure; private to the
collection.

The name of a generation is that of the task and a hash of its images with their digests, its size and its zone. So what
is wanted follows from the registry and from the list alone, and any number of controllers come to the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Mapping, NamedTuple, Sequence

from .._errors import ContentUnknown
from .._registry.found import FOUND, Found
from .image_cache import DEFAULT_SIZE, ImageCache, Tags
from .plan import Wanted
from .prune import Prune
from .tags import DIGESTS_TAG, NAME_TAG

_SIGNS = 8
_DIGEST_SIGNS = 12
# CTYun states it for the tags of data caches, and nothing for those of image caches.
_LONGEST_TAG = 63
_DAY = 86400.0
# One may have a higher number than there are now, since those before it are gone. So many were never there at a time.
_SPARE = 200

Digests = Mapping[str, str]


class Generation(NamedTuple):
    """What a task wants of one name: ``wanted`` is an image cache of a name of its own. Where the digests are not known it is
    the newest that there is, and ``warning`` says why.
    """

    name: str
    wanted: Wanted
    warning: str = ""

    def prune(self, keep: int, grace: float) -> Prune:
        """What says which of its older generations go."""
        return Prune(
            [{"key": NAME_TAG, "value": self.name}], keep, grace, names=_pattern(self.name), youngest=self.wanted.name
        )


def generations(
    wanted: Sequence[Wanted],
    found: Sequence[Sequence[Found]],
    existing: Sequence[ImageCache],
    now: float,
    renew_before: float | None = None,
    force: bool = False,
) -> list[Generation]:
    """The generation of each of these. ``found`` is what the registries say of the images of each, ``existing`` all that the
    service lists; another one is made ``renew_before`` days before its retention ends, or in any case with ``force``. Raises
    ContentUnknown, with all reasons, if the content of one is not known and there is no generation of it.
    """
    result, unknown = [], []
    for number, (one, images) in enumerate(zip(wanted, found)):
        name = str(one.name)
        older = [cache for cache in existing if is_generation(cache, name) and not cache.is_going]
        missing = [
            f"image_caches[{number}].images[{index}]: {image.image!r}: {image.message}"
            for index, image in enumerate(images)
            if image.outcome != FOUND
        ]
        if not missing:
            digests = {image.image: str(image.digest) for image in images}
            due = [
                cache for cache in older if force or _is_due(cache, one.body.get("retentionDays"), now, renew_before)
            ]
            result.append(_current(name, one, digests, older, due))
        elif older:
            result.append(_kept(name, one, older, missing))
        else:
            unknown += missing
    if unknown:
        lines = "\n".join(f"- {line}" for line in unknown)
        raise ContentUnknown(f"It is not known what these images are now. Nothing was ordered or changed:\n{lines}")
    return result


def is_generation(cache: ImageCache, name: str) -> bool:
    """Whether an image cache is one of the generations of a name, as far as its name and the tags that it shows tell."""
    if not re.fullmatch(_pattern(name), cache.name):
        return False
    return cache.tags is None or {"key": NAME_TAG, "value": name} in cache.tags


def newest_ready(name: str, existing: Sequence[ImageCache]) -> ImageCache | None:
    """The newest generation of a name that can be used."""
    ready = [cache for cache in existing if is_generation(cache, name) and cache.is_ready]
    return max(ready, key=lambda cache: cache.age_order, default=None)


def _current(
    name: str, wanted: Wanted, digests: Digests, older: Sequence[ImageCache], due: Sequence[ImageCache]
) -> Generation:
    body = wanted.body
    content = [sorted(digests.items()), body.get("imageCacheSize", DEFAULT_SIZE), body["azInfo"]["azName"]]
    # one that was made again of the same content has another number, the first that is free
    names = [_name(name, content, number) for number in range(len(older) + _SPARE)]
    alive = [cache for cache in older if cache.image_cache_name in names]
    good = [cache for cache in alive if cache not in due]
    tags = [*(body.get("tags") or []), *_tags(name, digests)]
    if good:
        current = max(good, key=lambda cache: cache.age_order)
        # where the task says nothing of tags, those of what exists are left alone
        return Generation(name, _as(wanted, current.name, None if body.get("tags") is None else tags))
    taken = {cache.image_cache_name for cache in alive}
    fresh = next(one for one in names if one not in taken)
    return Generation(name, _as(wanted, fresh, tags, _note(digests, older, alive)))


def _kept(name: str, wanted: Wanted, older: Sequence[ImageCache], missing: Sequence[str]) -> Generation:
    """The newest that there is, ready if one is, as it is."""
    newest = newest_ready(name, older) or max(older, key=lambda cache: cache.age_order)
    kept = Wanted("present", {}, image_cache_id=newest.image_cache_id, wait=wanted.wait)
    warning = (
        f"{name!r} stays at the generation {newest.image_cache_name}, since it is not known what is in its images now. "
    )
    return Generation(name, kept, warning + "; ".join(missing))


def _as(wanted: Wanted, name: str, tags: Tags | None, note: str = "") -> Wanted:
    body: dict[str, Any] = {**wanted.body, "imageCacheName": name}
    if tags is not None:
        body["tags"] = tags
    return wanted._replace(body=body, note=note)


def _name(name: str, content: Sequence[Any], number: int) -> str:
    text = json.dumps([content, number], separators=(",", ":"))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:_SIGNS]}"


def _pattern(name: str) -> str:
    return rf"{re.escape(name)}-[0-9a-f]{{{_SIGNS}}}"


def _is_due(cache: ImageCache, retention: int | None, now: float, renew_before: float | None) -> bool:
    """Whether it is time for another one, since this one will be deleted by the service."""
    if renew_before is None or not retention or cache.created_at is None:
        return False
    return now >= cache.created_at + (retention - renew_before) * _DAY


def _tags(name: str, digests: Digests) -> Tags:
    tags = [{"key": NAME_TAG, "value": name}]
    short = ".".join(_short(digest) for _image, digest in sorted(digests.items()))
    return tags if len(short) > _LONGEST_TAG else [*tags, {"key": DIGESTS_TAG, "value": short}]


def _short(digest: str) -> str:
    return digest.partition(":")[2][:_DIGEST_SIGNS]


def _note(digests: Digests, older: Sequence[ImageCache], alive: Sequence[ImageCache]) -> str:
    """Why another generation is made, for a reviewer."""
    if alive:
        return "made again of the same content"
    last = max(older, key=lambda cache: cache.age_order, default=ImageCache())
    before = dict(zip(sorted(last.images or []), _told_digests(last)))
    moved = [
        f"{image} moved from {before[image]} to {_short(digest)}"
        for image, digest in sorted(digests.items())
        if image in before and before[image] != _short(digest)
    ]
    return "; ".join(moved) or ("other content" if older else "the first generation")


def _told_digests(cache: ImageCache) -> list[str]:
    """The digests that the tags of a generation tell, if they tell one for each image."""
    told = next((tag["value"].split(".") for tag in cache.shown_tags if tag["key"] == DIGESTS_TAG), [])
    return told if len(told) == len(cache.images or []) else []
