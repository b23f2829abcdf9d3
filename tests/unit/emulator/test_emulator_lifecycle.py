# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from tests.emulator import Emulator


def messages(api: Any, identifier: str) -> list[str]:
    return [event["message"] for event in api.get(identifier).json()["returnObj"]["events"]]


def test_a_cache_becomes_ready(api: Any, emulator: Emulator) -> None:
    emulator.settings.ready_after = 100
    identifier = api.created()
    assert api.status(identifier) == "pending"
    assert messages(api, identifier) == [
        "[ImageCache] created",
        "[ImageCache] init",
        "[ImageCache] creating resource",
    ]
    emulator.advance(30)
    assert api.status(identifier) == "pending"
    assert messages(api, identifier)[-1].startswith("[ImageCache] create disk order:")
    emulator.advance(70)
    assert api.status(identifier) == "ready"
    assert messages(api, identifier)[-2:] == [
        "[ImageCache] pulled image nginx:latest",
        "[ImageCache] ready",
    ]


def test_a_cache_can_be_ready_at_once(api: Any, emulator: Emulator) -> None:
    emulator.settings.ready_after = 0
    assert api.status(api.created()) == "ready"


def test_a_cache_fails(api: Any, emulator: Emulator) -> None:
    identifier = api.created(images=["nginx:latest", "does-not-exist:1"])
    assert api.status(identifier) == "pending"
    emulator.advance(2)
    value = api.get(identifier).json()["returnObj"]
    assert value["status"] == "failed"
    warnings = [event["message"] for event in value["events"] if event["type"] == "Warning"]
    assert warnings[0] == "[ImageCache] failed to pull image does-not-exist:1: not found"


def test_a_seeded_cache_keeps_its_status(api: Any, emulator: Emulator) -> None:
    for status in ("ready", "pending", "failed", "Creating"):
        identifier = emulator.service.seed("x", ["a:1"], status=status)
        emulator.advance(1000)
        assert api.status(identifier) == status


def test_a_deletion_can_take_time(api: Any, emulator: Emulator) -> None:
    emulator.settings.delete_after = 10
    identifier = api.created()
    assert api.delete(identifier).status_code == 200
    assert api.status(identifier) == "deleting"
    assert api.listed() == ["base"]
    assert api.update(identifier, tags=[]).status_code == 409
    assert api.delete(identifier).status_code == 200
    assert [record.effect for record in emulator.sent("deleteImageCache")] == [True, False]
    emulator.settings.delete_again = "conflict"
    assert api.delete(identifier).status_code == 409
    emulator.advance(10)
    assert api.get(identifier).status_code == 404
    assert api.listed() == []


def test_retention_ends(api: Any, emulator: Emulator) -> None:
    short, endless = api.created(retentionDays=1), api.created(retentionDays=0)
    emulator.advance(86399)
    assert api.get(short).status_code == 200
    emulator.advance(2)
    assert api.get(short).status_code == 404
    assert api.get(endless).status_code == 200
