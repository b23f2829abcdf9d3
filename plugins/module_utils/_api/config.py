# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the service is and who asks: the connection options, checked. Private to the collection."""

from __future__ import annotations

import functools
import ipaddress
import os
from dataclasses import dataclass
from typing import Any, Mapping
from urllib.parse import urlsplit

from .._errors import InvalidArguments

_CREDENTIALS = (
    ("access_key", "CTYUN_AK"),
    ("secret_key", "CTYUN_SK"),
    ("region_id", "CTYUN_REGION_ID"),
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, repr=False)
class Connection:
    """What a client needs to know. ``timeout`` and ``retry_max_delay`` are in seconds.

    ``verify`` is what requests takes: true, false or the path of a CA bundle.
    """

    access_key: str
    secret_key: str
    region_id: str
    endpoint: str
    verify: bool | str
    timeout: float
    retries: int
    retry_max_delay: float

    @property
    def warnings(self) -> list[str]:
        """What the user should know about this connection."""
        url = urlsplit(self.endpoint)
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            text = "is plain HTTP: everybody on the way can read the passwords of image registries. Use https://."
            return [f"The endpoint {self.endpoint} {text}"]
        return []


def connection(arguments: Mapping[str, Any]) -> Connection:
    """The connection that a task's checked arguments describe.

    Raises InvalidArguments where something is missing or cannot be used; nothing is sent here.
    """
    problems = [
        f"- {option}: is required; give the option or set {variable} in the environment"
        for option, variable in _CREDENTIALS
        if not arguments[option]
    ]
    problems += [
        f"- {option}: must be plain ASCII without spaces"
        for option, _variable in _CREDENTIALS
        if arguments[option] and not _is_token(arguments[option])
    ]
    endpoint = str(arguments["endpoint"]).rstrip("/")
    advice = _endpoint_advice(endpoint)
    if advice:
        problems.append(f"- endpoint: {advice}")
    ca_path = arguments["ca_path"]
    advice = ca_advice(ca_path)
    if advice:
        problems.append(f"- ca_path: {advice}")
    if problems:
        raise InvalidArguments("The service cannot be reached with these arguments:\n" + "\n".join(problems))
    return Connection(
        access_key=arguments["access_key"],
        secret_key=arguments["secret_key"],
        region_id=arguments["region_id"],
        endpoint=_spelled(endpoint),
        verify=bool(arguments["validate_certs"]) and (ca_path or True),
        timeout=arguments["timeout"],
        retries=arguments["retries"],
        retry_max_delay=arguments["retry_max_delay"],
    )


def ca_advice(ca_path: str | None) -> str | None:
    """Why the authorities at this path cannot be used, or None."""
    if ca_path and not os.path.exists(ca_path):
        return f"there is no file or directory {ca_path}"
    if ca_path and not os.path.isabs(ca_path):
        return "must be an absolute path, or that of a file which Ansible finds with the playbook"
    return None


def _is_token(value: str) -> bool:
    return value.isascii() and value.isprintable() and " " not in value


@functools.lru_cache(maxsize=8)  # the items of a loop have one endpoint
def _endpoint_advice(endpoint: str) -> str | None:
    example = "write for example https://eci-global.ctapi.ctyun.cn"
    try:
        url = urlsplit(endpoint)
        port_is_valid = url.port is None or url.port > 0
    except ValueError:
        return f"is not an address; {example}"
    if url.scheme not in ("http", "https") or "://" not in endpoint:
        return f"must begin with https:// (or http://); {example}"
    if "@" in url.netloc:
        return f"must not carry a user name or password; {example}"
    if not url.hostname or not port_is_valid or any(character.isspace() for character in endpoint):
        return f"is not an address; {example}"
    if url.path or "?" in endpoint or "#" in endpoint:
        return f"must end after the host and port, the paths are added here; {example}"
    return None


def _spelled(endpoint: str) -> str:
    """The one spelling of a valid endpoint, since locks, marks and connections are kept by it."""
    url = urlsplit(endpoint)
    host = url.hostname or ""  # in lower case
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that nobody else reads what is sent to it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
