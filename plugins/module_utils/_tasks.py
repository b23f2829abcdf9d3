# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind each module: its options, the check of its arguments and its work. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable

from . import _info, _region
from ._arguments import (
    Spec,
    as_written,
    body_spec,
    check,
    connection_spec,
    merged,
    policy_spec,
    request_body,
    tags_option,
    wait_spec,
)
from ._client import Client
from ._converge import converge
from ._converge_all import Item, Outcomes, converge_all
from ._plan import Wanted
from ._schema import Path, Violation, validate
from ._task import Arguments, Result, Task, outcome_result
from ._wait import Wait

ERRORS_SHOWN = 5


def _image_cache_spec() -> Spec:
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


def _check_image_cache(given: Arguments) -> list[Violation]:
    spec = _image_cache_spec()
    values, violations = check(spec, given)
    present = values.get("state") != "absent"
    if not (present or values.get("image_cache_name") or values.get("image_cache_id")):
        violations.append(Violation(("image_cache_name",), "is required, or image_cache_id, to delete one"))
    # an image cache picked by its ID exists, so only what the task gives of the body matters, unless it is replaced
    complete = present and not (values.get("image_cache_id") and values.get("drift") != "recreate")
    return violations + _check_body(spec, given, (), values, complete)


def _check_body(spec: Spec, given: Arguments, at: Path, values: Arguments, complete: bool = True) -> list[Violation]:
    """What the schema says of the body that ``values`` make, by paths under ``at`` as the task wrote them."""
    return [
        Violation(as_written(at + violation.path, spec, given), violation.advice)
        for violation in validate(request_body(values), complete)
    ]


def _run_image_cache(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    wanted = _wanted(arguments, arguments, arguments["state"], arguments["image_cache_id"])
    outcome = converge(wanted, client, _wait(arguments, client), check_mode)
    result = outcome_result(outcome, diff_mode)
    if wanted.state == "present":
        result.values["ansible_facts"] = {"imageCacheId": outcome.image_cache_id}
    return result


def _wanted(arguments: Arguments, body: Arguments, state: str = "present", image_cache_id: str | None = None) -> Wanted:
    return Wanted(
        state=state,
        body=request_body(body),
        image_cache_id=image_cache_id,
        purge_tags=arguments["purge_tags"],
        drift=arguments["drift"],
        wait=arguments["wait"],
    )


def _wait(arguments: Arguments, client: Client) -> Wait:
    return Wait(arguments["wait_timeout"], arguments["wait_interval"], client.sleep)


def _image_caches_spec() -> Spec:
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


def _check_image_caches(given: Arguments) -> list[Violation]:
    spec = _image_caches_spec()
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
            violations += _check_body(spec, given, at, body)
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


def _run_image_caches(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    outcomes = converge_all(
        [_wanted(arguments, body) for body in arguments["image_caches"]],
        client,
        _wait(arguments, client),
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


def _image_cache_info_spec() -> Spec:
    return merged(
        {
            "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
            "image_cache_name": {"type": "str", "aliases": ["imageCacheName", "name"]},
            "images": {"type": "list", "elements": "str"},
            "tags": tags_option(),
            "events": {"type": "bool", "default": False},
        },
        connection_spec(),
    )


IMAGE_CACHE = Task(_image_cache_spec, _check_image_cache, _run_image_cache)
IMAGE_CACHES = Task(_image_caches_spec, _check_image_caches, _run_image_caches)
IMAGE_CACHE_INFO = Task(
    _image_cache_info_spec,
    lambda given: check(_image_cache_info_spec(), given).violations,
    lambda arguments, client, _check, _diff: Result(
        {"changed": False, "image_caches": _info.image_caches(arguments, client)}
    ),
)
REGION_INFO = Task(
    connection_spec,
    lambda given: check(connection_spec(), given).violations,
    lambda _arguments, client, _check, _diff: Result({"changed": False, "region": _region.region(client)}),
)
QUOTA_INFO = Task(
    connection_spec,
    lambda given: check(connection_spec(), given).violations,
    lambda _arguments, client, _check, _diff: Result({"changed": False, "quotas": _region.usage(client)}),
)
