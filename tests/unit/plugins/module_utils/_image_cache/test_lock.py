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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import LockError
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
from ansible_collections.ctyun.eci.plugins.module_utils._service.connection import Connection

ROOT = Path(__file__).parents[5]
EX, SH = fcntl.LOCK_EX, fcntl.LOCK_SH


class Time:
    """A clock that only sleeping moves; ``then`` happens after the first pause."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        self.now = 50.0
        self.pauses = 0
        self.then = then

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.pauses += 1
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


def held(
    kind: int, *parts: str, timeout: float = 1.0, time: Time | None = None
) -> AbstractContextManager[None]:  # fmt: skip
    time = time or Time()
    return lock.held(kind, *parts, timeout=timeout, sleep=time.sleep, monotonic=time.monotonic)


def is_free(kind: int, *parts: str) -> bool:
    try:
        with held(kind, *parts, timeout=0.0):
            return True
    except LockError:
        return False


def test_a_lock_is_held_by_one_at_a_time() -> None:
    with held(EX, "endpoint", "region", "web"):
        assert not is_free(EX, "endpoint", "region", "web")
        assert not is_free(SH, "endpoint", "region", "web")
    assert is_free(EX, "endpoint", "region", "web")


def test_a_lock_can_be_shared() -> None:
    with held(SH, "endpoint", "region"), held(SH, "endpoint", "region"):
        assert not is_free(EX, "endpoint", "region")
    assert is_free(EX, "endpoint", "region")


@pytest.mark.parametrize(
    "other",
    [("e", "r", "web-2"), ("e", "r2", "web"), ("e2", "r", "web"), ("e", "r"), ("er", "web"), ("e", "", "rweb")],
)
def test_what_has_another_name_is_another_lock(other: tuple[str, ...]) -> None:
    with held(EX, "e", "r", "web"):
        assert is_free(EX, *other)


def test_a_lock_is_released_by_an_error() -> None:
    with pytest.raises(LookupError), held(EX, "web"):
        raise LookupError
    assert is_free(EX, "web")


def test_a_lock_that_could_not_be_had_leaves_no_file_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with held(EX, "web"):
        assert not is_free(EX, "web")
        assert len(os.listdir("/proc/self/fd")) == before + 1
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("timeout", [0.0, 1.0, 600.0])
def test_the_wait_has_an_end(timeout: float, folder: Path) -> None:
    time = Time()
    with held(EX, "endpoint", "web"):
        with pytest.raises(LockError) as caught, held(EX, "endpoint", "web", timeout=timeout, time=time):
            pytest.fail("both hold it")
    assert timeout < time.now - 50 < timeout + 2 * lock.PAUSE
    text = caught.value.message
    assert f"at work on 'web' for more than {timeout:g} s" in text
    assert str(folder) in text


def test_a_lock_that_becomes_free_is_taken() -> None:
    with ExitStack() as other:
        other.enter_context(held(EX, "web"))
        time = Time(then=other.close)
        with held(EX, "web", timeout=60, time=time):
            assert time.pauses == 1
            assert not is_free(EX, "web")


def test_a_free_lock_takes_no_time() -> None:
    time = Time()
    with held(EX, "web", time=time):
        assert time.pauses == 0


# --- which locks a task takes


def connection(endpoint: str = "https://h.example", region_id: str = "r1") -> Connection:
    return Connection("ak", "sk", region_id, endpoint, True, 1.0, 0, 1.0)


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for what the tests below expect to be taken."""
    defaults = dict(lock.held.__wrapped__.__kwdefaults__ or {})  # type: ignore[attr-defined]
    defaults.update(timeout=0.0, monotonic=iter(range(9999)).__next__)
    monkeypatch.setattr(lock.held.__wrapped__, "__kwdefaults__", defaults)  # type: ignore[attr-defined]


def taken(lock: AbstractContextManager[None]) -> bool:
    try:
        with lock:
            return False
    except LockError:
        return True


@pytest.mark.usefixtures("_at_once")
def test_one_task_for_one_name() -> None:
    with lock.shared(connection()), lock.exclusive(connection(), "web"):
        assert taken(lock.exclusive(connection(), "web"))
        assert taken(lock.whole_region(connection()))
        assert not taken(lock.shared(connection()))
        assert not taken(lock.exclusive(connection(), "db"))
        assert not taken(lock.exclusive(connection(region_id="r2"), "web"))
        assert not taken(lock.exclusive(connection(endpoint="https://h2.example"), "web"))


