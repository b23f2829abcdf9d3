# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The front door of the modules: AnsibleModule around a task. Private to the collection."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from typing import Any, Mapping, NoReturn, TextIO

from ansible.module_utils import basic

from ._api.http import HAS_REQUESTS
from ._arguments.redaction import redacted_arguments
from ._arguments.schema import HAS_JSONSCHEMA
from ._task import Task, perform

_POLL_INTERVAL = 200  # milliseconds
_WHERE = (
    "The task ran as a module in that Python, as it does with async, become or environment, or on another host. On"
    ' localhost, ansible_python_interpreter: "{{ ansible_playbook_python }}" selects the Python that runs Ansible.'
)


class _Module(basic.AnsibleModule):
    """AnsibleModule that reports all mistakes in the arguments at once, and hides secrets by place.

    AnsibleModule's own validation stops at the first mistake and may quote its value. And it hides secrets by value: it
    would blank every "eci" or "1" in a result if that is a password, image cache IDs included, and misses one that is
    quoted. Our results carry no secrets, so only the invocation has any to hide.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        super().__init__(argument_spec=task.spec(), supports_check_mode=True)
        if self._refusal:
            self.fail_json(msg=self._refusal)

    def _load_params(self) -> None:
        super()._load_params()
        internal = {key: value for key, value in self.params.items() if key.startswith("_ansible_")}
        self._given = {key: value for key, value in self.params.items() if key not in internal}
        self._refusal = _missing_library()
        if not self._refusal:
            checked = self._task.validate(self._given, internal.get("_ansible_check_mode", False))
            self._refusal = checked.report()
        # arguments that are refused are not handed to Ansible, which may stumble over them
        self.params = internal if self._refusal else {**internal, **checked.arguments}

    def exit_json(self, **kwargs: Any) -> NoReturn:
        super().exit_json(**self._safe(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        # Ansible calls this as well, for required options that were refused and not handed to it
        values = kwargs if "failure" in kwargs else self._task.refused(self._refusal or msg)
        super().fail_json(**self._safe({"msg": msg, **values}))

    def log(self, msg: str, log_args: Mapping[str, Any] | None = None) -> None:
        if log_args is not None:
            # syslog takes no NUL, and Ansible would fail with everything that it cannot log in the result
            log_args = {key: str(value).replace("\0", "\\0") for key, value in self._redacted().items()}
            msg = "Invoked with " + " ".join(f"{key}={value}" for key, value in log_args.items())
        super().log(msg, log_args=log_args)

    def _safe(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.no_log_values: set[str] = set()
        return dict(kwargs, invocation={"module_args": self._redacted()})

    def _redacted(self) -> dict[str, Any]:
        # Ansible's conversion may have made a text of a misplaced mapping
        return redacted_arguments(self._task.spec(), self._given if self._refusal else self.params)


def _missing_library() -> str:
    for present, library in ((HAS_REQUESTS, "requests >= 2.25"), (HAS_JSONSCHEMA, "jsonschema >= 4.0")):
        if not present:
            return f"{basic.missing_required_lib(library)} {_WHERE}"
    return ""


def run_module(task: Task) -> None:
    """Run a task as a module."""
    module = _Module(task)
    exit_when_stdout_closes(sys.stdout)
    result = perform(task, module.params, module.check_mode, module._diff)
    for warning in result.warnings:
        module.warn(warning)
    if result.failed:
        module.fail_json(**result.values)
    module.exit_json(**result.values)


def exit_when_stdout_closes(output: TextIO) -> None:
    """Send SIGTERM to this process when the other end of the pipe that it writes to is closed.

    When the keyword timeout ends a task, Ansible leaves its module running, and nobody would read what it did.
    """
    try:
        descriptor = output.fileno()
    except (OSError, ValueError):  # no pipe
        return
    poller = select.poll()
    poller.register(descriptor, 0)

    def watch() -> None:
        while not poller.poll(_POLL_INTERVAL):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    with contextlib.suppress(RuntimeError):  # no thread to be had: go on without
        threading.Thread(target=watch, name="stdout-watch", daemon=True).start()
