# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real replies that reach the client in a slow or odd way."""

from __future__ import annotations

import asyncio
from http.client import responses

from aiohttp import web

from .faults import Fault
from .replies import Reply, headers, response

_BOM = b"\xef\xbb\xbf"
_CHUNK = 16


class _Written(web.Response):
    """What aiohttp gets to send when all has been sent already."""

    def __init__(self, request: web.BaseRequest) -> None:
        super().__init__()
        self._keep_alive = request.keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


async def drip_headers(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    body = reply.encoded()
    await _drip(request, _head(reply, now, {"Content-Length": str(len(body))}), fault.details["interval"])
    _write(request, body)
    return _Written(request)


async def drip_chunks(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    body = reply.encoded()
    _write(request, _head(reply, now, {"Transfer-Encoding": "chunked"}))
    for start in range(0, len(body), _CHUNK):
        data = body[start : start + _CHUNK]
        await _drip(request, b"%x;part=%d\r\n" % (len(data), start // _CHUNK), fault.details["interval"])
        _write(request, data + b"\r\n")
    await _drip(request, b"0;last\r\n", fault.details["interval"])
    _write(request, b"\r\n")
    return _Written(request)


async def informational(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    for _number in range(fault.details["count"]):
        for status in fault.details["statuses"]:
            _write(
                request, f"HTTP/1.1 {status} {responses.get(status, 'Odd')}\r\nX-Progress: {status}\r\n\r\n".encode()
            )
            await request.writer.drain()
            await asyncio.sleep(fault.details["interval"])
    return response(reply, now)


async def bom(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return web.Response(status=reply.status, body=_BOM + reply.encoded(), headers=headers(now))


def _head(reply: Reply, now: float, extra: dict[str, str]) -> bytes:
    fields = {**headers(now), **reply.headers, **extra}
    lines = [
        f"HTTP/1.1 {reply.status} {responses[reply.status]}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _drip(request: web.BaseRequest, text: bytes, interval: float) -> None:
    for value in text:
        _write(request, bytes((value,)))
        await asyncio.sleep(interval)


def _write(request: web.BaseRequest, text: bytes) -> None:
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has left")
    transport.write(text)
