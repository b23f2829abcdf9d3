# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task at a time for one image cache name, among the tasks of one user on one machine, or of all that share a folder.
Private to the collection.

createImageCache knows no idempotency token, so two tasks that find a name absent at the same moment would both
create it; a play over many hosts that delegates to localhost without run_once does just that.

All locks are bytes of one file: each name has its own, far apart, so a task may hold thousands of them with one file
open, and nothing piles up. The system releases them when the process ends, however it ends. NFS keeps them on the
server, for all of its clients.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import struct
from typing import Iterable, Iterator

from .._errors import NO_FILES, LockError, MachineLimit
from .._api.config import Connection
from .._polling import Clock
from .folder import PRIVATE, Folder, key

SHORTEST_TIMEOUT = 600.0
PAUSE = 0.05
# Asking a file server costs more, also those who do not wait.
SHARED_PAUSE = 0.25

# Locks of the open file, not of the process, where the system has them: threads are kept apart as well. The layout is
# that of struct flock on Linux: type, whence, start, length, process.
_SET_OFD_LOCK = getattr(fcntl, "F_OFD_SETLK", None)
_FLOCK = "hhqqi0q"


class Locks:
    """The locks that a task holds, see ``held``."""

    def __init__(self, connection: Connection, clock: Clock, folder: Folder = PRIVATE) -> None:
        self._connection = connection
        self._clock = clock
        self._folder = folder
        self._descriptor: int | None = None

    def take(self, names: Iterable[str], timeout: float) -> None:
        """Wait until all of these names are this task's. Raises LockError after ``timeout`` seconds, and MachineLimit."""
        deadline = self._clock.monotonic() + timeout
        # in one order for all tasks, so that no two wait for each other
        wanted = sorted((self._place(name), name) for name in set(names))
        try:
            while True:
                descriptor, path = self._folder.open("locks")
                self._descriptor = descriptor
                for place, name in wanted:
                    while not _taken(descriptor, place):
                        self._wait_for(name, path, deadline, timeout)
                if _is_the_file(descriptor, path):
                    os.utime(descriptor)  # what removes old temporary files shall not take it for one
                    return
                self.release()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise MachineLimit(f"{NO_FILES}, so no lock can be taken.") from None
            advice = "TMPDIR to a folder on a local file system"
            if self._folder.shared:
                advice = "lock_dir to a folder on a file system with locks, or leave it out"
            raise LockError(f"No lock can be made: {error}. Set {advice}.") from None

    def try_to_take(self, name: str) -> bool:
        """Take one more name if no other task has it, and it can be had."""
        try:
            return self._descriptor is not None and _taken(self._descriptor, self._place(name))
        except OSError:
            return False

    def release(self) -> None:
        """Give all of them back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _wait_for(self, name: str, path: str, deadline: float, timeout: float) -> None:
        """Give the one who has it a moment. Raises LockError after the last one."""
        pause, whose = (SHARED_PAUSE, "with this lock_dir") if self._folder.shared else (PAUSE, "of this machine")
        if self._clock.monotonic() > deadline:
            raise LockError(
                f"Another task {whose} has been at work on the image cache {name!r} for more than"
                f" {timeout:g} s (lock file {path}). Wait for it, or end it, and run this again."
            )
        self._clock.sleep(random.uniform(pause / 2, pause * 2))

    def _place(self, name: str) -> int:
        return int.from_bytes(key(self._connection, name)[:8], "big") >> 2


@contextlib.contextmanager
def held(
    connection: Connection, names: Iterable[str], clock: Clock, timeout: float, folder: Folder = PRIVATE
) -> Iterator[Locks]:
    """Hold these names of image caches, alone. The wait is no shorter than SHORTEST_TIMEOUT. Raises EciError."""
    locks = Locks(connection, clock, folder)
    try:
        locks.take(names, max(timeout, SHORTEST_TIMEOUT))
        yield locks
    finally:
        locks.release()


def _is_the_file(descriptor: int, path: str) -> bool:
    """Whether other tasks still open the same file: somebody may have removed it while this one waited."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _taken(descriptor: int, place: int) -> bool:
    try:
        if _SET_OFD_LOCK is None:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        else:
            fcntl.fcntl(descriptor, _SET_OFD_LOCK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
    except (BlockingIOError, PermissionError):  # what the system says of a lock that another has
        return False
    return True
