# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator import Emulator


def test_requests(api: Any, emulator: Emulator) -> None:
    api.create()
    api.send("GET", "region", secret_key="other")
    api.send("GET", "nowhere")
    api.control("GET", "usage")
    first, second, third = api.control("GET", "requests").json()
    assert (first["index"], first["operation"], first["method"], first["status"], first["effect"]) == (
        0,
        "createImageCache",
        "POST",
        200,
        True,
    )
    assert first["path"] == "/eci/api/v1/imageCache/createImageCache"
    assert first["body"]["imageCacheName"] == "base"
    assert first["headers"]["ctyun-eop-request-id"] == first["request_id"]
    assert '"imageCacheName": "base"' in first["raw"]
    assert (second["operation"], second["status"], second["effect"]) == ("region", 401, False)
    assert (third["operation"], third["status"]) == (None, 404)
    assert [record.request_id for record in emulator.sent("region")] == [second["request_id"]]


def test_seed_and_caches(api: Any) -> None:
    seeded = api.control(
        "POST",
        "caches",
        {
            "imageCacheName": "base",
            "images": ["a:1"],
            "imageCacheSize": 30,
            "status": "failed",
            "vpcId": "vpc-1",
        },
    ).json()
    (cache,) = api.control("GET", "caches").json()
    assert cache["imageCacheId"] == seeded["imageCacheId"]
    assert (cache["imageCacheSize"], cache["status"], cache["vpcId"], cache["tags"]) == (
        30,
        "failed",
        "vpc-1",
        [],
    )


def test_faults(api: Any, emulator: Emulator) -> None:
    assert api.control("POST", "faults", {"kind": "status", "status": 500}).json() == {"pending": 1}
    assert api.control("POST", "faults", [{"kind": "html"}, {"kind": "reset"}]).json() == {"pending": 3}
    assert api.send("GET", "region").status_code == 500
    assert [fault.kind for fault in emulator.faults.pending()] == ["html", "reset"]


def test_advance(api: Any) -> None:
    identifier = api.created()
    assert api.control("POST", "advance", {"seconds": 5}).status_code == 200
    assert api.status(identifier) == "ready"


def test_settings_and_reset(api: Any, emulator: Emulator) -> None:
    assert api.control("POST", "settings", {"quota": 3, "ready_after": 1}).json()["quota"] == 3
    api.create()
    api.control("POST", "faults", {"kind": "reset"})
    settings = api.control("POST", "reset", {"max_page": 2}).json()
    assert (settings["quota"], settings["max_page"], settings["ready_after"]) == (5000, 2, 2.0)
    assert (emulator.requests, emulator.service.caches(), len(emulator.faults)) == ([], [], 0)
    assert api.control("POST", "reset").json()["max_page"] == 1000


def test_usage(api: Any) -> None:
    api.create()
    usage = api.control("GET", "usage").json()
    assert sorted(usage) == ["connections", "cpu_seconds", "requests", "wall_seconds"]
    assert usage["requests"] == 1
    assert 0 < usage["cpu_seconds"] < usage["wall_seconds"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"quota": "3"}),
        ("settings", {"quota": 3, "other": 1}),
        ("settings", {"quota": 3, "name_match": "some"}),
        ("settings", {"quota": 3, "tags_shown": 1}),
        ("settings", {"quota": 3, "zones": "az1"}),
        ("settings", {"quota": 3, "zone_aliases": ["az1"]}),
        ("settings", {"quota": 3, "tags_filter": True}),
        ("settings", None),
        ("faults", {"kind": "other"}),
        ("faults", [{"kind": "reset"}, {}]),
        ("faults", [{"kind": "reset"}, {"kind": "not_tls"}]),
        ("advance", {"seconds": -1}),
        ("advance", {}),
        ("caches", {"images": []}),
    ],
)
def test_nonsense_changes_nothing(api: Any, emulator: Emulator, path: str, body: Any) -> None:
    response = api.control("POST", path, body)
    assert response.status_code == 400
    assert response.json()["error"]
    assert (emulator.settings.quota, len(emulator.faults)) == (5000, 0)


def test_unknown(api: Any) -> None:
    assert api.control("GET", "other").status_code == 404
    assert api.control("GET", "reset").status_code == 404
