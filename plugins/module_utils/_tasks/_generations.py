# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the arguments of a task to the generations that it wants. Private to the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

from .._image_cache.image_cache import ImageCache
from .._image_cache.operations import ImageCaches
from .._image_cache.plan import Wanted
from .._image_cache.prune import Prune
from .._image_cache.tags import DIGESTS_TAG, NAME_TAG
from .._arguments.validation import Checked
from .._arguments.schema import Violation
from .._api.client import Client

if TYPE_CHECKING:
    from .._image_cache.generations import Generation
    from .._registry.found import Found
    from ._registries import Registries

_OWN = "has no meaning with generations, which prune what is older of each name"


class Generations:
    """What a task wants of each of its names, and what there is of them. Raises EciError."""

    def __init__(
        self, arguments: Mapping[str, Any], wanted: Sequence[Wanted], client: Client, look: Registries
    ) -> None:
        from .._image_cache.contents import contents
        from .._image_cache.generations import generations

        self._existing = ImageCaches(client).find().caches
        found: list[list[Found]] = contents([one.body for one in wanted], look)
        now = client.clock.time()
        self._generations: list[Generation] = generations(
            wanted, found, self._existing, now, arguments["renew_before"], arguments["force"]
        )
        self._keep, self._grace = arguments["prune_keep"], arguments["prune_grace"]

    @property
    def names(self) -> list[str]:
        """The names in the task."""
        return [one.name for one in self._generations]

    @property
    def wanted(self) -> list[Wanted]:
        """The image caches that are wanted."""
        return [one.wanted for one in self._generations]

    @property
    def prunes(self) -> list[Prune]:
        """What may go of each name, but where it is not known what is wanted."""
        return [one.prune(self._keep, self._grace) for one in self._generations if not one.warning]

    @property
    def warnings(self) -> list[str]:
        """Where it is not known what is wanted."""
        return [one.warning for one in self._generations if one.warning]

    def usable(self, name: str, current: ImageCache, gone: Sequence[str | None]) -> str | None:
        """The ID of the newest generation of a name that is ready, that of the ``current`` one if none is; ``gone`` are IDs of
        those that have been pruned.
        """
        from .._image_cache.generations import newest_ready

        if current.is_ready:
            return current.image_cache_id
        left = [cache for cache in self._existing if cache.image_cache_id not in gone]
        ready = newest_ready(name, left)
        return (ready or current).image_cache_id


def check_generations(checked: Checked) -> Iterator[Violation]:
    """What is wrong with the options of a task that wants generations, or with their options where it does not."""
    values = checked.values
    if not values.get("generations"):
        for option in ("renew_before", "force"):
            if values.get(option):
                yield Violation((option,), "has no meaning without generations")
        return
    for option in ("prune", "prune_tags", "prune_first"):
        if values.get(option):
            yield Violation((option,), _OWN)
    if values.get("state") == "absent":
        yield Violation(("state",), "must not be absent with generations: delete image caches by their own names")
    for index, entry in enumerate(checked.entries("image_caches")):
        if isinstance(entry, dict):
            yield from _check_entry(entry, index, values.get("renew_before"))


def _check_entry(entry: Mapping[str, Any], index: int, renew_before: Any) -> Iterator[Violation]:
    at = ("image_caches", index)
    if entry.get("state") == "absent":
        yield Violation((*at, "state"), "must not be absent with generations: delete image caches by their own names")
    if entry.get("image_cache_id"):
        yield Violation((*at, "image_cache_id"), "has no meaning with generations, each of which has an ID of its own")
    retention = entry.get("retention_days")
    if isinstance(renew_before, (int, float)) and isinstance(retention, int) and 0 < retention <= renew_before:
        yield Violation((*at, "retention_days"), "must be more than renew_before, or each run would make another one")
    tags = entry.get("tags")
    for number, tag in enumerate(tags if isinstance(tags, list) else []):
        if isinstance(tag, dict) and tag.get("key") in (NAME_TAG, DIGESTS_TAG):
            yield Violation((*at, "tags", number, "key"), "is a tag that generations have of their own")
