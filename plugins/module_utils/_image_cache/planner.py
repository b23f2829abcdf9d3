# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the last list shows to the plan of each item. Private to the collection."""

from __future__ import annotations

from dataclasses import replace
from typing import Collection, Iterable

from .._errors import StateConflict, WaitFailed
from . import plan as plans
from .api import find_carriers
from .batch import Batch, Item
from .model import ImageCache, Tag, ids, normal_tags, predicted, remaining
from .plan import Action, Desired, Difference, Fits, compare, unique, younger_ones


class Planner:
    """Plans the items of a batch. ``doubled`` are the items of whose name several exist that all fit. Methods raise EciError."""

    def __init__(self, batch: Batch) -> None:
        self.doubled: dict[Item, None] = {}
        self._batch = batch
        self._carriers: dict[tuple[str, str], set[str]] = {}

    def consider(self, concurrency: int) -> None:
        """List what exists, and plan all items."""
        batch = self._batch
        self.refresh(batch.present)
        self._carriers = find_carriers(batch.api, self._hidden_tags(), concurrency)
        self.plan_all(batch.items)

    def plan_all(self, items: Collection[Item]) -> None:
        """Plan items for what the last list shows. What a list that is not complete does not show is asked for by its name."""
        batch = self._batch
        for item in items:
            batch.attempt(item, self._plan)
        if not batch.lister.complete:
            batch.capacity  # noqa: B018  made before threads share it
            missing = [item for item in items if not (item.error or item.change.before or item.desired.image_cache_id)]
            batch.for_each(missing, lambda item: self._plan_named(item, self._listed_alone(item)), "listed")
        self._refuse_same()

    def _listed_alone(self, item: Item) -> list[ImageCache]:
        selected, present = self._batch.selected, item.desired.is_present
        return self._batch.api.named(item.name, [one for one in selected if not (present and selected[one])])

    def _refuse_same(self) -> None:
        """Refuse two items that are one image cache, by its ID and by its name."""
        first: dict[str, Item] = {}
        for item in self._batch.items:
            other = first.setdefault(item.old.id, item) if item.old.id and not item.error else item
            if other is not item:
                text = f"{other.label!r} and {item.label!r} are the same image cache {item.old.id}: list it only once."
                self._batch.fail([other, item], StateConflict(text))

    def refresh(self, items: Iterable[Item]) -> None:
        """List until other controllers have left one of each name, or have had time to."""
        items, lister = list(items), self._batch.lister
        lister.refresh()
        for delay in plans.OTHERS_DELAYS:
            if not any(self._is_contested(item) for item in items):
                return
            self._batch.clock.sleep(delay)
            lister.refresh()

    def _plan(self, item: Item) -> None:
        desired, lister = item.desired, self._batch.lister
        if desired.image_cache_id == "":  # in check mode; an earlier task would have created it
            item.set_plan(predicted({**desired.body, "tags": None}), [])
        elif desired.image_cache_id:
            self.plan_for(item, _selected(desired, lister.get(desired.image_cache_id)))
        else:
            self._plan_named(item, lister.named(item.name))

    def _plan_named(self, item: Item, named: list[ImageCache]) -> None:
        named = self._unselected(item, named)
        deletes_younger = item.desired.is_present and item.desired.duplicates == "delete_younger"
        if deletes_younger and younger_ones(named, self.fits(item)):
            self.doubled[item] = None
            self.plan_for(item, remaining(named)[0])
        else:
            self.plan_for(item, unique(named))

    def plan_for(self, item: Item, existing: ImageCache | None) -> None:
        """Plan an item for this image cache. Raises StateConflict if the task says drift: fail."""
        drift: list[Difference] = []
        item.plan_warnings = []
        if existing and not existing.is_deleting and item.desired.is_present:
            tags = normal_tags(item.desired.body.get("tags") or [])
            if (
                existing.tags is None
                and tags
                and all(existing.id in self._carriers.get((tag["key"], tag["value"]), ()) for tag in tags)
            ):
                existing = replace(existing, tags=tags)
            drift, rewritten = self.compare(item, existing)
            item.plan_warnings += [rewritten_note(difference) for difference in rewritten]
        item.set_plan(existing, drift)
        if drift and item.change.action is not Action.REPLACE:
            text = f"The image cache {item.image_cache_id} differs from the task in {item.drifted_options}"
            if item.change.refused:
                raise StateConflict(f"{text}, and the task says drift: fail. See drift in the result.")
            item.plan_warnings.append(f"{text}, and is left as it is (drift: warn).")

    def fits(self, item: Item) -> Fits:
        """Return the function that is True for an image cache without drift."""
        return lambda cache: not self.compare(item, cache)[0]

    def check_replacements(self, more: int | None) -> None:
        """Block all replacements if something has failed or one of them is impossible.

        ``more`` image caches are created before them; None leaves the quota out.
        """
        batch = self._batch
        batch.block(Action.REPLACE, "is not replaced")
        items = batch.planned(Action.REPLACE)
        if items:
            problem = batch.capacity.checker(more)
            for item in items:
                batch.attempt(item, lambda item: self._check_replacement(item, problem(item.change.body)))
            batch.block(Action.REPLACE, "is not replaced")

    def _check_replacement(self, item: Item, problem: str) -> None:
        batch, name = self._batch, item.name
        if problem:
            raise StateConflict(f"The image cache {item.old.id} is not replaced: {problem}")
        if item.desired.image_cache_id:
            named = batch.api.named(name) if batch.lister.is_for_one else batch.lister.named(name)
            item.known |= {cache.id for cache in named}
            if named and item.old.name != name:
                raise StateConflict(
                    f"The image cache {item.old.id} has another name, and {name!r} is the name of {ids(named)}: replacing it"
                    " would create a second one of that name."
                )

    def younger(self, item: Item, predict: bool = False) -> list[ImageCache]:
        """Return the younger ones of the name that may go: the last list shows the item's own as the oldest, and ready.

        Raises WaitFailed if it does not show the item's own.
        """
        named = remaining(self._unselected(item, self._batch.lister.named(item.name)))
        if item.image_cache_id not in [cache.id for cache in named]:
            raise WaitFailed(f"The image cache {item.id} was deleted by another client. Run the task again.")
        rest = younger_ones(named, self.fits(item))
        is_ready = named[0].is_ready or (predict and item.desired.wait)
        if rest and not (is_ready and named[0].id == item.image_cache_id):
            item.action_warnings.append(
                f"The image caches {ids(rest)} named {item.name!r} are not deleted, since the oldest, {named[0].id}, has just"
                " appeared or is not ready yet: run the task again later, or set wait: true."
            )
            return []
        return rest

    def compare(self, item: Item, cache: ImageCache) -> tuple[list[Difference], list[Difference]]:
        """Compare as ``plan.compare`` does, with the zones of the region where two differ."""

        def zones() -> list[str] | None:
            return self._batch.capacity.zones()

        return compare(item.desired.body, cache, zones)

    def _is_contested(self, item: Item) -> bool:
        """Return True if other controllers may be about to leave one of several of the name."""
        if item.desired.image_cache_id is not None:
            return False
        named = self._unselected(item, self._batch.lister.named(item.name))
        return plans.may_be_resolved(named, self.fits(item), self._batch.clock.time())

    def _unselected(self, item: Item, named: list[ImageCache]) -> list[ImageCache]:
        """Leave out what the task selects by its ID, unless that stays and is all there is: no second one is created then."""
        selected = self._batch.selected
        others = [cache for cache in named if cache.id not in selected]
        stay = [cache for cache in named if selected.get(cache.id)]
        return others or (stay if item.desired.is_present else [])

    def _hidden_tags(self) -> Iterable[Tag]:
        """Return the tags of the items whose image cache shows none, where no other one shows any."""
        lister = self._batch.lister
        if lister.tags_shown:
            return
        for item in self._batch.present:
            if lister.shows(item.desired.image_cache_id) or lister.named(item.name):
                yield from normal_tags(item.desired.body.get("tags") or [])


def _selected(desired: Desired, existing: ImageCache | None) -> ImageCache | None:
    """Return the image cache that an ID selects. Raises StateConflict if it is not the one that the task describes."""
    if not desired.is_present:
        if existing and existing.image_cache_name and desired.name not in (None, existing.image_cache_name):
            raise StateConflict(
                f"The image cache {desired.image_cache_id} is named {existing.image_cache_name!r}, not {desired.name!r} as the"
                " task says. Nothing was deleted."
            )
    elif existing is None or existing.is_deleting:
        raise StateConflict(
            f"There is no image cache with the ID {desired.image_cache_id}. To create one, omit image_cache_id: the service"
            " assigns the ID."
        )
    return existing


def rewritten_note(difference: Difference) -> str:
    """Return the warning about a value that the service writes its own way."""
    return (
        f"The service returns {difference['option']} as {difference['found']!r}, the task has {difference['wanted']!r}. This does"
        " not count as drift; use the value of the service to compare them."
    )
