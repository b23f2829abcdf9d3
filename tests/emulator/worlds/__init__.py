# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named states for the emulator to start with: image caches that exist, settings, and faults."""

from __future__ import annotations

from pathlib import Path

import yaml

from ..faults import Fault
from ..runner import Emulator

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    return sorted(path.stem for path in _FOLDER.glob("*.yml"))


def prepare(emulator: Emulator, name: str) -> None:
    """Give the emulator the state of a world. Raises ValueError for an unknown name."""
    if name not in names():
        raise ValueError(f"no such world: {name}; there are {', '.join(names())}")
    world = yaml.safe_load((_FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    emulator.settings.update(world.get("settings", {}))
    for cache in world.get("caches", []):
        emulator.service.seed(**cache)
    emulator.inject(*(Fault(**fault) for fault in world.get("faults", [])))
