# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/contributing.md says of the requirements for Ansible's community package, as far as a machine can see it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulator import Emulator
from tests.tools import translations, tree

from .conftest import ROOT, Ansible
from .test_documentation import MODULES, task_of
from .test_examples import literal

PAGE = ROOT / "docs" / "contributing.md"
PAGES = [PAGE, translations.chinese_of(PAGE)]
# How a requirement may be met, in both languages.
MET = {
    "yes": "yes",
    "no": "no",
    "in part": "in part",
    "owner": "owner",
    "是": "yes",
    "否": "no",
    "部分": "in part",
    "所有者": "owner",
}
# What a collection may have in plugins/, of what this one could have.
PLUGINS = {
    "action",
    "callback",
    "doc_fragments",
    "filter",
    "inventory",
    "lookup",
    "module_utils",
    "modules",
    "plugin_utils",
    "test",
}
# With these four a collection must work; there are no roles here.
PUBLIC = ("meta", "playbooks", "plugins")
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
INFO = [name for name in MODULES if name.endswith("_info")]


def rows(page: Path) -> list[list[str]]:
    """The cells of the table of requirements."""
    lines = re.findall(r"^\| (.*) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [[cell.strip() for cell in f"{line} ".split(" | ")] for line in lines[1:]]


def met(cell: str) -> tuple[str, str]:
    """How a requirement is met, and the number of the point in the list of what an owner does."""
    word, _comma, number = re.sub("，", ", ", cell).partition(", ")
    return MET[word], number.strip()


def evidence(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def is_command(token: str) -> bool:
    return token.startswith("make ")


def block(module: str, name: str) -> Any:
    """The DOCUMENTATION, EXAMPLES or RETURN of a module."""
    return literal(ROOT / "plugins" / "modules" / f"{module}.py", name)


def meta(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


class TestTable:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_what_it_names_is_there(self, page: Path) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        words = {"state", "present", "absent", "_info", "_facts", "meta"}
        named = {token for _point, _wanted, _met, shown in rows(page) for token in evidence(shown)} - words
        assert {token.removeprefix("make ") for token in named if is_command(token)} <= targets
        files = {token for token in named if not is_command(token)}
        assert [token for token in files if not (ROOT / token).exists()] == []
        # not left behind here by somebody
        assert {token for name in tree.wanted() for token in files if f"{name}/".startswith(f"{token}/")} == files

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_each_point_is_met_with_evidence_or_an_owners(self, page: Path) -> None:
        text = page.read_text(encoding="utf-8")
        owners = re.findall(r"^(\d)\. ", text.rpartition("\n## ")[2], re.MULTILINE)
        assert owners == [str(number) for number in range(1, len(owners) + 1)]
        table = rows(page)
        assert len(table) > 40
        for point, _wanted, how, shown in table:
            word, number = met(how)
            if word == "owner":
                assert number in owners, point
            else:
                assert evidence(shown) or "](#" in shown, point

    def test_both_languages_say_the_same(self) -> None:
        english, chinese = ([(met(row[2]), evidence(row[3])) for row in rows(page)] for page in PAGES)
        assert english == chinese
        numbered = [[row[0] for row in rows(page) if row[0][0].isdigit()] for page in PAGES]
        assert (
            numbered[0]
            == numbered[1]
            == sorted(numbered[0], key=lambda point: [int(part) for part in point.split(".")])
        )


class TestRequirements:
    def test_galaxy_yml(self) -> None:
        galaxy = meta("galaxy.yml")
        assert [int(part) for part in galaxy["version"].split(".")] >= [1, 0, 0]
        assert galaxy["tags"]
        assert not galaxy.get("dependencies")
        assert not [key for key in ("documentation", "homepage", "issues") if key in galaxy], (
            "then tell it on the pages"
        )

    def test_the_changelog_ends_with_this_version(self) -> None:
        version = meta("galaxy.yml")["version"]
        releases = meta("changelogs/changelog.yaml")["releases"]
        assert max(releases, key=lambda found: [int(part) for part in found.split(".")]) == version
        assert releases[version]["changes"]["release_summary"]
        assert f"## v{version}".replace(".", "\\.") in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    def test_the_first_release_has_all_modules_and_playbooks_and_mends_nothing(self) -> None:
        first = meta("changelogs/changelog.yaml")["releases"]["1.0.0"]
        added = {name for name in MODULES if block(name, "DOCUMENTATION")["version_added"] == "1.0.0"}
        assert {found["name"] for found in first["modules"]} == added
        assert {found["name"] for found in first["objects"]["playbook"]} <= set(PLAYBOOKS)
        assert set(first["changes"]) == {"release_summary", "minor_changes", "known_issues"}

    def test_the_tarball_has_this_version_where_it_is_named(self) -> None:
        version = meta("galaxy.yml")["version"]
        for name in ("README.md", "README.zh-CN.md", "examples/awx/execution-environment.yml"):
            found = re.findall(r"ctyun-eci-([\d.]+)\.tar\.gz", (ROOT / name).read_text(encoding="utf-8"))
            assert set(found) == {version}, name

    def test_copying_is_the_licence(self) -> None:
        assert (ROOT / "COPYING").read_bytes() == (ROOT / "LICENSES" / "GPL-3.0-or-later.txt").read_bytes()

    def test_only_allowed_kinds_of_plugins(self) -> None:
        assert {name.split("/")[1] for name in tree.wanted() if name.startswith("plugins/")} <= PLUGINS

    def test_utilities_are_private(self) -> None:
        utilities = [
            path for folder in ("module_utils", "plugin_utils") for path in (ROOT / "plugins" / folder).iterdir()
        ]
        assert [path.name for path in utilities if not path.name.startswith("_")] == []
        assert "What begins with an\nunderscore is private" in (ROOT / "docs" / "architecture.md").read_text(
            encoding="utf-8"
        )

    def test_no_sanity_test_is_ignored(self) -> None:
        assert [name for name in tree.wanted() if name.startswith("tests/sanity/")] == []

    def test_no_large_files(self) -> None:
        assert [name for name in tree.wanted() if (ROOT / name).stat().st_size > 200_000] == []

    @pytest.mark.parametrize("module", MODULES)
    def test_names_are_full(self, module: str) -> None:
        documentation, examples = block(module, "DOCUMENTATION"), block(module, "EXAMPLES")
        fragments = documentation["extends_documentation_fragment"]
        assert [name for name in fragments if not name.startswith("ctyun.eci.")] == []
        keywords = {
            "name",
            "register",
            "when",
            "vars",
            "loop",
            "ignore_errors",
            "failed_when",
            "changed_when",
            "until",
            "retries",
            "delay",
        }
        actions = [key for task in examples for key in task if key not in keywords]
        assert [action for action in actions if action.count(".") != 2] == []

    def test_no_state_only_asks(self) -> None:
        choices = {choice for name in MODULES for choice in task_of(name).spec().get("state", {}).get("choices", [])}
        assert choices == {"present", "absent"}

    @pytest.mark.parametrize("module", INFO)
    def test_modules_that_gather_information_run_in_check_mode(self, module: str) -> None:
        assert block(module, "DOCUMENTATION")["attributes"]["check_mode"]["support"] == "full"

    @pytest.mark.parametrize("module", MODULES)
    def test_examples_take_ids_from_results(self, module: str) -> None:
        assert "ansible_facts" not in json.dumps(block(module, "EXAMPLES"))
        returned = block(module, "RETURN")
        facts = returned.get("ansible_facts", {}).get("contains", {})
        assert set(facts) <= {"imageCacheId", "imageCacheIds"}
        if facts:
            entry = returned["image_caches"]["contains"] if "imageCacheIds" in facts else returned
            assert "image_cache_id" in entry

    def test_only_the_two_modules_return_facts(self) -> None:
        tasks = (ROOT / "plugins" / "module_utils" / "_tasks").glob("*.py")
        having = [path.stem for path in tasks if '"ansible_facts"' in path.read_text(encoding="utf-8")]
        assert sorted(having) == ["image_cache", "image_caches"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with nothing but what is public, of all that a checkout or an installed collection has."""
    base = tmp_path_factory.mktemp("alone")
    for name in tree.wanted():
        if name.split("/")[0] in PUBLIC:
            target = base / "ansible_collections" / "ctyun" / "eci" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    return base


class TestWithNothingElse:
    @pytest.mark.parametrize("playbook", PLAYBOOKS)
    def test_playbooks(self, ansible: Ansible, emulator: Emulator, alone: Path, tmp_path: Path, playbook: str) -> None:
        arguments = []
        example = alone / "ansible_collections" / "ctyun" / "eci" / "playbooks" / "vars" / f"{playbook}.example.yml"
        if example.is_file():
            arguments += ["-e", f"@{example}"]
        arguments += ["-e", f"adopt_file={tmp_path}/vars.yml", "-e", f"wire_report={tmp_path}/wire_report.json"]
        environment = {**emulator.environment, "ANSIBLE_COLLECTIONS_PATH": str(alone)}
        run = ansible("playbook", f"ctyun.eci.{playbook}", *arguments, **environment)
        assert run.returncode == 0, run.stdout + run.stderr
        assert emulator.requests

    @pytest.mark.parametrize("in_process", ["true", "false"])
    def test_modules(self, ansible: Ansible, emulator: Emulator, alone: Path, in_process: str) -> None:
        environment = {**emulator.environment, "ANSIBLE_COLLECTIONS_PATH": str(alone)}
        arguments = {
            "image_cache": {"image_cache_name": "web", "state": "absent"},
            "image_caches": {"image_caches": [{"name": "web"}], "state": "absent"},
            "image_info": {"images": ["127.0.0.1:9/web:1"]},
        }
        tasks = [{f"ctyun.eci.{name}": arguments.get(name, {}), "register": name} for name in MODULES]
        shown = {
            "ansible.builtin.debug": {"msg": "{{ [" + ", ".join(f"{name} is success" for name in MODULES) + "] }}"}
        }
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*tasks, shown]}]
        playbook = alone / f"modules_{in_process}.yml"
        playbook.write_text(json.dumps(play), encoding="utf-8")
        run = ansible("playbook", playbook, "-e", f"ctyun_eci_in_process={in_process}", **environment)
        assert run.returncode == 0, run.stdout + run.stderr
        assert run.stdout.split("ok: [localhost] => ")[-1].count("true") == len(MODULES)
