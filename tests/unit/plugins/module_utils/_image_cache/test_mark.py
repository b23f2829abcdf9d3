# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task leaves for the next one, should it be ended in the middle."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from pathlib import Path

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.mark import IN_FLIGHT, LEFT, Mark, Marks
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from tests.unit.plugins.emulated import A


class Time:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / f"ansible-ctyun.eci-{os.getuid()}"


def marks(time: Time | None = None, region: str = "r1") -> Marks:
    connection = Connection("ak", "planted-secret", region, "https://h.example", True, 1.0, 0, 1.0)
    return Marks(connection, Clock(time=(time or Time()).time))


def test_nothing_is_marked_at_first(folder: Path) -> None:
    assert marks().read("web") == Mark()
    marks().settled("web")
    assert list(folder.iterdir()) == []


def test_a_create_that_is_on_its_way_is_told_to_the_next_task(folder: Path) -> None:
    time = Time()
    marks(time).sending("web", [A])
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "web" not in file.name
    assert json.loads(file.read_text()) == {"name": "web", "sent": time.now, "tags": [A]}
    later = marks(time)
    assert later.read("web") == Mark(time.now, [A])
    assert later.is_in_flight(later.read("web"))
    assert not later.is_in_flight(later.read("db"))
    assert not later.is_in_flight(marks(time, region="r2").read("web"))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, True), (IN_FLIGHT, True), (IN_FLIGHT + 1, False), (-5, True), (-60, False)]
)
def test_it_is_on_its_way_for_a_while_only_though_another_clock_be_ahead(seconds: float, expected: bool) -> None:
    time = Time()
    marks(time).sending("web", None)
    time.now += seconds
    later = marks(time)
    assert later.is_in_flight(later.read("web")) is expected


def test_tags_are_kept_for_the_one_that_replaces(folder: Path) -> None:
    marks().replacing("web", [A])
    assert marks().read("web") == Mark(None, [A])
    assert not marks().is_in_flight(marks().read("web"))
    marks().settled("web")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("tags", [None, []])
def test_no_tags_are_nothing_to_remember(tags: None, folder: Path) -> None:
    marks().replacing("web", tags)
    assert marks().read("web") == Mark()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", '{"sent": 1}', "\x00", "[" * 100_000),
        *('{"sent": "now", "tags": null}', '{"sent": true, "tags": null}', '{"sent": 1, "tags": "a"}'),
        *('{"sent": 1, "tags": {}}', '{"sent": 1, "tags": [{"key": "a"}]}'),
        *('{"sent": 1, "tags": ["a"]}', '{"sent": 1, "tags": [{"key": "a", "value": 1}]}'),
    ],
    ids=lambda text: text[:40],
)
def test_a_mark_that_cannot_be_read_is_none(text: str, folder: Path) -> None:
    marks().sending("web", None)
    (file,) = folder.iterdir()
    file.write_text(text)
    assert marks().read("web") == Mark()


def test_where_nothing_can_be_written_nothing_is_marked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_text("")  # no folder
    marks().sending("web", None)
    assert marks().read("web") == Mark()
    marks().settled("web")


def test_a_mark_needs_no_more_than_it_tells(folder: Path) -> None:
    marks().sending("web", None)
    (file,) = folder.iterdir()
    file.write_text('{"sent": 1, "tags": null}')
    assert marks().read("web") == Mark(1)


# --- what nobody came back for


def test_marks_do_not_pile_up(folder: Path) -> None:
    time = Time()
    marks(time).sending("web", None)
    marks(time).replacing("db", [A])
    time.now += LEFT
    marks(time).sending("new", None)
    assert len(list(folder.iterdir())) == 3
    time.now += 1
    marks(time, region="r2").replacing("other", [A])
    assert marks(time).read("web") == marks(time).read("db") == Mark()
    assert len(list(folder.iterdir())) == 2


def test_half_a_file_that_a_killed_task_left_is_removed_and_nothing_else(folder: Path) -> None:
    time = Time()
    marks(time).sending("web", None)
    for name in ("locks", "0f.spellings", "0f.spellings.123.partial", "notes.txt"):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    (folder / "a folder.mark").mkdir()
    os.utime(folder / "a folder.mark", (0, 0))
    (folder / "new link.mark").symlink_to("notes.txt")
    marks(time).sending("web", None)
    assert marks(time).read("web").sent == time.now
    left = sorted(file.name for file in folder.iterdir() if not re.fullmatch(r"[0-9a-f]{32}\.mark", file.name))
    assert left == ["0f.spellings", "a folder.mark", "locks", "new link.mark", "notes.txt"]


def test_a_task_for_many_looks_once_for_old_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(path) or scandir(path))
    mine = marks()
    for number in range(5):
        mine.sending(f"cache-{number}", None)
    assert len(looked) == 1


def test_a_mark_that_another_task_removes_at_the_same_moment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    marks(time).sending("web", None)
    marks(time).sending("db", None)
    time.now += 2 * LEFT

    def gone(path: str) -> None:
        raise FileNotFoundError(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", gone)
        marks(time).sending("new", None)
    assert marks(time).read("new").sent == time.now


def test_a_folder_that_was_removed_in_the_middle_of_a_task_is_made_again(folder: Path) -> None:
    mine = marks()
    mine.sending("web", None)
    shutil.rmtree(folder)
    mine.sending("db", None)
    assert marks().is_in_flight(marks().read("db"))
    mine.settled("db")
    assert list(folder.iterdir()) == []
