# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

""" "make play" runs a user's own playbook on the emulator, from whatever folder make was called in."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT
from .pages import blocks, missing
from .test_guides import read

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
pytestmark = pytest.mark.skipif(not (ROOT / ".venv" / "run.stamp").exists(), reason="make has made no .venv here")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Call make in a folder, by default one of the user's, for this checkout."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    (folder / "my.yml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "elsewhere.yml").write_text(ELSEWHERE, encoding="utf-8")
    (folder / "vars.yml").write_text("name: from the file\n", encoding="utf-8")
    # PIP_ and XDG_: the same settings of pip for the home folder of the tools as in the outer make
    kept = ("HOME", "USER_HOME", "PATH", "PIP_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept)}

    def run(*arguments: str, cwd: Path = folder) -> subprocess.CompletedProcess[str]:
        made = ("--old-file=.venv/run.stamp", "--old-file=.venv/tls.stamp")
        command = ["make", "--no-print-directory", *made, "-C", str(ROOT), "play", *arguments]
        return subprocess.run(
            command,
            cwd=cwd,
            env={**environment, "PWD": str(cwd), "ANSIBLE_NOCOLOR": "1"},
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


@pytest.mark.parametrize("playbook", ["playbooks/quickstart.yml", "ctyun.eci.quickstart"])
def test_a_playbook_of_the_collection(make: Make, playbook: str) -> None:
    run = make(f"PLAYBOOK={playbook}", "ARGS=--list-tasks")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Is this the emulator?" in run.stdout


def test_its_settings_and_those_of_the_emulator(make: Make, tmp_path: Path) -> None:
    settings = tmp_path / "my folder" / "ansible.cfg"
    settings.write_text("[defaults]\ncallback_result_format = yaml\n", encoding="utf-8")
    run = make("PLAYBOOK=my.yml", "EMULATOR_ARGS=--quota 0")
    assert run.returncode == 2
    assert re.search(r"FAILED! => ?\n +changed: false$", run.stdout, re.MULTILINE)
    assert "quota" in run.stdout


def test_a_missing_playbook(make: Make) -> None:
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


def test_the_guide_about_registries_as_a_reader_runs_it(make: Make, tmp_path: Path) -> None:
    guide = read(ROOT / "docs" / "guides" / "registry.md")
    (tmp_path / "my folder" / "my.yml").write_text(json.dumps(guide.plays), encoding="utf-8")
    run = make("PLAYBOOK=my.yml", "REGISTRY=1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert missing(guide.shown, run.stdout, run.stderr) == [], run.stdout + run.stderr
    refused = make("PLAYBOOK=my.yml", "REGISTRY=1", "EMULATOR_ARGS=--tls")
    assert "--registry needs a command, and goes without --tls" in refused.stderr


def test_the_commands_of_the_guide(make: Make) -> None:
    shell = [block.text for block in blocks(ROOT / "docs" / "guides" / "emulator.md") if block.kind == "shell"]
    commands = [shlex.split(line, comments=True) for text in shell for line in text.splitlines()]
    played = [arguments for program, *arguments in commands if program == "make" and arguments[0] == "play"]
    assert played
    for arguments in played:
        run = make(*arguments[1:])
        assert run.returncode == 0, run.stdout + run.stderr
