# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep two copies of the collection at NAME/ansible_collections/ctyun/eci below build, the path that ansible-test needs.

The linters and the build read build/tree. ansible-test works in build/ansible-test, where it creates and deletes files at run time, which
would disturb a linter in the same folder.

A copy has what Git would commit and nothing else: no virtual environment, no build products, no ignored files. It is updated in place, so
that tests which run there at the same time keep their files. It is a Git repository of its own, since ansible-test asks Git for the files
to test, and Git lists none from inside an ignored folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Each copy with the files of the tools that stay there.
COPIES = {
    "tree": (".ansible", ".git"),
    "ansible-test": (
        ".ansible",
        ".git",
        "tests/output",
        "tests/integration/integration_config.yml",
        "tests/integration/inventory",
    ),
}


def wanted() -> set[str]:
    """The tracked and the untracked files, without the ignored and the deleted ones."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    command = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"Git is needed, and a checkout of the repository, to know which files belong to the collection: {error}."
        )
    return {
        name
        for name in map(os.fsdecode, names.split(b"\0"))
        if name and ((ROOT / name).is_file() or (ROOT / name).is_symlink())
    }


def present(tree: Path, keep: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for folder, folders, files in os.walk(tree):
        base = os.path.relpath(folder, tree)
        below = [os.path.normpath(os.path.join(base, name)) for name in (*folders, *files)]
        folders[:] = [name for name in folders if os.path.normpath(os.path.join(base, name)) not in keep]
        found.update(name for name in below if name not in keep and not (tree / name).is_dir())
    return found


def same(source: Path, copy: Path) -> bool:
    try:
        new, old = source.lstat(), copy.lstat()
    except FileNotFoundError:
        return False
    return (new.st_mode, new.st_size, new.st_mtime_ns) == (old.st_mode, old.st_size, old.st_mtime_ns)


def bring_up_to_date(tree: Path, names: set[str], keep: tuple[str, ...]) -> None:
    tree.mkdir(parents=True, exist_ok=True)
    for name in present(tree, keep) - names:
        (tree / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            os.removedirs((tree / name).parent)
    for name in names:
        source, copy = ROOT / name, tree / name
        if not same(source, copy):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    # reuse asks Git for the ignored files, and Git lists them reliably only if the others are tracked
    subprocess.run(["git", "-C", str(tree), "add", "--all"], check=True)


def main() -> None:
    names = wanted()
    for name, keep in COPIES.items():
        bring_up_to_date(ROOT / "build" / name / "ansible_collections" / "ctyun" / "eci", names, keep)


if __name__ == "__main__":
    main()
