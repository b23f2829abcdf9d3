# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests and indexes, whole, odd and hostile."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry import manifest as manifests
from ansible_collections.ctyun.eci.plugins.module_utils._registry.manifest import (
    MEDIA_TYPES,
    Entry,
    candidates,
    fits,
    platform_of,
)
from tests.emulator import images
from tests.emulator.images import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

DIGEST = "sha256:" + "a" * 64


def test_the_four_kinds_are_those_of_the_images_that_tests_make() -> None:
    assert set(MEDIA_TYPES) == {OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST}


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_an_image_has_layers_and_a_config(media_type: str) -> None:
    one = images.image([b"one", 10**9], media_type=media_type)
    found = manifests.read(one.content, f"{media_type.upper()}; charset=utf-8")
    assert found.media_type == media_type
    assert found.entries is None
    assert [size for _digest, size in found.layers] == [3, 10**9]
    assert found.layers[0][0] == images.digest_of(b"one")
    assert found.config in one.blobs
    assert platform_of(one.blobs[str(found.config)]) == "linux/amd64"


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_has_platforms(media_type: str) -> None:
    parts = [images.image([b"a"]), images.image([b"b"], "linux/arm64/v8"), images.attestation()]
    found = manifests.read(images.index(*parts, media_type=media_type).content, media_type)
    assert found.entries == (Entry(parts[0].digest, "linux/amd64"), Entry(parts[1].digest, "linux/arm64/v8"))


@pytest.mark.parametrize("content_type", ["", "application/json", "application/octet-stream", "text/plain"])
def test_what_the_document_says_counts_where_the_header_says_nothing(content_type: str) -> None:
    one = images.image()
    assert manifests.read(one.content, content_type).media_type == OCI_MANIFEST
    unsaid = {key: value for key, value in json.loads(one.content).items() if key != "mediaType"}
    assert manifests.read(json.dumps(unsaid).encode(), content_type).media_type == OCI_MANIFEST
    assert manifests.read(b'{"schemaVersion": 2, "manifests": []}', content_type).media_type == OCI_INDEX


