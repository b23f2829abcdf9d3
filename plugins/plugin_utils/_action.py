# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: a task inside the worker, without a child process. Private to the collection.

It is taken only where nothing could tell it from the module; see docs/architecture.md. The libraries are imported
here at the top, since the parent process loads an action plugin once and every worker it forks inherits them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Any, Callable, ClassVar

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import for_ansible, report
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import masked
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import HAS_JSONSCHEMA
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import Spec
from ansible_collections.ctyun.eci.plugins.module_utils._api import trust
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.auth import eop_date, signature
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import HAS_REQUESTS, Transport
from ansible_collections.ctyun.eci.plugins.module_utils._task import RETRIED, TELL_RETRIES, Task, perform

SWITCH = "ctyun_eci_in_process"
PROGRESS = "ctyun_eci_progress"
# The settings of the interpreter that leave the choice open; auto_legacy would rather have that of the system.
AUTOMATIC = ("auto", "auto_silent")
# From this verbosity on each retry is told.
VERBOSE = 3
# What ansible-core raises where the time of the keyword timeout is over; it stands in another file in each release.
TIMEOUT = "TaskTimeoutError"
# Since 2.21 ansible-core puts the invocation into a result only if it is told to.
CAN_HIDE_INVOCATION = "INJECT_INVOCATION" in constants.config.get_configuration_definitions()

# Workers inherit what the parent has found out as well: where temporary files go, what OpenSSL looks up for its first signature,
# and the authorities that are trusted. Each of the many workers of a play over many hosts would take longer for these than for a
# request.
with contextlib.suppress(OSError):
    tempfile.gettempdir()
signature("", "", "", eop_date(0), "", b"")
if HAS_REQUESTS:
    trust.prepare()

# Transports by what they connect to, those used last at the end. A worker runs all items of a loop, so these live as long
# as the loop; one over many regions or accounts shall not keep a connection open to each.
_transports: dict[tuple[Connection, int], Transport] = {}
KEPT = 4

display = Display()


class TaskAction(ActionBase):
    """Runs ``TASK`` in this process where that makes no difference, else hands over to the module."""

    TASK: ClassVar[Task]

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        switches: dict[str, bool] = {}
        for name in (SWITCH, PROGRESS):
            try:
                switches[name] = name not in variables or boolean(self._templar.template(variables[name]))
            except TypeError:
                return {**result, "failed": True, "msg": f"The variable {name} must be true or false."}
        arguments = self._with_found_files(self._task.args)
        if not (switches[SWITCH] and self._in_process(variables)):
            return self._as_module(result, arguments, variables)
        try:
            given = plain(arguments)
        except TypeError:
            return self._as_module(result, arguments, variables)
        # the title of the task does not tell which host or item a line is of, so the lines name the image caches
        say = _say if switches[PROGRESS] and not self._task.no_log else None
        result.update(self._done(given, variables, say))
        return result

    def _as_module(
        self, result: dict[str, Any], arguments: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        wrap_async = bool(self._task.async_val) and not getattr(self._connection, "has_native_async", False)
        if display.verbosity >= VERBOSE and not wrap_async:
            arguments = {**arguments, TELL_RETRIES: True}
        result.update(self._execute_module(module_args=arguments, task_vars=variables, wrap_async=wrap_async))
        self._tell_of_retries(result.pop(RETRIED, ()))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _with_found_files(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the path of a CA file as Ansible finds files, beside the role or the playbook."""
        path = arguments.get("ca_path")
        if not isinstance(path, str) or self._connection.transport != "local":
            return arguments
        path = os.path.expanduser(os.path.expandvars(path))
        if not path or os.path.isabs(path):
            return arguments
        try:
            return {**arguments, "ca_path": self._find_needle("files", path)}
        except (AnsibleError, ValueError):  # the task says that it is not there, or can be no path
            return arguments

    def _tell_of_retries(self, lines: Any) -> None:
        for line in lines:
            display.vvv(f"ctyun.eci: {line}", host=self._task.delegate_to)

    def _in_process(self, variables: dict[str, Any]) -> bool:
        return (
            HAS_REQUESTS
            and HAS_JSONSCHEMA
            and self._connection.transport == "local"
            and self._connection.become is None
            and not self._task.async_val
            and not any(self._task.environment or ())
            and self._own_interpreter(variables)
        )

    def _own_interpreter(self, variables: dict[str, Any]) -> bool:
        """Whether no other Python is asked for than the one that runs this."""
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        asked = variables.get("ansible_python_interpreter")
        if asked is None:
            asked = constants.config.get_config_value("INTERPRETER_PYTHON", variables={})
        if asked not in AUTOMATIC:
            asked = self._templar.template(asked)
        return asked in AUTOMATIC or asked == sys.executable

    def _invocation(self, spec: Spec, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if CAN_HIDE_INVOCATION and not constants.config.get_config_value("INJECT_INVOCATION", variables=variables):
            return {}
        return {"invocation": {"module_args": masked(spec, arguments)}}

    def _done(
        self, given: dict[str, Any], variables: dict[str, Any], say: Callable[[str], None] | None
    ) -> dict[str, Any]:
        """What the module would have printed."""
        task, spec = self.TASK, self.TASK.spec()
        violations = task.check(given, bool(self._task.check_mode))
        if violations:
            return {"failed": True, "msg": report(violations), **self._invocation(spec, given, variables)}
        validation = ArgumentSpecValidator(spec).validate(for_ansible(spec, given, task.told))
        arguments = validation.validated_parameters
        invocation = self._invocation(spec, arguments, variables)
        if validation.error_messages:
            return {"failed": True, "msg": validation.error_messages[0], **invocation}
        done = perform(task, arguments, self._task.check_mode, self._task.diff, _transport, say)
        self._tell_of_retries(done.retried)
        values = {**done.values, **invocation}
        if done.failed:
            values["failed"] = True
        if done.warnings:
            values["warnings"] = done.warnings
        if type(done.ended_by).__name__ == TIMEOUT:
            # what Ansible's own result has then, for playbooks that look for it
            values["timedout"] = {"period": self._task.timeout}
        return values


def _say(line: str) -> None:
    """Tell of the progress where it cannot get into the output of a callback that writes for programs."""
    display.display(f"ctyun.eci: {line}", stderr=True)


def _transport(connection: Connection, pool_size: int) -> Transport:
    key = (connection, pool_size)
    transport = _transports.pop(key, None) or Transport(connection, pool_size)
    _transports[key] = transport
    while len(_transports) > KEPT:
        _transports.pop(next(iter(_transports))).close()
    return transport


def tell_options(task: Task) -> None:
    """Show the options of a task to ansible-lint, which calls ``main`` of an action plugin; Ansible does not.

    It knows of the options at the first level that a template may stand for any value. Below, only names are shown: a
    number there may be a template as well.
    """
    spec = {name: _named(rules) if _is_deep(rules) else rules for name, rules in task.spec().items()}
    basic.AnsibleModule(argument_spec=spec)


def _is_deep(rules: dict[str, Any]) -> bool:
    return any("options" in inner for inner in rules.get("options", {}).values())


def _named(rules: dict[str, Any]) -> dict[str, Any]:
    names = {
        name: {"type": "raw", "aliases": inner.get("aliases", []), "no_log": inner.get("no_log", False)}
        for name, inner in rules["options"].items()
    }
    return {**rules, "options": names}


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
