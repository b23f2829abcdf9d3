# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on a socket that do what a test says, byte by byte, and what the tests of the wire have in common."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
import trustme

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError

_PATH = "/eci/api/v1/imageCache/"
CREATE = Operation("createImageCache", "POST", _PATH + "createImageCache", changes=True, repeatable=False)
LIST = Operation("describeImageCaches", "POST", _PATH + "describeImageCaches")
DESCRIBE = Operation("describeImageCache", "GET", _PATH + "describeImageCache/")
UPDATE = Operation("updateImageCache", "PUT", _PATH + "updateImageCache", changes=True)
DELETE = Operation("deleteImageCache", "DELETE", _PATH + "deleteImageCache/", changes=True)

GOOD = {"statusCode": 200, "returnObj": {"region": {"regionId": "r", "zones": ["az1"]}}}
BODY = {"imageCacheName": "base"}
# No test waits longer for a peer that does nothing.
PATIENCE = 5.0


def page(status: str = "200 OK", body: bytes = json.dumps(GOOD).encode(), *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def failing(client: Client, operation: Operation = REGION) -> EciError:
    with pytest.raises(EciError) as caught:
        client.call(operation, BODY if operation is CREATE else None)
    return caught.value


class Peer:
    """The server's end of a connection."""

    def __init__(self, sock: socket.socket, heads: list[str]) -> None:
        self.sock = sock
        self._heads = heads

    def request(self) -> str:
        """Read a request and return its head, or an empty text if the client has left."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.sock.recv(65536)
            if not piece:
                return ""
            head += piece
        head, _end, body = head.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = next((int(line[15:]) for line in text.split("\r\n") if line.lower().startswith("content-length:")), 0)
        while len(body) < length:
            body += self.sock.recv(65536)
        self._heads.append(text)
        return text

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, pieces: Iterable[bytes], interval: float = 0.05) -> None:
        for piece in pieces:
            self.sock.sendall(piece)
            time.sleep(interval)

    def reset(self) -> None:
        """Close with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait(self) -> None:
        """Say nothing until the client leaves, or for long."""
        while self.sock.recv(65536):
            pass

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_side=True)


class Server:
    """Does ``work`` with each connection, in a thread of its own; the connection is closed after that.

    ``heads`` has the head of each request that was read, ``connections`` counts what was accepted.
    """

    def __init__(self, work: Callable[[Peer], object], context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.connections += 1
                self.request.settimeout(PATIENCE)
                peer = Peer(self.request, outer.heads)
                with contextlib.suppress(OSError):
                    if context:
                        peer.start_tls(context)
                    work(peer)
                    peer.sock.shutdown(socket.SHUT_RDWR)
                with contextlib.suppress(OSError):
                    peer.sock.close()

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True)
        self._scheme = "https" if context else "http"

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(PATIENCE)

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.host}"


def answering(answer: bytes = b"", context: ssl.SSLContext | None = None) -> Server:
    """A server that answers the first request on each connection with these bytes, and closes."""

    def work(peer: Peer) -> None:
        if peer.request():
            peer.send(answer or page())

    return Server(work, context)


class Authority:
    """Issues certificates; ``ca_file`` is its own."""

    def __init__(self, folder: Any) -> None:
        self._ca = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self._ca.cert_pem.write_to_path(self.ca_file)

    @property
    def hash(self) -> str:
        """What OpenSSL looks for in a folder of authorities."""
        openssl = shutil.which("openssl") or pytest.skip("openssl is needed to name it")
        return subprocess.check_output([openssl, "x509", "-noout", "-hash", "-in", self.ca_file], text=True).strip()

    def context(self, *names: str, **validity: datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ["127.0.0.1"]), **validity).configure_cert(context)
        return context


def leave(_peer: Peer) -> None:
    """Close at once."""


def read_and_leave(peer: Peer) -> None:
    peer.request()


def saying(words: bytes) -> Callable[[Peer], None]:
    def work(peer: Peer) -> None:
        peer.request()
        peer.send(words)

    return work


class Place:
    """Puts a server, a proxy or nothing where the client will go. Each of its methods returns a client's overrides."""

    def __init__(self, stack: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
        self.stack = stack
        self.monkeypatch = monkeypatch
        self.authority = authority
        self.server: Server | None = None

    def http(self, work: Callable[[Peer], object]) -> dict[str, Any]:
        self.server = self.stack.enter_context(Server(work))
        return {"endpoint": self.server.url}

    def https(self, work: Callable[[Peer], object], *names: str, **validity: Any) -> dict[str, Any]:
        self.server = self.stack.enter_context(Server(work, self.authority.context(*names, **validity)))
        return {"endpoint": self.server.url, "verify": self.authority.ca_file}

    def plain_behind_https(self, work: Callable[[Peer], object]) -> dict[str, Any]:
        return {"endpoint": f"https{self.http(work)['endpoint'][4:]}", "verify": self.authority.ca_file}

    def behind(self, variable: str, work: Callable[[Peer], object]) -> dict[str, Any]:
        """Behind a proxy, in front of a host that does not exist."""
        self.server = self.stack.enter_context(Server(work))
        self.monkeypatch.setenv(variable, self.server.url)
        return {"endpoint": f"{variable.split('_')[0].lower()}://eci.invalid", "verify": self.authority.ca_file}

    def no_proxy_at(self, variable: str) -> dict[str, Any]:
        """Behind a proxy where nobody listens."""
        overrides = self.behind(variable, leave)
        self.monkeypatch.setenv(variable, f"http://127.0.0.1:{self.nobody()}")
        return overrides

    def nobody(self) -> int:
        """A port where nobody listens, which nobody else gets."""
        taken = self.stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

    def full(self) -> int:
        """A port where nothing answers, since its queue is full."""
        listener = self.stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(5):
            waiting = self.stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        return int(listener.getsockname()[1])
