# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the code in small ways, one at a time, and see whether a unit test fails.

    python -m tests.tools.mutate [--processes 2] [--every N] [FILE...]

What is changed, and how, is in mutations.py. Nothing is written to the checkout: a process is forked for each change,
imports the changed module, and runs the tests that came to that line. What they let pass is printed, and written to
build/mutants/survivors.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.tools import mutations

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugins" / "module_utils"
TESTS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
FOLDER = ROOT / "build" / "mutants"
PACKAGE = "ansible_collections.ctyun.eci.plugins.module_utils"
FILES = [
    *sorted((CODE / "_image_cache").glob("*.py")),
    *sorted((CODE / "_registry").glob("*.py")),
    CODE / "_service" / "reply.py",
    CODE / "_service" / "gateway.py",
    CODE / "_options" / "check.py",
    CODE / "_options" / "masking.py",
]
# The number of no change at all.
UNCHANGED = -1
# So many tests are enough for a change; those of the module's own file come first.
MOST_TESTS = 120
# Seconds that the tests of one change may take, and bytes: a loop that does not end may collect things.
LONGEST = 60
MEMORY = 4 * 1024**3
# What takes long to import and is not ours.
SLOW_IMPORTS = ("aiohttp.web", "ansible.module_utils.basic", "hypothesis.stateful", "jsonschema", "requests", "xdist")


class Mutant(NamedTuple):
    """The change of this number in a file, and the tests that come to its line."""

    file: Path
    number: int
    line: int
    change: str
    tests: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for changes of the code that no unit test notices.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth change")
    options = parser.parse_args()
    os.chdir(ROOT)
    files = [file.resolve() for file in options.files] or FILES
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found = list(_mutants(files, _tests_by_line(files)))[:: options.every]
    print(f"{len(found)} changes, {sum(not mutant.tests for mutant in found)} of them where no test comes", flush=True)
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    for file in files:
        tests = next((mutant.tests for mutant in found if mutant.file == file), [])
        if not _survives(Mutant(file, UNCHANGED, 0, "", tests)):
            sys.exit(f"The tests of {file} fail without any change.")
    readers = [_share(found[number :: options.processes]) for number in range(options.processes)]
    survivors = [line for reader in readers for line in reader]
    (FOLDER / "survivors").write_text("".join(sorted(survivors)), encoding="utf-8")
    print(*sorted(survivors), sep="", end="")
    print(f"{len(survivors)} of {len(found)} survived, {time.monotonic() - began:.0f} s")
    return 0


def _tests_by_line(files: list[Path]) -> dict[Path, dict[int, set[str]]]:
    """Run the tests of these files' folders once, and see which lines each comes to."""
    from coverage import CoverageData

    data = FOLDER / "coverage"
    folders = sorted({str((TESTS / file.parent.relative_to(CODE)).relative_to(ROOT)) for file in files})
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--cov=plugins", "--cov-context=test", "--cov-report="]
    environment = {**os.environ, "COVERAGE_FILE": str(data)}
    subprocess.run([*command, *folders], check=True, env=environment, stdout=subprocess.DEVNULL)
    coverage = CoverageData(str(data))
    coverage.read()
    return {
        file: {
            line: {context.partition("|")[0] for context in contexts if "|" in context}
            for line, contexts in coverage.contexts_by_lineno(str(file)).items()
        }
        for file in files
    }


def _mutants(files: list[Path], tests: dict[Path, dict[int, set[str]]]) -> Iterator[Mutant]:
    for file in files:
        by_line = tests[file]
        everywhere = set().union(*by_line.values())
        own = f"test_{file.stem}.py"
        for number, change in enumerate(mutations.of(ast.parse(file.read_text(encoding="utf-8")))):
            lines = [by_line.get(line) for line in range(change.line, change.end + 1)]
            coming = set().union(*(found for found in lines if found))
            if not coming and any(found is not None for found in lines):
                coming = everywhere  # a line that runs when the module is imported
            ordered = sorted(coming, key=lambda test: (own not in test, test))
            yield Mutant(file, number, change.line, change.text, _spread(ordered, own))


def _spread(tests: list[str], own: str) -> list[str]:
    """As many as are enough: all of the module's own, and of the others one in so many."""
    first = [test for test in tests if own in test][:MOST_TESTS]
    others, room = tests[len(first) :], MOST_TESTS - len(first)
    return first + (others[:: -(-len(others) // room)] if room and others else [])


def _share(mutants: list[Mutant]) -> Iterator[str]:
    """Try these in a process of their own; the lines that it tells of survivors."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        with os.fdopen(write, "w", encoding="utf-8") as told:
            for mutant in mutants:
                if _survives(mutant):
                    place = f"{mutant.file.relative_to(ROOT)}:{mutant.line}"
                    told.write(f"{place}: {mutant.change}{'' if mutant.tests else ' (no test comes here)'}\n")
                    told.flush()
        os._exit(0)
    os.close(write)
    return os.fdopen(read, encoding="utf-8")


def _survives(mutant: Mutant) -> bool:
    if not mutant.tests:
        return True
    child = os.fork()
    if child == 0:
        os._exit(_tested(mutant))
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _tested(mutant: Mutant) -> int:
    """The exit code of the tests of a mutant, in a process that lives for it only."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.meta_path.insert(0, _Finder(mutant))
    files = list(dict.fromkeys(test.partition("::")[0] for test in mutant.tests))
    options = ["-x", "-q", "-p", "no:xdist", "-p", "no:cov", "-o", f"cache_dir={FOLDER}/cache"]
    return int(pytest.main([*options, *files], plugins=[_Chosen(mutant.tests)]))


class _Chosen:
    """A plugin of pytest that leaves these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = ".".join([PACKAGE, *mutant.file.relative_to(CODE).with_suffix("").parts])

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._mutant.file))
        loader.number = self._mutant.number
        return importlib.util.spec_from_file_location(fullname, self._mutant.file, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    number = 0

    def get_code(self, fullname: str) -> Any:
        tree = ast.parse(self.get_data(self.path))
        if self.number != UNCHANGED:
            next(change for number, change in enumerate(mutations.of(tree)) if number == self.number).make()
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)


if __name__ == "__main__":
    sys.exit(main())
