# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server with a thread for each connection, that records requests and misbehaves on demand, byte by byte."""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.client import responses
from typing import Any

HOST = "127.0.0.1"
_PAGE = b"<html><body>Bad gateway, or a page for people</body></html>"
# Each kind of misbehaviour with its details.
KINDS: dict[str, dict[str, Any]] = {
    "status": {"status": 503, "retry_after": None},
    "page": {"status": 200},
    "challenge": {"value": "Basic realm=x"},
    "redirect": {"location": "/elsewhere", "status": 307},
    "headers": {"values": {}},
    "body": {"body": b"", "content_type": None},
    "slow": {"seconds": 1.0},
    "hang": {"seconds": 30.0},
    "reset": {},
    "truncate": {},
    "huge": {"megabytes": 5},
    "drip_head": {"interval": 0.1},
    "drip_body": {"interval": 0.1},
}


@dataclass(frozen=True)
class Seen:
    """A request, as it came; the names of headers are in lower case."""

    host: str
    path: str
    headers: dict[str, str]
    connection: int


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Misbehaviour:
    """One of KINDS, for the next ``times`` requests to the listener of that name, or for all with None.

    With ``only``, for those alone that have this text in their path.
    """

    def __init__(self, host: str, kind: str, *, times: int | None = 1, only: str = "", **details: Any) -> None:
        unknown = set(details) - set(KINDS[kind])
        if unknown:
            raise TypeError(f"{kind} takes no {unknown}")
        self.host, self.kind, self.times, self.only = host, kind, times, only
        self.details = {**KINDS[kind], **details}


class Listener:
    """Answers GETs with what ``answer`` makes of them. ``record`` is called with each request before that."""

    def __init__(
        self,
        host: str,
        answer: Callable[[Seen], Answer],
        record: Callable[[Seen], object],
        misbehaviour: Callable[[Seen], Misbehaviour | None],
        context: ssl.SSLContext | None,
    ) -> None:
        connections = iter(range(1_000_000_000))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def setup(self) -> None:
                self.number = next(connections)
                super().setup()

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(host, self.path, headers, self.number)
                record(seen)
                how = misbehaviour(seen)
                self.close_connection |= how is not None
                _act(self, answer(seen), how)

            def log_message(self, *_arguments: Any) -> None:
                pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def get_request(self) -> tuple[Any, Any]:
                sock, address = super().get_request()
                if context is not None:  # the handshake comes with the first byte, in the thread of the connection
                    sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                return sock, address

            def handle_error(self, *_arguments: Any) -> None:
                pass

        self._server = Server((HOST, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _act(handler: Any, answer: Answer, how: Misbehaviour | None) -> None:
    kind, details = (how.kind, how.details) if how else ("", {})
    cut = len(answer.content)
    if kind == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    if kind in ("slow", "hang"):
        time.sleep(details["seconds"])
        if kind == "hang":
            return
    elif kind == "status":
        after = {"Retry-After": str(details["retry_after"])} if details["retry_after"] is not None else {}
        answer = Answer(details["status"], b'{"errors":[{"code":"UNKNOWN","message":"injected"}]}', after)
        cut = len(answer.content)
    elif kind == "page":
        answer = Answer(details["status"], _PAGE, {"Content-Type": "text/html"})
        cut = len(answer.content)
    elif kind == "challenge":
        answer = Answer(401, b"", {"WWW-Authenticate": details["value"]})
        cut = 0
    elif kind == "redirect":
        answer = Answer(details["status"], b"", {"Location": details["location"]})
        cut = 0
    elif kind == "headers":
        answer = replace(answer, headers={**answer.headers, **details["values"]})
    elif kind == "body":
        typed = {"Content-Type": details["content_type"]} if details["content_type"] else {}
        answer = Answer(200, details["body"], typed)
        cut = len(answer.content)
    elif kind == "truncate":
        cut //= 2
    elif kind == "huge":
        answer = replace(answer, content=answer.content + b" " * (details["megabytes"] * 1024 * 1024))
        cut = len(answer.content)
    head = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Odd')}"]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    head += [f"Content-Length: {len(answer.content)}", *(["Connection: close"] if handler.close_connection else [])]
    start = "\r\n".join([*head, "", ""]).encode("latin-1")
    body = answer.content[:cut]
    with contextlib.suppress(OSError):
        if kind == "drip_head":
            _drip(handler, start, details["interval"])
            handler.wfile.write(body)
        elif kind == "drip_body":
            handler.wfile.write(start)
            _drip(handler, body, details["interval"])
        else:
            handler.wfile.write(start + body)


def _drip(handler: Any, content: bytes, interval: float) -> None:
    for position in range(len(content)):
        handler.wfile.write(content[position : position + 1])
        time.sleep(interval)
