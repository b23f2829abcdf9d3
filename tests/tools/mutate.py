# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the code in small ways, one at a time, and see whether a unit test fails.

    python -m tests.tools.mutate [--processes 2] [--every N] [--again] [--write] [FILE...]

What is changed, and how, is in mutations.py. Nothing is written to the checkout: a process is forked for each change,
imports the changed module, and runs the tests that came to that line. What they let pass is printed; what became of
each change is kept in build/mutants/tried. Of some it is known that nothing could notice them, see equivalent.py.

Ends with 1 if fewer than 95 of 100 are noticed.
"""

from __future__ import annotations

import argparse
import ast
import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple, NoReturn, TextIO

import pytest

from tests.reliability import figures
from tests.tools import equivalent, mutations

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugins" / "module_utils"
TESTS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
FOLDER = ROOT / "build" / "mutants"
PACKAGE = "ansible_collections.ctyun.eci.plugins.module_utils"
FILES = [
    *sorted((CODE / "_image_cache").glob("*.py")),
    *sorted((CODE / "_registry").glob("*.py")),
    CODE / "_api" / "reply.py",
    CODE / "_api" / "gateway.py",
    CODE / "_options" / "check.py",
    CODE / "_options" / "masking.py",
]
# So many of 100 changes have to be noticed.
LEAST = 95
# The number of no change at all.
UNCHANGED = -1
# So many tests are enough for a change, and three times as many of the module's own file.
MOST_TESTS = 400
# Seconds that one test may take, of the clock and of the processor, and bytes: a loop that does not end may collect things.
LONGEST = 60
BUSIEST = 10
MEMORY = 4 * 1024**3
# What takes long to import and is not ours.
SLOW_IMPORTS = ("aiohttp.web", "ansible.module_utils.basic", "hypothesis.stateful", "jsonschema", "requests", "xdist")

# What a process ends with that could not do what it was to do.
UNTRIED = 99
NOTICED, ENDLESS, PASSED = "noticed", "endless", "passed"


class Mutant(NamedTuple):
    """The change of this number in a file, and the tests that come to its line; ``key`` tells it from others as long as the
    code around it stays as it is.
    """

    file: Path
    number: int
    line: int
    change: str
    tests: list[str]
    key: tuple[str, str, str, str]

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


class Tried(NamedTuple):
    """What became of a change, and the test that noticed it. ``code`` stands for the text of the function around it, or of
    the file, ``at`` for the place there.
    """

    file: str
    code: str
    at: str
    change: str
    became: str
    test: str


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for changes of the code that no unit test notices.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth change")
    parser.add_argument(
        "--again",
        action="store_true",
        help="only what passed before; what was noticed counts while the file is the same",
    )
    parser.add_argument("--tests", type=int, default=MOST_TESTS, metavar="N", help="how many tests are enough")
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    options = parser.parse_args()
    os.chdir(ROOT)
    files = [file.resolve() for file in options.files] or FILES
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found = list(_mutants(files, _tests_by_line(), options.tests))[:: options.every]
    before = {tried[:4]: tried for tried in _read() if tried.became != PASSED} if options.again else {}
    known = [before[mutant.key] for mutant in found if mutant.key in before]
    left = [mutant for mutant in found if mutant.key not in before]
    print(
        f"{len(found)} changes, {sum(not mutant.tests for mutant in found)} of them where no test comes;"
        f" {len(known)} were noticed before",
        flush=True,
    )
    _try(left, options.processes)
    keys = {mutant.key for mutant in left}
    tried = known + [one for one in _read() if one[:4] in keys]
    text, good = _judged(found, tried, whole=options.every == 1)
    print(f"{text}\n\n{time.monotonic() - began:.0f} s")
    if options.write and files == FILES and options.every == 1:
        command = f"python -m tests.tools.mutate --processes {options.processes}{' --again' * options.again}"
        figures.write("mutants", command, text)
    return 0 if good else 1


def _tests_by_line() -> dict[str, dict[int, set[str]]]:
    """Run the tests once, and see which lines each comes to."""
    from coverage import CoverageData

    data, of = FOLDER / "coverage", FOLDER / "coverage.of"
    digest = _digest()
    if not (of.exists() and of.read_text(encoding="utf-8") == digest):
        _cover(data)
        of.write_text(digest, encoding="utf-8")
    coverage = CoverageData(str(data))
    coverage.read()
    return {
        file: {
            line: {context.rpartition("|")[0] for context in contexts if "|" in context}
            for line, contexts in coverage.contexts_by_lineno(file).items()
        }
        for file in coverage.measured_files()
    }


def _digest() -> str:
    """What stands for the code and the tests as they are."""
    files = sorted(
        path for folder in ("plugins", "tests/emulator", "tests/unit") for path in (ROOT / folder).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _cover(data: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--cov=plugins", "--cov-context=test", "--cov-report="]
    environment = {**os.environ, "COVERAGE_FILE": str(data)}
    with open(FOLDER / "log", "wb") as log:
        # what fails now, on a busy machine, will be seen to fail without any change
        subprocess.run([*command, str(TESTS.relative_to(ROOT))], env=environment, stdout=log, check=False)


def _mutants(files: list[Path], tests: dict[str, dict[int, set[str]]], most: int) -> Iterator[Mutant]:
    for file in files:
        by_line = tests.get(str(file), {})
        everywhere = set().union(*by_line.values())
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        seen: Counter[tuple[str, str]] = Counter()
        for number, change in enumerate(mutations.of(tree)):
            lines = [by_line.get(line) for line in range(change.line, change.end + 1)]
            coming = set().union(*(found for found in lines if found))
            if not coming and any(found is not None for found in lines):
                coming = everywhere  # a line that runs when the module is imported
            enough = _enough(coming, f"/test_{file.stem}.py::", most)
            key = _key(file, text, tree, change, seen)
            yield Mutant(file, number, change.line, change.text, enough, key)


def _enough(tests: Iterable[str], own: str, most: int) -> list[str]:
    """As many as are enough, those of the module's own file first; the cases of a table are the first to be left out."""
    by_function: dict[str, list[str]] = defaultdict(list)
    for test in sorted(tests):
        by_function[test.partition("[")[0]].append(test)
    ordered: list[tuple[int, str]] = []
    for cases in by_function.values():
        # cases that are neighbours are alike
        cases.sort(key=lambda test: hashlib.sha256(test.encode()).digest())
        ordered += enumerate(cases)
    ordered.sort()
    owned = [test for _rank, test in ordered if own in test]
    others = [test for _rank, test in ordered if own not in test]
    return owned[: 3 * most] + others[:most]


