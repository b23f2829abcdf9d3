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

from .errors import envelope, reason_for
from .faults import Fault
from .replies import JSON, Reply, headers, response

Act = Callable[[Fault, web.BaseRequest, Reply, float], Awaitable[web.StreamResponse]]

_HTML = "text/html; charset=utf-8"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_MEGABYTE = 1024 * 1024
_OLD_TIME = 1700000000


async def act(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
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
    return abort(request)


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


async def _truncate(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    body = reply.encoded()
    head = headers(now) | {"Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {reply.status} Cut", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    if request.transport is not None:
        request.transport.write("\r\n".join(lines).encode() + body[: len(body) // 2])
    return _closed(request)


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


async def _no_id(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    reply.payload.get("returnObj", {}).pop("imageCacheId", None)
    return response(reply, now)


async def _repeat_token(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    return response(_with_token(reply, f"{_OLD_TIME}.1.0"), now)


async def _endless_pages(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    endless = asyncio.get_running_loop().time()
    return response(_with_token(reply, f"{_OLD_TIME + int(endless * 1e6)}.1.0"), now)


async def _charset(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    text = reply.encoded().decode()
    return web.Response(status=reply.status, body=text.encode("utf-16"), headers=headers(now, JSON))


def _closed(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _page(title: str) -> bytes:
    return _PAGE.format(title).encode()


def _with_token(reply: Reply, token: str) -> Reply:
    if "returnObj" in reply.payload:
        reply.payload["returnObj"]["nextToken"] = token
    return reply


_ACTS: dict[str, Act] = {
    "reset": _reset,
    "hang": _hang,
    "status": _status,
    "truncate": _truncate,
    "html": _html,
    "body": _body,
    "json": _json,
    "huge": _huge,
    "trickle": _trickle,
    "redirect": _redirect,
    "no_id": _no_id,
    "repeat_token": _repeat_token,
    "endless_pages": _endless_pages,
    "charset": _charset,
}
