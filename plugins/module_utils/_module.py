# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the modules: AnsibleModule around a task. Private to the collection."""

from __future__ import annotations

import sys
from typing import Any, Mapping, NoReturn

from ansible.module_utils import basic

from ._cancel import when_nobody_listens
from ._arguments.validation import for_ansible, report
from ._arguments.redaction import masked
from ._arguments.schema import HAS_JSONSCHEMA
from ._api.transport import HAS_REQUESTS
from ._task import RETRIED, TELL_RETRIES, Task, perform


class _Module(basic.AnsibleModule):
    """AnsibleModule that tells all mistakes in the arguments at once, and hides secrets by place.

    AnsibleModule's own check stops at the first mistake and may quote its value. And it hides secrets by value: it
    would blank every "eci" or "1" in a result if that is a password, image cache IDs included, and misses one that is
    quoted. Our results carry no secrets, so only the invocation has any to hide.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._spec = task.spec()
        super().__init__(argument_spec=task.spec(), supports_check_mode=True)
        if self._refusal:
            self.fail_json(msg=self._refusal)

    def _load_params(self) -> None:
        super()._load_params()
        internal = {key: value for key, value in self.params.items() if key.startswith("_ansible_")}
        self._given = {key: value for key, value in self.params.items() if key not in internal}
        self.tells_retries = internal.pop(TELL_RETRIES, False)
        self._refusal = _refusal(self._task, self._given, internal.get("_ansible_check_mode", False))
        # what is refused is not for Ansible to look at, it may stumble over it
        self.params = (
            internal if self._refusal else {**internal, **for_ansible(self._spec, self._given, self._task.told)}
        )

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._safe(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        # Ansible calls this as well, for what is missing where it was given nothing
        super().fail_json(msg=self._refusal or msg, **self._safe(kwargs))

    def log(self, msg: str, log_args: Mapping[str, Any] | None = None) -> None:
        if log_args is not None:
            # syslog takes no NUL, and Ansible would fail with all of what it cannot log in the result
            log_args = {key: str(value).replace("\0", "\\0") for key, value in self._masked().items()}
            msg = "Invoked with " + " ".join(f"{key}={value}" for key, value in log_args.items())
        super().log(msg, log_args=log_args)

    def _safe(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.no_log_values: set[str] = set()
        return dict(kwargs, invocation={"module_args": self._masked()})

    def _masked(self) -> dict[str, Any]:
        # Ansible's conversion may have made a text of a misplaced mapping, so what is refused is shown as it was given
        return masked(self._spec, self._given if self._refusal else self.params)


def _refusal(task: Task, given: Mapping[str, Any], check_mode: bool) -> str | None:
    """Why a task cannot be done here at all, or None."""
    for present, library in ((HAS_REQUESTS, "requests >= 2.25"), (HAS_JSONSCHEMA, "jsonschema >= 4.0")):
        if not present:
            return str(basic.missing_required_lib(library))
    violations = task.check(given, check_mode)
    return report(violations) if violations else None


def run_module(task: Task) -> None:
    """Run a task as a module."""
    module = _Module(task)
    when_nobody_listens(sys.stdout)
    result = perform(task, module.params, module.check_mode, module._diff)
    for warning in result.warnings:
        module.warn(warning)
    if module.tells_retries:
        # a module has no way to print; the action plugin takes this out of the result again
        result.values[RETRIED] = result.retried
    if result.failed:
        module.fail_json(**result.values)
    module.exit_json(**result.values)
