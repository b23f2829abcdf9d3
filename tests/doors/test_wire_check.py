# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wire check does and finds the same through both doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.emulator import Emulator

CHECK = "ctyun.eci.wire_check"
BODY: dict[str, Any] = {
    "images": ["nginx:latest"],
    "vpc_id": "vpc-test",
    "subnet_id": "subnet-test",
    "security_group_id": "sg-test",
    "az_info": {"az_name": "az1"},
    "image_registry_credentials": [{"server": "registry.test", "user_name": "user", "password": "planted-secret"}],
}


def test_the_results_are_the_same(both: Callable[..., Any], emulator: Emulator) -> None:
    def prepare() -> None:
        emulator.settings.update({"tags_filter": "any", "unique_names": True})
        emulator.service.seed("Web", ["nginx:latest"], age=100.0)

    done = both(
        [
            {"name": "read", CHECK: {}},
            {"name": "create", CHECK: {"create": True, "twin": True, "wait_interval": 0.1, **BODY}},
            {"name": "predict", CHECK: {"create": True, **BODY}, "check_mode": True},
            {"name": "wrong", CHECK: {"create": True, "twin": "perhaps", "image_cache_name": "web"}},
            {"name": "alone", CHECK: {"twin": True}},
        ],
        # what is told at once of an order a module in a process of its own cannot print
        "-e",
        "ctyun_eci_progress=false",
        prepare=prepare,
    )
    results = done.results
    assert [results[name]["changed"] for name in ("read", "create", "predict")] == [False, True, True]
    assert results["create"]["report"]["habits"]["unique_names"] is True
    assert results["create"]["report"]["habits"]["tags_filter"] == "any"
    assert results["predict"]["order"]["image_cache_size"] == 10
    for option in ("az_info", "images", "security_group_id", "v_switch_id", "vpc_id", "twin", "image_cache_name"):
        assert f"- {option}: " in results["wrong"]["msg"]
    assert results["alone"]["msg"].endswith("- twin: is for create: true only")
    assert "planted-secret" not in done.stdout + done.stderr
