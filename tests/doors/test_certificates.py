# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the certificate of an authority is found, and that nothing is said where none is wanted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator

from .conftest import Run, Task

DOORS = pytest.mark.parametrize("in_process", [True, False], ids=["process", "module"])


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(tls=True, ready_after=0) as running:
        yield running


@pytest.fixture
def environment(emulator: Emulator) -> dict[str, str]:
    """What the environment has to say, the authority not among it."""
    return {**emulator.environment, "REQUESTS_CA_BUNDLE": ""}


@pytest.fixture
def certificate(emulator: Emulator, tmp_path: Path) -> Callable[[str], None]:
    """Put the authority's certificate into a folder beside the playbook."""

    def put(path: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True)
        shutil.copyfile(str(emulator.ca_file), tmp_path / path)

    return put


def reading(name: str = "read", **arguments: Any) -> Task:
    return {"name": name, "ctyun.eci.region_info": arguments}


@DOORS
def test_a_file_of_a_role(
    in_process: bool, tasks: Callable[..., Run], environment: dict[str, str], certificate: Any, tmp_path: Path
) -> None:
    certificate("roles/reader/files/authorities/ca.pem")
    (tmp_path / "roles/reader/tasks").mkdir()
    (tmp_path / "roles/reader/tasks/main.yml").write_text(
        "- {name: Read, ctyun.eci.region_info: {ca_path: authorities/ca.pem}, register: read_by_role}\n",
        encoding="ascii",
    )
    role = {"name": "role", "ansible.builtin.include_role": {"name": "reader"}}
    shown = {"name": "shown", "ansible.builtin.debug": {"var": "read_by_role.region.zones"}}
    done = tasks([role, shown], in_process, **environment)
    assert done.results["shown"]["read_by_role.region.zones"] == Emulator().settings.zones
    assert done.stderr == ""


@DOORS
@pytest.mark.parametrize("place", ["files/ca.pem", "ca.pem"])
def test_a_file_beside_the_playbook(
    place: str,
    in_process: bool,
    tasks: Callable[..., Run],
    environment: dict[str, str],
    certificate: Any,
    tmp_path: Path,
) -> None:
    if place == "ca.pem":
        certificate("elsewhere/ca.pem")
        shutil.copyfile(tmp_path / "elsewhere/ca.pem", tmp_path / "ca.pem")
    else:
        certificate(place)
    by_default = {
        "module_defaults": {"ctyun.eci.region_info": {"ca_path": "{{ file }}.pem"}, "group/ctyun.eci.eci": {}},
        "vars": {"file": "ca"},
    }
    given = [
        reading("plain", ca_path="ca.pem"),
        {**reading("templated", ca_path="{{ ['ca', 'pem'] | join('.') }}")},
        {**reading("from the environment", ca_path="$AUTHORITY.pem")},
        {**reading("by default"), **by_default},
        {**reading("absolute", ca_path=str(tmp_path / place))},
    ]
    found = tasks(given, in_process, **environment, AUTHORITY="ca").results
    assert {name: result["failed"] for name, result in found.items()} == dict.fromkeys(found, False)


@DOORS
def test_no_file_is_named(in_process: bool, tasks: Callable[..., Run], environment: dict[str, str]) -> None:
    found = tasks([reading(ca_path="nowhere/ca.pem"), reading("other")], in_process, **environment).results
    assert "- ca_path: there is no file or directory nowhere/ca.pem" in found["read"]["msg"]
    assert "No trusted TLS connection" in found["other"]["msg"]


@DOORS
def test_nothing_is_said_where_certificates_are_not_checked(
    in_process: bool, tasks: Callable[..., Run], environment: dict[str, str]
) -> None:
    given = [reading(validate_certs=False), {**reading("loop", validate_certs=False), "loop": [1, 2]}]
    done = tasks(given, in_process, **environment)
    assert done.results["read"]["region"]["zones"] == Emulator().settings.zones
    assert done.stderr == ""
    assert "warnings" not in done.results["read"]
    assert "Warning" not in done.stdout
