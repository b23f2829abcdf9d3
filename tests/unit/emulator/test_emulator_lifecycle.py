# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime
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


def test_a_seeded_cache_may_be_old(api: Any, emulator: Emulator) -> None:
    old, new = (emulator.service.seed("x", ["a:1"], age=age) for age in (86400.0, 0.0))
    born = {cache["imageCacheId"]: datetime.fromisoformat(cache["creationTime"]) for cache in emulator.service.caches()}
    assert 86399 <= (born[new] - born[old]).total_seconds() <= 86401


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


def test_a_deletion_can_fail(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"delete_after": 10, "delete_fails": 2})
    identifier, other = api.created(), api.created()
    emulator.advance(2)
    assert api.delete(identifier).status_code == 200
    assert api.status(identifier) == "deleting"
    assert api.update(identifier, tags=[]).status_code == 409
    assert api.delete(identifier).status_code == 200
    emulator.advance(10)
    assert api.status(identifier) == "delete_failed"
    assert messages(api, identifier)[-2:] == [
        "[ImageCache] deleting",
        "[ImageCache] failed to delete: the disk is in use",
    ]
    assert api.update(identifier, tags=[]).status_code == 200
    api.delete(other)
    assert [record.effect for record in emulator.sent("deleteImageCache")] == [True, False, True]
    assert emulator.settings.delete_fails == 0
    api.delete(identifier)
    assert api.status(identifier) == "deleting"
    emulator.advance(10)
    assert api.get(identifier).status_code == 404
    assert api.status(other) == "delete_failed"


def test_a_deletion_can_fail_at_once(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"delete_fails": 1, "delete_failed_status": "Undead"})
    identifier = api.created(retentionDays=1)
    api.delete(identifier)
    assert api.status(identifier) == "Undead"
    assert emulator.service.caches()[0]["status"] == "Undead"
    assert messages(api, identifier)[-2:] == [
        "[ImageCache] deleting",
        "[ImageCache] failed to delete: the disk is in use",
    ]
    emulator.advance(86400)
    assert api.listed() == []


def test_the_words_can_be_others(api: Any, emulator: Emulator) -> None:
    emulator.settings.update(
        {
            "pending_status": "Creating",
            "ready_status": "Available",
            "failed_status": "Broken",
            "deleting_status": "Terminating",
            "delete_after": 10,
        }
    )
    good, bad = api.created(), api.created(images=["does-not-exist:1"])
    assert api.status(good) == api.status(bad) == "Creating"
    emulator.advance(2)
    assert (api.status(good), api.status(bad)) == ("Available", "Broken")
    assert messages(api, good)[-1] == "[ImageCache] ready"
    assert messages(api, bad)[-1] == "[ImageCache] failed"
    api.delete(good)
    assert api.status(good) == "Terminating"
    assert api.status(emulator.service.seed("seeded", ["a:1"])) == "Available"


def test_retention_ends(api: Any, emulator: Emulator) -> None:
    short, endless = api.created(retentionDays=1), api.created(retentionDays=0)
    emulator.advance(86399)
    assert api.get(short).status_code == 200
    emulator.advance(2)
    assert api.get(short).status_code == 404
    assert api.get(endless).status_code == 200
