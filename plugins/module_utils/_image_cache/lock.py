# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task at a time for one image cache name, among the tasks of one user on one machine. Private to the collection.

createImageCache knows no idempotency token, so two tasks that find a name absent at the same moment would both
create it; a play over many hosts that delegates to localhost without run_once does just that. A task for one image
cache takes its region shared and its name exclusively; a task for many takes the region exclusively.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import tempfile
import time
from typing import Callable, ContextManager, Iterator

from .._errors import LockError
from .._service.connection import Connection

TIMEOUT = 600.0
PAUSE = 0.05


def exclusive(connection: Connection, name: str) -> ContextManager[None]:
    """Hold the name of an image cache, alone. Raises LockError."""
    return held(fcntl.LOCK_EX, connection.endpoint, connection.region_id, name)


def shared(connection: Connection) -> ContextManager[None]:
    """Hold a region together with others that hold it so. Raises LockError."""
    return held(fcntl.LOCK_SH, connection.endpoint, connection.region_id)


def whole_region(connection: Connection) -> ContextManager[None]:
    """Hold a region alone. Raises LockError."""
    return held(fcntl.LOCK_EX, connection.endpoint, connection.region_id)


@contextlib.contextmanager
def held(
    kind: int,
    *parts: str,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[None]:
    """Hold the lock for what ``parts`` name together. The system releases it when the process ends, however it ends.

    Raises LockError after ``timeout`` seconds, or if there is no safe place for the lock.
    """
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    try:
        path = os.path.join(_private_directory(), name)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unusable(error) from None
    try:
        deadline = monotonic() + timeout
        while not _locked(descriptor, kind):
            if monotonic() > deadline:
                raise LockError(
                    f"Another task of this machine has been at work on {parts[-1]!r} for more than {timeout:g} s"
                    f" (lock {path}). Wait for it, or end it, and run this again."
                )
            sleep(PAUSE)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise _unusable(error) from None
    return True


def _unusable(error: OSError) -> LockError:
    return LockError(f"No lock can be made: {error}. Set TMPDIR to a folder on a local file system.")


def _private_directory() -> str:
    """A directory that only this user can have made and can write to: never a symbolic link, never shared."""
    path = os.path.join(tempfile.gettempdir(), f"ansible-ctyun.eci-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LockError(
            f"{path} is not a private directory of this user, so tasks cannot be kept apart there. Remove it or set"
            " TMPDIR to another place."
        )
    return path
