# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read manifests and indexes of images, in OCI's and in Docker's form. Pure; private to the collection."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Iterable, Iterator, NamedTuple, Tuple

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
_INDEXES = (OCI_INDEX, DOCKER_LIST)
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
# Types of configs that say nothing: old tools wrote them for images as well.
_GENERAL = ("", "application/octet-stream", "application/json", "text/plain")
_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")

_DIGEST = re.compile("[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-zA-Z=_-]{32,256}")
_WORD = re.compile("[A-Za-z0-9_.-]{1,64}")
# The platform of signatures and attestations, which stand beside the images.
_UNKNOWN = "unknown/unknown"

Layers = Tuple[Tuple[str, int], ...]


class Unreadable(ValueError):
    """A document is not a manifest of a supported type."""


class Entry(NamedTuple):
    """One image, or one index, of an index; ``platform`` is None if the index does not name it."""

    digest: str
    platform: str | None = None


class Manifest(NamedTuple):
    """An index has ``entries``; an image has ``layers`` with their sizes in bytes, and the digest of its ``config``.

    ``artifact`` is the type of what is certainly no image, for example a Helm chart or a signature.
    """

    media_type: str
    entries: tuple[Entry, ...] | None = None
    layers: Layers = ()
    config: str | None = None
    artifact: str | None = None


def read(content: bytes, content_type: str) -> Manifest:
    """Return the manifest in a reply. Raises Unreadable."""
    document = json_object(content)
    media_type = _media_type(document, content_type)
    is_index = media_type in _INDEXES
    if ("layers" if is_index else "manifests") in document:
        raise Unreadable("it is an image and an index at the same time")
    if is_index:
        return Manifest(media_type, tuple(_entries(document.get("manifests"))))
    layers = tuple(_layers(document.get("layers")))
    config = document["config"] if isinstance(document.get("config"), dict) else {}
    if config.get("mediaType") in _CONFIGS and _is_digest(config.get("digest")):
        kinds = [layer.get("mediaType") for layer in document["layers"]]  # those of a signature are none of an image
        is_image = not kinds or any(map(_is_layer, kinds))
        return Manifest(media_type, None, layers, config["digest"], None if is_image else str(kinds[0]))
    kind = document.get("artifactType") or config.get("mediaType") or ""
    is_artifact = isinstance(kind, str) and kind not in (*_GENERAL, *_CONFIGS)
    return Manifest(media_type, None, layers, None, kind if is_artifact else None)


def platform_of(content: bytes) -> str | None:
    """Return the platform in the config of an image, None without one. Raises Unreadable."""
    return _platform(json_object(content))


def candidates(entries: Iterable[Entry], platform: str) -> list[Entry]:
    """Return the entries that may hold the image for a platform, the likeliest first: those for exactly that, those for
    a variant of it, those whose platform is not named.
    """
    fitting = [entry for entry in entries if not entry.platform or fits(entry.platform, platform)]
    return sorted(fitting, key=lambda entry: len(entry.platform) if entry.platform else 1000)


def fits(platform: str, wanted: str) -> bool:
    """Return whether an image for a platform runs on the wanted one: it is the same, or a variant of it."""
    wanted = wanted[: -len("/v8")] if wanted.endswith("arm64/v8") else wanted  # which all of arm64 is
    return platform == wanted or platform.startswith(f"{wanted}/")


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """Return the digest of these bytes, by the algorithm of another digest."""
    algorithm = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def json_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, with all numbers as floats. Raises Unreadable."""
    try:
        document = json.loads(content.decode("utf-8"), parse_int=float)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    return document


def _media_type(document: dict[str, Any], content_type: str) -> str:
    """Return the type in the header or, where that is a general one, the type that the document names or has."""
    for named in (content_type.partition(";")[0].strip().lower(), document.get("mediaType")):
        if named in MEDIA_TYPES:
            return str(named)
    if document.get("schemaVersion") == 2 and document.get("mediaType") is None:
        if "manifests" in document:
            return OCI_INDEX
        if "layers" in document and "config" in document:
            return OCI_MANIFEST
    raise Unreadable("its type is not supported")


def _entries(found: Any) -> Iterator[Entry]:
    for item in _objects(found, "manifests"):
        if not _is_digest(item.get("digest")):
            raise Unreadable("it names an image without a digest")
        platform = _platform(item.get("platform"))
        if platform != _UNKNOWN and not item.get("artifactType"):
            yield Entry(item["digest"], platform)


def _layers(found: Any) -> Iterator[tuple[str, int]]:
    for item in _objects(found, "layers"):
        size = item.get("size")
        if not isinstance(size, float) or not 0 <= size < 1e18 or size % 1 or not _is_digest(item.get("digest")):
            raise Unreadable("it names a layer without a digest or a size")
        yield item["digest"], int(size)


def _objects(found: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Unreadable(f"it has no list of {what}")
    return found


def _platform(found: Any) -> str | None:
    if not isinstance(found, dict):
        return None
    words = [found.get("os"), found.get("architecture"), *([found["variant"]] if found.get("variant") else [])]
    return "/".join(words) if all(isinstance(word, str) and _WORD.fullmatch(word) for word in words) else None


def _is_layer(media_type: Any) -> bool:
    return not media_type or (isinstance(media_type, str) and media_type.startswith(_LAYERS))


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
