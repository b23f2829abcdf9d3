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


@contextlib.contextmanager
def held(scope: str, names: Iterable[str], clock: Clock, timeout: float, progress: Progress) -> Iterator[None]:
    """Hold these names within the context; the same name in another ``scope`` is another lock.

    Raises LockError after ``timeout`` seconds of waiting, at least SHORTEST_TIMEOUT, and MachineLimit.
    """
    try:
        path, descriptor = _open()
        try:
            os.utime(descriptor)  # keeps cleaners of temporary files away
            # in one order for all tasks, so that no two wait for each other
            began, timeout = clock.monotonic(), max(timeout, SHORTEST_TIMEOUT)
            for offset, name in sorted((_offset(scope, name), name) for name in set(names)):
                _lock(descriptor, offset, name, path, clock, began, timeout, progress)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise MachineLimit(f"{NO_FILES}, so no lock can be taken.") from None
        raise LockError(f"No lock can be taken: {error}. Set TMPDIR to a directory on a local file system.") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(
    descriptor: int, offset: int, name: str, path: str, clock: Clock, began: float, timeout: float, progress: Progress
) -> None:
    while True:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
            return
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
        if clock.monotonic() - began > timeout:
            raise LockError(
                f"Another task on this machine has been changing the image cache {name!r} for more than {timeout:g} s (lock"
                f" file {path}). Wait for it or stop it, and run this task again."
            )
        progress.report(
            lambda: f"{name}: waiting for another task on this machine, {minutes(clock.monotonic() - began)}"
        )
        clock.sleep(random.uniform(_PAUSE / 2, _PAUSE * 2))


def _offset(scope: str, name: str) -> int:
    digest = hashlib.sha256(f"{scope}\0{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def _open() -> tuple[str, int]:
    """Open the lock file of this user: a regular file of its own, never a link."""
    path = os.path.join(tempfile.gettempdir(), f"ansible-ctyun.eci-{os.getuid()}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        os.close(descriptor)
        raise LockError(f"{path} is not a regular file of this user. Remove it, or set TMPDIR to another directory.")
    return path, descriptor
