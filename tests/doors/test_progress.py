# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that takes long tells on stderr how far it is, and leaves stdout to the callback."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator

from .conftest import ROOT

Play = Callable[..., subprocess.CompletedProcess[str]]

CREATES = 24
LINE = re.compile(r"^ctyun\.eci: .*$", re.MULTILINE)
BODY = {
    "images": ["nginx:latest"],
    "az_info": {"az_name": "az1"},
    "vpc_id": "vpc-test",
    "v_switch_id": "subnet-test",
    "security_group_id": "sg-test",
}


@pytest.fixture
def create(play: Play, emulator: Emulator, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Create many in about a second and a half, then wait for one."""

    def run(callback: str, keywords: dict[str, Any] | None = None, **variables: Any) -> Any:
        emulator.settings.update({"latency": 0.12, "ready_after": 0.5})
        many = [{**BODY, "name": f"cache-{number}"} for number in range(CREATES)]
        one = {**BODY, "name": "cache-0", "wait": True, "wait_interval": 0.2}
        tasks = [
            {"ctyun.eci.image_caches": {"image_caches": many, "concurrency": 2}, **(keywords or {})},
            {"ctyun.eci.image_cache": {**one, "name": "one"}, **(keywords or {})},
        ]
        plays = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
        playbook = tmp_path / "playbook.json"
        playbook.write_text(json.dumps(plays), encoding="utf-8")
        done = play(
            str(playbook),
            ANSIBLE_STDOUT_CALLBACK=callback,
            ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests" / "reliability" / "plugins" / "callback"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def results(callback: str, stdout: str) -> list[Any]:
    """What a callback for programs wrote."""
    if callback == "json_lines":
        return [json.loads(line)["result"] for line in stdout.splitlines()]
    return [json.loads(line.partition("=> ")[2]) for line in stdout.splitlines()]


@pytest.mark.parametrize("callback", ["json_lines", "oneline"])
def test_stdout_can_be_parsed(create: Callable[..., Any], callback: str) -> None:
    done = create(callback)
    many, one = results(callback, done.stdout)
    assert many["plan"]["create"] == CREATES
    assert one["image_cache"]["status"] == "ready"
    told = LINE.findall(done.stderr)
    assert any(re.fullmatch(rf"ctyun\.eci: \d+ of {CREATES} made or retagged, \d+/s", line) for line in told)
    assert "ctyun.eci: one: ready, 0:00 of 30:00" in told


@pytest.mark.parametrize(
    ("keywords", "variables"),
    [
        ({"no_log": True}, {}),
        ({}, {"ctyun_eci_progress": False}),
        ({}, {"ctyun_eci_progress": "{{ 'no' }}"}),
        ({}, {"ctyun_eci_in_process": False}),  # a module has no way to print
    ],
    ids=["no_log", "off", "off by a template", "module"],
)
def test_nothing_is_told(create: Callable[..., Any], keywords: dict[str, Any], variables: dict[str, Any]) -> None:
    done = create("default", keywords, **variables)
    assert not LINE.findall(done.stdout + done.stderr)
