# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking again where a list may lag. Private to the collection."""

from __future__ import annotations

from typing import Collection, Iterator

from .._polling import Clock
from .image_cache import ImageCache
from .operations import ImageCaches

# Seconds before each look for an object that a list may not show yet. The option retry_max_delay has no say in them:
# it is about the service being busy.
LOOK_PAUSES = (0.0, 1.0, 2.0, 4.0)


def looks(clock: Clock, pauses: Collection[float] = LOOK_PAUSES) -> Iterator[None]:
    """Each look, after its pause."""
    for pause in pauses:
        if pause:
            clock.sleep(pause)
        yield


def look(caches: ImageCaches, name: str, known: Collection[str] = (), expected: str | None = None) -> list[ImageCache]:
    """The image caches of a name, as soon as the list shows any, or the expected ID.

    ``known`` ones do not count, nor do those on their way out. Raises EciError.
    """
    found: list[ImageCache] = []
    for _look in looks(caches.client.clock):
        found = [cache for cache in caches.named(name) if cache.image_cache_id not in known and not cache.is_going]
        if any(expected in (None, cache.image_cache_id) for cache in found):
            break
    return found