# --- what became of them


def _key(
    file: Path, text: str, tree: ast.AST, change: mutations.Change, seen: Counter[tuple[str, str]]
) -> tuple[str, str, str, str]:
    lines = text.splitlines()
    around = _function_around(tree, change.line)
    first, last = (around.lineno, around.end_lineno or 0) if around else (1, len(lines))
    code = hashlib.sha256("\n".join(lines[first - 1 : last]).encode()).hexdigest()[:16]
    at = f"{change.line - first}"
    seen[(f"{code} {at}", change.text)] += 1
    name = str(file.relative_to(ROOT))
    return (name, code, f"{at}.{seen[(f'{code} {at}', change.text)]}", change.text)


def _read() -> list[Tried]:
    try:
        lines = (FOLDER / "tried").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    # the last word on each
    return list({tried[:4]: tried for tried in (Tried(*json.loads(line)) for line in lines)}.values())


def _judged(found: list[Mutant], tried: list[Tried], whole: bool) -> tuple[str, bool]:
    """The figures, and whether they are good."""
    passed = {one[:4] for one in tried if one.became == PASSED}
    listed = equivalent.read()
    known, good = 0, True
    for mutant in sorted(found):
        is_equivalent = equivalent.find(listed, mutant.file, mutant.line, mutant.change) is not None
        if mutant.key in passed:
            known += is_equivalent
            more = "" if mutant.tests else " (no test comes here)"
            print(f"{mutant.place}: {mutant.change}{more}{' (equivalent)' * is_equivalent}")
        elif is_equivalent:
            good = False
            print(f"{mutant.place}: {mutant.change}: is said to be equivalent, but a test notices it")
    counts = Counter(one.became for one in tried)
    noticed = len(tried) - counts[PASSED]
    rows = [
        ("changes", len(tried)),
        ("noticed by a test", noticed),
        ("noticed: a test did not end any more", counts[ENDLESS]),
        ("noticed, of 100", f"{100 * noticed / max(len(tried), 1):.1f}"),
        ("not noticed", counts[PASSED]),
        ("not noticed: nothing could notice them, as `tests/tools/equivalent.toml` explains", known),
    ]
    enough = not whole or noticed * 100 >= LEAST * len(tried)
    return figures.table("changed code", rows), good and enough


