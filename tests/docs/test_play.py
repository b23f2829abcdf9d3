# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

""" "make play" runs a user's own playbook on the emulator, from whatever folder make was called in."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.tools.page import blocks

from .conftest import ROOT, Make

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
PAGE = """\
# Notes

<!--
```yaml
- fail: {msg: a comment is not run}
```
-->

```yaml
- ctyun.eci.image_cache_info:
    image_cache_name: "{{ item }}"
  loop: [web-40-app, web-40-jobs, web-41-app, web-41-jobs, slow]
  register: found
```

Then:

```yaml
- ansible.builtin.include_vars: "{{ playbook_dir }}/vars.yml"
- ansible.builtin.debug:
    msg: "{{ found.results | sum(attribute='image_caches', start=[]) | length }} of {{ size }}"
```

```yaml
# vars.yml
size: small
```
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


@pytest.fixture
def play(make: Make, tmp_path: Path) -> Make:
    """Call "make play" in a folder, by default one of the user's."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    (folder / "my.yml").write_text(PLAYBOOK, encoding="utf-8")
    (folder / "elsewhere.yml").write_text(ELSEWHERE, encoding="utf-8")
    (folder / "vars.yml").write_text("name: from the file\n", encoding="utf-8")
    return lambda *arguments, cwd=folder: make("play", *arguments, cwd=cwd)


def test_a_playbook_beside_the_caller(play: Make, tmp_path: Path) -> None:
    run = play("PLAYBOOK=my.yml", "ARGS=-e @vars.yml")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"from the file in {tmp_path / 'my folder'}" in run.stdout
    assert "changed=1" in run.stdout


@pytest.mark.parametrize("playbook", ["playbooks/quickstart.yml", "ctyun.eci.quickstart"])
def test_a_playbook_of_the_collection(play: Make, playbook: str) -> None:
    run = play(f"PLAYBOOK={playbook}", "ARGS=--list-tasks")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Is this the emulator?" in run.stdout


def test_its_settings_and_those_of_the_emulator(play: Make, tmp_path: Path) -> None:
    settings = tmp_path / "my folder" / "ansible.cfg"
    settings.write_text("[defaults]\ncallback_result_format = yaml\n", encoding="utf-8")
    run = play("PLAYBOOK=my.yml", "EMULATOR_ARGS=--quota 0")
    assert run.returncode == 2
    assert re.search(r"FAILED! => ?\n +changed: false$", run.stdout, re.MULTILINE)
    assert "quota" in run.stdout


def test_a_missing_playbook(play: Make) -> None:
    nothing = play()
    assert nothing.returncode == 2
    assert "make play PLAYBOOK=my.yml" in nothing.stderr
    missing = play("PLAYBOOK=none.yml")
    assert missing.returncode == 2
    assert "none.yml could not be found" in missing.stdout + missing.stderr


def test_a_task_that_names_the_service_does_not_reach_it(play: Make) -> None:
    run = play("PLAYBOOK=elsewhere.yml")
    assert run.returncode == 2
    assert "Only the emulator can be reached from here" in run.stdout


def test_the_registry_goes_without_tls(play: Make) -> None:
    refused = play("PLAYBOOK=my.yml", "REGISTRY=1", "EMULATOR_ARGS=--tls")
    assert "--registry needs a command, and goes without --tls" in refused.stderr


def test_a_page_of_the_users_own_in_a_world(play: Make, tmp_path: Path) -> None:
    (tmp_path / "my folder" / "notes.md").write_text(PAGE, encoding="utf-8")
    run = play("PLAYBOOK=notes.md", "WORLD=release-41")
    assert run.returncode == 0, run.stdout + run.stderr
    assert '"msg": "5 of small"' in run.stdout
    unknown = play("PLAYBOOK=notes.md", "WORLD=release-14")
    assert unknown.returncode == 2
    assert "no such world: release-14; there are release-41, troubles" in unknown.stderr


def test_the_commands_of_the_guide(play: Make) -> None:
    shell = [block.text for block in blocks(ROOT / "docs" / "emulator.md") if block.kind == "shell"]
    commands = [shlex.split(line, comments=True) for text in shell for line in text.splitlines()]
    played = [arguments for program, *arguments in commands if program == "make" and arguments[0] == "play"]
    assert played
    for arguments in played:
        run = play(*arguments[1:])
        assert run.returncode == 0, run.stdout + run.stderr
