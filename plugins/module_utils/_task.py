# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module's task is done, whichever door it came through. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Collection, Mapping, NamedTuple

from ._cancel import by_signals
from ._errors import NO_MEMORY, EciError, MachineLimit, TaskEnded
from ._arguments.redaction import hider, secrets
from ._arguments.schema import Violation
from ._arguments.specs import Spec
from ._api.client import Client
from ._api.config import Connection, connection
from ._api.transport import Transport

Arguments = Mapping[str, Any]

# Connections that are kept where the task does not say how many requests it sends at the same time.
POOL_SIZE = 10
# The action plugin tells the user of each retry. It asks a module for them by this argument, and the result has them
# under this key; nobody else shall see it there.
TELL_RETRIES = "_ansible_ctyun_eci_tell_retries"
RETRIED = "retried"


@dataclass
class Result:
    """What a task returns, be it done or failed: ``msg`` and ``failure`` are among the values if it failed.

    ``retried`` has a line for each request that was sent again, ``ended_by`` is what ended the task before it was done.
    """

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    failed: bool = False
    retried: list[str] = field(default_factory=list)
    ended_by: BaseException | None = None


class Task(NamedTuple):
    """The work of one module.

    ``check`` takes the raw arguments and whether check mode is on, and returns what is wrong with them. ``run`` takes
    the arguments as Ansible converted them, a client, and whether check mode and diff mode are on; it raises EciError.
    ``told`` are options of which it has to know a null from one that is not given, see ``for_ansible``. A task that is
    not ``of_the_service`` needs no credentials of it, and gets None for the client.
    """

    spec: Callable[[], Spec]
    check: Callable[[Arguments, bool], list[Violation]]
    run: Callable[[Arguments, Any, bool, bool], Result]
    told: Collection[str] = ()
    of_the_service: bool = True


def perform(
    task: Task,
    arguments: Arguments,
    check_mode: bool,
    diff_mode: bool,
    connect: Callable[[Connection, int], Transport] = Transport,
    say: Callable[[str], None] | None = None,
) -> Result:
    """Do a task with checked arguments. What a user, the network or the service can cause comes back as a result, and so
    does what was reached when the task is ended. ``say`` takes lines on its progress.
    """
    warnings: list[str] = []
    client: Client | None = None
    try:
        if task.of_the_service:
            target = connection(arguments)
            warnings += target.warnings
            transport = connect(target, max(POOL_SIZE, arguments.get("concurrency", 0)))
            client = Client(transport, hide=hider(secrets(task.spec(), arguments)), say=say)
        with by_signals():
            result = task.run(arguments, client, check_mode, diff_mode)
    except EciError as error:
        result = _failed(error, diff_mode)
    except BaseException as reason:
        if isinstance(reason, MemoryError):
            result = _failed(MachineLimit(NO_MEMORY), diff_mode)
        elif isinstance(reason, Exception):
            raise
        else:
            result = _failed(TaskEnded(f"The task was ended before it was done ({type(reason).__name__})."), diff_mode)
            result.ended_by = reason
    result.warnings = warnings + result.warnings
    if client:
        result.retried = client.retried
        result.ended_by = result.ended_by or client.ended_by
    return result


def outcome_result(outcome: Any, diff_mode: bool) -> Result:
    """What is returned of the outcome of one image cache, be the task done or failed."""
    values = outcome.result()
    if diff_mode and outcome.diff is not None:
        values["diff"] = outcome.diff
    return Result(values, outcome.warnings)


def _failed(error: EciError, diff_mode: bool) -> Result:
    reached = outcome_result(error.outcome, diff_mode) if error.outcome else Result({"changed": False})
    values = dict(reached.values, msg=error.message, failure=error.failure())
    return Result(values, reached.warnings, failed=True)
