# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the connection options. Private to the collection."""

from __future__ import annotations

import functools
import ipaddress
import os
from dataclasses import dataclass
from typing import Any, Mapping
from urllib.parse import urlsplit

from .._errors import InvalidArguments

_CREDENTIALS = {"access_key": "CTYUN_AK", "secret_key": "CTYUN_SK", "region_id": "CTYUN_REGION_ID"}
_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "write for example https://eci-global.ctapi.ctyun.cn"


@dataclass(frozen=True, repr=False)
class Connection:
    """The settings of a connection. ``verify`` is true, false or the path of a CA bundle; times are in seconds."""

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
        """Warn of an endpoint without TLS."""
        url = urlsplit(self.endpoint)
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            text = "is plain HTTP, so registry passwords are sent unencrypted. Use https://."
            return [f"The endpoint {self.endpoint} {text}"]
        return []


def connection(arguments: Mapping[str, Any]) -> Connection:
    """Return the connection that checked arguments describe. Raises InvalidArguments with all that is wrong with it."""
    endpoint = str(arguments["endpoint"]).rstrip("/")
    advice = {option: _credential_advice(arguments[option], variable) for option, variable in _CREDENTIALS.items()}
    advice.update(endpoint=_endpoint_advice(endpoint), ca_path=ca_advice(arguments["ca_path"]))
    problems = [f"- {option}: {text}" for option, text in advice.items() if text]
    if problems:
        raise InvalidArguments("The service cannot be reached with these arguments:\n" + "\n".join(problems))
    return Connection(
        access_key=arguments["access_key"],
        secret_key=arguments["secret_key"],
        region_id=arguments["region_id"],
        endpoint=_normalized(endpoint),
        verify=bool(arguments["validate_certs"]) and (arguments["ca_path"] or True),
        timeout=arguments["timeout"],
        retries=arguments["retries"],
        retry_max_delay=arguments["retry_max_delay"],
    )


def ca_advice(ca_path: str | None) -> str | None:
    """Return why this CA bundle cannot be used, or None."""
    if ca_path and not os.path.exists(ca_path):
        return f"there is no file or directory {ca_path}"
    if ca_path and not os.path.isabs(ca_path):
        return "must be an absolute path, or that of a file which Ansible finds with the playbook"
    return None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, so that nobody else reads what is sent to it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _credential_advice(value: str | None, variable: str) -> str | None:
    if not value:
        where = "in the environment; with become, or on another host, in the keyword environment of the task"
        return f"is required; give the option, or set {variable} {where}"
    is_token = value.isascii() and value.isprintable() and " " not in value
    return None if is_token else "must be plain ASCII without spaces"


@functools.lru_cache(maxsize=8)  # the items of a loop have one endpoint
def _endpoint_advice(endpoint: str) -> str | None:
    try:
        url = urlsplit(endpoint)
        port_is_valid = url.port is None or url.port > 0
    except ValueError:
        return f"is not an address; {_EXAMPLE}"
    if url.scheme not in _PORTS or "://" not in endpoint:
        return f"must begin with https:// (or http://); {_EXAMPLE}"
    if "@" in url.netloc:
        return f"must not contain a user name or password; {_EXAMPLE}"
    if not url.hostname or not port_is_valid or any(character.isspace() for character in endpoint):
        return f"is not an address; {_EXAMPLE}"
    if url.path or "?" in endpoint or "#" in endpoint:
        return f"must end after the host and port; the module adds the path; {_EXAMPLE}"
    return None


def _normalized(endpoint: str) -> str:
    """Return the one spelling of a valid endpoint, since locks and connections are kept by it."""
    url = urlsplit(endpoint)
    host = url.hostname or ""  # in lower case
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"
