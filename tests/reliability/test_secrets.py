# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that are planted in every place, and all that Ansible prints, logs and shows in the process list.

Each planted secret contains MARK, so half a secret, or an escaped one, is found as well. What Ansible itself prints is
not the collection's to hide, so the plays do not do it: an item of a loop that holds a password is printed with -v
whatever its label is (loop over something else, or set no_log), and so are literal secrets in a play's text.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ctyun.eci.plugins.module_utils import _module, _tasks
from tests.emulator import Emulator, Fault
from tests.reliability.planted import MARK
from tests.reliability.playbook import BODY, Finished, Playbook, command_lines

CREATE = "createImageCache"
PASSWORDS = [
    f"{MARK}-plain with spaces",
    f"{MARK}-\"double\"-'single'",
    f"{MARK}-\\n-{MARK}-next",
    f"{MARK}-密码-ü-\\-{{{{ curly",
    "1",
    "eci",
]
# no password may contain these, and what is refused may well be one
REFUSED = [f"{MARK}-line\n{MARK}-next", f"{MARK}-tab\t{MARK}-next"]
SECRET_KEY = f"{MARK}-secret-key"
DOORS = pytest.mark.parametrize("in_process", [True, False], ids=["worker", "module"])


def image_cache(**options: Any) -> dict[str, Any]:
    """A task that may fail."""
    failing = {"ignore_errors": True, "register": "done"}
    return {"ctyun.eci.image_cache": {**BODY, "name": "web", "retries": 0, **options}, **failing}


def credentials(password: Any = "{{ passwords[0] }}", **more: Any) -> list[dict[str, Any]]:
    return [{"server": "registry.test", "user_name": "user", "password": password, **more}]


def looped(**options: Any) -> dict[str, Any]:
    """The task once for each password, without a password in the item."""
    return {
        **image_cache(image_registry_credentials=credentials("{{ passwords[item] }}"), **options),
        "loop": list(range(len(PASSWORDS))),
        "loop_control": {"label": "number {{ item }}"},
    }


IDS_ARE_WHOLE = {
    "ansible.builtin.assert": {
        "that": [
            "done.results | map(attribute='image_cache_id') | select('match', '^imc-[a-z0-9]{16}$') | length == "
            + str(len(PASSWORDS)),
            "done.results | map(attribute='image_cache.image_cache_name') | select('match', '^eci-1') | length == "
            + str(len(PASSWORDS)),
        ]
    }
}
REQUEST_IDS_ARE_WHOLE = {
    "ansible.builtin.assert": {
        "that": "done.results | map(attribute='failure.request_id') | reject('match', '^[0-9a-f-]{36}$') | length == 0"
    }
}
SHOWN = {"ansible.builtin.debug": {"var": "done"}}


@contextmanager
def watched_process_list() -> Iterator[list[str]]:
    """The command lines with a planted secret that were seen meanwhile."""
    found: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            found.extend(line for line in command_lines() if MARK in line)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def run(
    folder: Path, emulator: Emulator, in_process: bool, tasks: list[dict[str, Any]], *arguments: str, **more: str
) -> Finished:
    variables: Mapping[str, Any] = {
        "ctyun_eci_in_process": in_process,
        # unsafe: a password that looks like a template is none
        "passwords": [{"__ansible_unsafe": password} for password in PASSWORDS],
        "refused": [{"__ansible_unsafe": password} for password in REFUSED],
    }
    playbook = Playbook(folder, {**emulator.environment, **more}, tasks, variables=variables)
    with watched_process_list() as command_lines_with_secrets:
        finished = playbook.run("-vvvv", *arguments)
    assert MARK not in finished.output, [line[:2000] for line in finished.output.splitlines() if MARK in line]
    assert command_lines_with_secrets == []
    return finished


@pytest.mark.parametrize(
    ("in_process", "arguments"),
    [(True, ("--diff",)), (True, ("--diff", "--check")), (False, ("--diff",))],
    ids=["worker", "worker-check", "module"],
)
def test_success(emulator: Emulator, tmp_path: Path, in_process: bool, arguments: tuple[str, ...]) -> None:
    tasks = [looped(name="eci-1-{{ item }}"), SHOWN]
    if "--check" not in arguments:
        tasks.append(IDS_ARE_WHOLE)
    finished = run(tmp_path, emulator, in_process, tasks, *arguments)
    assert finished.status == 0, finished.output[-3000:]
    if "--check" not in arguments:
        bodies = [record.body for record in emulator.sent(CREATE)]
        assert [body["imageRegistryCredentials"][0]["password"] for body in bodies] == PASSWORDS


