# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks take their examples and refuse missing variables. "make demo" runs the quickstart."""

from __future__ import annotations

import json
from pathlib import Path

from tests.emulator import Emulator

from .conftest import ROOT, Ansible

EXAMPLE = ROOT / "playbooks" / "vars" / "image_cache.example.yml"
# The request of CTYun's documentation.
BODY = {
    "securityGroupId": "sg-test",
    "vSwitchId": "subnet-test",
    "vpcId": "vpc-test",
    "imageCacheName": "lztest",
    "imageCacheSize": 40,
    "retentionDays": 30,
    "images": ["nginx:latest"],
    "tags": [{"key": "user", "value": "eci"}],
    "azInfo": {"azName": "az1"},
    "imageRegistryCredentials": [{"server": "az1.crs.ctyun.cn", "userName": "hello", "password": "planted-password"}],
}


def test_quickstart_refuses_anything_but_this_machine(ansible: Ansible, emulator: Emulator) -> None:
    elsewhere = emulator.url.replace("127.0.0.1", "127.0.0.1.invalid")
    run = ansible("playbook", "ctyun.eci.quickstart", **{**emulator.environment, "CTYUN_ECI_ENDPOINT": elsewhere})
    assert run.returncode == 2
    assert "runs against the emulator only" in run.stdout
    assert "make demo" in run.stdout
    assert elsewhere in run.stdout
    assert "Create an image cache" not in run.stdout


def test_image_cache_asks_for_its_variable(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible("playbook", "ctyun.eci.image_cache", **emulator.environment)
    assert run.returncode == 2
    assert "image_cache.example.yml" in run.stdout
    assert emulator.requests == []


def test_image_cache_takes_the_example(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible("playbook", "ctyun.eci.image_cache", "-e", f"@{EXAMPLE}", **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    (cache,) = emulator.service.caches()
    assert cache["imageCacheName"] == "web"
    assert cache["imageCacheId"] in run.stdout


def test_image_cache_takes_the_body_of_the_request(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    variables = tmp_path / "vars.json"
    variables.write_text(json.dumps({"image_cache": BODY}), encoding="utf-8")

    run = ansible("playbook", "ctyun.eci.image_cache", "-e", f"@{variables}", "-vvv", **emulator.environment)

    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert [request.body for request in emulator.sent("createImageCache")] == [BODY]
    assert "planted-password" not in run.stdout

    given = ["-e", f"@{variables}", "-e", "image_cache_state=absent"]
    run = ansible("playbook", "ctyun.eci.image_cache", *given, **emulator.environment)

    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert emulator.service.caches() == []


def test_image_caches_asks_for_its_variable(ansible: Ansible, emulator: Emulator) -> None:
    run = ansible("playbook", "ctyun.eci.image_caches", "-e", "image_caches=web", **emulator.environment)
    assert run.returncode == 2
    assert "image_caches.example.yml" in run.stdout
    assert emulator.requests == []


def test_image_caches_takes_the_example(ansible: Ansible, emulator: Emulator) -> None:
    example = EXAMPLE.with_name("image_caches.example.yml")
    run = ansible("playbook", "ctyun.eci.image_caches", "-e", f"@{example}", **emulator.environment)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert sorted(cache["imageCacheName"] for cache in emulator.service.caches()) == ["web", "worker"]
    assert all(cache["imageCacheId"] in run.stdout for cache in emulator.service.caches())
