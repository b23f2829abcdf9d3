# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare build/home, or the folder given, as the home folder that the tools get in place of the user's.

ansible-test makes virtual environments without pip and then downloads a script that installs pip. It looks into a cache below the home
folder first: our stand-in goes there, under the name that the installed ansible-test looks for. It also starts pip with hardly any
environment, so the user's settings for pip, wherever they come from, are written to this home's pip.conf. The empty ansible.cfg keeps the
settings of the user and of the machine out.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_test._internal.python_requirements import collect_bootstrap

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "home"


def main() -> None:
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    python: Any = SimpleNamespace(version="{}.{}".format(*sys.version_info))
    bootstraps: list[Any] = collect_bootstrap(python)
    for bootstrap in bootstraps:
        shutil.copyfile(
            ROOT / "tests" / "tools" / "get_pip.py", cache / f"get_pip_{bootstrap.pip_version.replace('.', '_')}.py"
        )

    (HOME / "ansible.cfg").touch()

    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():  # the environment's come first in the list, and they win
        name, separator, value = line.partition("=")
        section, _dot, key = name.rpartition(".")
        if separator and section in ("global", ":env:") and key != "cache-dir":
            settings.setdefault(key, str(ast.literal_eval(value)).replace("\n", "\n    "))
    target = HOME / ".config" / "pip" / "pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    lines = ["[global]", *(f"{key} = {value}" for key, value in settings.items())]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
