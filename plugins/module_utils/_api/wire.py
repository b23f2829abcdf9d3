# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one request of a thread has come to on its connection. Private to the collection.

Exceptions of HTTP libraries do not tell whether a request was sent: behind a proxy that drops a connection the same one
comes before and after that. So the connection itself is watched here. Its reply has to be complete when the time of the
request is over, however slowly or often the other side sends bytes that are none.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from typing import Any

_SWITCHING_PROTOCOLS = 101


class _Request(threading.local):
    """The request that a thread is at. ``sent`` is true as soon as a byte of it may have left this machine."""

    sent = False
    connecting = False
    seconds = 0.0
    deadline = 0.0


request = _Request()


def begin(seconds: float) -> None:
    """A request of this thread begins, and may take so long once there is a connection for it."""
    request.sent = request.connecting = False
    request.seconds = seconds
    _start_the_time()


def _start_the_time() -> None:
    request.deadline = time.monotonic() + request.seconds


def _left() -> float:
    """The seconds that the request has left. Raises socket.timeout if there are none."""
    left = request.deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("timed out")  # a TimeoutError from Python 3.10 on
    return left


class _Reader(io.RawIOBase):
    """The bytes of a socket, each wait for them no longer than the request may take."""

    def __init__(self, sock: Any, raw: Any) -> None:
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_Reader(sock, self.fp.detach()))

    def _read_status(self) -> Any:
        # http.client passes over a 100 only, but any 1xx comes before the reply, save the one that changes the protocol
        while True:
            found = super()._read_status()  # type: ignore[misc]
            if not 100 <= found[1] < 200 or found[1] == _SWITCHING_PROTOCOLS:
                return found
            http.client.parse_headers(self.fp)


class _Watched:
    """Goes before a connection class of urllib3."""

    response_class = _Response
    sock: Any
    auto_open: int
    _held: list[bytes] | None = None

    # Whoever turns the check of certificates off knows it; in a worker of Ansible a warning would go to the terminal.
    is_verified = property(lambda self: True, lambda self, value: None)

    def connect(self) -> None:
        request.connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            request.connecting = False

    def _new_conn(self) -> Any:
        sock = super()._new_conn()  # type: ignore[misc]
        # a host may have several addresses, each of which was given that time; what is slow now is what was reached
        _start_the_time()
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        # Head and body go out in one piece; in two, each side of a connection with TLS has twice the work.
        self._held = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
            whole = b"".join(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None and self.auto_open:
            self.connect()
        if self.sock is not None:
            request.sent |= not request.connecting  # else it is the proxy that is spoken to
        super().send(data)  # type: ignore[misc]


def watch(pool: Any) -> None:
    """Have the connections of a pool of urllib3 watched."""
    if not issubclass(pool.ConnectionCls, _Watched):
        pool.ConnectionCls = type("WatchedConnection", (_Watched, pool.ConnectionCls), {})
