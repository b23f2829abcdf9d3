# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CONNECT proxy does: it passes bytes on, and sees no more than the frames of TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from .messages import Stream

_MOST_READS = 1_000_000
_PIECE = 64 * 1024
_HEADER = 5
_APPLICATION_DATA = 23
# TLS 1.3 sends alerts and new keys as application data, too, but no request is as short.
_SHORTEST_REQUEST = 48
# How long the server must be silent before what it says next is taken for something new, and how long to wait for
# the tickets with which it ends the handshake, and which look like a reply.
_SILENCE = 0.05
_TICKETS = 1.0


class Frames:
    """Cuts a stream into TLS records."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._rest += data
        while len(self._rest) >= _HEADER:
            size = _HEADER + int.from_bytes(self._rest[3:5], "big")
            if len(self._rest) < size:
                return
            record, self._rest = self._rest[:size], self._rest[size:]
            yield record[0], record


class Tunnel:
    """``dropping`` is asked, when the client sends a request, whether the reply must not arrive."""

    def __init__(self, client: Stream, server: Stream, dropping: Callable[[], bool]) -> None:
        self._client = client
        self._server = server
        self._dropping = dropping
        self._heard = asyncio.Event()
        self._swallowing = False

    async def run(self) -> None:
        """Until one side leaves, or a reply has been dropped. The client's connection is not closed here."""
        pumps = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._server.writer.close()

    async def _up(self) -> None:
        frames, encrypted = Frames(), 0
        for _number in range(_MOST_READS):
            data = await self._client.reader.read(_PIECE)
            if not data:
                return
            for kind, record in frames.feed(data):
                encrypted += kind == _APPLICATION_DATA
                # TLS 1.3 encrypts the client's last word of the handshake, so the first of these is no request.
                request = encrypted > 1 and len(record) >= _SHORTEST_REQUEST
                if encrypted == 1:
                    self._heard.clear()
                if request and not self._swallowing and self._dropping():
                    if encrypted == 2:
                        await self._end_of_handshake()
                    self._swallowing = True
                self._server.writer.write(record)
            await self._server.writer.drain()

    async def _down(self) -> None:
        for _number in range(_MOST_READS):
            data = await self._server.reader.read(_PIECE)
            if not data:
                return
            self._heard.set()
            if self._swallowing:
                # The client has sent all of a request by now, but the server may be in the midst of its answer.
                await self._end_of_reply()
                return
            self._client.writer.write(data)
            await self._client.writer.drain()

    async def _end_of_handshake(self) -> None:
        patience = _TICKETS
        for _number in range(_MOST_READS):
            try:
                async with asyncio.timeout(patience):
                    await self._heard.wait()
            except TimeoutError:
                return
            self._heard.clear()
            patience = _SILENCE

    async def _end_of_reply(self) -> None:
        for _number in range(_MOST_READS):
            try:
                async with asyncio.timeout(_SILENCE):
                    if not await self._server.reader.read(_PIECE):
                        return
            except TimeoutError:
                return
