# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries on this machine, and lookups in them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry import client
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Found, look_up
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import Settings
from tests.emulator import Registry, images

PASSWORD = "planted-secret-of-alice"

MakeRegistry = Callable[..., Registry]
LookUp = Callable[..., list[Found]]


def login(server: str, password: str = PASSWORD) -> dict[str, str]:
    return {"server": server, "user_name": "alice", "password": password}


def forget() -> None:
    """Forget what this process knows of manifests."""
    client._manifests.clear()
    client._platforms.clear()


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """No test knows what another one has read."""
    forget()


@pytest.fixture
def make_registry() -> Iterator[MakeRegistry]:
    """Start a registry that has team/app:1 for amd64 and arm64, and a user alice."""
    with ExitStack() as stack:

        def make(kind: Any = "none", **settings: Any) -> Registry:
            registry = stack.enter_context(Registry(kind, **{"users": {"alice": PASSWORD}, **settings}))
            parts = (images.image([b"shared", b"amd64"]), images.image([b"shared", b"arm64"], "linux/arm64"))
            registry.add("team/app", "1", images.index(*parts, images.attestation()))
            return registry

        yield make


@pytest.fixture
def find() -> LookUp:
    """Look up images of a registry by what stands after its address, with short patience."""

    def found(registry: Registry, *names: str, credentials: Any = (), concurrency: int = 8, **settings: Any) -> Any:
        known = {"ca_path": registry.ca_file, "timeout": 5.0, "retries": 0, **settings}
        whole = [one if "://" in one or "." in one.split("/")[0] else f"{registry.address}/{one}" for one in names]
        write = known.pop("write", None)
        return look_up([(one, credentials) for one in whole], Settings(**known), concurrency, write)

    return found


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, connecting is refused
        yield taken.getsockname()[1]
