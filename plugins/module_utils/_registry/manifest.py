# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What manifests and indexes of images say, in OCI's and in Docker's words. Private to the collection."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Iterable, Tuple

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
_INDEXES = (OCI_INDEX, DOCKER_LIST)
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")

_DIGEST = re.compile("[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-zA-Z=_-]{32,256}")
_WORD = re.compile("[A-Za-z0-9_.-]{1,64}")
# More digits than any size has, and fewer than take long to read.
_DIGITS = 18
# What has no platform: a signature or an account of how an image was built, beside the images.
_UNKNOWN = "unknown/unknown"

Layers = Tuple[Tuple[str, int], ...]


class Unreadable(ValueError):
    """What a registry sent is none of the four kinds of manifests."""


@dataclass(frozen=True)
class Entry:
    """One image of an index; ``platform`` is None if the index does not tell it."""

    digest: str
    platform: str | None


@dataclass(frozen=True)
class Manifest:
    """What a tag or a digest stands for: an index has ``entries``, an image has ``layers`` and a ``config``."""

    media_type: str
    entries: tuple[Entry, ...] | None = None
    layers: Layers = ()
    config: str | None = None

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that an index names, each once."""
        named = (entry.platform for entry in self.entries or ())
        return tuple(dict.fromkeys(name for name in named if name))


def read(content: bytes, content_type: str) -> Manifest:
    """The manifest in a reply. Raises Unreadable."""
    document = _object(content)
    media_type = _media_type(document, content_type)
    is_index = media_type in _INDEXES
    if ("layers" if is_index else "manifests") in document:
        raise Unreadable("it is an image and an index at the same time")
    if is_index:
        return Manifest(media_type, tuple(_entries(document.get("manifests"))))
    return Manifest(media_type, None, tuple(_layers(document.get("layers"))), _config(document.get("config")))


def platform_of(content: bytes) -> str | None:
    """The platform that the config of an image names, if it does. Raises Unreadable."""
    return _platform(_object(content))


def pick(entries: Iterable[Entry], platform: str) -> Entry | None:
    """The image of an index for a platform: one that is for exactly that, one for any variant of it, one that may be."""
    wanted = _usual(platform)
    whole, general = [], []
    for entry in entries:
        named = _usual(entry.platform) if entry.platform else None
        if named == wanted:
            whole.append(entry)
        elif named is None or named.startswith(f"{wanted}/"):
            general.append(entry)
    general.sort(key=lambda entry: entry.platform is None)
    return next(iter(whole + general), None)


def is_for(named: str, platform: str) -> bool:
    """Whether what is for one platform runs where the other is asked for."""
    return pick([Entry("", named)], platform) is not None


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """The digest of these bytes, by the algorithm that another digest has."""
    algorithm = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _usual(platform: str) -> str:
    """All of arm64 is of variant v8, which is written or not."""
    return platform[: -len("/v8")] if platform.endswith("arm64/v8") else platform


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8"), parse_int=_integer)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    return document


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("too large a number")
    return int(digits)


def _media_type(document: dict[str, Any], content_type: str) -> str:
    """What the header says or, where that is a type of anything, what the document says of itself."""
    said = content_type.partition(";")[0].strip().lower()
    if said in MEDIA_TYPES:
        return said
    inner = document.get("mediaType")
    if inner in MEDIA_TYPES:
        return str(inner)
    if document.get("schemaVersion") == 2 and inner is None:
        if "manifests" in document:
            return OCI_INDEX
        if "layers" in document and "config" in document:
            return OCI_MANIFEST
    if document.get("schemaVersion") == 1:
        raise Unreadable("it is of Docker's first schema, which tells no sizes")
    raise Unreadable("it is none of the four kinds of manifests")


def _entries(found: Any) -> Iterable[Entry]:
    if not isinstance(found, list):
        raise Unreadable("it has no list of manifests")
    for item in found:
        if not isinstance(item, dict) or not _is_digest(item.get("digest")):
            raise Unreadable("it names an image without a digest")
        if item.get("mediaType") in _INDEXES:
            continue
        platform = _platform(item.get("platform"))
        if platform != _UNKNOWN:
            yield Entry(item["digest"], platform)


def _layers(found: Any) -> Iterable[tuple[str, int]]:
    if not isinstance(found, list):
        raise Unreadable("it has no list of layers")
    for item in found:
        size = item.get("size") if isinstance(item, dict) else None
        if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not _is_digest(item.get("digest")):
            raise Unreadable("it names a layer without a digest or a size")
        yield item["digest"], size


def _config(found: Any) -> str | None:
    """The digest of the config, if it is one of an image."""
    if isinstance(found, dict) and found.get("mediaType") in _CONFIGS and _is_digest(found.get("digest")):
        return str(found["digest"])
    return None


def _platform(found: Any) -> str | None:
    if not isinstance(found, dict):
        return None
    words = [found.get("os"), found.get("architecture")]
    if found.get("variant"):
        words.append(found["variant"])
    if not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
        return None
    return "/".join(map(str, words))


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
