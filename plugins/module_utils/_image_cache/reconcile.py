# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one engine: bring image caches into their desired states, one or many. Private to the collection.

The phases: list, create and retag, replace, wait, delete, prune. A phase in which something fails keeps those after it from
deleting anything. Whatever deletes lists first, at that moment, and decides on that list.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Collection, ContextManager, Sequence

from .. import _lock as lock
from .._api.client import Client
from .._errors import EciError, QuotaUsedUp, ServiceError, internal_error
from .._polling import Wait
from . import actions
from .api import Lister
from .batch import Batch, Item, Outcome
from .confirm import Confirmer
from .model import ImageCache, ids, predicted, remaining
from .plan import Action, Desired, unique
from .planner import Planner

if TYPE_CHECKING:  # loaded only by tasks that need them
    from .._registry.preflight import Preflight
    from .prune import Prune, Pruner
    from .waiting import Waiter


@dataclass
class Context:
    """The client of a task and its options for all image caches."""

    client: Client
    wait: Wait
    concurrency: int = 10
    preflight: Preflight | None = None
    diff_mode: bool = False


def reconcile(
    desired: Sequence[Desired],
    ctx: Context,
    *,
    prune: Prune | None = None,
    check_mode: bool = False,
    by_name: bool = False,
) -> Outcome:
    """Bring image caches into their desired states, then prune. With ``by_name`` the only one is listed alone.

    Raises EciError if nothing was begun: the list, a lock or the preflight failed. What fails later is the error of an item.
    """
    run = _Run(desired, ctx, prune, by_name)
    try:
        if check_mode:
            run.predict()
        else:
            run.carry_out()
        ctx.client.cancellation.check()
    except EciError as error:
        if not run.has_begun:
            raise
        run.batch.fail_unfinished(error)
    except Exception as error:  # noqa: BLE001  what others have reached must not be lost
        run.batch.fail_unfinished(internal_error(error, ctx.client.redact))
    run.batch.name_created()
    return run.outcome()


