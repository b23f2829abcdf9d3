# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The events of an image cache, for the message of a failure. Private to the collection."""

from __future__ import annotations

import contextlib

from .._errors import EciError
from .operations import ImageCaches
from .outcome import Outcome

SHOWN = 3


def newest_events(caches: ImageCaches, outcome: Outcome) -> str:
    """A sentence with the newest events of the image cache in ``outcome``, which gets all of them; or nothing."""
    cache = outcome.image_cache
    if cache is None:
        return ""
    with contextlib.suppress(EciError):
        events = caches.events(cache.id)
        outcome.image_cache = cache.with_events(events)
        newest = "; ".join(" ".join(str(event.get("message")).split()) for event in events[-SHOWN:])
        return f" Its newest events: {newest}." if newest else ""
    return ""
