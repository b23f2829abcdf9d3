# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of tags: which an image cache shall have, and which it has where no reply shows them. Private to the collection.

No reply on CTYun's page shows tags, so their absence there does not mean that there are none; but its list takes tags as
a filter. What that filter does with several tags, and whether it looks at their values, is not documented.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, Callable, Iterable, List, Mapping

from .._errors import EciError, Unanswered
from .image_cache import ImageCache, Tag, Tags, normal_tags
from .operations import ImageCaches

# The tags of a generation, see generations.py: the name in the task, and the beginnings of the digests of its images, in the
# order of their names. The second is for people, who want to know what moved.
NAME_TAG = "eci-generation"
DIGESTS_TAG = "eci-digests"


def desired(wanted: list[Mapping[str, Any]] | None, purge: bool, current: Tags | None) -> Tags | None:
    """The tags that an image cache shall carry in the end.

    None if the task says nothing about them (``wanted`` is None) and none are known that it has.
    """
    if wanted is None:
        return current
    tags = normal_tags(wanted)
    if purge:
        return tags
    keys = {tag["key"] for tag in tags}
    return normal_tags([tag for tag in current or [] if tag["key"] not in keys] + tags)


def keys(tags: Tags) -> str:
    """The keys of tags, for a message."""
    return ", ".join(tag["key"] for tag in tags) or "(none)"


# Calls a function with each of some things, maybe several at the same time.
Each = Callable[[List[Any], Callable[[Any], None]], None]


class TagFilter:
    """Which image caches carry which tags, by the filter of the list; each tag is asked for once.

    Each tag is asked for alone, since several may mean all or any; and its key once with a value that nothing can have,
    since a filter that finds something then does not look at values, or at nothing at all. Methods raise EciError.
    """

    def __init__(self, caches: ImageCaches, **filters: Any) -> None:
        self._caches = caches
        self._filters = filters
        self._found: dict[tuple[str, str], set[str]] = {}
        self._looks_at_values: dict[str, bool] = {}

    def prepare(self, all_tags: Iterable[Tags], each: Each) -> None:
        """Ask for all of these tags, and then for their keys, ``each`` at a time that this allows. What fails is left to whoever
        needs it.
        """
        wanted = {(tag["key"], tag["value"]): tag for tags in all_tags for tag in tags if tag["value"]}
        each(list(wanted.values()), _quietly(self._finds))
        each(sorted({key for key, value in wanted if self._found.get((key, value))}), _quietly(self._values_count))

    def carriers(self, tags: Tags) -> set[str] | None:
        """The IDs of the image caches that carry all of these tags, None if the filter cannot tell."""
        found: set[str] | None = None
        for tag in tags:
            carrying = self._carrying(tag)
            if carrying is None:
                return None
            found = carrying if found is None else found & carrying
            if not found:
                break
        return found

    def show(self, cache: ImageCache, tags: Tags) -> ImageCache:
        """The image cache with these tags, if it carries them though the service does not show it."""
        if cache.tags is None and cache.image_cache_id in (self.carriers(tags) or ()):
            return cache.with_tags(tags)
        return cache

    def _carrying(self, tag: Tag) -> set[str] | None:
        if not tag["value"]:
            return None  # it may well mean any value
        found = self._finds(tag)
        if found and not self._values_count(tag["key"]):
            return None
        return found

    def _finds(self, tag: Tag) -> set[str]:
        key = (tag["key"], tag["value"])
        if key not in self._found:
            self._found[key] = self._ask(tag)
        return self._found[key]

    def _values_count(self, key: str) -> bool:
        if key not in self._looks_at_values:
            self._looks_at_values[key] = not self._ask({"key": key, "value": uuid.uuid4().hex})
        return self._looks_at_values[key]

    def _ask(self, tag: Tag) -> set[str]:
        for _reading in range(2):
            listing = self._caches.find(tags=[tag], **self._filters)
            if not listing.idless:
                return {cache.id for cache in listing.caches}
        raise Unanswered(f"The service lists an image cache without an ID among those with the tag {tag['key']!r}.")


def _quietly(ask: Callable[[Any], object]) -> Callable[[Any], None]:
    def quiet(thing: Any) -> None:
        with contextlib.suppress(EciError):
            ask(thing)

    return quiet
