# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task at a time for one name, among the tasks of one user on one machine. Private to the collection.

createImageCache has no idempotency token, so two tasks that find a name absent at the same moment would both create it; a play
over many hosts that delegates to localhost without run_once does just that. Each name is one byte of one file, so a task for
thousands of names holds one file open. The system releases the locks when the process ends. Nothing is written to the file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import random
import stat
import tempfile
from typing import Iterable, Iterator

from ._errors import NO_FILES, LockError, MachineLimit
from ._polling import Clock, Progress, minutes

# Seconds that a task waits at least for another one, even with a shorter wait_timeout.
SHORTEST_TIMEOUT = 600.0
_PAUSE = 0.05


class Locks:
    """The locks that a task holds. The same name in another ``scope`` is another lock."""

    def __init__(self, scope: str, clock: Clock, progress: Progress) -> None:
        self._scope = scope
        self._clock = clock
        self._progress = progress
        self._descriptor: int | None = None

    def acquire(self, names: Iterable[str], timeout: float) -> None:
        """Wait until this task holds all names. Raises LockError after ``timeout`` seconds, and MachineLimit."""
        began = self._clock.monotonic()
        # in one order for all tasks, so that no two wait for each other
        wanted = sorted((self._offset(name), name) for name in set(names))
        try:
            while True:
                path, self._descriptor = _open()
                for offset, name in wanted:
                    while not _try_lock(self._descriptor, offset):
                        self._wait(name, path, self._clock.monotonic() - began, timeout)
                if _is_current(path, self._descriptor):
                    os.utime(self._descriptor)  # keeps cleaners of temporary files away
                    return
                self.release()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise MachineLimit(f"{NO_FILES}, so no lock can be taken.") from None
            raise LockError(
                f"No lock can be taken: {error}. Set TMPDIR to a directory on a local file system."
            ) from None

    def try_acquire(self, name: str) -> bool:
        """Take one more name if no other task holds it."""
        try:
            return self._descriptor is not None and _try_lock(self._descriptor, self._offset(name))
        except OSError:
            return False

    def release(self) -> None:
        """Release all names."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _wait(self, name: str, path: str, waited: float, timeout: float) -> None:
        if waited > timeout:
            raise LockError(
                f"Another task of this machine has been changing the image cache {name!r} for more than {timeout:g} s (lock"
                f" file {path}). Wait for it, or end it, and run this task again."
            )
        self._progress.say(lambda: f"{name}: waiting for another task of this machine, {minutes(waited)}")
        self._clock.sleep(random.uniform(_PAUSE / 2, _PAUSE * 2))

    def _offset(self, name: str) -> int:
        digest = hashlib.sha256(f"{self._scope}\0{name}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") >> 2


@contextlib.contextmanager
def held(scope: str, names: Iterable[str], clock: Clock, timeout: float, progress: Progress) -> Iterator[Locks]:
    """Hold these names within the context; the timeout is at least SHORTEST_TIMEOUT. Raises EciError."""
    locks = Locks(scope, clock, progress)
    try:
        locks.acquire(names, max(timeout, SHORTEST_TIMEOUT))
        yield locks
    finally:
        locks.release()


def _open() -> tuple[str, int]:
    """Open the lock file of this user: a regular file of its own, never a link."""
    path = os.path.join(tempfile.gettempdir(), f"ansible-ctyun.eci-{os.getuid()}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        os.close(descriptor)
        raise LockError(f"{path} is not a regular file of this user. Remove it, or set TMPDIR to another directory.")
    return path, descriptor


def _is_current(path: str, descriptor: int) -> bool:
    """Return False if somebody removed the file while this task waited, so that other tasks open another one."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _try_lock(descriptor: int, offset: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True
