# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator remembers of the requests it got."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Record:
    index: int
    operation: str | None
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    raw: bytes
    request_id: str | None
    status: int | str | None = None
    effect: bool = False
    time: float = field(default_factory=time.time)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "raw": self.raw.decode("utf-8", "replace")}


class Records:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record] = []

    def add(self, **fields: Any) -> Record:
        with self._lock:
            record = Record(index=len(self._records), **fields)
            self._records.append(record)
            return record

    def all(self, operation: str | None = None) -> list[Record]:
        with self._lock:
            return [record for record in self._records if operation is None or record.operation == operation]

    def clear(self) -> None:
        with self._lock:
            self._records.clear()

    def __len__(self) -> int:
        return len(self._records)
