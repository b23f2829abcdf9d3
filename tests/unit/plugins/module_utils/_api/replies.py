# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a reply as the client does."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.ctyun.eci.plugins.module_utils._api import responses
from ansible_collections.ctyun.eci.plugins.module_utils._api.failures import failure
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply, Reply


def read(reply: HttpReply, now: float, redact: Callable[[str], str] = str) -> Reply:
    """Return the good reply that this is, or raise the error that it means."""
    good = responses.read(reply, redact)
    if good is None:
        raise failure(reply, now, redact)
    return good
