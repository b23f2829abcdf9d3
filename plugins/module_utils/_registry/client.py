# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up images in their registries, by the distribution API. Private to the collection.

What cannot be understood is ``unknown``: not known, and neither found nor not found.
"""

from __future__ import annotations

import base64
import contextlib
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Callable, Iterable, Mapping, Sequence

from .._api.http import Response
from .._errors import EciError
from .._polling import Progress
from .._pool import for_each
from .._text import sanitize
from .manifest import MEDIA_TYPES, Layers, Manifest, Unreadable, candidates, digest_of, fits, platform_of, read
from .reference import Reference, address, covers, parse, prefix, public_name, reached
from .session import FOUND, NOT_FOUND, UNKNOWN, Headers, LookupDone, Network, Session, Settings

CONCURRENCY = 8
SMALLEST_GB = 20

_DEPTH, _MOST_MANIFESTS = 3, 16
_HASHES = ("sha256:", "sha512:")
# By digest: the manifests that this process has read, and the platforms of configs. What has a digest never changes.
_manifests: dict[str, Manifest] = {}
_platforms: dict[str, str] = {}
_MOST_KNOWN = 1000

# A login, as the option image_registry_credentials has it: with server, user_name and password.
Login = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """The outcome of a lookup. ``digest`` is what the tag means, ``platform_digest`` the manifest of the platform, with
    its ``layers``; ``reached`` is the name that was asked for; ``login`` is the index of the login that was sent.
    """

    image: str
    outcome: str
    digest: str | None = None
    platform_digest: str | None = None
    reached: str | None = None
    media_type: str | None = None
    platforms: tuple[str, ...] = ()
    layers: Layers = ()
    message: str | None = None
    login: int | None = None

    @property
    def size(self) -> int | None:
        """The sum of the different layers, compressed, in bytes; None if it is not known."""
        return sum(dict(self.layers).values()) if self.outcome == FOUND else None

    @property
    def pinned(self) -> str | None:
        """The image by its digest, None where nothing was found."""
        name = self.image.partition("@")[0]
        head, slash, last = name.rpartition("/")
        return f"{head}{slash}{last.partition(':')[0]}@{self.digest}" if self.outcome == FOUND else None


class Lookup:
    """The search for one image."""

    def __init__(self, session: Session, wanted: Reference, platform: str) -> None:
        self._session, self._wanted, self._platform = session, wanted, platform
        self._platforms: dict[str, None] = {}
        self._unknown = ""
        self._left = _MOST_MANIFESTS

    def find(self, found: Found, settings: Settings) -> Found:
        """Complete ``found``. What a registry or the network does is an outcome, and no error."""
        try:
            digest, top = self._top()
            found = replace(found, digest=digest, media_type=top.media_type)
            one = self._image(digest, top)
            found = replace(found, platforms=tuple(sanitize(name, settings.redact) for name in self._platforms))
            if one:
                return replace(found, outcome=FOUND, platform_digest=one[0], layers=one[1].layers)
            if self._unknown:
                raise self._session.unusable(self._unknown)
            others = f" for {', '.join(found.platforms[:5])}" if found.platforms else ""
            text = f"{self._session.address} has {self._wanted}{others}, but not for {self._platform}."
            return replace(found, outcome=NOT_FOUND, message=text)
        except LookupDone as done:
            outcome, message = done.args
            return replace(found, outcome=outcome, message=sanitize(message, settings.redact))
        except EciError as error:
            return replace(found, message=error.message)

    def _top(self) -> tuple[str, Manifest]:
        """Return what the tag means. HEAD counts as no pull; a registry that does not answer it well gets GET."""
        version, expected = self._wanted.version, self._wanted.digest
        reply = self._session.send("HEAD", f"manifests/{version}", ", ".join(MEDIA_TYPES))
        digest = expected or reply.headers.get("Docker-Content-Digest", "")
        if reply.status == 200 and digest.startswith(_HASHES):
            with contextlib.suppress(LookupDone):
                return digest, self._manifest(digest)
        return self._get(version, expected)

    def _manifest(self, digest: str) -> Manifest:
        return _manifests.get(digest) or self._get(digest, digest)[1]

    def _get(self, version: str, expected: str | None) -> tuple[str, Manifest]:
        self._left -= 1
        if self._left < 0:
            raise self._session.unusable("it has too many manifests")
        reply = self._good(self._session.send("GET", f"manifests/{version}", ", ".join(MEDIA_TYPES)))
        content = reply.content or b""
        named = expected or reply.headers.get("Docker-Content-Digest", "")
        digest = digest_of(content, named)
        if named != digest and (expected or named.startswith(_HASHES)):
            raise self._session.unusable("the content does not have its digest")
        try:
            found = read(content, reply.headers.get("Content-Type", ""))
        except Unreadable as error:
            raise self._session.unusable(f"the manifest is not valid, {error}") from None
        _remember(_manifests, digest, found)
        return digest, found

    def _image(
        self, digest: str, top: Manifest, named: str | None = None, depth: int = 0
    ) -> tuple[str, Manifest] | None:
        """Return the image for the platform in a manifest, for which an index may have ``named`` the platform."""
        if top.entries is None:
            if top.artifact:
                text = (
                    f"{self._session.address} has {self._wanted}, but that is not an image: its type is {top.artifact}."
                )
                raise LookupDone(NOT_FOUND, text)
            platform = named or self._platform_of(top)
            if platform:
                self._platforms[platform] = None
            else:
                self._unknown = "the platform of an image cannot be read"
            return (digest, top) if platform and fits(platform, self._platform) else None
        if depth == _DEPTH:
            raise self._session.unusable("its indexes are nested too deeply")
        self._platforms.update((entry.platform, None) for entry in top.entries if entry.platform)
        for entry in candidates(top.entries, self._platform):
            try:
                child = self._manifest(entry.digest)
            except LookupDone as done:
                if done.args[0] != NOT_FOUND:
                    raise
                self._unknown = f"its index names an image for {self._platform} that is not there"
                continue
            found = self._image(entry.digest, child, entry.platform, depth + 1)
            if found:
                return found
        return None

    def _platform_of(self, image: Manifest) -> str | None:
        """Return the platform in the config of an image, None where that cannot be read."""
        config = image.config or ""
        if config and config not in _platforms:
            with contextlib.suppress(LookupDone, EciError, Unreadable):
                content = self._good(self._session.send("GET", f"blobs/{config}", "*/*")).content or b""
                platform = platform_of(content) if digest_of(content, config) == config else None
                if platform:
                    _remember(_platforms, config, platform)
        return _platforms.get(config)

    def _good(self, reply: Response) -> Response:
        status, session = reply.status, self._session
        if status == 200 and reply.content is not None:
            return reply
        if status in (401, 403):
            raise session.refusal(f"HTTP {status}")
        is_registry = "Docker-Distribution-Api-Version" in reply.headers or b'"errors"' in (reply.content or b"")
        if status == 404 and is_registry:  # any other server, or a proxy, answers 404 as well
            part = "digest" if self._wanted.digest else "tag"
            text = f"{session.address} has no {self._wanted}. Check the name and the {part}."
            raise LookupDone(NOT_FOUND, text)
        if status == 429 or status >= 500:
            text = f"{session.address} is busy or unavailable (HTTP {status}). Try again later."
            raise LookupDone(UNKNOWN, text)
        raise session.unusable("it is too large" if status == 200 else f"unexpected HTTP status {status}")


def _remember(known: dict[str, Any], digest: str, what: Any) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[digest] = what


def look_up(
    wanted: Sequence[tuple[str, Sequence[Login]]],
    settings: Settings,
    concurrency: int = CONCURRENCY,
    write: Callable[[str], None] | None = None,
) -> list[Found]:
    """Return the outcomes of images, each wanted with its logins, in their order.

    What is the same image with the same logins is looked up once, whatever its spelling. Of the logins for a repository
    the most specific one is tried first. ``write`` takes progress lines.
    """
    keys: list[Any] = []
    searches: dict[Any, tuple[str, Reference, Sequence[Login]]] = {}
    outcomes: dict[Any, Found] = {}
    for image, credentials in wanted:
        key: Any = image
        try:
            reference = parse(image)
        except ValueError as error:
            outcomes[key] = Found(image, NOT_FOUND, message=f"The name of the image {error}.")
        else:
            key = reference.server, reference.repository, reference.version, repr(credentials)
            searches[key] = image, reference, credentials
        keys.append(key)
    network = Network(settings, concurrency)
    progress = Progress(settings.clock, write)

    def look_up_one(key: Any) -> None:
        image, reference, credentials = searches[key]
        server, repository = reached(reference, settings.addresses)
        names = (f"{reference.server}/{reference.repository}", f"{server}/{repository}")
        asked = reference._replace(server=server, repository=repository)
        inferred = server == public_name(reference.server) != reference.server
        results: list[Found] = []
        for index, of, header in _logins(credentials, names) or [(None, reference.server, {})]:
            session = Session(network, address(server), repository, header, of, inferred)
            found = Found(image, UNKNOWN, reached=f"{session.address}/{repository}", login=index)
            results.append(Lookup(session, asked, settings.platform).find(found, settings))
            if results[-1].outcome in (FOUND, UNKNOWN):
                break
        # the most specific login counts where none may read it
        outcomes[key] = results[-1 if results[-1].outcome == FOUND else 0]

    def tick() -> None:
        done = sum(key in outcomes for key in searches)
        progress.report(lambda: f"images: {done} of {len(searches)} checked in their registries")

    with contextlib.closing(network):
        for_each(list(searches), look_up_one, concurrency, tick)
    return [replace(outcomes[key], image=image) for key, (image, _credentials) in zip(keys, wanted)]


def _logins(credentials: Sequence[Login], names: Iterable[str]) -> list[tuple[int | None, str, Headers]]:
    """Return index, server and header of the logins for one of these names, the most specific ones first."""
    found: list[tuple[int | None, str, Headers]] = []
    for index, login in sorted(enumerate(credentials), key=lambda pair: -len(prefix(pair[1]["server"]))):
        if any(covers(prefix(login["server"]), name) for name in names):
            pair = f"{login['user_name']}:{login['password']}".encode("utf-8", "replace")
            header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            found.append((index, str(login["server"]), header))
    return found


def required_size(found: Iterable[Found], factor: float) -> int | None:
    """Return the size (GB) for these images: a multiple of their different compressed layers; None if not known."""
    layers: dict[str, int] = {}
    for one in found:
        if one.outcome != FOUND:
            return None
        layers.update(one.layers)
    return max(SMALLEST_GB, math.ceil(Fraction(str(factor)) * sum(layers.values()) / 10**9))
