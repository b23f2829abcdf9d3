# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache. Private to the collection."""

from __future__ import annotations

from .._image_cache.converge import converge
from .._image_cache.folder import Folder
from .._image_cache.image_cache import predicted
from .._image_cache.outcome import Outcome
from .._image_cache.plan import Wanted, diff, plan
from .._arguments.validation import as_written, check, check_body
from .._arguments.schema import Violation
from .._arguments.specs import (
    Spec,
    body_spec,
    connection_spec,
    lock_spec,
    merged,
    policy_spec,
    preflight_spec,
    registry_spec,
    wait_spec,
)
from .._api.client import Client
from .._task import Arguments, Result, Task, outcome_result
from .._polling import Wait
from ._registries import Registries, check_registries, preflight
from ._wanted import wanted


def _spec() -> Spec:
    return merged(
        {
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
        },
        body_spec(),
        policy_spec(),
        preflight_spec(),
        registry_spec(),
        wait_spec(),
        lock_spec(),
        connection_spec(),
    )


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    spec = _spec()
    checked = check(spec, given)
    values, violations = checked
    present = values.get("state") != "absent"
    by_id = "image_cache_id" in values
    if by_id and not values["image_cache_id"] and not check_mode:
        path = as_written(("imageCacheId",), spec, given)
        violations.append(Violation(path, "must not be empty; leave it out to pick one by its name"))
    if not (present or by_id or values.get("image_cache_name")):
        violations.append(Violation(("image_cache_name",), "is required, or image_cache_id, to delete one"))
    # an image cache picked by its ID exists, so only what the task gives of the body matters, unless it is replaced
    complete = present and not (by_id and values.get("drift") != "recreate")
    return violations + check_body(spec, given, (), values, complete) + list(check_registries(checked))


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    state, image_cache_id = arguments["state"], arguments["image_cache_id"]
    one = wanted(arguments, arguments, state, image_cache_id)
    if image_cache_id == "":
        outcome = _not_made_yet(one)
    else:
        wait = Wait(arguments["wait_timeout"], arguments["wait_interval"])
        folder = Folder.at(arguments["lock_dir"])
        look = Registries(arguments, client)
        outcome = converge(one, client, wait, check_mode, folder, preflight(arguments, look))
    result = outcome_result(outcome, diff_mode)
    # no fact is left of an image cache that is gone
    result.values["ansible_facts"] = {"imageCacheId": outcome.image_cache_id if state == "present" else None}
    return result


def _not_made_yet(one: Wanted) -> Outcome:
    """What is predicted of the image cache that a task before this one would have made: in check mode it has no ID."""
    change = plan(one, predicted({**one.body, "tags": None}))
    return Outcome(changed=bool(change.steps), image_cache=change.after, diff=diff(change))


TASK = Task(_spec, _check, _run, told=("image_cache_id",))
