# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many image caches from what they are to what a task wants, with few requests. Private to the collection.

One list tells what exists. Then come the phases of ``converge_all``, in an order in which nothing good is deleted before
what takes its place is there or can be made. A phase in which something fails keeps those after it from deleting
anything.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

from .._api import region as regions
from .._errors import EciError, Irreplaceable, LockError, QuotaUsedUp, Vanished
from .._api.client import Client
from .._polling import Wait
from .converge import failed
from .folder import PRIVATE, Folder
from .group import Group, attempt
from .image_cache import ImageCache
from .item import Item
from .lock import Locks
from .operations import ImageCaches
from .pick import picked, the_only
from .plan import CREATE, DELETE, RETAG, Wanted
from .prune import Kept, Prune
from .pruning import Pruning
from .review import counts, prepared
from .settling import settled
from .surroundings import Surroundings
from .twins import ByName, settle

if TYPE_CHECKING:
    from .preflight import Preflight

REPLACE = [DELETE, CREATE]


@dataclass
class Outcomes:
    """The wanted image caches in the order of the task, the ones that were pruned, and the ones that could be.

    ``plan`` counts the changes, ``prepared`` tells them line by line; ``waited`` is in seconds.
    """

    items: list[Item]
    pruned: list[Item]
    kept: list[Kept]
    warnings: list[str]
    plan: dict[str, Any]
    prepared: str
    waited: float

    @property
    def all(self) -> list[Item]:
        """The wanted ones and the pruned ones."""
        return self.items + self.pruned


def converge_all(
    wanted: Sequence[Wanted],
    client: Client,
    wait: Wait,
    *,
    concurrency: int,
    prune: Sequence[Prune] = (),
    check_mode: bool = False,
    diff_mode: bool = False,
    folder: Folder = PRIVATE,
    preflight: Preflight | None = None,
) -> Outcomes:
    """Bring many image caches into their wanted states, and prune what carries the tags of a ``prune`` and is not wanted.

    ``folder`` is for what tasks tell each other, ``preflight`` looks at what is going to be ordered. Raises EciError if
    the image caches cannot be listed or locked or the preflight fails, before anything is changed. What fails later is
    told by the item.
    """
    around = Surroundings(ImageCaches(client), wait, folder, preflight)
    many = _Many(wanted, around, concurrency, prune, diff_mode)
    try:
        if check_mode:
            many.consider()
            many.look_before()
            many.predict()
        else:
            _carry_out(many, around)
    except BaseException as reason:
        if isinstance(reason, EciError) and not many.has_begun:
            raise
        if not isinstance(reason, Exception):
            client.end(reason)
        many.end(reason)
    return many.outcomes()


def _carry_out(many: _Many, around: Surroundings) -> None:
    names = many.names()
    with around.locked(names) as locks:
        many.consider()
        many.look_before()
        many.prune_first(locks)
        many.create_and_retag()
        many.replace()
    many.await_ready()
    if many.deletes():
        with around.locked(names) as locks:
            many.delete()
            many.prune_last(locks)


