# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One signed request out, the bytes of its reply back. Private to the collection.

How the endpoint is reached (TLS, proxy, pool of connections) is for requests' adapter to say. The request itself goes
straight to the pool, see docs/architecture.md.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, Callable, Mapping, NamedTuple
from urllib.parse import quote

from .._errors import EciError, InvalidArguments, OpenOutcome, Unreachable, UntrustedEndpoint
from .connection import Connection
from .reply import HttpReply
from .signing import EopAuth

try:
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        LocationValueError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )
except ImportError:
    HTTPAdapter = object  # type: ignore[assignment, misc]
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

USER_AGENT = "ansible-ctyun.eci"
MAX_REPLY_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# What an error of the TLS layer says when no request can have been sent.
_TLS_REFUSED = ("CERTIFICATE", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "ALERT", "PEM", "hostname")


class Operation(NamedTuple):
    """One operation of the API. Only a repeatable one is sent again after a failure."""

    name: str
    method: str
    path: str
    repeatable: bool = True


class _Adapter(HTTPAdapter):
    """The way to one endpoint. ``verify`` is what requests takes: true, false or the path of a CA bundle."""

    def __init__(self, endpoint: str, verify: bool | str, pool_size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        # Proxies and CA bundles of the environment count; ~/.netrc does not, since every request has its own auth.
        self._proxies = get_environ_proxies(endpoint, no_proxy=None)
        if verify is True:
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._verify = verify
        self._way: tuple[Any, str] | None = None

    def way(self, request: PreparedRequest) -> tuple[Any, str]:
        """The pool of connections to the endpoint, and what stands before the path there: nothing, or the endpoint for
        a proxy. Looked up for the first request only.
        """
        if self._way is None:
            if hasattr(self, "get_connection_with_tls_context"):
                pool = self.get_connection_with_tls_context(request, self._verify, self._proxies)
            else:  # requests before 2.32
                pool = self.get_connection(str(request.url), self._proxies)
            self.cert_verify(pool, request.url, self._verify, None)  # type: ignore[no-untyped-call]
            self._way = pool, self.request_url(request, self._proxies)[: -len(request.path_url)]
        return self._way

    def close(self) -> None:
        self._way = None
        super().close()


class Transport:
    """Sends signed requests over connections that it keeps. Safe to use from several threads."""

    def __init__(self, connection: Connection, pool_size: int, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._auth = EopAuth(connection.access_key, connection.secret_key, clock)
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

    def send(self, operation: Operation, body: Mapping[str, Any] | None, identifier: str) -> HttpReply:
        """Send one request and read the reply to it, whatever it is. Raises an EciError if there is none."""
        known: dict[str, Any] = {"operation": operation.name}
        timeout = self._connection.timeout
        deadline = time.monotonic() + timeout
        try:
            path = operation.path + quote(identifier, safe="")
            request = self._signed(operation.method, path, body)
            known["request_id"] = request.headers["ctyun-eop-request-id"]
            pool, front = self._adapter.way(request)
        except (OSError, HTTPError, ValueError) as error:
            raise self._unsendable(error, known) from None
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
                timeout=timeout,
            )
            try:
                content = _read(response, deadline)
            finally:
                response.close()
        except (OSError, HTTPError, ValueError, OverflowError) as error:
            raise self._network_error(error, known) from None
        return HttpReply(operation.name, known["request_id"], response.status, response.headers, content)

    def _signed(self, method: str, path: str, body: Mapping[str, Any] | None) -> PreparedRequest:
        request = PreparedRequest()
        request.method = method
        request.url = self._connection.endpoint + path
        request.headers = dict(self._headers)  # type: ignore[assignment]  # written and read in one spelling, here
        request.body = None if body is None else json.dumps(body).encode()
        return self._auth(request)

    def _network_error(self, error: Exception, known: Mapping[str, Any]) -> EciError:
        host = self._connection.endpoint
        root = _root(error)
        limit = f"within {self._connection.timeout:g} s (option timeout)"
        if isinstance(error, ProxyError):
            return Unreachable(
                f"The proxy does not connect to {host}: {_text(root)}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
                **known,
            )
        if isinstance(error, SSLError) and any(word in str(error) for word in _TLS_REFUSED):
            return UntrustedEndpoint(
                f"No trusted TLS connection to {host}: {_text(root)}. If an authority of your own signed the"
                " certificate, give its file in ca_path; if the service speaks plain HTTP there, write http://.",
                **known,
            )
        if isinstance(error, NewConnectionError):  # first, since urllib3 1 counts it among the time-outs
            return Unreachable(f"No connection to {host}: {_text(root)}. Check endpoint and the network.", **known)
        if isinstance(error, ConnectTimeoutError):
            return Unreachable(f"No connection to {host} {limit}.", **known)
        if isinstance(error, (ReadTimeoutError, TimeoutError)):
            return OpenOutcome(f"No complete reply from {host} {limit}.", **known)
        if isinstance(error, (HTTPError, OSError)) and not isinstance(error, LocationValueError):
            return OpenOutcome(f"The connection to {host} broke off: {_text(root)}.", **known)
        return self._unsendable(error, known)

    def _unsendable(self, error: Exception, known: Mapping[str, Any]) -> EciError:
        host = self._connection.endpoint
        return InvalidArguments(f"No request to {host} can be made: {_text(_root(error))}.", **known)


def _read(response: Any, deadline: float) -> bytes | None:
    """The body, or None if it is larger than any true reply: bounded in memory and, piece by piece, in time."""
    # read1 returns what has come in; read (urllib3 1) would wait for a whole chunk
    read = getattr(response, "read1", response.read)
    content = bytearray()
    while True:
        piece = read(CHUNK_BYTES, decode_content=True)
        content += piece
        if not piece:
            return bytes(content)
        if len(content) > MAX_REPLY_BYTES:
            return None
        if time.monotonic() > deadline:
            raise TimeoutError()


def _root(error: BaseException) -> BaseException:
    """The first cause, from under the wrappers that urllib3 puts around it."""
    inner = next((argument for argument in reversed(error.args) if isinstance(argument, BaseException)), None)
    return error if inner is None else _root(inner)


def _text(error: BaseException) -> str:
    """An error's text without the connection object that urllib3 puts in front of it."""
    front = r"^(<[^>]*>|\w+\([^)]*\)): (Failed to establish a new connection: )?"
    return re.sub(front, "", str(error)).rstrip(".") or type(error).__name__
