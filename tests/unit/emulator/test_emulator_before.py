# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator, Fault, Record


def test_something_can_happen_between_two_pages(api: Any, emulator: Emulator) -> None:
    first = emulator.service.seed("cache-0", ["a:1"])
    emulator.service.seed("cache-1", ["a:1"])
    emulator.service.seed("cache-2", ["a:1"])

    def between(record: Record) -> None:
        if record.operation == "describeImageCaches" and record.body.get("nextToken"):
            emulator.service.remove(first)

    emulator.before = between
    value = api.find(limit=1).json()["returnObj"]
    assert api.listed(limit=1, nextToken=value["nextToken"]) == ["cache-2"]


def test_the_clock_can_be_advanced_and_faults_injected(api: Any, emulator: Emulator) -> None:
    identifier = api.created()
    emulator.before = lambda _record: emulator.advance(2)
    assert api.status(identifier) == "ready"
    emulator.before = lambda _record: emulator.inject(Fault("status"))
    assert api.get(identifier).status_code == 503


def test_it_hears_of_what_is_performed_only(api: Any, emulator: Emulator) -> None:
    heard: list[Record] = []
    emulator.before = heard.append
    api.send("GET", "region", secret_key="other")
    api.control("GET", "usage")
    api.send("GET", "region")
    assert heard == emulator.sent()[1:]
    emulator.reset()
    assert emulator.before is None
    assert api.send("GET", "region").status_code == 200
    assert len(heard) == 1


def test_it_cannot_reset(api: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    emulator.before = lambda _record: emulator.reset()
    assert api.send("GET", "region").status_code == 500
    assert "would wait for itself" in caplog.text