@pytest.mark.usefixtures("_at_once")
def test_one_task_for_many_names() -> None:
    with lock.whole_region(connection()):
        assert taken(lock.shared(connection()))
        assert taken(lock.whole_region(connection()))
        assert not taken(lock.shared(connection(region_id="r2")))


def test_a_region_is_not_a_name() -> None:
    with held(EX, "https://h.example", "r1", ""):
        assert is_free(EX, "https://h.example", "r1")


# --- other processes

CHILD = """
import sys
sys.path.insert(0, {root!r})
import conftest
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import lock
"""
HOLD = (
    CHILD
    + """
with lock.held(lock.fcntl.LOCK_EX, "web"):
    print("held", flush=True)
    sys.stdin.read()
"""
)
HOLD_WITH_CHILD = (
    CHILD
    + """
import os, signal, subprocess
with lock.held(lock.fcntl.LOCK_EX, "web"):
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
    with lock.held(lock.fcntl.LOCK_EX, "counter", sleep=lambda _: next(spins) and os.sched_yield()):
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
    assert not is_free(EX, "web")
    assert is_free(EX, "db")
    if end:
        process.send_signal(end)
        process.wait(30)
    else:
        process.communicate("", timeout=30)
        assert process.returncode == 0
    assert is_free(EX, "web")


def test_a_child_of_the_holder_does_not_keep_the_lock(start: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start(HOLD_WITH_CHILD)
    assert process.wait(30) == -signal.SIGKILL
    # its "cat" still waits on the standard input that it inherited
    assert is_free(EX, "web")


def test_processes_count_together(start: Callable[[str], subprocess.Popen[str]], tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    processes = [start(COUNT) for _number in range(3)]
    for process in processes:
        assert process.wait(60) == 0
    assert (tmp_path / "counter").read_text() == "60"


# --- a place that is not safe


def test_the_folder_is_private_and_the_files_have_no_names(folder: Path) -> None:
    with held(EX, "endpoint", "region", "secret-project"):
        (file,) = folder.iterdir()
        assert "secret" not in file.name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with held(EX, "other"):
        assert len(list(folder.iterdir())) == 2


def test_a_folder_from_before_is_used_again(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with held(EX, "web"):
        assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_enter_is_refused(mode: int, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(LockError, match="is not a private directory of this user") as caught, held(EX, "web"):
        pytest.fail("held")
    assert str(folder) in caught.value.message
    assert "TMPDIR" in caught.value.message
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o700)
    folder.symlink_to(target)
    with pytest.raises(LockError, match="is not a private directory"), held(EX, "web"):
        pytest.fail("held")
    assert list(target.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(LockError, match="is not a private directory"), held(EX, "web"):
        pytest.fail("held")


def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    other = SimpleNamespace(st_mode=folder.stat().st_mode, st_uid=os.getuid() + 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lambda _path: other)
        with pytest.raises(LockError, match="is not a private directory"), held(EX, "web"):
            pytest.fail("held")


def test_a_lock_file_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    with held(EX, "web"):
        (file,) = folder.iterdir()
    file.unlink()
    target = tmp_path / "precious"
    file.symlink_to(target)
    with pytest.raises(LockError, match="Set TMPDIR"), held(EX, "web"):
        pytest.fail("held")
    assert not target.exists()


def test_a_place_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(LockError, match="No such file or directory"), held(EX, "web"):
        pytest.fail("held")


def test_a_machine_without_any_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(LockError, match="No usable temporary directory"), held(EX, "web"):
        pytest.fail("held")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _kind: int) -> None:
        raise OSError(number, os.strerror(number))

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(LockError), held(EX, "web"):
        pytest.fail("held")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_both_numbers_that_say_held(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError(number, ""), None])

    def refuse_once(_descriptor: int, _kind: int) -> None:
        answer = next(answers)
        if answer:
            raise answer

    monkeypatch.setattr(fcntl, "flock", refuse_once)
    time = Time()
    with held(EX, "web", time=time):
        assert time.pauses == 1


def test_a_name_that_is_no_proper_text() -> None:
    with held(EX, "endpoint", "\ud800"):
        pass
