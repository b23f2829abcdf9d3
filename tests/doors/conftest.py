# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run by the real ansible-playbook, against an emulator in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(ready_after=0) as running:
        yield running


@pytest.fixture
def play(emulator: Emulator, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a playbook of this folder; more arguments and variables of the environment may be given."""
    namespace = tmp_path / "collections" / "ansible_collections" / "ctyun"
    namespace.mkdir(parents=True)
    (namespace / "eci").symlink_to(ROOT)

    def run(playbook: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                str(Path(__file__).with_name(playbook)),
                *arguments,
            ],
            env={
                **os.environ,
                **emulator.environment,
                "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
                "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).with_name("plugins") / "connection"),
                "ANSIBLE_BECOME_PLUGINS": str(Path(__file__).with_name("plugins") / "become"),
                "ANSIBLE_ASYNC_DIR": str(tmp_path / "async"),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_NOCOLOR": "true",
                "HOME": str(tmp_path),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run
