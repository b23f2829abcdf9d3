# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of several image caches of a name that clients created at the same moment, leave one. Private to the collection."""

from __future__ import annotations

import enum
from functools import partial
from typing import Callable, Collection, Iterable

from .._errors import EciError
from .batch import Batch, Item
from .model import ImageCache, remaining
from .plan import RESOLUTION_DELAYS, Fits, several_exist


class Verdict(enum.Enum):
    """The decision about an image cache that this task has just created."""

    KEEP = "keep"
    YIELD = "yield"
    WAIT = "wait"


def judge(own: ImageCache, named: Iterable[ImageCache], fits: Fits) -> tuple[Verdict, ImageCache | None]:
    """Decide about the own one among those of its name, and return the oldest other one."""
    there = remaining(named)
    others = [cache for cache in there if cache.id != own.id]
    if not others:
        return Verdict.KEEP, None
    eldest = others[0]
    if not fits(eldest):
        return Verdict.KEEP, eldest
    if len(there) == len(others) or eldest.age_order < own.age_order:  # the own one is gone, or younger
        return Verdict.YIELD, eldest
    return Verdict.WAIT if eldest.created_at == own.created_at else Verdict.KEEP, eldest


def resolve(
    batch: Batch, items: Collection[Item], fits: Callable[[Item], Fits], delete: Callable[[ImageCache], object]
) -> list[Item]:
    """Yield to elder image caches of the same name. Return the items that did: their own one is deleted.

    ``items`` are those of whose name the last list shows several. What cannot be listed any more is a warning.
    """
    lister = batch.lister
    waiting, yielded = list(items), []
    try:
        for delay in (*RESOLUTION_DELAYS, None):
            elders: dict[Item, ImageCache] = {}
            for item in list(waiting):
                named = lister.named(item.name, item.known)
                verdict, eldest = judge(lister.shows(item.id) or item.cache, named, fits(item))
                if verdict is Verdict.WAIT and delay is not None:
                    continue
                waiting.remove(item)
                if eldest and verdict is Verdict.KEEP:
                    item.action_warnings.append(several_exist(item.name, named))
                elif eldest:
                    elders[item] = eldest
            batch.for_each(elders, partial(_yield, elders, delete), "deleted again", essential=True)
            yielded += [item for item in elders if item.created is None]
            if not waiting or delay is None:
                break
            batch.clock.sleep(delay)
            lister.refresh()
    except EciError as error:
        for item in [*waiting, *yielded]:
            item.action_warnings.append(f"Image caches named {item.name!r} could not be listed: {error.message}")
        batch.fail(yielded, error)
    return yielded


def _yield(elders: dict[Item, ImageCache], delete: Callable[[ImageCache], object], item: Item) -> None:
    """Delete the image cache that this task created, and take the elder one."""
    own, elder = item.cache, elders[item]
    may_double = bool(item.created and item.created.may_double)
    try:
        delete(own)
    except EciError as error:
        item.action_warnings.append(f"{own.id} could not be deleted again: {error.message}")
        item.action_warnings.append(several_exist(item.name, [elder, own]))
        return
    item.created, item.added, item.changed = None, None, bool(item.removed) or may_double
    item.image_cache_id, item.image_cache = elder.image_cache_id, elder
    who = "An earlier attempt of this task, or another client," if may_double else "Another client"
    item.action_warnings.append(
        f"{who} created the image cache {elder.id} named {item.name!r} at the same moment. This task uses it, and has deleted"
        f" its own, {own.id}."
    )