# --- trying them


def _try(mutants: list[Mutant], processes: int) -> None:
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    unchanged = [
        Mutant(ROOT, UNCHANGED, 0, "", sorted({test for mutant in mutants for test in mutant.tests}), ("", "", "", ""))
    ]
    inside = [mutant for mutant in mutants if _is_inside_a_function(mutant)]
    others = [mutant for mutant in mutants if mutant not in inside]
    for share, work in ((unchanged, _in_one_session), (inside, _in_one_session), (others, _in_a_session_each)):
        children = [_share(share[number::processes], work) for number in range(processes)]
        if sum([os.waitpid(child, 0)[1] for child in children]):
            sys.exit("A process has failed, see above.")


def _share(mutants: list[Mutant], work: Callable[[list[Mutant]], None]) -> int:
    """Try these in a process of their own."""
    child = os.fork()
    if child == 0:
        work(mutants)
        os._exit(0)
    return child


def _write_down(mutant: Mutant, became: str, test: str) -> None:
    if mutant.number == UNCHANGED:
        if became != PASSED:
            _give_up(f"{test} fails without any change.")
        return
    with open(FOLDER / "tried", "a", encoding="utf-8") as file:
        file.write(json.dumps([*mutant.key, became, test]) + "\n")
    if became == PASSED:
        print(f"... {mutant.place}: {mutant.change}", file=_terminal, flush=True)


def _give_up(why: str) -> NoReturn:
    print(why, file=_terminal, flush=True)
    os._exit(1)


def _outcome(mutant: Mutant, tested: Callable[[Mutant, int], int]) -> tuple[str, str]:
    """What becomes of a change, and the test that was the last one."""
    if not mutant.tests:
        return PASSED, ""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os._exit(tested(mutant, write))
    os.close(write)
    told = b""
    with os.fdopen(read, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], LONGEST)[0]:
            more = pipe.read(4096)
            if not more:
                break
            told = (told + more).removesuffix(b"\n").rpartition(b"\n")[2] + b"\n"
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return ENDLESS, told.decode().strip()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGXCPU:
        return ENDLESS, told.decode().strip()
    if code in (pytest.ExitCode.NO_TESTS_COLLECTED, UNTRIED):
        _give_up(f"{mutant.place}: {mutant.change} could not be tried")
    return (PASSED if code == 0 else NOTICED), told.decode().strip()


OPTIONS = ["-x", "-q", "--capture=sys", "-p", "no:xdist", "-p", "no:cov", "-o", f"cache_dir={FOLDER}/cache"]


_terminal: TextIO = sys.stderr


def _silence() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    global _terminal
    _terminal = os.fdopen(os.dup(2), "w", encoding="utf-8")
    os.dup2(nothing, 2)


def _files(mutants: Iterable[Mutant]) -> list[str]:
    return list(dict.fromkeys(test.partition("::")[0] for mutant in mutants for test in mutant.tests))


def _in_a_session_each(mutants: list[Mutant]) -> None:
    """Change what is imported, and import it anew for each change."""
    _silence()
    for mutant in mutants:
        _write_down(mutant, *_outcome(mutant, _imported_and_tested))


def _imported_and_tested(mutant: Mutant, tell: int) -> int:
    """The exit code of the tests of a mutant, in a process that lives for it only."""
    sys.meta_path.insert(0, _Finder(mutant))
    return int(pytest.main([*OPTIONS, *_files([mutant])], plugins=[_Chosen(mutant.tests, tell)]))


class _Chosen:
    """A plugin of pytest that leaves these tests, in this order, and tells which one is begun."""

    def __init__(self, tests: list[str], tell: int) -> None:
        self._order = {test: number for number, test in enumerate(tests)}
        self._tell = tell

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        _tell_begun(self._tell, nodeid)


def _tell_begun(tell: int, test: str) -> None:
    most = int(time.process_time()) + BUSIEST
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
    os.write(tell, test.encode("utf-8", "replace").replace(b"\n", b" ") + b"\n")


