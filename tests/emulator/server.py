# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: dispatch, signature, faults, latency and records."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from . import control, damage, gateway, replies, routes
from .clock import Bucket
from .errors import ServiceError
from .faults import Fault, Faults
from .records import Record, Records
from .service import Call, Service
from .settings import Settings
from .signature import SignatureError, Verifier

_HOST = "127.0.0.1"
_NOT_JSON = object()
_OUTAGE = ServiceError("ServiceUnavailable", "injected: the operation did not take place")
# aiohttp takes 0 for "no limit"; a request that is still held up at the end is not worth waiting for.
_CLOSING = 0.02
_CLOSED = "Only the emulator can be reached from here"


class Server:
    def __init__(self, settings: Settings, service: Service, faults: Faults, records: Records) -> None:
        self.settings = settings
        self.service = service
        self.faults = faults
        self.records = records
        self.connections = 0
        self.before: Callable[[Record], object] | None = None
        self._bucket = Bucket(settings, service.clock)
        self._initial = settings.copy()
        self._verifier = Verifier()
        self._generation = 0
        self._cpu_start = self._wall_start = 0.0

    async def start(self, port: int, context: ssl.SSLContext | None = None) -> int:
        self._tls = context is not None
        self._web = web.Server(self._handle, access_log=None)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connection, _HOST, port, backlog=1024, ssl=context)
        self._restart_usage()
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._listener.close()
        self._web.pre_shutdown()
        await asyncio.sleep(0)
        if self._tls:
            # It would say goodbye and wait for the client's, for longer than this loop runs.
            for connection in self._web.connections:
                if connection.transport is not None:
                    connection.transport.abort()
        await self._web.shutdown(_CLOSING)

    def reset(self) -> None:
        """Back to the start. Requests still under way end without an answer and without an effect."""
        self._generation += 1
        self.settings.assign(self._initial)
        self.service.reset()
        self._bucket.reset()
        self.before = None
        self.faults.clear()
        self.records.clear()
        self._verifier.reset()
        self.connections = 0
        self._restart_usage()

    def usage(self) -> dict[str, float]:
        return {
            "cpu_seconds": time.thread_time() - self._cpu_start,
            "wall_seconds": time.monotonic() - self._wall_start,
            "requests": len(self.records),
            "connections": self.connections,
        }

    def _restart_usage(self) -> None:
        self._cpu_start, self._wall_start = time.thread_time(), time.monotonic()

    def _connection(self) -> asyncio.BaseProtocol:
        self.connections += 1
        return self._web()

    def _now(self) -> float:
        return time.time() + self.settings.clock_offset

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "CONNECT":
            return web.Response(status=403, reason=_CLOSED)
        if request.path.startswith(control.PREFIX):
            return await control.handle(self, request)
        generation = self._generation
        # the latency is that of the whole request, so what is done here must not add to it
        due = asyncio.get_running_loop().time() + self.settings.latency
        record = self._record(request, await request.read())
        fault, reply = self._answer(record)
        late = due - asyncio.get_running_loop().time()
        if late > 0:
            await asyncio.sleep(late)
        if generation != self._generation:
            return damage.abort(request)
        if fault is None:
            record.effect, record.status = reply.effect, reply.note or reply.status
            return replies.response(reply, self._now())
        return await damage.act(fault, request, reply, self._now())

    def _answer(self, record: Record) -> tuple[Fault | None, replies.Reply]:
        keys = self.settings.access_key, self.settings.secret_key
        try:
            self._verifier.verify(record.headers, record.query, record.raw, *keys, self._now())
        except SignatureError as error:
            return None, gateway.unsigned(error, self.settings)
        if self.before is not None:
            self.before(record)
        wait = self._bucket.take()
        if wait is not None:
            return None, replies.throttled(wait, self.settings, self._now())
        fault = self.faults.take(record.operation)
        if fault is None:
            return None, self._perform(record)
        record.status = f"fault:{fault.kind}"
        if fault.kind == "late":
            self._postpone(record, fault.details["seconds"])
        if not fault.after:
            return fault, replies.refused(_OUTAGE, self.settings)
        reply = self._perform(record)
        record.effect = reply.effect
        return fault, reply

    def _record(self, request: web.BaseRequest, raw: bytes) -> Record:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            operation: str | None = routes.find(request.method, request.path).operation
        except ServiceError:
            operation = None
        return self.records.add(
            operation=operation,
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers=headers,
            body=_parsed(raw, None),
            raw=raw,
            request_id=headers.get("ctyun-eop-request-id"),
        )

    def _perform(self, record: Record) -> replies.Reply:
        try:
            answer = self.service.perform(*_call(record))
        except ServiceError as error:
            return replies.refused(error, self.settings)
        return replies.good(answer, self.settings)

    def _postpone(self, record: Record, seconds: float) -> None:
        def note(effect: bool) -> None:
            record.effect = effect

        try:
            self.service.postpone(seconds, _call(record), note)
        except ServiceError:
            # What is refused at once is not done later, either.
            pass


def _call(record: Record) -> Call:
    route = routes.find(record.method, record.path)
    unread = route.operation in routes.WITH_BODY and record.body is None
    if unread and _parsed(record.raw, _NOT_JSON) is _NOT_JSON:
        raise ServiceError("BadRequest", "the request body is not JSON")
    identifier = route.identifier
    if route.operation == "region":
        identifier = dict(parse_qsl(record.query)).get("regionId", "")
    return Call(route.operation, record.headers.get("regionid"), identifier, record.body)


def _parsed(raw: bytes, otherwise: object) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return otherwise
