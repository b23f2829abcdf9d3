# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles, through ansible-playbook, against an emulator and a registry in this process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import PLACES, Ansible, ansible, emulator, tool
from tests.emulator import Emulator, Registry, images

__all__ = ["Ansible", "ansible", "emulator", "tool"]

BODY = {**PLACES, "az_info": {"az_name": "az1"}}

Play = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@pytest.fixture
def play(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> Play:
    """Run tasks or roles on localhost: ``play({"roles": [...]}, "--check", NAME="value")``."""

    def run(keywords: dict[str, Any], *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        playbook = tmp_path / "play.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **keywords}]), encoding="utf-8")
        return ansible("playbook", playbook, *arguments, cwd=tmp_path, **{**emulator.environment, **variables})

    return run


def release(registry: Registry, repository: str = "web", **changes: Any) -> dict[str, Any]:
    """An entry of release_image_caches, of the name of its repository."""
    return {"name": repository, "images": [f"{registry.address}/{repository}:1"], **BODY, **changes}


def push(registry: Registry, number: int, name: str = "web") -> None:
    """Have the tag of a release mean another image."""
    registry.add(name, "1", images.image([number * 1000 + 7]))
