# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that the service writes its own way. Private to the collection.

A zone that is sent as ``az1`` may come back as ``cn-huadong1-az1-public-ctcloud``, a size rounded up, an image with its
registry in front. That is no drift: replacing such an image cache would order a disk in each run and change nothing. Two
things tell it from drift. A difference in one that was just made is the service's doing, and is remembered. And two
zones differ only if the region lists both.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterable

from .._api import region as regions
from .._errors import EciError
from .._api.client import Client
from .folder import PRIVATE, Folder, key
from .plan import Difference

ZONE = "az_info.az_name"
# What the service may write its own way; a name is compared exactly, and a status is the service's own.
_SPELLED = ("images", "image_cache_size", ZONE)
# So many are remembered for a region; the oldest go first.
REMEMBERED = 200


class Spellings:
    """What is known of the service's own spelling in a region."""

    def __init__(self, client: Client, folder: Folder = PRIVATE) -> None:
        self._client = client
        self._folder = folder
        self._zones: list[str] | None = None
        self._zones_are_read = False

    def drift(self, found: Iterable[Difference]) -> tuple[list[Difference], list[str]]:
        """Those differences that are drift, and a warning for each that is the service's own spelling."""
        drift: list[Difference] = []
        warnings: list[str] = []
        for difference in found:
            own = self._is_remembered(difference) or self._is_no_zone(difference)
            if own:
                warnings.append(_warning(difference))
            else:
                drift.append(difference)
        return drift, warnings

    def learn(self, found: Iterable[Difference]) -> list[str]:
        """Remember where an image cache differs that was just made. Returns a warning for each."""
        new = [difference for difference in found if difference["option"] in _SPELLED]
        if new:
            pairs = [*self._remembered(), *(_pair(difference) for difference in new)]
            self._folder.write(self._file(), pairs[-REMEMBERED:])
        return [_warning(difference) for difference in new]

    def _is_remembered(self, difference: Difference) -> bool:
        return _pair(difference) in self._remembered()

    def _is_no_zone(self, difference: Difference) -> bool:
        """Whether the region does not list both of two zones, so that one may be the other's name."""
        if difference["option"] != ZONE:
            return False
        zones = self._region_zones()
        if not zones:
            return False
        return not {difference["wanted"], difference["found"]}.issubset(zones)

    def _region_zones(self) -> list[str] | None:
        if not self._zones_are_read:
            self._zones_are_read = True
            with contextlib.suppress(EciError):  # then it counts as drift, and what replaces it looks again
                self._zones = regions.zones(self._client)
        return self._zones

    def _remembered(self) -> list[Any]:
        pairs = self._folder.read(self._file())
        return pairs if isinstance(pairs, list) else []

    def _file(self) -> str:
        return key(self._client.connection).hex()[:32] + ".spellings"


def _pair(difference: Difference) -> list[Any]:
    wanted, found = difference["wanted"], difference["found"]
    if difference["option"] == "images":
        wanted, found = sorted(wanted), sorted(found)
    return [difference["option"], wanted, found]


def _warning(difference: Difference) -> str:
    return (
        f"The service writes {difference['option']} its own way: the task says {difference['wanted']!r}, the service"
        f" {difference['found']!r}. That is not taken for drift; write what the service says, so that the two can be"
        " compared."
    )
