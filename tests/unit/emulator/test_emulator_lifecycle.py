# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.emulator import Emulator, Fault


def messages(api: Any, identifier: str) -> list[str]:
    return [event["message"] for event in api.get(identifier).json()["returnObj"]["events"]]


def test_a_cache_becomes_ready(api: Any, emulator: Emulator) -> None:
    emulator.settings.ready_after = 100
    identifier = api.created()
    assert api.status(identifier) == "pending"
    assert messages(api, identifier) == ["[ImageCache] created", "[ImageCache] init", "[ImageCache] creating resource"]
    emulator.advance(30)
    assert messages(api, identifier)[-1].startswith("[ImageCache] create disk order:")
    emulator.advance(70)
    assert api.status(identifier) == "ready"
    assert messages(api, identifier)[-2:] == ["[ImageCache] pulled image nginx:latest", "[ImageCache] ready"]


def test_a_cache_fails(api: Any, emulator: Emulator) -> None:
    identifier = api.created(images=["nginx:latest", "does-not-exist:1"])
    assert api.status(identifier) == "pending"
    emulator.advance(2)
    value = api.get(identifier).json()["returnObj"]
    assert value["status"] == "failed"
    warnings = [event["message"] for event in value["events"] if event["type"] == "Warning"]
    assert warnings[0] == "[ImageCache] failed to pull image does-not-exist:1: not found"


def test_a_seeded_cache_has_an_age_and_keeps_its_status(api: Any, emulator: Emulator) -> None:
    for status in ("ready", "pending", "failed", "Creating"):
        identifier = emulator.service.seed("x", ["a:1"], status=status)
        emulator.advance(1000)
        assert api.status(identifier) == status
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
    emulator.settings.update({"delete_after": 10, "delete_fails": 1})
    identifier = api.created()
    assert api.delete(identifier).status_code == api.delete(identifier).status_code == 200
    assert api.status(identifier) == "deleting"
    emulator.advance(10)
    assert api.status(identifier) == "delete_failed"
    assert messages(api, identifier)[-1] == "[ImageCache] failed to delete: the disk is in use"
    assert api.update(identifier, tags=[]).status_code == 200
    assert emulator.settings.delete_fails == 0
    api.delete(identifier)
    assert api.status(identifier) == "deleting"
    emulator.advance(10)
    assert api.get(identifier).status_code == 404
    emulator.settings.update({"delete_after": 0, "delete_fails": 1})
    identifier = api.created()
    api.delete(identifier)
    assert api.status(identifier) == "delete_failed"


def test_the_statuses_can_have_other_names(api: Any, emulator: Emulator) -> None:
    names = {
        "pending": "Creating",
        "ready": "Available",
        "failed": "Broken",
        "deleting": "Going",
        "delete_failed": "Undead",
    }
    emulator.settings.update({f"{word}_status": name for word, name in names.items()})
    emulator.settings.update({"delete_after": 10, "delete_fails": 1})
    good, bad = api.created(), api.created(images=["does-not-exist:1"])
    assert api.status(good) == api.status(bad) == "Creating"
    emulator.advance(2)
    assert (api.status(good), api.status(bad)) == ("Available", "Broken")
    assert messages(api, good)[-1] == "[ImageCache] ready"
    assert messages(api, bad)[-1] == "[ImageCache] failed"
    api.delete(good)
    assert api.status(good) == "Going"
    emulator.advance(10)
    assert api.status(good) == "Undead"
    assert api.status(emulator.service.seed("seeded", ["a:1"])) == "Available"


def test_retention_ends(api: Any, emulator: Emulator) -> None:
    short, endless = api.created(retentionDays=1), api.created(retentionDays=0)
    emulator.advance(86399)
    assert api.get(short).status_code == 200
    emulator.advance(2)
    assert api.get(short).status_code == 404
    assert api.get(endless).status_code == 200


def create_late(api: Any, emulator: Emulator, **fields: Any) -> None:
    emulator.inject(Fault("late", "createImageCache", seconds=60))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.create(**fields)


def test_late_operations_take_place_in_their_order(api: Any, emulator: Emulator) -> None:
    for name in ("one", "two"):
        create_late(api, emulator, imageCacheName=name)
    first = emulator.requests[0]
    assert (first.status, first.effect) == ("fault:late", False)
    emulator.advance(59)
    assert (api.listed(), first.effect) == ([], False)
    emulator.advance(2)
    emulator.service.seed("three", ["a:1"])
    assert (api.listed(), first.effect) == (["one", "two", "three"], True)
    emulator.inject(Fault("late", seconds=0.05))
    with pytest.raises(requests.ConnectionError):
        api.create()
    time.sleep(0.06)  # real time counts, too
    assert len(emulator.service.caches()) == 4


def test_a_late_operation_takes_place_at_its_own_time(api: Any, emulator: Emulator) -> None:
    emulator.settings.ready_after = 100
    doomed = api.created(imageCacheName="doomed", retentionDays=1)
    emulator.inject(Fault("late", "updateImageCache", seconds=86000), Fault("late", "updateImageCache", seconds=87000))
    for value in ("1", "2"):
        with pytest.raises(requests.ConnectionError):
            api.update(doomed, tags=[{"key": "a", "value": value}])
    create_late(api, emulator)
    emulator.advance(90000)
    # it is ready, although there was no request in the meantime
    (cache,) = emulator.service.caches()
    assert (cache["imageCacheName"], cache["status"]) == ("base", "ready")
    # the second update came when the cache was gone
    assert [record.effect for record in emulator.sent("updateImageCache")] == [True, False]


def test_a_late_operation_after_silence_a_refusal_or_a_reset(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("late", seconds=60, hang=5), Fault("late", seconds=60, hang=0.01))
    with pytest.raises(requests.ReadTimeout):
        api.send("POST", "imageCache/createImageCache", api.body(), timeout=0.05)
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.create()
    emulator.inject(Fault("late", times=2, when="after"))
    for refused in (b"{", {}):
        with pytest.raises(requests.ConnectionError):
            api.send("POST", "imageCache/createImageCache", refused)
    emulator.advance(60)
    assert len(emulator.service.caches()) == 2
    create_late(api, emulator)
    emulator.reset()
    emulator.advance(60)
    assert emulator.service.caches() == []
