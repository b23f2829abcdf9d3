# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import LockError, MachineLimit
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock

ROOT = Path(__file__).parents[5]


class Time:
    """A clock that only sleeping moves; ``then`` happens after the first pause."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        self.now = 50.0
        self.pauses = 0
        self.shortest, self.longest = 1e9, 0.0
        self.then = then

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.pauses += 1
        self.shortest, self.longest = min(seconds, self.shortest), max(seconds, self.longest)
        assert self.pauses < 100_000
        if self.pauses == 1:
            self.then()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the locks, which does not exist yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"ansible-ctyun.eci-{os.getuid()}"


def connection(region: str = "r1", endpoint: str = "https://h.example") -> Connection:
    return Connection("ak", "sk", region, endpoint, True, 1.0, 0, 1.0)


def held(
    *names: str, region: str = "r1", endpoint: str = "https://h.example", timeout: float = 1.0, time: Time | None = None
) -> AbstractContextManager[lock.Locks]:
    time = time or Time()
    return lock.held(connection(region, endpoint), names, Clock(time.sleep, time.monotonic), timeout)


def open_files(folder: Path) -> int:
    """How many files of the folder this process has open."""
    links = [Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd")]
    return sum(str(link.readlink()).startswith(str(folder)) for link in links if link.is_symlink())


def is_free(name: str, **where: str) -> bool:
    with held(**where) as locks:  # type: ignore[arg-type]
        return locks.try_to_take(name)


def test_a_name_is_held_by_one_at_a_time() -> None:
    with held("web"):
        assert not is_free("web")
    assert is_free("web")


def test_a_task_for_many_holds_each_of_them_and_nothing_else() -> None:
    with held("web", "db"):
        assert not is_free("web")
        assert not is_free("db")
        assert is_free("other")
    assert is_free("web")


@pytest.mark.parametrize(
    "where",
    [{"region": "r2"}, {"endpoint": "https://h2.example"}, {"region": "1", "endpoint": "https://h.exampler"}],
    ids=str,
)
def test_the_same_name_elsewhere_is_another_lock(where: dict[str, str]) -> None:
    with held("web"):
        assert is_free("web", **where)


def test_one_more_name_can_be_taken_if_it_is_free() -> None:
    with held("web") as first, held("db") as second:
        assert not first.try_to_take("db")
        assert first.try_to_take("third")
        assert not second.try_to_take("third")


def test_who_holds_nothing_gets_nothing_more() -> None:
    locks = lock.Locks(connection(), Clock())
    assert not locks.try_to_take("web")
    locks.release()
    with held("web") as locks:
        pass
    assert not locks.try_to_take("web")
    locks.release()


def test_a_name_is_one_byte_of_the_file(folder: Path) -> None:
    with held(), held():
        pass
    (file,) = folder.iterdir()
    with open(file, "r+b") as first, open(file, "r+b") as second:
        assert lock._taken(first.fileno(), 7)
        assert not lock._taken(second.fileno(), 7)
        assert lock._taken(second.fileno(), 8)
        assert lock._taken(second.fileno(), 6)


def test_a_thousand_names_take_one_open_file(folder: Path) -> None:
    names = [f"cache-{number}" for number in range(1000)]
    with held(*names):
        assert open_files(folder) == 1
        assert not is_free("cache-0")
        assert not is_free("cache-999")


def test_a_name_given_twice_is_held_once() -> None:
    with held("web", "web"):
        assert not is_free("web")


def test_a_lock_is_released_by_an_error() -> None:
    with pytest.raises(LookupError), held("web"):
        raise LookupError
    assert is_free("web")


def test_a_lock_that_could_not_be_had_leaves_no_file_open(folder: Path) -> None:
    with held("web"):
        assert not is_free("web")
        assert open_files(folder) == 1
    assert open_files(folder) == 0


@pytest.mark.parametrize(("timeout", "expected"), [(0.0, 600.0), (600.0, 600.0), (1800.0, 1800.0)])
def test_the_wait_has_an_end_and_is_no_shorter_than_the_task_s_own(
    timeout: float, expected: float, folder: Path
) -> None:
    time = Time()
    with held("web"):
        with pytest.raises(LockError) as caught, held("web", timeout=timeout, time=time):
            pytest.fail("both hold it")
    assert expected < time.now - 50 < expected + 2 * lock.PAUSE
    # tasks that wait for the same do not ask all at once
    assert lock.PAUSE / 2 < time.shortest < lock.PAUSE / 2 * 1.1
    assert lock.PAUSE * 2 * 0.9 < time.longest < lock.PAUSE * 2
    text = caught.value.message
    assert f"at work on the image cache 'web' for more than {expected:g} s" in text
    assert str(folder) in text
    assert "r1" not in text


def test_a_lock_that_becomes_free_is_taken() -> None:
    with ExitStack() as other:
        other.enter_context(held("web"))
        time = Time(then=other.close)
        with held("web", timeout=60, time=time):
            assert time.pauses == 1
            assert not is_free("web")


def test_a_free_lock_takes_no_time() -> None:
    time = Time()
    with held("web", time=time):
        assert time.pauses == 0


def test_tasks_for_many_that_share_names_do_not_wait_for_each_other_for_ever() -> None:
    rounds = 30
    failed: list[LockError] = []

    def work(*names: str) -> None:
        for _round in range(rounds):
            try:
                with lock.held(connection(), names, Clock(), 1.0):
                    pass
            except LockError as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=names) for names in (("a", "b", "c"), ("c", "b", "a"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not failed


# --- a file that somebody removes


def test_who_waits_for_a_file_that_is_removed_meanwhile_takes_the_new_one(folder: Path) -> None:
    with ExitStack() as old, ExitStack() as new:
        old.enter_context(held("web"))

        def then() -> None:
            (folder / "locks").unlink()
            old.close()
            new.enter_context(held("web"))  # somebody else was quicker, in a new file

        time = Time(then=then)
        with pytest.raises(LockError), held("web", timeout=600, time=time):
            pytest.fail("both hold it")


def test_who_gets_the_lock_of_a_file_that_is_gone_makes_a_new_one(folder: Path) -> None:
    with ExitStack() as old:
        old.enter_context(held("web"))

        def then() -> None:
            (folder / "locks").unlink()
            old.close()

        with held("web", timeout=60, time=Time(then=then)):
            assert (folder / "locks").exists()
            assert open_files(folder) == 1
            assert not is_free("web")


def test_the_file_is_kept_fresh(folder: Path) -> None:
    with held("web"):
        pass
    (file,) = folder.iterdir()
    os.utime(file, (0, 0))
    with held("web"):
        assert file.stat().st_mtime > 1_000_000_000


# --- other processes

CHILD = """
import sys
sys.path.insert(0, {root!r})
import conftest
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
where = Connection("ak", "sk", "r1", "https://h.example", True, 1.0, 0, 1.0)
"""
HOLD = (
    CHILD
    + """
