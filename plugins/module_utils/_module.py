# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the modules: AnsibleModule around a task. Private to the collection."""

from __future__ import annotations

from typing import Any, Mapping, NoReturn

from ansible.module_utils import basic

from ._options.arguments import masked, report
from ._options.schema import HAS_JSONSCHEMA
from ._service.transport import HAS_REQUESTS
from ._task import Task, perform


class _Module(basic.AnsibleModule):
    """AnsibleModule that tells all mistakes in the arguments at once, and hides secrets by place.

    AnsibleModule's own check stops at the first mistake and may quote its value. And it hides secrets by value: it
    would blank every "eci" or "1" in a result if that is a password, image cache IDs included, and misses one that is
    quoted. Our results carry no secrets, so only the invocation has any to hide.
    """

    def __init__(self, task: Task) -> None:
        self._spec = task.spec()
        given = basic._load_params() or {}
        self._given = {key: value for key, value in given.items() if not key.startswith("_ansible_")}
        self._refusal = _refusal(task, self._given)
        try:
            super().__init__(argument_spec=task.spec(), supports_check_mode=True)
        except (TypeError, ValueError, ArithmeticError):  # Ansible's check, of what it does not expect
            if not self._refusal:
                raise
        if self._refusal:
            self.fail_json(msg=self._refusal)

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._safe(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        super().fail_json(msg=self._refusal or msg, **self._safe(kwargs))

    def log(self, msg: str, log_args: Mapping[str, Any] | None = None) -> None:
        if log_args is not None:
            log_args = {key: str(value) for key, value in self._masked().items()}
            msg = "Invoked with " + " ".join(f"{key}={value}" for key, value in log_args.items())
        super().log(msg, log_args=log_args)

    def _safe(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.no_log_values: set[str] = set()
        return dict(kwargs, invocation={"module_args": self._masked()})

    def _masked(self) -> dict[str, Any]:
        # Ansible's conversion may have made a text of a misplaced mapping, so what is refused is shown as it was given
        return masked(self._spec, self._given if self._refusal else self.params)


def _refusal(task: Task, given: Mapping[str, Any]) -> str | None:
    """Why a task cannot be done here at all, or None."""
    for present, library in ((HAS_REQUESTS, "requests"), (HAS_JSONSCHEMA, "jsonschema >= 4.0")):
        if not present:
            return str(basic.missing_required_lib(library))
    violations = task.check(given)
    return report(violations) if violations else None


def run_module(task: Task) -> None:
    """Run a task as a module."""
    module = _Module(task)
    result = perform(task, module.params, module.check_mode, module._diff)
    for warning in result.warnings:
        module.warn(warning)
    if result.failed:
        module.fail_json(**result.values)
    module.exit_json(**result.values)
