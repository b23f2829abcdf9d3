# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface, for whoever is not in the emulator's process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .faults import Fault

if TYPE_CHECKING:
    from .server import Server

PREFIX = "/_emulator/"


async def handle(server: Server, request: web.BaseRequest) -> web.Response:
    action = _ACTIONS.get((request.method, request.path.removeprefix(PREFIX)))
    if action is None:
        return _json(404, {"error": "no such control operation"})
    try:
        raw = await request.read()
        return _json(200, action(server, json.loads(raw) if raw else None))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _requests(server: Server, _body: Any) -> Any:
    return [record.as_json() for record in server.records.all()]


def _caches(server: Server, _body: Any) -> Any:
    return server.service.caches()


def _usage(server: Server, _body: Any) -> Any:
    return server.usage()


def _reset(server: Server, body: Any) -> Any:
    server.reset()
    return _settings(server, body or {})


def _settings(server: Server, body: Any) -> Any:
    server.settings.update(body)
    return server.settings.as_dict()


def _faults(server: Server, body: Any) -> Any:
    faults = [Fault(**item) for item in (body if isinstance(body, list) else [body])]
    server.faults.add(*faults)
    return {"pending": len(server.faults)}


def _advance(server: Server, body: Any) -> Any:
    server.service.advance(body["seconds"])
    return {"now": server.service.clock.now()}


def _seed(server: Server, body: Any) -> Any:
    return {"imageCacheId": server.service.seed(**body)}


def _json(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type="application/json")


_ACTIONS: dict[tuple[str, str], Callable[[Server, Any], Any]] = {
    ("GET", "requests"): _requests,
    ("GET", "caches"): _caches,
    ("GET", "usage"): _usage,
    ("POST", "reset"): _reset,
    ("POST", "settings"): _settings,
    ("POST", "faults"): _faults,
    ("POST", "advance"): _advance,
    ("POST", "caches"): _seed,
}
