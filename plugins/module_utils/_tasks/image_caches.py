# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_caches. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable

from .._image_cache.converge_all import Item, Outcomes, converge_all
from .._image_cache.plan import wanted
from .._options.arguments import (
    Spec,
    as_written,
    body_spec,
    check,
    check_body,
    connection_spec,
    merged,
    policy_spec,
    tags_option,
    wait_spec,
)
from .._options.schema import Path, Violation
from .._service.client import Client
from .._task import Arguments, Result, Task
from .._wait import Wait

ERRORS_SHOWN = 5


def _spec() -> Spec:
    return merged(
        {
            "image_caches": {"type": "list", "elements": "dict", "required": True, "options": body_spec()},
            "concurrency": {"type": "int", "default": 10},
            "prune": {"type": "bool", "default": False},
            "prune_tags": tags_option(),
        },
        policy_spec(),
        wait_spec(),
        connection_spec(),
    )


def _check(given: Arguments) -> list[Violation]:
    spec = _spec()
    values, violations = check(spec, given)
    bodies = values.get("image_caches")
    if bodies is None:
        violations.append(Violation(("image_caches",), "is required, a list of image caches"))
    elif isinstance(bodies, list):
        first: dict[Any, int] = {}
        for index, body in enumerate(bodies):
            if not isinstance(body, dict):
                continue
            at: Path = ("image_caches", index)
            violations += check_body(spec, given, at, body)
            name = body.get("image_cache_name")
            if isinstance(name, str) and first.setdefault(name, index) != index:
                path = as_written((*at, "imageCacheName"), spec, given)
                violations.append(Violation(path, f"is the same as in image_caches[{first[name]}]"))
    if values.get("prune"):
        if not values.get("prune_tags"):
            advice = "is required with prune: only image caches that carry all of these tags are deleted"
            violations.append(Violation(("prune_tags",), advice))
        for index, tag in enumerate(values.get("prune_tags") or []):
            if isinstance(tag, dict) and not tag.get("key"):
                violations.append(Violation(("prune_tags", index, "key"), "is required"))
        if bodies == []:
            violations.append(Violation(("image_caches",), "must not be empty with prune, which would delete them all"))
    return violations


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    outcomes = converge_all(
        [wanted(arguments, body) for body in arguments["image_caches"]],
        client,
        Wait(arguments["wait_timeout"], arguments["wait_interval"], client.sleep),
        concurrency=arguments["concurrency"],
        prune_tags=arguments["prune_tags"] if arguments["prune"] else None,
        check_mode=check_mode,
    )
    values: dict[str, Any] = {
        "changed": any(item.application.outcome.changed for item in outcomes.all),
        "image_caches": [_entry(item) for item in outcomes.items],
        "pruned": [_entry(item) for item in outcomes.pruned],
    }
    if diff_mode:
        values["diff"] = [item.application.outcome.diff for item in outcomes.all if item.application.outcome.changed]
    failed = [item for item in outcomes.all if item.error]
    if failed:
        values["msg"] = _summary(failed, outcomes)
        values["failure"] = _entry(failed[0])["failure"]
    else:
        ids = {item.name: item.image_cache_id for item in outcomes.items}
        values["ansible_facts"] = {"imageCacheIds": ids}
    return Result(values, outcomes.warnings + _warnings(outcomes.all), failed=bool(failed))


def _entry(item: Item) -> dict[str, Any]:
    return {
        "image_cache_name": item.name,
        **item.application.outcome.result(),
        "failed": item.error is not None,
        "msg": item.error.message if item.error else None,
        "failure": item.error.failure() if item.error else None,
    }


def _summary(failed: list[Item], outcomes: Outcomes) -> str:
    shown = [f"- {item.name}: {item.error}" for item in failed[:ERRORS_SHOWN]]
    if len(failed) > ERRORS_SHOWN:
        shown.append(f"- and {len(failed) - ERRORS_SHOWN} more, see image_caches and pruned in the result")
    return f"{len(failed)} of {len(outcomes.all)} image caches failed:\n" + "\n".join(shown)


def _warnings(items: Iterable[Item]) -> list[str]:
    return [warning for item in items for warning in item.application.outcome.warnings]


TASK = Task(_spec, _check, _run)
