# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers: each a machine of its own that runs tasks, with a time that only pauses let pass.

Several of them live in one process, each in a thread. Each run has a temporary directory that is new and empty, as in a
container that was just started: the lock file goes there, and it must be all that is left.
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
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar
from unittest.mock import patch

from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport as transports
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import redactor
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import api as image_cache_api
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache_info import find_image_caches
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import counts, prepared
from tests.emulator import Emulator
from tests.reliability.asks import PASSWORD, SECRET_KEY, Ask


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
    temporary: str | None = None


_own = _Own()


def _gettempdir() -> str:
    return _own.temporary or tempfile.gettempdir()


@contextmanager
def apart() -> Iterator[str]:
    """Let controllers be apart, in directories beneath the one that this yields, and make "too large" and "endless" cheap."""
    base = tempfile.mkdtemp(prefix="eci-proof-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        stack.enter_context(patch.object(_lock, "tempfile", SimpleNamespace(gettempdir=_gettempdir)))
        stack.enter_context(patch.object(transports, "MAX_REPLY_BYTES", 64 * 1024))
        stack.enter_context(patch.object(image_cache_api, "MAX_PAGES", 20))
        yield base


class Controller:
    """One machine. ``connect`` makes the transport to the service."""

    def __init__(
        self,
        base: str,
        name: str,
        connection: Connection,
        clock: Clock,
        connect: Callable[[Connection, int], Transport] = Transport,
    ) -> None:
        self._base = base
        self._name = name
        self._clock = clock
        self._connection = connection
        self._connect = connect
        self._transport: Transport | None = None
        # what runs have left in their temporary directories beside the lock file
        self.left: list[str] = []

    def run(self, ask: Ask, check_mode: bool = False) -> Told:
        """Run a task. What is not an error of the collection's own is raised."""
        if self._transport is None:
            self._transport = self._connect(self._connection, ask.concurrency)
        client = Client(self._transport, clock=self._clock, uniform=_mean, redact=_REDACT)
        before, _own.temporary = _own.temporary, tempfile.mkdtemp(prefix=f"{self._name}-", dir=self._base)
        try:
            return _informed(ask, client) if ask.info else _reconciled(ask, client, check_mode)
        finally:
            self.left += [name for name in os.listdir(_own.temporary) if not name.endswith(".lock")]
            shutil.rmtree(_own.temporary)
            _own.temporary = before

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
        return make()


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


_REDACT = redactor(sorted([SECRET_KEY, PASSWORD], key=len, reverse=True))
_WAIT = Wait(60.0, 5.0)


def _reconciled(ask: Ask, client: Client, check_mode: bool) -> Told:
    ctx = Context(client, _WAIT, concurrency=ask.concurrency, diff_mode=check_mode and ask.bulk)
    try:
        outcome = reconcile(ask.desired(), ctx, prune=ask.prune(), check_mode=check_mode, by_name=not ask.bulk)
    except EciError as error:
        return Told([], error=error.message, rest=(error.failure(),))
    return _told(outcome)


def _told(outcome: Outcome) -> Told:
    entries, pruned = ([_entry(item) for item in items] for items in (outcome.items, outcome.pruned))
    warnings = outcome.warnings + [warning for item in outcome.all for warning in item.warnings]
    diffs = [item.diff for item in outcome.all]
    plan = counts(outcome)
    return Told(entries, pruned, warnings, rest=(outcome.kept, plan, prepared(outcome, plan, 0.0), diffs))


def _informed(ask: Ask, client: Client) -> Told:
    try:
        found, warnings = find_image_caches({"imageCacheName": ask.names[0]}, client, ask.events)
    except EciError as error:
        return Told([], error=error.message, rest=(error.failure(),))
    return Told([], warnings=warnings, rest=([cache.as_dict() for cache in found],))


def _entry(item: Item) -> Entry:
    values, error = item.result(), item.error
    return Entry(
        name=item.name,
        **{field: values[field] for field in ("changed", "image_cache_id", "image_cache", "drift", "duplicates")},
        failed=error is not None,
        msg=error.message if error else "",
        failure=dict(error.failure()) if error else {},
    )
