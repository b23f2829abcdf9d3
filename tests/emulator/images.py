# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny images as a registry has them: blobs, manifests and indexes, in OCI's and in Docker's words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = {
    OCI_MANIFEST: "application/vnd.oci.image.config.v1+json",
    DOCKER_MANIFEST: "application/vnd.docker.container.image.v1+json",
}
_LAYER = {
    OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
    DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """A manifest or an index, and what it needs: ``blobs`` by digest, and the ``manifests`` of an index."""

    media_type: str
    content: bytes
    platform: str | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    manifests: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.content)


def image(
    layers: Iterable[bytes | int] = (b"layer",),
    platform: str = "linux/amd64",
    media_type: str = OCI_MANIFEST,
    config_type: str = "",
    layer_type: str = "",
    **more: Any,
) -> Image:
    """An image of one platform. A layer is its bytes, or a number: the size of one that only the manifest has.

    With other types of its config or its layers it is an artifact.
    """
    system, architecture, *variant = platform.split("/")
    config = {"os": system, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}, "config": {}}
    if variant:
        config["variant"] = variant[0]
    blobs = {}

    def described(content: bytes | int, kind: str) -> dict[str, Any]:
        if isinstance(content, int):
            return {"mediaType": kind, "size": content, "digest": digest_of(f"a layer of {content} bytes".encode())}
        blobs[digest_of(content)] = content
        return {"mediaType": kind, "size": len(content), "digest": digest_of(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": described(json.dumps(config).encode(), config_type or _CONFIG[media_type]),
        "layers": [described(layer, layer_type or _LAYER[media_type]) for layer in layers],
        **more,
    }
    return Image(media_type, json.dumps(manifest).encode(), platform, blobs)


def index(*images: Image, media_type: str = OCI_INDEX, platform: str | None = None, **more: Any) -> Image:
    """An index of images of several platforms, or of such indexes, each for its ``platform``."""

    def entry(one: Image) -> dict[str, Any]:
        described: dict[str, Any] = {"mediaType": one.media_type, "size": len(one.content), "digest": one.digest}
        if one.platform:
            described["platform"] = dict(zip(("os", "architecture", "variant"), one.platform.split("/"), strict=False))
        return described

    content = {"schemaVersion": 2, "mediaType": media_type, "manifests": [entry(one) for one in images], **more}
    return Image(media_type, json.dumps(content).encode(), platform, {}, images)


def attestation() -> Image:
    """What builders put beside an image: an account of how it was made, for no platform."""
    made = image([b"an account"])
    return Image(made.media_type, made.content, "unknown/unknown", made.blobs)


def push(session: Any, url: str, repository: str, tag: str, one: Image) -> None:
    """Put an image into any registry, by the HTTP API and a session of requests that may have a login."""
    for part in one.manifests:
        push(session, url, repository, part.digest, part)
    for digest, content in one.blobs.items():
        begun = session.post(f"{url}/v2/{repository}/blobs/uploads/")
        begun.raise_for_status()
        joint = "&" if "?" in begun.headers["Location"] else "?"
        done = session.put(
            f"{begun.headers['Location']}{joint}digest={digest}",
            data=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        done.raise_for_status()
    put = session.put(
        f"{url}/v2/{repository}/manifests/{tag}", data=one.content, headers={"Content-Type": one.media_type}
    )
    put.raise_for_status()
