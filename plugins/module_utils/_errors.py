# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of this collection. Private to the collection."""

from __future__ import annotations

import os
import traceback
from typing import Callable, TypedDict

from ._text import printable

# Limits of the machine.
NO_FILES = "Too many open files (see ulimit -n)"
NO_MEMORY = "Out of memory (see ulimit -v)."

# Whether a failed request can have taken effect. NONE needs proof: the connection was certainly not made, or ECI itself
# refused the request. Everything else is POSSIBLE.
NONE = "none"
POSSIBLE = "possible"


class Failure(TypedDict):
    """The ``failure`` of a result. ``http_status`` and ``request_id`` are null where no reply came."""

    code: str | None
    message: str
    request_id: str | None
    http_status: int | None
    operation: str | None
    effect: str
    attempts: int


class EciError(Exception):
    """A failure that a user, the network or the service can cause.

    ``effect`` is NONE or POSSIBLE, for all attempts of the call together; a read has none. ``retryable`` says whether the
    same request may succeed later; ``retry_after`` is the pause (s) that the service asked for. ``attempts`` counts the
    requests that were sent.
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
        self.message = printable(message, keep="\n")
        self.effect = effect
        self.operation = operation
        self.code = code
        self.service_message = service_message
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.attempts = 0

    def __str__(self) -> str:
        return self.message

    def add(self, hint: str) -> None:
        """Append a cause or an advice to the message."""
        self.message = f"{self.message} {printable(hint)}"

    def failure(self) -> Failure:
        """The ``failure`` of a result, always with the same keys. ``message`` is the service's own where there is one."""
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
    """Arguments cannot be used; nothing was sent."""


class StateConflict(EciError):
    """What exists does not allow what the task asks for."""


class WaitFailed(EciError):
    """The wanted state was not reached: not in time, or it cannot follow from the current one."""


class LockError(EciError):
    """The lock of a name cannot be taken."""


class MachineLimit(EciError):
    """A limit of this machine is reached, for example that of open files."""


class InternalError(EciError):
    """A bug in this collection."""


class Cancelled(EciError):
    """The task was stopped before it finished."""


class Unreachable(EciError):
    """No connection was made, so the service saw no request."""

    retryable = True


class UntrustedEndpoint(EciError):
    """The certificate of the endpoint was not accepted, so the service saw no request."""


class Unanswered(EciError):
    """The reply does not say how the request ended, or there is none."""

    retryable = True


class ServiceError(EciError):
    """The service refused the request."""


class AuthenticationError(ServiceError):
    """The access key, the signature or the permission was refused."""


class NotFound(ServiceError):
    """ECI does not know the object."""


class AlreadyExists(ServiceError):
    """ECI has an object of that name, or one in conflict with the request."""


class QuotaUsedUp(ServiceError):
    """A quota is used up; a later attempt does not help."""


class Throttled(ServiceError):
    """Too many requests in too short a time."""

    retryable = True


def internal_error(error: Exception, redact: Callable[[str], str] = str) -> EciError:
    """Wrap an unexpected exception. What was sent before it may have taken effect."""
    if isinstance(error, MemoryError):
        return MachineLimit(NO_MEMORY, effect=POSSIBLE)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""
    text = f"Internal error: {type(error).__name__}{where}: {redact(str(error))}."
    return InternalError(f"{text} This is a bug in this collection; please report it.", effect=POSSIBLE)
