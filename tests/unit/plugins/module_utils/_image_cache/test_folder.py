# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder that machines share: whose it may be, and what is done to what others put into it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, LockError
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.folder import Folder
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.mark import Mark, Marks
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import BODY, CREATE, LIST, A, present, seed

CONNECTION = Connection("ak", "sk", "r1", "https://h.example", True, 1.0, 0, 1.0)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that the members of a group share."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o770)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- which folder


def test_without_a_name_it_is_the_private_one(tmp_path: Path) -> None:
    for nothing in (None, ""):
        assert Folder.at(nothing).look().path == str(tmp_path / f"ansible-ctyun.eci-{os.getuid()}")


@pytest.mark.parametrize("bits", [0o700, 0o755, 0o750, 0o770, 0o775, 0o2770, 0o1700])
def test_a_folder_of_this_user_may_be_used(bits: int, shared: Path) -> None:
    shared.chmod(bits)
    assert Folder.at(str(shared)).look().path == str(shared)


@pytest.mark.parametrize(
    ("bits", "why"),
    [(0o777, "everybody may write to it"), (0o1777, "everybody"), (0o702, "everybody"), (0o1770, "its sticky bit")],
)
def test_a_folder_that_others_may_write_to_is_refused(bits: int, why: str, shared: Path) -> None:
    shared.chmod(bits)
    with pytest.raises(LockError, match=why) as caught:
        Folder.at(str(shared))
    assert str(shared) in caught.value.message
    assert "or leave lock_dir out" in caught.value.message
    assert list(shared.iterdir()) == []


