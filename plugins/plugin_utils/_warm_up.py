# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what each worker would read again, in a thread beside the imports of the front door. Private to the collection.

OpenSSL reads a CA bundle without Python's lock, so that takes no time of the imports. The front door joins the thread: no
process may be forked beside it.
"""

from __future__ import annotations

import contextlib
import hmac
import tempfile
from threading import Thread

from ansible_collections.ctyun.eci.plugins.module_utils._api.http import prepare


def _read() -> None:
    with contextlib.suppress(OSError):
        tempfile.gettempdir()
    hmac.digest(b"", b"", "sha256")
    prepare()


THREAD = Thread(target=_read)
THREAD.start()
