# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a create: read what was created, and yield to other controllers. Private to the collection."""

from __future__ import annotations

from functools import partial
from typing import Collection

from .._errors import NO_FILES, NONE, POSSIBLE, EciError, StateConflict, WaitFailed
from .._polling import CONSISTENCY_DELAYS, poll
from . import actions
from .batch import Batch, Item
from .model import ImageCache, remaining
from .plan import Action, diff, several_exist, unique
from .planner import Planner, rewritten_note


class Confirmer:
    """Confirms what the items of a batch have created. What fails becomes the error of its item."""

    def __init__(self, batch: Batch, planner: Planner) -> None:
        self._batch = batch
        self._planner = planner

    def confirm(self, items: Collection[Item]) -> None:
        """Read what these have created, with one list for all, and yield to other controllers."""
        batch, lister = self._batch, self._batch.lister
        created = [item for item in items if item.created and not item.error]
        wanted = {item.id for item in created}

        def are_listed() -> bool:
            lister.refresh()
            return wanted <= {cache.id for cache in lister.caches}

        try:
            if created:
                poll(batch.clock, CONSISTENCY_DELAYS, are_listed, bool, False)
            own = [item for item in created if item.created and item.created.answered]
            for item in own:
                batch.attempt(item, self._check_name)
            own = [item for item in own if not item.error]
            if any(item.error for item in created):  # what is deleted again counts no more
                lister.refresh()
        except EciError as error:
            batch.warnings.append(f"The new image caches could not be read: {error.message}")
            # it may be another client's, and nothing is known of it
            batch.fail([item for item in created if item.created and not item.created.answered], error)
            return
        several = [item for item in own if len(lister.named(item.name, item.known)) > 1 and lister.shows(item.id)]
        if several:
            self._resolve(several)
        for item in created:
            if item.created and not item.error:
                batch.attempt(item, self._confirm_one)

    def adopt(self, item: Item, existing: ImageCache | None) -> None:
        """Treat an image cache as one that was there before, but never replace it."""
        created, before = item.change, item.created
        item.created = None
        self._planner.plan_for(item, existing)
        if item.change.action is Action.CREATE:
            raise WaitFailed(f"The image cache named {item.name!r} was deleted by another client. Run the task again.")
        if item.change.action is Action.REPLACE:
            raise StateConflict(
                f"The image cache {item.id} was created while this task ran, and differs from it in {item.drifted_options}. It"
                " may belong to another client and was not changed; run the task again to replace it."
            )
        if before and before.changed:
            item.added, item.diff = existing, diff(created, after=existing)
        if item.change.action is Action.RETAG:
            actions.retag(self._batch.api, item)

    def _read(self, item: Item) -> ImageCache | None:
        read = self._batch.lister.shows(item.id)
        if read is None and self._batch.lister.is_for_one:  # it may be there under another name
            read = self._batch.api.get(item.id)
        return read

    def _check_name(self, item: Item) -> None:
        """Delete an image cache again that the service gave another name: each run would create another one."""
        own = self._read(item)
        if own is None or own.image_cache_name in (None, item.name):
            return
        item.image_cache = item.added = own
        text = f"The service named the new image cache {own.name!r}: write image_cache_name: {own.name}, or no task finds it."
        if item.removed:  # it takes the place of a good one
            raise StateConflict(f"{text} It was left as it is.")
        try:
            actions.delete(self._batch.api, own)
        except EciError as error:
            error.add(text)
            raise
        item.changed = bool(item.created and item.created.may_double)
        item.created, item.added, item.image_cache, item.image_cache_id = None, None, None, None
        if item.changed:
            text += " An earlier attempt may have created another one."
        raise StateConflict(f"{text} It was deleted again.", effect=POSSIBLE if item.changed else NONE)

    def _confirm_one(self, item: Item) -> None:
        read = self._read(item)
        if read is None:
            item.action_warnings.append(f"The image cache {item.id} was created, but is not listed yet.")
        elif item.created and not item.created.answered:  # nobody knows which of several is the own one
            named = remaining(self._batch.lister.named(item.name, item.known))
            item.action_warnings += [several_exist(item.name, named)] * (len(named) > 1)
            self.adopt(item, read)
        else:
            drift, rewritten = self._planner.compare(item, read)
            item.action_warnings += [rewritten_note(difference) for difference in rewritten]
            item.action_warnings += [
                f"The new image cache {item.id} has {difference['option']} {difference['found']!r}, not"
                f" {difference['wanted']!r} as the task says. The next run treats this as drift."
                for difference in drift
                if difference["option"] != "status"
            ]
            item.image_cache = item.added = read

    def _resolve(self, items: Collection[Item]) -> None:
        """Yield to elder image caches of the same name that other controllers have created."""
        batch, planner = self._batch, self._planner
        try:
            from .duplicates import resolve  # most tasks do without
        except OSError:
            batch.warnings.append(f"{NO_FILES}, so duplicates that other clients created were not resolved.")
            return
        yielded = resolve(batch, items, planner.fits, partial(actions.delete, batch.api))
        try:
            if yielded:
                planner.refresh(yielded)
        except EciError as error:
            batch.fail(yielded, error)
        for item in yielded:
            if not item.error:
                batch.attempt(item, self._adopt_elder)

    def _adopt_elder(self, item: Item) -> None:
        lister = self._batch.lister
        self.adopt(item, lister.shows(item.id) or unique(lister.named(item.name, item.known)))
