# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way to the service: sends signed requests, again where that is safe, and reads what comes back.

Private to the collection.
"""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any, Callable, Mapping, NamedTuple
from urllib.parse import quote

from ._connection import Connection
from ._errors import EciError, InvalidArguments, OpenOutcome, Throttled, Unreachable, UntrustedEndpoint
from ._reply import HttpReply, ReturnObj, return_obj
from ._signing import EopAuth

try:
    import requests
    from requests import exceptions
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        LocationValueError,
        NewConnectionError,
        ReadTimeoutError,
    )
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

USER_AGENT = "ansible-ctyun.eci"
MAX_REPLY_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
FIRST_DELAY = 0.5
# What an error of the TLS layer says when no request can have been sent.
_TLS_REFUSED = ("CERTIFICATE", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "ALERT", "PEM", "hostname")


class Operation(NamedTuple):
    """One operation of the API. Only a repeatable one is sent again after a failure."""

    name: str
    method: str
    path: str
    repeatable: bool = True


class Pace:
    """A pause for all threads of a client, after the service told one of them that they are too fast."""

    def __init__(self, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._resume = monotonic()

    def slow_down(self, seconds: float) -> None:
        """Let nobody go on before these seconds are over."""
        self._resume = max(self._resume, self._monotonic() + seconds)

    def keep(self) -> None:
        """Wait as long as a pause lasts."""
        left = self._resume - self._monotonic()
        if left > 0:
            self._sleep(left)


class Client:
    """Sends operations and reads their replies. Safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        pool_size: int = 1,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.connection = connection
        self.sleep = sleep
        self._pace = Pace(sleep, monotonic)
        self._clock = clock
        self._uniform = uniform
        self._auth = EopAuth(connection.access_key, connection.secret_key, clock)
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "regionId": connection.region_id,
        }
        self._blanks: dict[tuple[str, str], requests.PreparedRequest] = {}
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        # Proxies and CA bundles of the environment count; ~/.netrc does not, since every request has its own auth.
        with requests.Session() as session:
            settings = session.merge_environment_settings(connection.endpoint, {}, True, connection.verify, None)
        self._settings: dict[str, Any] = dict(settings)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the user wants between two attempts."""
        if seconds:
            self.sleep(min(seconds, self.connection.retry_max_delay))

    def call(
        self, operation: Operation, body: Mapping[str, Any] | None = None, identifier: str = "", earlier: int = 0
    ) -> ReturnObj:
        """Carry out an operation and return the reply's ``returnObj``, an empty one if it has none.

        ``identifier`` is the object's ID where the path ends in one. A repeatable operation is tried up to
        ``retries`` times more where that may help; ``earlier`` tells how often the caller has tried by itself.
        Raises an EciError.
        """
        attempt = earlier
        opened = False
        while True:
            try:
                return self._attempt(operation, body, identifier)
            except EciError as error:
                error.after_open = opened
                opened = opened or isinstance(error, OpenOutcome)
                delay = self.delay(attempt, error.retry_after)
                if isinstance(error, Throttled):
                    self._pace.slow_down(delay)
                if not (operation.repeatable and error.retryable and attempt < self.connection.retries):
                    raise
                if not isinstance(error, Throttled):
                    self.sleep(delay)
                attempt += 1

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds before attempt ``attempt + 2``: full jitter under a doubling bound, or what the service asked for.

        Never more than ``retry_max_delay``.
        """
        longest = self.connection.retry_max_delay
        jitter = self._uniform(0, min(longest, FIRST_DELAY * 2.0 ** min(attempt, 30)))
        return min(longest, max(jitter, retry_after or 0))

    def _attempt(self, operation: Operation, body: Mapping[str, Any] | None, identifier: str) -> ReturnObj:
        known: dict[str, Any] = {"operation": operation.name}
        timeout = self.connection.timeout
        self._pace.keep()
        deadline = time.monotonic() + timeout
        try:
            request = self._prepared(operation, body, identifier)
            known["request_id"] = request.headers["ctyun-eop-request-id"]
            # not the session's own send: that reads on after a redirect, without an end, to know where it would lead
            response = self._adapter.send(request, timeout=timeout, **self._settings)
            try:
                content = _read(response, deadline)
            finally:
                response.close()
        except (OSError, HTTPError, ValueError, OverflowError) as error:
            raise self._network_error(error, known) from None
        reply = HttpReply(operation.name, known["request_id"], response.status_code, response.headers, content)
        return return_obj(reply, self._clock())

    def _prepared(
        self, operation: Operation, body: Mapping[str, Any] | None, identifier: str
    ) -> requests.PreparedRequest:
        blank = self._blanks.get((operation.name, identifier))
        if blank is None:
            url = self.connection.endpoint + operation.path + quote(identifier, safe="")
            blank = requests.Request(operation.method, url, headers=self._headers).prepare()
            if not identifier:  # what all calls of an operation have in common takes longest
                self._blanks[operation.name, identifier] = blank
        request = blank.copy()
        if body is not None:
            request.prepare_body(json.dumps(body).encode(), None)
        request.prepare_auth(self._auth)
        return request

    def _network_error(self, error: Exception, known: Mapping[str, Any]) -> EciError:
        host = self.connection.endpoint
        root = _root(error)
        limit = f"within {self.connection.timeout:g} s (option timeout)"
        if isinstance(error, exceptions.ProxyError):
            return Unreachable(
                f"The proxy does not connect to {host}: {_text(root)}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
                **known,
            )
        if isinstance(error, exceptions.SSLError) and any(word in str(error) for word in _TLS_REFUSED):
            return UntrustedEndpoint(
                f"No trusted TLS connection to {host}: {_text(root)}. If an authority of your own signed the"
                " certificate, give its file in ca_path; if the service speaks plain HTTP there, write http://.",
                **known,
            )
        if isinstance(root, NewConnectionError):  # first, since urllib3 1 counts it among the time-outs
            return Unreachable(f"No connection to {host}: {_text(root)}. Check endpoint and the network.", **known)
        if isinstance(error, exceptions.ConnectTimeout) or isinstance(root, ConnectTimeoutError):
            return Unreachable(f"No connection to {host} {limit}.", **known)
        if isinstance(error, exceptions.Timeout) or isinstance(root, ReadTimeoutError):
            return OpenOutcome(f"No complete reply from {host} {limit}.", **known)
        if isinstance(error, (exceptions.ConnectionError, HTTPError)) and not isinstance(root, LocationValueError):
            return OpenOutcome(f"The connection to {host} broke off: {_text(root)}.", **known)
        return InvalidArguments(f"No request to {host} can be made: {_text(root)}.", **known)


def _read(response: requests.Response, deadline: float) -> bytes | None:
    """The body, or None if it is larger than any true reply: bounded in memory and, piece by piece, in time."""
    # read1 returns what has come in; read (urllib3 1) would wait for a whole chunk
    read = getattr(response.raw, "read1", response.raw.read)
    content = bytearray()
    while True:
        piece = read(CHUNK_BYTES, decode_content=True)
        content += piece
        if not piece:
            return bytes(content)
        if len(content) > MAX_REPLY_BYTES:
            return None
        if time.monotonic() > deadline:
            raise exceptions.ReadTimeout()


def _root(error: BaseException) -> BaseException:
    """The first cause, from under the wrappers that requests and urllib3 put around it."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((argument for argument in reversed(error.args) if isinstance(argument, BaseException)), None)
    return error if inner is None else _root(inner)


def _text(error: BaseException) -> str:
    """An error's text without the connection object that urllib3 puts in front of it."""
    front = r"^(<[^>]*>|\w+\([^)]*\)): (Failed to establish a new connection: )?"
    return re.sub(front, "", str(error)).rstrip(".") or type(error).__name__
