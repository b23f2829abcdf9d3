# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a registry asks for a login: its challenges, and where tokens are to be had. Private to the collection."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from .._api.config import is_loopback

_TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(_TOKEN)
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_BETWEEN = re.compile(r"[\s,]*")
_ESCAPED = re.compile(r"\\(.)")
_PLAIN = re.compile("[!-~]+")


class Challenge(NamedTuple):
    """One way to log in; ``scheme`` and the names of the parameters are in lower case."""

    scheme: str
    parameters: dict[str, str]


def challenges(header: str) -> list[Challenge]:
    """What a WWW-Authenticate says, as far as it can be read; several in one header are told apart."""
    found: list[Challenge] = []
    position = 0
    while True:
        between = _BETWEEN.match(header, position)
        position = between.end() if between else position
        parameter = _PARAMETER.match(header, position)
        if parameter and found:
            quoted, bare = parameter.group(2), parameter.group(3)
            value = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
            found[-1].parameters.setdefault(parameter.group(1).lower(), value)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(header, position)
        if scheme is None:
            return found
        found.append(Challenge(scheme.group().lower(), {}))
        position = scheme.end()


def token_address(challenge: Challenge, host: str, repository: str) -> str:
    """Where to ask for a token that lets one pull from a repository. ``host`` is the registry's, without its port.

    A login may be sent there: so it is https, or the registry's own host if that is this machine. Raises ValueError for
    any other address.
    """
    realm = challenge.parameters.get("realm", "")
    url = urlsplit(realm)
    port_is_valid = url.port is None or url.port > 0  # raises ValueError as well
    is_own = url.scheme == "http" and url.hostname == host and is_loopback(host)
    if not _PLAIN.fullmatch(realm) or not url.hostname or not port_is_valid or "@" in url.netloc:
        raise ValueError("no address")
    if url.scheme != "https" and not is_own:
        raise ValueError("not https")
    service = challenge.parameters.get("service")
    # what is asked for is written here, not there: a registry may not have more rights asked for than to pull this
    asked = [("service", service)] if service else []
    query = urlencode([*asked, ("scope", f"repository:{repository}:pull")])
    return url._replace(query=f"{url.query}&{query}" if url.query else query, fragment="").geturl()
