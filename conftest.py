# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let the unit tests import ansible_collections.ctyun.eci from this checkout, whatever its folder is called."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent


# Watches what the tests print, and fails the session if a planted secret is in it.
pytest_plugins = ["tests.reliability.planted"]


def _provide_collection() -> None:
    """Make the packages above plugins/, unless the checkout lies in an ansible_collections tree that is on the path already."""
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
