# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.emulator import Emulator, Fault, Settings
from tests.emulator.background import Background


def test_environment() -> None:
    with Emulator(Settings(region_id="here"), access_key="mine") as emulator:
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
    emulator.settings.region_id = "there"
    emulator.reset()
    assert emulator.settings.region_id == "here"


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="no such setting: other"):
        Emulator(other=1)


def test_stop_and_start_again_on_the_same_port() -> None:
    emulator = Emulator()
    with emulator:
        url = emulator.url
        assert requests.get(f"{url}/_emulator/usage", timeout=5).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    with emulator:
        assert emulator.url == url
        assert requests.get(f"{url}/_emulator/usage", timeout=5).status_code == 200


def test_a_port_in_use(emulator: Emulator) -> None:
    with pytest.raises(OSError, match="address already in use"):
        Emulator(port=int(emulator.url.rpartition(":")[2])).start()


def test_an_error_in_the_servers_thread_comes_back() -> None:
    async def nothing() -> None:
        pass

    def fail() -> None:
        raise KeyError("why")

    background = Background("test", nothing, nothing)
    background.stop()
    background.start()
    with pytest.raises(KeyError, match="why"):
        background.call(fail)
    background.stop()


def test_stopping_does_not_wait_for_held_requests() -> None:
    with Emulator() as emulator:
        emulator.inject(Fault("hang"))
        emulator.settings.latency = 30
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{emulator.url}/eci/api/v1/region", timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 1


def test_connections(api: Any, emulator: Emulator) -> None:
    for _number in range(3):
        api.send("GET", "region")
    assert emulator.connections == 1


def test_latency(api: Any, emulator: Emulator) -> None:
    emulator.settings.latency = 0.1
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda _number: api.send("GET", "region"), range(10)))
    assert {response.status_code for response in responses} == {200}
    assert 0.1 <= time.monotonic() - started < 0.9


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


def test_many_threads(api: Any, emulator: Emulator) -> None:
    with ThreadPoolExecutor(8) as pool:
        identifiers = set(pool.map(lambda number: api.created(imageCacheName=f"n{number}"), range(100)))
    assert len(identifiers) == len(emulator.service.caches()) == 100
    assert [record.index for record in emulator.requests] == list(range(100))
