# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator in a process of its own, so that its work is not counted as Ansible's."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import certifi
import requests

ROOT = Path(__file__).resolve().parents[2]


class Emulator:
    """Started on entering, stopped on leaving. ``environment`` is what a client needs."""

    def __enter__(self) -> Emulator:
        self._folder = tempfile.TemporaryDirectory()
        ready = Path(self._folder.name) / "env"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.emulator", "--tls", "--ready-after", "0", "--env-file", str(ready)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for _attempt in range(200):
            if ready.exists() and ready.read_text().count("\n") >= 4:
                break
            time.sleep(0.05)
        words = shlex.split(ready.read_text())
        self.environment = dict(word.split("=", 1) for word in words if "=" in word)
        self._trust_as_many_as_usual()
        return self

    def _trust_as_many_as_usual(self) -> None:
        """Reading the authorities that every machine trusts is a part of what a task costs."""
        path = Path(self._folder.name) / "authorities.pem"
        own = Path(self.environment["REQUESTS_CA_BUNDLE"])
        path.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + own.read_bytes())
        self.environment["REQUESTS_CA_BUNDLE"] = str(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    def reset(self, latency: float, **settings: object) -> None:
        """Forget everything; each request takes ``latency`` seconds from now on."""
        self._post("reset", {"latency": latency, "ready_after": 0, **settings})

    def usage(self) -> dict[str, Any]:
        """``cpu_seconds``, ``wall_seconds`` and ``requests`` since the reset."""
        found: dict[str, Any] = self.get("usage")
        return found

    def get(self, what: str) -> Any:
        """What its control interface says of ``requests``, ``caches`` or ``usage``."""
        return requests.get(self._url(what), timeout=10, verify=self.environment["REQUESTS_CA_BUNDLE"]).json()

    def _post(self, operation: str, body: Any) -> None:
        requests.post(
            self._url(operation), json=body, timeout=10, verify=self.environment["REQUESTS_CA_BUNDLE"]
        ).raise_for_status()

    def _url(self, what: str) -> str:
        return f"{self.environment['CTYUN_ECI_ENDPOINT']}/_emulator/{what}"
