# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A preflight through both front doors: equal results, the same requests, no password in any output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.emulator import Emulator, Registry, images
from tests.unit.plugins.emulated import BODY, operations

from .conftest import Run, _same

PASSWORD = "planted-secret-of-alice"
LOGIN = {"server": "registry.example.com", "user_name": "alice", "password": PASSWORD}


@pytest.fixture
def registry() -> Iterator[Registry]:
    names = {"registry.example.com": "registry", "auth.example.com": "realm"}
    with Registry("bearer", tls=True, names=names, users={"alice": PASSWORD}) as registry:
        yield registry


def entry(name: str, image: str, **options: Any) -> dict[str, Any]:
    given = {"images": [f"registry.example.com/{image}"], "image_registry_credentials": [LOGIN]}
    return {**BODY, "imageCacheName": name, **given, **options}


def test_both_doors_give_the_same(tasks: Callable[..., Run], emulator: Emulator, registry: Registry) -> None:
    given = [
        {
            "name": "refused",
            "ctyun.eci.image_cache": entry("edge", "team/none:1", azInfo={"azName": "az9"}, preflight="fail"),
            "ignore_errors": True,
        },
        # without quotes, as people write it
        {"name": "not checked", "ctyun.eci.image_cache": entry("edge", "team/none:1", preflight=False)},
        {
            "name": "other platform",
            "ctyun.eci.image_cache": entry("arm", "team/app:1", preflight="fail", platform="linux/arm64"),
            "ignore_errors": True,
        },
        {"name": "many", "ctyun.eci.image_caches": {"image_caches": [entry("web", "team/app:1")], "preflight": "warn"}},
    ]
    runs, asked = [], []
    for in_process in (True, False):
        emulator.reset()
        registry.reset()
        registry.add("team/app", "1", images.image([b"one"]))
        runs.append(tasks(given, in_process, "-vvvv", **registry.environment))
        asked.append((operations(emulator), [(seen.host, seen.path.partition("?")[0]) for seen in registry.requests]))
    process, module = runs
    assert asked[0] == asked[1]
    for name, result in module.results.items():
        assert _same(process.results[name]) == _same(result), name
    found = process.results
    assert found["refused"]["msg"].splitlines()[1].startswith("- az_info.az_name: ")
    assert found["refused"]["msg"].splitlines()[2].startswith("- images[0]: 'registry.example.com/team/none:1'")
    assert "has team/app:1 for linux/amd64, but not for linux/arm64." in found["other platform"]["msg"]
    assert found["not checked"]["changed"]
    assert found["many"]["changed"]
    for shown in (process.output, module.output):
        assert PASSWORD not in shown
