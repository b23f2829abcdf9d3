# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook wire_check: what it orders and says, what it writes, and that the emulator then behaves like that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.wire_check import CHOSEN
from tests.emulator import Emulator
from tests.emulator.like import read
from tests.emulator.settings import Settings
from tests.unit.plugins.module_utils._wire_check.habits import (
    DEFAULTS,
    Values,
    ordered,
    seen_by_creating,
    seen_by_reading,
    settings,
)

from .conftest import ROOT, Ansible

CHANGING = {"createImageCache", "updateImageCache", "deleteImageCache"}
# Nobody waits long here.
QUICK = {"wait_interval": 0.1}
IMAGE_CACHE: dict[str, Any] = {
    "name": "planted-name",
    "images": ["nginx:latest"],
    "image_cache_size": 400,
    "tags": [{"key": "planted-key", "value": "planted-value"}],
    "vpcId": "vpc-planted",
    "subnet_id": "subnet-planted",
    "security_group_id": "sg-planted",
    "azInfo": {"azName": "az1"},
    "image_registry_credentials": [
        {"server": "planted.example", "user_name": "planted-user", "password": "planted-password"}
    ],
    "drift": "recreate",
}
# A handful of services, each odd in its own way.
SERVICES: dict[str, Values] = {
    "as documented": {"tags_shown": False, "ready_after": 0.5},
    "loose": {
        "name_match": "fuzzy", "name_case": False, "tags_filter": "any", "images_filter": "any", "filters_match": "any",
        "tags_update": "merge", "list_order": "newest", "unique_names": True,
    },
    "deaf": {"name_match": "off", "tags_filter": "off", "images_filter": "off", "tags_shown": False, "max_page": 2},
    "slow": {"list_lag": 1.0, "delete_after": 3.0, "delete_again": "conflict", "deleting_status": "Terminating"},
    "in its own words": {
        "zone": "listed", "image_prefix": "docker.example/library/", "size_step": 997, "ready_status": "Ready",
        "time_form": "bare", "status_code_style": "800", "null_fields": True, "token_form": "opaque",
    },
    "curt": {"http_errors": False, "missing_reason": "none", "list_total": False, "region_told": "query", "max_page": 1},
}  # fmt: skip


