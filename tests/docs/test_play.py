# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

""" "make play" runs a user's own playbook on the emulator, from wherever make was called."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools import follow

from .conftest import ROOT

PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ctyun.eci.image_cache:
        name: "{{ name | default('mine') }}"
        images: ["nginx:latest"]
        vpc_id: vpc-any
        v_switch_id: subnet-any
        security_group_id: sg-any
        az_info: {az_name: az1}
      register: made
    - ansible.builtin.debug:
        msg: "{{ made.image_cache.image_cache_name }} in {{ lookup('ansible.builtin.env', 'PWD') }}"
"""
ELSEWHERE = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ctyun.eci.region_info:
        endpoint: https://eci-global.ctapi.ctyun.cn.invalid
        access_key: real
        secret_key: real
        retries: 0
"""

Make = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".venv" / "run.stamp").exists():
        pytest.skip("needs the virtual environment that make has made")
    checkout = tmp_path_factory.mktemp("checkout")
    follow.copy(checkout)
    follow.borrow(checkout)
    return checkout


@pytest.fixture
def make(checkout: Path, tmp_path: Path) -> Make:
    """Call make in a folder, by default one of the user's, for the checkout."""
    (tmp_path / "home").mkdir()
    folder = tmp_path / "my folder"
    folder.mkdir()
    (folder / "my.yml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "elsewhere.yml").write_text(ELSEWHERE, encoding="utf-8")
    (folder / "vars.yml").write_text("name: from the file\n", encoding="utf-8")

    def run(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "-C", str(checkout), "play", *arguments],
            cwd=cwd,
            env={"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "PWD": str(cwd), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_playbook_beside_the_caller(make: Make, tmp_path: Path) -> None:
    run = make("PLAYBOOK=my.yml", "ARGS=-e @vars.yml")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"from the file in {tmp_path / 'my folder'}" in run.stdout
    assert "changed=1" in run.stdout


def test_a_playbook_in_the_checkout(make: Make, checkout: Path, tmp_path: Path) -> None:
    (checkout / "mine.yml").write_text(PLAYBOOK, encoding="utf-8")
    run = make("PLAYBOOK=mine.yml", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"mine in {checkout}" in run.stdout


def test_its_settings_and_those_of_the_emulator(make: Make, tmp_path: Path) -> None:
    settings = tmp_path / "my folder" / "ansible.cfg"
    settings.write_text("[defaults]\ncallback_result_format = yaml\n", encoding="utf-8")
    run = make("PLAYBOOK=my.yml", "EMULATOR_ARGS=--quota 0")
    assert run.returncode == 2
    assert re.search(r"FAILED! => ?\n +changed: false$", run.stdout, re.MULTILINE)
    assert "quota" in run.stdout


def test_a_playbook_of_the_collection(make: Make) -> None:
    run = make("PLAYBOOK=ctyun.eci.quickstart", "ARGS=--list-tasks")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Is this the emulator?" in run.stdout


def test_a_mistake(make: Make) -> None:
    nothing = make()
    assert nothing.returncode == 2
    assert "make play PLAYBOOK=my.yml" in nothing.stderr
    missing = make("PLAYBOOK=none.yml")
    assert missing.returncode == 2
    assert "none.yml could not be found" in missing.stdout + missing.stderr


def test_a_task_that_names_the_service_does_not_reach_it(make: Make) -> None:
    run = make("PLAYBOOK=elsewhere.yml")
    assert run.returncode == 2
    assert "Only the emulator can be reached from here" in run.stdout


def test_the_commands_of_the_guides_run_on_the_emulator(make: Make) -> None:
    english, chinese = (
        [command for block in follow.blocks(ROOT / guide) if block.kind == "shell" for command in block.commands]
        for guide in ("docs/guides/emulator.md", "docs/zh-CN/emulator.md")
    )
    assert english == chinese
    played = [shlex.split(command) for command in english if command.startswith("make play ")]
    assert len(played) == 2
    for _make, _play, *arguments in played:
        run = make(*arguments)
        assert run.returncode == 0, run.stdout + run.stderr
    # a shell that reads no settings, in the emulator's environment, see test_emulator_cli.py
    others = [command for command in english if not command.startswith("make play ")]
    assert others == ["python -m tests.emulator -- bash --norc"]
