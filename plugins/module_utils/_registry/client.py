# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask registries about images, by the distribution API. Private to the collection.

A password goes to the server that it is for, or to the token service that this server names, and nowhere else: a
redirect is followed without it, and over plain HTTP it is sent on this machine only.
"""

from __future__ import annotations

import base64
import contextlib
import math
import re
from fractions import Fraction
from typing import Any, Iterable, Mapping, NamedTuple, Sequence
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from .._api.config import is_loopback
from .._api.http import Http, Response
from .._errors import POSSIBLE, EciError, Unanswered, UntrustedEndpoint
from .._pool import for_each
from .._text import Redact, sanitize
from .manifest import MEDIA_TYPES, Entry, Layers, Manifest, Unreadable, digest_of, json_object, pick, platform_of, read
from .reference import Reference, address, parse, server_name

PLATFORM = "linux/amd64"
CONCURRENCY = 8
REPLY_BYTES = 4 * 1024 * 1024
SMALLEST_GB = 20
FOUND, NOT_FOUND, REFUSED, UNREACHABLE = OUTCOMES = ("found", "not_found", "refused", "unreachable")

_PRINTABLE = re.compile("[!-~]{1,32768}")
_BEARER = re.compile(r"(?:^|,)\s*bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]*))')

# A login, as the option image_registry_credentials has it: with server, user_name and password.
Login = Mapping[str, Any]
Headers = Mapping[str, str]

_NETWORK_ADVICE = "If only machines in the VPC reach it, give the name that this one reaches in registry_addresses."


class Settings(NamedTuple):
    """How registries are reached; ``addresses`` maps their names to those that work here. See Http and ``pick``."""

    addresses: Mapping[str, str] = {}
    verify: bool | str = True
    timeout: float = 30.0
    platform: str = PLATFORM
    redact: Redact = str


class Found(NamedTuple):
    """The outcome of a lookup. ``layers`` are those of the wanted platform; ``message`` has no secret in it."""

    image: str
    outcome: str
    digest: str | None = None
    media_type: str | None = None
    platforms: tuple[str, ...] = ()
    layers: Layers = ()
    message: str | None = None

    @property
    def size(self) -> int | None:
        """The sum of the different layers, compressed, in bytes; None if it is not known."""
        return sum(dict(self.layers).values()) if self.outcome == FOUND else None


class _LookupDone(Exception):
    """Ends a lookup with an outcome and a message."""


class Lookup:
    """The requests about one image. The first one finds out the origin and the authorization for those that follow."""

    def __init__(self, http: Http, settings: Settings, wanted: Reference, address: str, login: Headers) -> None:
        self._http, self._settings, self._wanted, self._address, self._login = http, settings, wanted, address, login
        self._host = str(urlsplit(f"//{address}").hostname)
        self._origin = ""
        self._authorization: Headers = {}

    def find(self, image: str) -> Found:
        """Return the outcome. What a registry or the network does is an outcome, and no error."""
        try:
            return self._find(image)
        except _LookupDone as done:
            outcome, message = done.args
            return Found(image, outcome, message=sanitize(message, self._settings.redact))
        except EciError as error:
            return Found(image, UNREACHABLE, message=error.message)

    def _find(self, image: str) -> Found:
        top, digest = self._manifest(self._wanted.version, self._wanted.digest)
        one, entries = top, top.entries
        if entries is None:
            entries = (Entry(digest, self._platform_of(top)),)
        entry = pick(entries, self._settings.platform)
        if entry and top.entries is not None:
            try:
                one, _digest = self._manifest(entry.digest, entry.digest)
            except _LookupDone as done:
                if done.args[0] == NOT_FOUND:
                    raise self._unusable(
                        f"its index names an image for {self._settings.platform} that is not there"
                    ) from None
                raise
            if one.entries is not None:
                raise self._unusable("its index leads to another index")
        named = dict.fromkeys(entry.platform for entry in entries if entry.platform)
        platforms = tuple(sanitize(name, self._settings.redact) for name in named)
        if entry:
            return Found(image, FOUND, digest, top.media_type, platforms, one.layers)
        others = f" for {', '.join(platforms[:5])}" if platforms else ""
        message = f"{self._address} has {self._wanted}{others}, but not for {self._settings.platform}."
        return Found(image, NOT_FOUND, digest, top.media_type, platforms, message=message)

    def _manifest(self, version: str, expected: str | None) -> tuple[Manifest, str]:
        reply = self._get(f"manifests/{version}", ", ".join(MEDIA_TYPES))
        content = reply.content or b""
        named = expected or reply.headers.get("Docker-Content-Digest", "")
        digest = digest_of(content, named)
        if named != digest and (expected or named.startswith(("sha256:", "sha512:"))):
            raise self._unusable("the content does not have its digest")
        try:
            return read(content, reply.headers.get("Content-Type", "")), digest
        except Unreadable as error:
            raise self._unusable(f"as a manifest, {error}") from None

    def _platform_of(self, image: Manifest) -> str | None:
        """Return the platform in the config of an image without an index, None where that cannot be read."""
        with contextlib.suppress(_LookupDone, EciError, Unreadable):
            content = (image.config and self._get(f"blobs/{image.config}", "*/*").content) or b""
            return platform_of(content) if digest_of(content, image.config or "") == image.config else None
        return None

    def _get(self, path: str, accept: str) -> Response:
        """Return a good reply of the registry, or of the server to which it redirects."""
        target, headers = f"/v2/{self._wanted.repository}/{path}", {"Accept": accept}
        reply = self._send(target, headers) if self._origin else self._send_first(target, headers)
        if reply.status == 401 and not self._authorization:
            self._authorization = self._authorize(reply.headers.get("WWW-Authenticate", ""))
            reply = self._send(target, headers)
        origin = self._origin
        for _redirect in range(3):
            if reply.status not in (301, 302, 303, 307, 308):
                break
            origin, target = self._split(origin + target, reply.headers.get("Location", ""), "a redirect")
            reply = self._send(target, headers, origin)
        if reply.status == 200 and reply.content is not None:
            return reply
        raise self._failure(reply)

    def _send_first(self, target: str, headers: Headers) -> Response:
        """Send the first request. A registry on this machine may speak plain HTTP; one with TLS refuses that."""
        failure: EciError | None = None
        if is_loopback(self._host):
            self._origin = f"http://{self._address}"
            try:
                reply = self._send(target, headers)
                if reply.status != 400:
                    return reply
            except Unanswered as error:
                failure = error
        self._origin = f"https://{self._address}"
        try:
            return self._send(target, headers)
        except UntrustedEndpoint as error:
            raise failure if failure and error.effect == POSSIBLE else error from None  # it speaks no TLS either

    def _send(self, target: str, headers: Headers, origin: str = "") -> Response:
        headers = headers if origin else {**headers, **self._authorization}
        return self._http.send("GET", origin or self._origin, target, headers, None, self._settings.redact)

    def _failure(self, reply: Response) -> _LookupDone:
        wanted, status = self._wanted, reply.status
        if status in (401, 403):
            return self._refusal(f"HTTP {status}")
        is_registry = "Docker-Distribution-Api-Version" in reply.headers or b'"errors"' in (reply.content or b"")
        if status == 404 and is_registry:  # any other server, or a proxy, answers 404 as well
            part = "digest" if wanted.digest else "tag"
            return _LookupDone(NOT_FOUND, f"{self._address} has no {wanted}. Check the name and the {part}.")
        if status == 429 or status >= 500:
            text = f"{self._address} is busy or out of order (HTTP {status}). Try again later."
            return _LookupDone(UNREACHABLE, text)
        return self._unusable("it is too large" if status == 200 else f"no registry answers so (HTTP {status})")

    def _unusable(self, why: str) -> _LookupDone:
        return _LookupDone(UNREACHABLE, f"The reply of {self._address} cannot be used: {why}.")

    def _refusal(self, how: str) -> _LookupDone:
        who = "this login" if self._login else "anybody"
        text = f"{self._address} does not let {who} read {self._wanted.repository}"
        advice = f"check the name, and the login for {self._wanted.server} in image_registry_credentials"
        return _LookupDone(REFUSED, f"{text}, or has no such repository: {advice} ({how}).")

    def _authorize(self, challenge: str) -> Headers:
        """Return the header that the challenge of a 401 asks for."""
        bearer = _BEARER.search(challenge)
        if bearer:
            return {"Authorization": f"Bearer {self._token(bearer.group(1))}"}
        if not _BASIC.search(challenge):
            raise self._unusable("it asks for a login in a way that is not known")
        if not self._login:
            raise self._refusal("HTTP 401")
        return self._login

    def _token(self, challenge: str) -> str:
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(challenge):
            parameters.setdefault(name.lower(), quoted or bare)
        origin, target = self._split("", parameters.get("realm", ""), "a token service", is_loopback(self._host))
        # no more rights are asked for than to pull this repository, whatever the registry names, also in its realm
        query = {"service": parameters.get("service"), "scope": f"repository:{self._wanted.repository}:pull"}
        ours = [(name, value) for name, value in query.items() if value]
        path, _mark, realm_query = target.partition("?")
        theirs = [pair for pair in parse_qsl(realm_query, keep_blank_values=True) if pair[0] not in dict(ours)]
        reply = self._send(f"{path}?{urlencode(theirs + ours)}", self._login, origin)
        if reply.status in (401, 403):
            raise self._refusal(f"HTTP {reply.status} of its token service {origin}")
        with contextlib.suppress(Unreadable):
            document = json_object(reply.content or b"")
            token = document.get("token") or document.get("access_token")
            if reply.status == 200 and isinstance(token, str) and _PRINTABLE.fullmatch(token):
                return token
        raise self._unusable(f"its token service {origin} gave no token (HTTP {reply.status})")

    def _split(self, base: str, url: str, what: str, own_http: bool = False) -> tuple[str, str]:
        """Return origin and target of a URL with https or, if ``own_http``, with http on the host of the registry."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(urljoin(base, url))
            is_own = own_http and parts.scheme == "http" and parts.hostname == self._host
            is_address = parts.hostname and parts.port != 0 and "@" not in parts.netloc and _PRINTABLE.fullmatch(url)
            if is_address and (parts.scheme == "https" or is_own):
                query = f"?{parts.query}" if parts.query else ""
                return f"{parts.scheme}://{parts.netloc}", f"{parts.path or '/'}{query}"
        raise self._unusable(f"it names {what} whose address is not one with https, so nothing was sent there")


