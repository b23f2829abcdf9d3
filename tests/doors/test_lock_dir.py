# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder for locks, through both doors: where it is taken from, and which one is refused before anything is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, CREATE

from .conftest import Run, Task

REFUSED = {
    "open to all": "everybody may write to it",
    "open to all, in check mode": "everybody may write to it",
    "relative": "no absolute path",
    "absent": "No such file or directory",
    "open to all, for many": "everybody may write to it",
}


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for temporary files whose path leaves room for the sockets that ansible-core 2.21 makes there."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def one(name: str, check_mode: bool = False, **arguments: Any) -> Task:
    return {"name": name, "ctyun.eci.image_cache": {**BODY, **arguments}, "check_mode": check_mode}


def many(name: str, folder: str) -> Task:
    caches = [{**BODY, "imageCacheName": "db"}]
    return {"name": name, "ctyun.eci.image_caches": {"image_caches": caches, "lock_dir": folder}}


def test_where_it_is_taken_from_and_what_is_refused(
    both: Callable[..., Run], emulator: Emulator, tmp_path: Path, short_path: Path
) -> None:
    folders = [tmp_path / name for name in ("option", "variable", "locks of jobs")]
    open_to_all = tmp_path / "open"
    for folder in (*folders, open_to_all):
        folder.mkdir(mode=0o700)
    open_to_all.chmod(0o777)

    def prepare() -> None:
        for folder in folders:
            for file in folder.iterdir():
                file.unlink()

    given = [
        one("option", lock_dir=str(folders[0])),
        one("variable"),
        many("many", "$HOME/locks of jobs"),
        one("open to all", lock_dir=str(open_to_all)),
        one("open to all, in check mode", lock_dir=str(open_to_all), check_mode=True),
        one("relative", lock_dir="locks"),
        one("absent", lock_dir=str(tmp_path / "absent")),
        many("open to all, for many", str(open_to_all)),
    ]
    done = both(given, prepare=prepare, CTYUN_ECI_LOCK_DIR=str(folders[1]), TMPDIR=str(short_path))

    assert [done.results[name]["changed"] for name in ("option", "variable", "many")] == [True, False, True]
    for folder in folders:
        assert [file.name for file in folder.iterdir()] == ["locks"]
    for name, why in REFUSED.items():
        result = done.results[name]
        assert result["failed"], name
        assert why in result["msg"], name
        assert (result["changed"], result["failure"]["effect"]) == (False, "none"), name
    assert len(emulator.sent(CREATE)) == 2
    assert len(emulator.requests) == 7
    assert list(open_to_all.iterdir()) == []
    assert list(short_path.glob("ansible-ctyun.eci-*")) == []
