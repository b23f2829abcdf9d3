# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines in examples/ci: their scripts run against the emulator, and their files fit the schemas that are published.

A job is what its file says: the commands, in their order, in a directory like a checkout of a user. Only pip,
ansible-galaxy and python3 are stand-ins. What a CI system does with the results is done here: variables of a dotenv file, outputs, exports.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.emulator import Emulator

from .conftest import BIN, ROOT, Ansible, environment_of

EXAMPLES = ROOT / "examples" / "ci"
TAG = {"key": "project", "value": "web"}
CHANGING = {"createImageCache", "updateImageCache", "deleteImageCache"}
LABEL = "delete-image-caches"
Done = subprocess.CompletedProcess


class Job(NamedTuple):
    script: str
    allowed: dict[str, str]  # the variables where it may delete


class Pipeline(NamedTuple):
    plan: Job
    apply: str
    deploy: str


def load(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def gitlab() -> Pipeline:
    given = load("gitlab-ci.yml")
    before = given["default"]["before_script"]
    labelled = given["workflow"]["rules"][0]
    assert f"$CI_MERGE_REQUEST_LABELS =~ /(^|,){LABEL}(,|$)/" in labelled["if"]
    assert "true" in given["variables"]["ALLOW_DELETE"]["options"]

    def script(job: str) -> str:
        return "\n".join([*given[job].get("before_script", before), *given[job]["script"]])

    return Pipeline(Job(script("plan"), labelled["variables"]), script("apply"), script("deploy"))


def github() -> Pipeline:
    jobs = load("github-workflow.yml")["jobs"]
    assert f"github.event.pull_request.labels.*.name, '{LABEL}')" in jobs["plan"]["env"]["ALLOW_DELETE"]

    def script(job: str) -> str:
        return "\n".join(step["run"] for step in jobs[job]["steps"] if "run" in step)

    return Pipeline(Job(script("plan"), {"ALLOW_DELETE": "true"}), script("apply"), script("deploy"))


def cnb() -> Pipeline:
    main = load("cnb.yml")["main"]
    (button,) = load("cnb-web_trigger.yml")["branch"][0]["buttons"]
    assert main[button["event"]] == main["push"]
    assert "true" in [option["value"] for option in button["inputs"]["ALLOW_DELETE"]["options"]]
    plan, apply = ([stage["script"] for stage in main[event][0]["stages"]] for event in ("pull_request", "push"))
    titled = {"CNB_PULL_REQUEST_TITLE": "Give up web [delete]"}
    return Pipeline(Job("\n".join(plan), titled), "\n".join(apply[:-1]), apply[-1])


def jenkins() -> Pipeline:
    text = (EXAMPLES / "Jenkinsfile").read_text(encoding="utf-8")
    stages = dict(re.findall(r"stage\('(\w+)'\).*?sh '''\n(.*?)'''", text, re.DOTALL))
    assert "name: 'ALLOW_DELETE'" in text
    plan, apply = stages["Install"] + stages["Plan"], stages["Install"] + stages["Apply"]
    titled = {"CHANGE_TITLE": "Give up web [delete]"}
    return Pipeline(Job(plan, titled), apply, stages["Deploy"])


PIPELINES: dict[str, Callable[[], Pipeline]] = {"gitlab": gitlab, "github": github, "cnb": cnb, "jenkins": jenkins}


class Runner:
    """Runs scripts as a CI system does. ``installed`` has the commands for which there are stand-ins."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder / "checkout"
        self.ci = self.folder / "ci"
        shutil.copytree(EXAMPLES, self.ci)
        self._log = folder / "installed"
        stands_in = folder / "bin"
        stands_in.mkdir()
        for name in ("pip", "ansible-galaxy", "python3"):
            command = stands_in / name
            command.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self._log}"\n', encoding="utf-8")
            command.chmod(0o755)
        environment = environment_of(folder / "ansible")
        path = os.pathsep.join([str(stands_in), str(BIN), os.environ["PATH"]])
        self._environment = {**environment, **emulator.environment, "PATH": path}
        self._output = folder / "github_output"

    @property
    def installed(self) -> list[str]:
        return self._log.read_text(encoding="utf-8").splitlines()

    def run(self, script: str, **variables: str) -> Done[str]:
        titles = {"CNB_PULL_REQUEST_TITLE": "Release 42", "CHANGE_TITLE": "Release 42"}
        return subprocess.run(
            ["sh", "-euc", script],
            cwd=self.folder,
            env={**self._environment, **titles, "GITHUB_OUTPUT": str(self._output), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def results(self, name: str, done: Done[str]) -> dict[str, str]:
        """The variables that the system makes of what the job apply has left."""
        if name == "jenkins":
            return {}
        if name == "cnb":
            lines = re.findall(r"^##\[set-output (.*)\]$", done.stdout, re.MULTILINE)
            exports = load("cnb.yml")["main"]["push"][0]["stages"][1]["exports"]
        elif name == "github":
            lines = self._output.read_text(encoding="utf-8").splitlines()
            jobs = load("github-workflow.yml")["jobs"]
            outputs = {key: text.split("outputs.")[1].split()[0] for key, text in jobs["apply"]["outputs"].items()}
            used = {key: text.split("outputs.")[1].split()[0] for key, text in jobs["deploy"]["env"].items()}
            exports = {outputs[output]: key for key, output in used.items()}
        else:
            lines = (
                (self.folder / load("gitlab-ci.yml")["apply"]["artifacts"]["reports"]["dotenv"])
                .read_text(encoding="utf-8")
                .splitlines()
            )
            exports = dict.fromkeys(dict(line.split("=") for line in lines))
        found = dict(line.split("=") for line in lines)
        return {to or name: found[name] for name, to in exports.items()}


@pytest.fixture
def runner(tmp_path: Path, emulator: Emulator) -> Runner:
    return Runner(tmp_path, emulator)


def changes(emulator: Emulator) -> list[str]:
    return [record.operation for record in emulator.requests if record.operation in CHANGING]


def earlier_releases(emulator: Emulator) -> None:
    """Three image caches of the project that are not wanted any more; one of them is pruned."""
    for release in (39, 40, 41):
        emulator.service.seed(f"web-{release}", ["nginx:1"], tags=[TAG], age=100_000 - release)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_merge_request_gets_a_plan_and_changes_nothing(name: str, runner: Runner, emulator: Emulator) -> None:
    done = runner.run(PIPELINES[name]().plan.script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+ web-42 create, 20 GB" in done.stdout
    assert "WARNING" not in done.stderr
    assert json.loads((runner.ci / "plan.json").read_text(encoding="utf-8"))["create"] == 2
    assert not list(runner.ci.glob("image_cache_ids.*"))
    assert changes(emulator) == []
    assert emulator.settings.secret_key not in done.stdout + done.stderr
    assert "pip install -r ci/requirements.txt" in runner.installed
    assert "ansible-galaxy collection install -r ci/requirements.yml" in runner.installed


@pytest.mark.parametrize("name", PIPELINES)
def test_main_applies_it_and_hands_the_ids_on(name: str, runner: Runner, emulator: Emulator) -> None:
    pipeline = PIPELINES[name]()
    done = runner.run(pipeline.apply)
    assert done.returncode == 0, done.stdout + done.stderr
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert sorted(ids) == ["jobs-42", "web-42"]
    assert json.loads((runner.ci / "image_cache_ids.json").read_text(encoding="utf-8")) == ids
    variables = (runner.ci / "image_cache_ids.env").read_text(encoding="utf-8")
    assert variables == f"WEB_IMAGE_CACHE_ID={ids['web-42']}\nJOBS_IMAGE_CACHE_ID={ids['jobs-42']}\n"
    used = runner.run(pipeline.deploy, **runner.results(name, done))
    assert used.stdout == f"imageCacheId {ids['web-42']}\n", used.stderr


def test_the_next_run_changes_nothing_and_has_the_same_ids(runner: Runner, emulator: Emulator) -> None:
    written = []
    for _run in range(2):
        done = runner.run("sh ci/apply.sh")
        assert done.returncode == 0, done.stdout + done.stderr
        written.append((runner.ci / "image_cache_ids.env").read_text(encoding="utf-8"))
    assert written[0] == written[1]
    assert changes(emulator) == ["createImageCache"] * 2


def test_nothing_is_deleted_that_was_not_allowed(runner: Runner, emulator: Emulator) -> None:
    earlier_releases(emulator)
    for script in ("sh ci/plan.sh", "sh ci/apply.sh"):
        refused = runner.run(script, ALLOW_DELETE="false")
        assert refused.returncode != 0
        assert "The plan deletes 1 and replaces 0 image caches" in " ".join(refused.stdout.split())
        assert "- web-39 prune" in refused.stdout
        assert changes(emulator) == []
    allowed = runner.run("sh ci/apply.sh", ALLOW_DELETE="true")
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert sorted(changes(emulator)) == ["createImageCache", "createImageCache", "deleteImageCache"]


@pytest.mark.parametrize("name", PIPELINES)
def test_a_label_or_a_title_allows_the_plan_to_delete(name: str, runner: Runner, emulator: Emulator) -> None:
    plan = PIPELINES[name]().plan
    earlier_releases(emulator)
    allowed = runner.run(plan.script, **plan.allowed)
    assert (allowed.returncode, changes(emulator)) == (0, []), allowed.stdout + allowed.stderr


def test_a_replacement_counts_as_well(runner: Runner, emulator: Emulator) -> None:
    emulator.service.seed("web-42", ["nginx:1"], tags=[TAG])
    playbook = runner.ci / "image_caches.yml"
    text = playbook.read_text(encoding="utf-8")
    playbook.write_text(text.replace("wait: true", "wait: true\n      drift: recreate", 1), encoding="utf-8")
    refused = runner.run("sh ci/plan.sh")
    assert refused.returncode != 0
    assert "The plan deletes 0 and replaces 1 image caches" in " ".join(refused.stdout.split())


def test_the_pipeline_that_pushes_may_name_the_release(runner: Runner, emulator: Emulator) -> None:
    done = runner.run("sh ci/apply.sh -e release=43")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(cache["imageCacheName"] for cache in emulator.service.caches()) == ["jobs-43", "web-43"]
    assert "WEB_IMAGE_CACHE_ID=imc-" in (runner.ci / "image_cache_ids.env").read_text(encoding="utf-8")


@pytest.mark.parametrize("odd", ["imc-1; touch made", "imc-1\nPATH=/tmp"])
def test_an_id_that_is_none_gets_into_no_environment(odd: str, runner: Runner, emulator: Emulator) -> None:
    emulator.service.seed("web-42", ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/web:42"], imageCacheId=odd, tags=[TAG])
    done = runner.run("sh ci/apply.sh")
    assert done.returncode != 0
    assert not list(runner.ci.glob("image_cache_ids.*"))


def test_a_variable_has_a_name_that_a_shell_takes(runner: Runner) -> None:
    variables = runner.ci / "vars.yml"
    text = variables.read_text(encoding="utf-8")
    variables.write_text(text.replace("WEB_IMAGE_CACHE_ID:", '"WEB IMAGE":'), encoding="utf-8")
    done = runner.run("sh ci/apply.sh")
    assert done.returncode != 0
    assert "is not a valid variable name" in " ".join(done.stdout.split())
    assert not list(runner.ci.glob("image_cache_ids.*"))


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.gitlab-ci", "gitlab-ci.yml"), ("vendor.github-workflows", "github-workflow.yml")]
)
def test_a_pipeline_fits_the_published_schema(tool: Ansible, schema: str, name: str) -> None:
    done = tool("check-jsonschema", "--builtin-schema", schema, EXAMPLES / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_libraries_are_those_of_the_collection() -> None:
    def lines(path: Path) -> set[str]:
        return set(re.findall(r"^[a-z].*$", path.read_text(encoding="utf-8"), re.MULTILINE))

    needed = lines(EXAMPLES / "requirements.txt")
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    core = f"ansible-core{runtime.removesuffix('.0')}"
    assert needed == {core, *lines(ROOT / "meta" / "ee-requirements.txt")}
    (collection,) = load("requirements.yml")["collections"]
    assert collection["type"] == "git"