class _Run:
    """The phases of one task."""

    def __init__(self, desired: Sequence[Desired], ctx: Context, prune: Prune | None, by_name: bool) -> None:
        self.has_begun = False
        self.batch = Batch(desired, ctx.client, ctx.concurrency, by_name)
        self._ctx = ctx
        self._planner = Planner(self.batch)
        self._confirmer = Confirmer(self.batch, self._planner)
        self._pruner: Pruner | None = None
        if prune:
            from .prune import Pruner

            self._pruner = Pruner(self.batch, prune)
        self._before: list[ImageCache] = []
        self._quota: tuple[int, int] | None = None
        self._quota_error: QuotaUsedUp | None = None

    @functools.cached_property
    def _waiter(self) -> Waiter:
        from .waiting import Waiter  # tasks that wait have time to load it

        return Waiter(self.batch, self._ctx.wait)

    def carry_out(self) -> None:
        """Run all phases. The locks are free while the task waits."""
        batch = self.batch
        with self._locked():
            self._consider()
            if self._pruner and self._pruner.options.first:
                self._planner.check_replacements(None)
                self._prune(self._pruner)
                if batch.pruned:
                    self._plan_again(batch.items)
            self._create_and_retag(batch.planned(Action.CREATE, Action.RETAG))
            self._replace()
            present = [item for item in batch.present if item.image_cache_id and not item.error]
            awaited = [item for item in present if item.desired.wait]
            if not awaited:
                self._delete()
        if awaited:
            self._waiter.until_ready(awaited, self._planner.fits)
            with self._locked():
                self._delete()

    def predict(self) -> None:
        """Plan, and take the plans for what is reached."""
        batch, first = self.batch, self._pruner and self._pruner.options.first
        self._consider()
        if self._pruner and first:
            self._planner.check_replacements(None)
            self._pruner.predict()
        self._planner.check_replacements(len(batch.planned(Action.CREATE)) - len(batch.pruned))
        for item in batch.present:
            if not item.error:
                item.predict()
                batch.attempt(item, self._predict_wait)
        for item in [] if batch.failures() else list(self._planner.doubled):
            batch.attempt(item, self._predict_younger)
        batch.block(Action.DELETE, "is not deleted")
        for item in batch.items:
            if not (item.desired.is_present or item.error) and (item.desired.wait or item.is_pending(Action.DELETE)):
                item.predict()
        if self._pruner and not first:
            self._pruner.predict()

    def _predict_wait(self, item: Item) -> None:
        if item.desired.wait and item.cache.has_failed:
            raise self._waiter.failed(item)

    def _predict_younger(self, item: Item) -> None:
        younger = self._planner.younger(item, predict=True)
        item.removed += younger
        item.duplicates = [cache.id for cache in younger]
        item.changed = item.changed or bool(younger)

    def _consider(self) -> None:
        """List and plan, then run the preflight over what would be ordered. Raises EciError if one of them fails."""
        ctx, batch = self._ctx, self.batch
        self._planner.consider(ctx.concurrency)
        self._before = batch.lister.caches
        if ctx.diff_mode and not batch.lister.is_for_one:
            self._quota = batch.capacity.quota()
        if ctx.preflight and batch.planned(Action.CREATE, Action.REPLACE):
            batch.warnings += self._check_orders(ctx.preflight)
        self.has_begun = True

    def _plan_again(self, items: Collection[Item], listed: bool = False) -> None:
        """List, and plan what is not done: others may have acted meanwhile. Where it was ``listed``, take that list."""
        items = [item for item in items if not item.done and not item.error]
        if not listed:
            self.batch.refresh(items)
        self._planner.plan_all([item for item in items if not item.error])

    def _check_orders(self, preflight: Preflight) -> list[str]:
        from .._registry.preflight import Order

        path = "" if self.batch.lister.is_for_one else "image_caches[{}]."
        orders = [
            Order(path.format(number), item.change.body, item.change.action is Action.REPLACE)
            for number, item in enumerate(self.batch.items)
            if item.is_pending(Action.CREATE, Action.REPLACE)
        ]
        makes_room = bool(self._pruner and self._pruner.options.first)
        capacity = self.batch.capacity
        return preflight.check(orders, capacity.zones(), capacity.quota(), makes_room)

    def _create_and_retag(self, items: Collection[Item]) -> None:
        """Create what is missing and set tags; nothing is deleted, except what yields to another controller."""
        deleting = [item for item in items if item.is_pending(Action.CREATE) and item.change.before]
        if deleting:
            self._waiter.until_gone(deleting)
            self._plan_again(items, listed=True)
        items = [item for item in items if item.is_pending(Action.CREATE, Action.RETAG)]
        self.batch.for_each(items, self._create_or_retag, "created or retagged")
        self._confirmer.confirm(items)

    def _replace(self) -> None:
        """Delete what is to be replaced, wait for all of that with one list, then create the new ones."""
        batch = self.batch
        self._planner.check_replacements(0)
        items = batch.planned(Action.REPLACE)
        if not items:
            return
        self._plan_again(items)
        if not batch.lister.is_for_one:
            self._planner.check_replacements(None)
        others = [item for item in items if item.is_pending(Action.CREATE, Action.RETAG)]
        items = batch.planned(Action.REPLACE)
        batch.for_each(items, lambda item: actions.delete_old(batch.api, item), "deleted")
        self._waiter.until_gone(items)
        gone = [item for item in items if not item.error]
        if batch.lister.is_for_one and gone and gone[0].desired.image_cache_id:  # from now on it is found by its name
            batch.lister = Lister(batch.api, gone[0].name)
            batch.refresh(gone)
        for item in gone:
            if not item.error:
                batch.attempt(item, self._adopt_another)
        created = [item for item in gone if not (item.error or item.done)]
        batch.for_each(created, self._create, "created", essential=True)
        self._confirmer.confirm(created)
        for item in items:
            if item.error and item.removed and not item.added:
                item.error.add(f"The old image cache {ids(item.removed)} was deleted before (drift: recreate).")
        self._create_and_retag(others)

    def _adopt_another(self, item: Item) -> None:
        """Adopt an image cache that somebody created while the old one was deleted."""
        known = {item.old.id, *item.known, *self.batch.selected}
        named = remaining(self.batch.lister.named(item.name, known))
        if named:
            self._confirmer.adopt(item, unique(named))
            item.done = True

    def _delete(self) -> None:
        """Delete what is absent in the task and younger duplicates, then prune."""
        batch = self.batch
        batch.block(Action.DELETE, "is not deleted")
        items, failures = batch.planned(Action.DELETE), batch.failures()
        doubled = [item for item in self._planner.doubled if not item.error]
        if failures:
            for item in doubled:
                item.action_warnings.append(f"No younger image cache named {item.name!r} is deleted, since {failures}.")
        elif doubled or (items and not batch.lister.is_for_one):
            batch.refresh([*items, *doubled])
            self._planner.plan_all(batch.planned(Action.DELETE))
        younger: dict[Item, Item] = {}
        for item in [] if failures else doubled:
            if not item.error:
                batch.attempt(item, lambda item: younger.update(self._deletions(item)))
        deletions = [*batch.planned(Action.DELETE), *younger]
        batch.for_each(deletions, lambda item: actions.delete_old(batch.api, item), "deleted")
        absent = [item for item in batch.items if not item.desired.is_present and item.change.before]
        self._wait_until_gone([*absent, *younger])
        for deletion, item in younger.items():
            item.changed = item.changed or deletion.changed
            item.removed += deletion.removed
            item.duplicates += [deletion.old.id] * (deletion.done and not deletion.error)
            item.error = item.error or deletion.error
        if self._pruner and not self._pruner.options.first:
            self._prune(self._pruner)

    def _prune(self, pruner: Pruner) -> None:
        pruner.carry_out()
        self._wait_until_gone(self.batch.pruned)

    def _wait_until_gone(self, items: Collection[Item]) -> None:
        awaited = [item for item in items if item.desired.wait]
        if awaited:
            self._waiter.until_gone(awaited)

    def _deletions(self, item: Item) -> dict[Item, Item]:
        return {self.batch.deletion(cache, item.desired.wait): item for cache in self._planner.younger(item)}

    def _create_or_retag(self, item: Item) -> None:
        if item.change.action is Action.RETAG:
            actions.retag(self.batch.api, item)
        else:
            self._create(item)

    def _create(self, item: Item) -> None:
        if self._quota_error:
            raise QuotaUsedUp(f"Not created, since the quota is used up: {self._quota_error.message}")
        batch, body = self.batch, item.change.body
        item.known |= {item.old.id, *batch.selected, *(cache.id for cache in batch.lister.named(item.name))}
        item.image_cache_id, item.image_cache = None, None
        try:
            created = item.created = actions.create(batch.api, item, self._planner.fits(item))
        except EciError as error:
            if isinstance(error, QuotaUsedUp):
                self._quota_error = error
            if isinstance(error, ServiceError):
                with contextlib.suppress(OSError):  # no file may be opened any more
                    batch.capacity.explain(error, body)
            raise
        item.done = True
        item.changed = item.changed or created.changed
        item.image_cache_id = created.image_cache_id
        item.image_cache = replace(predicted(body), image_cache_id=created.image_cache_id)
        item.added = item.image_cache if created.changed else None
        item.request_id = created.request_id or item.request_id
        if created.may_double:
            item.action_warnings.append(
                f"createImageCache for {item.name!r} was sent more than once, since an earlier attempt got no reply and no"
                " image cache was listed. If it takes effect late, there will be two image caches of that name, each of them"
                " billed; the next run reports them."
            )

    def _locked(self) -> ContextManager[None]:
        connection, batch = self._ctx.client.connection, self.batch
        scope, labels = f"{connection.endpoint}\0{connection.region_id}", [item.label for item in batch.items]
        return lock.held(scope, labels, batch.clock, self._ctx.wait.timeout, batch.progress)

    def outcome(self) -> Outcome:
        """Return what was reached."""
        batch = self.batch
        kept = [kept.as_dict() for kept in self._pruner.kept] if self._pruner else []
        return Outcome(batch.items, batch.pruned, kept, batch.warnings, self._before, self._quota, batch.waited)
