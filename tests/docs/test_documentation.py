# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the modules is complete, is shown, and agrees with the code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
import yaml

from ansible_collections.ctyun.eci.plugins.module_utils import _tasks
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import CREATE_IMAGE_CACHE
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task
from ansible_collections.ctyun.eci.plugins.module_utils._text import wire_name
from tests.tools import render_docs, words

from .conftest import ROOT, Ansible

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))

# On average over the options of a module, suboptions included; of the longest one; and notes of a module.
MOST_WORDS_OF_AN_OPTION, MOST_WORDS, MOST_NOTES = 21, 55, 4

Tree = Mapping[str, Any]


def task_of(module: str) -> Task:
    found: Task = import_module(f"{_tasks.__name__}.{module}").TASK
    return found


@pytest.fixture(scope="module")
def documentation(ansible: Ansible) -> dict[str, dict[str, Any]]:
    """The parsed documentation of each module, fragments included."""
    run = ansible("doc", "--type", "module", "--json", *(f"ctyun.eci.{name}" for name in MODULES))
    assert (run.returncode, run.stderr) == (0, "")
    return {name.rpartition(".")[2]: found for name, found in json.loads(run.stdout).items()}


@pytest.fixture(scope="module")
def shown(ansible: Ansible) -> dict[str, str]:
    """The text that ansible-doc shows for each module."""
    run = ansible("doc", "--type", "module", *(f"ctyun.eci.{name}" for name in MODULES))
    assert (run.returncode, run.stderr) == (0, "")
    texts = run.stdout.split("> MODULE ctyun.eci.")[1:]
    return {text.split(maxsplit=1)[0]: text for text in texts}


def described(tree: Tree, below: str) -> Iterator[tuple[str, Tree]]:
    """Each option or return value with its name, and those inside it."""
    for name, entry in tree.items():
        yield name, entry
        yield from described(entry.get(below) or {}, below)


def comparable(spec: Tree, below: str) -> dict[str, Any]:
    """The rules of a documentation (``below`` is "suboptions") or of an argument spec ("options"), in one form."""
    return {
        name: {
            "type": option.get("type", "str"),
            "required": bool(option.get("required", False)),
            "aliases": sorted(option.get("aliases", [])),
            "default": option.get("default"),
            "choices": sorted(option.get("choices", [])),
            "elements": option.get("elements"),
            "options": comparable(option.get(below) or {}, below),
        }
        for name, option in spec.items()
    }


@pytest.mark.parametrize("module", MODULES)
def test_ansible_doc_shows_every_option_example_and_return_value(
    documentation: dict[str, dict[str, Any]], shown: dict[str, str], module: str
) -> None:
    found, text = documentation[module], shown[module]
    options = dict(described(found["doc"]["options"], "suboptions"))
    returned = dict(described(found["return"], "contains"))
    examples = [task["name"] for task in yaml.safe_load(found["examples"])]
    assert options and returned and examples
    words = set(text.split())
    assert [name for name in (*options, *returned) if name not in words and f"{name}:" not in words] == []
    assert [name for name in examples if f"- name: {name}\n" not in text] == []


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_described(documentation: dict[str, dict[str, Any]], module: str) -> None:
    doc, returned = documentation[module]["doc"], documentation[module]["return"]
    assert doc["short_description"]
    assert doc["description"]
    entries = [*described(doc["options"], "suboptions"), *described(returned, "contains")]
    assert [name for name, entry in entries if not entry.get("description") or not entry.get("type")] == []
    values = described(returned, "contains")
    assert [name for name, entry in values if not entry.get("returned")] == [], "say when, nested values too"


@pytest.mark.parametrize("module", MODULES)
def test_ansible_doc_is_short(documentation: dict[str, dict[str, Any]], module: str) -> None:
    """What needs more words belongs to a guide. "python tests/tools/words.py" shows the figures."""
    doc = documentation[module]["doc"]
    counts = words.options(doc["options"])
    assert sum(counts) / len(counts) <= MOST_WORDS_OF_AN_OPTION
    assert max(counts) <= MOST_WORDS
    assert len(doc["notes"]) <= MOST_NOTES


@pytest.mark.parametrize("module", MODULES)
def test_options_are_those_of_the_code(documentation: dict[str, dict[str, Any]], module: str) -> None:
    documented = documentation[module]["doc"]["options"]
    assert comparable(documented, "suboptions") == comparable(task_of(module).spec(), "options")


@pytest.mark.parametrize("module", MODULES)
def test_environment_variables_are_documented(documentation: dict[str, dict[str, Any]], module: str) -> None:
    options = documentation[module]["doc"]["options"]
    for name, rules in task_of(module).spec().items():
        for variable in rules.get("fallback", (None, []))[1]:
            assert f"E({variable})" in " ".join(options[name]["description"])


def test_documentation_says_what_the_schema_requires(documentation: dict[str, dict[str, Any]]) -> None:
    options = documentation["image_cache"]["doc"]["options"]
    said = {wire_name(name) for name in body_spec() if "Required" in " ".join(options[name]["description"])}
    assert said == set(CREATE_IMAGE_CACHE["required"])


def test_an_image_cache_has_the_same_keys_everywhere(documentation: dict[str, dict[str, Any]]) -> None:
    one = documentation["image_cache"]["return"]["image_cache"]["contains"]
    assert set(one) == set(documentation["image_cache_info"]["return"]["image_caches"]["contains"])


@pytest.mark.parametrize("module", MODULES)
def test_a_failure_has_the_documented_keys(documentation: dict[str, dict[str, Any]], module: str) -> None:
    def without_samples(contains: Tree) -> dict[str, Any]:
        return {key: {**entry, "sample": None} for key, entry in contains.items()}

    returned = documentation[module]["return"]
    failures = [entry for name, entry in described(returned, "contains") if name == "failure"]
    assert len(failures) == (2 if module == "image_caches" else 1)
    same = documentation["image_cache"]["return"]["failure"]["contains"]
    assert set(same) == set(EciError("").failure())
    assert [without_samples(entry["contains"]) for entry in failures] == [without_samples(same)] * len(failures)


def test_action_group_lists_the_modules(documentation: dict[str, dict[str, Any]]) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["eci"]) == MODULES
    for module in MODULES:
        assert documentation[module]["doc"]["attributes"]["action_group"]["membership"] == ["ctyun.eci.eci"], module


def test_rendered_files_are_up_to_date() -> None:
    files = render_docs.rendered()
    assert [name for name in files if (ROOT / name).read_text(encoding="utf-8") != files[name]] == [], "make docs"
