# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare build/home, or the folder given, as the home folder of the tools in place of the user's.

ansible-test makes virtual environments without pip and then downloads a script that installs pip, unless its cache below the home folder
has that script: get_pip.py goes there under the expected name. ansible-test also starts pip with hardly any environment, so the user's
settings for pip are written to this home's pip.conf. The empty ansible.cfg keeps out the settings of the user and of the machine.
Files that are up to date are left alone, since other steps may be reading them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_test._internal.python_requirements import collect_bootstrap

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "home"


def write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def pip_settings() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():  # the environment's come first in the list, and they win
        name, separator, value = line.partition("=")
        section, _dot, key = name.rpartition(".")
        if separator and section in ("global", ":env:") and key != "cache-dir":
            settings.setdefault(key, str(ast.literal_eval(value)).replace("\n", "\n    "))
    return settings


def main() -> None:
    python: Any = SimpleNamespace(version="{}.{}".format(*sys.version_info))
    bootstraps: list[Any] = collect_bootstrap(python)
    script = Path(__file__).with_name("get_pip.py").read_text(encoding="utf-8")
    for bootstrap in bootstraps:
        name = f"get_pip_{bootstrap.pip_version.replace('.', '_')}.py"
        write(HOME / ".ansible" / "test" / "cache" / name, script)
    write(HOME / "ansible.cfg", "")
    lines = ["[global]", *(f"{key} = {value}" for key, value in pip_settings().items())]
    write(HOME / ".config" / "pip" / "pip.conf", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
