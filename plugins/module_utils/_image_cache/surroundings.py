# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the image caches of a task share: the service, and what is known of it and of earlier tasks. Private to the
collection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ContextManager, Iterable, Sequence

from .._polling import Wait
from . import lock
from .folder import PRIVATE, Folder
from .mark import Marks
from .operations import ImageCaches
from .plan import Plan
from .progress import Progress
from .replace import Room
from .spelling import Spellings
from .tags import TagFilter

if TYPE_CHECKING:  # what a task does not ask for is not loaded
    from .preflight import Preflight


class Surroundings:
    """What the items of a task share: the service, and what is known of it and of earlier tasks."""

    def __init__(
        self, caches: ImageCaches, wait: Wait, folder: Folder = PRIVATE, preflight: Preflight | None = None
    ) -> None:
        client = caches.client
        self.caches = caches
        self.clock = client.clock
        self.wait = wait
        self.folder = folder
        self.preflight = preflight
        self.marks = Marks(client.connection, client.clock, folder)
        self.spellings = Spellings(client, folder)
        self.tag_filter = TagFilter(caches)
        self._say = client.say
        self.room = Room(client)

    def locked(self, names: Iterable[str]) -> ContextManager[lock.Locks]:
        """Hold these names, see ``lock.held``."""
        return lock.held(self.caches.client.connection, names, self.clock, self.wait.timeout, self.folder)

    def look_before(self, orders: Sequence[tuple[str, Plan]], makes_room: bool = False) -> list[str]:
        """Look at what is going to be ordered, if the task asks for that. Returns warnings, raises PreflightFailed."""
        return self.preflight.check(orders, self.room, makes_room) if self.preflight else []

    def progress(self) -> Progress:
        """What tells of a part of the task that begins now."""
        return Progress(self.clock, self._say)
