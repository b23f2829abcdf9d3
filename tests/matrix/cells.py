# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cells of the matrix: a command with an ansible-core and its Python, some with another Python for the modules."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.tools import tree

from .environments import FOLDER, NEWEST, OLDEST, PRERELEASE, ROOT, Environment
from .pythons import number

KINDS = ("in process", "as modules", "sanity", "units", "playbooks")
IN_PROCESS, AS_MODULES, SANITY, UNITS, PLAYBOOKS = KINDS
LOGS = FOLDER / "logs"
# The tests that depend on ansible-core or on the release of a library. The module entry point needs test helpers that ansible-core has
# from 2.19 on; the plays run it.
UNIT_TESTS = [
    "tests/unit/plugins/plugin_utils/test_action.py",
    *(f"tests/unit/plugins/module_utils/test_{name}.py" for name in ("task", "tasks", "image_cache_info")),
    *("tests/unit/plugins/module_utils/_arguments/", "tests/unit/plugins/module_utils/_api/"),
]
# Those that run ansible-playbook and depend on how ansible-core treats texts, defaults, conditions, templates and an interrupt.
PLAYBOOK_TESTS = ["tests/docs/test_hostile_texts.py", "tests/doors/test_habits.py", "tests/roles/test_release.py"]
# The messages of a tool that passes without checking anything.
_NOTHING_CHECKED = re.compile(r"All targets skipped|^WARNING: .*([Ss]kipp|not found)", re.MULTILINE)
_LONGEST = 1500
# The tests and the emulator need the Python that make needs.
TESTS_FROM = "3.11"


class Cell(NamedTuple):
    """``controller`` runs Ansible; modules run in ``target``, or there as well."""

    kind: str
    controller: Environment
    target: Environment | None = None

    @property
    def title(self) -> str:
        where = self.controller.folder.name + (f" for {self.target.folder.name}" if self.target else "")
        return f"{self.kind}: {where}"

    @property
    def home(self) -> Path:
        """One for each cell: two runs of ansible-test must not create its environments in one home at the same time."""
        return FOLDER / "homes" / re.sub(r"\W+", "-", self.title)

    @property
    def log(self) -> Path:
        return LOGS / (re.sub(r"\W+", "-", self.title) + ".log")


class Done(NamedTuple):
    """The result of a cell, and its duration in seconds."""

    cell: Cell
    good: bool
    seconds: float


def of(core: str, controllers: Sequence[str], targets: Sequence[str]) -> Iterator[Cell]:
    """The cells of one ansible-core, on the Pythons that it installs on and can manage, the oldest first.

    The newest of the former runs the modules on each of the latter. The libraries alternate.
    """
    for index, python in enumerate(controllers):
        yield Cell(IN_PROCESS, Environment(python, core, (NEWEST, OLDEST)[index % 2]))
    newest = Environment(controllers[-1], core, NEWEST)
    for index, python in enumerate(targets):
        yield Cell(AS_MODULES, newest, Environment(python, "", (OLDEST, NEWEST)[index % 2]))
    if core != PRERELEASE:  # its ansible-test may need packages that no index has yet
        yield Cell(SANITY, newest)
    for python in [one for one in controllers if number(one) >= number(TESTS_FROM)][:1]:
        environment = Environment(python, core, OLDEST, tests=True)
        yield Cell(UNITS, environment)
        yield Cell(PLAYBOOKS, environment)


def run(cell: Cell) -> Done:
    """Run a cell and write its output to its log."""
    began = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    folder, command = _ansible_test(cell) if cell.kind in (SANITY, UNITS) else (ROOT, _in_checkout(cell))
    with open(cell.log, "wb") as log:
        try:
            code = subprocess.run(
                command,
                cwd=folder,
                env=_environment(cell),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 1
    good = code == 0 and not _NOTHING_CHECKED.search(cell.log.read_text(encoding="utf-8", errors="replace"))
    return Done(cell, good, time.monotonic() - began)


def _in_checkout(cell: Cell) -> list[str]:
    if cell.kind == PLAYBOOKS:
        return [str(cell.controller.interpreter), "-m", "pytest", "-q", *PLAYBOOK_TESTS]
    playbook = Path(__file__).with_name("plays.yml")
    settings = ["-e", f"ctyun_eci_in_process={cell.kind == IN_PROCESS}"]
    if cell.target:
        settings += ["-e", f"ansible_python_interpreter={cell.target.interpreter}"]
    ansible = [str(cell.controller.folder / "bin" / "ansible-playbook"), str(playbook), *settings]
    return [sys.executable, "-m", "tests.emulator", "--tls", "--", *ansible]


def _ansible_test(cell: Cell) -> tuple[Path, list[str]]:
    """Use a separate copy of the collection, since ansible-test writes there."""
    copy = FOLDER / "trees" / re.sub(r"\W+", "-", cell.title) / "ansible_collections" / "ctyun" / "eci"
    tree.bring_up_to_date(copy, tree.wanted(), tree.COPIES["ansible-test"])
    settings = {**os.environ, "HOME": os.environ.get("USER_HOME", os.environ["HOME"])}
    home = [cell.controller.interpreter, ROOT / "tests" / "tools" / "home.py", cell.home]
    subprocess.run(home, env=settings, check=True)
    what = ["sanity"] if cell.kind == SANITY else ["units", "--local"]
    command = ["ansible-test", *what, "--color", "no", "--python", cell.controller.python]
    return copy, [str(cell.controller.folder / "bin" / command[0]), *command[1:], *(UNIT_TESTS * (cell.kind == UNITS))]


def _environment(cell: Cell) -> dict[str, str]:
    folders = [str(cell.controller.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    cell.home.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "PATH": os.pathsep.join(folders), "HOME": str(cell.home), "PYTHONUNBUFFERED": "1"}
