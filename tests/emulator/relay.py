# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a forward proxy does: one request to the server, one reply back."""

from __future__ import annotations

from .messages import Broken, Head, Stream, body, page, read_head

# A server may send replies that are no answers yet.
_MOST_HEADS = 10_000


class Relay:
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
