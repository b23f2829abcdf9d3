# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task has reached for one image cache. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .image_cache import ImageCache
from .plan import Difference


@dataclass
class Outcome:
    """What a task has reached so far. ``changed`` is true as soon as the service was changed; ``duplicates`` are the IDs of
    younger ones of the same name that were deleted, since the task asked for that; ``waited`` is in seconds.
    """

    changed: bool = False
    image_cache_id: str | None = None
    image_cache: ImageCache | None = None
    request_id: str | None = None
    drift: list[Difference] = field(default_factory=list)
    diff: dict[str, Any] | None = None
    duplicates: list[str] = field(default_factory=list)
    waited: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """The task's result: always the same keys."""
        return {
            "changed": self.changed,
            "image_cache_id": self.image_cache_id,
            "image_cache": self.image_cache and self.image_cache.as_dict(),
            "request_id": self.request_id,
            "drift": self.drift,
            "duplicates": self.duplicates,
            "waited": round(self.waited, 1),
        }
