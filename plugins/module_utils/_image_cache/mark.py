# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task leaves for the next one, should it be ended in the middle. Private to the collection.

A request goes on in the service when the process that sent it ends, and what a task remembers ends with it. A mark
says that a create of a name is on its way, so that the next task looks for it longer; and which tags the image
cache had that is being replaced. It holds names, tags and times, no secrets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._api.config import Connection
from .._polling import Clock
from .folder import MARK, PRIVATE, Folder, key
from .image_cache import Tags

# So long after its create was sent an image cache is looked for that no list shows, in seconds.
IN_FLIGHT = 30.0
# Marks that no task came back for are removed after so many seconds: a week.
LEFT = 7 * 86400.0


class Mark(NamedTuple):
    """``sent`` is the time of a create whose end is not known, ``tags`` are those that the image cache is to keep."""

    sent: float | None = None
    tags: Tags | None = None


class Marks:
    """The marks of a region's image caches. What cannot be written or read is left: the marks only help."""

    def __init__(self, connection: Connection, clock: Clock, folder: Folder = PRIVATE) -> None:
        self._connection = connection
        self.clock = clock
        self._folder = folder
        self._is_cleared = False

    def read(self, name: str) -> Mark:
        """The mark of a name; an empty one if it has none."""
        values = self._folder.read(self._file(name))
        is_mark = isinstance(values, dict) and {"sent", "tags"} <= values.keys()
        if is_mark and _is_time(values["sent"]) and _are_tags(values["tags"]):
            return Mark(values["sent"], values["tags"])
        return Mark()

    def is_in_flight(self, mark: Mark) -> bool:
        """Whether a create may still take effect that was sent before. The clock of another machine may be ahead."""
        return mark.sent is not None and abs(self.clock.time() - mark.sent) <= IN_FLIGHT

    def sending(self, name: str, tags: Tags | None) -> None:
        """A create of this name is sent now."""
        self._write(name, Mark(self.clock.time(), tags))

    def replacing(self, name: str, tags: Tags | None) -> None:
        """The image cache of this name is deleted now, and another one is to have these tags."""
        if tags:
            self._write(name, Mark(None, tags))

    def settled(self, name: str) -> None:
        """There is nothing to remember of this name."""
        self._folder.remove(self._file(name))

    def _write(self, name: str, mark: Mark) -> None:
        now = self.clock.time()
        self._folder.write(self._file(name), {"name": name, **mark._asdict()}, now)
        if not self._is_cleared:
            self._is_cleared = True
            self._folder.clear(now - LEFT)

    def _file(self, name: str) -> str:
        return key(self._connection, name).hex()[:32] + MARK


def _is_time(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _are_tags(value: Any) -> bool:
    return value is None or (
        isinstance(value, list)
        and all(isinstance(tag, dict) and tag.keys() == {"key", "value"} for tag in value)
        and all(isinstance(text, str) for tag in value for text in tag.values())
    )
