# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small image registry beside the emulator: the parts of the OCI distribution API that reading an image takes.

Three listeners: the registry, the service that gives its tokens, and another server that it may send one on to. Each
request that any of them gets is recorded.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from .background import Background
from .certificate import Certificate
from .images import Image
from .listener import HOST, Listener, Misbehaviour, Seen
from .proxy import Proxy

REGISTRY, REALM, ELSEWHERE = "registry", "realm", "elsewhere"
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


class Registry:
    """Use it in a ``with`` statement. It has the users ``users``, and lets anybody read what is ``public``.

    ``login`` is how it asks for a password. ``tls`` is whether the registry itself has TLS; the other two always have,
    but for the realm with ``realm_tls`` false. ``names`` are names of hosts, for which ``environment`` leads to one of
    the listeners: ``{"registry-1.docker.io": "registry", "auth.docker.io": "realm"}``; the first one for the realm is
    the one that the registry names.

    ``rights`` are the repositories of users that may not read all. Where it is ``hidden`` what nobody may read is not
    there, ``manifest_challenge`` is what manifests answer in place of the challenge of /v2/, and ``asks`` is whether
    /v2/ has one. ``heads`` is whether it answers HEAD.
    """

    def __init__(
        self,
        login: Literal["none", "basic", "bearer"] = "none",
        *,
        tls: bool = False,
        realm_tls: bool = True,
        names: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        public: tuple[str, ...] = (),
        redirects_blobs: bool = False,
        rights: Mapping[str, str] | None = None,
        hidden: bool = False,
        manifest_challenge: str = "",
        asks: bool = True,
        heads: bool = True,
    ) -> None:
        self.login = login
        self.users = dict(users or {})
        self.public = set(public)
        self.redirects_blobs = redirects_blobs
        self.rights = dict(rights or {})
        self.hidden, self.manifest_challenge, self.asks, self.heads = hidden, manifest_challenge, asks, heads
        self.names = dict(names or {})
        self._tls = {REGISTRY: tls, REALM: realm_tls, ELSEWHERE: True}
        self._lock = threading.Lock()
        self._manifests: dict[tuple[str, str], Image] = {}
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._next: dict[tuple[str, str], list[Image]] = {}
        self._tokens: dict[str, tuple[str | None, str]] = {}
        self._misbehaviours: list[Misbehaviour] = []
        self._seen: list[Seen] = []
        # Called in the server's thread with each request, before it is answered.
        self.before: Callable[[Seen], object] | None = None

    def __enter__(self) -> Registry:
        self._certificate = Certificate(*self.names)
        answers = {REGISTRY: self._answer, REALM: self._token, ELSEWHERE: self._content}
        self._listeners = {host: Listener(host, self._note, answers[host]) for host in answers}
        self._background = Background("registry", self._begin, self._end)
        self._background.start()
        self._proxy = Proxy({f"{name}:443": self._listeners[role].port for name, role in self.names.items()}).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._proxy.stop()
        self._background.stop()
        self._certificate.close()

    async def _begin(self) -> None:
        for host, listener in self._listeners.items():
            await listener.start(self._certificate.context if self._tls[host] else None)

    async def _end(self) -> None:
        for listener in self._listeners.values():
            await listener.stop()

    @property
    def address(self) -> str:
        """What stands before the name of an image of this registry."""
        return self.address_of(REGISTRY)

    def address_of(self, host: str) -> str:
        return f"{HOST}:{self._listeners[host].port}"

    def url_of(self, host: str) -> str:
        """Return the URL by its name, if it has one."""
        name = next((name for name, role in self.names.items() if role == host), self.address_of(host))
        return f"{'https' if self._tls[host] else 'http'}://{name}"

    @property
    def ca_file(self) -> str:
        return self._certificate.ca_file

    @property
    def environment(self) -> dict[str, str]:
        """What leads a client to the listeners by their names, and has it trust them."""
        names = {"https_proxy": self._proxy.url, "no_proxy": f"{HOST},localhost"}
        names |= {name.upper(): value for name, value in names.items()}
        return {**names, "REQUESTS_CA_BUNDLE": self.ca_file}

    @property
    def requests(self) -> list[Seen]:
        """All requests that the listeners got, in their order."""
        return list(self._seen)

    def seen_by(self, host: str) -> list[Seen]:
        return [seen for seen in self._seen if seen.host == host]

    def add(self, repository: str, tag: str, one: Image) -> Image:
        """Have an image, under a tag and its digest, with all that belongs to it."""
        self._manifests[repository, tag] = self._manifests[repository, one.digest] = one
        for part in one.manifests:
            self.add(repository, part.digest, part)
        for digest, content in one.blobs.items():
            self._blobs[repository, digest] = content
        return one

    def move(self, repository: str, tag: str, *following: Image) -> None:
        """Have the tag mean the next of these each time that it was read; the last one stays."""
        self._next[repository, tag] = list(following)

    def inject(self, *misbehaviours: Misbehaviour) -> None:
        with self._lock:
            self._misbehaviours += misbehaviours

    def reset(self) -> None:
        """No misbehaviour any more, and no request seen."""
        with self._lock:
            self._misbehaviours.clear()
            self._seen.clear()

    def _note(self, seen: Seen) -> Misbehaviour | None:
        if self.before:
            self.before(seen)
        with self._lock:
            self._seen.append(seen)
            for how in self._misbehaviours:
                if how.host == seen.host and how.only in seen.path:
                    if how.times is not None:
                        how.times -= 1
                        if not how.times:
                            self._misbehaviours.remove(how)
                    return how
        return None

    def _answer(self, seen: Seen) -> web.Response:
        authorization = seen.headers.get("authorization", "")
        if seen.path == "/v2/":
            if self.login == "none" or not self.asks:
                return web.json_response({}, headers=_VERSION)
            return _refused(401, "UNAUTHORIZED", {"WWW-Authenticate": self._challenge()})
        found = _parts(seen.path)
        if found is None:
            return _refused(404, "UNSUPPORTED")
        if seen.method == "HEAD" and not self.heads:
            return _refused(405, "UNSUPPORTED")
        repository, kind, name = found
        if not self._may_read(authorization, repository):
            if self.hidden:
                return _refused(404, "NAME_UNKNOWN")
            challenge = self.manifest_challenge or self._challenge(repository)
            return _refused(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})
        if kind == "blobs" and self.redirects_blobs and (repository, name) in self._blobs:
            return web.Response(
                status=307, headers={"Location": f"{self.url_of(ELSEWHERE)}{seen.path}?signature=x", **_VERSION}
            )
        return self._content(seen)

    def _content(self, seen: Seen) -> web.Response:
        found = _parts(seen.path)
        if found is None:
            return web.Response(status=404)
        repository, kind, name = found
        if kind == "blobs":
            blob = self._blobs.get((repository, name))
            return _refused(404, "BLOB_UNKNOWN") if blob is None else web.Response(body=blob, headers=_VERSION)
        one = self._manifests.get((repository, name))
        if one is None:
            known = any(place[0] == repository for place in self._manifests)
            return _refused(404, "MANIFEST_UNKNOWN" if known else "NAME_UNKNOWN")
        if one.media_type not in seen.headers.get("accept", ""):
            return _refused(404, "MANIFEST_UNKNOWN")
        with self._lock:
            if self._next.get((repository, name)):
                self.add(repository, name, self._next[repository, name].pop(0))
        headers = {"Content-Type": one.media_type, "Docker-Content-Digest": one.digest, **_VERSION}
        return web.Response(body=one.content, headers=headers)

    def _challenge(self, repository: str = "") -> str:
        if self.login == "basic":
            return 'Basic realm="a registry"'
        realm = f"{self.url_of(REALM)}/token"
        scope = f',scope="repository:{repository}:pull"' if repository else ""
        return f'Bearer realm="{realm}",service="a registry"{scope}'

    def _may_read(self, authorization: str, repository: str) -> bool:
        if self.login == "none" or (self.login == "basic" and repository in self.public):
            return True
        scheme, _blank, value = authorization.partition(" ")
        if self.login == "basic":
            return scheme == "Basic" and self._is_right_of(self._user(value), repository)
        user, scope = self._tokens.get(value, (None, ""))
        return scope == f"repository:{repository}:pull" and (
            self._is_right_of(user, repository) or repository in self.public
        )

    def _is_right_of(self, user: str | None, repository: str) -> bool:
        return user is not None and repository.startswith(self.rights.get(user, ""))

    def _user(self, basic: str) -> str | None:
        name, _colon, password = base64.b64decode(basic).decode().partition(":")
        return name if name in self.users and self.users[name] == password else None

    def _token(self, seen: Seen) -> web.Response:
        asked = parse_qs(urlsplit(seen.path).query)
        scheme, _blank, value = seen.headers.get("authorization", "").partition(" ")
        user = self._user(value) if scheme == "Basic" else None
        if scheme and user is None:
            return web.json_response({"details": "incorrect username or password"}, status=401)
        token = f"token-{secrets.token_hex(16)}"
        self._tokens[token] = user, asked.get("scope", [""])[0]
        return web.json_response({"token": token, "expires_in": 300})


def _parts(path: str) -> tuple[str, str, str] | None:
    """``/v2/team/app/manifests/1`` -> ``("team/app", "manifests", "1")``."""
    head, _slash, name = urlsplit(path).path.rpartition("/")
    front, _slash, kind = head.rpartition("/")
    if not front.startswith("/v2/") or kind not in ("manifests", "blobs"):
        return None
    return front[len("/v2/") :], kind, name


def _refused(status: int, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"errors": [{"code": code, "message": "as it is said", "detail": None}]}
    return web.json_response(body, status=status, headers={**_VERSION, **(headers or {})})