class _Many:
    """The phases; each leaves alone what has failed in one before."""

    def __init__(
        self,
        wanted: Sequence[Wanted],
        around: Surroundings,
        concurrency: int,
        prunes: Sequence[Prune],
        diff_mode: bool,
    ) -> None:
        self._around = around
        self._group = Group([Item(one, self._around) for one in wanted], self._around, concurrency)
        self._pruning = Pruning(self._group, prunes) if prunes else None
        self._warnings: list[str] = []
        self._before: list[ImageCache] = []
        self._diff_mode = diff_mode
        self._quota: tuple[int, int] | None = None
        self._quota_error: EciError | None = None
        # before that nothing is changed, so an error is that of the whole task
        self.has_begun = False

    def names(self) -> set[str]:
        """The names of all that is wanted; those that are picked by an ID have to be asked for. Raises EciError."""
        items = self._group.items
        ids = {item.wanted.image_cache_id for item in items if item.wanted.image_cache_id}
        found = self._group.caches.find().caches if ids else []
        return {item.name for item in items if item.name} | {
            cache.image_cache_name for cache in found if cache.image_cache_id in ids and cache.image_cache_name
        }

    def consider(self) -> None:
        """Find out what exists, and plan. Raises EciError if it cannot be listed."""
        group = self._group
        by_name = settled(
            [item.sought for item in group.items if not item.wanted.image_cache_id], self._around, group.read
        )
        self._before = group.listing.caches
        group.ask_for_tags(by_name)
        if self._diff_mode:
            with contextlib.suppress(EciError):  # some accounts may not know
                self._quota = regions.image_cache_quota(group.caches.client)
        for item in group.items:
            attempt(item, lambda item: self._consider(item, by_name))
        if not group.listing.whole:
            # a list that was not whole did not show it: that is no proof that it is gone
            missing = [item for item in group.planned([]) if not item.planned.before]
            group.each(missing, lambda item: item.consider_named(group.named(item.name)), "asked for")

    def look_before(self) -> None:
        """Look at what is going to be ordered, if the task asks for that. Raises EciError."""
        ordered = [
            (f"image_caches[{number}].", item.planned)
            for number, item in enumerate(self._group.items)
            if item.is_to_take([CREATE], REPLACE)
        ]
        self._warnings += self._around.look_before(ordered, bool(self._pruning and self._pruning.is_first))
        self.has_begun = True

    def predict(self) -> None:
        """Take the plans for the outcomes."""
        group = self._group
        self._check_replacements(more=len(group.planned([CREATE])))
        for item in group.planned([CREATE], [RETAG], [], REPLACE):
            item.predict()
        for item in self._awaited():
            if item.cache.has_failed:
                item.error = failed(item)
        self._leave([DELETE], "is not deleted")
        for item in group.planned([DELETE]):
            item.predict()
        if self._pruning:
            self._pruning.predict()

    def prune_first(self, locks: Locks) -> None:
        """Make room, if the task accepts a gap."""
        if self._pruning and self._pruning.is_first:
            self._pruning.carry_out(locks)

    def create_and_retag(self) -> None:
        """Make what is missing and set tags: nothing here deletes anything."""
        group = self._group
        for item in group.planned([]):
            attempt(item, Item.carry_out)
        items = group.planned([CREATE], [RETAG])
        group.each(items, self._create_or_retag, "made or retagged")
        self._confirm(items)

    def replace(self) -> None:
        """Delete what has to be replaced, wait for all of that with one list, then make the new ones."""
        group = self._group
        self._check_replacements()
        items = group.planned(REPLACE)
        group.each(items, Item.delete, "deleted")
        group.await_gone(items)
        group.each([item for item in items if not item.error], Item.create, "made")
        self._confirm(items)

    def await_ready(self) -> None:
        """Wait for all that the task wants to wait for."""
        waiting = self._awaited()
        while True:
            self._group.await_ready(waiting)
            gone = [item for item in waiting if isinstance(item.error, Vanished) and item.may_follow]
            if not gone:
                return
            waiting = self._followed(gone)

    def deletes(self) -> bool:
        """Whether something may be left to be deleted."""
        absent = any(item.wanted.state == "absent" or item.has_younger for item in self._group.items)
        return absent or (self._pruning is not None and not self._pruning.is_first)

    def delete(self) -> None:
        """Delete what shall be absent, and younger ones of a name where the task says so."""
        group = self._group
        self._leave([DELETE], "is not deleted")
        group.each(group.planned([DELETE]), Item.delete, "deleted")
        group.each([item for item in group.planned([], [RETAG]) if item.has_younger], Item.delete_younger, "cleaned up")
        going = [item for item in group.planned([DELETE], []) if item.wanted.state == "absent" and item.wanted.wait]
        group.await_gone([item for item in going if item.image_cache_id])

    def prune_last(self, locks: Locks) -> None:
        """Delete what carries the tags and is not wanted, once all that is wanted is there and ready."""
        if self._pruning and not self._pruning.is_first:
            self._pruning.carry_out(locks)

    def end(self, reason: BaseException) -> None:
        """Say of each that is not as it was to be what ended the task before; of the last one, if all of them are."""
        items = self._group.items + (self._pruning.pruned if self._pruning else [])
        for item in items:
            if not item.error and not item.is_done:
                item.error = item.ended(reason)
        if items and not any(item.error for item in items):
            items[-1].error = items[-1].ended(reason)

    def outcomes(self) -> Outcomes:
        """What became of it all; in diff mode with a text for a reviewer."""
        group, pruning = self._group, self._pruning
        pruned = pruning.pruned if pruning else []
        plan = counts(group.items, pruned, self._before)
        plan["quota_used"], plan["quota_limit"] = self._quota or (None, None)
        return Outcomes(
            group.items,
            pruned,
            pruning.kept if pruning else [],
            self._warnings + (pruning.warnings if pruning else []) + self._around.room.warnings,
            plan,
            prepared(group.items, pruned, plan, self._around.clock.time()) if self._diff_mode else "",
            group.waited,
        )

    # --- what the phases are made of

    def _consider(self, item: Item, by_name: ByName) -> None:
        image_cache_id = item.wanted.image_cache_id
        if image_cache_id:
            item.consider(picked(item.wanted, self._group.find(image_cache_id)))
        else:
            item.consider_named(by_name(item.name))

    def _followed(self, gone: list[Item]) -> list[Item]:
        """Those of which another one is found in place of the one that is gone."""
        with contextlib.suppress(LockError):
            with self._around.locked([item.name for item in gone]):
                self._group.each(gone, _follow_another, "looked for again")
        return [item for item in gone if not item.error]

    def _awaited(self) -> list[Item]:
        """Those that the task wants to wait for until they are ready."""
        return [
            item
            for item in self._group.items
            if item.wanted.state == "present" and item.wanted.wait and item.image_cache_id and not item.error
        ]

    def _create_or_retag(self, item: Item) -> None:
        """Leave looking at what was created to one list for all."""
        if item.planned.before is None and not self._group.listing.whole:
            # a list that was not whole did not show it: that is no reason to make another
            item.consider(the_only(self._group.named(item.name)))
        if item.planned.steps == [CREATE]:
            self._create(item)
        elif not item.planned.replaces:  # that is for the phase after this one
            item.carry_out()

    def _create(self, item: Item) -> None:
        if self._quota_error:
            raise QuotaUsedUp(f"Not made, since the quota was used up before: {self._quota_error.message}")
        item.await_gone()
        try:
            item.create()
        except QuotaUsedUp as error:
            self._quota_error = error
            raise

    def _confirm(self, items: Iterable[Item]) -> None:
        """Look at what was created, with one list."""
        created = {item: item.created for item in items if item.created}
        if not created:
            return
        try:
            by_name = self._group.read_until({item.image_cache_id for item in created})
        except EciError as error:
            self._warnings.append(f"What was created could not be read: {error.message}")
            for item, made in created.items():
                if not made.answered:  # it may be another client's, of which nothing is known
                    item.error = error
            return
        for item in created:
            attempt(item, lambda item: item.confirm(by_name(item.name)))
        self._come_to_terms(created)

    def _come_to_terms(self, created: Iterable[Item]) -> None:
        """Leave one image cache of each name where other tasks have made one as well."""
        group = self._group
        items = {item: item.twins for item in created if item.twins}
        if not items:
            return
        try:
            for decided in settle(items.values(), group.read, self._around.clock):
                concluding = [item for item in items if item.name in decided]
                group.each(concluding, partial(_conclude, decided), "settled")
            by_name = settled([item.sought for item in items if item.gave_way], self._around, group.read)
        except EciError as error:
            self._warnings.append(f"Image caches of one name could not be looked at: {error.message}")
            for item in items:
                item.error = error if item.gave_way else item.error
        for item in items:
            item.outcome.warnings += [item.twins.warning()] if item.twins else []
        followers = [item for item in items if item.gave_way and not item.error]
        for item in followers:
            attempt(item, lambda item: item.follow(by_name(item.name)))
        group.each([item for item in followers if not item.error], Item.carry_out, "adopted")

    def _check_replacements(self, more: int = 0) -> None:
        """Leave all that are to be replaced where something has failed, or one of them could not be replaced."""
        self._leave(REPLACE, "is not replaced")
        for item in self._group.planned(REPLACE):
            attempt(item, lambda item: item.check_replacement(more))
        self._leave(REPLACE, "is not replaced")

    def _leave(self, steps: list[str], what: str) -> None:
        """Take none of these steps where something has failed."""
        failures = self._group.failures()
        for item in self._group.planned(steps) if failures else []:
            item.error = Irreplaceable(
                f"The image cache {item.image_cache_id} {what}, since {failures}. Nothing was deleted."
            )


def _conclude(decided: Mapping[str, ImageCache | None], item: Item) -> None:
    item.conclude(decided[item.name])


def _follow_another(item: Item) -> None:
    """Take another image cache for the one that is gone, if there is one to take."""
    vanished, item.error = item.error, None
    if item.follow_another():
        item.carry_out()
    else:
        item.error = vanished
