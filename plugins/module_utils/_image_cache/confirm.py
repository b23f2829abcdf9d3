# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a create: read the image cache back, and leave one of each name. Private to the collection."""

from __future__ import annotations

from functools import partial
from typing import Collection

from .._errors import DriftError, EciError, NameRewritten, WaitFailed
from .._polling import CONSISTENCY_DELAYS, poll
from . import actions
from .batch import Batch, Item
from .model import ImageCache
from .plan import Action, the_only
from .planner import Planner, rewritten_note


class Confirmer:
    """Confirms what the items of a batch have created. What fails becomes the error of its item."""

    def __init__(self, batch: Batch, planner: Planner) -> None:
        self._batch = batch
        self._planner = planner

    def confirm(self, items: Collection[Item]) -> None:
        """Read what these have created, with one list for all, and yield to other controllers."""
        batch, lister = self._batch, self._batch.lister
        created = [item for item in items if item.answered is not None and not item.error]
        wanted = {item.id for item in created}

        def are_listed() -> bool:
            lister.refresh()
            return wanted <= {cache.id for cache in lister.caches}

        try:
            if created:
                poll(batch.clock, CONSISTENCY_DELAYS, are_listed, bool, False)
        except EciError as error:
            batch.warnings.append(f"What was created could not be read: {error.message}")
            for item in created:
                if not item.answered:  # it may be another client's, and nothing is known of it
                    item.error = error
            return
        several = [item for item in created if item.answered and len(lister.created(item.name, item.known)) > 1]
        if several:
            self._resolve([item for item in several if lister.shows(item.id)])
        for item in created:
            if item.answered is not None and not item.error:
                batch.attempt(item, self._confirm_one)

    def _confirm_one(self, item: Item) -> None:
        lister = self._batch.lister
        read = lister.shows(item.id)
        if read is None and lister.is_for_one:  # it may be there under another name
            read = self._batch.api.get(item.id)
        if read is None:
            item.action_warnings.append(f"The image cache {item.id} was created, but is not listed yet.")
            return
        if not item.answered:
            self._adopt(item, read)
            return
        if read.image_cache_name not in (None, item.name):
            self._undo(item, read)
        drift, rewritten = self._planner.compare(item, read)
        item.action_warnings += [rewritten_note(difference) for difference in rewritten]
        item.action_warnings += [
            f"The new image cache {item.id} has {difference['option']} {difference['found']!r}, not"
            f" {difference['wanted']!r} as the task says. From the next run on this is drift."
            for difference in drift
            if difference["option"] != "status"
        ]
        item.image_cache = item.added = read

    def _adopt(self, item: Item, existing: ImageCache | None) -> None:
        """Treat an image cache as one that was there before, but never replace it."""
        item.answered = None
        self._planner.plan_for(item, existing)
        if item.change.action is Action.CREATE:
            raise WaitFailed(f"The image cache named {item.name!r} is gone: somebody deleted it. Run the task again.")
        if item.change.action is Action.REPLACE:
            raise DriftError(
                f"The image cache {item.id} was created while this task ran, and differs from it in {item.drifted_options}. It"
                " may be another client's and is left as it is; run the task again to replace it."
            )
        if item.change.action is Action.RETAG:
            actions.retag(self._batch.api, item)

    def _undo(self, item: Item, own: ImageCache) -> None:
        """Delete an image cache again that the service gave another name: each run would create another one."""
        text = f"The service named the new image cache {own.name!r}: write image_cache_name: {own.name}, or no task finds it."
        try:
            actions.delete(self._batch.api, own)
        except EciError as error:
            error.add(text)
            raise
        item.changed, item.added, item.image_cache, item.image_cache_id = item.changed_before, None, None, None
        raise NameRewritten(f"{text} It was deleted again.")

    def _resolve(self, items: Collection[Item]) -> None:
        """Yield to elder image caches of the same name that other controllers have created."""
        from .duplicates import resolve  # most tasks do without

        batch, planner = self._batch, self._planner
        yielded = resolve(batch, items, planner.fits, partial(actions.delete, batch.api))
        try:
            if yielded:
                planner.refresh(yielded)
        except EciError as error:
            for item in yielded:
                item.error = error
        for item in yielded:
            if not item.error:
                batch.attempt(item, self._adopt_elder)

    def _adopt_elder(self, item: Item) -> None:
        lister = self._batch.lister
        self._adopt(item, lister.shows(item.id) or the_only(lister.named(item.name)))
