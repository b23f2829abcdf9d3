# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize the refusals of the gateway in front of ECI. Pure; private to the collection.

Sources: docs/wire.md. ECI does not see a request that the gateway refuses: a refusal says nothing about an image cache.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, NamedTuple

from .._errors import AuthenticationError, EciError, QuotaUsedUp, ServiceError, Unanswered

_PREFIXES = ("CTAPI_", "CTIAM_")


class Refusal(NamedTuple):
    """The meaning of a code, and what to do about it."""

    kind: type[EciError]
    advice: str


_KEY = Refusal(AuthenticationError, "Check access_key and secret_key: the gateway does not know this access key.")
_SIGNATURE = Refusal(
    AuthenticationError,
    "Check that access_key and secret_key belong together and are complete, and the clock of this machine.",
)
_ADDRESS = Refusal(
    AuthenticationError,
    "The account lists the IP addresses that may call its API: add the address of this machine, or of its proxy.",
)
_NOT_OPENED = Refusal(ServiceError, "Open the service ECI for this account in the console of CTYun.")
_UNKNOWN = Refusal(ServiceError, "Check endpoint: the gateway there knows no such operation of ECI.")

CODES = {
    "10000": _UNKNOWN,
    "10002": _KEY,
    "10009": _SIGNATURE,
    "10020": _SIGNATURE,
    "40002": _SIGNATURE,
    "40006": _SIGNATURE,
    "40008": _UNKNOWN,
    "40009": _ADDRESS,
    "40010": _ADDRESS,
    "50000": Refusal(Unanswered, ""),
    "50001": _NOT_OPENED,
    "50002": _NOT_OPENED,
    "50003": _UNKNOWN,
    "51001": Refusal(ServiceError, "The service has expired for this account: renew it in the console of CTYun."),
    "51002": Refusal(ServiceError, "Buy the use of this API first, in the console of CTYun."),
    "51003": Refusal(QuotaUsedUp, "The calls that the account may make are used up."),
}


def is_gateway(envelope: Mapping[str, Any], code: str) -> bool:
    """Return whether a failure is the gateway's: its codes are numbers, those of ECI have three segments."""
    return bool(envelope.get("eopErrCode")) or code.startswith(_PREFIXES) or re.fullmatch("[0-9]+", code) is not None


def refusal(code: str) -> Refusal | None:
    """Return the meaning of a code of the gateway, with or without its prefix; None if it is not documented."""
    return CODES.get(code[len("CTAPI_") :] if code.startswith("CTAPI_") else code)