def manifest(**changes: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": {}, "layers": [], **changes}).encode()


@pytest.mark.parametrize(
    ("content", "content_type", "why"),
    [
        (b"", OCI_MANIFEST, "not JSON"),
        (b"<html>", OCI_MANIFEST, "not JSON"),
        (b"\xff", OCI_MANIFEST, "not JSON"),
        (b"[" * 100_000, OCI_MANIFEST, "not JSON"),
        (b'{"x": ' + b"1" * 1_000_000 + b"}", OCI_MANIFEST, "no list of layers"),
        (b"[]", OCI_MANIFEST, "not a JSON object"),
        (b'{"schemaVersion": 2, "layers": []}', "", "its type is not supported"),
        (b'{"schemaVersion": 2, "config": {}}', "", "its type is not supported"),
        (b'{"schemaVersion": 3, "manifests": []}', "", "its type is not supported"),
        (b'{"manifests": []}', "", "its type is not supported"),
        (b'{"schemaVersion": 2, "mediaType": "x/y", "manifests": []}', "", "its type is not supported"),
        (b'{"schemaVersion": 2, "mediaType": 1, "manifests": []}', "", "its type is not supported"),
        (b"{}", "text/html", "its type is not supported"),
        (b'{"schemaVersion": 1, "fsLayers": []}', DOCKER_MANIFEST.replace("v2", "v1"), "its type is not supported"),
        (manifest(manifests=[]), OCI_MANIFEST, "at the same time"),
        (manifest(manifests=[]), OCI_INDEX, "at the same time"),
        (b'{"manifests": {}}', OCI_INDEX, "no list of manifests"),
        (b'{"manifests": [1]}', OCI_INDEX, "no list of manifests"),
        (b'{"manifests": [{"digest": "sha256:../../x"}]}', OCI_INDEX, "without a digest"),
        (b'{"layers": 1}', OCI_MANIFEST, "no list of layers"),
        (manifest(layers=[{"digest": DIGEST}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=[{"digest": DIGEST, "size": True}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=[{"digest": DIGEST, "size": -1}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=[{"digest": DIGEST, "size": 1.5}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=[{"digest": 1, "size": 1}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=[{"digest": DIGEST, "size": 10**18}]), OCI_MANIFEST, "a digest or a size"),
        (manifest(layers=["x"]), OCI_MANIFEST, "no list of layers"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, content_type: str, why: str) -> None:
    with pytest.raises(manifests.Unreadable, match=why):
        manifests.read(content, content_type)


OCI_CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST}
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


def layer(kind: str | None) -> dict[str, Any]:
    return {"digest": DIGEST, "size": 1, **({"mediaType": kind} if kind else {})}


@pytest.mark.parametrize(
    ("changes", "artifact"),
    [
        ({"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": DIGEST}}, "helm.config"),
        ({"config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": DIGEST}}, "oci.empty"),
        ({"config": {"mediaType": "application/vnd.oci.empty.v1+json"}, "artifactType": "application/x"}, "cation/x"),
        ({"config": OCI_CONFIG, "layers": [layer(SIGNATURE)]}, "cosign"),
    ],
)
def test_an_artifact_has_its_type_and_is_no_image(changes: dict[str, Any], artifact: str) -> None:
    assert artifact in str(manifests.read(manifest(**changes), OCI_MANIFEST).artifact)


@pytest.mark.parametrize(
    ("changes", "config"),
    [
        ({"config": {"mediaType": "application/octet-stream", "digest": DIGEST}}, None),
        ({"config": {"digest": DIGEST}}, None),
        ({"config": None}, None),
        (
            {"config": OCI_CONFIG, "layers": [layer("application/vnd.oci.image.layer.v1.tar+zstd"), layer("x/y")]},
            DIGEST,
        ),
        ({"config": OCI_CONFIG, "layers": [layer(None)]}, DIGEST),
        ({"config": OCI_CONFIG, "layers": []}, DIGEST),
    ],
)
def test_what_may_be_an_image_is_no_artifact(changes: dict[str, Any], config: str | None) -> None:
    """Old tools wrote general types for configs: then nothing is known."""
    found = manifests.read(manifest(**changes), OCI_MANIFEST)
    assert (found.artifact, found.config) == (None, config)


@pytest.mark.parametrize(
    "config", [b"{}", b'{"os": "linux"}', b'{"os": 1, "architecture": "x"}', b'{"os": "a b", "architecture": "x"}']
)
def test_a_config_may_have_no_platform(config: bytes) -> None:
    assert platform_of(config) is None


def test_an_index_may_have_indexes_and_artifacts() -> None:
    signature = {"digest": DIGEST, "artifactType": SIGNATURE}
    content = {"manifests": [{"digest": DIGEST, "mediaType": OCI_INDEX}, signature, {"digest": DIGEST}]}
    entries = manifests.read(json.dumps(content).encode(), OCI_INDEX).entries
    assert entries == (Entry(DIGEST), Entry(DIGEST))


@pytest.mark.parametrize(
    ("platforms", "wanted", "expected"),
    [
        (["linux/arm64", "linux/amd64"], "linux/amd64", [1]),
        (["linux/amd64/v3", "linux/amd64"], "linux/amd64", [1, 0]),
        (["linux/amd64/v3", "linux/amd64/v2"], "linux/amd64", [0, 1]),
        (["linux/arm64/v8"], "linux/arm64", [0]),
        (["linux/arm64"], "linux/arm64/v8", [0]),
        (["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7", [1]),
        (["linux/arm/v6"], "linux/arm/v7", []),
        ([None, "windows/amd64"], "linux/amd64", [0]),
        ([None, "linux/amd64/v2"], "linux/amd64", [1, 0]),
        (["windows/amd64"], "linux/amd64", []),
        (["linux/amd64x"], "linux/amd64", []),
        ([], "linux/amd64", []),
    ],
)
def test_the_images_that_may_be_for_a_platform(platforms: list[str | None], wanted: str, expected: list[int]) -> None:
    entries = [Entry(str(number), platform) for number, platform in enumerate(platforms)]
    assert candidates(entries, wanted) == [entries[number] for number in expected]
    assert all(fits(platforms[number] or wanted, wanted) for number in expected)


def test_digests_are_computed() -> None:
    assert manifests.digest_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
    assert manifests.digest_of(b"x", "sha512:0") == "sha512:" + hashlib.sha512(b"x").hexdigest()


def test_a_size_of_many_digits() -> None:
    size = 10**17  # of 18 digits
    assert manifests.read(manifest(layers=[{"digest": DIGEST, "size": size}]), OCI_MANIFEST).layers == ((DIGEST, size),)


def test_a_config_without_a_digest_is_none() -> None:
    assert manifests.read(manifest(config=OCI_CONFIG), OCI_MANIFEST).config == DIGEST
    found = manifests.read(manifest(config={**OCI_CONFIG, "digest": "sha256:../x"}), OCI_MANIFEST)
    assert (found.config, found.artifact) == (None, None)


@pytest.mark.parametrize(("variant", "expected"), [("", "linux/arm"), (None, "linux/arm"), ("v7", "linux/arm/v7")])
def test_a_variant_may_be_left_empty(variant: str | None, expected: str) -> None:
    assert platform_of(json.dumps({"os": "linux", "architecture": "arm", "variant": variant}).encode()) == expected
