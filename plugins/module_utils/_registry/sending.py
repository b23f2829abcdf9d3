# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One GET out, its reply back, within its time and its size. Private to the collection.

What is sent, and to whom, is for the caller to say: no redirect is followed here, no cookie kept, no ~/.netrc read.
"""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Any, Mapping, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakSet

from .._api import trust, wire
from .._api.transport_errors import root_of, text_of
from .._api.telling import Hide
from .._api.transport import USER_AGENT, read_body

try:
    from requests import Request
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidSchema, ProxyError, SSLError
    from requests.utils import get_environ_proxies, select_proxy
    from urllib3.exceptions import HTTPError, ReadTimeoutError
    from urllib3.exceptions import SSLError as BrokenTLS
except ImportError:
    HTTPAdapter = object  # type: ignore[assignment, misc]


class NoReply(Exception):
    """No reply that can be used; the text says why.

    ``is_final`` if another way to the same server is not to be tried, ``is_far`` if there may be no way to it from here.
    """

    def __init__(self, text: str, is_final: bool = True, is_far: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final
        self.is_far = is_far


class Reply(NamedTuple):
    """A reply, whatever its status. The names in ``headers`` are those of HTTP, in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class _Adapter(HTTPAdapter):
    """requests' way to any server, over connections that are watched and share what they trust."""

    def __init__(self, pool_size: int) -> None:
        super().__init__(pool_maxsize=pool_size, max_retries=0)
        self._lock = threading.Lock()
        self._prepared: WeakSet[Any] = WeakSet()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        with self._lock:
            if conn not in self._prepared:
                super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
                trust.share(conn)
                wire.watch(conn)
                self._prepared.add(conn)


class Sender:
    """Sends GETs. Safe to use from several threads. ``hide`` takes secrets out of what libraries and proxies wrote."""

    def __init__(self, verify: bool | str, timeout: float, hide: Hide, pool_size: int) -> None:
        self._verify = verify
        self._timeout = timeout
        self._hide = hide
        self._adapter = _Adapter(pool_size)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def get(self, url: str, headers: Mapping[str, str], most: int) -> Reply:
        """The reply to one GET, of which no more than ``most`` bytes are taken. Raises NoReply."""
        is_https = url.startswith("https:")
        # plain http goes to this machine only, and no proxy is to read it
        proxies = get_environ_proxies(url, no_proxy=None) if is_https else {}
        host = urlsplit(url).netloc
        try:
            request = Request(
                "GET", url, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
            ).prepare()
            verify = trust.bundle() if self._verify is True and is_https else self._verify
            wire.begin(self._timeout)
            response = self._adapter.send(
                request, stream=True, timeout=self._timeout, verify=verify, cert=None, proxies=proxies
            )
            try:
                content = read_body(response.raw, most, decode=False)
            finally:
                response.close()
        except (OSError, HTTPError, ValueError, TypeError, OverflowError) as error:
            raise self._no_reply(error, url, host, proxies) from None
        if content is None:
            raise NoReply(f"The reply of {host} is larger than any that is expected.")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NoReply(f"The reply of {host} is packed in a way that was not asked for.")
        return Reply(response.status_code, response.headers, content)

    def _no_reply(self, error: Exception, url: str, host: str, proxies: Any) -> NoReply:
        root = root_of(error)
        text = text_of(root, self._hide)
        if isinstance(error, ProxyError):
            return NoReply(f"The proxy does not connect to {host}: {text}. Check HTTPS_PROXY and NO_PROXY.")
        if isinstance(error, (SSLError, BrokenTLS)) or isinstance(root, ssl.SSLError):
            return NoReply(f"No trusted TLS connection to {host}: {text}.{_advice(root)}", _is_of_trust(root))
        if isinstance(error, ReadTimeoutError) or (isinstance(root, socket.timeout) and root.errno is None):
            return NoReply(f"No complete reply of {host} within {self._timeout:g} s (option timeout).", is_far=True)
        if isinstance(error, FileNotFoundError) or error.__class__ is OSError:  # the bundle of authorities is not there
            return NoReply(f"No request to {host} can be made: {text}.")
        proxy = select_proxy(url, proxies)
        if proxy and isinstance(error, ValueError) and not isinstance(error, InvalidSchema):
            # an address may hold a password, and whoever cannot read it may quote any part of it
            why = type(error).__name__ if "@" in proxy else text
            return NoReply(f"The environment names a proxy that cannot be used ({why}).")
        return NoReply(f"No connection to {host}: {text}.", is_final=False, is_far=True)


def _is_of_trust(root: BaseException) -> bool:
    return isinstance(root, ssl.SSLCertVerificationError) or type(root).__name__ == "CertificateError"


def _advice(root: BaseException) -> str:
    if getattr(root, "verify_code", None) in (18, 19, 20, 21):  # OpenSSL: whoever signed is not known
        return " If an authority of your own signed the certificate, give its file in ca_path."
    return ""
