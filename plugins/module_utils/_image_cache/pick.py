# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image cache a task means, out of those of a name or of an ID. Private to the collection."""

from __future__ import annotations

from .._errors import AmbiguousName, NoSuchCache
from .image_cache import ImageCache, ids
from .plan import Wanted
from .twins import staying


def the_only(named: list[ImageCache]) -> ImageCache | None:
    """The one image cache of a name, or None. One that is on its way out counts only if there is no other.

    Raises AmbiguousName if there are several.
    """
    several = staying(named)
    if len(several) > 1:
        raise AmbiguousName(
            f"There are {len(several)} image caches named {several[0].image_cache_name!r}: {ids(several)}. Pick one with"
            " image_cache_id, or let a task delete all but the eldest with duplicates: delete_younger."
        )
    return next(iter(several or named), None)


def picked(wanted: Wanted, existing: ImageCache | None) -> ImageCache | None:
    """The image cache that was picked by its ID, if it is one that the task can mean. Raises NoSuchCache."""
    if wanted.state == "absent":
        name = existing and existing.image_cache_name
        if name and wanted.name not in (None, name):
            raise NoSuchCache(
                f"The image cache {wanted.image_cache_id} is named {name!r}, not {wanted.name!r} as the task says."
                " Nothing was deleted."
            )
    elif existing is None or existing.is_going:
        raise NoSuchCache(
            f"There is no image cache with the ID {wanted.image_cache_id}. To create one, leave image_cache_id out: the"
            " service chooses the ID."
        )
    return existing
