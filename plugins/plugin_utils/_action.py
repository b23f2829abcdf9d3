# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the action plugins: a task inside the worker, without a child process. Private to the collection.

It is taken only where its result equals that of the module. The libraries are imported at the top, since the parent process
loads an action plugin once and every worker that it forks inherits them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Any, ClassVar, Iterator, Mapping

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.ctyun.eci.plugins.plugin_utils import _warm_up
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.http import HAS_REQUESTS
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import redacted_arguments
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import HAS_JSONSCHEMA
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import TAGS
from ansible_collections.ctyun.eci.plugins.module_utils._cancel import TIMEOUT
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task, perform

SWITCH = "ctyun_eci_in_process"
PROGRESS = "ctyun_eci_progress"
AUTOMATIC = ("auto", "auto_silent")  # interpreters; auto_legacy prefers that of the system
# Since 2.21 ansible-core puts the invocation into a result only if it is asked to.
CAN_HIDE_INVOCATION = "INJECT_INVOCATION" in constants.config.get_configuration_definitions()
# Transports that are kept for the next items of a loop.
KEPT = 4

GROUP = "group/ctyun.eci.eci"
# What the keyword environment may set in process: it is read for each task, and by nothing else here.
OWN_VARIABLE = re.compile(
    "(?:(?:https?|no|all)_proxy)|(?:requests|curl)_ca_bundle|(?:ctyun|ctapi)_[a-z_]+", re.IGNORECASE
)

# Since 2.19 a worker has no stderr of its own. This file is loaded before the workers are forked.
try:
    _STDERR = os.dup(2)
except OSError:  # it is closed
    _STDERR = -1

# By connection, size of the pool, and what the keyword environment sets; the one used last at the end.
_transports: dict[tuple[Any, ...], Transport] = {}
_environment_now: dict[str, str] = {}
_PLAIN: tuple[tuple[type, Any], ...] = ((str, str.__str__), (int, int), (float, float))
display = Display()


