# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others wrote, made fit for a message. Private to the collection."""

from __future__ import annotations

from typing import Callable

Hide = Callable[[str], str]


def told(text: str, hide: Hide) -> str:
    """A text of the service, a proxy or a library: without secrets, in one line, and in characters that can be sent on."""
    text = hide(text).encode("utf-8", "replace").decode()
    # once more, since a secret may have a blank where the text has a line feed
    return hide(" ".join(text.split()))
