# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does, without the front door that it comes through. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, NamedTuple

from ._errors import EciError
from ._image_cache.apply import Outcome
from ._options.arguments import Spec, secrets
from ._options.schema import Violation
from ._service.client import Client
from ._service.connection import Connection, connection

Arguments = Mapping[str, Any]

# Connections that are kept where the task does not say how many requests it sends at the same time.
POOL_SIZE = 10

# A secret of this length does not occur by chance.
LONG_SECRET = 6

# The parts of a result that the service may have written, and the messages among them.
_FROM_OTHERS = ("failure", "events")
_MESSAGES = ("msg", "message")


@dataclass
class Result:
    """What a task returns, be it done or failed: ``msg`` and ``failure`` are among the values if it failed."""

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    failed: bool = False


class Task(NamedTuple):
    """The work of one module.

    ``check`` takes the raw arguments and returns what is wrong with them. ``run`` takes the arguments as Ansible
    converted them, a client, and whether check mode and diff mode are on; it raises EciError.
    """

    spec: Callable[[], Spec]
    check: Callable[[Arguments], list[Violation]]
    run: Callable[[Arguments, Client, bool, bool], Result]


def perform(
    task: Task,
    arguments: Arguments,
    check_mode: bool,
    diff_mode: bool,
    connect: Callable[[Connection, int], Client] = Client,
) -> Result:
    """Do a task with checked arguments. What a user, the network or the service can cause comes back as a result."""
    warnings: list[str] = []
    try:
        target = connection(arguments)
        warnings += target.warnings
        client = connect(target, max(POOL_SIZE, arguments.get("concurrency", 0)))
        result = task.run(arguments, client, check_mode, diff_mode)
    except EciError as error:
        result = _failed(error, diff_mode)
    result.warnings = warnings + result.warnings
    return _scrubbed(result, secrets(task.spec(), arguments))


def outcome_result(outcome: Outcome, diff_mode: bool) -> Result:
    """What is returned of the outcome of one image cache, be the task done or failed."""
    values = outcome.result()
    if diff_mode and outcome.diff is not None:
        values["diff"] = outcome.diff
    return Result(values, outcome.warnings)


def _failed(error: EciError, diff_mode: bool) -> Result:
    reached = outcome_result(error.outcome, diff_mode) if error.outcome else Result({"changed": False})
    values = dict(reached.values, msg=error.message, failure=error.failure())
    return Result(values, reached.warnings, failed=True)


def _scrubbed(result: Result, hidden: list[str]) -> Result:
    """The result without secrets in what others may have written, should the service ever quote a request.

    A short secret is taken out of messages only: it occurs by chance in codes and IDs that a program may look at.
    """
    long = [secret for secret in hidden if len(secret) >= LONG_SECRET]

    def clean(value: Any, secrets_here: list[str]) -> Any:
        if isinstance(value, dict):
            return {key: clean(item, hidden if key in _MESSAGES else secrets_here) for key, item in value.items()}
        if isinstance(value, list):
            return [clean(item, secrets_here) for item in value]
        if isinstance(value, str):
            for secret in secrets_here:
                value = value.replace(secret, "********")
        return value

    def part(key: str, value: Any) -> Any:
        if key in _MESSAGES:
            return clean(value, hidden)
        if key in _FROM_OTHERS:
            return clean(value, long)
        if isinstance(value, dict):
            return {name: part(name, item) for name, item in value.items()}
        return [part("", item) for item in value] if isinstance(value, list) else value

    return Result(part("", result.values), clean(result.warnings, hidden), result.failed)
