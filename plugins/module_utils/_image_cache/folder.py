# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder for what tasks tell each other: that of a user on one machine, or one that a task names, which machines can
share. Private to the collection.

Whoever can write to a shared folder is trusted with that: he can keep a name busy, and say which tags an image cache had
or how the service writes a value. So nobody may write to it but this user, root, and the members of a group that this
user is in. Nobody is trusted with more: no link in it is followed, nothing that is no plain file is read, and no file is
written to that is there already, but for the one of the locks, which stays empty.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import tempfile
from typing import Any, NamedTuple

from .._errors import LockError
from .._api.config import Connection

# More than any file here has, in bytes.
LARGEST = 1 << 20

# how the names of files end that are of no use to anybody after a while
MARK = ".mark"
PARTIAL = ".partial"


class Place(NamedTuple):
    """A folder that is safe to use, and how files are made in it: for a group, or with None for this user alone."""

    path: str
    group: int | None = None


class Folder:
    """The private folder of this user under the temporary directory, or the ``shared`` one."""

    def __init__(self, shared: str | None = None) -> None:
        self.shared = shared

    @classmethod
    def at(cls, path: str | None) -> Folder:
        """The folder that a task names, if it names any, else the private one. Raises LockError if it is not to be used."""
        folder = cls(path)
        if folder.shared:
            try:
                folder.look()
            except OSError as error:
                raise _unusable(folder.shared, str(error.strerror)) from None
        return folder

    def look(self) -> Place:
        """The folder, once it is seen to be safe; the private one is made if it is not there. Raises LockError, OSError."""
        return _shared(self.shared) if self.shared else Place(_private())

    def open(self, name: str) -> tuple[int, str]:
        """Open a file that is there for its locks. Returns its descriptor and its path. Raises LockError, OSError."""
        place = self.look()
        path = os.path.join(place.path, name)
        if place.group is None:
            return _opened(path, os.O_RDWR | os.O_CREAT), path
        try:
            return _opened(path, os.O_RDWR), path
        except FileNotFoundError:
            # it gets its name once the others of the group can open it
            partial = _made(place, name)
            with contextlib.suppress(FileExistsError):
                os.link(partial, path)
            os.unlink(partial)
            return _opened(path, os.O_RDWR), path

    def read(self, name: str) -> Any:
        """The value of a JSON file, None if there is none that can be read."""
        try:
            with open(_opened(os.path.join(self.look().path, name), os.O_RDONLY), "rb") as file:
                return json.loads(file.read(LARGEST))
        except (OSError, LockError, ValueError, RecursionError):
            return None

    def write(self, name: str, value: Any, now: float | None = None) -> None:
        """Write a JSON file as of ``now``, so that others see all of it or nothing; what cannot be written is left."""
        with contextlib.suppress(OSError, LockError):
            place = self.look()
            partial = _made(place, name, json.dumps(value))
            if now is not None:
                os.utime(partial, (now, now))
            os.replace(partial, os.path.join(place.path, name))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError, LockError):
            os.unlink(os.path.join(self.look().path, name))

    def clear(self, before: float) -> None:
        """Remove marks from before that time, and files that a task was about to write when it was killed."""
        with contextlib.suppress(OSError, LockError), os.scandir(self.look().path) as entries:
            for entry in entries:
                if entry.name.endswith((MARK, PARTIAL)):
                    with contextlib.suppress(OSError):  # another task may do the same
                        if entry.stat(follow_symlinks=False).st_mtime < before:
                            os.unlink(entry.path)


PRIVATE = Folder()


def key(connection: Connection, *parts: str) -> bytes:
    """A name for what belongs to a region of an endpoint, the same in every task."""
    text = "\0".join((connection.endpoint, connection.region_id, *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _private() -> str:
    """A folder that only this user can have made and can write to: never a symbolic link, never shared."""
    folder = os.path.join(tempfile.gettempdir(), f"ansible-ctyun.eci-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LockError(
            f"{folder} is not a private directory of this user, so tasks cannot be kept apart there. Remove it or set"
            " TMPDIR to another place."
        )
    return folder


def _shared(path: str) -> Place:
    if not os.path.isabs(path):
        raise _unusable(path, "it is no absolute path, and tasks run in various directories")
    found = os.stat(path)
    grouped = bool(found.st_mode & stat.S_IWGRP)
    is_member = found.st_gid in (os.getegid(), *os.getgroups())
    if not stat.S_ISDIR(found.st_mode):
        why = "it is no directory"
    elif found.st_mode & stat.S_IWOTH:
        why = "everybody may write to it"
    elif grouped and not is_member:
        why = "a group may write to it that this user is not in"
    elif found.st_uid not in (os.geteuid(), 0) and not grouped:
        why = "it belongs to another user"
    elif grouped and found.st_mode & stat.S_ISVTX:
        why = "its sticky bit keeps the members of its group from removing each other's files"
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        why = "this user cannot write to it"
    else:
        return Place(path, found.st_gid if grouped else None)
    raise _unusable(path, why)


def _unusable(path: str, why: str) -> LockError:
    return LockError(
        f"lock_dir {path!r} cannot be used: {why}. Name a directory that belongs to this user or to root, or that a group"
        " of this user may write to, and that nobody else may write to; or leave lock_dir out."
    )


def _made(place: Place, name: str, text: str = "") -> str:
    """Make a file under a name that nobody else has, which begins with this one. Returns its path."""
    path = os.path.join(place.path, f"{name}.{os.urandom(8).hex()}{PARTIAL}")
    descriptor = _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            if place.group is not None:
                if os.fstat(descriptor).st_gid != place.group:
                    os.fchown(descriptor, -1, place.group)
                os.fchmod(descriptor, 0o660)
            file.write(text)
    except OSError:
        os.unlink(path)
        raise
    return path


def _opened(path: str, flags: int) -> int:
    """Open a plain file; whoever put something else in its place shall not have it followed, nor waited for."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is no plain file", path)
    return descriptor
