# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting out the faults: other replies, changed ones, and what happens to the connection."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Mapping
from http.client import responses
from typing import Any

from aiohttp import web

from . import gateway
from .errors import envelope, reason_for
from .faults import Fault
from .replies import Reply, headers, response

HTML = "text/html; charset=utf-8"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_NO_RECORD = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_MEGABYTE = 1024 * 1024
_CHUNK = 16
_OLD_TIME = 1700000000


async def act(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    if "returnObj" in reply.payload:
        _change(fault, reply.payload["returnObj"])
    try:
        return _other(fault, reply, now) or await _act(fault, request, reply, now)
    except ConnectionError:
        # The client had enough before the end.
        return close(request)


def abort(request: web.BaseRequest) -> web.Response:
    """Close the connection with an RST. The returned response goes nowhere."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def close(request: web.BaseRequest) -> web.Response:
    """Close the connection. The returned response goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def page(title: str) -> bytes:
    return _PAGE.format(title).encode()


def head(status: int, fields: Mapping[str, str]) -> bytes:
    """Return the status line and the headers as they go over the wire."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Odd')}", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode()


def write(request: web.BaseRequest, data: bytes) -> None:
    """Send bytes past aiohttp. Raises ConnectionResetError."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has left")
    transport.write(data)


async def drip(request: web.BaseRequest, data: bytes, interval: float) -> None:
    """Send bytes one by one. Raises ConnectionResetError."""
    for value in data:
        write(request, bytes((value,)))
        await asyncio.sleep(interval)


class Written(web.Response):
    """What aiohttp gets to send when all has been sent already."""

    def __init__(self, request: web.BaseRequest) -> None:
        super().__init__()
        self._keep_alive = request.keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def _change(fault: Fault, value: dict[str, Any]) -> None:
    """Change what a good reply says."""
    match fault.kind:
        case "no_id":
            value.pop("imageCacheId", None)
        case "repeat_token":
            value["nextToken"] = f"{_OLD_TIME}.1.0"
        case "endless_pages":
            value["nextToken"] = f"{_OLD_TIME + int(time.monotonic() * 1e6)}.1.0"
        case "nameless" | "idless":
            for cache in value.get("imageCaches", [])[fault.details["index"] :][:1]:
                del cache["imageCacheName" if fault.kind == "nameless" else "imageCacheId"]
        case "numeric_request_id":
            value["requestId"] = 20260102030405


def _other(fault: Fault, reply: Reply, now: float) -> web.Response | None:
    """Return what is sent instead of the reply, where that is a whole reply."""
    details = fault.details
    match fault.kind:
        case "no_id" | "repeat_token" | "endless_pages" | "nameless" | "idless" | "numeric_request_id":
            return response(reply, now)
        case "status":
            status = details["status"]
            extra = {} if details["retry_after"] is None else {"Retry-After": str(details["retry_after"])}
            if details["html"]:
                return web.Response(status=status, body=page(f"{status}"), headers={**headers(now, HTML), **extra})
            reason = details["reason"] or reason_for(status)
            payload = envelope(status, reason, details["message"] or f"injected: {reason}")
            return response(Reply(status, payload, headers=extra), now)
        case "gateway":
            return response(gateway.injected(fault), now)
        case "html":
            return web.Response(body=page("Welcome"), headers=headers(now, HTML))
        case "redirect":
            return web.Response(status=302, headers={**headers(now, HTML), "Location": "/elsewhere"})
        case "body":
            return web.Response(body=details["body"], headers=headers(now))
        case "json":
            return web.Response(body=json.dumps(details["value"]).encode(), headers=headers(now))
        case "charset":
            body = reply.encoded().decode().encode("utf-16")
            return web.Response(status=reply.status, body=body, headers=headers(now))
        case "bom":
            return web.Response(status=reply.status, body=b"\xef\xbb\xbf" + reply.encoded(), headers=headers(now))
    return None


async def _act(fault: Fault, request: web.BaseRequest, reply: Reply, now: float) -> web.StreamResponse:
    """Break the connection, or send the reply in an unusual way."""
    details, body = fault.details, reply.encoded()
    interval = details.get("interval", 0.0)
    fields = {**headers(now), **reply.headers}
    start = head(reply.status, {**fields, "Content-Length": str(len(body))})
    match fault.kind:
        case "late" if details["hang"] > 0:
            await asyncio.sleep(details["hang"])
        case "late":
            return abort(request)
        case "reset" if not details["clean"]:
            return abort(request)
        case "hang":
            await asyncio.sleep(details["seconds"])
        case "truncate":
            write(request, start + body[: len(body) // 2])
        case "not_tls" if request.transport is not None:
            # A second handle of the connection, since asyncio's own knows how to write records only.
            with request.transport.get_extra_info("socket").dup() as connection:
                connection.send(_NO_RECORD)
            request.transport.abort()
        case "huge":
            stream = web.StreamResponse(headers=headers(now))
            await stream.prepare(request)
            await stream.write(b'{"statusCode": 200, "returnObj": {"requestId": "')
            for _number in range(details["megabytes"]):
                await stream.write(b"0" * _MEGABYTE)
            await stream.write(b'"}}')
            return stream
        case "trickle":
            write(request, start)
            await drip(request, body, interval)
            return Written(request)
        case "drip_headers":
            await drip(request, start, interval)
            write(request, body)
            return Written(request)
        case "drip_chunks":
            write(request, head(reply.status, {**fields, "Transfer-Encoding": "chunked"}))
            for first in range(0, len(body), _CHUNK):
                data = body[first : first + _CHUNK]
                await drip(request, b"%x;part=%d\r\n" % (len(data), first // _CHUNK), interval)
                write(request, data + b"\r\n")
            await drip(request, b"0;last\r\n", interval)
            write(request, b"\r\n")
            return Written(request)
        case "informational":
            for status in details["statuses"] * details["count"]:
                write(request, head(status, {"X-Progress": str(status)}))
                await asyncio.sleep(interval)
            return response(reply, now)
    return close(request)
