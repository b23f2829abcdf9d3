# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at what is going to be ordered, before it is: images, logins, size, zone and quota. Private to the collection."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence, Tuple

from .._errors import PreflightFailed
from .._registry.found import FOUND, NOT_FOUND, REFUSED, Found, enough
from .._registry.reference import names_server, server_name
from .contents import Look, contents
from .image_cache import DEFAULT_SIZE
from .plan import Plan
from .replace import Room

FAIL = "fail"

# The path of the task's options for an image cache, with a dot at its end, and the plan that has a create.
Order = Tuple[str, Plan]

_UNKNOWN_SERVER = "It is not known where CTYun looks for an image whose name has no server, so that may be well."


class Finding(NamedTuple):
    """What is wrong, by the path of an option; a note is what is only not known."""

    path: str
    text: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class Preflight:
    """What a task wants looked at. With ``fails`` nothing is done if something is wrong, else that is a warning.

    ``look`` asks the registries; ``factor`` is how much larger images are than their packed layers.
    """

    def __init__(self, fails: bool, factor: float, look: Look) -> None:
        self._fails = fails
        self._factor = factor
        self._look = look

    def check(self, orders: Sequence[Order], room: Room, makes_room: bool = False) -> list[str]:
        """Look at all of these; where the task ``makes_room`` before, the quota of now decides nothing. Returns warnings,
        raises PreflightFailed, and EciError if the service cannot be asked.
        """
        if not orders:
            return []
        findings = [*_of_room(orders, room, makes_room), *self._of_images(orders)]
        wrong = [finding for finding in findings if not finding.is_note]
        if wrong and self._fails:
            raise PreflightFailed(_message(findings))
        return [f"Preflight: {finding}" for finding in findings]

    def _of_images(self, orders: Sequence[Order]) -> Iterator[Finding]:
        seen = contents([change.body for _path, change in orders], self._look)
        for (path, change), found in zip(orders, seen):
            for index, one in enumerate(found):
                if one.outcome != FOUND:
                    yield _of_image(path, change, index, one)
            size, least = change.body.get("imageCacheSize", DEFAULT_SIZE), enough(found, self._factor)
            if least is not None and size < least:
                text = (
                    f"{size} GB are less than the images need when they are unpacked, which is about {least} GB"
                    f" ({self._factor:g} x their packed layers, see size_factor)"
                )
                yield Finding(f"{path}image_cache_size", text)


def _of_image(path: str, change: Plan, index: int, one: Found) -> Finding:
    text = f"{one.image!r}: {one.message}"
    if one.outcome not in (NOT_FOUND, REFUSED):
        return Finding(f"{path}images[{index}]", text, is_note=True)
    if not names_server(one.image):
        return Finding(f"{path}images[{index}]", f"{text} {_UNKNOWN_SERVER}", is_note=True)
    if one.outcome == REFUSED:
        servers = [server_name(login["server"]) for login in change.body.get("imageRegistryCredentials", ())]
        if server_name(one.image) in servers:
            number = servers.index(server_name(one.image))
            return Finding(f"{path}image_registry_credentials[{number}]", text)
    return Finding(f"{path}images[{index}]", text)


def _of_room(orders: Sequence[Order], room: Room, makes_room: bool) -> Iterator[Finding]:
    zones, quota = room.zones(), room.quota()
    for path, change in orders:
        zone = change.body["azInfo"]["azName"]
        if zones and zone not in zones:
            text = f"{zone!r} is not a zone of this region. Its zones: {', '.join(zones)}"
            yield Finding(f"{path}az_info.az_name", text)
    more = sum(not change.replaces for _path, change in orders)
    if quota and more and quota[0] + more > quota[1]:
        used, limit = quota
        text = f"{more} would be made, and {used} of {limit} are used"
        yield Finding("the quota of image caches", text, is_note=makes_room)


def _message(findings: Sequence[Finding]) -> str:
    lines = [f"- {finding}" for finding in findings if not finding.is_note]
    notes = [f"- {finding}" for finding in findings if finding.is_note]
    text = ["The preflight found what would go wrong. Nothing was ordered or changed:", *lines]
    return "\n".join(text + (["It could not tell of:", *notes] if notes else []))
