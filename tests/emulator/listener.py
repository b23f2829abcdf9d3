# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server that records requests and misbehaves on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import damage

HOST = "127.0.0.1"
# Each kind of misbehaviour with its details.
KINDS: dict[str, dict[str, Any]] = {
    "status": {"status": 503},
    "page": {"status": 200},
    "challenge": {"value": "Basic realm=x"},
    "redirect": {"location": "/elsewhere", "status": 307},
    "headers": {"values": {}},
    "body": {"body": b"", "content_type": "application/octet-stream"},
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
    method: str = "GET"


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
    """Gives each request to ``note``, and answers as that says, or with what ``answer`` makes of it."""

    def __init__(
        self, host: str, note: Callable[[Seen], Misbehaviour | None], answer: Callable[[Seen], web.Response]
    ) -> None:
        self._host = host
        self._note = note
        self._answer = answer
        self.port = 0

    async def start(self, context: ssl.SSLContext | None) -> None:
        self._web = web.Server(self._handle, access_log=None)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._web, HOST, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for connection in self._web.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(self._host, request.raw_path, headers, request.method)
        how = self._note(seen)
        if how is None:
            return self._answer(seen)
        try:
            return await _act(how, request, self._answer(seen))
        except ConnectionError:
            return damage.close(request)


async def _act(how: Misbehaviour, request: web.BaseRequest, answer: web.Response) -> web.StreamResponse:
    details = how.details
    match how.kind:
        case "reset":
            return damage.abort(request)
        case "hang":
            await asyncio.sleep(details["seconds"])
            return damage.close(request)
        case "slow":
            await asyncio.sleep(details["seconds"])
        case "status":
            content = b'{"errors":[{"code":"UNKNOWN","message":"injected"}]}'
            answer = web.Response(status=details["status"], body=content)
        case "page":
            answer = web.Response(
                status=details["status"], body=damage.page("Gateway"), headers={"Content-Type": damage.HTML}
            )
        case "challenge":
            answer = web.Response(status=401, headers={"WWW-Authenticate": details["value"]})
        case "redirect":
            answer = web.Response(status=details["status"], headers={"Location": details["location"]})
        case "headers":
            answer.headers.update(details["values"])
        case "body":
            answer = web.Response(body=details["body"], headers={"Content-Type": details["content_type"]})
        case "huge":
            answer.body = _content(answer) + b" " * (details["megabytes"] * 1024 * 1024)
        case "truncate" | "drip_head" | "drip_body":
            body = _content(answer) if request.method != "HEAD" else b""
            head = damage.head(
                answer.status, {**answer.headers, "Content-Length": str(len(body)), "Connection": "close"}
            )
            if how.kind == "truncate":
                damage.write(request, head + body[: len(body) // 2])
            elif how.kind == "drip_head":
                await damage.drip(request, head, details["interval"])
                damage.write(request, body)
            else:
                damage.write(request, head)
                await damage.drip(request, body, details["interval"])
            return damage.close(request)
    answer.force_close()
    return answer


def _content(answer: web.Response) -> bytes:
    assert isinstance(answer.body, bytes)
    return answer.body