WRONG: dict[str, dict[str, Any]] = {
    "another option": {"image_cache_size": "much", "image_registry_credentials": credentials()},
    "a text for the list": {"image_registry_credentials": "{{ passwords[0] }}"},
    "texts for the mappings": {"image_registry_credentials": ["{{ passwords[0] }}", "{{ passwords[1] }}"]},
    "a mapping for the list": {"image_registry_credentials": credentials()[0]},
    "a list for the password": {"image_registry_credentials": credentials(["{{ passwords[0] }}"])},
    "a mapping for the password": {"image_registry_credentials": credentials({"is": "{{ passwords[0] }}"})},
    "true for the password": {"image_registry_credentials": credentials(True, user_name="user")},
    "an unknown option": {"registry_password": "{{ passwords[0] }}"},
    "an unknown suboption": {"image_registry_credentials": [{"server": "s", "pasword": "{{ passwords[0] }}"}]},
    "twice": {
        "image_registry_credentials": credentials(),
        "imageRegistryCredentials": credentials("{{ passwords[1] }}"),
    },
    "a password with a line end": {"image_registry_credentials": credentials("{{ refused[0] }}")},
    "a password with a tab": {"image_registry_credentials": credentials("{{ refused[1] }}")},
    "a secret key with a line end": {"secret_key": "{{ refused[0] }}"},
    "a secret key that is a list": {"secret_key": ["{{ passwords[0] }}"]},
    "a secret key that is a mapping": {"secret_key": {"is": "{{ passwords[0] }}"}},
    "an access key beyond ASCII": {"access_key": "{{ passwords[3] }}"},
    "a user in the endpoint": {"endpoint": "https://user:{{ passwords[0] }}@127.0.0.1:9"},
    "az_info is a text": {"az_info": "{{ passwords[0] }}"},
    "credentials as JSON": {"image_registry_credentials": '[{{ \'{\' }}"password": "{{ passwords[0] }}"}]'},
}


@DOORS
def test_wrong_arguments(emulator: Emulator, tmp_path: Path, in_process: bool) -> None:
    # a module takes half a second, and what is wrong is told by the same code
    chosen = list(WRONG.items()) if in_process else list(WRONG.items())[::5]
    tasks = [{"name": f"web: {name}", **image_cache(**options)} for name, options in chosen]
    finished = run(tmp_path, emulator, in_process, tasks)
    assert finished.output.count("...ignoring") == len(tasks), finished.output
    assert not emulator.requests


@DOORS
def test_failures(emulator: Emulator, tmp_path: Path, in_process: bool) -> None:
    """A refused signature, an endpoint that is not there, bad TLS files, and a service that quotes the request."""
    chosen = range(len(PASSWORDS)) if in_process else range(1, 4)
    for password in [PASSWORDS[index] for index in chosen]:
        message = f"bad password {password} ({password!r})"
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message=message))
    wrong_key = {"secret_key": "{{ passwords[0] }}"}
    not_there = {"endpoint": "http://127.0.0.1:9", "timeout": 0.5}
    tls = {"endpoint": emulator.url.replace("http://", "https://")}
    tasks = [
        {**looped(name="eci-1-{{ item }}"), "loop": list(chosen)},
        REQUEST_IDS_ARE_WHOLE,
        image_cache(image_registry_credentials=credentials(), **wrong_key),
        image_cache(image_registry_credentials=credentials(), **not_there),
        image_cache(image_registry_credentials=credentials(), **tls),
        image_cache(image_registry_credentials=credentials(), **tls, ca_path="/dev/null"),
        image_cache(image_registry_credentials=credentials(), endpoint="http://[::1"),
        image_cache(image_registry_credentials=credentials(), image_cache_id="{{ passwords[0][:3] }}"),
        {"ctyun.eci.image_cache_info": wrong_key, "ignore_errors": True},
        {"ctyun.eci.quota_info": wrong_key, "ignore_errors": True},
        {
            "ctyun.eci.image_caches": {
                "image_caches": [{**BODY, "name": "web", "image_registry_credentials": credentials()}],
                **wrong_key,
            },
            "ignore_errors": True,
        },
    ]
    tasks = tasks if in_process else tasks[:4]
    finished = run(tmp_path, emulator, in_process, tasks)
    assert finished.output.count("...ignoring") == len(tasks) - 1, finished.output
    assert "Traceback" not in finished.output


def test_a_proxy_with_a_password(emulator: Emulator, tmp_path: Path) -> None:
    tasks = [image_cache(endpoint="https://eci.invalid", timeout=2), SHOWN]
    proxy = f"http://user:{MARK}@127.0.0.1:9"
    finished = run(tmp_path, emulator, True, tasks, HTTPS_PROXY=proxy, https_proxy=proxy)
    assert "proxy" in finished.output


def test_what_ansible_keeps_for_who_looks_for_mistakes(emulator: Emulator, tmp_path: Path) -> None:
    """In process it has no arguments to keep; of a module it does, see docs/authentication.md."""
    looking = {
        "ANSIBLE_DEBUG": "true",
        "ANSIBLE_KEEP_REMOTE_FILES": "true",
        "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit",
        "JUNIT_OUTPUT_DIR": str(tmp_path / "junit"),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
    }
    run(tmp_path, emulator, True, [image_cache(image_registry_credentials=credentials())], **looking)
    assert list((tmp_path / "junit").iterdir())
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
    assert [path.name for path in kept] == ["variables.json"]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("task", ["image_cache", "image_caches"])
def test_the_log_of_the_invocation(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str, task: str
) -> None:
    """What a module hands to syslog. Ansible writes nested options there as Python would show them."""
    logged: list[str] = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _module, text: logged.append(text))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    body = {**BODY, "name": "web", "image_registry_credentials": credentials(password)}
    arguments = body if task == "image_cache" else {"image_caches": [body]}
    with patch_module_args({**arguments, "secret_key": SECRET_KEY, "retries": 0}), suppress(SystemExit):
        _module.run_module(import_module(f"{_tasks.__name__}.{task}").TASK)
    assert logged
    assert MARK not in "".join(logged)
    if MARK not in password:
        assert f"'password': '{password}'" not in "".join(logged)