def _in_one_session(mutants: list[Mutant]) -> None:
    """Import and collect once, and put other code into the functions, in a process that is forked then."""
    _silence()
    files = _files(mutants)
    if files and pytest.main([*OPTIONS, *files], plugins=[_Loop(mutants)]) != 0:
        os._exit(1)


class _Loop:
    """A plugin of pytest that runs the tests of each of these mutants, in a process of its own."""

    def __init__(self, mutants: list[Mutant]) -> None:
        self._mutants = mutants

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}

        noticed: dict[Path, Counter[str]] = defaultdict(Counter)

        def tested(mutant: Mutant, tell: int) -> int:
            # first those that have noticed most
            tests = sorted(mutant.tests, key=lambda test: -noticed[mutant.file][test])
            try:
                _put_in(mutant)
            except Exception as error:  # noqa: BLE001
                print(f"{error!r}", file=_terminal, flush=True)
                return UNTRIED
            temporary = FOLDER / "tmp" / str(os.getpid())
            temporary.mkdir(parents=True)
            os.environ["PYTEST_DEBUG_TEMPROOT"] = str(temporary)
            chosen = [items[test] for test in tests if test in items]
            for item, after in zip(chosen, [*chosen[1:], None], strict=True):
                _tell_begun(tell, item.nodeid)
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
                if session.testsfailed:
                    break
            shutil.rmtree(temporary, ignore_errors=True)
            return 1 if session.testsfailed else 0 if chosen else int(pytest.ExitCode.NO_TESTS_COLLECTED)

        gc.freeze()  # what is shared with all that are forked
        for mutant in self._mutants:
            became, test = _outcome(mutant, tested)
            noticed[mutant.file][test] += became == NOTICED
            _write_down(mutant, became, test)
        return True


def _is_inside_a_function(mutant: Mutant) -> bool:
    """Whether it can be put into the function: one without super() does not fit into one that has it."""
    around = _function_around(ast.parse(mutant.file.read_text(encoding="utf-8")), mutant.line)
    return around is not None and not any(
        isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(around)
    )


def _function_around(tree: ast.AST, line: int) -> ast.FunctionDef | None:
    """The outermost function whose body has the line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno <= line <= (node.end_lineno or 0):
            return node
        inside = _function_around(node, line) if isinstance(node, ast.ClassDef) else None
        if inside:
            return inside
    return None


def _names(tree: ast.AST, line: int) -> list[str]:
    """The names that lead to that function."""
    around = [node for node in ast.iter_child_nodes(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    node = next((node for node in around if node.lineno <= line <= (node.end_lineno or 0)), None)
    if node is None:
        return []
    return [node.name, *(_names(node, line) if isinstance(node, ast.ClassDef) else [])]


def _put_in(mutant: Mutant) -> None:
    """Put the changed code into the function that has been imported."""
    if mutant.number == UNCHANGED:
        return
    content = mutant.file.read_bytes()
    tree = _changed(content, mutant.number)
    code = compile(tree, str(mutant.file), "exec", dont_inherit=True)
    place: Any = sys.modules[_module(mutant.file)]
    for name in _names(ast.parse(content), mutant.line):
        code = next(one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == name)
        place = vars(place)[name]
    place = place.fget if isinstance(place, property) else place
    place = place.__func__ if isinstance(place, (staticmethod, classmethod)) else place
    getattr(place, "cache_clear", lambda: None)()
    function = inspect.unwrap(place)
    function.__code__ = code


def _module(file: Path) -> str:
    return ".".join([PACKAGE, *file.relative_to(CODE).with_suffix("").parts])


def _changed(code: bytes, number: int) -> ast.Module:
    tree = ast.parse(code)
    if number != UNCHANGED:
        next(change for at, change in enumerate(mutations.of(tree)) if at == number).make()
    return ast.fix_missing_locations(tree)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = _module(mutant.file)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._mutant.file))
        loader.number = self._mutant.number
        return importlib.util.spec_from_file_location(fullname, self._mutant.file, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    number = UNCHANGED

    def get_code(self, fullname: str) -> Any:
        return compile(_changed(self.get_data(self.path), self.number), self.path, "exec", dont_inherit=True)


if __name__ == "__main__":
    sys.exit(main())
