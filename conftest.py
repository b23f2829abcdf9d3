# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make this checkout importable as ansible_collections.ctyun.eci, whatever the name of its folder is."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # processes that count their imports import this file
    import pytest

ROOT = Path(__file__).resolve().parent


# Fails the session if the output of the tests contains a planted secret.
pytest_plugins = ["tests.reliability.planted"]


def pytest_configure(config: pytest.Config) -> None:
    """Define the markers here, since ansible-test does not read pyproject.toml."""
    config.addinivalue_line("markers", "thorough: many cases; make check and make unit leave it out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Measure the coverage of the other tests alone, since those with many cases take twice as long while it is measured."""
    for item in items if config.pluginmanager.hasplugin("pytest_cov") else ():
        if item.get_closest_marker("thorough"):
            item.add_marker("no_cover")


def _provide_collection() -> None:
    """Create the packages above plugins/, unless the checkout is in an ansible_collections tree on the path already."""
    try:
        found = import_module("ansible_collections.ctyun.eci")
        if ROOT in (Path(folder).resolve() for folder in found.__path__):
            return
    except ImportError:
        pass
    parent = None
    for name, folders in (
        ("ansible_collections", []),
        ("ansible_collections.ctyun", []),
        ("ansible_collections.ctyun.eci", [str(ROOT)]),
    ):
        module = sys.modules.setdefault(name, ModuleType(name))
        module.__path__ = folders
        if parent is not None:
            setattr(parent, name.rpartition(".")[2], module)
        parent = module


_provide_collection()
