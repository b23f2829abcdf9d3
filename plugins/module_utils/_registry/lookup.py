# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up many images at a time, and compute the size that they need. Private to the collection."""

from __future__ import annotations

import base64
import contextlib
import math
from fractions import Fraction
from typing import Iterable, Sequence

from .._api.http import Http
from .._pool import for_each
from .client import FOUND, NOT_FOUND, Found, Headers, Login, Lookup, Settings
from .reference import address, parse, server_name

CONCURRENCY = 8
REPLY_BYTES = 4 * 1024 * 1024
SMALLEST_GB = 20
_ADVICE = "If only machines in the VPC reach it, give the name that this one reaches in registry_addresses."


def look_up(
    images: Sequence[str], credentials: Iterable[Login], settings: Settings, concurrency: int = CONCURRENCY
) -> list[Found]:
    """Return the outcomes in the order of the images; each is looked up once. A registry's first login counts."""
    addresses = {server_name(name): server_name(reached) for name, reached in settings.addresses.items()}
    logins: dict[str, Headers] = {}
    for login in credentials:
        pair = f"{login['user_name']}:{login['password']}".encode("utf-8", "replace")
        header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        logins.setdefault(server_name(login["server"]), header)
    found: dict[str, Found] = {}
    http = Http(settings.verify, settings.timeout, concurrency, REPLY_BYTES, _ADVICE, direct=True)

    def look_up_one(image: str) -> None:
        try:
            wanted = parse(image)
        except ValueError as error:
            found[image] = Found(image, NOT_FOUND, message=f"The name of the image {error}.")
            return
        server = addresses.get(wanted.server, wanted.server)
        login = logins.get(wanted.server) or logins.get(server) or {}
        found[image] = Lookup(http, settings, wanted, address(server), login).find(image)

    with contextlib.closing(http):
        for_each(dict.fromkeys(images), look_up_one, concurrency)
    return [found[image] for image in images]


def required_size(found: Iterable[Found], factor: float) -> int | None:
    """Return the size (GB) for these images: a multiple of their different compressed layers; None if not known."""
    layers: dict[str, int] = {}
    for one in found:
        if one.outcome != FOUND:
            return None
        layers.update(one.layers)
    return max(SMALLEST_GB, math.ceil(Fraction(str(factor)) * sum(layers.values()) / 10**9))
