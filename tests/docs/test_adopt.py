# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that the playbook adopt writes describe what exists: with them the playbook image_caches changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulator import Emulator
from tests.unit.plugins.emulated import seed

from .conftest import PLACES, Ansible

TAGS = [{"key": "team", "value": "web"}, {"key": "odd", "value": "{{ 7 * 7 }} 'q' \"d\" # no"}]


class VariablesLoader(yaml.CSafeLoader):
    """Read files of variables, as Ansible does."""


VariablesLoader.add_constructor("!unsafe", VariablesLoader.construct_yaml_str)


def read_variables(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), VariablesLoader)


def adopt(ansible: Ansible, emulator: Emulator, path: Path, *arguments: str) -> Any:
    return ansible("playbook", "ctyun.eci.adopt", "-e", f"adopt_file={path}", *arguments, **emulator.environment)


def fill_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for option, value in PLACES.items():
        text, count = re.subn(rf"^  {option}: # .*$", f"  {option}: {value}", text, flags=re.MULTILINE)
        assert count == 1
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("shows_tags", [True, False])
def test_there_and_back(shows_tags: bool, ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    emulator.settings.update({"tags_shown": shows_tags})
    seed(emulator, "web", tags=TAGS, images=["r.example/a:1", "r.example/b:2"], imageCacheSize=60)
    seed(emulator, "数据库 1", tags=[])
    same_name = {seed(emulator, "twice"), seed(emulator, "twice")}
    path = tmp_path / "vars.yml"
    done = adopt(ansible, emulator, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "4 image caches are in" in done.stdout
    assert {record.operation for record in emulator.requests} == {"describeImageCaches"}

    written = read_variables(path)["image_caches"]
    assert ("tags" in written[0]) is shows_tags
    printed = re.search(r"ansible-playbook (ctyun.eci.image_caches -e @\S+ --check --diff)\.", done.stdout)
    assert printed
    again = ansible("playbook", *printed[1].split(), **emulator.environment)
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    assert "changed=0 " in again.stdout

    # selected by their names they need all of it
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "    image_cache_id: " not in line or "another one has this name" in line]
    assert len(lines) - len(kept) == 2
    path.write_text("".join(kept), encoding="utf-8")
    arguments = ("ctyun.eci.image_caches", "-e", f"@{path}", "--check")
    missing = ansible("playbook", *arguments, **emulator.environment)
    assert missing.returncode == 2
    assert "image_caches[0].vpc_id" in missing.stdout
    fill_in(path)
    again = ansible("playbook", *arguments, **emulator.environment)
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    assert "changed=0 " in again.stdout
    assert {one.get("image_cache_id") for one in read_variables(path)["image_caches"]} == {None, *same_name}


def test_only_some(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    seed(emulator, "web", tags=TAGS)
    seed(emulator, "db")
    path = tmp_path / "vars.yml"
    done = adopt(ansible, emulator, path, "-e", '{"adopt_only": {"tags": [{"key": "team", "value": "web"}]}}')
    assert done.returncode == 0, done.stdout
    assert [one["name"] for one in read_variables(path)["image_caches"]] == ["web"]


def test_what_is_deleted_or_has_no_name_is_a_comment(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    seed(emulator, "web")
    left_out = {
        seed(emulator, "old", status="Deleting"): '"old", Deleting',
        seed(emulator, "stuck", status="delete_failed"): '"stuck", delete_failed',
        seed(emulator, ""): "without a name, ready",
        # not the same as the one that stays
        seed(emulator, "web", status="deleting"): '"web", deleting',
    }
    path = tmp_path / "vars.yml"
    done = adopt(ansible, emulator, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "1 image caches are in" in done.stdout
    assert "and 4 are left out, see its end." in done.stdout
    text = path.read_text(encoding="utf-8")
    (written,) = read_variables(path)["image_caches"]
    assert written["name"] == "web"
    for image_cache_id, comment in left_out.items():
        assert f"\n# {image_cache_id}, {comment}\n" in text


def test_none(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    assert adopt(ansible, emulator, path).returncode == 0
    assert yaml.safe_load(path.read_text())["image_caches"] == []


def test_the_file_is_where_the_command_was_started(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    environment = {**emulator.environment, "PWD": str(tmp_path / "elsewhere")}
    done = ansible("playbook", "ctyun.eci.adopt", "-e", "adopt_file=vars.yml", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stdout
    assert f"are in {tmp_path / 'vars.yml'}." in done.stdout
    assert (tmp_path / "vars.yml").is_file()


def test_a_file_is_never_overwritten(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_text("mine")
    done = adopt(ansible, emulator, path)
    assert done.returncode == 2
    assert "already. Nothing was written." in done.stdout
    assert path.read_text() == "mine"
    assert emulator.requests == []


def test_it_asks_for_its_variable(ansible: Ansible, emulator: Emulator) -> None:
    done = ansible("playbook", "ctyun.eci.adopt", **emulator.environment)
    assert done.returncode == 2
    assert "-e adopt_file=vars.yml" in done.stdout