class Who:
    """Whom the system takes this process for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def becomes(self, user: int, group: int, *groups: int) -> None:
        self._patch.setattr(os, "geteuid", lambda: user)
        self._patch.setattr(os, "getegid", lambda: group)
        self._patch.setattr(os, "getgroups", lambda: list(groups))


@pytest.fixture
def who(monkeypatch: pytest.MonkeyPatch) -> Who:
    return Who(monkeypatch)


@pytest.fixture
def stranger(shared: Path) -> int:
    """The ID of a user, and of a group, that neither the folder nor root has."""
    return shared.stat().st_uid + shared.stat().st_gid + 4321


def test_a_folder_of_another_user_takes_a_common_group(shared: Path, who: Who, stranger: int) -> None:
    group = shared.stat().st_gid
    if os.geteuid() == 0:  # root's own would be good without a group
        os.chown(shared, stranger + 1, -1)
    for groups in ((group,), (stranger, group)):
        who.becomes(stranger, *groups)
        assert Folder.at(str(shared)).look().group == group
    who.becomes(stranger, stranger)
    with pytest.raises(LockError, match="a group may write to it that this user is not in"):
        Folder.at(str(shared))


def test_a_folder_of_another_user_alone_is_refused(shared: Path, who: Who, stranger: int) -> None:
    shared.chmod(0o755)
    if shared.stat().st_uid == 0:  # root's is good, if the user can write to it
        who.becomes(stranger, stranger)
        assert Folder.at(str(shared)).look().group is None
        os.chown(shared, stranger + 1, -1)
    who.becomes(stranger, shared.stat().st_gid)
    with pytest.raises(LockError, match="belongs to another user"):
        Folder.at(str(shared))


def test_a_folder_that_is_mine_but_a_foreign_group_may_write_to_is_refused(
    shared: Path, who: Who, stranger: int
) -> None:
    who.becomes(shared.stat().st_uid, stranger)
    with pytest.raises(LockError, match="that this user is not in"):
        Folder.at(str(shared))


def test_what_cannot_be_written_to_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for denied in (os.R_OK, os.W_OK, os.X_OK):
        monkeypatch.setattr(os, "access", lambda _path, mode, denied=denied: not mode & denied)
        with pytest.raises(LockError, match="this user cannot write to it"):
            Folder.at(str(shared))


def test_a_folder_has_to_be_there(shared: Path) -> None:
    with pytest.raises(LockError, match="No such file or directory"):
        Folder.at(str(shared / "absent"))
    (shared / "file").touch()
    with pytest.raises(LockError, match="is no directory"):
        Folder.at(str(shared / "file"))


def test_a_relative_path_means_nothing(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared.parent)
    with pytest.raises(LockError, match="no absolute path"):
        Folder.at("shared")


# --- what is in it


def test_files_are_for_the_group_where_the_folder_is(shared: Path) -> None:
    mask = os.umask(0o077)
    try:
        for bits, expected in ((0o770, 0o660), (0o700, 0o600)):
            shared.chmod(bits)
            folder = Folder(str(shared))
            folder.write("a.mark", {"a": 1})
            descriptor, path = folder.open("locks")
            os.close(descriptor)
            assert path == str(shared / "locks")
            assert sorted(file.name for file in shared.iterdir()) == ["a.mark", "locks"]
            assert {mode(file) for file in shared.iterdir()} == {expected}
            for file in shared.iterdir():
                file.unlink()
    finally:
        os.umask(mask)


def test_a_file_gets_the_group_of_the_folder(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    real = os.fstat

    def of_another_group(descriptor: int) -> os.stat_result:
        fields = list(real(descriptor))
        fields[stat.ST_GID] += 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fchown", lambda _descriptor, user, group: given.append((user, group)))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", of_another_group)
        Folder(str(shared)).write("a.mark", 1)
    assert given == [(-1, shared.stat().st_gid)]


def test_two_that_make_the_file_of_the_locks_at_once_open_the_same(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: str, path: str) -> None:
        Path(path).write_text("the other's")
        real(source, path)

    monkeypatch.setattr(os, "link", link)
    descriptor, _path = Folder(str(shared)).open("locks")
    assert os.read(descriptor, 100) == b"the other's"
    os.close(descriptor)
    assert [file.name for file in shared.iterdir()] == ["locks"]


def test_what_is_written_is_read_whole_or_not_at_all(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(str(shared))
    folder.write("a", [1])
    with monkeypatch.context() as patch:

        def fail(*_arguments: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fchmod", fail)
        folder.write("a", [2])
        with pytest.raises(LockError, match="No space left on device"):
            lock.Locks(CONNECTION, Clock(), folder).take(["web"], 1)
    assert folder.read("a") == [1]
    assert [file.name for file in shared.iterdir()] == ["a"]
    folder.remove("a")
    folder.remove("a")
    assert folder.read("a") is None


LINKS: list[Callable[[Path, Path], None]] = [
    lambda place, target: place.symlink_to(target),
    lambda place, _target: os.mkfifo(place),
    lambda place, _target: place.mkdir(),
]


@pytest.mark.parametrize("plant", LINKS, ids=["link", "pipe", "folder"])
@pytest.mark.parametrize("bits", [0o770, 0o700])
def test_what_others_put_in_its_place_is_not_followed(
    plant: Callable[[Path, Path], None], bits: int, shared: Path, tmp_path: Path
) -> None:
    shared.chmod(bits)
    precious = tmp_path / "precious"
    precious.write_text(json.dumps({"precious": 1}))
    folder = Folder(str(shared))
    plant(shared / "locks", precious)
    plant(shared / "a.mark", precious)
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LockError, match="Set lock_dir to a folder on a file system with locks") as caught:
        lock.Locks(CONNECTION, Clock(), folder).take(["web"], 1)
    assert "Bad file descriptor" not in caught.value.message
    assert folder.read("a.mark") is None
    assert len(os.listdir("/proc/self/fd")) <= opened  # a thread of another test may have closed some
    folder.write("a.mark", {"mine": 1})
    assert json.loads(precious.read_text()) == {"precious": 1}


def test_a_link_to_a_file_that_is_not_there_makes_none(shared: Path, tmp_path: Path) -> None:
    (shared / "locks").symlink_to(tmp_path / "new")
    with pytest.raises(LockError), lock.held(CONNECTION, ["web"], Clock(), 1, Folder(str(shared))):
        pytest.fail("held")
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_too_large_is_none(shared: Path) -> None:
    (shared / "a").write_text("[" + "1, " * (1 << 20) + "1]")
    assert Folder(str(shared)).read("a") is None


# --- what it is for


def test_locks_are_held_for_all_that_share_it(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(str(shared))
    with lock.held(CONNECTION, ["web"], Clock(), 1, folder):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "another machine"))
        with lock.held(CONNECTION, ["db"], Clock(), 1, folder) as locks:
            assert not locks.try_to_take("web")
    waited: list[float] = []
    clock = Clock(waited.append, lambda: sum(waited))
    with lock.held(CONNECTION, ["web"], Clock(), 1, folder), pytest.raises(LockError) as caught:
        lock.Locks(CONNECTION, clock, folder).take(["web"], 10)
    assert "Another task with this lock_dir has been at work" in caught.value.message
    assert str(shared) in caught.value.message
    assert min(waited) >= lock.SHARED_PAUSE / 2


def test_marks_are_told_to_all_that_share_it(shared: Path) -> None:
    Marks(CONNECTION, Clock(time=lambda: 1000.0), Folder(str(shared))).sending("web", [A])
    assert Marks(CONNECTION, Clock(), Folder(str(shared))).read("web") == Mark(1000.0, [A])
    assert Marks(CONNECTION, Clock()).read("web") == Mark()


@pytest.fixture(params=["one", "many"])
def run(request: pytest.FixtureRequest, make_client: Callable[..., Client]) -> Callable[[Folder], Outcome]:
    def run(folder: Folder) -> Outcome:
        wanted = Wanted("present", BODY)
        if request.param == "one":
            return converge(wanted, make_client(), Wait(60, 5), folder=folder)
        item = converge_all([wanted], make_client(), Wait(60, 5), concurrency=2, folder=folder).items[0]
        if item.error:
            raise item.error
        return item.outcome

    return run


def test_all_that_a_task_leaves_is_in_the_shared_folder(
    emulator: Emulator, run: Callable[[Folder], Outcome], shared: Path, tmp_path: Path
) -> None:
    emulator.settings.size_step = 100  # its own spelling
    emulator.inject(Fault("reset", CREATE, times=None))
    with pytest.raises(EciError):
        run(Folder(str(shared)))
    assert sorted(file.suffix for file in shared.iterdir()) == ["", ".mark"]
    emulator.faults.clear()
    run(Folder(str(shared)))
    assert sorted(file.suffix for file in shared.iterdir()) == ["", ".spellings"]
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


@pytest.fixture
def everywhere() -> Iterator[Path]:
    """A folder that every user can get to."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_users_of_a_group_share_locks_and_marks(everywhere: Path) -> None:
    shared = everywhere / "shared"
    shared.mkdir()
    os.chown(shared, 12001, 12100)
    shared.chmod(0o770)

    def as_user(user: int, work: Callable[[Folder], bool], *groups: int) -> int:
        """Do something as a user whose own group is another one, in a process of its own; 0 if it is true."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.umask(0o077)
                os.setgroups(groups)
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
                status = 0 if work(Folder.at(str(shared))) else 2
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def leave(folder: Folder) -> bool:
        with lock.held(CONNECTION, ["db"], Clock(), 1, folder):
            Marks(CONNECTION, Clock(time=lambda: 1000.0), folder).sending("web", [A])
        return True

    def find(folder: Folder) -> bool:
        marks = Marks(CONNECTION, Clock(), folder)
        found = marks.read("web") == Mark(1000.0, [A])
        marks.settled("web")
        with lock.held(CONNECTION, ["db"], Clock(), 1, folder) as locks:
            return found and locks.try_to_take("web") and marks.read("web") == Mark()

    assert as_user(12001, leave, 12100) == 0
    assert as_user(12002, find, 12100) == 0
    assert as_user(12001, lambda _folder: True) == 1


def test_a_folder_that_goes_while_a_task_for_many_is_at_work_does_not_hide_what_was_done(
    emulator: Emulator, client: Client, shared: Path
) -> None:
    old, pruned = seed(emulator, "old"), seed(emulator, "pruned", tags=[A])

    def go(record: Record) -> None:
        if record.operation == CREATE:
            shutil.rmtree(shared)

    emulator.before = go
    wanted = [Wanted("present", BODY), Wanted("absent", {"imageCacheName": "old"})]
    outcomes = converge_all(
        wanted, client, Wait(60, 5), concurrency=1, prune=[Prune([A])], folder=Folder.at(str(shared))
    )
    made, absent = outcomes.items
    assert (made.outcome.changed, made.error) == (True, None)
    assert not absent.outcome.changed
    assert absent.error
    assert "No lock can be made" in absent.error.message
    assert {old, pruned, made.image_cache_id} == set(present(emulator))


def test_no_lock_for_following_one_that_is_gone(emulator: Emulator, client: Client, shared: Path) -> None:
    found = seed(emulator, status="pending")

    def go(record: Record) -> None:
        if len(emulator.sent(LIST)) == 3 and shared.exists():
            shutil.rmtree(shared)
            emulator.service.remove(found)

    emulator.before = go
    (item,) = converge_all(
        [Wanted("present", BODY, wait=True)], client, Wait(60, 5), concurrency=1, folder=Folder.at(str(shared))
    ).items
    assert item.error
    assert f"{found} is gone" in item.error.message
