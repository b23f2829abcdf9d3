# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send one signed request of the API. Private to the collection."""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, NamedTuple
from urllib.parse import quote

from .._errors import POSSIBLE, EciError, InvalidArguments
from .._text import Redact
from .auth import signed_headers
from .config import Connection
from .http import Http
from .responses import HttpReply

MAX_REPLY_BYTES = 32 * 1024 * 1024
ADVICE = "Check endpoint and the network."

Body = Mapping[str, Any]


class Operation(NamedTuple):
    """One operation of the API. A path that ends in a slash or a sign of equality is completed by an identifier."""

    name: str
    method: str
    path: str
    changes: bool = False
    repeatable: bool = True

    def target(self, identifier: str) -> str:
        """Return the path with an identifier as its last part. Raises ValueError for one that would lead elsewhere."""
        if self.path.endswith("/") and identifier in ("", ".", ".."):
            raise ValueError(f"{identifier!r} is no ID")
        return self.path + quote(identifier, safe="")


class Transport:
    """Sends requests to one endpoint over kept connections. Safe to use from several threads."""

    def __init__(self, connection: Connection, pool_size: int) -> None:
        self.connection = connection
        json_type = "application/json"
        self._headers = {"Accept": json_type, "Content-Type": json_type, "regionId": connection.region_id}
        self._http = Http(connection.verify, connection.timeout, pool_size, MAX_REPLY_BYTES, ADVICE)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, operation: Operation, body: Body | None, identifier: str, time: Callable[[], float], redact: Redact
    ) -> HttpReply:
        """Send one request, signed for the ``time`` it is, and return the reply, whatever it is. Raises EciError."""
        connection, name = self.connection, operation.name
        try:
            target = operation.target(identifier)
        except ValueError as error:
            raise InvalidArguments(f"Cannot build a request for {name}: {error}.", operation=name) from None
        content = None if body is None else json.dumps(body).encode()
        query = target.partition("?")[2]
        signed = signed_headers(connection.access_key, connection.secret_key, time(), query, content or b"")
        request_id = signed["ctyun-eop-request-id"]
        headers = {**self._headers, **signed}
        try:
            response = self._http.send(operation.method, connection.endpoint, target, headers, content, redact)
        except EciError as error:
            error.operation = name
            error.request_id = request_id if error.effect == POSSIBLE else None  # else it was not sent
            raise
        return HttpReply(name, request_id, response.status, response.headers, response.content)
