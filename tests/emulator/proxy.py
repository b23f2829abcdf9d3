# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between a client and the emulator, which misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from .background import Background
from .messages import Broken, Head, Stream, body, page, read_head
from .tunnel import Tunnel

_HOST = "127.0.0.1"
# No loop here runs longer; a server may send several 1xx heads before its reply.
_MOST_HEADS = 1_000_000
_LAST = "Connection: close\r\n"
_LOGIN = 'Proxy-Authenticate: Basic realm="proxy"\r\n'

Kind = Literal["drop_reply", "refuse", "hang_up", "page"]


@dataclass
class _Order:
    kind: Kind
    times: int
    match: str = ""
    status: int = 0


class Proxy:
    """Use it in a ``with`` statement, or call ``start`` and ``stop``.

    Each of the methods that make it misbehave is good for the next ``times`` requests. The first that fits one counts.

    ``stand_ins`` has a port of this machine for each host and port that is not on it, as in
    ``{"registry.example.com:443": 8443}``. Tunnels to any other host are refused.
    """

    def __init__(self, stand_ins: Mapping[str, int] | None = None) -> None:
        self._stand_ins = dict(stand_ins or {})
        self._background = Background("proxy", self._begin, self._end)
        self._orders: list[_Order] = []
        self._seen: list[tuple[str, str]] = []
        self._clients: set[asyncio.Task[None]] = set()
        self._port = 0

    def start(self) -> Proxy:
        self._background.start()
        return self

    def stop(self) -> None:
        self._background.stop()

    def __enter__(self) -> Proxy:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    @property
    def seen(self) -> list[tuple[str, str]]:
        """Method and target of each request. What passes through a tunnel is not seen."""
        return list(self._seen)

    def reset(self) -> None:
        self._orders.clear()
        self._seen.clear()

    def drop_reply(self, times: int = 1, match: str = "") -> None:
        """Pass a request on, wait until the server has answered, and close without a byte of that.

        In a tunnel, this is about the next request in it, which may be one that was there before. ``match`` must be
        in the target, which is host and port for a tunnel.
        """
        self._orders.append(_Order("drop_reply", times, match=match))

    def refuse(self, status: int = 403, times: int = 1) -> None:
        self._orders.append(_Order("refuse", times, status=status))

    def hang_up(self, times: int = 1) -> None:
        """Close once the head of a request is there. The server hears nothing."""
        self._orders.append(_Order("hang_up", times))

    def answer_page(self, status: int = 200, times: int = 1) -> None:
        """Answer a request with an HTML page instead of asking the server. Tunnels are left alone."""
        self._orders.append(_Order("page", times, status=status))

    def _take(self, target: str, *kinds: Kind) -> _Order | None:
        """Return the order that the request for this target meets. Called in the proxy's thread only."""
        for order in self._orders:
            if order.kind in kinds and order.match in target:
                order.times -= 1
                if not order.times:
                    self._orders.remove(order)
                return order
        return None

    async def _begin(self) -> None:
        self._listener = await asyncio.start_server(self._accept, _HOST, self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._listener.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Stream(reader, writer)))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, client: Stream) -> None:
        relay = _Relay(client)
        try:
            for _number in range(_MOST_HEADS):
                request = await read_head(client.reader)
                if request is None or not await self._answer(client, relay, request):
                    return
        except (OSError, Broken):
            # One of the two has left, which the other will see.
            pass
        finally:
            relay.close()
            client.writer.close()

    async def _answer(self, client: Stream, relay: _Relay, request: Head) -> bool:
        """Say whether the client's connection may be used again."""
        method, target = request.first[:2]
        self._seen.append((method, target))
        if method == "CONNECT":
            await self._connect(client, target)
            return False
        order = self._take(target, "drop_reply", "refuse", "hang_up", "page")
        if order and order.kind == "hang_up":
            return False
        if order and order.kind in ("refuse", "page"):
            async for _piece in body(client.reader, request):
                pass
            client.writer.write(_own_words(order))
            return True
        try:
            port, path = _parts(target)
        except ValueError:
            client.writer.write(page(502, _LAST))
            return False
        return await relay.exchange(request, port, path, drop=order is not None)

    async def _connect(self, client: Stream, target: str) -> None:
        order = self._take(target, "refuse", "hang_up")
        if order:
            if order.kind == "refuse":
                client.writer.write(_own_words(order))
            return
        try:
            server = await Stream.to(self._stand_ins.get(target) or _parts(f"http://{target}")[0])
        except (OSError, ValueError):
            client.writer.write(page(502, _LAST))
            return
        client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await Tunnel(client, server, lambda: self._take(target, "drop_reply") is not None).run()


class _Relay:
    """The requests of one client's connection. The connection to the server is kept, too."""

    def __init__(self, client: Stream) -> None:
        self._client = client
        self._server: Stream | None = None
        self._port = 0

    def close(self) -> None:
        if self._server is not None:
            self._server.writer.close()
            self._server = None

    async def exchange(self, request: Head, port: int, path: str, drop: bool) -> bool:
        """Say whether the connections can be used again. With ``drop``, nothing of the reply reaches the client."""
        try:
            server = await self._connected(port)
            await self._send(server, request, path)
            reply = await self._final(server, drop)
        except (OSError, Broken):
            if not drop:
                self._client.writer.write(page(502, "Connection: close\r\n"))
            return False
        if drop:
            return False
        async for piece in body(server.reader, reply):
            await _write(self._client, piece)
        return "close" not in (request.get("connection"), reply.get("connection"))

    async def _connected(self, port: int) -> Stream:
        server = self._server
        if server is not None and (port != self._port or server.reader.at_eof()):
            self.close()
        if self._server is None:
            self._server, self._port = await Stream.to(port), port
        return self._server

    async def _send(self, server: Stream, request: Head, path: str) -> None:
        fields = [f"{name}: {value}" for name, value in request.fields if not name.lower().startswith("proxy-")]
        lines = [f"{request.first[0]} {path} {request.first[2]}", *fields, "", ""]
        await _write(server, "\r\n".join(lines).encode("latin-1"))
        async for piece in body(self._client.reader, request):
            await _write(server, piece)

    async def _final(self, server: Stream, drop: bool) -> Head:
        for _number in range(_MOST_HEADS):
            head = await read_head(server.reader)
            if head is None:
                raise Broken("the server has left")
            if not drop:
                await _write(self._client, head.raw)
            if not head.first[1].startswith("1"):
                return head
        raise Broken("no answer among many replies")


async def _write(stream: Stream, data: bytes) -> None:
    stream.writer.write(data)
    await stream.writer.drain()


def _own_words(order: _Order) -> bytes:
    return page(order.status, _LOGIN if order.status == 407 else "")


def _parts(target: str) -> tuple[int, str]:
    """Port and path of a URL, which must be one of this machine."""
    parts = urlsplit(target)
    if parts.scheme != "http" or parts.hostname != _HOST:
        raise ValueError("not for this machine")
    return parts.port or 80, urlunsplit(("", "", parts.path or "/", parts.query, ""))
