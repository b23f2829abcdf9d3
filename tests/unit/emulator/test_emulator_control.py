# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator, Fault, Record


def test_requests(api: Any, emulator: Emulator) -> None:
    api.create()
    api.send("GET", "region", secret_key="other")
    api.send("GET", "nowhere")
    api.control("GET", "usage")
    first, second, third = api.control("GET", "requests").json()
    assert (first["index"], first["operation"], first["method"]) == (0, "createImageCache", "POST")
    assert (first["status"], first["effect"]) == (200, True)
    assert first["path"] == "/eci/api/v1/imageCache/createImageCache"
    assert first["body"]["imageCacheName"] == "base"
    assert first["headers"]["ctyun-eop-request-id"] == first["request_id"]
    assert '"imageCacheName": "base"' in first["raw"]
    assert (second["operation"], second["status"], second["effect"]) == ("region", 401, False)
    assert (third["operation"], third["status"]) == (None, 404)
    assert [record.request_id for record in emulator.sent("region")] == [second["request_id"]]


def test_caches(api: Any) -> None:
    body = {"imageCacheName": "base", "images": ["a:1"], "imageCacheSize": 30, "status": "failed", "vpcId": "vpc-1"}
    seeded = api.control("POST", "caches", body).json()
    (cache,) = api.control("GET", "caches").json()
    assert cache.items() >= {**body, **seeded, "tags": []}.items()
    more = api.control("POST", "caches", [body, body]).json()["imageCacheIds"]
    assert [one["imageCacheId"] for one in api.control("GET", "caches").json()] == [seeded["imageCacheId"], *more]


def test_faults(api: Any, emulator: Emulator) -> None:
    assert api.control("POST", "faults", {"kind": "status", "status": 500}).json() == {"pending": 1}
    assert api.control("POST", "faults", [{"kind": "html"}, {"kind": "reset"}]).json() == {"pending": 3}
    assert api.send("GET", "region").status_code == 500
    assert len(emulator.faults) == 2


def test_advance_and_usage(api: Any) -> None:
    identifier = api.created()
    assert api.control("POST", "advance", {"seconds": 5}).status_code == 200
    assert api.status(identifier) == "ready"
    usage = api.control("GET", "usage").json()
    assert sorted(usage) == ["connections", "cpu_seconds", "requests", "wall_seconds"]
    assert usage["requests"] == 2
    assert 0 < usage["cpu_seconds"] < usage["wall_seconds"]


def test_settings_and_reset(api: Any, emulator: Emulator) -> None:
    assert api.control("POST", "settings", {"quota": 3, "ready_after": 1}).json()["quota"] == 3
    api.create()
    api.control("POST", "faults", {"kind": "reset"})
    settings = api.control("POST", "reset", {"max_page": 2}).json()
    assert (settings["quota"], settings["max_page"], settings["ready_after"]) == (5000, 2, 2.0)
    assert (emulator.requests, emulator.service.caches(), len(emulator.faults)) == ([], [], 0)
    assert api.control("POST", "reset").json()["max_page"] == 1000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"quota": "3"}),
        ("settings", {"quota": 3, "other": 1}),
        ("settings", {"quota": 3, "name_match": "some"}),
        ("settings", {"quota": 3, "tags_shown": 1}),
        ("settings", {"quota": 3, "zones": "az1"}),
        ("settings", {"quota": 3, "zone_aliases": ["az1"]}),
        ("faults", {"kind": "other"}),
        ("faults", [{"kind": "reset"}, {}]),
        ("faults", [{"kind": "reset"}, {"kind": "not_tls"}]),
        ("advance", {"seconds": -1}),
        ("advance", {}),
        ("caches", {"images": []}),
    ],
)
def test_what_makes_no_sense_changes_nothing(api: Any, emulator: Emulator, path: str, body: Any) -> None:
    response = api.control("POST", path, body)
    assert response.status_code == 400
    assert response.json()["error"]
    assert (emulator.settings.quota, len(emulator.faults)) == (5000, 0)


def test_unknown_operations(api: Any) -> None:
    assert api.control("GET", "other").status_code == api.control("GET", "reset").status_code == 404


def test_before_can_advance_the_clock_and_inject_but_not_reset(
    api: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    identifier = api.created()
    emulator.before = lambda _record: emulator.advance(2)
    assert api.status(identifier) == "ready"
    emulator.before = lambda _record: emulator.inject(Fault("status"))
    assert api.get(identifier).status_code == 503
    emulator.before = lambda _record: emulator.reset()
    assert api.send("GET", "region").status_code == 500
    assert "would wait for itself" in caplog.text


def test_before_gets_signed_requests_until_a_reset(api: Any, emulator: Emulator) -> None:
    heard: list[Record] = []
    emulator.before = heard.append
    api.send("GET", "region", secret_key="other")
    api.control("GET", "usage")
    api.send("GET", "region")
    assert heard == emulator.sent()[1:]
    emulator.reset()
    assert api.send("GET", "region").status_code == 200
    assert len(heard) == 1
