# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers of the collection: what imports what, how large it is, and what works without Ansible."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE_UTILS = ROOT / "plugins" / "module_utils"
PLUGINS = "ansible_collections.ctyun.eci.plugins"

# From the top. A folder or file may import those of the layers below it, and a folder its own files.
LAYERS = [
    {"_tasks"},
    {"_module"},
    {"_task"},
    {"_image_cache"},
    {"_registry"},
    {"_api", "_arguments"},
    {"_cancel", "_errors", "_lock", "_polling", "_pool", "_text"},
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
FORBIDDEN = {
    *((above, below) for above in ("_task", "_module") for below in ("_image_cache", "_registry")),
    *((above, "_arguments") for above in ("_image_cache", "_registry")),
}
WITHOUT_ANSIBLE = {"_api", "_image_cache", "_registry", *LAYERS[-1]}

# The files of _image_cache, from the top: an import goes down.
LEVELS = [
    {"reconcile"},
    {"confirm", "prune"},
    {"actions", "duplicates", "planner", "waiting"},
    {"batch"},
    {"api", "capacity", "plan"},
    {"model"},
]

MOST_LINES, MOST_FILES, MOST_LINES_OF_A_FILE = 6_700, 54, 450

FILES = sorted(MODULE_UTILS.rglob("*.py"))


def module_of(path: Path) -> tuple[str, ...]:
    """Return ``("_api", "client")`` for ``_api/client.py``."""
    parts = path.relative_to(MODULE_UTILS).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield what a file imports, anywhere in it: ``("_api", "client")``, or ``("ansible", "errors")``."""
    package = path.relative_to(MODULE_UTILS).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            named = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                assert node.level - 1 <= len(package), f"{path} imports from above module_utils"
                named = package[: len(package) - node.level + 1] + named
            yield from (named + (alias.name,) for alias in node.names) if len(named) < 2 else [named]


def folders(path: Path) -> set[str]:
    """Return the folders and files of the top level that a file imports."""
    return {found[0] for found in imports(path) if found[0] in LAYER}


def run(code: str) -> str:
    """Return what some code prints in a Python of its own."""
    front = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import conftest\n"
    done = subprocess.run([sys.executable, "-c", front + code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_file_belongs_to_a_layer() -> None:
    assert {module_of(path)[0] for path in FILES if module_of(path)} == set(LAYER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_imports_go_down(path: Path) -> None:
    own = module_of(path)[0] if module_of(path) else None
    for folder in folders(path) - {own}:
        assert own is not None
        assert LAYER[folder] >= LAYER[own], f"{own} must not import {folder}"
        assert LAYER[folder] > LAYER[own] or LAYERS[-1] >= {own, folder}, f"{own} must not import {folder}"
        assert (own, folder) not in FORBIDDEN, f"{own} must not import {folder}"


def test_imports_inside_image_cache_go_down() -> None:
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    files = [path for path in (MODULE_UTILS / "_image_cache").glob("*.py") if path.stem != "__init__"]
    assert {path.stem for path in files} == set(level)
    assert len(files) <= 12
    assert len(LEVELS) <= 6
    for path in files:
        inside = {found[1] for found in imports(path) if found[0] == "_image_cache"}
        assert [name for name in inside if level[name] <= level[path.stem]] == [], path.stem


def test_the_size() -> None:
    sizes = {"/".join(module_of(path)): lines(path) for path in FILES}
    print(sum(sizes.values()), len(sizes))
    assert sum(sizes.values()) <= MOST_LINES
    assert len(sizes) <= MOST_FILES
    every = sorted(path for folder in ("plugins", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))
    assert [path.name for path in every if lines(path) > MOST_LINES_OF_A_FILE and path.parent.name != "modules"] == []


def test_all_imports_are_found() -> None:
    assert {"_errors", "_polling", "_cancel"} <= folders(MODULE_UTILS / "_api" / "client.py")
    assert "_api" in folders(MODULE_UTILS / "_image_cache" / "capacity.py")  # from .._api import region
    # from . import actions
    assert ("_image_cache", "actions") in set(imports(MODULE_UTILS / "_image_cache" / "prune.py"))
    assert ("ansible", "module_utils", "basic") not in set(imports(MODULE_UTILS / "_module.py"))
    assert ("ansible", "module_utils") in set(imports(MODULE_UTILS / "_module.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_what_knows_ansible_and_that_imports_are_relative(path: Path) -> None:
    own, found = module_of(path), {one[0] for one in imports(path)}
    assert "ansible_collections" not in found
    assert "ansible" not in found or own == ("_module",) or own[0] == "_arguments"


def test_the_layers_below_work_without_ansible() -> None:
    modules = [
        ".".join((PLUGINS, "module_utils", *module_of(path)))
        for path in FILES
        if module_of(path) and module_of(path)[0] in WITHOUT_ANSIBLE
    ]
    assert len(modules) > 25
    found = run(f"""
import importlib, importlib.abc, json

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ansible":
            raise ImportError(f"{{name}} is not allowed here")

assert "ansible" not in sys.modules
sys.meta_path.insert(0, Blocked())
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps([name for name in sys.modules if name.partition(".")[0] == "ansible"]))
""")
    assert json.loads(found) == []


def loaded(place: str, task: str) -> dict[str, str]:
    """Return the modules that a task loads, and their files."""
    code = "print(json.dumps({name: getattr(one, '__file__', None) for name, one in sys.modules.items()}))"
    files: dict[str, str] = json.loads(run(f"import {PLUGINS}.{place}.{task}, json; {code}"))
    return files


@pytest.mark.thorough
@pytest.mark.parametrize("place", ["module_utils._tasks", "action", "modules"])
@pytest.mark.parametrize(
    ("task", "unneeded"),
    [
        ("api", ["_image_cache", "_registry"]),
        ("region_info", ["_image_cache", "_registry", "_arguments.free_form"]),
        ("quota_info", ["_image_cache", "_registry"]),
        ("image_info", ["_image_cache"]),
        ("image_cache_info", ["_registry.client", "_image_cache.reconcile", "_image_cache.actions", "_lock"]),
        ("image_cache", ["_registry.client", "_registry.preflight"]),
    ],
)
def test_a_task_does_not_load_what_others_need(place: str, task: str, unneeded: list[str]) -> None:
    found = loaded(place, task)
    assert f"{PLUGINS}.module_utils._task" in found
    assert [name for name in unneeded if f"{PLUGINS}.module_utils.{name}" in found] == []
