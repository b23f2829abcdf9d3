# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workflows can do no harm and run what is there; the forms for reports warn of secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")


def name(path: Path) -> str:
    return path.name


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for step in steps(workflow) if "run" in step]


def test_there_are_the_two() -> None:
    assert [path.name for path in WORKFLOWS] == ["matrix.yml", "test.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_actions_are_pinned(path: Path) -> None:
    used = USES.findall(path.read_text(encoding="utf-8"))
    assert len(used) == len([step for step in steps(loaded(path)) if "uses" in step]) > 0
    assert [action for action in used if not PINNED.match(action)] == []


def test_an_action_has_one_version() -> None:
    used = {action for path in WORKFLOWS for action in USES.findall(path.read_text(encoding="utf-8"))}
    assert len({action.partition("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_they_only_read_and_need_no_secret(path: Path) -> None:
    workflow, text = loaded(path), path.read_text(encoding="utf-8")
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job in workflow["jobs"].values() if "permissions" in job or "secrets" in job] == []
    assert not re.search(r"\bsecrets\b|github\.token|GITHUB_TOKEN", text)
    # code of a pull request never runs with the rights of the repository, and nothing of it is put into a command
    assert "pull_request_target" not in text
    assert [command for command in commands(workflow) if "${{" in command] == []
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_they_run_for_each_pull_request_and_each_week(path: Path) -> None:
    events = loaded(path)["on"]
    assert {"pull_request", "schedule", "workflow_dispatch"} <= set(events)
    assert events["pull_request"] is None
    assert [re.fullmatch(r"\d+ \d+ \* \* \d", entry["cron"]) is None for entry in events["schedule"]] == [False]
    assert all(job["timeout-minutes"] <= 300 for job in loaded(path)["jobs"].values())


def test_releases_are_tested_as_they_are_pushed() -> None:
    assert loaded(ROOT / ".github" / "workflows" / "test.yml")["on"]["push"] is None


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_what_they_run_is_a_target(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    run = commands(loaded(path))
    assert run
    assert {re.fullmatch(r"make ([a-z-]+) PYTHON=[\w.]+", command)[1] for command in run} <= targets  # type: ignore[index]


def test_make_test_runs_on_the_oldest_and_the_newest_python_of_the_pinned_packages() -> None:
    (job,) = loaded(ROOT / ".github" / "workflows" / "test.yml")["jobs"].values()
    constraints = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8")
    good_for = re.search(r"Good for Python ([\d., and]+)\.", constraints)
    assert good_for
    pythons = re.findall(r"3\.\d+", good_for[1])
    assert job["strategy"]["matrix"]["python"] == [pythons[0], pythons[-1]]


@pytest.mark.parametrize("path", FORMS, ids=name)
def test_forms_ask_for_no_secret(path: Path) -> None:
    form = loaded(path)
    assert form["name"] and form["description"]
    first, *asked = form["body"]
    assert first["type"] == "markdown"
    assert "Never put an access key, a secret key or a password" in first["attributes"]["value"]
    assert len({field["id"] for field in asked}) == len(asked) > 0
    labels = " ".join(f"{field['attributes']['label']} {field['attributes'].get('description', '')}" for field in asked)
    # the report of the wire check is the one thing asked for that speaks of keys: it holds none
    assert re.findall(r"(?i)\b(?:keys?|passwords?|ak|sk|credentials?)\b", labels) in ([], ["keys"])
