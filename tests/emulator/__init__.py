# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for CTYun's ECI image-cache service, for tests and demonstrations."""

from __future__ import annotations

from . import images
from .faults import Fault
from .listener import Misbehaviour
from .proxy import Proxy
from .records import Record
from .registry import Registry
from .runner import Emulator
from .settings import Settings

__all__ = ["Emulator", "Fault", "Misbehaviour", "Proxy", "Record", "Registry", "Settings", "images"]
