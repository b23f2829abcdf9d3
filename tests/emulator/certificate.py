# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate that nobody else trusts, for as long as a server runs."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

_NAMES = ("127.0.0.1", "localhost")


class Certificate:
    """For this machine and the hosts of these names. ``ca_file`` is what a client has to trust, until ``close``."""

    def __init__(self, *names: str) -> None:
        try:
            import trustme
        except ImportError:
            raise ImportError("TLS needs the Python package trustme, see requirements/dev.txt") from None
        authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        authority.issue_cert(*_NAMES, *names).configure_cert(self.context)
        self._folder = tempfile.TemporaryDirectory(prefix="emulator-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)

    def close(self) -> None:
        self._folder.cleanup()