class TaskAction(ActionBase):
    """Runs ``TASK`` in this process where that makes no difference, else hands over to the module."""

    TASK: ClassVar[Task]
    _supports_async = True

    def __init_subclass__(cls) -> None:
        _warm_up.THREAD.join()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        switches: dict[str, bool] = {}
        for name in (SWITCH, PROGRESS):
            given = variables[name] if name in variables else os.environ.get(name.upper()) or True
            try:
                switches[name] = boolean(self._templar.template(given))
            except TypeError:
                refusal = f"The variable {name} must be true or false."
                return {**result, **self.TASK.refused(refusal), "failed": True}
        arguments, refusal = self._with_defaults(self._task.args)
        if refusal:
            return {**result, **self.TASK.refused(refusal), "failed": True}
        arguments = self._with_found_ca(arguments)
        environment: dict[str, Any] = {}
        if any(self._task.environment or ()):
            self._compute_environment_string(environment)
        try:
            given = plain(arguments) if switches[SWITCH] and self._in_process(variables, environment) else None
        except TypeError:  # the module's own way in may know that type
            given = None
        if given is not None:
            with _environment(environment):
                return {**result, **self._perform(given, variables, switches[PROGRESS] and not self._task.no_log)}
        wrap_async = bool(self._task.async_val) and not getattr(self._connection, "has_native_async", False)
        result.update(self._execute_module(module_args=arguments, task_vars=variables, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _with_defaults(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the arguments without the defaults that the task gives in another spelling; a refusal if there is one."""
        merged: dict[str, Any] = {}
        for given in self._task.module_defaults or ():
            merged.update(given)
        found = [merged.get(name) or {} for name in (GROUP, str(self._task.resolved_action))]
        of_group, own = (one if isinstance(one, dict) else self._templar.template(one) for one in found)
        defaults = {**of_group, **own}
        spellings: dict[str, tuple[str, ...]] = {}
        for option, rules in self.TASK.spec().items() if defaults else ():
            names = (option, *rules.get("aliases", ()))
            spellings.update((name, names) for name in names)
        unknown = [name for name in arguments if name in of_group and name not in spellings]
        if unknown:
            text = (
                f"{', '.join(unknown)}: is not an option of {self._task.resolved_action}, but module_defaults sets it"
            )
            return {}, f"{text} for {GROUP}. Nothing was sent. Set it for the modules that have it."
        given = [name for name in arguments if name in spellings]
        if len({spellings[name] for name in given}) == len(given):
            return arguments, ""
        # another value than that of the default is the task's
        theirs = {
            name for name in given if name in defaults and arguments[name] == self._templar.template(defaults[name])
        }
        tasks = {spelling for name in given if name not in theirs for spelling in spellings[name]}
        return {name: value for name, value in arguments.items() if name not in theirs & tasks}, ""

    def _with_found_ca(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Replace a relative ca_path by the file that Ansible finds, beside the role or the playbook."""
        path = arguments.get("ca_path")
        path = os.path.expanduser(os.path.expandvars(path)) if isinstance(path, str) else ""
        if not path or os.path.isabs(path) or self._connection.transport != "local":
            return arguments
        try:
            return {**arguments, "ca_path": self._find_needle("files", path)}
        except (AnsibleError, ValueError):  # the task reports that there is none, or that it cannot be a path
            return arguments

    def _in_process(self, variables: dict[str, Any], environment: dict[str, Any]) -> bool:
        """Return True if the module would run on this machine, as this user, with this Python and environment."""
        if self._connection.transport != "local" or self._connection.become:
            return False
        if not all(OWN_VARIABLE.fullmatch(str(name)) for name in environment):
            return False
        if not (HAS_REQUESTS and HAS_JSONSCHEMA) or self._task.async_val:
            return False
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        asked = variables.get("ansible_python_interpreter")
        if asked is None:
            asked = constants.config.get_config_value("INTERPRETER_PYTHON", variables={})
        if asked not in AUTOMATIC:
            asked = self._templar.template(asked)
        return asked in AUTOMATIC or asked == sys.executable

    def _perform(self, given: dict[str, Any], variables: dict[str, Any], progress: bool) -> dict[str, Any]:
        """Return the result that the module would print."""
        checked = self.TASK.validate(given, bool(self._task.check_mode))
        arguments, refusal = given, checked.report()
        if not refusal:
            validation = ArgumentSpecValidator(checked.spec).validate(checked.arguments)
            arguments, refusal = validation.validated_parameters, next(iter(validation.error_messages), "")
        values: dict[str, Any] = {**self.TASK.refused(refusal), "failed": True}
        if not refusal:
            write = _write if progress else None
            result = perform(self.TASK, arguments, self._task.check_mode, self._task.diff, _transport, write)
            values = {**result.values, "failed": True} if result.failed else result.values
            if result.warnings:
                values["warnings"] = result.warnings
            if result.failed and result.cancelled_by not in (None, TIMEOUT) and not self._task.no_log:
                _write_at_once(values["msg"])  # Ansible shows no result then
            if result.failed and result.cancelled_by == TIMEOUT:  # as Ansible's own result has it
                values["timedout"] = {"period": self._task.timeout}
        if not CAN_HIDE_INVOCATION or constants.config.get_config_value("INJECT_INVOCATION", variables=variables):
            values["invocation"] = {"module_args": redacted_arguments(checked.spec, arguments)}
        return values


def _write(line: str) -> None:
    # on stdout it would get into what a callback writes for programs
    display.display(f"ctyun.eci: {line}", stderr=True)


def _write_at_once(text: str) -> None:
    """Write to the terminal also where Ansible, which has been interrupted, displays nothing any more."""
    with contextlib.suppress(OSError):
        os.write(_STDERR, f"ctyun.eci: {text}\n".encode())


@contextlib.contextmanager
def _environment(variables: Mapping[str, Any]) -> Iterator[None]:
    """Set these variables of the environment for a while."""
    before = dict(os.environ)
    _environment_now.update({name: str(value) for name, value in variables.items()})
    os.environ.update(_environment_now)
    try:
        yield
    finally:
        for name in _environment_now:
            del os.environ[name]
        os.environ.update({name: before[name] for name in _environment_now if name in before})
        _environment_now.clear()


def _transport(connection: Connection, pool_size: int) -> Transport:
    key = (connection, pool_size, *sorted(_environment_now.items()))
    _transports[key] = transport = _transports.pop(key, None) or Transport(connection, pool_size)
    while len(_transports) > KEPT:
        _transports.pop(next(iter(_transports))).close()
    return transport


def show_options(task: Task) -> None:
    """Show the options of a task to ansible-lint, which calls ``main`` of an action plugin; Ansible does not.

    It knows of options at the first level that a template may stand for any value. So of deeper ones only names are shown.
    Tags may be a list or a mapping, which no type says.
    """
    spec = task.spec()
    spec.update({option: {"type": "raw"} for option in TAGS if option in spec})
    for rules in spec.values():
        inner = rules.get("options", {})
        if any("options" in suboption for suboption in inner.values()):
            rules["options"] = {
                name: {"type": "raw", "aliases": suboption.get("aliases", []), "no_log": suboption.get("no_log", False)}
                for name, suboption in inner.items()
            }
    basic.AnsibleModule(argument_spec=spec)


def plain(value: Any) -> Any:
    """Copy into the types that a module gets from JSON, without Ansible's tags. Raises TypeError for any other type."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for kind, convert in _PLAIN:
        if isinstance(value, kind):
            return convert(value)
    raise TypeError(f"{type(value).__name__} has no plain form")
