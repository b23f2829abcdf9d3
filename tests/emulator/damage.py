# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting out the faults on a connection."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import gateway, oddities
from .changes import CHANGES
from .errors import envelope, reason_for
from .faults import Fault
from .replies import JSON, Reply, headers, response

Act = Callable[[Fault, web.BaseRequest, Reply, float], Awaitable[web.StreamResponse]]

_HTML = "text/html; charset=utf-8"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_NO_RECORD = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_MEGABYTE = 1024 * 1024


async def act(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    change = CHANGES.get(fault.kind)
    if change is not None:
        if "returnObj" in reply.payload:
            change(fault, reply.payload["returnObj"])
        return response(reply, now)
    try:
        return await _ACTS[fault.kind](fault, request, reply, now)
    except ConnectionError:
        # The client had enough before the end.
        return _closed(request)


def abort(request: web.BaseRequest) -> web.Response:
    """Close the connection with an RST. The returned response goes nowhere."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _reset(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return _closed(request) if fault.details["clean"] else abort(request)


async def _late(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    if fault.details["hang"] <= 0:
        return abort(request)
    await asyncio.sleep(fault.details["hang"])
    return _closed(request)


async def _hang(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    await asyncio.sleep(fault.details["seconds"])
    return _closed(request)


async def _status(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    details = fault.details
    status = details["status"]
    extra = {} if details["retry_after"] is None else {"Retry-After": str(details["retry_after"])}
    if details["html"]:
        return web.Response(status=status, body=_page(f"{status}"), headers={**headers(now, _HTML), **extra})
    reason = details["reason"] or reason_for(status)
    payload = envelope(status, reason, details["message"] or f"injected: {reason}")
    return response(Reply(status, payload, headers=extra), now)


async def _gateway(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return response(gateway.injected(fault), now)


async def _truncate(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    body = reply.encoded()
    head = headers(now) | {"Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {reply.status} Cut", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    if request.transport is not None:
        request.transport.write("\r\n".join(lines).encode() + body[: len(body) // 2])
    return _closed(request)


async def _not_tls(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        # A second handle of the connection, since asyncio's own knows how to write records only.
        with transport.get_extra_info("socket").dup() as connection:
            connection.send(_NO_RECORD)
        transport.abort()
    return web.Response()


async def _html(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return web.Response(body=_page("Welcome"), headers=headers(now, _HTML))


async def _body(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return web.Response(body=fault.details["body"], headers=headers(now, fault.details["content_type"]))


async def _json(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return web.Response(body=json.dumps(fault.details["value"]).encode(), headers=headers(now))


async def _huge(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    stream = web.StreamResponse(headers=headers(now))
    await stream.prepare(request)
    await stream.write(b'{"statusCode": 200, "returnObj": {"requestId": "')
    for _number in range(fault.details["megabytes"]):
        await stream.write(b"0" * _MEGABYTE)
    await stream.write(b'"}}')
    return stream


async def _trickle(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    body = reply.encoded()
    stream = web.StreamResponse(status=reply.status, headers=headers(now))
    stream.content_length = len(body)
    await stream.prepare(request)
    for value in body:
        await stream.write(bytes((value,)))
        await asyncio.sleep(fault.details["interval"])
    return stream


async def _redirect(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return web.Response(
        status=302,
        body=_page("Moved"),
        headers={**headers(now, _HTML), "Location": fault.details["location"]},
    )


async def _charset(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    text = reply.encoded().decode()
    return web.Response(status=reply.status, body=text.encode("utf-16"), headers=headers(now, JSON))


def _closed(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _page(title: str) -> bytes:
    return _PAGE.format(title).encode()


_ACTS: dict[str, Act] = {
    "reset": _reset,
    "hang": _hang,
    "late": _late,
    "status": _status,
    "gateway": _gateway,
    "truncate": _truncate,
    "not_tls": _not_tls,
    "html": _html,
    "body": _body,
    "json": _json,
    "huge": _huge,
    "trickle": _trickle,
    "redirect": _redirect,
    "charset": _charset,
    "bom": oddities.bom,
    "drip_headers": oddities.drip_headers,
    "drip_chunks": oddities.drip_chunks,
    "informational": oddities.informational,
}
