# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cells of make matrix and the table that it writes; nothing is installed or run here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.matrix import cells, environments, page, pythons
from tests.matrix.cells import AS_MODULES, IN_PROCESS, SANITY, UNITS, Done
from tests.matrix.environments import NEWEST, OLDEST, Environment

OWN = "{}.{}".format(*sys.version_info)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one on the path, and no pyenv."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)


class TestPythons:
    def test_one_that_runs_is_found(self, folder: Path) -> None:
        script(folder / f"python{OWN}", f'exec "{sys.executable}" "$@"')
        assert pythons.find() == {OWN: folder / f"python{OWN}"}
        assert pythons.missing(pythons.find()) == [line for line in pythons.LINES if line != OWN]

    def test_what_is_no_python_is_not_found(self, folder: Path) -> None:
        for name in (f"python{OWN}-config", "python3", "python3.6"):
            script(folder / name, f'exec "{sys.executable}" "$@"')
        for shim in ("exit 127", "echo 2.7"):
            script(folder / f"python{OWN}", shim)
            assert pythons.find() == {}

    def test_those_of_pyenv(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = folder / "pyenv" / "versions" / f"{OWN}.1" / "bin"
        own.mkdir(parents=True)
        script(own / f"python{OWN}", f'exec "{sys.executable}" "$@"')
        monkeypatch.setenv("PYENV_ROOT", str(folder / "pyenv"))
        assert pythons.find() == {OWN: own / f"python{OWN}"}


class TestCells:
    def test_all_pythons_and_both_ends_of_the_libraries(self) -> None:
        found = list(cells.of("2.17", ["3.10", "3.11", "3.12"], ["3.8", "3.9", "3.10"]))
        in_process = [cell.controller for cell in found if cell.kind == IN_PROCESS]
        pairs = [(one.python, one.libraries) for one in in_process]
        assert pairs == [("3.10", NEWEST), ("3.11", OLDEST), ("3.12", NEWEST)]
        modules = [cell for cell in found if cell.kind == AS_MODULES]
        assert {cell.controller.python for cell in modules} == {"3.12"}
        pairs = [(cell.target.python, cell.target.libraries) for cell in modules if cell.target]
        assert pairs == [("3.8", OLDEST), ("3.9", NEWEST), ("3.10", OLDEST)]
        assert [cell.controller.python for cell in found if cell.kind == SANITY] == ["3.12"]
        # the tests need Python 3.11
        units = [cell.controller for cell in found if cell.kind == UNITS]
        assert [(one.python, one.tests) for one in units] == [("3.11", True)]

    def test_the_sanity_tests_of_a_prerelease_are_left_out(self) -> None:
        assert SANITY not in [cell.kind for cell in cells.of(environments.PRERELEASE, ["3.13"], ["3.13"])]

    def test_each_has_its_own_log_and_home(self) -> None:
        found = list(cells.of("2.17", ["3.10"], ["3.8", "3.9"]))
        assert len({cell.log for cell in found}) == len({cell.home for cell in found}) == len(found)

    def test_the_unit_tests_exist(self) -> None:
        assert [name for name in cells.UNIT_TESTS if not (environments.ROOT / name).exists()] == []


class TestPage:
    def done(self, kind: str, python: str, target: str = "", good: bool = True) -> Done:
        modules = Environment(target, "", OLDEST) if target else None
        return Done(cells.Cell(kind, Environment(python, "2.17", NEWEST), modules), good, 1.0)

    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def releases(environment: Environment) -> dict[str, str]:
            library = "2.25.0" if environment.libraries == OLDEST else "2.34.2"
            return {"ansible-core": "2.17.14", "requests": library, "jsonschema": "4.0.0"}

        monkeypatch.setattr(page, "releases", releases)

    def test_the_table(self) -> None:
        done = [self.done(SANITY, "3.12"), self.done(IN_PROCESS, "3.12"), self.done(IN_PROCESS, "3.9", good=False)]
        done += [self.done(AS_MODULES, "3.12", "3.8"), self.done(UNITS, "3.10", good=False)]
        lines = page.text(done, ["3.14"], page.WORDS["docs/compatibility.md"]).splitlines()
        assert "| 2.17.14 | 3.9 **failed**, 3.12 | 3.8 | passed (3.12) | failed (3.10) | - |" in lines
        assert "Libraries: requests 2.25.0 and 2.34.2, jsonschema 4.0.0." in lines
        assert "Not tested, since this machine does not have it: Python 3.14." in lines

    def test_a_cell_that_was_left_out_is_a_dash_and_no_python_is_missing(self) -> None:
        text = page.text([self.done(IN_PROCESS, "3.12")], [], page.WORDS["docs/compatibility.md"])
        assert "| 2.17.14 | 3.12 | - | - | - | - |" in text.splitlines()
        assert "Not tested" not in text


def test_the_oldest_releases_are_the_documented_ones() -> None:
    documented = (environments.ROOT / "plugins" / "doc_fragments" / "connection.py").read_text(encoding="utf-8")
    assert set(environments.bounds()) == {"requests", "jsonschema"}
    assert [name for name, least in environments.bounds().items() if f"  - {name} >= {least}\n" not in documented] == []
    runtime = (environments.ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")
    assert f">={environments.CORES[0]}.0" in runtime


def test_an_environment_of_a_prerelease_is_newer_than_all_lines() -> None:
    assert environments.wanted(Environment("3.12", environments.PRERELEASE, OLDEST))[0] == "ansible-core>=2.22.0.dev0"
    assert environments.wanted(Environment("3.8", "", OLDEST)) == ["jsonschema==4.0", "requests==2.25"]
    assert os.path.isfile(environments.wanted(Environment("3.8", "", NEWEST, tests=True))[-1].partition("=")[2])
