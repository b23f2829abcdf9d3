# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every order of the requests of several controllers, one after the other, depth first.

Two requests that only read can change places without a difference, so of two orders that differ in nothing else one is
enough. That is what ``asleep`` is for: actors whose request was tried first in an order before, and that nothing but reads
has come between since ("sleep sets", P. Godefroid).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reliability.stage import Actor


@dataclass
class _Point:
    """A moment of choice: the actors that are tried there in turn, and the one that is now."""

    options: list[int]
    asleep: set[int]
    index: int = 0


class Walk:
    """Play with ``choose`` again and again as long as ``advance`` says that there is another order."""

    def __init__(self) -> None:
        self._points: list[_Point] = []
        self._depth = 0
        self._asleep: set[int] = set()
        self.is_repeated = False

    def choose(self, ready: list[Actor]) -> Actor:
        """The actor whose request is next."""
        if self._depth == len(self._points):
            options = [actor.number for actor in ready if actor.number not in self._asleep]
            # an order that was had before is played to its end, and not taken apart any further
            self.is_repeated = self.is_repeated or not options
            options = options if options and not self.is_repeated else [ready[0].number]
            self._points.append(_Point(options, self._asleep))
        point = self._points[self._depth]
        self._depth += 1
        by_number = {actor.number: actor for actor in ready}
        chosen = by_number[point.options[point.index]]
        slept = point.asleep | set(point.options[: point.index])
        self._asleep = {number for number in slept if number in by_number and _commute(by_number[number], chosen)}
        return chosen

    def advance(self) -> bool:
        """Go on to the next order; false if that was the last one."""
        while self._points and self._points[-1].index == len(self._points[-1].options) - 1:
            self._points.pop()
        if not self._points:
            return False
        self._points[-1].index += 1
        self._depth, self._asleep, self.is_repeated = 0, set(), False
        return True


def _commute(one: Actor, other: Actor) -> bool:
    return not any(actor.pending and actor.pending[0].changes for actor in (one, other))
