# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at images through both doors: equal results, the same requests, no secret in any output, nothing for the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.emulator import Emulator, Registry, images

from .conftest import Run

PASSWORD = "planted-secret-of-alice"
KEY = "planted-secret-key"


@pytest.fixture
def registry() -> Iterator[Registry]:
    names = {"registry.example.com": "registry", "auth.example.com": "realm"}
    with Registry("bearer", tls=True, names=names, users={"alice": PASSWORD}) as registry:
        parts = (images.image([b"amd64", 30_000_000_000]), images.image([b"arm64"], "linux/arm64"))
        registry.add("team/app", "1", images.index(*parts))
        yield registry


def task(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "ctyun.eci.image_info": options}


def test_both_doors_tell_the_same(tasks: Callable[..., Run], emulator: Emulator, registry: Registry) -> None:
    login = [{"server": "vpc.example.com", "user_name": "alice", "password": PASSWORD}]
    wrong = [{"server": "vpc.example.com", "user_name": "alice", "password": PASSWORD + "-old"}]
    addresses = {"vpc.example.com": "registry.example.com"}
    some = ["vpc.example.com/team/app:1", "vpc.example.com/team/app:2", "unknown.example.com/app"]
    given = [
        task("good", images=some, image_registry_credentials=login, registry_addresses=addresses),
        task("enough", images=some[:1], imageRegistryCredentials=login, registry_addresses=addresses, size_factor="2"),
        task("refused", images=some[:1], image_registry_credentials=wrong, registry_addresses=addresses),
        task("with what a group gives", images=some[:1], access_key=KEY, secret_key=KEY, region_id="r", timeout=5),
        task("bad", images=["A b", "https://a.b"], image_registry_credentials=[{"server": "x", "password": PASSWORD}]),
        task("no authority", images=some[:1], ca_path="/nowhere.pem"),
    ]
    runs, asked = [], []
    for in_process in (True, False):
        registry.reset()
        runs.append(tasks(given, in_process, "-vvvv", **registry.environment))
        asked.append(sorted((seen.host, seen.path.partition("?")[0]) for seen in registry.requests))
    process, module = runs
    assert process.results == module.results
    assert asked[0] == asked[1] and asked[0]
    assert "plugins/modules/image_info.py" not in process.output
    assert "plugins/modules/image_info.py" in module.output
    found = process.results
    assert [one["outcome"] for one in found["good"]["images"]] == ["found", "not_found", "unknown"]
    assert found["good"]["image_cache_size"] is None
    assert found["enough"]["image_cache_size"] == 61
    assert found["refused"]["images"][0]["outcome"] == "refused"
    assert "The arguments are not valid, nothing was sent:" in found["bad"]["msg"]
    assert "- images[0]: must be in lower case" in found["bad"]["msg"]
    assert "- image_registry_credentials[0].user_name: is required" in found["bad"]["msg"]
    assert found["no authority"]["failed"] and "ca_path: there is no file" in found["no authority"]["msg"]
    assert emulator.requests == []
    for shown in (process.output, module.output, json.dumps(found), json.dumps(module.results)):
        assert PASSWORD not in shown
        assert KEY not in shown
