# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who follows a README from the top gets to its end, in both languages, and sees what it shows."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools import follow

from .conftest import ROOT

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
# The request on CTYun's page.
BODY = ROOT / "tests" / "integration" / "targets" / "image_cache" / "files" / "createImageCache.json"


def nameless(value: Any) -> Any:
    """What is written, without the names of plays and tasks."""
    if isinstance(value, list):
        return [nameless(item) for item in value]
    if isinstance(value, dict):
        told = "hosts" in value or any("." in key for key in value)
        return {key: nameless(item) for key, item in value.items() if not (told and key == "name")}
    return value


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_a_reader_gets_to_the_end(path: Path) -> None:
    if not (ROOT / ".venv" / "run.stamp").exists():
        pytest.skip("needs the virtual environment that make has made")
    followed = follow.follow(path)
    assert followed.status == 0, followed.printed
    assert followed.lost == [], followed.printed
    assert re.findall(r"fatal:|FAILED|\[ERROR\]|(?:failed|rescued|ignored)=[1-9]", followed.printed) == []
    # what came to the service went to its name, with the keys of the page
    operations = [request.operation for request in followed.requests]
    assert [operations.count(name) for name in ("region", "createImageCache", "deleteImageCache")] == [1, 1, 1]
    assert {request.headers["host"] for request in followed.requests} == {follow.SERVICE.removesuffix(":443")}
    assert {request.headers["eop-authorization"].split(" ")[0] for request in followed.requests} == {"..."}


def test_both_languages_say_the_same_commands_and_files() -> None:
    english, chinese = (follow.blocks(path) for path in READMES)
    assert [block.kind for block in english] == [block.kind for block in chinese]
    for one, other in zip(english, chinese, strict=True):
        if one.kind == "shell":
            assert one.commands == other.commands
        elif one.kind == "yaml":
            assert (one.file, nameless(yaml.safe_load(one.text))) == (other.file, nameless(yaml.safe_load(other.text)))
    assert [block.file for block in english if block.file] == ["my.yml", "vars.yml"]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_first_example_is_the_request_of_the_page(path: Path) -> None:
    first = next(block for block in follow.blocks(path) if block.kind == "yaml")
    task = yaml.safe_load(first.text)[0]["tasks"][0]
    assert task["ctyun.eci.image_cache"] == json.loads(BODY.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_installing_comes_before_the_account(path: Path) -> None:
    shell = [block.text for block in follow.blocks(path) if block.kind == "shell"]
    (keys,) = [number for number, text in enumerate(shell) if "CTYUN_AK" in text]
    installed = [number for number, text in enumerate(shell) if "collection install" in text]
    assert installed
    assert max(installed) < keys


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_it_shows_what_demo_and_play_print(path: Path) -> None:
    shown = "".join(block.text for block in follow.blocks(path) if block.kind == "text")
    assert shown.count("TASK [") == 5


def test_what_fails_ends_it() -> None:
    blocks = [
        follow.Block("shell", "echo one\n"),
        follow.Block("shell", "no-such-command\n"),
        follow.Block("shell", "echo two\n"),
    ]
    run = subprocess.run(
        ["bash", "-c", follow.script(blocks, {})], capture_output=True, text=True, timeout=20, check=False
    )
    assert run.returncode == 127
    assert run.stdout == "$ echo one\none\n$ no-such-command\n"


def test_the_account_is_the_stand_ins(tmp_path: Path) -> None:
    blocks = [
        follow.Block("yaml", "# my.yml\na: $b\n"),
        follow.Block("shell", "cat my.yml\n"),
        follow.Block(
            "shell",
            "export CTYUN_AK=... CTYUN_SK=...\nprintenv https_proxy CTYUN_AK; printenv CTYUN_ECI_ENDPOINT || echo none\n",
        ),
    ]
    run = subprocess.run(
        ["bash", "-c", follow.script(blocks, {"https_proxy": "http://127.0.0.1:9"})],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "CTYUN_ECI_ENDPOINT": "left over"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[1:3] == ["# my.yml", "a: $b"]
    assert run.stdout.splitlines()[-3:] == ["http://127.0.0.1:9", "...", "none"]
