# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.emulator import Emulator, Fault


def create_late(api: Any, emulator: Emulator, **fields: Any) -> None:
    emulator.inject(Fault("late", "createImageCache", seconds=60))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.create(**fields)


def test_it_takes_place_later(api: Any, emulator: Emulator) -> None:
    create_late(api, emulator)
    (record,) = emulator.requests
    assert (record.status, record.effect) == ("fault:late", False)
    emulator.advance(59)
    assert api.listed() == []
    assert not record.effect
    emulator.advance(1)
    assert record.effect
    assert api.listed() == ["base"]


def test_real_time_counts_too(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("late", seconds=0.05))
    with pytest.raises(requests.ConnectionError):
        api.create()
    assert emulator.service.caches() == []
    time.sleep(0.06)
    assert len(emulator.service.caches()) == 1
    assert emulator.requests[0].effect


def test_it_takes_place_at_its_own_time(api: Any, emulator: Emulator) -> None:
    emulator.settings.ready_after = 100
    doomed = api.created(imageCacheName="doomed", retentionDays=1)
    emulator.inject(Fault("late", "updateImageCache", seconds=86000), Fault("late", "updateImageCache", seconds=87000))
    for value in ("1", "2"):
        with pytest.raises(requests.ConnectionError):
            api.update(doomed, tags=[{"key": "a", "value": value}])
    create_late(api, emulator)
    emulator.advance(90000)
    # it is ready, although nobody looked in the meantime
    (cache,) = emulator.service.caches()
    assert (cache["imageCacheName"], cache["status"]) == ("base", "ready")
    # the second update came when the cache was gone
    assert [record.effect for record in emulator.sent("updateImageCache")] == [True, False]


def test_they_keep_their_order(api: Any, emulator: Emulator) -> None:
    for name in ("one", "two"):
        create_late(api, emulator, imageCacheName=name)
    emulator.advance(61)
    emulator.service.seed("three", ["a:1"])
    assert api.listed() == ["one", "two", "three"]


def test_silence_instead_of_a_reset(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("late", seconds=60, hang=5), Fault("late", seconds=60, hang=0.01))
    with pytest.raises(requests.ReadTimeout):
        api.send("POST", "imageCache/createImageCache", api.body(), timeout=0.05)
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.create()
    emulator.advance(60)
    assert len(emulator.service.caches()) == 2


def test_what_is_refused_is_not_done_later(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("late", times=2, when="after"))
    for body in (b"{", {}):
        with pytest.raises(requests.ConnectionError):
            api.send("POST", "imageCache/createImageCache", body)
    emulator.advance(60)
    assert emulator.service.caches() == []
    assert not any(record.effect for record in emulator.requests)


def test_a_reset_forgets_it(api: Any, emulator: Emulator) -> None:
    create_late(api, emulator)
    emulator.reset()
    emulator.advance(60)
    assert emulator.service.caches() == []
