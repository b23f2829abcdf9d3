# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image caches of one name, made at the same moment by tasks that share no lock. Private to the collection.

Each of these tasks finds the others' when it looks at its own. All put the image caches of a name into the same order,
by time of creation and then by ID. Whoever made one that is not the eldest deletes it, which it knows to be its own,
and adopts the eldest. Times are told in seconds, though, and of two that were made within one the maker of the first
may have looked, and gone, before the second was there. So the eldest of a second waits for the others to go, and goes
itself if they stay.
"""

from __future__ import annotations

from typing import Callable, Iterable, Iterator, List

from .._polling import Clock
from .image_cache import ImageCache, ids
from .looks import looks

# Seconds before each look for whether the others go.
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)

# So long an image cache is young, in seconds: whoever made it may be about to delete it again.
YOUNG = 300.0

ByName = Callable[[str], List[ImageCache]]


class Twins:
    """The image cache that a task made, ``own``, and what else there is of its name.

    ``fits`` says whether another one is what the task wants as well. ``elder`` is the one to give way to at once, ``peer``
    the one to give way to if it stays.
    """

    def __init__(self, name: str, own: ImageCache, fits: Callable[[ImageCache], bool]) -> None:
        self.name = name
        self.own = own
        self.others: list[ImageCache] = []
        self.elder: ImageCache | None = None
        self.peer: ImageCache | None = None
        self._fits = fits

    def see(self, named: Iterable[ImageCache]) -> None:
        """Look at the image caches of the name as they are now."""
        there = staying(named)
        self.others = [cache for cache in there if cache.image_cache_id != self.own.image_cache_id]
        eldest = next(iter(self.others), self.own)
        fits = bool(self.others) and self._fits(eldest)
        # somebody who was asked to clean up may have deleted the own one
        deleted = len(there) == len(self.others)
        self.elder = eldest if fits and (deleted or eldest.age_order < self.own.age_order) else None
        self.peer = eldest if fits and eldest.created_at == self.own.created_at else None

    @property
    def is_settled(self) -> bool:
        """Whether it is known what is to become of the own one."""
        return self.elder is not None or not self.others

    def warning(self) -> str:
        """What to tell of others that stay."""
        return (
            f"There are now several image caches named {self.name!r}: {ids([*self.others, self.own])}. Another client may"
            " have made one at the same moment; each is billed."
        )


def staying(named: Iterable[ImageCache]) -> list[ImageCache]:
    """Those that are not on their way out, the eldest first."""
    return sorted((cache for cache in named if not cache.is_going), key=lambda cache: cache.age_order)


def are_settling(named: Iterable[ImageCache], fits: Callable[[ImageCache], bool], now: float) -> bool:
    """Whether there are several of a name that their makers may be about to clean up; ``now`` is since the epoch."""
    several = staying(named)
    ages = [abs(now - cache.created_at) for cache in several if cache.created_at is not None]
    return len(several) > 1 and all(fits(cache) for cache in several) and any(age < YOUNG for age in ages)


def settle(
    all_twins: Iterable[Twins], read: Callable[[], ByName], clock: Clock
) -> Iterator[dict[str, ImageCache | None]]:
    """Find out which of the own image caches have to give way: by name, the ones to give way to, or None.

    Those of which that is known come at once, since other tasks may be waiting for it, the last ones after all looks.
    ``read`` looks at the service. Raises EciError.
    """
    waiting = list(all_twins)
    for _look in looks(clock, PAUSES):
        by_name = read()
        for twins in waiting:
            twins.see(by_name(twins.name))
        yield {twins.name: twins.elder for twins in waiting if twins.is_settled}
        waiting = [twins for twins in waiting if not twins.is_settled]
        if not waiting:
            return
    yield {twins.name: twins.peer for twins in waiting}
