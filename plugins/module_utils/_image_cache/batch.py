# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image caches of a task, and what they share. Private to the collection."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, NamedTuple, Sequence

from .._api.client import Client
from .._errors import EciError, StateConflict, Unanswered, internal_error
from .._polling import Progress
from .._pool import for_each
from .api import ImageCachesApi, Lister
from .model import ImageCache
from .plan import Action, Desired, Difference, Plan, diff, plan

if TYPE_CHECKING:
    from .capacity import Capacity

_NAMES_SHOWN = 3


class Created(NamedTuple):
    """The result of a create.

    ``answered`` is True if the service returned the ID to this task, ``changed`` if this task can have created it.
    ``may_double`` is True if an earlier attempt without a reply may still take effect.
    """

    image_cache_id: str
    changed: bool
    request_id: str | None
    answered: bool
    may_double: bool


@dataclass(eq=False)
class Item:
    """What a task wants of one image cache, and what it has reached; valid at any time, also after an error.

    ``done`` is True once the planned action was carried out, ``changed`` once the service was changed. ``created`` is the
    result of its create, as long as the item has that image cache. ``known`` are IDs of the name from before the create.
    ``added`` and ``removed`` are the image caches that this task created and deleted (in check mode: would),
    ``duplicates`` the IDs of younger ones of the name among them. ``waited`` is in seconds.
    """

    desired: Desired
    change: Plan = field(default_factory=lambda: Plan(Action.NONE, None, None))
    done: bool = False
    changed: bool = False
    created: Created | None = None
    known: set[str] = field(default_factory=set)
    image_cache_id: str | None = None
    image_cache: ImageCache | None = None
    request_id: str | None = None
    drift: list[Difference] = field(default_factory=list)
    diff: dict[str, Any] | None = None
    duplicates: list[str] = field(default_factory=list)
    added: ImageCache | None = None
    removed: list[ImageCache] = field(default_factory=list)
    waited: float = 0.0
    plan_warnings: list[str] = field(default_factory=list)
    action_warnings: list[str] = field(default_factory=list)
    error: EciError | None = None

    @property
    def name(self) -> str:
        """The desired name, or an empty text."""
        return self.desired.name or ""

    @property
    def warnings(self) -> list[str]:
        """The warnings of the plan, then those of what was done."""
        return self.plan_warnings + self.action_warnings

    @property
    def cache(self) -> ImageCache:
        """The image cache as last seen, or an empty one."""
        return self.image_cache or ImageCache()

    @property
    def old(self) -> ImageCache:
        """The image cache that the plan found, or an empty one."""
        return self.change.before or ImageCache()

    @property
    def label(self) -> str:
        """The name for a message, or the ID where the task gives no name."""
        return self.name or str(self.desired.image_cache_id)

    def set_plan(self, existing: ImageCache | None, drift: list[Difference]) -> None:
        """Plan for what exists now; replaces an earlier plan."""
        self.change = plan(self.desired, existing, drift)
        self.done = False
        self.drift = self.change.drift
        self.diff = diff(self.change)
        self.image_cache = existing
        self.image_cache_id = existing.image_cache_id if existing else None

    @property
    def id(self) -> str:
        """The ID, or an empty text."""
        return self.image_cache_id or ""

    @property
    def drifted_options(self) -> str:
        """The options that differ, for a message."""
        return ", ".join(difference["option"] for difference in self.drift)

    def predict(self) -> None:
        """Take the plan for what is reached."""
        change = self.change
        self.changed = change.action is not Action.NONE
        self.image_cache = change.after
        if change.action in (Action.REPLACE, Action.DELETE):
            self.removed.append(self.old)
        if change.will_create:
            self.image_cache_id, self.added = None, change.after

    def is_pending(self, *actions: Action) -> bool:
        """Return True if one of these actions is still to be carried out and nothing has failed."""
        return self.error is None and not self.done and self.change.action in actions

    def result(self) -> dict[str, Any]:
        """Return the values of the result, always with the same keys."""
        return {
            "changed": self.changed,
            "image_cache_id": self.image_cache_id,
            "image_cache": self.image_cache and self.image_cache.as_dict(),
            "request_id": self.request_id,
            "drift": self.drift,
            "duplicates": self.duplicates,
            "waited": round(self.waited, 1),
        }


@dataclass
class Outcome:
    """The items in the order of the task, those pruned, and what pruning kept; the image caches that were there ``before``.

    ``quota`` is how many are used and allowed, None if it was not read. ``waited`` is in seconds.
    """

    items: list[Item]
    pruned: list[Item]
    kept: list[dict[str, Any]]
    warnings: list[str]
    before: list[ImageCache]
    quota: tuple[int, int] | None
    waited: float

    @property
    def all(self) -> list[Item]:
        """The items and the pruned ones."""
        return self.items + self.pruned


