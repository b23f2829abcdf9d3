# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines of a task that takes long. Private to the collection."""

from __future__ import annotations

from typing import Callable

from ._polling import Clock

# Seconds until the first line, and between two lines.
FIRST = 10.0
INTERVAL = 30.0


class Progress:
    """Passes at most one line each INTERVAL to ``write``, which is None where progress is not shown."""

    def __init__(self, clock: Clock, write: Callable[[str], None] | None) -> None:
        self._clock = clock
        self._write = write
        self._due = clock.monotonic() + FIRST

    def say(self, line: Callable[[], str]) -> None:
        """Write this line if one is due."""
        if self._write is not None and self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + INTERVAL
            self._write(line())


def minutes(seconds: float) -> str:
    """``75`` -> ``1:15``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
