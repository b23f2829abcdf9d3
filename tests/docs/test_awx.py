# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files in examples/awx work, as far as that can be tested without AWX and containers.

A job of AWX is a run of ansible-runner with the environment that the credentials inject and the variables of the template. The tests
make such a run against the emulator.
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

from tests.emulator import Emulator

from .conftest import ROOT, Ansible

EXAMPLES = ROOT / "examples" / "awx"
Job = Callable[..., "subprocess.CompletedProcess[str]"]


def load(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


@pytest.fixture
def credential(emulator: Emulator) -> dict[str, str]:
    """The environment that a credential of the example's type gives a job."""
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    given = load("credential_type.yml")
    inputs = {field["id"]: getattr(emulator.settings, field["id"]) for field in given["inputs"]["fields"]}
    return {name: sandbox.from_string(text).render(**inputs) for name, text in given["injectors"]["env"].items()}


@pytest.fixture
def job(tool: Ansible, emulator: Emulator, tmp_path: Path) -> Job:
    """Launch the job template with this environment."""
    template = load("job_template.yml")
    folder = tmp_path / "job"
    (folder / "env").mkdir(parents=True)
    (folder / "inventory").mkdir()
    (folder / "inventory" / "hosts").write_text("localhost\n", encoding="utf-8")
    (folder / "project").symlink_to(EXAMPLES)
    (folder / "env" / "extravars").write_text(yaml.safe_dump(template["extra_vars"]), encoding="utf-8")

    def launch(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        (folder / "env" / "envvars").write_text(yaml.safe_dump(environment), encoding="utf-8")
        return tool("ansible-runner", "run", folder, "-p", template["playbook"], CTYUN_ECI_ENDPOINT=emulator.url)

    return launch


def test_an_execution_environment(tool: Ansible, ansible: Ansible, tmp_path: Path) -> None:
    """The steps of ansible-builder without the base image: the context, the collection, its requirements."""
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
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    core = runtime.removeprefix(">=").removesuffix(".0")
    containerfile = (context / "Containerfile").read_text(encoding="utf-8")
    assert f'ARG ANSIBLE_INSTALL_REFS="ansible-core>={core} ansible-runner"' in containerfile

    build, collections = context / "_build", tmp_path / "collections"
    arguments = ["collection", "install", "--offline", "-r", "requirements.yml", "-p", collections]
    installed = ansible("galaxy", *arguments, cwd=build, ANSIBLE_COLLECTIONS_PATH=str(collections))
    assert installed.returncode == 0, installed.stderr
    found = tool("ansible-builder", "introspect", collections)
    assert found.returncode == 0, found.stderr
    needed = re.findall(r"^[a-z].*$", (ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert yaml.safe_load(found.stdout)["python"] == [f"{line}  # from collection ctyun.eci" for line in needed]


def test_a_job_with_the_credential(job: Job, emulator: Emulator, credential: dict[str, str]) -> None:
    done = job(credential)
    assert done.returncode == 0, done.stdout + done.stderr
    (cache,) = emulator.service.caches()
    assert cache["imageCacheId"] in done.stdout
    assert "changed=1" in done.stdout
    assert emulator.settings.secret_key not in done.stdout + done.stderr


def test_a_job_without_the_credential(job: Job, emulator: Emulator, credential: dict[str, str]) -> None:
    done = job({})
    assert done.returncode != 0
    for variable in credential:
        assert f"set {variable} in the environment" in " ".join(done.stdout.split())
    assert emulator.requests == []


def test_secrets_are_hidden_in_the_form() -> None:
    fields = load("credential_type.yml")["inputs"]["fields"]
    assert [field["id"] for field in fields if field.get("secret")] == ["access_key", "secret_key"]
