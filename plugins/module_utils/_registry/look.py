# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at many images at a time. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from .._pool import each
from .client import Client, Settings
from .found import Found

CONCURRENCY = 8


def look(
    images: Sequence[str],
    credentials: Iterable[Mapping[str, Any]],
    settings: Settings,
    concurrency: int = CONCURRENCY,
) -> list[Found]:
    """What the registries say of these images, in their order; one that is named twice is asked for once.

    ``credentials`` are mappings with ``server``, ``user_name`` and ``password``. Nothing that a registry or the network
    does is an error here, it is the outcome of an image.
    """
    found: dict[str, Found] = {}

    def one(image: str) -> None:
        found[image] = client.find(image)

    with Client(credentials, settings, concurrency) as client:
        each(dict.fromkeys(images), one, concurrency)
    return [found[image] for image in images]
