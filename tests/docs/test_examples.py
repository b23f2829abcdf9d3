# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the documentation of the modules run, and return the documented values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulator import Emulator
from tests.emulator.documented import documented as documented_registries
from tests.emulator.documented import fill

from .conftest import ROOT, Ansible

MODULES = sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"), key=lambda path: path.stem)
# Variables that the examples use.
VARIABLES = {"vault_registry_password": "example-password"}
# Keys that Ansible adds to every result, or to that of an item of a loop.
COMMON = {"ansible_facts", "attempts", "changed", "failed", "invocation", "warnings"}
COMMON |= {"ansible_loop_var", "_ansible_item_label", "item"}
PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}


def literal(path: Path, name: str) -> Any:
    """The parsed YAML text that a module assigns to this name."""
    text = path.read_text(encoding="utf-8").split(f'\n{name} = r"""\n', 1)[1].split('\n"""\n', 1)[0]
    return yaml.safe_load(text)


def undocumented(value: Any, entry: Mapping[str, Any], path: str) -> Iterator[str]:
    """The places where a returned value differs from its documentation."""
    if value is None:
        return
    if not isinstance(value, PYTHON_TYPES.get(entry["type"], object)):
        yield f"{path} is no {entry['type']}"
        return
    contains = entry.get("contains")
    if not contains:
        return
    for item in value if isinstance(value, list) else [value]:
        if set(item) != set(contains):
            yield f"{path} has {sorted(item)}, documented are {sorted(contains)}"
            continue
        for key, inner in item.items():
            yield from undocumented(inner, contains[key], f"{path}.{key}")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_run(ansible: Ansible, emulator: Emulator, tmp_path: Path, path: Path) -> None:
    action = f"ctyun.eci.{path.stem}"
    tasks = literal(path, "EXAMPLES")
    kept = []
    for task in tasks:
        if action in task:
            kept.append(task.setdefault("register", f"example_{len(kept)}"))
    show = {"name": "Results", "ansible.builtin.debug": {"msg": "{{ [" + ", ".join(kept) + "] }}"}}
    play = {"hosts": "localhost", "gather_facts": False, "vars": VARIABLES, "tasks": [*tasks, show]}
    playbook = tmp_path / "examples.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")

    with documented_registries(VARIABLES["vault_registry_password"]) as registry:
        fill(registry)
        run = ansible("playbook", playbook, **emulator.environment, **registry.environment)

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert VARIABLES["vault_registry_password"] not in run.stdout
    shown = run.stdout.split("TASK [Results]")[1].partition("=>")[2].partition("PLAY RECAP")[0]
    results = json.loads(shown)["msg"]
    documented = literal(path, "RETURN")
    items = [
        (name, item)
        for name, result in zip(kept, results, strict=True)
        for item in result.get("results", [result])  # of a loop
    ]
    for name, result in items:
        assert set(result) - COMMON <= set(documented), name
        always = {key for key, entry in documented.items() if entry["returned"].startswith(("always", "success"))}
        assert always - COMMON <= set(result), name
        problems = [
            problem
            for key, value in result.items()
            if key in documented
            for problem in undocumented(value, documented[key], key)
        ]
        assert problems == [], name