class Batch:
    """The items of a task, the service, and the list that was read last. With ``by_name`` there is one, listed alone."""

    def __init__(self, desired: Sequence[Desired], client: Client, concurrency: int, by_name: bool) -> None:
        self.items = [Item(one) for one in desired]
        self.client = client
        self.clock = client.clock
        self.api = ImageCachesApi(client)
        self.selected = {one.image_cache_id: one.is_present for one in desired if one.image_cache_id}
        by_id = by_name and desired[0].image_cache_id is not None
        self.lister = Lister(self.api, desired[0].selector if by_name else None, by_id)
        self.progress = Progress(client.clock, client.write)
        self.pruned: list[Item] = []
        self.warnings: list[str] = []
        self.waited = 0.0  # seconds
        self._concurrency = concurrency

    @functools.cached_property
    def capacity(self) -> Capacity:
        """Zones and quota; their warnings are those of the batch."""
        from .capacity import Capacity  # most tasks do without

        return Capacity(self.client, self.warnings)

    @property
    def present(self) -> list[Item]:
        """The items with state present."""
        return [item for item in self.items if item.desired.is_present]

    def planned(self, *actions: Action) -> list[Item]:
        """Return the items that still have to take one of these actions."""
        return [item for item in self.items if item.is_pending(*actions)]

    def failures(self) -> str:
        """Return which items have failed, for a message; an empty text if none has."""
        failed = [item.label for item in self.items if item.error]
        return f"{listed(failed)} failed" if failed else ""

    def block(self, action: Action, what: str) -> None:
        """Let no item take this action if one has failed."""
        failures = self.failures()
        for item in self.planned(action) if failures else []:
            item.error = StateConflict(f"The image cache {item.image_cache_id} {what}, since {failures}.")

    def refresh(self, items: Iterable[Item]) -> None:
        """Read the list. What fails becomes the error of these items."""
        try:
            self.lister.refresh()
        except EciError as error:
            self.fail(items, error)

    def fail(self, items: Iterable[Item], error: EciError) -> None:
        """Give each of the items a copy of an error: it may get a sentence of its own."""
        for item in items:
            item.error = copy.copy(error)

    def deletion(self, cache: ImageCache, wait: bool) -> Item:
        """Return an item that deletes an image cache."""
        item = Item(Desired("absent", {"imageCacheName": cache.image_cache_name}, wait=wait))
        item.set_plan(cache, [])
        return item

    def for_each(
        self, items: Iterable[Item], step: Callable[[Item], object], verb: str, essential: bool = False
    ) -> None:
        """Take a step with each of the items, several at a time. What fails becomes the error of its item.

        Unless it is ``essential``, no step is begun once the retry quota is exhausted.
        """
        items = list(items)
        taken: list[Item] = []

        def take(item: Item) -> None:
            if self.client.retry_quota.exhausted and not essential:
                item.error = Unanswered("Not attempted, since too many requests of this task failed.")
            else:
                self.attempt(item, step)
            taken.append(item)

        def on_tick() -> None:
            failed = sum(bool(item.error) for item in taken)
            failures = f", {failed} failed" if failed else ""
            self.progress.report(lambda: f"{len(taken)} of {len(items)} {verb}{failures}")

        for_each(items, take, self._concurrency, on_tick)

    def attempt(self, item: Item, step: Callable[[Item], object]) -> None:
        """Take a step with an item. What fails becomes its error."""
        try:
            step(item)
        except EciError as error:
            item.error = error
        except Exception as error:  # noqa: BLE001  what the others have reached must not be lost
            item.error = internal_error(error, self.client.redact)

    def fail_unfinished(self, error: EciError) -> None:
        """Give an error that ended the task to the items that were not finished, or to the last one if nothing failed."""
        active = [item for item in self.items if item.change.action is not Action.NONE]
        unfinished = [item for item in active if not (item.done or item.error)]
        failed = any(item.error for item in self.items + self.pruned)
        self.fail(unfinished or ([] if failed else self.items[-1:]), error)

    def name_created(self) -> None:
        """Let each error name the image cache that its item created."""
        for item in self.items:
            if item.error and item.added and item.added.id not in item.error.message:
                item.error.add(f"This task created the image cache {item.added.id}.")


def listed(names: Collection[str]) -> str:
    """Return the first few names for a message."""
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(repr(name) for name in list(names)[:_NAMES_SHOWN])
    return shown + (f" and {more} more" if more > 0 else "")
