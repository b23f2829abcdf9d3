# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conversation with registries about one image after the other. Private to the collection.

A password goes to the server that it is for, or to the service that this server names for its tokens, and nowhere
else: a redirect is followed without it, and a service without TLS gets it on this machine only.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Iterable, Mapping
from urllib.parse import urljoin, urlsplit

from .._api.config import is_loopback
from .._api.telling import Hide, told
from . import manifest, reference
from .challenge import Challenge, challenges, token_address
from .found import FOUND, NOT_FOUND, REFUSED, UNREACHABLE, Found
from .manifest import MEDIA_TYPES, Manifest, Unreadable
from .reference import Reference, server_name
from .sending import NoReply, Reply, Sender

PLATFORM = "linux/amd64"
MANIFEST_BYTES = 4 * 1024 * 1024
_TOKEN_BYTES = 1024 * 1024
_REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)
_TOKEN = re.compile("[!-~]{1,32768}")
_ACCEPT = ", ".join(MEDIA_TYPES)
_OUTSIDE = "If only machines in the VPC reach it, give the name that this one reaches in registry_addresses."


@dataclass(frozen=True)
class Settings:
    """How registries are reached. ``addresses`` has, for the name of a server, the one that this machine reaches.

    ``verify`` is what requests takes: true, false or the path of a CA bundle. ``timeout`` is in seconds, for one
    request. ``platform`` is the one whose layers are counted. ``hide`` takes secrets out of what others wrote.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    verify: bool | str = True
    timeout: float = 30.0
    platform: str = PLATFORM
    hide: Hide = str


@dataclass(frozen=True, repr=False)
class _Login:
    user_name: str
    password: str

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user_name}:{self.password}".encode("utf-8", "replace")).decode()


class _Ended(Exception):
    """It is known what came of an image."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Client:
    """Looks at images. Safe to use from several threads.

    ``credentials`` are logins as the option image_registry_credentials has them; the first one for a server counts.
    """

    def __init__(self, credentials: Iterable[Mapping[str, Any]], settings: Settings, pool_size: int) -> None:
        self.settings = settings
        self.sender = Sender(settings.verify, settings.timeout, settings.hide, pool_size)
        self._addresses = {server_name(name): server_name(address) for name, address in settings.addresses.items()}
        self._logins: dict[str, _Login] = {}
        for item in credentials:
            self._logins.setdefault(server_name(item["server"]), _Login(item["user_name"], item["password"]))
        # by address; what was found to be plain http stays so for the time of this client
        self.schemes: dict[str, str] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sender.close()

    def find(self, image: str) -> Found:
        """What the registry of an image says of it."""
        try:
            wanted = reference.parse(image)
        except ValueError as error:
            return Found(image, NOT_FOUND, message=f"The name of the image {error}.")
        server = self._addresses.get(wanted.server, wanted.server)
        login = self._logins.get(wanted.server) or self._logins.get(server)
        talk = _Conversation(self, wanted, reference.address(server), login)
        try:
            return talk.found(image)
        except _Ended as ended:
            return Found(image, ended.outcome, message=str(ended))


