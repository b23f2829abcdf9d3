# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulator import Emulator, Fault
from tests.emulator.__main__ import main

from .conftest import Client


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[Emulator]:
    with Emulator(tls=True) as emulator:
        yield emulator


@pytest.fixture
def api(emulator: Emulator) -> Client:
    client = Client(emulator)
    client._session.verify = emulator.ca_file
    return client


def connected(emulator: Emulator, name: str = "127.0.0.1") -> ssl.SSLSocket:
    connection = socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5)
    return ssl.create_default_context(cafile=emulator.ca_file).wrap_socket(connection, server_hostname=name)


def test_it_works_as_without(api: Any, emulator: Emulator) -> None:
    assert emulator.url.startswith("https://127.0.0.1:")
    assert emulator.environment["REQUESTS_CA_BUNDLE"] == emulator.ca_file
    identifier = api.created()
    emulator.advance(2)
    assert api.status(identifier) == "ready"
    assert api.control("GET", "usage").json()["connections"] == emulator.connections == 1


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_it_speaks_tls_1_3(emulator: Emulator, name: str) -> None:
    with connected(emulator, name) as connection:
        assert connection.version() == "TLSv1.3"


def test_nobody_else_trusts_it(emulator: Emulator) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
        requests.get(f"{emulator.url}/_emulator/usage", timeout=5)


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_not_tls(api: Any, emulator: Emulator, when: str, effect: bool) -> None:
    emulator.inject(Fault("not_tls", "createImageCache", when=when))
    with pytest.raises(requests.exceptions.SSLError):
        api.create()
    assert len(emulator.service.caches()) == effect
    assert api.create().status_code == 200


@pytest.mark.parametrize(
    "fault",
    [Fault("reset"), Fault("reset", clean=True), Fault("hang", seconds=0.01), Fault("truncate"), Fault("late")],
    ids=repr,
)
def test_no_whole_answer(api: Any, emulator: Emulator, fault: Fault) -> None:
    emulator.inject(fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.create()
    assert api.listed() == []


@pytest.mark.parametrize("kind", ["trickle", "drip_headers", "drip_chunks"])
def test_slow_and_good(api: Any, emulator: Emulator, kind: str) -> None:
    emulator.inject(Fault(kind, interval=0, when="after"))
    assert api.create().json()["statusCode"] == 200
    assert emulator.connections == 1


def test_not_tls_needs_tls() -> None:
    plain = Emulator()
    with pytest.raises(ValueError, match="needs an emulator with TLS"):
        plain.inject(Fault("reset"), Fault("not_tls"))
    assert len(plain.faults) == 0
    assert plain.ca_file is None


def test_stopping_closes_connections_and_removes_the_file() -> None:
    emulator = Emulator(tls=True)
    with emulator:
        ca_file = Path(str(emulator.ca_file))
        assert ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
        connection = connected(emulator)
        connection.sendall(b"GET /_emulator/usage HTTP/1.1\r\nHost: emulator\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    with connection:
        assert connection.recv(65536) == b""
    assert not ca_file.parent.exists()
    assert emulator.ca_file is None
    url = emulator.url
    with emulator:
        assert emulator.url == url
        assert requests.get(f"{url}/_emulator/usage", timeout=5, verify=emulator.ca_file).status_code == 200


def test_a_port_in_use(emulator: Emulator) -> None:
    other = Emulator(port=int(emulator.url.rpartition(":")[2]), tls=True)
    with pytest.raises(OSError, match="address already in use"):
        other.start()
    assert other.ca_file is None


def test_without_trustme(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match="TLS needs the Python package trustme"):
        Emulator(tls=True).start()
    with pytest.raises(SystemExit) as ended:
        main(["--tls"])
    assert ended.value.code == 1
    assert "TLS needs the Python package trustme" in capsys.readouterr().err