def look_up(
    images: Sequence[str], credentials: Iterable[Login], settings: Settings, concurrency: int = CONCURRENCY
) -> list[Found]:
    """Return the outcomes in the order of the images; each is looked up once. A registry's first login counts."""
    addresses = {server_name(name): server_name(reached) for name, reached in settings.addresses.items()}
    logins: dict[str, Headers] = {}
    for login in credentials:
        pair = f"{login['user_name']}:{login['password']}".encode("utf-8", "replace")
        header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        logins.setdefault(server_name(login["server"]), header)
    found: dict[str, Found] = {}
    http = Http(settings.verify, settings.timeout, concurrency, REPLY_BYTES, _NETWORK_ADVICE, direct=True)

    def look_up_one(image: str) -> None:
        try:
            wanted = parse(image)
        except ValueError as error:
            found[image] = Found(image, NOT_FOUND, message=f"The name of the image {error}.")
            return
        server = addresses.get(wanted.server, wanted.server)
        login = logins.get(wanted.server) or logins.get(server) or {}
        found[image] = Lookup(http, settings, wanted, address(server), login).find(image)

    with contextlib.closing(http):
        for_each(dict.fromkeys(images), look_up_one, concurrency)
    return [found[image] for image in images]


def required_size(found: Iterable[Found], factor: float) -> int | None:
    """Return the size (GB) for these images: a multiple of their different compressed layers; None if not known."""
    layers: dict[str, int] = {}
    for one in found:
        if one.outcome != FOUND:
            return None
        layers.update(one.layers)
    return max(SMALLEST_GB, math.ceil(Fraction(str(factor)) * sum(layers.values()) / 10**9))
