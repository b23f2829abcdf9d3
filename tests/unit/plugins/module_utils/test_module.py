# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.ansible_release import __version__
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ctyun.eci.plugins.module_utils import _module
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import HIDDEN
from ansible_collections.ctyun.eci.plugins.module_utils._errors import Failure, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result
from tests.emulator import Emulator, Fault
from tests.unit.plugins import emulated

ROOT = Path(__file__).parents[4]
PACKAGE = "ansible_collections.ctyun.eci.plugins.modules"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# ansible-core shows the invocation if it is asked to, before 2.21 always
INJECT = {"_ansible_inject_invocation": True} if tuple(map(int, __version__.split(".")[:2])) >= (2, 21) else {}

ACCESS_KEY, SECRET_KEY, PASSWORD = "AccessPl4nted", "SecretPl4nted", "PasswordPl4nted"
LOGIN = {"server": "r.example", "userName": "hello", "password": PASSWORD}
BODY: dict[str, Any] = {**emulated.BODY, "imageRegistryCredentials": [LOGIN]}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "image_cache": BODY,
    "image_caches": {"image_caches": [BODY]},
    "image_cache_info": {"name": "web"},
    "api": {"operation": "containers/describeContainerGroups", "query": {"secretKey": PASSWORD}},
    "region_info": {},
    "quota_info": {},
    "image_info": {"images": ["127.0.0.1:1/app:1"]},  # nobody listens there
}


class Ended:
    """How a module ended: its result, its exit status, what it printed and warned of, and what it logged."""

    def __init__(self, result: dict[str, Any], status: Any, said: str, logged: str) -> None:
        self.result, self.status, self.said, self.logged = result, status, said, logged
        assert "Traceback" not in said
        self.leaks = "Pl4nted" in said


Run = Callable[..., Ended]


