# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for AWX do what the guide says, as far as that can be seen without containers.

A job of AWX is a run of ansible-runner, with the environment that the credentials inject and the variables of the
template. Such a run is made here, against the emulator.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator

from ansible_collections.ctyun.eci.plugins.module_utils._api import connection
from tests.emulator import Emulator

from .conftest import ROOT, Ansible

EXAMPLES = ROOT / "examples" / "awx"
# As AWX checks a credential type.
TEXTS = {"type": "array", "items": {"type": "string"}}
CREDENTIAL_TYPE = {
    "type": "object",
    "required": ["name", "kind", "inputs", "injectors"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "kind": {"enum": ["cloud", "net"]},
        "inputs": {
            "type": "object",
            "properties": {
                "required": TEXTS,
                "fields": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["id", "label"],
                        "properties": {
                            "id": {"type": "string", "pattern": "^[a-zA-Z_]+[a-zA-Z0-9_]*$"},
                            "label": {"type": "string"},
                            "type": {"enum": ["string", "boolean"]},
                            "help_text": {"type": "string"},
                            "secret": {"type": "boolean"},
                        },
                        "additionalProperties": False,
                    },
                },
            },
            "additionalProperties": False,
        },
        "injectors": {
            "type": "object",
            "properties": {
                "env": {"type": "object", "patternProperties": {"^[a-zA-Z_]+[a-zA-Z0-9_]*$": {"type": "string"}}}
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
# Options of awx.awx.job_template.
JOB_TEMPLATE = {
    *("name", "description", "job_type", "organization", "inventory", "project", "playbook", "credentials"),
    *("execution_environment", "allow_simultaneous", "ask_job_type_on_launch", "extra_vars"),
}


def load(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def injected(**inputs: str) -> dict[str, str]:
    """The environment that a credential of our type gives a job."""
    sandbox = ImmutableSandboxedEnvironment()
    injectors = load("credential_type.yml")["injectors"]["env"]
    return {name: sandbox.from_string(text).render(**inputs) for name, text in injectors.items()}


@pytest.fixture
def credential(emulator: Emulator) -> dict[str, str]:
    """What somebody fills into the fields of a credential."""
    known = emulator.settings
    return {"access_key": known.access_key, "secret_key": known.secret_key, "region_id": known.region_id}


@pytest.fixture
def job(tool: Ansible, emulator: Emulator, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Launch the job template with what its credentials inject, and with these variables besides its own."""
    template = load("job_template.yml")
    folder = tmp_path / "job"
    (folder / "env").mkdir(parents=True)
    (folder / "inventory").mkdir()
    (folder / "inventory" / "hosts").write_text("localhost\n", encoding="utf-8")
    (folder / "project").symlink_to(EXAMPLES)

    def launch(environment: dict[str, str], **variables: Any) -> subprocess.CompletedProcess[str]:
        variables = {**template["extra_vars"], **variables}
        (folder / "env" / "extravars").write_text(yaml.safe_dump(variables), encoding="utf-8")
        (folder / "env" / "envvars").write_text(yaml.safe_dump(environment), encoding="utf-8")
        return tool("ansible-runner", "run", folder, "-p", template["playbook"], CTYUN_ECI_ENDPOINT=emulator.url)

    return launch


def test_an_execution_environment(tool: Ansible, ansible: Ansible, tmp_path: Path) -> None:
    """The steps of ansible-builder, without the base image: the context, the collections, what they need."""
    examples = tmp_path / "examples" / "awx"
    examples.mkdir(parents=True)
    given = (EXAMPLES / "execution-environment.yml").read_text(encoding="utf-8")
    (examples / "execution-environment.yml").write_text(given, encoding="utf-8")
    built = ansible("galaxy", "collection", "build", "--output-path", tmp_path / "build" / "dist", cwd=ROOT)
    assert built.returncode == 0, built.stderr

    context = tmp_path / "context"
    arguments = ["create", "--file", "execution-environment.yml", "--context", context]
    made = tool("ansible-builder", *arguments, "--output-filename", "Containerfile", cwd=examples)
    assert made.returncode == 0, made.stdout + made.stderr
    containerfile = (context / "Containerfile").read_text(encoding="utf-8")
    assert 'ARG EE_BASE_IMAGE="quay.io/' in containerfile
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    core = runtime.removeprefix(">=").removesuffix(".0")
    assert f'ARG ANSIBLE_INSTALL_REFS="ansible-core>={core} ansible-runner"' in containerfile

    build, collections = context / "_build", tmp_path / "collections"
    arguments = ["collection", "install", "--offline", "-r", "requirements.yml", "-p", collections]
    installed = ansible("galaxy", *arguments, cwd=build, ANSIBLE_COLLECTIONS_PATH=str(collections))
    assert installed.returncode == 0, installed.stderr
    found = tool("ansible-builder", "introspect", collections)
    assert found.returncode == 0, found.stderr
    needed = re.findall(r"^[a-z].*$", (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert yaml.safe_load(found.stdout)["python"] == [f"{line}  # from collection ctyun.eci" for line in needed]


def test_the_credential_type_is_one() -> None:
    given = load("credential_type.yml")
    assert list(Draft202012Validator(CREDENTIAL_TYPE).iter_errors(given)) == []
    fields = {field["id"]: field for field in given["inputs"]["fields"]}
    assert list(fields) == given["inputs"]["required"] == [option for option, _variable in connection._CREDENTIALS]
    assert [name for name, field in fields.items() if field.get("secret")] == ["access_key", "secret_key"]
    assert list(given["injectors"]["env"]) == [variable for _option, variable in connection._CREDENTIALS]
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for name, text in given["injectors"]["env"].items():
        option = next(option for option, variable in connection._CREDENTIALS if variable == name)
        assert sandbox.from_string(text).render(**{field: f"the {field}" for field in fields}) == f"the {option}"


def test_the_job_template_names_what_is_there() -> None:
    template = load("job_template.yml")
    assert set(template) == JOB_TEMPLATE
    assert (EXAMPLES / template["playbook"]).is_file()
    assert template["allow_simultaneous"] is True
    container = load("pod_spec.yml")["spec"]["containers"][0]
    assert template["execution_environment"] == container["image"]
    assert container["env"][0]["name"] == "CTYUN_ECI_LOCK_DIR"
    assert container["env"][0]["value"] == container["volumeMounts"][0]["mountPath"]


def test_the_chinese_table_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "zh-CN" / "awx.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", text))
    assert len(named) == 8
    for file, test in named:
        (found,) = [path for folder in ("unit", "reliability") for path in (ROOT / "tests" / folder).rglob(file)]
        assert f"\ndef {test}(" in found.read_text(encoding="utf-8"), test


def test_a_job_has_what_the_credential_injects(
    job: Callable[..., subprocess.CompletedProcess[str]],
    emulator: Emulator,
    credential: dict[str, str],
    tmp_path: Path,
) -> None:
    locks = tmp_path / "locks"
    locks.mkdir(mode=0o770)
    done = job(injected(**credential), lock_dir=str(locks))
    assert done.returncode == 0, done.stdout + done.stderr
    (cache,) = emulator.service.caches()
    assert cache["imageCacheId"] in done.stdout
    assert "changed=1" in done.stdout
    assert [file.name for file in locks.iterdir()] == ["locks"]
    assert emulator.settings.secret_key not in done.stdout + done.stderr


def test_a_job_without_a_credential_is_told_the_variables(
    job: Callable[..., subprocess.CompletedProcess[str]], emulator: Emulator
) -> None:
    done = job({})
    assert done.returncode != 0
    for _option, variable in connection._CREDENTIALS:
        assert f"set {variable} in the environment" in " ".join(done.stdout.split())
    assert emulator.requests == []


def test_ansible_navigator_runs_the_play(
    tool: Ansible, emulator: Emulator, credential: dict[str, str], tmp_path: Path
) -> None:
    variables = tmp_path / "vars.yml"
    variables.write_text(yaml.safe_dump(load("job_template.yml")["extra_vars"]), encoding="utf-8")
    options = [
        "--ee",
        "false",
        "--mode",
        "stdout",
        "--pae",
        "false",
        "--la",
        "false",
        "--lf",
        tmp_path / "navigator.log",
    ]
    done = tool(
        "ansible-navigator",
        *("run", EXAMPLES / "image_caches.yml", "-i", "localhost,", "-e", f"@{variables}", *options),
        **injected(**credential),
        CTYUN_ECI_ENDPOINT=emulator.url,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (cache,) = emulator.service.caches()
    assert cache["imageCacheId"] in done.stdout
