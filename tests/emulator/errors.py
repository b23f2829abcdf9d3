# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reasons for which the service refuses a request."""

from __future__ import annotations

HTTP_STATUS = {
    "AlreadyExists": 409,
    "BadRequest": 400,
    "Conflict": 409,
    "Forbidden": 403,
    "Gone": 410,
    "InternalError": 500,
    "Invalid": 422,
    "MethodNotAllowed": 405,
    "NotFound": 404,
    "QuotaExceed": 429,
    "RequestTimeout": 408,
    "ServiceUnavailable": 503,
    "Timeout": 504,
    "TooManyRequests": 429,
    "Unauthorized": 401,
}


class ServiceError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.reason]

    def envelope(self) -> dict[str, object]:
        return envelope(self.http_status, self.reason, self.message)


def envelope(code: int, reason: str, message: str) -> dict[str, object]:
    return {"statusCode": code, "error": f"ECI.Openapi.StatusReason{reason}", "message": message}


def reason_for(status: int) -> str:
    """A plausible reason for a bare HTTP status."""
    return {code: reason for reason, code in HTTP_STATUS.items()}.get(status, "Unknown")
