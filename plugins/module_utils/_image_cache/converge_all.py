# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many image caches from what they are to what a task wants, with few requests. Private to the collection.

One list tells what exists; what has to be done is done by a bounded pool of threads; one more list confirms it, and
waiting is done with one list for all.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Collection, Iterable, Sequence

from .._errors import EciError, WaitFailed, WaitTimeout
from .._service.client import Client
from .._wait import Wait
from . import create, lock
from .apply import Application, still_listed
from .converge import failed, not_ready, the_only
from .operations import ImageCache, ImageCaches, Tags, normal_tags
from .plan import Plan, Wanted, has_failed, is_ready


@dataclass
class Item:
    """One image cache of the task: what becomes of it, and the error that ended that, if any."""

    application: Application
    change: Plan | None = None
    error: EciError | None = None

    @property
    def name(self) -> str:
        """The name of the image cache."""
        return self.application.wanted.name or ""

    @property
    def image_cache_id(self) -> str | None:
        """The ID of the image cache as far as it is known."""
        return self.application.outcome.image_cache_id


@dataclass
class Outcomes:
    """The wanted image caches in the order of the task, and the ones that were pruned."""

    items: list[Item]
    pruned: list[Item] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[Item]:
        """Both, the wanted ones first."""
        return self.items + self.pruned


def converge_all(
    wanted: Sequence[Wanted],
    client: Client,
    wait: Wait,
    *,
    concurrency: int,
    prune_tags: Tags | None = None,
    check_mode: bool = False,
) -> Outcomes:
    """Bring many image caches into their wanted states.

    ``prune_tags`` are the tags whose carriers are deleted unless they are wanted; None prunes nothing. Raises EciError
    if the image caches cannot be listed, before anything is changed. What fails later is told by the item.
    """
    converging = _ConvergingAll(client, wait, concurrency)
    if check_mode:
        converging.plan(wanted, prune_tags)
        for item in converging.outcomes.all:
            if item.change:
                item.application.predict(item.change)
        return converging.outcomes
    with lock.whole_region(client.connection):
        converging.plan(wanted, prune_tags)
        converging.carry_out()
        converging.confirm()
    converging.await_end([item for item in converging.outcomes.all if item.application.wanted.wait])
    return converging.outcomes


