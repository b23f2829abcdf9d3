# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign requests for CTYun's EOP gateway. Private to the collection.

Source: CTYun's documents and SDKs, see docs/api_notes.md. ``Eop-date`` is Beijing time although it ends in Z; it is computed
from UTC, so the time zone of the machine does not matter.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import time
import uuid
from urllib.parse import parse_qsl, quote

BEIJING_OFFSET = 8 * 3600
SIGNED_HEADERS = "ctyun-eop-request-id;eop-date"


def signed_headers(access_key: str, secret_key: str, now: float, query: str, body: bytes) -> dict[str, str]:
    """Return the headers that authenticate one request: a new request ID, the date and the signature."""
    request_id = str(uuid.uuid4())
    date = eop_date(now)
    value = signature(access_key, secret_key, request_id, date, query, body)
    return {
        "ctyun-eop-request-id": request_id,
        "Eop-date": date,
        "Eop-Authorization": f"{access_key} Headers={SIGNED_HEADERS} Signature={value}",
    }


def eop_date(now: float) -> str:
    """Return the value of ``Eop-date`` for a time in seconds since the epoch."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now + BEIJING_OFFSET))


def signature(access_key: str, secret_key: str, request_id: str, date: str, query: str, body: bytes) -> str:
    """Return the base64 signature of one request.

    ``date`` is the value of ``Eop-date``, ``query`` the query string as sent (without the question mark), ``body`` the
    exact bytes of the body.
    """
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    canonical_query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    text = (
        f"ctyun-eop-request-id:{request_id}\neop-date:{date}\n\n{canonical_query}\n{hashlib.sha256(body).hexdigest()}"
    )
    return base64.b64encode(_hmac(_key(access_key, secret_key, date), text)).decode()


@functools.lru_cache(maxsize=1)  # the key is that of a second, and many requests are signed in one
def _key(access_key: str, secret_key: str, date: str) -> bytes:
    key = _hmac(secret_key.encode(), date)
    key = _hmac(key, access_key)
    return _hmac(key, date[:8])


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
