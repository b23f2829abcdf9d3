# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode and the run that follows it agree, whatever there is and whatever is wanted, where the service behaves.

It behaves if it takes what is right, and if what it makes takes some time to be ready and then is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import counts
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, DELETE, A, B, MakeClient, present, seed

NAMES = ("a", "b", "c", "d")
TAGS: tuple[Any, ...] = (None, [], [A], [B], [A, B])
COUNTS = ("create", "retag", "replace", "delete", "prune", "drift", "unchanged", "failed")


@dataclass(frozen=True)
class Found:
    """An image cache that is there: it is ready unless it has failed or is on its way out."""

    name: str
    images: str
    tags: Any
    status: str


@dataclass(frozen=True)
class Wish:
    """One of a task; ``number`` picks one of those that are there by its ID, or one that is not."""

    name: str
    images: str
    tags: Any
    state: str
    number: int | None


services = st.fixed_dictionaries(
    {
        "ready_after": st.just(10),
        "tags_shown": st.booleans(),
        "tags_filter": st.sampled_from(["all", "any", "key", "off"]),
        "delete_after": st.sampled_from([0, 7]),
        "max_page": st.sampled_from([1000, 2]),
        "list_order": st.sampled_from(["oldest", "newest"]),
    }
)
found_ones = st.builds(
    Found,
    st.sampled_from([*NAMES, "x", "y"]),
    st.sampled_from(["nginx:latest", "redis:7"]),
    st.sampled_from([[], [A], [B], [A, B]]),
    st.sampled_from(["ready", "ready", "ready", "failed", "deleting"]),
)
wishes = st.builds(
    Wish,
    st.sampled_from(NAMES),
    st.sampled_from(["nginx:latest", "redis:7"]),
    st.sampled_from(TAGS),
    st.sampled_from(["present", "present", "absent"]),
    st.one_of(st.none(), st.none(), st.integers(0, 6)),
)
policies = st.fixed_dictionaries(
    {
        "purge_tags": st.booleans(),
        "drift": st.sampled_from(["warn", "fail", "recreate"]),
        "wait": st.booleans(),
        "duplicates": st.sampled_from(["fail", "delete_younger"]),
    }
)
prunes = st.one_of(
    st.none(),
    st.builds(
        Prune, st.sampled_from([[A], [A, B]]), st.integers(0, 2), st.sampled_from([0.0, 0.0, 1e6]), st.booleans()
    ).map(lambda prune: prune._replace(grace=0.0) if prune.first else prune),
)


def compared(outcomes: Outcome) -> dict[str, Any]:
    """What has to be the same."""
    plan = counts(outcomes)
    return {
        "changed": [item.changed for item in outcomes.items],
        "failed": [type(item.error).__name__ for item in outcomes.items],
        "duplicates": [item.duplicates for item in outcomes.items],
        "pruned": sorted(item.old.id for item in outcomes.pruned),
        "kept": sorted((kept["image_cache_id"] or "", kept["reason"]) for kept in outcomes.kept),
        "plan": {kind: plan[kind] for kind in COUNTS},
        "gb": (plan["gb_before"], plan["gb_after"]),
    }


@pytest.mark.thorough
@settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    service=services,
    found=st.lists(found_ones, max_size=6),
    asked=st.lists(wishes, min_size=1, max_size=4, unique_by=lambda wish: wish.name),
    policy=policies,
    prune=prunes,
)
def test_check_mode_and_the_run_agree(
    emulator: Emulator,
    make_client: MakeClient,
    sleeps: list[float],
    service: dict[str, Any],
    found: list[Found],
    asked: list[Wish],
    policy: dict[str, Any],
    prune: Prune | None,
) -> None:
    emulator.reset()
    sleeps.clear()
    emulator.settings.update(service)
    ids = []
    for one in found:
        status = "failed" if one.status == "failed" else None
        ids.append(seed(emulator, one.name, images=[one.images], tags=one.tags, status=status))
        emulator.advance(1)
    emulator.advance(1000)  # nobody is about to clean up
    emulator.settings.clock_offset += 1000
    emulator.settings.delete_after = 60
    for one, identifier in zip(found, ids, strict=True):
        if one.status == "deleting":
            emulator.service.perform(DELETE, emulator.settings.region_id, identifier, None)
    emulator.settings.delete_after = service["delete_after"]
    wanted = []
    for wish in asked:
        body = {**BODY, "imageCacheName": wish.name, "images": [wish.images]}
        if wish.tags is not None:
            body["tags"] = wish.tags
        identifier = None if wish.number is None else (ids[wish.number] if wish.number < len(ids) else "imc-nowhere")
        wanted.append(Desired(wish.state, body, identifier, **policy))

    def run(check_mode: bool) -> dict[str, Any]:
        client = make_client(pool_size=2, time=emulator.service.clock.now)
        ctx = Context(client, Wait(200, 5), concurrency=2, diff_mode=True)
        return compared(reconcile(wanted, ctx, prune=prune, check_mode=check_mode))

    before = present(emulator)
    predicted = run(True)
    assert present(emulator) == before
    assert run(False) == predicted
