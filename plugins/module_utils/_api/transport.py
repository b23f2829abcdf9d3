# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One signed request out, the bytes of its reply back. Private to the collection.

How the endpoint is reached (TLS, proxy, pool of connections) is for requests' adapter to say. The request itself goes
straight to the pool, see docs/architecture.md.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Mapping, NamedTuple
from urllib.parse import quote

from . import tls as trust
from . import wire
from .config import Connection
from .transport_errors import sending_error, unsendable
from .responses import HttpReply
from .auth import EopAuth
from .._text import Redact as Hide

try:
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidSchema
    from requests.utils import get_environ_proxies, select_proxy
    from urllib3.exceptions import HTTPError, SSLError
except ImportError:
    HTTPAdapter = object  # type: ignore[assignment, misc]
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

USER_AGENT = "ansible-ctyun.eci"
MAX_REPLY_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# At the end of a path these name another one, whatever they are encoded to.
_NO_IDENTIFIERS = ("", ".", "..")


class Operation(NamedTuple):
    """One operation of the API. Only a repeatable one is sent again after a failure; only a changing one has effects."""

    name: str
    method: str
    path: str
    changes: bool = False
    repeatable: bool = True


class _Adapter(HTTPAdapter):
    """The way to one endpoint. ``verify`` is what requests takes: true, false or the path of a CA bundle."""

    def __init__(self, endpoint: str, verify: bool | str, pool_size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        # Proxies and CA bundles of the environment count; ~/.netrc does not, since every request has its own auth.
        self._proxies = get_environ_proxies(endpoint, no_proxy=None)
        self._verify = verify
        self._lock = threading.Lock()
        self._way: tuple[Any, str] | None = None

    def way(self, request: PreparedRequest) -> tuple[Any, str]:
        """The pool of connections to the endpoint, and what stands before the path there: nothing, or the endpoint for
        a proxy. Looked up for the first request only.
        """
        with self._lock:
            if self._way is None:
                verify = trust.bundle() if self._verify is True and _is_https(request) else self._verify
                pool = self._pool(request, verify)
                self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
                trust.share(pool)
                wire.watch(pool)
                self._way = pool, self.request_url(request, self._proxies)[: -len(request.path_url)]
            return self._way

    def _pool(self, request: PreparedRequest, verify: bool | str) -> Any:
        try:
            if hasattr(self, "get_connection_with_tls_context"):
                return self.get_connection_with_tls_context(request, verify, self._proxies)
            return self.get_connection(str(request.url), self._proxies)  # requests before 2.32
        except (OSError, HTTPError, ValueError, TypeError) as error:  # the last for an address that has no host
            proxy = select_proxy(str(request.url), self._proxies)
            if not proxy:
                raise
            # an address may hold a password, and whoever cannot read it may quote any part of it
            is_quoted = "@" in proxy and not isinstance(error, InvalidSchema)  # which asks for the package for SOCKS
            why = type(error).__name__ if is_quoted else error
            raise ValueError(f"the environment names a proxy that cannot be used ({why})") from None

    def close(self) -> None:
        with self._lock:
            self._way = None
            super().close()


def _is_https(request: PreparedRequest) -> bool:
    return str(request.url).lower().startswith("https:")


def _path(operation: Operation, identifier: str) -> str:
    if operation.path.endswith("/") and identifier in _NO_IDENTIFIERS:
        raise ValueError(f"{identifier!r} is no ID")
    return operation.path + quote(identifier, safe="")


class Transport:
    """Sends signed requests over connections that it keeps. Safe to use from several threads."""

    def __init__(self, connection: Connection, pool_size: int) -> None:
        self.connection = connection
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "regionId": connection.region_id,
        }
        self._adapter = _Adapter(connection.endpoint, connection.verify, pool_size)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def send(
        self,
        operation: Operation,
        body: Mapping[str, Any] | None,
        identifier: str,
        time: Callable[[], float],
        hide: Hide = str,
    ) -> HttpReply:
        """Send one request, signed for the ``time`` it is, and read the reply to it, whatever it is.

        Raises an EciError if there is none, whose ``effect`` says whether the request was sent; ``hide`` takes secrets
        out of what a proxy wrote.
        """
        known: dict[str, Any] = {"operation": operation.name}
        connection = self.connection
        try:
            path = _path(operation, identifier)
            request = self._signed(operation.method, path, body, time)
            known["request_id"] = request.headers["ctyun-eop-request-id"]
            pool, front = self._adapter.way(request)
        except SSLError as error:
            raise sending_error(error, False, connection, known, hide) from None
        except (OSError, HTTPError, ValueError) as error:
            raise unsendable(error, connection, known, hide) from None
        wire.begin(connection.timeout)
        try:
            # of urllib3's ways the one that adds nothing of its own to what is signed
            response = pool.request_encode_url(
                request.method,
                front + path,
                body=request.body,
                headers=request.headers,
                redirect=False,
                assert_same_host=False,
                retries=False,
                preload_content=False,
                timeout=connection.timeout,
            )
            try:
                content = read_body(response, MAX_REPLY_BYTES)
            finally:
                response.close()
        except (OSError, HTTPError, ValueError, OverflowError, MemoryError) as error:
            raise sending_error(error, wire.request.sent, connection, known, hide) from None
        return HttpReply(operation.name, known["request_id"], response.status, response.headers, content)

    def _signed(
        self, method: str, path: str, body: Mapping[str, Any] | None, time: Callable[[], float]
    ) -> PreparedRequest:
        connection = self.connection
        request = PreparedRequest()
        request.method = method
        request.url = connection.endpoint + path
        request.headers = dict(self._headers)  # type: ignore[assignment]  # written and read in one spelling, here
        request.body = None if body is None else json.dumps(body).encode()
        return EopAuth(connection.access_key, connection.secret_key, time)(request)


def read_body(response: Any, most: int, decode: bool = True) -> bytes | None:
    """The body, or None if it is larger than any true reply; the time is bounded below, where bytes come in."""
    # read1 returns what has come in; read (urllib3 1) would wait for a whole chunk
    read = getattr(response, "read1", response.read)
    content = bytearray()
    while True:
        piece = read(CHUNK_BYTES, decode_content=decode)
        content += piece
        if not piece:
            return bytes(content)
        if len(content) > most:
            return None