class Check:
    """Runs the playbook in a folder, against an emulator with two image caches of somebody."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible = ansible
        self.folder = folder
        self.report = folder / "wire_report.json"

    def run(self, emulator: Emulator, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        given = self.folder / "vars.json"
        given.write_text(json.dumps({"wire_check": QUICK, **variables}), encoding="utf-8")
        return self.ansible(
            "playbook", "ctyun.eci.wire_check", "-e", f"@{given}", *arguments,
            cwd=self.folder, PWD=str(self.folder), **emulator.environment,
        )  # fmt: skip

    def habits(self, made: Settings, **variables: Any) -> Values:
        with Emulator(made) as emulator:
            seed(emulator)
            before = [cache["imageCacheId"] for cache in emulator.service.caches()]
            done = self.run(emulator, **variables)
            assert done.returncode == 0, done.stdout + done.stderr
            assert [cache["imageCacheId"] for cache in emulator.service.caches()] == before
        found: Values = json.loads(self.report.read_text(encoding="utf-8"))["habits"]
        return found


def seed(emulator: Emulator) -> None:
    emulator.service.seed("Planted-older", ["planted.example/a:1"], age=5000.0)
    emulator.service.seed("Planted-newer", ["planted.example/b:1"], age=3000.0)


@pytest.fixture
def check(ansible: Ansible, tmp_path: Path) -> Check:
    return Check(ansible, tmp_path)


@pytest.mark.parametrize("service", SERVICES)
def test_it_finds_the_habits_and_a_likeness_has_the_same(check: Check, service: str) -> None:
    values = {**DEFAULTS, **SERVICES[service]}
    expected = seen_by_creating(values)
    expected["region_told"] = values["region_told"]
    variables = {"create": True, "twin": True, "image_cache": ordered(values, IMAGE_CACHE)}
    assert check.habits(settings(values), **variables) == expected

    likeness = read(check.report)
    assert likeness.left == []
    made = Settings()
    made.update({**likeness.settings, "ready_after": values["ready_after"]})
    assert check.habits(made, **variables) == expected


def test_it_only_reads_by_default(check: Check, emulator: Emulator) -> None:
    seed(emulator)
    done = check.run(emulator, image_cache=IMAGE_CACHE)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "ordered in CTYun" not in done.stdout
    assert CHANGING.isdisjoint(str(record.operation) for record in emulator.requests)
    report = json.loads(check.report.read_text(encoding="utf-8"))
    assert (report["created"], report["habits"]) == (False, seen_by_reading(DEFAULTS))
    assert "unique_names: Is a name unique? Documented: nothing. Not seen." in done.stdout


def test_it_says_what_it_orders_and_no_secret_gets_out(check: Check, emulator: Emulator) -> None:
    seed(emulator)
    done = check.run(emulator, "-vvvv", "-e", "create=true", image_cache=IMAGE_CACHE)
    assert done.returncode == 0, done.stdout + done.stderr
    before = done.stdout.split("TASK [Look at the service]")[0]
    assert "an image cache of 10 GB will be ordered in CTYun now, BILLED" in before
    (order,) = emulator.sent("createImageCache")
    body = order.body or {}
    assert re.fullmatch("wire-check-[0-9a-f]{32}", body["imageCacheName"])
    assert (body["imageCacheSize"], body["retentionDays"], body["vpcId"]) == (10, 1, "vpc-planted")
    assert len(emulator.service.caches()) == 2
    assert "planted-password" not in done.stdout + done.stderr
    text = check.report.read_text(encoding="utf-8")
    identifiers = [cache["imageCacheId"] for cache in emulator.service.caches()]
    assert not any(part in text.lower() for part in ("planted", "wire-check-", "imc-", "127.0.0.1", *identifiers))
    for secret in (emulator.settings.access_key, emulator.settings.secret_key, emulator.settings.region_id):
        assert secret not in text


def test_in_check_mode_nothing_is_ordered(check: Check, emulator: Emulator) -> None:
    done = check.run(emulator, "--check", create=True, image_cache=IMAGE_CACHE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "In check mode nothing is ordered" in done.stdout
    assert CHANGING.isdisjoint(str(record.operation) for record in emulator.requests)
    assert not json.loads(check.report.read_text(encoding="utf-8"))["created"]


def test_it_asks_for_what_an_order_needs(check: Check, emulator: Emulator) -> None:
    done = check.run(emulator, create=True)
    assert done.returncode == 2
    assert "image_cache.example.yml" in done.stdout
    assert emulator.requests == []


def test_the_emulator_behaves_like_a_report(check: Check, emulator: Emulator, tmp_path: Path) -> None:
    """From the command line, as the guide says."""
    emulator.settings.update({"name_match": "prefix", "time_form": "utc", "http_errors": False})
    seed(emulator)
    assert check.run(emulator).returncode == 0
    report = json.loads(check.report.read_text(encoding="utf-8"))
    report["habits"].update(pending_status="other", list_order="other")
    check.report.write_text(json.dumps(report), encoding="utf-8")
    code = "import os, requests; print(requests.post(os.environ['CTYUN_ECI_ENDPOINT'] + '/_emulator/settings', json={}).text)"
    done = subprocess.run(
        [sys.executable, "-m", "tests.emulator", "--like", check.report, "--", sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["name_match"], made["time_form"], made["http_errors"]) == ("prefix", "utc", False)
    assert (made["pending_status"], made["list_order"]) == ("pending", "oldest")
    assert "not taken over: list_order (other), pending_status (other)" in done.stderr


def test_what_is_taken_of_an_image_cache_is_all_but_what_the_check_chooses() -> None:
    """A field of the body that is new would be left out without a word otherwise."""
    (play,) = yaml.safe_load((ROOT / "playbooks/wire_check.yml").read_text(encoding="utf-8"))
    chosen = {*CHOSEN, "image_cache_size"}
    fields = {option: rules for option, rules in body_spec().items() if option not in chosen}
    names = {name for option, rules in fields.items() for name in (option, *rules.get("aliases", ()))}
    assert set(play["vars"]["wire_check_taken"]) == names
