# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send one HTTP request over kept connections. Private to the collection.

requests finds the way to a server (proxies and CA bundles of the environment, a pool of connections). The request goes
straight to that pool: no redirect is followed, no cookie is kept, ~/.netrc is not read.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import ssl
import threading
import time
from typing import Any, Mapping, NamedTuple
from urllib.parse import urlsplit

from .._errors import EciError
from .._text import Redact
from .transport_errors import transport_error, unusable

try:
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, prepend_scheme_if_needed, select_proxy
    from urllib3.exceptions import HTTPError, InsecureRequestWarning
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True
    NO_RETRY = urllib3.Retry(False, redirect=False)

HEADERS = {"User-Agent": "ansible-ctyun.eci", "Accept-Encoding": "identity"}
PIECE_BYTES = 64 * 1024


class Response(NamedTuple):
    """A reply, whatever its status. ``content`` is None if it is larger than the limit."""

    status: int
    headers: Mapping[str, str]
    content: bytes | None


class Http:
    """Sends requests; reads no more than ``limit`` bytes of a reply. Safe to use from several threads.

    ``verify`` is true, false or the path of a CA bundle; ``more_ca`` that of another one which counts as well. ``timeout``
    (s) is for connecting, each wait for a reply, and its body. ``advice`` says what to check where no connection is made.
    If ``direct``, plain HTTP uses no proxy.
    """

    def __init__(
        self,
        verify: bool | str,
        timeout: float,
        pool_size: int,
        limit: int,
        advice: str,
        *,
        direct: bool = False,
        more_ca: str | None = None,
    ) -> None:
        self._verify, self._direct, self._pool_size = verify, direct, pool_size
        self._timeout, self._limit, self._advice, self._more_ca = timeout, limit, advice, more_ca
        self._lock = threading.Lock()
        # by origin: the pool, and what stands before the path, which is the origin for a proxy without a tunnel
        self._pools: dict[str, tuple[Any, str]] = {}
        if verify is False:
            urllib3.disable_warnings(InsecureRequestWarning)  # in a worker of Ansible they go to the terminal

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for pool, _prefix in self._pools.values():
                pool.close()
            self._pools.clear()

    def send(
        self, method: str, origin: str, target: str, headers: Mapping[str, str], body: bytes | None, redact: Redact
    ) -> Response:
        """Send one request to ``origin`` (scheme, host, port) for ``target`` (path, query), and read the reply.

        Raises EciError, whose ``effect`` says whether the request can have taken effect.
        """
        try:
            with self._lock:
                if origin not in self._pools:
                    self._pools[origin] = self._pool(origin)
                pool, prefix = self._pools[origin]
            response = pool.request_encode_url(
                method,
                prefix + target,
                body=body,
                headers={**HEADERS, **headers},
                retries=NO_RETRY,
                redirect=False,
                assert_same_host=False,
                timeout=self._timeout,
                preload_content=False,
            )
            try:
                content = self._read(response)
            finally:
                response.close()  # a connection whose reply was not read to its end is not used again
        except (OSError, HTTPError, ValueError, OverflowError, MemoryError) as error:
            raise transport_error(error, origin, self._timeout, self._advice, redact) from None
        return Response(response.status, response.headers, content)

    def _pool(self, origin: str) -> tuple[Any, str]:
        is_https = origin.startswith("https:")
        proxy = select_proxy(origin, get_environ_proxies(origin, None) if is_https or not self._direct else {})
        options: dict[str, Any] = {}
        if is_https or (proxy or "").lower().startswith("https:"):
            options["ssl_context"] = tls_context(
                ca_bundle() if self._verify is True else self._verify or None, self._more_ca
            )
        adapter = HTTPAdapter()
        adapter.init_poolmanager(1, self._pool_size, **options)
        if not proxy:
            return adapter.poolmanager.connection_from_url(origin), ""
        try:
            proxy = prepend_scheme_if_needed(proxy, "http")  # type: ignore[no-untyped-call]
            if not urlsplit(proxy).hostname:
                raise ValueError
            if proxy.lower().startswith("https:"):
                options["proxy_ssl_context"] = options["ssl_context"]
            pool = adapter.proxy_manager_for(proxy, **options).connection_from_url(origin)
        except (OSError, HTTPError, ValueError, TypeError) as error:
            # only the class of the error is quoted, since the address may hold a password
            advice = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY; SOCKS needs the Python package PySocks."
            what = f"The proxy that the environment names for {origin}"
            raise unusable(error, what, type(error).__name__, advice) from None
        return pool, origin if pool.proxy and not is_https else ""

    def _read(self, response: Any) -> bytes | None:
        if response.status < 200:
            return b""  # the final reply may follow on this connection
        deadline = time.monotonic() + self._timeout
        read = getattr(response, "read1", response.read)  # urllib3 1 has no read1, and waits for a whole piece
        content = bytearray()
        while True:
            piece: bytes = read(PIECE_BYTES, decode_content=True)
            content += piece
            if len(content) > self._limit:
                return None
            if not piece:
                return bytes(content)
            if time.monotonic() > deadline:
                raise socket.timeout("timed out")


def prepare() -> None:
    """Read the CA bundle of the environment before processes are forked. Errors are left to the first request."""
    if HAS_REQUESTS:
        with contextlib.suppress(EciError):
            tls_context(ca_bundle(), None)


def ca_bundle() -> str:
    """Return the path of the CA bundle that the environment names, or that of requests."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH


@functools.lru_cache(maxsize=None)  # reading a bundle takes longer than a request
def tls_context(ca_path: str | None, more: str | None) -> ssl.SSLContext:
    """Return the TLS context that trusts these CA bundles, or any certificate without the first. Raises EciError."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if ca_path else ssl.CERT_NONE)
    for path in (ca_path, ca_path and more):
        try:
            if path:
                context.load_verify_locations(*((None, path) if os.path.isdir(path) else (path,)))
        except OSError as error:
            advice = "Check ca_path, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."
            raise unusable(error, f"The CA bundle {path}", str(error), advice) from None
    return context
