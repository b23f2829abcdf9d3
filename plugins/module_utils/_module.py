# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the modules: AnsibleModule around a task. Private to the collection."""

from __future__ import annotations

from typing import Any, NoReturn

from ansible.module_utils import basic

from ._arguments import masked, report
from ._client import HAS_REQUESTS
from ._schema import HAS_JSONSCHEMA, Violation
from ._task import Task, perform


class _Module(basic.AnsibleModule):
    """AnsibleModule that tells all mistakes in the arguments at once, and hides secrets by place.

    AnsibleModule's own check stops at the first mistake and may quote its value. And it would blank every occurrence
    of a password such as "eci" or "1" in a result, image cache IDs included; our results carry no secrets, so only
    the invocation has any to hide.
    """

    def __init__(self, task: Task) -> None:
        self._spec = task.spec()
        self._violations: list[Violation] = []
        if HAS_JSONSCHEMA:
            given = basic._load_params() or {}
            self._violations = task.check({key: value for key, value in given.items() if not key.startswith("_")})
        super().__init__(argument_spec=task.spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
        if self._violations:
            self.fail_json(msg="")

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._safe(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        super().fail_json(msg=report(self._violations) if self._violations else msg, **self._safe(kwargs))

    def _safe(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.no_log_values: set[str] = set()
        return dict(kwargs, invocation={"module_args": masked(self._spec, self.params)})


def run_module(task: Task) -> None:
    """Run a task as a module."""
    module = _Module(task)
    for present, library in ((HAS_REQUESTS, "requests"), (HAS_JSONSCHEMA, "jsonschema >= 4.0")):
        if not present:
            module.fail_json(msg=basic.missing_required_lib(library))
    result = perform(task, module.params, module.check_mode, module._diff)
    for warning in result.warnings:
        module.warn(warning)
    if result.failed:
        module.fail_json(**result.values)
    module.exit_json(**result.values)