with lock.held(where, ["web"], Clock(), 1.0):
    print("held", flush=True)
    sys.stdin.read()
"""
)
HOLD_WITH_CHILD = (
    CHILD
    + """
import os, signal, subprocess
with lock.held(where, ["web"], Clock(), 1.0):
    subprocess.Popen(["cat"], close_fds=False)
    os.kill(os.getpid(), signal.SIGKILL)
"""
)
COUNT = (
    CHILD
    + """
import os
spins = iter(range(1_000_000))
for _time in range(20):
    with lock.held(where, ["counter"], Clock(sleep=lambda _: next(spins) and os.sched_yield()), 1.0):
        with open({counter!r}) as file:
            number = int(file.read())
        os.sched_yield()
        with open({counter!r}, "w") as file:
            file.write(str(number + 1))
"""
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with ExitStack() as stack:

        def begin(code: str) -> subprocess.Popen[str]:
            text = code.format(root=str(ROOT), counter=str(tmp_path / "counter"))
            process = subprocess.Popen(
                [sys.executable, "-c", text],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=ROOT,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, None], ids=str)
def test_the_lock_of_another_process_lasts_as_long_as_that(
    end: signal.Signals | None, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    process = start(HOLD)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert not is_free("web")
    assert is_free("db")
    if end:
        process.send_signal(end)
        process.wait(30)
    else:
        process.communicate("", timeout=30)
        assert process.returncode == 0
    assert is_free("web")


def test_a_child_of_the_holder_does_not_keep_the_lock(start: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start(HOLD_WITH_CHILD)
    assert process.wait(30) == -signal.SIGKILL
    # its "cat" still waits on the standard input that it inherited
    assert is_free("web")


def test_processes_count_together(start: Callable[[str], subprocess.Popen[str]], tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    processes = [start(COUNT) for _number in range(3)]
    for process in processes:
        assert process.wait(60) == 0
    assert (tmp_path / "counter").read_text() == "60"


# --- a place that is not safe


def test_the_folder_is_private_and_the_files_have_no_names(folder: Path) -> None:
    with held("secret-project"):
        (file,) = folder.iterdir()
        assert "secret" not in file.name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with held("other"), held("third", region="r2"):
        assert len(list(folder.iterdir())) == 1


def test_a_folder_from_before_is_used_again(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with held("web"):
        assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_enter_is_refused(mode: int, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(LockError, match="is not a private directory of this user") as caught, held("web"):
        pytest.fail("held")
    assert str(folder) in caught.value.message
    assert "TMPDIR" in caught.value.message
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o700)
    folder.symlink_to(target)
    with pytest.raises(LockError, match="is not a private directory"), held("web"):
        pytest.fail("held")
    assert list(target.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    for mode in (0o644, 0o600):
        folder.write_text("")
        folder.chmod(mode)
        with pytest.raises(LockError, match="is not a private directory"), held("web"):
            pytest.fail("held")


def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    other = SimpleNamespace(st_mode=folder.stat().st_mode, st_uid=os.getuid() + 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lambda _path: other)
        with pytest.raises(LockError, match="is not a private directory"), held("web"):
            pytest.fail("held")


def test_a_lock_file_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    with held("web"):
        (file,) = folder.iterdir()
    file.unlink()
    target = tmp_path / "precious"
    file.symlink_to(target)
    with pytest.raises(LockError, match="Set TMPDIR"), held("web"):
        pytest.fail("held")
    assert not target.exists()


def test_a_place_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(LockError, match="No such file or directory"), held("web"):
        pytest.fail("held")


def test_a_machine_without_any_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(LockError, match="No usable temporary directory"), held("web"):
        pytest.fail("held")


@pytest.fixture(params=["of the open file", "of the process"])
def system_call(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the function that takes a lock, on a system that has locks of open files and on one that has not."""
    if request.param == "of the open file":
        return "fcntl"
    monkeypatch.setattr(lock, "_SET_OFD_LOCK", None)
    return "lockf"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(
    number: int, system_call: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, system_call, refuse)
    with pytest.raises(LockError, match="Set TMPDIR"), held("web"):
        pytest.fail("held")
    assert open_files(folder) == 0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_named_as_that(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(MachineLimit, match="ulimit -n") as caught, held("web"):
            pytest.fail("held")
    assert "TMPDIR" not in caught.value.message


def test_one_more_name_is_left_where_the_file_system_has_lost_its_locks(
    system_call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with held("web") as locks:
        monkeypatch.setattr(fcntl, system_call, refuse)
        assert not locks.try_to_take("db")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_both_numbers_that_say_held(number: int, system_call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError(number, ""), None])

    def refuse_once(*_arguments: Any) -> None:
        answer = next(answers)
        if answer:
            raise answer

    monkeypatch.setattr(fcntl, system_call, refuse_once)
    time = Time()
    with held("web", time=time):
        assert time.pauses == 1


def test_a_name_that_is_no_proper_text() -> None:
    with held("\ud800"):
        pass
