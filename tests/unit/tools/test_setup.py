# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make says and does before it has an environment, and what it makes of a broken one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# "venv" makes an environment whose Python is as good as any; it is interrupted half way if BROKEN is set.
PYTHON = """#!/bin/sh
case "$*" in
    --version) echo "Python $FAKE_VERSION" ;;
    *"sys.exit"*) [ "$FAKE_VERSION" != 3.9.2 ] ;;
    *"import ensurepip"*) [ -z "$NO_VENV" ] ;;
    "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; ln -s /bin/true .venv/bin/python; [ -z "$BROKEN" ] ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the project as make needs to begin with, and a Python."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    fake = tmp_path / "bin" / "python3"
    fake.parent.mkdir()
    fake.write_text(PYTHON, encoding="utf-8")
    fake.chmod(0o755)
    return tmp_path


def make(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "USER_HOME", "PYTHON")
    return subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={
            **{name: value for name, value in os.environ.items() if name not in outer},
            "HOME": str(checkout / "home"),
            "PATH": os.pathsep.join([str(checkout / "bin"), "/usr/bin", "/bin"]),
            "FAKE_VERSION": "3.12.1",
            **variables,
        },
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"PYTHON": "python3.99"},
            'Python 3.11 or newer is needed, not "python3.99: command not found": install it, or set ',
        ),
        ({"FAKE_VERSION": "3.9.2"}, 'Python 3.11 or newer is needed, not "Python 3.9.2": install it, or set PYTHON='),
        ({"NO_VENV": "1"}, "Python 3.12.1 (python3) cannot make virtual environments: install python3-venv"),
    ],
)
def test_without_a_python_there_is_one_sentence(checkout: Path, variables: dict[str, str], sentence: str) -> None:
    run = make(checkout, "demo", **variables)
    assert run.returncode == 2
    assert run.stdout.startswith("The first time, this installs Ansible")
    first, end = run.stderr.splitlines()
    assert first.startswith(sentence)
    assert end.startswith("make: *** ")
    assert not (checkout / ".venv").exists()


def test_a_half_made_environment_is_made_again(checkout: Path) -> None:
    stamp = checkout / ".venv" / "made.stamp"
    assert make(checkout, ".venv/made.stamp", BROKEN="1").returncode == 2
    assert not stamp.exists()
    run = make(checkout, ".venv/made.stamp")
    assert (run.returncode, run.stderr) == (0, "")
    assert "Making a virtual environment in .venv, with Python 3.12.1" in run.stdout
    assert stamp.exists()
    assert "Making" not in make(checkout, ".venv/made.stamp").stdout


@pytest.mark.parametrize("python", ["/nowhere/python3", "/bin/false"])
def test_an_environment_whose_python_is_gone_is_made_again(checkout: Path, python: str) -> None:
    make(checkout, ".venv/made.stamp")
    (checkout / ".venv" / "run.stamp").touch()
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to(python)
    assert "Making a virtual environment" in make(checkout, ".venv/made.stamp").stdout
    assert not (checkout / ".venv" / "run.stamp").exists()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "pip").symlink_to(Path(sysconfig.get_path("purelib")) / "pip")
    return folder


def install(environment: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    settings = {"PIP_CONFIG_FILE": os.devnull, **variables}
    return subprocess.run(
        [str(environment / "bin" / "python"), str(ROOT / "tests" / "tools" / "install.py"), *arguments],
        env={**outer, **settings},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_an_index_that_pip_cannot_reach(environment: Path) -> None:
    run = install(environment, "none-such", PIP_INDEX_URL="https://user:secret@127.0.0.1:9/simple", PIP_RETRIES="0")
    assert run.returncode == 1
    assert "pip could not reach the package index at 127.0.0.1. It uses your settings of pip" in run.stdout
    assert "Connection refused" in run.stdout
    assert "No matching distribution" not in run.stdout
    log = (environment / "pip.log").read_text(encoding="utf-8")
    assert "No matching distribution" in log
    assert "secret" not in run.stdout + log


def test_an_index_without_the_package_can_be_reached(environment: Path, tmp_path: Path) -> None:
    run = install(environment, "none-such", "--no-index", "--find-links", str(tmp_path))
    assert run.returncode == 1
    assert "No matching distribution found for none-such" in run.stdout
    assert "could not reach" not in run.stdout


def test_a_half_installed_package_is_installed_again(environment: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "def main(): pass")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    script = environment / "bin" / "tiny"
    for _attempt in range(2):
        run = install(environment, "tiny", "--no-index", "--find-links", str(tmp_path))
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
        assert script.exists()
        # as if pip had been interrupted before it wrote the scripts
        (record,) = environment.glob("lib/python3*/site-packages/tiny-1.0.dist-info/RECORD")
        assert re.search("tiny-1.0.dist-info/INSTALLER,", record.read_text(encoding="utf-8"))
        script.unlink()
        record.write_text("tiny.py,,\n", encoding="utf-8")
