# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures of this collection, each with what a user needs to act on it. Private to the collection."""

from __future__ import annotations

import os
import traceback
from typing import Any, Callable

# What a machine may run out of.
NO_FILES = "This process may open no more files (see ulimit -n)"
NO_MEMORY = "This process may use no more memory (see ulimit -v)."

# Whether the request that failed can have taken effect. "None" has to be known: from where in its way a request broke
# off, or from the words of ECI itself. All else is "possible".
NONE = "none"
POSSIBLE = "possible"


class EciError(Exception):
    """A failure that a user, the network or the service can cause.

    ``effect`` is NONE or POSSIBLE, of all attempts of the call together; a read has none. ``retryable`` says whether
    the same request may succeed a little later; ``retry_after`` is the pause in seconds that the service asked for, if
    it did. ``attempts`` tells how many were made. ``outcome`` is what the task reached before it failed.
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        effect: str = NONE,
        operation: str | None = None,
        code: str | None = None,
        service_message: str | None = None,
        request_id: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.effect = effect
        self.operation = operation
        self.code = code
        self.service_message = service_message
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.attempts = 1
        self.outcome: Any = None

    def __str__(self) -> str:
        return self.message

    def add(self, hint: str) -> None:
        """Append what was found out about the cause, or what to do next."""
        self.message = f"{self.message} {hint}"

    def failure(self) -> dict[str, Any]:
        """The ``failure`` of a task's result: the same keys always, null where there is nothing to say."""
        return {
            "code": self.code,
            "message": self.service_message or self.message,
            "request_id": self.request_id,
            "http_status": self.http_status,
            "operation": self.operation,
            "effect": self.effect,
            "attempts": self.attempts,
        }


class InvalidArguments(EciError):
    """The task's arguments cannot be used; nothing was sent."""


class DriftError(EciError):
    """The existing image cache differs and the task said ``drift: fail``."""


class AmbiguousName(EciError):
    """Several image caches have the wanted name, or the service lists one that may have it."""


class NoSuchCache(EciError):
    """There is no image cache with the wanted ID, or the one that has it is not the one the task describes."""


class Irreplaceable(EciError):
    """An image cache cannot be replaced, since a new one could not be made; nothing was deleted."""


class PreflightFailed(EciError):
    """What is to be ordered would not come about, and the task said ``preflight: fail``; nothing was changed."""


class ContentUnknown(EciError):
    """It is not known what is in an image, and so which generation is wanted; nothing was changed."""


class WaitFailed(EciError):
    """The image cache ended in a state that will not become the wanted one."""


class Vanished(WaitFailed):
    """The image cache that was waited for is gone."""


class WaitTimeout(EciError):
    """The wanted state was not reached in time."""


class LockError(EciError):
    """The lock of a name cannot be had: another task holds it for too long, or there is no safe place for it."""


class MachineLimit(EciError):
    """A limit of this machine is reached, such as that of open files."""


class Unexpected(EciError):
    """An error that nobody reckoned with: a mistake of this collection."""


class TaskEnded(EciError):
    """Somebody ended the task before it was done."""


class Unreachable(EciError):
    """No connection came about, so the service saw no request."""

    retryable = True


class UntrustedEndpoint(EciError):
    """The endpoint's certificate was not accepted, or it does not speak TLS; the service saw no request."""


class Unanswered(EciError):
    """There is no reply that says how the request ended."""

    retryable = True


class ServiceError(EciError):
    """The service answered that it did not do what was asked."""


class AuthenticationError(ServiceError):
    """The access key, the signature or the permission was refused."""


class NotFound(ServiceError):
    """ECI does not know the object."""


class AlreadyExists(ServiceError):
    """ECI has an object of that name, or one that is in the way."""


class QuotaUsedUp(ServiceError):
    """A quota is used up; trying again later does not help."""


class Throttled(ServiceError):
    """Too many requests in too short a time."""

    retryable = True


def unexpected(error: Exception, hide: Callable[[str], str] = str) -> EciError:
    """The error for one that is none of these; whatever was sent before it may have taken effect. ``hide`` takes secrets out
    of its text.
    """
    if isinstance(error, MemoryError):
        return MachineLimit(NO_MEMORY, effect=POSSIBLE)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""
    text = f"Unexpected {type(error).__name__}{where}: {hide(str(error))}."
    return Unexpected(f"{text} That is a mistake of this collection; please report it.", effect=POSSIBLE)
