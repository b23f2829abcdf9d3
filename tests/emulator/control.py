# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control interface, for users outside the emulator's process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .faults import Fault

if TYPE_CHECKING:
    from .server import Server

PREFIX = "/_emulator/"


async def handle(server: Server, request: web.BaseRequest) -> web.Response:
    raw = await request.read()
    try:
        value = _act(server, f"{request.method} {request.path.removeprefix(PREFIX)}", json.loads(raw) if raw else {})
    except LookupError:
        return web.json_response({"error": "no such control operation"}, status=404)
    except (AttributeError, TypeError, ValueError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
    return web.json_response(value)


def _act(server: Server, operation: str, body: Any) -> Any:
    match operation:
        case "GET requests":
            return [record.as_json() for record in server.records.all()]
        case "GET caches":
            return server.service.caches()
        case "GET usage":
            return server.usage()
        case "POST reset":
            server.reset()
            server.settings.update(body)
            return server.settings.as_dict()
        case "POST settings":
            server.settings.update(body)
            return server.settings.as_dict()
        case "POST faults":
            server.faults.add(*(Fault(**fault) for fault in (body if isinstance(body, list) else [body])))
            return {"pending": len(server.faults)}
        case "POST advance":
            server.service.advance(float(body.get("seconds", "")))
            return {"now": server.service.clock.now()}
        case "POST caches":
            if isinstance(body, list):
                return {"imageCacheIds": [server.service.seed(**one) for one in body]}
            return {"imageCacheId": server.service.seed(**body)}
    raise LookupError(operation)
