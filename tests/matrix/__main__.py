# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""See __init__.py.

tox-ansible 26.10 makes a matrix as well, but of ansible-core 2.19 and later alone, without other Pythons for the modules or older libraries,
and it installs ansible-core from github.com. antsibull-nox runs sanity and unit tests in containers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import cells, page, pythons
from .cells import Cell, Done
from .environments import CORES, FOLDER, NEWEST, PRERELEASE, DoesNotInstall, Environment, make

_RESULTS = FOLDER / "good.json"
# The Pythons that an ansible-core supports: it may install on others as well.
_PYTHONS_OF_CORE = (
    "from ansible_test._util.target.common import constants as c;"
    "print(*c.CONTROLLER_PYTHON_VERSIONS); print(*c.REMOTE_ONLY_PYTHON_VERSIONS)"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Run the collection everywhere.")
    parser.add_argument("--core", action="append", choices=(*CORES, PRERELEASE), help="only this one; may be repeated")
    parser.add_argument("--only", action="append", choices=cells.KINDS, help="only this; may be repeated")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="skip the cells that passed the last time")
    parser.add_argument("--write", action="store_true", help="write the table to docs/compatibility.md")
    options = parser.parse_args()
    found = pythons.find()
    print(f"Pythons here: {', '.join(found)}; not here: {', '.join(pythons.missing(found)) or 'none'}", flush=True)
    began = time.monotonic()
    wanted = [
        cell
        for core in options.core or (*CORES, PRERELEASE)
        for cell in _cells(core, found)
        if not options.only or cell.kind in options.only
    ]
    known = _good() if options.again else {}
    done = [Done(cell, True, known[cell.title]) for cell in wanted if cell.title in known]
    wanted = [cell for cell in wanted if cell.title not in known]
    with ThreadPoolExecutor(options.processes) as pool:
        # the longest first
        wanted.sort(key=lambda cell: (cell.kind == cells.SANITY, cell.kind == cells.UNITS), reverse=True)
        for one in pool.map(cells.run, wanted):
            print(f"{'ok' if one.good else 'FAIL':4} {one.seconds:6.1f} s  {one.cell.title}", flush=True)
            done.append(one)
    _RESULTS.write_text(json.dumps({one.cell.title: one.seconds for one in done if one.good}), encoding="utf-8")
    bad = [one for one in done if not one.good]
    for one in bad:
        _show(one)
    print(f"{len(done)} cells, {len(bad)} of them failed, {time.monotonic() - began:.0f} s")
    if options.write:
        page.write(done, pythons.missing(found))
    return 1 if bad else 0


def _cells(core: str, found: dict[str, Path]) -> Iterator[Cell]:
    """Make the environments of an ansible-core, and yield its cells."""
    for python in reversed(found):
        newest = Environment(python, core, NEWEST)
        try:
            make(newest, found[python])
            break
        except DoesNotInstall:
            continue
    else:
        print(f"No Python here takes ansible-core {core}.", flush=True)
        return
    done = subprocess.run([newest.interpreter, "-c", _PYTHONS_OF_CORE], capture_output=True, text=True, check=True)
    own, others = (line.split() for line in done.stdout.splitlines())
    controllers = [python for python in found if python in own]
    for cell in cells.of(core, controllers, [python for python in found if python in (*others, *own)]):
        for environment in filter(None, (cell.controller, cell.target)):
            make(environment, found[environment.python])
        yield cell


def _good() -> dict[str, float]:
    """The titles of the cells that passed the last time, and their seconds."""
    found: dict[str, float] = json.loads(_RESULTS.read_text(encoding="utf-8")) if _RESULTS.exists() else {}
    return found


def _show(one: Done) -> None:
    lines = one.cell.log.read_text(encoding="utf-8", errors="replace").splitlines()
    print(f"----- the end of {one.cell.log} -----", *lines[-40:], sep="\n")


if __name__ == "__main__":
    sys.exit(main())
