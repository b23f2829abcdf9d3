# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that say where the next page of a list begins."""

from __future__ import annotations

from .errors import ServiceError


def token(now: float, total: int, offset: int) -> str:
    return f"{int(now)}.{total}.{offset}"


def offset(token: str) -> int:
    if not token:
        return 0
    parts = token.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ServiceError("Invalid", "nextToken: not a token of this service")
    return int(parts[2])
