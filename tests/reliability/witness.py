# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who looks on while a controller does a task at an emulator, and can say what really happened."""

from __future__ import annotations

import itertools
import time

from tests.emulator import Emulator, Record
from tests.reliability.asks import Ask
from tests.reliability.controllers import Controller
from tests.reliability.promises import Run, World
from tests.unit.plugins.emulated import DELETE, LIST


class Witness:
    """Begin anew with ``watch`` after each reset of the emulator, which forgets who looks on."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._deletions: list[tuple[Record, World]] = []
        self._listed = World((), emulator.settings)

    def watch(self) -> None:
        """Note the world at the last list before each deletion."""
        self._deletions = []
        self.emulator.before = self.see

    def world(self) -> World:
        """All there is now."""
        return World(self.emulator.service.caches(), self.emulator.settings)

    def run(self, controller: Controller, ask: Ask, check_mode: bool = False, late: bool = False) -> Run:
        """Let a controller do a task."""
        before, start = self.world(), len(self.emulator.records)
        self._deletions = []
        told = controller.run(ask, check_mode)
        self.answered()
        sent = self.emulator.requests[start:]
        seen = (before, self.world(), sent, self._deletions, self.emulator.settings)
        return Run(ask, told, *seen, check_mode, late)

    def answered(self) -> None:
        """Wait until the emulator has dealt with every request it got: on a busy machine an effect may be late."""
        for _attempt in itertools.repeat(None, 2000):
            if all(record.status is not None for record in self.emulator.requests):
                return
            time.sleep(0.001)
        raise AssertionError("the emulator does not answer")

    def see(self, record: Record) -> None:
        if record.operation == LIST:
            self._listed = self.world()
        elif record.operation == DELETE:
            self._deletions.append((record, self._listed))