class _ConvergingAll:
    def __init__(self, client: Client, wait: Wait, concurrency: int) -> None:
        self.client = client
        self.wait = wait
        self.concurrency = concurrency
        self.caches = ImageCaches(client)
        self.outcomes = Outcomes([])

    def plan(self, wanted: Sequence[Wanted], prune_tags: Tags | None) -> None:
        existing = self.caches.find()
        by_name = _by_name(existing)
        self._see_tags(wanted, by_name)
        self.outcomes.items = [self._item(one, by_name.get(one.name or "", [])) for one in wanted]
        if prune_tags is not None:
            names = {one.name for one in wanted}
            waits = any(one.wait for one in wanted)
            unwanted = [cache for cache in existing if cache["image_cache_name"] not in names]
            for cache in self._prunable(unwanted, prune_tags):
                away = Wanted("absent", {"imageCacheName": cache["image_cache_name"]}, wait=waits)
                self.outcomes.pruned.append(self._item(away, [cache]))

    def _item(self, wanted: Wanted, named: list[ImageCache]) -> Item:
        item = Item(Application(wanted, self.client, self.wait, confirm_at_once=False))
        try:
            item.change = item.application.consider(the_only(named))
        except EciError as error:
            item.error = error
        return item

    def _see_tags(self, wanted: Sequence[Wanted], by_name: dict[str, list[ImageCache]]) -> None:
        """Put the wanted tags on the image caches that carry them though the service does not show it."""
        carrying: dict[str, set[str]] = {}
        for one in wanted:
            tags = normal_tags(one.body.get("tags") or [])
            unseen = [cache for cache in by_name.get(one.name or "", []) if cache["tags"] is None]
            if not (tags and unseen):
                continue
            key = repr(tags)
            if key not in carrying:
                carrying[key] = self.caches.carrying(tags) or set()
            for cache in unseen:
                if cache["image_cache_id"] in carrying[key]:
                    cache["tags"] = tags

    def _prunable(self, caches: list[ImageCache], tags: Tags) -> list[ImageCache]:
        tags = normal_tags(tags)
        shown = [cache for cache in caches if cache["tags"] is not None]
        unseen = [cache for cache in caches if cache["tags"] is None]
        carrying = self.caches.carrying(tags) if unseen else set()
        if carrying is None:
            self.outcomes.warnings.append(
                "The service shows no tags and does not filter by them, so image caches without visible tags are not"
                " pruned."
            )
            carrying = set()
        return [cache for cache in shown if all(tag in cache["tags"] for tag in tags)] + [
            cache for cache in unseen if cache["image_cache_id"] in carrying
        ]

    def carry_out(self) -> None:
        todo = [item for item in self.outcomes.all if item.change and item.change.steps]
        if todo:
            with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
                for future in [pool.submit(self._carry_out, item) for item in todo]:
                    future.result()

    def _carry_out(self, item: Item) -> None:
        try:
            if item.change:
                item.application.carry_out(item.change)
        except EciError as error:
            item.error = error

    def confirm(self) -> None:
        created = [item for item in self.outcomes.items if item.application.created]
        if not created:
            return
        ids = {item.image_cache_id for item in created}
        try:
            by_name = _by_name(self._listed(ids))
        except EciError as error:
            self.outcomes.warnings.append(f"What was created could not be read: {error.message}")
            return
        for item in created:
            try:
                item.application.confirm(by_name.get(item.name, []))
            except EciError as error:
                item.error = error

    def _listed(self, ids: Collection[str | None]) -> list[ImageCache]:
        """All image caches, once the list shows these IDs or has had time to."""
        listed: list[ImageCache] = []
        for pause in create.LOOK_PAUSES:
            self.client.pause(pause)
            listed = self.caches.find()
            if {cache["image_cache_id"] for cache in listed}.issuperset(ids):
                break
        return listed

    def await_end(self, items: Iterable[Item]) -> None:
        waiting = [item for item in items if item.image_cache_id and not item.error]
        if not waiting:
            return
        try:
            if any(item.application.wanted.state == "absent" for item in waiting):
                self._look(waiting)
            self.wait.until(None, lambda: self._look(waiting), lambda _: not _pending(waiting))
        except EciError as error:
            for item in _pending(waiting):
                item.error = error
        for item in _pending(waiting):
            item.error = item.error or self._time_out(item)
        for item in waiting:
            cache = item.application.outcome.image_cache
            if cache and has_failed(cache) and not item.error:
                item.error = failed(item.application, cache)

    def _look(self, waiting: list[Item]) -> None:
        """Read all that are waited for with one list."""
        listed = {cache["image_cache_id"]: cache for cache in self.caches.find()}
        for item in waiting:
            outcome = item.application.outcome
            cache = listed.get(item.image_cache_id or "")
            if item.application.wanted.state == "absent" or cache:
                outcome.image_cache = cache
            elif outcome.image_cache and outcome.image_cache["status"]:
                item.error = WaitFailed(
                    f"The image cache {item.image_cache_id} is gone: somebody else deleted it during the wait."
                )

    def _time_out(self, item: Item) -> WaitTimeout:
        if item.application.wanted.state == "absent":
            return still_listed(item.image_cache_id or "", self.wait)
        return not_ready(item.application.outcome.image_cache or {}, self.wait)


def _by_name(caches: list[ImageCache]) -> dict[str, list[ImageCache]]:
    found: dict[str, list[ImageCache]] = {}
    for cache in caches:
        found.setdefault(cache["image_cache_name"], []).append(cache)
    return found


def _pending(waiting: list[Item]) -> list[Item]:
    return [item for item in waiting if not item.error and not _at_end(item)]


def _at_end(item: Item) -> bool:
    cache: dict[str, Any] | None = item.application.outcome.image_cache
    if item.application.wanted.state == "absent":
        return cache is None
    return cache is not None and (is_ready(cache) or has_failed(cache))
