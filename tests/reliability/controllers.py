# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers: each a machine of its own that runs tasks, with a private folder and a time that only pauses let pass.

Several of them live in one process, each in a thread. The collection takes its private folder from the machine, so within
``apart`` it is taken from the controller whose thread asks, and from the one that started it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar
from unittest.mock import patch

from urllib3.connection import HTTPConnection

from ansible_collections.ctyun.eci.plugins.module_utils import _pool as workers
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import folder, operations, read
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import hider
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport as transports
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import FREE, Pace
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from tests.emulator import Emulator
from tests.reliability.asks import PASSWORD, SECRET_KEY, Ask

SPELLINGS = ".spellings"
LOCKS = "locks"


class Entry(NamedTuple):
    """What a task told of one image cache."""

    name: str
    changed: bool
    image_cache_id: str | None
    image_cache: dict[str, Any] | None
    drift: list[dict[str, Any]]
    duplicates: list[str]
    failed: bool
    msg: str
    failure: dict[str, Any]

    @property
    def may(self) -> bool:
        """Whether it says that something may have been done that was not seen."""
        return self.failed and (self.failure.get("effect") == "possible" or "may " in self.msg)


@dataclass(frozen=True)
class Told:
    """What a task told; ``entries`` has the wanted image caches in the order of the task, ``rest`` all else.

    ``error`` is there if the whole task failed before it began with any of them.
    """

    entries: list[Entry]
    pruned: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    rest: tuple[Any, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it says that it changed something."""
        return any(entry.changed for entry in [*self.entries, *self.pruned])

    @property
    def texts(self) -> list[str]:
        """All that it says in words."""
        return [self.error, *self.warnings, *(entry.msg for entry in [*self.entries, *self.pruned])]


class _Own(threading.local):
    folder: str | None = None


_own = _Own()


class _Thread(threading.Thread):
    """A thread that belongs to the controller whose thread made it."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._folder = _own.folder

    def run(self) -> None:
        _own.folder = self._folder
        super().run()


def _gettempdir() -> str:
    return _own.folder or tempfile.gettempdir()


@contextmanager
def apart() -> Iterator[str]:
    """Let controllers be apart, in folders beneath the one that this yields, and make "too large" and "endless" cheap."""
    base = tempfile.mkdtemp(prefix="eci-proof-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        stack.enter_context(patch.object(folder, "tempfile", SimpleNamespace(gettempdir=_gettempdir)))
        stack.enter_context(
            patch.object(workers, "threading", SimpleNamespace(**{**vars(threading), "Thread": _Thread}))
        )
        stack.enter_context(patch.object(transports, "MAX_REPLY_BYTES", 64 * 1024))
        stack.enter_context(patch.object(operations, "MAX_PAGES", 20))
        yield base


class Controller:
    """One machine. ``connect`` makes the transport to the service. With ``unhurried`` requests need not wait for each other
    to keep a pace. ``lock_dir`` is a folder that it shares with others.
    """

    def __init__(
        self,
        base: str,
        name: str,
        connection: Connection,
        clock: Clock,
        connect: Callable[[Connection, int], Transport] = Transport,
        unhurried: bool = False,
        lock_dir: str | None = None,
    ) -> None:
        self._unhurried = unhurried
        self._place = folder.Folder(lock_dir)
        self._temporary = os.path.join(base, name)
        os.makedirs(self._temporary, exist_ok=True)
        self.folder = Path(self._temporary) / f"ansible-ctyun.eci-{os.getuid()}"
        self._clock = clock
        self._connection = connection
        self._connect = connect
        self._transport: Transport | None = None

    def run(self, ask: Ask, check_mode: bool = False) -> Told:
        """Run a task. What is not an error of the collection's own is raised."""
        if self._transport is None:
            self._transport = self._connect(self._connection, ask.concurrency)
        pace = Pace(self._clock, start=2 * FREE) if self._unhurried else None
        client = Client(self._transport, clock=self._clock, uniform=_mean, hide=_HIDE, pace=pace)
        before, _own.folder = _own.folder, self._temporary
        try:
            if ask.info:
                return _informed(ask, client)
            return (_converged_all if ask.bulk else _converged)(ask, client, check_mode, self._place)
        finally:
            _own.folder = before

    def left(self) -> list[Path]:
        """The files in its private folder that should not stay."""
        files = self.folder.iterdir() if self.folder.exists() else ()
        return [file for file in files if file.name != LOCKS and file.suffix != SPELLINGS]

    def forget(self) -> None:
        """Empty the private folder."""
        for file in self.folder.iterdir() if self.folder.exists() else ():
            file.unlink()

    def close(self) -> None:
        """Close its connections."""
        if self._transport:
            self._transport.close()


def to(emulator: Emulator, **fields: Any) -> Connection:
    """The connection of a controller that speaks to an emulator."""
    known = emulator.settings
    values: dict[str, Any] = {
        "access_key": known.access_key,
        "secret_key": known.secret_key,
        "region_id": known.region_id,
        "endpoint": emulator.url,
        "verify": emulator.ca_file or True,
        "timeout": 20.0,
        "retries": 2,
        "retry_max_delay": 30.0,
        **fields,
    }
    return Connection(**values)


T = TypeVar("T", bound=Transport)


def behind(proxy: str, make: Callable[[], T]) -> T:
    """A transport that goes through a proxy."""
    with patch.dict("os.environ", {"http_proxy": proxy, "https_proxy": proxy}):
        transport = make()
    way = transport._adapter.way

    def prompt(request: Any) -> tuple[Any, str]:
        # Nagle's algorithm, which urllib3 leaves on for proxies, makes each request wait for 40 ms
        pool, front = way(request)
        pool.conn_kw["socket_options"] = HTTPConnection.default_socket_options
        return pool, front

    transport._adapter.way = prompt  # type: ignore[method-assign]
    return transport


def virtual_clock(emulator: Emulator) -> Clock:
    """A time that passes in the service as in the controller, and never really: each pause is over at once."""
    settings = emulator.settings
    return Clock(
        lambda seconds: pass_time(emulator, seconds),
        emulator.service.clock.now,
        lambda: time.time() + settings.clock_offset,
    )


def pass_time(emulator: Emulator, seconds: float) -> None:
    """Let time pass for the service, and for whoever looks at its wall clock."""
    emulator.settings.clock_offset += seconds
    emulator.advance(seconds)


def _mean(low: float, high: float) -> float:
    return (low + high) / 2


_HIDE = hider(sorted([SECRET_KEY, PASSWORD], key=len, reverse=True))
_WAIT = Wait(60.0, 5.0)


def _converged(ask: Ask, client: Client, check_mode: bool, place: folder.Folder) -> Told:
    error: EciError | None = None
    try:
        outcome = converge(ask.wanted()[0], client, _WAIT, check_mode, place)
    except EciError as caught:
        error, outcome = caught, caught.outcome
    entry = _entry(ask.names[0], outcome, error)
    return Told([entry], warnings=outcome.warnings, rest=(outcome.diff, client.retried))


def _converged_all(ask: Ask, client: Client, check_mode: bool, place: folder.Folder) -> Told:
    more: dict[str, Any] = {"concurrency": ask.concurrency, "check_mode": check_mode, "folder": place}
    try:
        prune = ask.prune()
        outcomes = converge_all(
            ask.wanted(), client, _WAIT, prune=[prune] if prune else [], diff_mode=check_mode, **more
        )
    except EciError as error:
        return Told([], error=error.message, rest=(error.failure(), client.retried))
    entries = [_entry(item.name, item.outcome, item.error) for item in outcomes.items]
    pruned = [_entry(item.name, item.outcome, item.error) for item in outcomes.pruned]
    warnings = outcomes.warnings + [warning for item in outcomes.all for warning in item.outcome.warnings]
    kept = [one.as_dict() for one in outcomes.kept]
    diffs = [item.outcome.diff for item in outcomes.all]
    return Told(entries, pruned, warnings, rest=(kept, outcomes.plan, outcomes.prepared, diffs, client.retried))


def _informed(ask: Ask, client: Client) -> Told:
    try:
        found, warnings = read.image_caches({"imageCacheName": ask.names[0]}, client, ask.events)
    except EciError as error:
        return Told([], error=error.message, rest=(error.failure(), client.retried))
    return Told([], warnings=warnings, rest=([cache.as_dict() for cache in found], client.retried))


def _entry(name: str, outcome: Outcome, error: EciError | None) -> Entry:
    values = outcome.result()
    return Entry(
        name=name,
        **{field: values[field] for field in ("changed", "image_cache_id", "image_cache", "drift", "duplicates")},
        failed=error is not None,
        msg=error.message if error else "",
        failure=error.failure() if error else {},
    )
