# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulator import Emulator, Fault
from tests.emulator.__main__ import main


def test_environment_and_settings() -> None:
    with Emulator(region_id="here", access_key="mine") as emulator:
        assert emulator.url.startswith("http://127.0.0.1:")
        assert emulator.environment == {
            "CTYUN_ECI_ENDPOINT": emulator.url,
            "CTYUN_AK": "mine",
            "CTYUN_SK": emulator.settings.secret_key,
            "CTYUN_REGION_ID": "here",
        }
        emulator.settings.region_id = "there"
        emulator.reset()
        assert emulator.settings.region_id == "here"
    with pytest.raises(ValueError, match="no such setting: other"):
        Emulator(other=1)


def test_stopping_does_not_wait_and_a_start_keeps_the_port() -> None:
    emulator = Emulator()
    with emulator:
        url = emulator.url
        emulator.inject(Fault("hang"))
        emulator.settings.latency = 30
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/eci/api/v1/region", timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 1
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    with emulator:
        assert emulator.url == url
        assert requests.get(f"{url}/_emulator/usage", timeout=5).status_code == 200


def test_many_threads_and_latency(api: Any, emulator: Emulator) -> None:
    emulator.settings.latency = 0.1
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        identifiers = set(pool.map(lambda number: api.created(imageCacheName=f"n{number}"), range(20)))
    assert 0.2 <= time.monotonic() - started < 1.5
    assert len(identifiers) == len(emulator.service.caches()) == 20
    assert [record.index for record in emulator.requests] == list(range(20))


def test_a_request_under_way_does_not_reach_past_a_reset(api: Any, emulator: Emulator) -> None:
    emulator.settings.latency = 0.1
    failures: list[BaseException] = []

    def create() -> None:
        try:
            api.create()
        except requests.ConnectionError as error:
            failures.append(error)

    thread = threading.Thread(target=create)
    thread.start()
    while not emulator.requests:
        time.sleep(0.005)
    emulator.reset()
    thread.join(5)
    assert len(failures) == 1
    assert (emulator.requests, emulator.service.caches()) == ([], [])


class TestTls:
    @pytest.fixture
    def emulator(self, secure_emulator: Emulator) -> Emulator:
        secure_emulator.reset()
        return secure_emulator

    def test_it_works_as_without(self, api: Any, emulator: Emulator) -> None:
        assert emulator.url.startswith("https://127.0.0.1:")
        assert emulator.environment["REQUESTS_CA_BUNDLE"] == emulator.ca_file
        assert api.listed() == []
        assert api.created()
        assert api.control("GET", "usage").json()["connections"] == emulator.connections == 1

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
    def test_it_takes_tls_1_3(self, emulator: Emulator, name: str) -> None:
        context = ssl.create_default_context(cafile=emulator.ca_file)
        with socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port), timeout=5) as connection:
            with context.wrap_socket(connection, server_hostname=name) as secure:
                assert secure.version() == "TLSv1.3"
        with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
            requests.get(f"{emulator.url}/_emulator/usage", timeout=5)

    @pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
    def test_not_tls(self, api: Any, emulator: Emulator, when: str, effect: bool) -> None:
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
    def test_no_whole_reply(self, api: Any, emulator: Emulator, fault: Fault) -> None:
        emulator.inject(fault)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            api.create()
        assert api.listed() == []

    def test_the_certificate_goes_with_the_emulator(self) -> None:
        with Emulator(tls=True) as emulator:
            ca_file = Path(str(emulator.ca_file))
            assert ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert not ca_file.parent.exists()
        assert emulator.ca_file is None

    def test_without_trustme(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setitem(sys.modules, "trustme", None)
        with pytest.raises(SystemExit) as ended:
            main(["--tls"])
        assert ended.value.code == 1
        assert "TLS needs the Python package trustme" in capsys.readouterr().err
