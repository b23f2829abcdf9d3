# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of the simulated service, and the limit on how fast requests may come."""

from __future__ import annotations

import time
from collections.abc import Callable

from .settings import Settings

# A clock that is read as seconds since 1970 has rounding errors, which must not cost a whole token.
_ROUNDING = 1e-6


class Clock:
    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._advanced = 0.0

    def now(self) -> float:
        return self._source() + self._advanced

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        self._advanced += seconds

    def reset(self) -> None:
        self._advanced = 0.0


class Bucket:
    """Full of tokens at first. Each request takes one, and they come back at a steady rate."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self._missing = 0.0
        self._since = self._clock.now()

    def take(self) -> float | None:
        """Take a token, or say in how many seconds there will be one."""
        rate = self._settings.rate
        if rate <= 0:
            return None
        now = self._clock.now()
        self._missing = max(0.0, self._missing - (now - self._since) * rate)
        self._since = now
        short = self._missing + 1 - self._settings.rate_burst
        if short > _ROUNDING:
            return short / rate
        self._missing += 1
        return None
