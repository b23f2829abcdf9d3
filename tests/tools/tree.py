# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep a copy of the collection at build/tree/ansible_collections/ctyun/eci, where ansible-test wants it.

The copy holds what Git would commit, nothing else: no virtual environment, no build products, no ignored files. It is brought up to date
in place, so that tests which run there at the same time keep their files. It is a Git repository of its own: ansible-test asks
Git for the files to test, and from inside an ignored folder it would be told that there are none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "build" / "tree" / "ansible_collections" / "ctyun" / "eci"
# What the tools write there, and what they may still need.
KEEP = (".ansible", ".git", "tests/output", "tests/integration/integration_config.yml", "tests/integration/inventory")


def wanted() -> set[str]:
    """The tracked and the not yet tracked files, less the ignored and the deleted ones."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return {
        name
        for name in map(os.fsdecode, names.split(b"\0"))
        if name and ((ROOT / name).is_file() or (ROOT / name).is_symlink())
    }


def present() -> set[str]:
    found: set[str] = set()
    for folder, folders, files in os.walk(TREE):
        base = os.path.relpath(folder, TREE)
        below = [os.path.normpath(os.path.join(base, name)) for name in (*folders, *files)]
        folders[:] = [name for name in folders if os.path.normpath(os.path.join(base, name)) not in KEEP]
        found.update(name for name in below if name not in KEEP and not (TREE / name).is_dir())
    return found


def same(source: Path, copy: Path) -> bool:
    try:
        new, old = source.lstat(), copy.lstat()
    except FileNotFoundError:
        return False
    return (new.st_mode, new.st_size, new.st_mtime_ns) == (old.st_mode, old.st_size, old.st_mtime_ns)


def main() -> None:
    names = wanted()
    TREE.mkdir(parents=True, exist_ok=True)
    for name in present() - names:
        (TREE / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            os.removedirs((TREE / name).parent)
    for name in names:
        source, copy = ROOT / name, TREE / name
        if not same(source, copy):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", str(TREE)], check=True)
    # reuse finds ignored files by asking Git, which names them reliably only where the others are tracked
    subprocess.run(["git", "-C", str(TREE), "add", "--all"], check=True)


if __name__ == "__main__":
    main()
