# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send requests to registries: logins, tokens, redirects, retries. Private to the collection.

A password goes to the server that it is for, or to the token service that this server names, and nowhere else: a
redirect is followed without it, and over plain HTTP it is sent on this machine only.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any, ContextManager, Mapping, NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from .._api.client import FIRST_DELAY
from .._api.config import is_loopback
from .._api.failures import retry_after
from .._api.http import Http, Response
from .._errors import POSSIBLE, EciError, Unanswered, UntrustedEndpoint
from .._polling import SYSTEM_CLOCK, Clock
from .._text import Redact
from .manifest import Unreadable, json_object

PLATFORM = "linux/amd64"
REPLY_BYTES = 4 * 1024 * 1024
FOUND, NOT_FOUND, REFUSED, UNKNOWN = OUTCOMES = ("found", "not_found", "refused", "unknown")
# Seconds after the first request of a task within which a failed one is repeated.
RETRY_PERIOD = 60.0
# Requests in a row without a reply, after which a server is not asked again.
MOST_FAILURES = 2

_PASSING = (429, 500, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_PRINTABLE = re.compile("[!-~]{1,32768}")
_BEARER = re.compile(r"(?:^|,)\s*bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]*))')

_NETWORK = "If only machines in the VPC reach it, give the name that this one reaches in registry_addresses."
_ELSEWHERE = "Check the network and the proxy of this machine: the registry sends its clients there."
_CA_PATH = "In image_cache and image_caches that file must hold the authority of the endpoint as well."

Headers = Mapping[str, str]


class Settings(NamedTuple):
    """How registries are reached; ``addresses`` maps their names to those that work here. ``ca_path`` counts in addition
    to the built-in authorities. Times are in seconds.
    """

    addresses: Mapping[str, str] = {}
    verify: bool = True
    ca_path: str | None = None
    timeout: float = 30.0
    retries: int = 5
    retry_max_delay: float = 30.0
    platform: str = PLATFORM
    redact: Redact = str
    clock: Clock = SYSTEM_CLOCK


class LookupDone(Exception):
    """Ends a lookup with an outcome and a message."""


@dataclass
class Host:
    """What is known of a server: the origin that works, the challenge of /v2/ or that it has none, the last failures."""

    lock: ContextManager[Any] = field(default_factory=threading.Lock)
    origin: str = ""
    challenge: str = ""
    is_open: bool = False
    failures: int = 0
    error: EciError | None = None


class Network:
    """The connections that all lookups of a task share."""

    def __init__(self, settings: Settings, pool_size: int) -> None:
        self.settings = settings
        self._https = [
            Http(
                settings.verify, settings.timeout, pool_size, REPLY_BYTES, advice, direct=True, more_ca=settings.ca_path
            )
            for advice in (_ELSEWHERE, _NETWORK)
        ]
        self._hosts: dict[str, Host] = {}
        self._until = settings.clock.monotonic() + RETRY_PERIOD

    def close(self) -> None:
        """Close the connections."""
        for http in self._https:
            http.close()

    def host(self, origin: str) -> Host:
        """Return what is known of a server."""
        return self._hosts.setdefault(origin, Host())

    def send(
        self, method: str, origin: str, target: str, headers: Headers, is_registry: bool = True, repeat: bool = True
    ) -> Response:
        """Send one request, again after a passing failure. Raises EciError."""
        host, http = self.host(origin), self._https[is_registry]
        for attempt in itertools.count():
            if host.error and host.failures >= MOST_FAILURES:
                raise host.error
            try:
                reply = http.send(method, origin, target, headers, None, self.settings.redact)
            except EciError as error:
                if "ca_path" in error.message:
                    error.add(_CA_PATH)
                host.failures, host.error = host.failures + 1, error
                if not (repeat and error.retryable and self._wait(attempt, 0)):
                    raise
                continue
            host.failures = 0
            wanted = retry_after(reply.headers.get("Retry-After", ""), self.settings.clock.time())
            if reply.status not in _PASSING or not self._wait(attempt, wanted or 0):
                return reply
        raise AssertionError

    def _wait(self, attempt: int, wanted: float) -> bool:
        delay = min(self.settings.retry_max_delay, max(FIRST_DELAY * 2.0**attempt, wanted))
        if attempt >= self.settings.retries or self.settings.clock.monotonic() + delay > self._until:
            return False
        self.settings.clock.sleep(delay)
        return True

    def ping(self, address: str) -> Host:
        """Find out how a registry is reached and how it asks for a login, once for all its images."""
        host = self.host(address)
        with host.lock:
            if not host.origin:
                origin, reply = self._first_reply(address)
                host.is_open = reply.status == 200
                host.challenge = reply.headers.get("WWW-Authenticate", "") if reply.status == 401 else ""
                host.origin = origin
        return host

    def _first_reply(self, address: str) -> tuple[str, Response]:
        """Send the first request. A registry on this machine may speak plain HTTP; one with TLS refuses that."""
        failure: EciError | None = None
        if is_loopback(hostname(address)):
            try:
                reply = self.send("GET", f"http://{address}", "/v2/", {}, repeat=False)
                if reply.status != 400:
                    return f"http://{address}", reply
            except Unanswered as error:
                failure = error
        try:
            return f"https://{address}", self.send("GET", f"https://{address}", "/v2/", {})
        except UntrustedEndpoint as error:
            if error.effect != POSSIBLE:
                raise
            if failure:
                raise failure from None
            why = error.message.partition(": ")[2].partition(". ")[0]
            text = f"{address} does not answer with TLS, which is required unless it is on this machine: {why}."
            raise LookupDone(UNKNOWN, text) from None


class Session:
    """The requests about one repository of a registry, with one login or none. An authorization that works is kept.

    ``server`` is the registry's name in the messages about its login. The address may be ``inferred`` from another one.
    """

    def __init__(
        self, network: Network, address: str, repository: str, login: Headers, server: str, inferred: bool = False
    ) -> None:
        self._network, self.address, self._repository = network, address, repository
        self._login, self._server, self._inferred = login, server, inferred
        self._authorization: Headers = {}
        self._tried: set[tuple[str, str]] = set()
        self._refusal: LookupDone | None = None

    def send(self, method: str, path: str, accept: str) -> Response:
        """Return the reply of the registry, or of the server to which it redirects, whatever its status."""
        host = self._network.ping(self.address)
        if host.challenge and not self._tried:
            try:
                self._authorize(host.challenge)
            except LookupDone as done:
                self._refusal = done  # the manifests may name another token service
        target, headers = f"/v2/{self._repository}/{path}", {"Accept": accept}

        def send() -> Response:
            return self._network.send(method, host.origin, target, {**headers, **self._authorization})

        reply = send()
        if reply.status == 401 and self._authorize(reply.headers.get("WWW-Authenticate", "")):
            self._refusal = None
            reply = send()
        elif reply.status == 404 and self._login and host.is_open and not self._authorization:
            self._authorization = self._login  # some show what is private to those who log in unasked
            reply = send()
        if self._refusal and reply.status in (401, 403, 404):
            raise self._refusal
        origin = host.origin
        for _redirect in range(3):
            if reply.status not in _REDIRECTS:
                break
            origin, target = self._split(origin + target, reply.headers.get("Location", ""), "a redirect")
            reply = self._network.send(method, origin, target, headers, is_registry=False)
        return reply

    def _authorize(self, challenge: str) -> bool:
        """Do what a challenge asks for. Return False if that was done before."""
        bearer = _BEARER.search(challenge)
        if not bearer and not _BASIC.search(challenge):
            raise self.unusable("it requires an unsupported kind of authentication")
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(bearer.group(1) if bearer else ""):
            parameters.setdefault(name.lower(), quoted or bare)
        asked = parameters.get("realm", ""), parameters.get("service", "")
        if asked in self._tried:
            return False
        self._tried.add(asked)
        self._authorization = {"Authorization": f"Bearer {self._token(*asked)}"} if bearer else self._login
        return True

    def _token(self, realm: str, service: str) -> str:
        origin, target = self._split("", realm, "a token service", is_loopback(hostname(self.address)))
        # no more rights are asked for than to pull this repository, whatever the registry names, also in its realm
        ours = [("service", service)] * bool(service) + [("scope", f"repository:{self._repository}:pull")]
        path, _mark, query = target.partition("?")
        theirs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in dict(ours)]
        reply = self._network.send("GET", origin, f"{path}?{urlencode(theirs + ours)}", self._login, is_registry=False)
        if reply.status in (401, 403):
            raise self.refusal(f"HTTP {reply.status} of its token service {origin}")
        with contextlib.suppress(Unreadable):
            document = json_object(reply.content or b"")
            token = document.get("token") or document.get("access_token")
            if reply.status == 200 and isinstance(token, str) and _PRINTABLE.fullmatch(token):
                return token
        raise self.unusable(f"its token service {origin} returned no token (HTTP {reply.status})")

    def _split(self, base: str, url: str, what: str, own_http: bool = False) -> tuple[str, str]:
        """Return origin and target of a URL with https or, if ``own_http``, with http on the host of the registry."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(urljoin(base, url))
            is_own = own_http and parts.scheme == "http" and parts.hostname == hostname(self.address)
            is_address = parts.hostname and parts.port != 0 and "@" not in parts.netloc and _PRINTABLE.fullmatch(url)
            if is_address and (parts.scheme == "https" or is_own):
                query = f"?{parts.query}" if parts.query else ""
                return f"{parts.scheme}://{parts.netloc}", f"{parts.path or '/'}{query}"
        raise self.unusable(f"the address of {what} is not a valid one with https, so nothing was sent to it")

    def refusal(self, how: str) -> LookupDone:
        """Return the end of a lookup without the right to read."""
        if self._inferred and how.startswith("HTTP 403"):
            text = "It may have an allowlist; CTYun reaches the registry by its name in the VPC."
            return LookupDone(UNKNOWN, f"The public address {self.address} refuses this machine ({how}). {text}")
        who = "this login" if self._login else "anonymous clients"
        text = f"{self.address} does not let {who} read {self._repository}"
        advice = f"check the name, and the login for {self._server} in image_registry_credentials"
        return LookupDone(REFUSED, f"{text}, or has no such repository: {advice} ({how}).")

    def unusable(self, why: str) -> LookupDone:
        """Return the end of a lookup whose reply says nothing about the image."""
        return LookupDone(UNKNOWN, f"The reply of {self.address} cannot be used: {why}.")


def hostname(address: str) -> str:
    """Return the host of an address."""
    return str(urlsplit(f"//{address}").hostname)
