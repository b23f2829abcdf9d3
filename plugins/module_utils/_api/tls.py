# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which authorities are trusted, each bundle of them read once in a process. Private to the collection.

Reading a bundle takes longer than a request. Workers inherit what their parent has read, see ``prepare``.
"""

from __future__ import annotations

import os
import ssl
import threading
from typing import Any

try:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH
    from urllib3.exceptions import SSLError
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    pass

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

# By the path of a bundle. All that connects with one of these checks certificates, so nothing changes them any more.
_contexts: dict[str, Any] = {}
_lock = threading.Lock()


def bundle() -> str:
    """The path of the bundle that the environment names, else of that of requests. Raises FileNotFoundError."""
    for variable in BUNDLE_VARIABLES:
        path = os.environ.get(variable)
        if path:
            if not os.path.exists(path):
                raise FileNotFoundError(f"the variable {variable} of the environment names {path}, which is not there")
            return path
    return str(DEFAULT_CA_BUNDLE_PATH)


def prepare() -> None:
    """Read the bundle of the environment now, so that the processes that are forked later need not."""
    try:
        _context(bundle())
    except (OSError, SSLError):  # whoever connects is told
        pass


def share(pool: Any) -> None:
    """Have the connections of a pool of urllib3 trust its bundle without reading it again. Raises urllib3's SSLError.

    Where the way leads through a proxy with TLS of its own, the pool needs the path for that as well, and keeps it.
    """
    path = pool.ca_certs or pool.ca_cert_dir
    if path and not (pool.proxy and pool.proxy.scheme == "https"):
        pool.conn_kw["ssl_context"] = _context(path)
        pool.ca_certs = pool.ca_cert_dir = None


def _context(path: str) -> Any:
    with _lock:
        if path not in _contexts:
            context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
            try:
                if os.path.isdir(path):
                    context.load_verify_locations(capath=path)
                else:
                    context.load_verify_locations(path)
            except OSError as error:
                raise SSLError(error) from error
            _contexts[path] = context
        return _contexts[path]