@pytest.fixture
def run(emulator: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a module's main() in this process, against the emulator unless the arguments say otherwise.

    ``returns`` is the result of its task, which is not run then.
    """
    emulator.settings.update({"access_key": ACCESS_KEY, "secret_key": SECRET_KEY})
    monkeypatch.setitem(Client.__init__.__kwdefaults__, "clock", Clock(emulator.advance))
    monkeypatch.setitem(Client.__init__.__kwdefaults__, "uniform", lambda low, high: low)
    said: list[str] = []
    logged: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text, **_options: said.append(f"WARNING {text}"))
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, text, **options: logged.append(f"{text} {options}"))

    def run_module(name: str, returns: Result | None = None, /, **arguments: Any) -> Ended:
        said.clear()
        logged.clear()
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "region_id": emulator.settings.region_id}
        connection = {**keys, "endpoint": emulator.url, "retries": 1, **INJECT}
        given = {key: value for key, value in {**connection, **arguments}.items() if value is not ...}
        module = import_module(f"{PACKAGE}.{name}")
        if returns:
            monkeypatch.setattr(module, "TASK", module.TASK._replace(run=lambda *_: copy.deepcopy(returns)))
        with patch_module_args(copy.deepcopy(given)), pytest.raises(SystemExit) as caught:
            module.main()
        captured = capsys.readouterr()
        everything = "\n".join([captured.out, captured.err, *said])
        return Ended(json.loads(captured.out), caught.value.code, everything, "\n".join(logged))

    return run_module


DONE = Result({"changed": True, "image_cache_id": "imc-1", "diff": {"after": {"tags": "eci1"}}}, ["careful"])


def test_the_modules_are_these() -> None:
    assert sorted(ARGUMENTS) == MODULES


# --- results


def test_what_a_task_returns_is_the_result(run: Run) -> None:
    ended = run("image_cache", DONE, **BODY)
    assert ended.status == 0
    shown = ended.result.pop("invocation")["module_args"]
    assert ended.result == {**DONE.values, "failure": None}
    assert "WARNING careful" in ended.said
    assert shown["access_key"] == shown["secret_key"] == HIDDEN
    (login,) = shown["image_registry_credentials"]
    assert (login["server"], login["user_name"], login["password"]) == ("r.example", "hello", HIDDEN)
    assert shown["images"] == ["nginx:latest"]
    assert "ca_path" not in shown
    assert not ended.leaks


def test_what_a_task_that_failed_returns_is_the_result(run: Run) -> None:
    error = WaitFailed("It takes too long.")
    failed = Result({**DONE.values, "msg": error.message, "failure": error.failure()}, ["careful"], failed=True)
    ended = run("image_cache", failed, **BODY)
    assert ended.status == 1
    assert "invocation" in ended.result
    del ended.result["invocation"]
    assert ended.result == {**failed.values, "failed": True}
    assert "WARNING careful" in ended.said


@pytest.mark.parametrize("name", MODULES)
def test_every_module_over_the_emulator(name: str, run: Run, emulator: Emulator) -> None:
    ended = run(name, **ARGUMENTS[name], _ansible_check_mode=True, _ansible_diff=True)
    assert ended.status == 0
    assert ended.result["changed"] is (name in ("image_cache", "image_caches"))
    assert ended.result["failure"] is None
    assert not {"failed", "msg"} & set(ended.result)
    assert not ended.leaks
    assert emulator.service.caches() == []


@pytest.mark.parametrize("name", [name for name in MODULES if name != "image_info"])
@pytest.mark.parametrize(
    ("fault", "code", "http_status"),
    [
        (Fault("status", status=422, message="no"), "ECI.Openapi.StatusReasonInvalid", 422),
        (Fault("reset", times=None), None, None),
        (Fault("html", times=None), None, 200),
    ],
    ids=["refused", "reset", "html"],
)
def test_a_failure_has_always_the_same_keys(
    name: str, fault: Fault, code: str | None, http_status: int | None, run: Run, emulator: Emulator
) -> None:
    emulator.inject(fault)
    ended = run(name, **ARGUMENTS[name])
    assert (ended.status, ended.result["failed"], ended.result["changed"]) == (1, True, False)
    assert ended.result["msg"]
    failure = ended.result["failure"]
    assert set(failure) == set(Failure.__annotations__)
    assert (failure["code"], failure["http_status"]) == (code, http_status)
    assert failure["request_id"]
    assert not ended.leaks


def test_the_environment_fills_in_the_connection(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    own = dict.fromkeys(["access_key", "secret_key", "region_id"], ...)
    for variable, value in emulator.environment.items():
        monkeypatch.setenv(variable, value)
    ended = run("region_info", **own, endpoint=None)  # null stands for the default, so it is filled in, too
    assert ended.result["region"]["zones"] == emulator.settings.zones
    assert not ended.leaks
    for variable in ("CTYUN_AK", "CTYUN_SK", "CTYUN_ECI_ENDPOINT"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("CTAPI_AK", ACCESS_KEY)
    monkeypatch.setenv("CTAPI_SK", SECRET_KEY)
    monkeypatch.setenv("CTAPI_ECI_DOMAIN", emulator.url)
    assert run("region_info", **own, endpoint=...).status == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"access_key": ..., "secret_key": None}, ["access_key: is required", "secret_key: is required"]),
        ({"secret_key": "Pl4nted key"}, ["secret_key: must be plain ASCII"]),
        ({"endpoint": "https://user:Pl4nted@h.example"}, ["endpoint: must not contain a user name or password"]),
        ({"endpoint": "http://127.0.0.1:1"}, ["Cannot connect to http://127.0.0.1:1"]),
        ({"ca_path": "/nowhere"}, ["ca_path: there is no file"]),
        ({"access_key": "WrongPl4nted"}, ["Check access_key and secret_key"]),
    ],
    ids=["missing", "spaces", "endpoint", "refused", "ca_path", "wrong-key"],
)
def test_a_connection_that_cannot_be_made(arguments: dict[str, Any], says: list[str], run: Run) -> None:
    ended = run("region_info", **arguments)
    assert ended.status == 1
    assert all(text in ended.result["msg"] for text in says)
    assert set(ended.result["failure"]) == set(Failure.__annotations__)
    assert not ended.leaks


# --- wrong arguments


@pytest.mark.parametrize("name", MODULES)
def test_all_mistakes_are_reported_before_anything_is_sent(name: str, run: Run, emulator: Emulator) -> None:
    wrong = {"timeout": PASSWORD, "retries": [PASSWORD], "validate_certs": PASSWORD, "passwd": PASSWORD}
    ended = run(name, **ARGUMENTS[name], **wrong, access_key=..., secret_key=...)
    assert ended.status == 1
    head, *lines = ended.result["msg"].split("\n")
    assert head == "The arguments are not valid, nothing was sent:"
    assert sorted(lines) == [
        "- passwd: is not an option here",
        "- retries: must be a whole number",
        "- timeout: must be a number",
        "- validate_certs: must be true or false",
    ]
    assert emulator.sent() == []
    assert "passwd" not in ended.result["invocation"]["module_args"]


INDENTED = {"image_registry_credentials": [LOGIN]}
MISPLACED = [
    *({"imageRegistryCredentials": value} for value in (PASSWORD, [PASSWORD], LOGIN, [{"passwort": PASSWORD}])),
    *({"imageRegistryCredentials": [{**LOGIN, "password": value}]} for value in ([PASSWORD], {"x": PASSWORD})),
    *(
        {"imageRegistryCredentials": one}
        for one in (f"{PASSWORD}=", [f"{PASSWORD}=="], f'{{"password": "{PASSWORD}"}}')
    ),
    {"images": ["nginx", INDENTED]},
    {"azInfo": INDENTED},
    {"imageCacheName": INDENTED},
    {"tags": [INDENTED]},
    {"tags": [{"key": "a", "value": INDENTED}]},
    {"registry_password": PASSWORD},
    {"access_key": [ACCESS_KEY], "secret_key": {"x": SECRET_KEY}},
]


@pytest.mark.parametrize("wrong", MISPLACED, ids=lambda wrong: json.dumps(wrong)[:40])
@pytest.mark.parametrize("jsonschema", [True, False])
def test_malformed_arguments_show_no_secret(
    wrong: dict[str, Any], jsonschema: bool, run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_module, "HAS_JSONSCHEMA", jsonschema)
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    says = "The arguments are not valid, nothing was sent:\n- " if jsonschema else "(jsonschema >= 4.0)"
    assert says in ended.result["msg"]
    assert emulator.sent() == []
    assert not ended.leaks
    assert "Pl4nted" not in ended.logged


@pytest.mark.parametrize("value", [5, True, 1.5, "x", [], ["x"]], ids=str)
@pytest.mark.parametrize("option", ["azInfo", "eip"])
def test_no_mapping_where_a_mapping_belongs(option: str, value: Any, run: Run) -> None:
    """Ansible stumbles over some of these."""
    ended = run("image_cache", **{**BODY, option: value})
    assert ended.status == 1
    assert f"- {option}: must be a mapping" in ended.result["msg"]


@pytest.mark.parametrize("size", [float("inf"), float("nan"), 10**400], ids=["inf", "nan", "10^400"])
def test_numbers_beyond_numbers(size: Any, run: Run) -> None:
    ended = run("image_cache", **{**BODY, "imageCacheSize": size, "timeout": size})
    assert ended.status == 1
    assert "- timeout: must be " in ended.result["msg"]


@pytest.mark.parametrize("wrong", [{"name": None}, {"name": "b"}, {"image_cache_name": None, "imageCacheName": None}])
def test_an_option_by_two_of_its_names_is_refused_without_another_word(wrong: dict[str, Any], run: Run) -> None:
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    assert "is given twice, also as" in ended.result["msg"]
    assert "WARNING" not in ended.said
    assert "are set" not in ended.said  # Ansible's own warning, and it would pick one


def test_null_stands_for_the_default(run: Run) -> None:
    names = ["state", "purge_tags", "drift", "wait", "wait_timeout", "validate_certs", "timeout", "ca_path", "retries"]
    ended = run("image_cache", DONE, **BODY, **dict.fromkeys(names))
    assert ended.status == 0
    shown = ended.result["invocation"]["module_args"]
    assert (shown["state"], shown["drift"], shown["timeout"], shown["retries"]) == ("present", "warn", 30.0, 5)
    assert run("image_caches", DONE, image_caches=[BODY], concurrency=None, prune=None, prune_tags=None).status == 0


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("name", ["image_cache", "image_caches", "image_cache_info"])
def test_an_empty_id_is_refused_but_in_check_mode(name: str, nothing: str | None, run: Run) -> None:
    by_id: dict[str, Any] = {"image_cache_id": nothing}
    given = {"image_caches": [by_id]} if name == "image_caches" else by_id
    assert "image_cache_id: must not be empty" in run(name, DONE, **given).result["msg"]
    assert run(name, DONE, **given, _ansible_check_mode=True).result["image_cache_id"] == "imc-1"


# --- secrets

TRICKY = ["1", "eci", "imc", "true", "Pl4nted\"\\'quoted", "Pl4nted with blanks", "Pl4nted密码", "Pl4nted\\n"]


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("password", TRICKY)
def test_no_password_blanks_a_result_and_none_is_logged(password: str, failed: bool, run: Run) -> None:
    body = {**BODY, "imageRegistryCredentials": [{**LOGIN, "password": password}]}
    for name, given in (("image_cache", body), ("image_caches", {"image_caches": [body]})):
        ended = run(name, Result({**DONE.values, "msg": "imc-1 eci true"}, failed=failed), **given)
        assert (ended.status, ended.result["failed"] if failed else False) == (int(failed), failed)
        assert {key: ended.result[key] for key in DONE.values} == DONE.values
        assert ended.result["msg"] == "imc-1 eci true"
        assert "****" not in json.dumps(ended.result)
        assert not ended.leaks
        assert "Invoked with" in ended.logged
        assert "Pl4nted" not in ended.logged


def test_the_log_gets_no_nul(run: Run) -> None:
    """Ansible would quote what it could not log."""
    logged = run("image_cache", **{**BODY, "imageCacheName": "we\0b"}).logged
    assert "we\\0b" in logged
    assert "\0" not in logged


# --- libraries that are missing


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("library", ["requests >= 2.25", "jsonschema >= 4.0"])
def test_a_library_that_is_missing_is_named(
    name: str, library: str, run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_module, f"HAS_{library.split()[0].upper()}", False)
    ended = run(name, **ARGUMENTS[name])
    assert ended.status == 1
    assert f"({library})" in ended.result["msg"]
    assert emulator.sent() == []
    assert not ended.leaks


@pytest.mark.parametrize("library", ["requests", "jsonschema"])
def test_without_a_library_the_module_still_says_so(library: str) -> None:
    """In a Python of its own, in which the library cannot be imported."""
    code = f"""
import sys
sys.modules[{library!r}] = None
sys.path.insert(0, {str(ROOT)!r})
import conftest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.ctyun.eci.plugins.modules import image_cache
with patch_module_args({{"name": "x", "access_key": {ACCESS_KEY!r}}}):
    image_cache.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    result = json.loads(done.stdout)
    assert (done.returncode, result["failed"]) == (1, True)
    assert f"({library} >= " in result["msg"]
    assert "Pl4nted" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
