# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floors of the house: what imports what, and what is there without Ansible."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOUSE = ROOT / "plugins" / "module_utils"
PLUGINS = "ansible_collections.ctyun.eci.plugins"

# From the top. A wing (a folder or a file) may import what is below its floor, and itself.
FLOORS = [
    {"_tasks", "_module"},
    {"_task"},
    {"_wire_check"},
    {"_image_cache"},
    {"_region", "_registry"},
    {"_api", "_options"},
    {"_ending", "_errors", "_names", "_wait", "_workers"},
]
LEVEL = {wing: level for level, wings in enumerate(FLOORS) for wing in wings}
# What is left out of a floor below.
NOT_FOR = {
    *((above, wing) for above in ("_task", "_module") for wing in ("_image_cache", "_registry", "_wire_check")),
    ("_module", "_region"),
    *((wing, "_options") for wing in ("_image_cache", "_registry", "_wire_check")),
    ("_wire_check", "_registry"),
}
WITHOUT_ANSIBLE = [
    "_api",
    "_image_cache",
    "_registry",
    "_wire_check",
    "_errors",
    "_names",
    "_wait",
    "_workers",
    "_region",
]

FILES = sorted(HOUSE.rglob("*.py"))


def module_of(path: Path) -> tuple[str, ...]:
    """``_api/client.py`` -> ``("_api", "client")``."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """What a file of the house imports, wherever in it: ``("_api", "client")``, or ``("ansible", "errors")``."""
    package = path.relative_to(HOUSE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            named = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                assert node.level - 1 <= len(package), f"{path} imports from above module_utils"
                named = package[: len(package) - node.level + 1] + named
            yield from (named + (alias.name,) for alias in node.names) if len(named) < 2 else [named]


def wings(path: Path) -> set[str]:
    """The wings of the house that a file imports."""
    return {found[0] for found in imports(path) if found[0] in LEVEL}


def run(code: str) -> str:
    """What some code prints in a Python of its own."""
    front = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import conftest\n"
    done = subprocess.run(
        [sys.executable, "-c", front + code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_stands_on_a_floor() -> None:
    assert {module_of(path)[0] for path in FILES if module_of(path)} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_nothing_imports_what_is_above_or_beside_it(path: Path) -> None:
    own = module_of(path)[0] if module_of(path) else None
    for wing in wings(path) - {own}:
        assert own is not None
        assert LEVEL[wing] > LEVEL[own], f"{own} must not import {wing}"
        assert (own, wing) not in NOT_FOR, f"{own} must not import {wing}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_the_house_is_imported_by_relative_names(path: Path) -> None:
    assert [found for found in imports(path) if found[0] == "ansible_collections"] == []


def test_the_walk_sees_what_is_imported() -> None:
    assert {"_errors", "_wait", "_api"} <= wings(HOUSE / "_api" / "client.py")
    assert "_region" in wings(HOUSE / "_image_cache" / "create.py")  # from .. import _region
    assert "_image_cache" in wings(HOUSE / "_image_cache" / "converge.py")  # from . import lock
    assert ("ansible", "module_utils", "basic") not in set(imports(HOUSE / "_module.py"))
    assert ("ansible", "module_utils") in set(imports(HOUSE / "_module.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_what_knows_ansible(path: Path) -> None:
    own = module_of(path)
    if any(found[0] == "ansible" for found in imports(path)):
        assert own == ("_module",) or own[0] == "_options"


def test_the_thing_itself_is_there_without_ansible() -> None:
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
            raise ImportError(f"{{name}} is not for this floor")

assert "ansible" not in sys.modules
sys.meta_path.insert(0, Blocked())
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps([name for name in sys.modules if name.partition(".")[0] == "ansible"]))
""")
    assert json.loads(found) == []


# What reading image caches takes; a task that reads does not pay for loading the rest.
READING = {"__init__", "image_cache", "operations", "read", "status"}
CHANGING = [f"_image_cache.{path.stem}" for path in (HOUSE / "_image_cache").glob("*.py") if path.stem not in READING]


@pytest.mark.thorough
@pytest.mark.parametrize("place", ["module_utils._tasks", "action", "modules"])
@pytest.mark.parametrize(
    ("task", "unneeded"),
    [
        ("region_info", ["_image_cache", "_registry"]),
        ("quota_info", ["_image_cache", "_registry"]),
        ("image_info", ["_image_cache", "_region"]),
        ("image_cache_info", ["_registry", "_wire_check", *CHANGING]),
        ("image_cache", ["_image_cache.converge_all", "_image_cache.prune", "_wire_check"]),
        ("wire_check", ["_image_cache.converge", "_image_cache.converge_all", "_image_cache.prune"]),
    ],
)
def test_a_task_does_not_load_what_others_need(place: str, task: str, unneeded: list[str]) -> None:
    found = run(f"import {PLUGINS}.{place}.{task}, json; print(json.dumps(list(sys.modules)))")
    loaded = json.loads(found)
    assert f"{PLUGINS}.module_utils._task" in loaded
    assert [name for name in unneeded if f"{PLUGINS}.module_utils.{name}" in loaded] == []


def test_what_only_changes_is_known() -> None:
    assert {"_image_cache.converge", "_image_cache.create", "_image_cache.lock"} < set(CHANGING)
