# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the names of images and registries by Docker's rules. Pure; private to the collection."""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple

DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAMES = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
_LIBRARY = "library/"

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVER = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?")
_REPOSITORY = re.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST = 255
# CTYun's own registry has names that only machines in the VPC reach. The rule is inferred, see docs/api_notes.md.
_VPC_NAME = re.compile(r"((?:[a-z0-9-]+-)?registry-)vpc-([a-z0-9-]+(?:\.crs)?\.ctyun\.cn)")
_EXAMPLE = "for example nginx:1.29 or registry.example.com/team/app:1"


class Reference(NamedTuple):
    """An image: the registry ``server``, the repository there, and a tag or a digest."""

    server: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def version(self) -> str:
        """The digest or, without one, the tag."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.digest else ':'}{self.version}"


def names_server(image: str) -> bool:
    """Return whether the name of an image has a registry."""
    first, slash, _rest = image.partition("@")[0].partition("/")
    return bool(slash) and (first == "localhost" or first != first.lower() or any(sign in first for sign in ".:["))


def parse(image: str) -> Reference:
    """Return the image of a name. Raises ValueError with what to write instead."""
    if "://" in image:
        raise ValueError(f"must be a name without http:// or https:// in front, {_EXAMPLE}")
    name, at, digest = image.partition("@")
    server, path = DOCKER_HUB, name
    if names_server(image):
        first, _slash, path = name.partition("/")
        server = server_name(first)
    path, colon, tag = path.partition(":")
    if server == DOCKER_HUB and "/" not in path:
        path = _LIBRARY + path
    if path != path.lower():
        raise ValueError(f"must be in lower case up to the tag, {_EXAMPLE}")
    if not is_server(server) or not _REPOSITORY.fullmatch(path) or len(path) > _LONGEST:
        raise ValueError(f"is not a valid image name, {_EXAMPLE}")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(f"has an invalid tag, {_EXAMPLE}")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError("has an invalid digest: write sha256: and 64 hexadecimal digits after the @")
    return Reference(server, path, tag or None, digest or None)


def same_image(one: str, other: str) -> bool:
    """Return whether two names may mean one image: a registry that one of them leaves out may be any.

    Names that cannot be parsed compare as text.
    """
    try:
        first, second = parse(one), parse(other)
    except ValueError:
        return one == other
    if first.version != second.version:
        return False
    if names_server(one) == names_server(other) or first.server == second.server:
        return first[:2] == second[:2]
    short, full = (second, first) if names_server(one) else (first, second)
    path = short.repository[len(_LIBRARY) :] if short.repository.startswith(_LIBRARY) else short.repository
    return f"/{full.repository}".endswith(f"/{path}")


def server_name(text: str) -> str:
    """Return the one spelling of a registry's name, without a path."""
    server = text.strip().lower().partition("/")[0]
    if server.endswith(":443"):
        server = server[: -len(":443")]
    return DOCKER_HUB if server in _DOCKER_HUB_NAMES else server


def prefix(text: str) -> str:
    """Return the one spelling of a registry's name with a path or without one, for ``covers``."""
    path = text.strip().partition("/")[2].strip("/")
    # docker writes https://index.docker.io/v1/ where it means the server
    return server_name(text) + (f"/{path}" if path and path not in ("v1", "v2") else "")


def covers(prefix_of: str, name: str) -> bool:
    """Return whether a name of a repository, with its server, is below this server and path."""
    return f"{name}/".startswith(f"{prefix_of}/")


def reached(wanted: Reference, addresses: Mapping[str, str]) -> tuple[str, str]:
    """Return the server and the repository under which this machine asks for an image.

    ``addresses`` maps servers, with a path or without one, to others. The most specific one counts.
    """
    name = f"{wanted.server}/{wanted.repository}"
    for given, there in sorted(addresses.items(), key=lambda pair: len(prefix(pair[0])), reverse=True):
        if covers(prefix(given), name):
            server, _slash, repository = (prefix(there) + name[len(prefix(given)) :]).partition("/")
            return server, repository
    return public_name(wanted.server), wanted.repository


def public_name(server: str) -> str:
    """Return the public name of a registry of CTYun for one that only machines in its VPC reach, or the same name."""
    match = _VPC_NAME.fullmatch(server)
    return "".join(match.groups()) if match else server


def is_server(name: str) -> bool:
    """Return whether this is a host with or without a port, and nothing else."""
    return len(name) <= _LONGEST and _SERVER.fullmatch(name) is not None


def address(server: str) -> str:
    """Return the host (and port) of a registry's API."""
    return _DOCKER_HUB_NAMES[-1] if server == DOCKER_HUB else server
