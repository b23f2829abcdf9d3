# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that say where the next page of a list begins."""

from __future__ import annotations

import base64
import binascii

from .errors import ServiceError


def token(now: float, total: int, offset: int, form: str) -> str:
    text = f"{int(now)}.{total}.{offset}"
    return base64.urlsafe_b64encode(text.encode()).decode() if form == "opaque" else text


def offset(token: str) -> int:
    """Of a token in any form."""
    if not token:
        return 0
    if "." not in token:
        try:
            token = base64.urlsafe_b64decode(token.encode()).decode("ascii")
        except (binascii.Error, UnicodeError):
            token = ""
    parts = token.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ServiceError("Invalid", "nextToken: not a token of this service")
    return int(parts[2])
