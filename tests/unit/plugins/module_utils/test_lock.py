# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task at a time for one name, among the processes of one user."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._errors import Cancelled, LockError, MachineLimit
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Progress

ROOT = Path(__file__).parents[4]
CHILD = """
import os, signal, subprocess, sys
sys.path.insert(0, {root!r})
import conftest
from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Progress
def held(*names, clock=Clock()):
    return _lock.held({scope!r}, names, clock, 1.0, Progress(clock, None))
"""
HOLD = CHILD + "with held(*{names!r}): print('held', flush=True); sys.stdin.read()"
HOLD_AND_DIE = (
    CHILD + "with held('web'): subprocess.Popen(['cat'], close_fds=False); os.kill(os.getpid(), signal.SIGKILL)"
)
COUNT = f"""{CHILD}
for _time in range(20):
    with held('counter', clock=Clock(sleep=lambda _: os.sched_yield())):
        number = int(open({{counter!r}}).read())
        os.sched_yield()
        open({{counter!r}}, 'w').write(str(number + 1))
"""


class Time:
    """A clock that only sleeping moves; ``then`` happens at the first pause."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        self.now = 50.0
        self.pauses: list[float] = []
        self.then = then

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        assert len(self.pauses) < 100_000
        if len(self.pauses) == 1:
            self.then()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock file, which does not exist yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"ansible-ctyun.eci-{os.getuid()}.lock"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    with ExitStack() as stack:

        def begin(code: str, *names: str, scope: str = "s1") -> subprocess.Popen[str]:
            text = code.format(root=str(ROOT), counter=str(tmp_path / "counter"), names=names, scope=scope)
            process = subprocess.Popen(
                [sys.executable, "-c", text],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "TMPDIR": str(tmp_path)},
                cwd=ROOT,
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def elsewhere(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., AbstractContextManager[None]]:
    """Hold names in another process."""

    @contextmanager
    def elsewhere(*names: str, scope: str = "s1") -> Iterator[None]:
        process = start(HOLD, *names, scope=scope)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate("", timeout=30)

    return elsewhere


def held(
    *names: str, scope: str = "s1", timeout: float = 1.0, time: Time | None = None, lines: list[str] | None = None
) -> AbstractContextManager[None]:
    time = time or Time()
    clock = Clock(time.sleep, time.monotonic)
    return _lock.held(scope, names, clock, timeout, Progress(clock, None if lines is None else lines.append))


def is_free(name: str, scope: str = "s1") -> bool:
    try:
        with held(name, scope=scope):
            return True
    except LockError:
        return False


def open_files(file: Path) -> int:
    """How often this process has the file open."""
    links = [Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd")]
    return sum(str(link.readlink()).startswith(str(file)) for link in links if link.is_symlink())


def test_names_are_held_by_one_at_a_time(elsewhere: Callable[..., AbstractContextManager[None]]) -> None:
    with elsewhere("web", "db"):
        assert not is_free("web")
        assert not is_free("db")
        assert is_free("other")
        assert is_free("web", scope="s2")
    assert is_free("web")


def test_a_thousand_names_take_one_open_file(file: Path) -> None:
    with held(*[f"cache-{number}" for number in range(1000)]):
        assert open_files(file) == 1
    assert open_files(file) == 0
    assert file.read_bytes() == b""


def test_a_lock_is_released_by_an_error(file: Path) -> None:
    with pytest.raises(LookupError), held("web"):
        raise LookupError
    assert open_files(file) == 0


@pytest.mark.parametrize(("timeout", "expected"), [(0.0, 600.0), (1800.0, 1800.0)])
def test_the_wait_ends_and_says_that_it_waits(
    timeout: float, expected: float, file: Path, elsewhere: Callable[..., AbstractContextManager[None]]
) -> None:
    time, lines = Time(), []
    with elsewhere("web"), pytest.raises(LockError) as caught, held("web", timeout=timeout, time=time, lines=lines):
        pytest.fail("both hold it")
    assert expected < time.now - 50 < expected + 1
    assert min(time.pauses) < 0.03 < 0.08 < max(time.pauses)  # tasks that wait do not all ask at once
    assert f"the image cache 'web' for more than {expected:g} s" in caught.value.message
    assert str(file) in caught.value.message
    assert lines[0] == "web: waiting for another task on this machine, 0:10"
    assert len(lines) == expected // 30
    assert open_files(file) == 0


def test_a_cancelled_task_does_not_wait(elsewhere: Callable[..., AbstractContextManager[None]]) -> None:
    def cancel() -> None:
        raise Cancelled("The task was ended.")

    with elsewhere("web"), pytest.raises(Cancelled), held("web", time=Time(cancel)):
        pytest.fail("both hold it")


def test_a_free_lock_takes_no_time() -> None:
    time = Time()
    with held("web", "web", time=time):
        assert time.pauses == []


def test_the_file_is_kept_fresh(file: Path) -> None:
    with held("web"):
        pass
    os.utime(file, (0, 0))
    with held("web"):
        assert file.stat().st_mtime > 1_000_000_000
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_the_lock_of_a_process_ends_with_it(end: signal.Signals, start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start(HOLD, "web")
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert not is_free("web")
    process.send_signal(end)
    process.wait(30)
    assert is_free("web")


def test_a_child_that_outlives_the_process_holds_nothing(start: Callable[..., subprocess.Popen[str]]) -> None:
    assert start(HOLD_AND_DIE).wait(30) == -signal.SIGKILL
    assert is_free("web")


def test_processes_that_count_together(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    (tmp_path / "counter").write_text("0")
    assert [process.wait(60) for process in [start(COUNT) for _number in range(4)]] == [0] * 4
    assert (tmp_path / "counter").read_text() == "80"


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_what_is_no_file_of_this_user_is_refused(kind: str, file: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    if kind == "link":
        file.symlink_to(tmp_path / "target")
    elif kind == "directory":
        file.mkdir()
    else:
        os.mkfifo(file)
    with pytest.raises(LockError, match="TMPDIR"), held("web"):
        pytest.fail("it is held")
    assert (tmp_path / "target").read_text() == "theirs"


def test_a_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.touch()
    uid = os.getuid()
    users = iter([uid, uid + 1])
    monkeypatch.setattr(os, "getuid", lambda: next(users))
    with pytest.raises(LockError, match="is not a regular file of this user"), held("web"):
        pytest.fail("it is held")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EMFILE, MachineLimit), (errno.ENFILE, MachineLimit), (errno.ENOLCK, LockError)]
)
def test_what_the_system_refuses(number: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(*((_lock.fcntl, "lockf") if number == errno.ENOLCK else (_lock.os, "open")), refuse)
    with pytest.raises(kind), held("web"):
        pytest.fail("it is held")