class _Conversation:
    """The requests about one image. The authorization that was asked for is kept for those that follow."""

    def __init__(self, client: Client, wanted: Reference, address: str, login: _Login | None) -> None:
        self._client = client
        self._wanted = wanted
        self._address = address
        self._host = str(urlsplit(f"//{address}").hostname)
        self._login = login
        self._authorization: str | None = None

    def found(self, image: str) -> Found:
        wanted, platform = self._wanted, self._client.settings.platform
        top, digest = self._manifest(wanted.version, wanted.digest)
        one, platforms = top, top.platforms
        if top.entries is not None:
            entry = manifest.pick(top.entries, platform)
            if entry is None:
                return self._of_others(image, digest, top.media_type, platforms)
            one, _digest = self._manifest(entry.digest, entry.digest)
            if one.entries is not None:
                raise self._odd("its index leads to another index")
        if not platforms:
            named = self._platform(one)
            if named:
                platforms = (named,)
                if not manifest.is_for(named, platform):
                    return self._of_others(image, digest, top.media_type, platforms)
        return Found(image, FOUND, digest, top.media_type, self._told(platforms), one.layers)

    def _of_others(self, image: str, digest: str, media_type: str, platforms: tuple[str, ...]) -> Found:
        named = self._told(platforms)
        text = f"{self._address} has {self._wanted}, but not for {self._client.settings.platform}"
        rest = f", only for {', '.join(named[:5])}{' and others' if len(named) > 5 else ''}" if named else ""
        return Found(image, NOT_FOUND, digest, media_type, named, message=f"{text}{rest}.")

    def _told(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(told(name, self._client.settings.hide) for name in names)

    def _manifest(self, version: str, expected: str | None) -> tuple[Manifest, str]:
        reply = self._get(f"manifests/{version}", _ACCEPT)
        said = expected or reply.headers.get("Docker-Content-Digest", "")
        digest = manifest.digest_of(reply.content, said)
        if said != digest and (expected or said.startswith(("sha256:", "sha512:"))):
            raise self._odd("what it sent is not what the digest says")
        try:
            return manifest.read(reply.content, reply.headers.get("Content-Type", "")), digest
        except Unreadable as error:
            raise self._odd(f"its manifest cannot be used, {error}") from None

    def _platform(self, one: Manifest) -> str | None:
        """The platform that an image says it is for. It is worth a request, and no failure."""
        if one.config is None:
            return None
        try:
            content = self._get(f"blobs/{one.config}", "*/*").content
            is_it = manifest.digest_of(content, one.config) == one.config
            return manifest.platform_of(content) if is_it else None
        except (_Ended, Unreadable):
            return None

    def _odd(self, what: str) -> _Ended:
        return _Ended(UNREACHABLE, f"{self._address} cannot be understood: {what}.")

    def _get(self, path: str, accept: str) -> Reply:
        """A good reply of the registry, or of where it sends one on to. Raises _Ended."""
        path = f"/v2/{self._wanted.repository}/{path}"
        headers = {"Accept": accept}
        try:
            if self._authorization is None:
                url, reply = self._first(path, headers)
                if reply.status == 401:
                    self._authorization = self._authorized(reply)
            else:
                url = f"{self._client.schemes.get(self._address, 'https')}://{self._address}{path}"
            if self._authorization is not None:
                reply = self._send(url, {**headers, "Authorization": self._authorization})
            if reply.status in _MOVED:
                return self._moved(url, reply, headers)
        except NoReply as error:
            raise _Ended(UNREACHABLE, f"{error} {_OUTSIDE}" if error.is_far else str(error)) from None
        return self._good(reply)

    def _send(self, url: str, headers: Mapping[str, str], most: int = MANIFEST_BYTES) -> Reply:
        return self._client.sender.get(url, headers, most)

    def _first(self, path: str, headers: Mapping[str, str]) -> tuple[str, Reply]:
        """The address and the reply to a request without a login. It also finds out whether this machine's own speaks TLS.

        There plain http comes first: a server with TLS says at once that it wants that, while one without may wait for
        the end of a line that never comes.
        """
        schemes = self._client.schemes
        scheme = schemes.get(self._address)
        if scheme is None and is_loopback(self._host):
            plain = f"http://{self._address}{path}"
            heard: Reply | NoReply
            try:
                heard = self._send(plain, headers)
            except NoReply as error:
                if error.is_final:
                    raise
                heard = error
            if isinstance(heard, Reply) and heard.status != 400:
                schemes[self._address] = "http"
                return plain, heard
            try:
                found = self._send(f"https://{self._address}{path}", headers)
            except NoReply as error:
                if error.is_final:
                    raise
                if isinstance(heard, Reply):
                    return plain, heard
                raise heard from None
            schemes[self._address] = "https"
            return f"https://{self._address}{path}", found
        url = f"{scheme or 'https'}://{self._address}{path}"
        return url, self._send(url, headers)

    def _moved(self, url: str, reply: Reply, headers: Mapping[str, str]) -> Reply:
        """What is found where a reply sends one on to, without any authorization. Raises NoReply and _Ended."""
        for _hop in range(_REDIRECTS):
            try:
                location = reply.headers.get("Location", "")
                url = urljoin(url, location)
                target = urlsplit(url)
                is_https = target.scheme == "https" and bool(target.hostname)
                is_good = is_https and bool(location) and "@" not in target.netloc
            except ValueError:
                is_good = False
            if not is_good:
                raise _Ended(UNREACHABLE, f"{self._address} sends one on to what is no address with https.")
            reply = self._send(url, headers)
            if reply.status not in _MOVED:
                break
        else:
            raise _Ended(UNREACHABLE, f"{self._address} sends one on more than {_REDIRECTS} times.")
        if reply.status in (401, 403):
            text = f"{self._address} sends one on to a server that asks for a login, which it does not get."
            raise _Ended(UNREACHABLE, text)
        return self._good(reply)

    def _good(self, reply: Reply) -> Reply:
        address, wanted, status = self._address, self._wanted, reply.status
        if status == 200:
            return reply
        if status == 404:
            if not _is_of_a_registry(reply):
                raise self._odd("it answers as no registry does (HTTP 404)")
            raise _Ended(NOT_FOUND, f"{address} has no {wanted}. Check the name and the {_part(wanted)}.")
        if status in (401, 403):
            raise _Ended(REFUSED, f"{self._refusal()} (HTTP {status}).")
        if status == 429:
            raise _Ended(UNREACHABLE, f"{address} has had too many requests from here (HTTP 429). Try again later.")
        if status >= 500:
            raise _Ended(UNREACHABLE, f"{address} is out of order (HTTP {status}). Try again later.")
        raise self._odd(f"it answers as no registry does (HTTP {status})")

    def _refusal(self) -> str:
        wanted = self._wanted
        if self._login is None:
            advice = f"give a login for {wanted.server} in image_registry_credentials"
            return f"{self._address} asks for a login, or has no {wanted.repository}: check the name, or {advice}"
        return (
            f"{self._address} does not let this login read {wanted.repository}, or has no such repository: check"
            f" user_name and password for {wanted.server}, and what they may read"
        )

    def _authorized(self, reply: Reply) -> str:
        """The authorization that a 401 asks for. Raises NoReply and _Ended."""
        asked: dict[str, Challenge] = {}
        for challenge in challenges(reply.headers.get("WWW-Authenticate", "")):
            asked.setdefault(challenge.scheme, challenge)
        if "bearer" in asked:
            return f"Bearer {self._token(asked['bearer'])}"
        if "basic" not in asked:
            raise self._odd("it asks for a login in a way that is not known")
        if self._login is None:
            raise _Ended(REFUSED, f"{self._refusal()} (HTTP 401).")
        return self._login.basic

    def _token(self, challenge: Challenge) -> str:
        try:
            url = token_address(challenge, self._host, self._wanted.repository)
        except ValueError:
            text = (
                f"{self._address} names a service for its tokens that is no address with https, so no login was sent."
            )
            raise _Ended(UNREACHABLE, text) from None
        headers = {"Accept": "application/json"}
        if self._login is not None:
            headers["Authorization"] = self._login.basic
        reply = self._send(url, headers, _TOKEN_BYTES)
        service = told(urlsplit(url).netloc, self._client.settings.hide)
        where = f"{service}, which gives the tokens of {self._address},"
        if reply.status in (401, 403):
            if self._login is None:
                raise _Ended(REFUSED, f"{self._refusal()} (HTTP {reply.status} of {service}).")
            advice = f"Check user_name and password for {self._wanted.server}."
            raise _Ended(REFUSED, f"{where} refused the login (HTTP {reply.status}). {advice}")
        if reply.status != 200:
            raise _Ended(UNREACHABLE, f"{where} gave none (HTTP {reply.status}). Try again later.")
        token = _token_in(reply.content)
        if token is None:
            raise _Ended(UNREACHABLE, f"{where} gave none that can be used.")
        return token


def _token_in(content: bytes) -> str | None:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    token = found.get("token") or found.get("access_token")
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _is_of_a_registry(reply: Reply) -> bool:
    """Whether it was a registry that did not find it: a server of anything else, or a proxy, answers 404 as well."""
    if "Docker-Distribution-Api-Version" in reply.headers:
        return True
    try:
        found = json.loads(reply.content.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("errors"), list)


def _part(wanted: Reference) -> str:
    return "digest" if wanted.digest else "tag"
