# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconciling one image cache, and many; waiting takes no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Record
from tests.unit.plugins.emulated import BODY, Run, RunOne, reconcile_one


@pytest.fixture
def run_one(client: Client) -> RunOne:
    """Reconcile as image_cache does, with BODY and some changes; an error is raised."""

    def run_one(state: str = "present", *, check_mode: bool = False, timeout: float = 60, **options: Any) -> Item:
        fields = ("image_cache_id", "purge_tags", "drift", "wait")
        wanted = {name: options.pop(name) for name in fields if name in options}
        used = options.pop("client", client)
        return reconcile_one(Desired(state, {**BODY, **options}, **wanted), used, Wait(timeout, 5), check_mode)

    return run_one


@pytest.fixture
def run(client: Client) -> Run:
    """Reconcile as image_caches does."""

    def run(
        *wanted: Desired, client: Client = client, timeout: float = 60, prune_tags: Any = None, **options: Any
    ) -> Outcome:
        prune = None
        if prune_tags is not None:
            prune = Prune(prune_tags, **{key: options.pop(key) for key in ("keep", "grace", "first") if key in options})
        ctx = Context(client, Wait(timeout, 5), concurrency=options.pop("concurrency", 4))
        return reconcile(wanted, ctx, prune=prune, **options)

    return run


@pytest.fixture
def at(emulator: Emulator) -> Callable[..., None]:
    """Let somebody act just before the request of this operation with this number."""

    def at(operation: str, number: int, act: Callable[[], object]) -> None:
        def before(record: Record) -> None:
            if record.operation == operation and len(emulator.sent(operation)) == number:
                act()

        emulator.before = before

    return at
