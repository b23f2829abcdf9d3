# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache. Private to the collection."""

from __future__ import annotations

from .._image_cache.converge import converge
from .._image_cache.plan import wanted
from .._options.arguments import (
    Spec,
    body_spec,
    check,
    check_body,
    connection_spec,
    merged,
    policy_spec,
    wait_spec,
)
from .._options.schema import Violation
from .._service.client import Client
from .._task import Arguments, Result, Task, outcome_result
from .._wait import Wait


def _spec() -> Spec:
    return merged(
        {
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
        },
        body_spec(),
        policy_spec(),
        wait_spec(),
        connection_spec(),
    )


def _check(given: Arguments) -> list[Violation]:
    spec = _spec()
    values, violations = check(spec, given)
    present = values.get("state") != "absent"
    if not (present or values.get("image_cache_name") or values.get("image_cache_id")):
        violations.append(Violation(("image_cache_name",), "is required, or image_cache_id, to delete one"))
    # an image cache picked by its ID exists, so only what the task gives of the body matters, unless it is replaced
    complete = present and not (values.get("image_cache_id") and values.get("drift") != "recreate")
    return violations + check_body(spec, given, (), values, complete)


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    state = arguments["state"]
    wait = Wait(arguments["wait_timeout"], arguments["wait_interval"], client.sleep)
    outcome = converge(wanted(arguments, arguments, state, arguments["image_cache_id"]), client, wait, check_mode)
    result = outcome_result(outcome, diff_mode)
    if state == "present":
        result.values["ansible_facts"] = {"imageCacheId": outcome.image_cache_id}
    return result


TASK = Task(_spec, _check, _run)
