# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check what is going to be ordered, before it is: images, logins, size, zone and quota. Private to the collection."""

from __future__ import annotations

import itertools
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence, Tuple

from .._errors import StateConflict
from .client import Found, Login, required_size
from .reference import names_server
from .session import FOUND, NOT_FOUND, REFUSED

# The size (GB) of an image cache whose order has none.
DEFAULT_SIZE = 20
_NO_REGISTRY = "The name has no registry, and CTYun does not document which one it uses, so this may be fine."

LookUp = Callable[[Sequence[Tuple[str, Sequence[Login]]]], Sequence[Found]]
# A finding with the path of its option, and whether it is a mistake or may be none.
_Finding = Tuple[str, bool]


class Order(NamedTuple):
    """A body of createImageCache, and the path of the task's options for it: empty, or with a dot at its end."""

    path: str
    body: Mapping[str, Any]
    is_replacement: bool = False


class Preflight:
    """Checks orders. With ``fail`` a mistake fails the task, else it is a warning.

    ``look_up`` takes the images of all orders, each with its logins.
    """

    def __init__(self, fail: bool, size_factor: float, look_up: LookUp) -> None:
        self._fail, self._size_factor, self._look_up = fail, size_factor, look_up

    def check(
        self, orders: Sequence[Order], zones: list[str] | None, quota: tuple[int, int] | None, makes_room: bool = False
    ) -> list[str]:
        """Return warnings, or raise StateConflict. ``zones`` and ``quota`` (used, limit) are None where not known.

        Where the task ``makes_room`` before it orders, a lack of quota is no mistake.
        """
        findings = [*_check_capacity(orders, zones, quota, makes_room), *self._check_images(orders)]
        mistakes = [f"- {text}" for text, is_mistake in findings if is_mistake]
        if not mistakes or not self._fail:
            return [f"Preflight: {text}" for text, _is_mistake in findings]
        notes = [f"- {text}" for text, is_mistake in findings if not is_mistake]
        lines = ["The preflight found mistakes. Nothing was ordered or changed:", *mistakes]
        raise StateConflict("\n".join(lines + (["Not known:", *notes] if notes else [])))

    def _check_images(self, orders: Sequence[Order]) -> Iterator[_Finding]:
        wanted = [
            (image, logins) for order in orders for logins in [_logins(order.body)] for image in order.body["images"]
        ]
        outcomes = iter(self._look_up(wanted))
        for order in orders:
            found = list(itertools.islice(outcomes, len(order.body["images"])))
            for index, one in enumerate(found):
                if one.outcome != FOUND:
                    yield _image_finding(order, index, one)
            size, least = order.body.get("imageCacheSize", DEFAULT_SIZE), required_size(found, self._size_factor)
            if least is not None and size < least:
                text = f"{size} GB are less than the unpacked images need, which is about {least} GB"
                why = f"({self._size_factor:g} x their compressed layers, see size_factor)"
                yield f"{order.path}image_cache_size: {text} {why}", True


def _logins(body: Mapping[str, Any]) -> list[Login]:
    """Return the logins of a body under the names of the options."""
    return [
        {"server": login["server"], "user_name": login["userName"], "password": login["password"]}
        for login in body.get("imageRegistryCredentials", ())
    ]


def _image_finding(order: Order, index: int, one: Found) -> _Finding:
    path, text = f"{order.path}images[{index}]", f"{one.image!r}: {one.message}"
    if one.outcome not in (NOT_FOUND, REFUSED):
        return f"{path}: {text}", False
    if not names_server(one.image):
        return f"{path}: {text} {_NO_REGISTRY}", False
    if one.outcome == REFUSED and one.login is not None:
        path = f"{order.path}image_registry_credentials[{one.login}]"
    return f"{path}: {text}", True


def _check_capacity(
    orders: Sequence[Order], zones: list[str] | None, quota: tuple[int, int] | None, makes_room: bool
) -> Iterator[_Finding]:
    for order in orders:
        zone = order.body["azInfo"]["azName"]
        if zones and zone not in zones:
            text = f"{zone!r} is not a zone of this region. Its zones: {', '.join(zones)}"
            yield f"{order.path}az_info.az_name: {text}", True
    more = sum(not order.is_replacement for order in orders)
    if quota and more and quota[0] + more > quota[1]:
        text = f"the quota of image caches: {more} would be created, and {quota[0]} of {quota[1]} are used"
        yield text, not makes_room
