# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every pair of entries of image_caches: it is refused, or the second run changes nothing more."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_caches
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, MakeClient, names, present, seed

# The names that are there before, and which of them an entry means: by its name, or by its ID.
WORLDS = {"one": ["web"], "two names": ["web", "db"], "one name twice": ["web", "web"]}
TAGS = [None, [{"key": "a", "value": "1"}], [{"key": "b", "value": "2"}]]


class Outcome(NamedTuple):
    changed: bool
    failed: list[bool]


def entries(world: list[str], ids: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the entries of one image cache that a task of this world may have."""
    for tags in TAGS:
        more = {} if tags is None else {"tags": tags}
        for name in dict.fromkeys([*world, "new"]):
            yield {**BODY, "imageCacheName": name, **more}
        for number, image_cache_id in enumerate(ids):
            yield {"image_cache_id": image_cache_id, **more}
            yield {**BODY, "imageCacheName": world[number], "image_cache_id": image_cache_id, **more}
    for name in dict.fromkeys([*world, "new"]):
        yield {"imageCacheName": name, "state": "absent"}
    for number, image_cache_id in enumerate(ids):
        yield {"image_cache_id": image_cache_id, "state": "absent"}
        yield {"image_cache_id": image_cache_id, "imageCacheName": world[number], "state": "absent"}


def fill(emulator: Emulator, world: list[str]) -> list[str]:
    emulator.reset()
    return [seed(emulator, name) for name in world]


@pytest.mark.thorough
@pytest.mark.parametrize("drift", ["warn", "recreate"])
@pytest.mark.parametrize("world", WORLDS)
def test_each_pair_is_refused_or_reaches_its_state(
    world: str, drift: str, emulator: Emulator, make_client: MakeClient
) -> None:
    number = len(list(entries(WORLDS[world], fill(emulator, WORLDS[world]))))
    reached = refused = 0
    for one, other in product(range(number), range(number)):
        if one == other:
            continue
        ids = fill(emulator, WORLDS[world])
        every = list(entries(WORLDS[world], ids))
        given = {"image_caches": [every[one], every[other]], "drift": drift}
        first, second = [run(make_client, copy.deepcopy(given)) for _time in range(2)]
        if first is None:
            refused += 1
            assert present(emulator) == ids, given
            continue
        reached += 1
        # what one run cannot do, the next one cannot either
        assert second == Outcome(False, first.failed), (given, first, second)
        for entry, failed in zip(given["image_caches"], first.failed, strict=True):
            selected, name = entry.get("image_cache_id"), entry.get("imageCacheName")
            is_there = selected in present(emulator) if selected else name in names(emulator)
            kept = any(other is not entry and other.get("image_cache_id") for other in given["image_caches"])
            assert failed or is_there == (entry.get("state") != "absent") or (not selected and kept), given
    assert reached > 50
    assert refused > 20


def run(make_client: MakeClient, given: dict[str, Any]) -> Outcome | None:
    """Run the task, which may be refused."""
    checked = image_caches.TASK.validate(given, False)
    if checked.violations:
        return None
    arguments = ArgumentSpecValidator(image_caches.TASK.spec()).validate(checked.arguments).validated_parameters
    values = image_caches.TASK.run(arguments, make_client(), False, False).values
    return Outcome(values["changed"], [entry["failed"] for entry in values["image_caches"]])
