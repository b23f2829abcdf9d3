# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at names until what is listed can be relied on. Private to the collection."""

from __future__ import annotations

from typing import Callable, Iterable, NamedTuple

from .image_cache import ImageCache
from .surroundings import Surroundings
from .twins import ByName, are_settling

# Seconds before each further look; together a little more than mark.IN_FLIGHT.
PAUSES = (1.0, 2.0, 4.0, 8.0, 8.0, 8.0)


class Sought(NamedTuple):
    """A name, and whether an image cache of that name is what the task wants; None if it wants none of that name."""

    name: str
    fits: Callable[[ImageCache], bool] | None


def settled(all_sought: Iterable[Sought], around: Surroundings, read: Callable[[], ByName]) -> ByName:
    """What there is of the names, once it can be relied on: ``read`` is called again where a task that has ended may have
    made one of them, and where the makers of several of one name may be about to clean up. Raises EciError.
    """
    names = list(all_sought)
    by_name = read()
    for pause in PAUSES:
        # all of them again: what was one may have become several meanwhile
        if not any(_is_unsettled(sought, around, by_name(sought.name)) for sought in names):
            return by_name
        around.clock.sleep(pause)
        by_name = read()
    return by_name


def _is_unsettled(sought: Sought, around: Surroundings, named: list[ImageCache]) -> bool:
    if not named:
        return around.marks.is_in_flight(around.marks.read(sought.name))
    return sought.fits is not None and are_settling(named, sought.fits, around.clock.time())
