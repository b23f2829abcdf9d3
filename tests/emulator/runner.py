# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator in a thread of its own, for use inside a test or behind the command line."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from .faults import Fault, Faults
from .records import Record, Records
from .server import Server
from .service import Service
from .settings import Settings


class Emulator:
    """Use it in a ``with`` statement, or call ``start`` and ``stop``. A restart keeps the port."""

    def __init__(self, settings: Settings | None = None, *, port: int = 0, **values: Any) -> None:
        self.settings = settings.copy() if settings else Settings()
        self.settings.update(values)
        self.service = Service(self.settings)
        self.faults = Faults()
        self.records = Records()
        self._server = Server(self.settings, self.service, self.faults, self.records)
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> Emulator:
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="emulator", daemon=True)
        self._thread.start()
        started.result()
        return self

    def stop(self) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
        self._thread = self._loop = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CTYUN_ECI_ENDPOINT": self.url,
            "CTYUN_AK": self.settings.access_key,
            "CTYUN_SK": self.settings.secret_key,
            "CTYUN_REGION_ID": self.settings.region_id,
        }

    @property
    def requests(self) -> list[Record]:
        return self.records.all()

    @property
    def connections(self) -> int:
        """TCP connections accepted since the start or the last reset."""
        return self._server.connections

    def sent(self, operation: str | None = None) -> list[Record]:
        return self.records.all(operation)

    def inject(self, *faults: Fault) -> None:
        for fault in faults:
            self.faults.add(fault)

    def advance(self, seconds: float) -> None:
        self.service.advance(seconds)

    def reset(self) -> None:
        if self._loop is None:
            self._server.reset()
            return
        # The server's state and its thread's CPU time are at hand in its own thread only.
        done: Future[None] = Future()
        self._loop.call_soon_threadsafe(lambda: _complete(done, self._server))
        done.result()

    def _run(self, started: Future[None]) -> None:
        asyncio.run(self._serve(started))

    async def _serve(self, started: Future[None]) -> None:
        self._ended = asyncio.Event()
        try:
            self._port = await self._server.start(self._port)
        except OSError as error:
            started.set_exception(error)
            return
        self._loop = asyncio.get_running_loop()
        started.set_result(None)
        await self._ended.wait()
        await self._server.stop()


def _complete(done: Future[None], server: Server) -> None:
    try:
        server.reset()
    except Exception as error:  # noqa: BLE001 - whatever it is belongs to whoever waits
        done.set_exception(error)
    else:
        done.set_result(None)
