# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of a module, and how both front doors perform it. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, NamedTuple

from ._api.client import Client
from ._api.config import Connection, connection
from ._api.transport import Transport
from ._arguments.redaction import redactor, secrets
from ._arguments.schema import Violation
from ._arguments.specs import Spec
from ._arguments.validation import Checked, check
from ._cancel import Cancellation, cancel_on_signals
from ._errors import EciError, InvalidArguments, internal_error
from ._text import Redact, printable

Arguments = Mapping[str, Any]

# Connections that are kept where the task has no option concurrency.
POOL_SIZE = 10


@dataclass
class Result:
    """The result of a task. One that failed has ``msg`` among its values; ``failure`` is null in the others.

    ``cancelled_by`` is the name of the signal that ended the task early.
    """

    values: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    failed: bool = False
    cancelled_by: str | None = None


class Task(NamedTuple):
    """The work of one module.

    ``check`` has the rules that a schema cannot express: it gets the converted arguments, which may be of any type, and
    whether check mode is on. ``run`` gets the arguments as Ansible validated them, a client, and whether check mode and
    diff mode are on. It may raise EciError as long as nothing was changed. A null for one of ``nullable_options`` reaches
    both as an empty text. A task that ``needs_service`` not needs no credentials, and gets ``write`` for the client.
    ``empty`` are the values of a result that has none, so that a task which fails early has the same keys.
    """

    spec: Callable[[], Spec]
    check: Callable[[Arguments, bool], Iterable[Violation]]
    run: Callable[[Arguments, Any, bool, bool], Result]
    nullable_options: tuple[str, ...] = ()
    needs_service: bool = True
    empty: Mapping[str, Any] = {}

    def validate(self, given: Arguments, check_mode: bool) -> Checked:
        """Check the raw arguments of a task."""
        return check(self.spec, given, self.nullable_options, lambda values: self.check(values, check_mode))

    def failed(self, error: EciError) -> dict[str, Any]:
        """Return the values of a result without any but the error."""
        return {**self.empty, "changed": False, "msg": error.message, "failure": error.failure()}

    def refused(self, message: str) -> dict[str, Any]:
        """Return the values of a task that was not begun, since its arguments or the machine do not allow it."""
        return self.failed(InvalidArguments(message))


def perform(
    task: Task,
    arguments: Arguments,
    check_mode: bool,
    diff_mode: bool,
    connect: Callable[[Connection, int], Transport] = Transport,
    write: Callable[[str], None] | None = None,
) -> Result:
    """Perform a task with validated arguments; ``write`` takes progress lines.

    A signal cancels a task that uses the service. A task that does not only reads, so it is simply interrupted.
    """
    warnings: list[str] = []
    redact: Redact = str
    cancellation = Cancellation()
    try:
        redact = redactor(secrets(task.spec(), arguments))
        if task.needs_service:
            target = connection(arguments)
            warnings = target.warnings
            transport = connect(target, max(POOL_SIZE, arguments.get("concurrency", 0)))
            client = Client(transport, redact=redact, write=write, cancellation=cancellation)
            with cancel_on_signals(cancellation):
                result = task.run(arguments, client, check_mode, diff_mode)
        else:
            result = task.run(arguments, write, check_mode, diff_mode)
    except EciError as error:
        result = Result(task.failed(error), failed=True)
    except Exception as error:  # noqa: BLE001  a result, no traceback
        result = Result(task.failed(internal_error(error, redact)), failed=True)
    result.values.setdefault("failure", None)
    result.warnings = [printable(warning) for warning in warnings + result.warnings]
    result.cancelled_by = cancellation.reason
    return result
