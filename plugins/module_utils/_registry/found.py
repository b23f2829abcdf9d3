# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found out about images, and the size of an image cache that holds them. Private to the collection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Iterable

from .manifest import Layers

# What came of a look at one image.
FOUND = "found"
NOT_FOUND = "not_found"
REFUSED = "refused"
UNREACHABLE = "unreachable"
OUTCOMES = (FOUND, NOT_FOUND, REFUSED, UNREACHABLE)

FACTOR = 3.0
# The smallest size that is told.
LEAST = 20
_GB = 10**9


@dataclass(frozen=True)
class Found:
    """An image as its registry has it. ``layers`` are those of the platform that was asked for, each with its packed
    size in bytes; ``size`` is the sum of the different ones. ``message`` is for people, and has no secret in it.
    """

    image: str
    outcome: str
    digest: str | None = None
    media_type: str | None = None
    platforms: tuple[str, ...] = ()
    layers: Layers = ()
    message: str | None = None

    @property
    def size(self) -> int | None:
        """The packed size in bytes, None if it is not known."""
        return sum(dict(self.layers).values()) if self.outcome == FOUND else None


def enough(found: Iterable[Found], factor: float = FACTOR) -> int | None:
    """The size in GB of an image cache that holds all of these: a multiple of their packed layers, shared ones counted
    once. None if it is not known of all of them.
    """
    layers: dict[str, int] = {}
    for one in found:
        if one.outcome != FOUND:
            return None
        layers.update(one.layers)
    return max(LEAST, math.ceil(Fraction(str(factor)) * sum(layers.values()) / _GB))
