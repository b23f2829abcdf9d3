# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures of this collection, each with what a user needs to act on it. Private to the collection."""

from __future__ import annotations

from typing import Any


class EciError(Exception):
    """A failure that a user, the network or the service can cause.

    ``retryable`` says whether the same request may succeed a little later. ``retry_after`` is the pause in seconds
    that the service asked for, if it did. ``after_open`` is true if an earlier attempt of the same call had an open
    outcome. ``outcome`` is what the task reached before it failed.
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        code: str | None = None,
        service_message: str | None = None,
        request_id: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.code = code
        self.service_message = service_message
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.after_open = False
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
        }


class InvalidArguments(EciError):
    """The task's arguments cannot be used; nothing was sent."""


class DriftError(EciError):
    """The existing image cache differs and the task said ``drift: fail``."""


class AmbiguousName(EciError):
    """Several image caches have the wanted name."""


class NoSuchCache(EciError):
    """There is no image cache with the wanted ID."""


class WaitFailed(EciError):
    """The image cache ended in a state that will not become the wanted one."""


class WaitTimeout(EciError):
    """The wanted state was not reached in time."""


class LockError(EciError):
    """The lock of a name cannot be had: another task holds it for too long, or there is no safe place for it."""


class Unreachable(EciError):
    """No connection came about, so the service saw no request."""

    retryable = True


class UntrustedEndpoint(EciError):
    """The endpoint's certificate was not accepted, or it does not speak TLS; the service saw no request."""


class OpenOutcome(EciError):
    """The request may or may not have been carried out."""

    retryable = True


class ServiceError(EciError):
    """The service answered that it did not do what was asked."""


class AuthenticationError(ServiceError):
    """The access key, the signature or the permission was refused."""


class NotFound(ServiceError):
    """The service does not know the object."""


class AlreadyExists(ServiceError):
    """The service has an object of that name."""


class QuotaUsedUp(ServiceError):
    """A quota is used up; trying again later does not help."""


class Throttled(ServiceError):
    """Too many requests in too short a time."""

    retryable = True
