# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of the service, as it was seen. Private to the collection.

These are raw: they may hold names and IDs. Only what ``judge`` makes of them gets out. None is what was not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Missing:
    """What describeImageCache says of an ID that there is not; ``code`` is empty if it says nothing against it."""

    http_status: int
    code: str


@dataclass
class Own:
    """What was seen of the image cache that the check made.

    ``body`` is what was ordered, ``answer`` the answer to that, ``told`` what a list showed first, after
    ``listed_after`` seconds. The tags that are shown or found after an update of them stand in ``retagged``.
    ``twin_refused`` says whether a second one of the name was refused for that.
    """

    body: dict[str, Any]
    answer: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] | None = None
    listed_after: int | None = None
    retagged: dict[str, Any] = field(default_factory=dict)
    twin_refused: bool | None = None
    gone_after: int | None = None
    deleted_again: str | None = None
    statuses: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """What was seen of the service.

    ``envelopes`` are replies without their ``returnObj``, ``items`` the image caches of the whole list in its order,
    ``pages`` how many of them were on each page and ``totals`` the total that each page told. ``limited`` is how many
    a list with limit 1 had. ``names``, ``images``, ``tags`` and ``filters`` say whether one of the image caches was
    found by what the key stands for.
    """

    envelopes: list[dict[str, Any]] = field(default_factory=list)
    needs_images: bool | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    totals: list[Any] = field(default_factory=list)
    tokens: list[Any] = field(default_factory=list)
    limited: int | None = None
    missing: Missing | None = None
    region: str | None = None
    zones: list[str] = field(default_factory=list)
    names: dict[str, bool | None] = field(default_factory=dict)
    images: dict[str, bool | None] = field(default_factory=dict)
    tags: dict[str, bool | None] = field(default_factory=dict)
    filters: dict[str, bool | None] = field(default_factory=dict)
    own: Own | None = None
