# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebook in the guide on generations makes one run of several pushes, where ansible-rulebook and Java are there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.emulator import Emulator

from .conftest import ROOT

PAGES = ["docs/guides/generations.md", "docs/zh-CN/generations.md"]
TOKEN = "sesame"
WANTED = {
    "name": "web",
    "images": ["nginx:latest"],
    "vpc_id": "vpc-test",
    "v_switch_id": "subnet-test",
    "security_group_id": "sg-test",
    "az_info": {"az_name": "az1"},
}


def rulebook(page: str) -> list[Any]:
    found = re.search(r"<!-- not run: a rulebook.*?```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert found
    rules: list[Any] = yaml.safe_load(found.group(1))
    return rules


def without_names(value: Any) -> Any:
    """It, without what is translated."""
    if isinstance(value, list):
        return [without_names(one) for one in value]
    if isinstance(value, dict):
        return {key: without_names(one) for key, one in value.items() if key != "name" or one.startswith("ctyun.")}
    return value


def test_both_languages_show_the_same_rulebook() -> None:
    english, chinese = map(rulebook, PAGES)
    assert without_names(english) == without_names(chinese)


@pytest.mark.skipif(
    not (shutil.which("ansible-rulebook") and shutil.which("java")), reason="no ansible-rulebook or Java"
)
@pytest.mark.parametrize("page", PAGES)
def test_a_push_makes_one_run(page: str, emulator: Emulator, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    rules = rulebook(page)
    rules[0]["sources"][0]["eda.builtin.webhook"]["port"] = port
    rules[0]["rules"][0]["throttle"]["once_after"] = "3 seconds"
    variables = {"webhook_token": TOKEN, "image_caches": [WANTED], "image_caches_options": {"wait": False}}
    (tmp_path / "push.yml").write_text(yaml.safe_dump(rules))
    (tmp_path / "vars.yml").write_text(yaml.safe_dump(variables))
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    with running(tmp_path, emulator):
        url = f"http://127.0.0.1:{port}/push"
        statuses = [pushed(url, token) for token in (TOKEN, "another", TOKEN)]
        assert statuses == [200, 401, 200]
        within(60, lambda: "PLAY RECAP" in (tmp_path / "log").read_text("utf-8"))
    log = (tmp_path / "log").read_text("utf-8")
    assert re.findall(r"changed=(\d+) .*failed=(\d+)", log) == [("1", "0")]
    assert [cache["imageCacheName"] for cache in emulator.service.caches()] == ["web"]


@contextlib.contextmanager
def running(folder: Path, emulator: Emulator) -> Iterator[None]:
    link = folder / "collections" / "ansible_collections" / "ctyun" / "eci"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    environment = {
        **os.environ,
        **emulator.environment,
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_NOCOLOR": "true",
        "HOME": str(folder),
    }
    command = ["ansible-rulebook", "-r", "push.yml", "-i", "hosts", "--vars", "vars.yml"]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def pushed(url: str, token: str) -> int:
    """The status of a push, as soon as somebody listens."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    found: list[int] = []

    def answered() -> bool:
        with contextlib.suppress(requests.ConnectionError):
            body = json.dumps({"events": [{"action": "push"}]})
            found.append(requests.post(url, data=body, headers=headers, timeout=10).status_code)
        return bool(found)

    within(60, answered)
    return found[0]


def within(seconds: float, condition: Any) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
