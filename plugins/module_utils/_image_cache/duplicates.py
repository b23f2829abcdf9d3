# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several image caches of one name, created at the same moment by controllers that share no lock. Pure.

Every controller sorts the image caches of a name by time of creation, then by ID, and lists the name once more after its own
create. Who finds an elder one that fits its task deletes its own and adopts the elder. Times of creation are whole seconds:
of two within one second the first one of that order waits whether the other is deleted, and deletes its own if not, since the
other controller may have read the list before. Private to the collection.
"""

from __future__ import annotations

import enum
from typing import Callable, Iterable

from .._errors import AmbiguousName
from .model import ImageCache, ids, staying

# Delays (s) before each further list of a task that waits whether another controller deletes its own; and of a task that waits
# until others have left one, which is longer.
DELAYS = (1.0, 2.0, 4.0, 8.0)
OTHERS_DELAYS = (*DELAYS, 8.0, 8.0)
# Seconds after a create in which its controller may delete it again.
RECENT = 300.0

Fits = Callable[[ImageCache], bool]


class Verdict(enum.Enum):
    """What becomes of an image cache that this task has just created."""

    KEEP = "keep"
    YIELD = "yield"
    WAIT = "wait"


def judge(own: ImageCache, named: Iterable[ImageCache], fits: Fits) -> tuple[Verdict, ImageCache | None]:
    """Decide about the own one among those of its name, and return the eldest other one."""
    there = staying(named)
    others = [cache for cache in there if cache.id != own.id]
    if not others:
        return Verdict.KEEP, None
    eldest = others[0]
    if not fits(eldest):
        return Verdict.KEEP, eldest
    if len(there) == len(others) or eldest.age_order < own.age_order:  # the own one is gone, or younger
        return Verdict.YIELD, eldest
    return Verdict.WAIT if eldest.created_at == own.created_at else Verdict.KEEP, eldest


def may_be_resolved(named: Iterable[ImageCache], fits: Fits, now: float) -> bool:
    """Return True if there are several that fit, and a controller may be about to delete one; ``now`` is since the epoch."""
    several = staying(named)
    recent = any(cache.created_at is not None and abs(now - cache.created_at) < RECENT for cache in several)
    return len(several) > 1 and recent and all(fits(cache) for cache in several)


def younger(named: Iterable[ImageCache], fits: Fits) -> list[ImageCache]:
    """Return all but the eldest of a name if all fit, else none."""
    several = staying(named)
    return several[1:] if all(fits(cache) for cache in several) else []


def the_only(named: Iterable[ImageCache]) -> ImageCache | None:
    """Return the image cache of a name, or None. One whose deletion is under way counts only if there is no other.

    Raises AmbiguousName if there are several.
    """
    named = list(named)
    several = staying(named)
    if len(several) > 1:
        raise AmbiguousName(
            f"There are {len(several)} image caches named {several[0].name!r}: {ids(several)}. Select one with"
            " image_cache_id, or delete all but the eldest with duplicates: delete_younger."
        )
    return next(iter(several or named), None)


def warning(name: str, named: Iterable[ImageCache]) -> str:
    """Return the warning about others that stay."""
    return (
        f"There are now several image caches named {name!r}: {ids(staying(named))}. Another client may have created one"
        " at the same moment; each is billed."
    )
