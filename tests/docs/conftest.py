# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands of Ansible on this checkout, against an emulator in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PLACES = {"vpc_id": "vpc-test", "v_switch_id": "subnet-test", "security_group_id": "sg-test"}

# Variables that would change a run.
_PREFIXES = ("ANSIBLE_", "CTYUN_", "CTAPI_")
_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")

Ansible = Callable[..., "subprocess.CompletedProcess[str]"]
Make = Callable[..., "subprocess.CompletedProcess[str]"]


def environment_of(base: Path) -> dict[str, str]:
    """The environment of a run with this checkout as the collection, and no other settings than those in ``base``."""
    link = base / "collections" / "ansible_collections" / "ctyun" / "eci"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    (base / "ansible.cfg").touch()
    kept = (name for name in os.environ if not name.startswith(_PREFIXES) and name.lower() not in _NAMES)
    return {
        **{name: os.environ[name] for name in kept},
        "ANSIBLE_COLLECTIONS_PATH": str(base / "collections"),
        "ANSIBLE_CONFIG": str(base / "ansible.cfg"),
        "ANSIBLE_HOME": str(base / "home"),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
    }


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Run ``tool("ansible-playbook", argument, ..., NAME="value", ...)``, with these variables in its environment."""
    base = tmp_path_factory.mktemp("ansible")
    environment = environment_of(base)

    def run(command: str, *arguments: Any, cwd: Path = base, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / command), *map(str, arguments)],
            cwd=cwd,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def ansible(tool: Ansible) -> Ansible:
    """Run one of Ansible's own commands: ``ansible("playbook", argument, ...)``."""
    return lambda command, *arguments, **variables: tool(f"ansible-{command}", *arguments, **variables)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator whose image caches are ready at once."""
    with Emulator(ready_after=0) as emulator:
        yield emulator


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Call make for this checkout with the tools of this environment: ``make(target, argument, ..., cwd=folder)``."""
    # PIP_ and XDG_: the same settings of pip for the home folder of the tools as in the outer make
    kept = ("HOME", "USER_HOME", "PATH", "PIP_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    made = [f"--old-file=.venv/{name}.stamp" for name in ("run", "tls")]

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *made, "-C", str(ROOT), f"BIN={BIN}", *arguments],
            cwd=cwd,
            env={**environment, "PWD": str(cwd), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run
