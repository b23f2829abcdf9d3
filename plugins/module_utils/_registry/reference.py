# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of images and of the servers that have them, as people write them. Private to the collection.

The rules are those of Docker: what looks like no server belongs to the name of an image of Docker Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ADDRESS = "registry-1.docker.io"
_DOCKER_HUB_NAMES = (DOCKER_HUB, "index.docker.io", _DOCKER_HUB_ADDRESS)

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVER = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?")
_REPOSITORY = re.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST = 255
_EXAMPLE = "for example nginx:1.29 or registry.example.com/team/app:1"


@dataclass(frozen=True)
class Reference:
    """An image: ``server`` has it in ``repository``, under a tag or, where there is one, a digest."""

    server: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def version(self) -> str:
        """What the registry is asked for."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.digest else ':'}{self.version}"


def names_server(image: str) -> bool:
    """Whether the name of an image says which server has it."""
    first, slash, _rest = image.partition("@")[0].partition("/")
    return bool(slash) and (first == "localhost" or first != first.lower() or any(sign in first for sign in ".:["))


def parse(image: str) -> Reference:
    """The image that a name means. Raises ValueError, which says what to write instead."""
    if "://" in image:
        raise ValueError(f"must be a name without http:// or https:// in front, {_EXAMPLE}")
    name, at, digest = image.partition("@")
    if names_server(image):
        first, _slash, path = name.partition("/")
        server = server_name(first)
    else:
        server, path = DOCKER_HUB, name
    path, colon, tag = path.partition(":")
    if server == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if path != path.lower():
        raise ValueError(f"must be in lower case up to the tag, {_EXAMPLE}")
    if not is_server(server) or not _REPOSITORY.fullmatch(path) or len(path) > _LONGEST:
        raise ValueError(f"is not a name of an image, {_EXAMPLE}")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(f"has a tag that no image can have, {_EXAMPLE}")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError("has a digest that is none: write sha256: and 64 hexadecimal digits after the @")
    return Reference(server, path, tag or None, digest or None)


def server_name(text: str) -> str:
    """The one spelling of a server's name, by which logins and addresses are looked up."""
    server = text.strip().lower().partition("/")[0]
    if server.endswith(":443"):
        server = server[: -len(":443")]
    return DOCKER_HUB if server in _DOCKER_HUB_NAMES else server


def is_server(name: str) -> bool:
    """Whether this is a host with or without a port, and nothing else."""
    return len(name) <= _LONGEST and _SERVER.fullmatch(name) is not None


def address(server: str) -> str:
    """Where a server is reached."""
    return _DOCKER_HUB_ADDRESS if server == DOCKER_HUB else server


def same_image(one: str, other: str) -> bool:
    """TEMP"""

    def norm(i):
        try:
            r = parse(i)
        except ValueError:
            return None
        return r

    a, b = norm(one), norm(other)
    if not a or not b:
        return one == other
    if (a.tag or "latest", a.digest) != (b.tag or "latest", b.digest):
        return False
    if a.server == b.server:
        return a.repository == b.repository

    def tail(x, y):
        p = x.repository[8:] if x.repository.startswith("library/") else x.repository
        return y.repository == p or y.repository.endswith("/" + p)

    if not names_server(one) and tail(a, b):
        return True
    return not names_server(other) and tail(b, a)
