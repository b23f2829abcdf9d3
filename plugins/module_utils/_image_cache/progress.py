# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that takes long tells meanwhile, in single lines. Private to the collection."""

from __future__ import annotations

import contextlib
from typing import Callable

from .._errors import EciError
from .._polling import Clock, Wait
from .image_cache import ImageCache
from .operations import ImageCaches

# A line comes when something has changed, or after so many seconds.
LONGEST_SILENCE = 30.0


class Progress:
    """Tells lines to ``say``, which is None where nobody listens."""

    def __init__(self, clock: Clock, say: Callable[[str], None] | None) -> None:
        self._clock = clock
        self._say = say
        self._began = self._last = clock.monotonic()
        self._told: object = None

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens, so that it is worth while to find out more."""
        return self._say is not None

    def working(self, done: int, total: int, failed: int, verb: str) -> None:
        """So many of all are done."""
        seconds = max(self._clock.monotonic() - self._began, 0.001)
        failures = f", {failed} failed" if failed else ""
        self._tell((done, failed), f"{done} of {total} {verb}{failures}, {done / seconds:.0f}/s")

    def waiting_for_one(self, caches: ImageCaches, cache: ImageCache, wait: Wait) -> None:
        """One image cache is waited for. Where its status stands still, its newest event is asked for."""
        name = cache.name or cache.id
        event = ""
        if self._told == cache.status and self._is_due() and self.is_heard:
            event = _newest_event(caches, cache)
        self._tell(cache.status, f"{name}: {cache.status}, {self._of(wait)}{event}")

    def waiting_for_many(self, ready: int, total: int, word: str, wait: Wait) -> None:
        """So many of all are where they are to come to."""
        self._tell(ready, f"{ready} of {total} {word}, {self._of(wait)}")

    def _of(self, wait: Wait) -> str:
        return f"{_minutes(self._clock.monotonic() - self._began)} of {_minutes(wait.timeout)}"

    def _is_due(self) -> bool:
        return self._clock.monotonic() - self._last >= LONGEST_SILENCE

    def _tell(self, what: object, text: str) -> None:
        if self._say is not None and (what != self._told or self._is_due()):
            self._told, self._last = what, self._clock.monotonic()
            self._say(text)


def _newest_event(caches: ImageCaches, cache: ImageCache) -> str:
    with contextlib.suppress(EciError):
        events = caches.events(cache.id)
        if events:
            return f", newest event: {' '.join(str(events[-1].get('message')).split())}"
    return ""


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
