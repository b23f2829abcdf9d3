# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks behind the modules: options, check and work of each. Private to the collection.

A front door (see _module.py) takes one of these, so that a module is its documentation and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

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
    secrets,
    tags_option,
    wait_spec,
)
from ._client import Client
from ._connection import connection
from ._converge import Outcome, converge
from ._errors import EciError
from ._plan import Wanted
from ._schema import Violation, validate
from ._wait import Wait

Arguments = Mapping[str, Any]


@dataclass
class Result:
    """What a task returns, be it done or failed: ``msg`` and ``failure`` are among the values if it failed."""

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    failed: bool = False


@dataclass(frozen=True)
class Task:
    """The work of one module.

    ``check`` takes the raw arguments and returns what is wrong with them. ``run`` takes the arguments as Ansible
    converted them, a client, and whether check mode and diff mode are on; it raises EciError.
    """

    spec: Callable[[], Spec]
    check: Callable[[Arguments], list[Violation]]
    run: Callable[[Arguments, Client, bool, bool], Result]


def perform(task: Task, arguments: Arguments, check_mode: bool, diff_mode: bool) -> Result:
    """Do a task with checked arguments. What a user, the network or the service can cause comes back as a result."""
    warnings: list[str] = []
    try:
        target = connection(arguments)
        warnings += target.warnings
        client = Client(target)
        try:
            result = task.run(arguments, client, check_mode, diff_mode)
        finally:
            client.close()
    except EciError as error:
        result = _failed(error, diff_mode)
    result.warnings = warnings + result.warnings
    return scrubbed(result, secrets(task.spec(), arguments))


def scrubbed(result: Result, hidden: list[str]) -> Result:
    """The result with every secret out of the texts that others wrote: messages, warnings and events."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, str):
            for secret in hidden:
                value = value.replace(secret, "********")
        return value

    if result.failed:
        for key in ("msg", "failure"):
            result.values[key] = clean(result.values[key])
    cache = result.values.get("image_cache")
    if cache and cache["events"]:
        cache["events"] = clean(cache["events"])
    result.warnings = clean(result.warnings)
    return result


def _failed(error: EciError, diff_mode: bool) -> Result:
    reached = _outcome_result(error.outcome, diff_mode) if error.outcome else Result({"changed": False})
    values = dict(reached.values, msg=error.message, failure=error.failure())
    return Result(values, reached.warnings, failed=True)


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
    present = values.get("state", "present") == "present"
    if not (present or values.get("image_cache_name") or values.get("image_cache_id")):
        violations.append(Violation(("image_cache_name",), "is required, or image_cache_id, with state: absent"))
    # an image cache picked by its ID exists, so only what the task gives of the body matters, unless it is replaced
    complete = present and not (values.get("image_cache_id") and values.get("drift") != "recreate")
    violations += [
        Violation(as_written(violation.path, spec, given), violation.advice)
        for violation in validate(request_body(values), complete)
    ]
    return violations


def _run_image_cache(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    wanted = Wanted(
        state=arguments["state"],
        body=request_body(arguments),
        image_cache_id=arguments["image_cache_id"],
        purge_tags=arguments["purge_tags"],
        drift=arguments["drift"],
        wait=arguments["wait"],
    )
    wait = Wait(arguments["wait_timeout"], arguments["wait_interval"], client.sleep)
    outcome = converge(wanted, client, wait, check_mode)
    result = _outcome_result(outcome, diff_mode)
    if wanted.state == "present":
        result.values["ansible_facts"] = {"imageCacheId": outcome.image_cache_id}
    return result


def _outcome_result(outcome: Outcome, diff_mode: bool) -> Result:
    values = outcome.result()
    if diff_mode and outcome.diff is not None:
        values["diff"] = outcome.diff
    return Result(values, outcome.warnings)


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
