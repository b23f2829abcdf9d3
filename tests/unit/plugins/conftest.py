# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator in this process, and clients of it that never really sleep."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from tests.emulator import Emulator, Proxy
from tests.unit.plugins.emulated import MakeClient

# What would change how a client connects, were it set where the tests run.
_PREFIXES = ("CTYUN_", "CTAPI_")
_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle", "netrc")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.lower() in _NAMES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _private_folder_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Locks of this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    """The emulator in its first state."""
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def sleeps() -> list[float]:
    """The pauses that the clients of this test made, in seconds, none of them real."""
    return []


@pytest.fixture
def make_client(emulator: Emulator, sleeps: list[float]) -> Iterator[MakeClient]:
    """Make a client of the emulator. Overrides are fields of Connection or Clock, or keyword arguments of Client."""

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        emulator.advance(seconds)
        emulator.settings.clock_offset += seconds  # by which it checks signatures

    with ExitStack() as stack:

        def make(**overrides: Any) -> Client:
            fields: dict[str, Any] = {
                "access_key": emulator.settings.access_key,
                "secret_key": emulator.settings.secret_key,
                "region_id": emulator.settings.region_id,
                "endpoint": emulator.url,
                "verify": True,
                "timeout": 10.0,
                "retries": 3,
                "retry_max_delay": 30.0,
            }
            fields.update((name, overrides.pop(name)) for name in list(overrides) if name in fields)
            times = ("sleep", "monotonic", "time")
            clock = Clock(sleep, lambda: sum(sleeps), lambda: time.time() + sum(sleeps))._replace(
                **{name: overrides.pop(name) for name in times if name in overrides}
            )
            transport = Transport(Connection(**fields), pool_size=overrides.pop("pool_size", 1))
            stack.callback(transport.close)
            return Client(transport, **{"clock": clock, **overrides})

        yield make


@pytest.fixture
def proxied(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy between the emulator and the clients that are made after this."""
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        yield proxy


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()
