# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registries that the guides and examples name: Docker Hub, and one of CTYun."""

from __future__ import annotations

from . import images
from .registry import Registry

MB = 1_000_000
BASE, RUNTIME = 180 * MB, 420 * MB
CTYUN = "registry-crs-huadong1.ctyun.cn"
# Of the user testuser, in the environment as REGISTRY_PASSWORD.
PASSWORD = "planted-password"


def documented(password: str) -> Registry:
    """Docker Hub with nginx and a registry of CTYun with images of x-eci, of which only the latter take a login."""
    return Registry(
        "bearer",
        tls=True,
        names={**dict.fromkeys(("registry-1.docker.io", CTYUN), "registry"), "auth.docker.io": "realm"},
        users={"testuser": password},
        public=("library/nginx",),
    )


def fill(registry: Registry) -> None:
    """Have the images of the guides."""
    nginx = images.image([28 * MB, 44 * MB]), images.image([27 * MB, 43 * MB], "linux/arm64/v8"), images.attestation()
    registry.add("library/nginx", "1.29", images.index(*nginx))
    registry.add("x-eci/base", "latest", images.image([BASE, RUNTIME], media_type=images.DOCKER_MANIFEST))
    registry.add("x-eci/train", "7", images.image([BASE, RUNTIME, 8_300 * MB], media_type=images.DOCKER_MANIFEST))
    registry.add("x-eci/edge", "1", images.image([BASE], "linux/arm64", media_type=images.DOCKER_MANIFEST))
