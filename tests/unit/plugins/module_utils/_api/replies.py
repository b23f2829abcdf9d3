# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies of the service, read as the client does, and the errors that they become."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from ansible_collections.ctyun.eci.plugins.module_utils._api import responses
from ansible_collections.ctyun.eci.plugins.module_utils._api.failures import failure
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply, Reply
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError

NOW = 1_750_000_000.0
REASON = "ECI.Openapi.StatusReason"
HTML = b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"


def reply(content: Any = None, status: int = 200, raw: bytes | None = b"", **headers: str) -> HttpReply:
    body = json.dumps(content).encode() if content is not None else raw
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply("describeImageCaches", "sent-id", status, CaseInsensitiveDict(fields), body)


def read(reply: HttpReply, now: float, redact: Callable[[str], str] = str) -> Reply:
    """Return the good reply that this is, or raise the error that it means."""
    good = responses.read(reply, redact)
    if good is None:
        raise failure(reply, now, redact)
    return good


def refused(*arguments: Any, now: float = NOW, **options: Any) -> EciError:
    with pytest.raises(EciError) as caught:
        read(reply(*arguments, **options), now)
    assert str(caught.value) == caught.value.message
    return caught.value
