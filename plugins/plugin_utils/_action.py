# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: a task inside the worker, without a child process. Private to the collection.

It is taken only where nothing could tell it from the module; see docs/architecture.md. The libraries are imported
here at the top, since the parent process loads an action plugin once and every worker it forks inherits them.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from typing import Any, ClassVar

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.module_utils._options.arguments import Spec, masked, report
from ansible_collections.ctyun.eci.plugins.module_utils._options.schema import HAS_JSONSCHEMA
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.connection import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._service.signing import eop_date, signature
from ansible_collections.ctyun.eci.plugins.module_utils._service.transport import HAS_REQUESTS
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task, perform

SWITCH = "ctyun_eci_in_process"
# Since 2.21 ansible-core puts the invocation into a result only if it is told to.
CAN_HIDE_INVOCATION = "INJECT_INVOCATION" in constants.config.get_configuration_definitions()

# Workers inherit what the parent has found out as well: where temporary files go, and what OpenSSL looks up for its
# first signature. Each of the many workers of a play over many hosts would take longer for these than for a request.
with contextlib.suppress(OSError):
    tempfile.gettempdir()
signature("", "", "", eop_date(0), "", b"")

# Clients by what they connect to. A worker runs all items of a loop, so these live as long as the loop.
_clients: dict[tuple[Connection, int], Client] = {}


class TaskAction(ActionBase):
    """Runs ``TASK`` in this process where that makes no difference, else hands over to the module."""

    TASK: ClassVar[Task]

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        if not self._in_process(variables):
            return self._as_module(result, variables)
        try:
            given = plain(self._task.args)
        except TypeError:
            return self._as_module(result, variables)
        result.update(self._done(given, variables))
        return result

    def _as_module(self, result: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        wrap_async = bool(self._task.async_val) and not getattr(self._connection, "has_native_async", False)
        result.update(self._execute_module(task_vars=variables, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _in_process(self, variables: dict[str, Any]) -> bool:
        return (
            HAS_REQUESTS
            and HAS_JSONSCHEMA
            and self._connection.transport == "local"
            and self._connection.become is None
            and not self._task.async_val
            and not any(self._task.environment or ())
            and self._own_interpreter(variables)
            and (SWITCH not in variables or boolean(self._templar.template(variables[SWITCH])))
        )

    def _own_interpreter(self, variables: dict[str, Any]) -> bool:
        """Whether no other Python is asked for than the one that runs this."""
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        asked = variables.get("ansible_python_interpreter")
        if asked is None:
            asked = constants.config.get_config_value("INTERPRETER_PYTHON", variables={})
        if not str(asked).startswith("auto"):
            asked = self._templar.template(asked)
        return str(asked).startswith("auto") or asked == sys.executable

    def _invocation(self, spec: Spec, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if CAN_HIDE_INVOCATION and not constants.config.get_config_value("INJECT_INVOCATION", variables=variables):
            return {}
        return {"invocation": {"module_args": masked(spec, arguments)}}

    def _done(self, given: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """What the module would have printed."""
        task, spec = self.TASK, self.TASK.spec()
        violations = task.check(given)
        if violations:
            return {"failed": True, "msg": report(violations), **self._invocation(spec, given, variables)}
        validation = ArgumentSpecValidator(spec).validate(given)
        arguments = validation.validated_parameters
        invocation = self._invocation(spec, arguments, variables)
        if validation.error_messages:
            return {"failed": True, "msg": validation.error_messages[0], **invocation}
        done = perform(task, arguments, self._task.check_mode, self._task.diff, _client)
        values = {**done.values, **invocation}
        if done.failed:
            values["failed"] = True
        if done.warnings:
            values["warnings"] = done.warnings
        return values


def _client(connection: Connection, pool_size: int) -> Client:
    key = (connection, pool_size)
    if key not in _clients:
        _clients[key] = Client(connection, pool_size)
    return _clients[key]


def plain(value: Any) -> Any:
    """A copy of arguments in the plain types that a module gets from JSON, without Ansible's tags on them.

    Raises TypeError for a value of any other type, which the module's own way in may know how to handle.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no plain form")
