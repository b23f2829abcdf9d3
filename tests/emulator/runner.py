# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator in a thread of its own, for use inside a test or behind the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .background import Background
from .certificate import Certificate
from .faults import Fault, Faults
from .records import Record, Records
from .server import Server
from .service import Service
from .settings import Settings


class Emulator:
    """Use it in a ``with`` statement, or call ``start`` and ``stop``. A restart keeps the port."""

    def __init__(self, *, tls: bool = False, **values: Any) -> None:
        self.settings = Settings()
        self.settings.update(values)
        self.service = Service(self.settings)
        self.faults = Faults(tls)
        self.records = Records()
        self._server = Server(self.settings, self.service, self.faults, self.records)
        self._port = 0
        self._tls = tls
        self._certificate: Certificate | None = None
        self._background = Background("emulator", self._begin, self._server.stop)

    def start(self) -> Emulator:
        if self._tls:
            self._certificate = Certificate()
        self._background.start()
        return self

    def stop(self) -> None:
        self._background.stop()
        if self._certificate is not None:
            self._certificate.close()
            self._certificate = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def ca_file(self) -> str | None:
        """With TLS and while it runs: the certificate of the authority that a client must trust."""
        return self._certificate.ca_file if self._certificate else None

    @property
    def environment(self) -> dict[str, str]:
        trusted = {"REQUESTS_CA_BUNDLE": self.ca_file} if self.ca_file else {}
        return {
            "CTYUN_ECI_ENDPOINT": self.url,
            "CTYUN_AK": self.settings.access_key,
            "CTYUN_SK": self.settings.secret_key,
            "CTYUN_REGION_ID": self.settings.region_id,
            **trusted,
        }

    @property
    def requests(self) -> list[Record]:
        return self.records.all()

    @property
    def connections(self) -> int:
        """TCP connections accepted since the start or the last reset."""
        return self._server.connections

    @property
    def before(self) -> Callable[[Record], object] | None:
        """Called in the server's thread with each signed request, before anything is done about it."""
        return self._server.before

    @before.setter
    def before(self, hook: Callable[[Record], object] | None) -> None:
        self._server.before = hook

    def sent(self, operation: str | None = None) -> list[Record]:
        return self.records.all(operation)

    def inject(self, *faults: Fault) -> None:
        self.faults.add(*faults)

    def advance(self, seconds: float) -> None:
        self.service.advance(seconds)

    def reset(self) -> None:
        # The server's state and its thread's CPU time are at hand in its own thread only.
        self._background.call(self._server.reset)

    async def _begin(self) -> None:
        context = self._certificate.context if self._certificate else None
        self._port = await self._server.start(self._port, context)
