# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.ansible_release import __version__
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ctyun.eci.plugins.module_utils import _module
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import HIDDEN
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from ansible_collections.ctyun.eci.plugins.module_utils._task import RETRIED, TELL_RETRIES
from tests.emulator import Emulator, Fault
from tests.unit.plugins import emulated

ROOT = Path(__file__).parents[4]
PACKAGE = "ansible_collections.ctyun.eci.plugins.modules"
VERSION = tuple(int(part) for part in __version__.split(".")[:2])
FAILURE = ["code", "message", "request_id", "http_status", "operation", "effect", "attempts"]

ACCESS_KEY, SECRET_KEY, PASSWORD = "AccessPl4nted", "SecretPl4nted", "PasswordPl4nted"
BODY: dict[str, Any] = {
    **emulated.BODY,
    "imageRegistryCredentials": [{"server": "r.example", "userName": "hello", "password": PASSWORD}],
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "image_cache": BODY,
    "image_caches": {"image_caches": [BODY]},
    "image_cache_info": {"name": "web"},
    "region_info": {},
    "quota_info": {},
    "wire_check": {},
    # nobody listens there
    "image_info": {"images": ["127.0.0.1:1/app:1"]},
}
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# ansible-core shows the invocation if it is asked to, before 2.21 always
INJECT_INVOCATION = {"_ansible_inject_invocation": True} if VERSION >= (2, 21) else {}
FIRST = {
    "image_cache": "describeImageCaches",
    "image_caches": "describeImageCaches",
    "image_cache_info": "describeImageCaches",
    "region_info": "region",
    "quota_info": "listUsage",
    "wire_check": "describeImageCaches",
}


class Ended:
    """How a module ended: its result, its exit status, what it said to its user and what to the machine's log."""

    def __init__(self, result: dict[str, Any], status: Any, said: str, logged: str) -> None:
        self.result = result
        self.status = status
        self.said = said
        self.logged = logged


Run = Callable[..., Ended]


@pytest.fixture
def run(emulator: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a module's main() in this process, against the emulator unless the arguments say otherwise."""
    emulator.settings.update({"access_key": ACCESS_KEY, "secret_key": SECRET_KEY})
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        emulator.advance(seconds)

    monkeypatch.setitem(Client.__init__.__kwdefaults__, "clock", Clock(sleep, lambda: sum(slept)))
    monkeypatch.setitem(Client.__init__.__kwdefaults__, "uniform", lambda low, high: low)
    said: list[str] = []
    logged: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text, **_options: said.append(f"WARNING {text}"))
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, text, **options: logged.append(f"{text} {options}"))

    def run_module(name: str, /, **arguments: Any) -> Ended:
        said.clear()
        logged.clear()
        connection: dict[str, Any] = {
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "region_id": emulator.settings.region_id,
            "endpoint": emulator.url,
            "retries": 1,
            **INJECT_INVOCATION,
        }
        given = {key: value for key, value in {**connection, **arguments}.items() if value is not ...}
        with patch_module_args(copy.deepcopy(given)), pytest.raises(SystemExit) as caught:
            importlib.import_module(f"{PACKAGE}.{name}").main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        everything = "\n".join([captured.out, captured.err, *said])
        return Ended(json.loads(captured.out), caught.value.code, everything, "\n".join(logged))

    return run_module


def nothing_leaked(ended: Ended) -> bool:
    return "Pl4nted" not in ended.said


def test_the_modules_are_these() -> None:
    assert sorted(ARGUMENTS) == MODULES


# --- success


@pytest.mark.parametrize("name", MODULES)
def test_success(name: str, run: Run, emulator: Emulator) -> None:
    ended = run(name, **ARGUMENTS[name])
    assert ended.status == 0
    assert "failed" not in ended.result
    assert ended.result["changed"] is (name in ("image_cache", "image_caches"))
    assert "msg" not in ended.result
    assert "failure" not in ended.result
    assert nothing_leaked(ended)
    # wire_check asks for an image cache that there is not
    assert all(record.status == 200 or record.operation == "describeImageCache" for record in emulator.sent())


def test_the_result_of_image_cache(run: Run, emulator: Emulator) -> None:
    first, second = run("image_cache", **BODY).result, run("image_cache", **BODY).result
    (cache,) = emulator.service.caches()
    assert (first["changed"], second["changed"]) == (True, False)
    for result in (first, second):
        assert result["image_cache_id"] == cache["imageCacheId"]
        assert result["ansible_facts"] == {"imageCacheId": cache["imageCacheId"]}
        assert result["image_cache"]["image_cache_name"] == "web"
        assert set(result) == set(first)
    assert emulator.sent("createImageCache")[0].body == BODY


def test_the_invocation_shows_the_arguments_without_secrets(run: Run) -> None:
    shown = run("image_cache", **BODY).result["invocation"]["module_args"]
    assert shown["access_key"] == shown["secret_key"] == HIDDEN
    (login,) = shown["image_registry_credentials"]
    assert (login["server"], login["user_name"], login["password"]) == ("r.example", "hello", HIDDEN)
    assert shown["images"] == ["nginx:latest"]
    assert "ca_path" not in shown


@pytest.mark.parametrize("name", ["image_cache", "image_caches"])
def test_check_mode_changes_nothing_and_diff_mode_shows_what_would_change(name: str, run: Run, emulator: Emulator) -> None:  # fmt: skip
    ended = run(name, **ARGUMENTS[name], _ansible_check_mode=True, _ansible_diff=True)
    assert ended.status == 0
    assert ended.result["changed"] is True
    assert "web" in json.dumps(ended.result["diff"])
    assert nothing_leaked(ended)
    assert emulator.service.caches() == []
    assert emulator.sent("createImageCache") == []
    assert "diff" not in run(name, **ARGUMENTS[name]).result


def test_the_environment_fills_in_the_connection(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in emulator.environment.items():
        monkeypatch.setenv(variable, value)
    ended = run("region_info", access_key=..., secret_key=..., region_id=..., endpoint=...)
    assert ended.result["region"]["zones"] == emulator.settings.zones
    assert nothing_leaked(ended)
    for variable in ("CTYUN_AK", "CTYUN_SK", "CTYUN_ECI_ENDPOINT"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("CTAPI_AK", ACCESS_KEY)
    monkeypatch.setenv("CTAPI_SK", SECRET_KEY)
    monkeypatch.setenv("CTAPI_ECI_DOMAIN", emulator.url)
    assert run("region_info", access_key=..., secret_key=..., region_id=..., endpoint=...).status == 0


# --- failure


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize(
    ("fault", "code", "http_status"),
    [
        pytest.param(Fault("status", status=422, message="no"), "ECI.Openapi.StatusReasonInvalid", 422, id="refused"),
        pytest.param(Fault("status", status=500, times=None), "ECI.Openapi.StatusReasonInternalError", 500, id="500"),
        pytest.param(Fault("reset", times=None), None, None, id="reset"),
        pytest.param(Fault("html", times=None), None, 200, id="html"),
        pytest.param(Fault("redirect", times=None), None, 302, id="redirect"),
    ],
)
def test_a_failure_has_always_the_same_keys(
    name: str, fault: Fault, code: str | None, http_status: int | None, run: Run, emulator: Emulator
) -> None:
    # wire_check takes one refusal for an answer
    emulator.inject(*[fault] * (20 if name == "wire_check" else 1))
    ended = run(name, **ARGUMENTS[name])
    assert ended.status == 1
    assert ended.result["failed"] is True
    assert ended.result["changed"] is False
    assert ended.result["msg"]
    failure = ended.result["failure"]
    assert sorted(failure) == sorted(FAILURE)
    assert (failure["code"], failure["http_status"]) == (code, http_status)
    assert failure["operation"] == FIRST[name]
    assert failure["request_id"]
    assert nothing_leaked(ended)


@pytest.mark.parametrize("name", ["image_cache", "region_info"])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"access_key": ..., "secret_key": None}, ["access_key: is required", "secret_key: is required"]),
        ({"secret_key": "Pl4nted key"}, ["secret_key: must be plain ASCII"]),
        ({"endpoint": "https://user:Pl4nted@h.example"}, ["endpoint: must not carry a user name or password"]),
        ({"endpoint": "http://127.0.0.1:1"}, ["No connection to http://127.0.0.1:1"]),
        ({"ca_path": "/nowhere"}, ["ca_path: there is no file"]),
        ({"access_key": "WrongPl4nted"}, ["Check access_key and secret_key"]),
    ],
    ids=["missing", "spaces", "endpoint", "refused", "ca_path", "wrong-key"],
)
def test_a_connection_that_cannot_be_made(
    name: str, arguments: dict[str, Any], says: list[str], run: Run, emulator: Emulator
) -> None:
    ended = run(name, **{**ARGUMENTS[name], **arguments})
    assert ended.status == 1
    assert all(text in ended.result["msg"] for text in says)
    assert sorted(ended.result["failure"]) == sorted(FAILURE)
    assert emulator.service.caches() == []
    # a password in an endpoint is no option of ours that could be hidden by its place, so only the text counts there
    assert "Pl4nted" not in ended.result["msg"]
    if "endpoint" not in arguments:
        assert nothing_leaked(ended)


def test_failures_of_this_collection_s_own(run: Run, emulator: Emulator) -> None:
    for _time in range(2):
        emulator.service.seed("web", ["other"])
    ended = run("image_cache", **BODY)
    assert sorted(ended.result["failure"]) == sorted(FAILURE)
    assert "Pick one with image_cache_id" in ended.result["msg"]
    assert ended.result["failure"]["message"] in ended.result["msg"]
    emulator.service.perform("deleteImageCache", emulator.settings.region_id, emulator.service.caches()[0]["imageCacheId"], None)  # fmt: skip
    ended = run("image_cache", **BODY, drift="fail")
    assert sorted(ended.result["failure"]) == sorted(FAILURE)
    assert [entry["option"] for entry in ended.result["drift"]] == ["images", "image_cache_size"]
    assert ended.result["image_cache_id"] == emulator.service.caches()[0]["imageCacheId"]


def test_warnings_come_out_as_warnings(run: Run, emulator: Emulator) -> None:
    emulator.service.seed("web", ["other"])
    ended = run("image_cache", **BODY)
    assert "WARNING The image cache" in ended.said
    ended = run("region_info", endpoint="http://nope.invalid", retries=0)
    assert ended.status == 1
    assert "WARNING The endpoint http://nope.invalid is plain HTTP" in ended.said


# --- wrong arguments


@pytest.mark.parametrize("name", MODULES)
def test_wrong_arguments_are_all_told_before_anything_is_sent(name: str, run: Run, emulator: Emulator) -> None:
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
    shown = ended.result["invocation"]["module_args"]
    assert "passwd" not in shown


INDENTED = [{"image_registry_credentials": BODY["imageRegistryCredentials"]}]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"imageRegistryCredentials": PASSWORD}, id="text"),
        pytest.param({"imageRegistryCredentials": [PASSWORD]}, id="list-of-text"),
        pytest.param({"imageRegistryCredentials": BODY["imageRegistryCredentials"][0]}, id="mapping"),
        pytest.param({"imageRegistryCredentials": [{"passwort": PASSWORD}]}, id="unknown-suboption"),
        pytest.param(
            {"imageRegistryCredentials": [{"server": "r", "userName": "u", "password": [PASSWORD]}]}, id="password-list"
        ),
        pytest.param(
            {"imageRegistryCredentials": [{"server": "r", "userName": "u", "password": {"x": PASSWORD}}]},
            id="password-mapping",
        ),
        pytest.param({"imageRegistryCredentials": f"{PASSWORD}="}, id="base64"),
        pytest.param({"imageRegistryCredentials": [f"{PASSWORD}=="]}, id="base64-in-list"),
        pytest.param({"imageRegistryCredentials": f'{{"password": "{PASSWORD}"}}'}, id="json-text"),
        pytest.param({"images": ["nginx", *INDENTED]}, id="indented-under-images"),
        pytest.param({"azInfo": INDENTED[0]}, id="indented-under-zone"),
        pytest.param({"imageCacheName": INDENTED[0]}, id="indented-under-name"),
        pytest.param({"tags": INDENTED}, id="indented-under-tags"),
        pytest.param({"registry_password": PASSWORD}, id="unknown-option"),
        pytest.param({"access_key": [ACCESS_KEY], "secret_key": {"x": SECRET_KEY}}, id="keys"),
        pytest.param({"timeout": "inf", "imageCacheSize": "inf"}, id="infinite"),
    ],
)
def test_malformed_arguments_show_no_secret(wrong: dict[str, Any], run: Run, emulator: Emulator) -> None:
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    assert ended.result["msg"].startswith("The arguments are not valid, nothing was sent:\n- ")
    assert emulator.sent() == []
    assert nothing_leaked(ended)


@pytest.mark.parametrize("value", [5, True, 1.5, "x", [], ["x"]], ids=str)
@pytest.mark.parametrize("option", ["azInfo", "eip"])
def test_no_mapping_where_a_mapping_belongs(option: str, value: Any, run: Run) -> None:
    ended = run("image_cache", **{**BODY, option: value})
    assert ended.status == 1
    assert f"- {option}: must be a mapping" in ended.result["msg"].split("\n")


@pytest.mark.parametrize("size", [float("inf"), float("nan"), 10**400], ids=["inf", "nan", "10^400"])
def test_numbers_beyond_numbers(size: Any, run: Run) -> None:
    ended = run("image_cache", **{**BODY, "imageCacheSize": size, "timeout": size})
    assert ended.status == 1
    assert "- timeout: must be a number" in ended.result["msg"]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"name": None}, id="null"),
        pytest.param({"name": "other"}, id="text"),
        pytest.param({"image_cache_name": None, "imageCacheName": None}, id="nulls"),
    ],
)
def test_an_option_by_two_of_its_names_is_refused_without_another_word(wrong: dict[str, Any], run: Run) -> None:
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    assert "is given twice, also as" in ended.result["msg"]
    assert "WARNING" not in ended.said
    assert "are set" not in ended.said  # Ansible's own warning, and it would pick one


def test_null_stands_for_the_default(run: Run, emulator: Emulator) -> None:
    nulls = dict.fromkeys(
        [
            *["state", "purge_tags", "drift", "wait", "wait_timeout", "wait_interval"],
            *["validate_certs", "timeout", "retry_max_delay", "ca_path"],
        ]
    )
    ended = run("image_cache", **BODY, **nulls, retries=None)
    assert (ended.status, ended.result["changed"]) == (0, True)
    shown = ended.result["invocation"]["module_args"]
    assert (shown["state"], shown["drift"], shown["timeout"], shown["retries"]) == ("present", "warn", 30.0, 5)
    ended = run("image_caches", image_caches=[BODY], concurrency=None, prune=None, prune_tags=None)
    assert (ended.status, ended.result["changed"]) == (0, False)
    assert run("image_cache_info", events=None).status == 0
    assert len(emulator.sent("createImageCache")) == 1


def test_null_for_the_endpoint_is_filled_in(run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTYUN_ECI_ENDPOINT", emulator.url)
    assert run("region_info", endpoint=None).status == 0


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_id_is_refused_and_in_check_mode_predicted(nothing: str | None, state: str, run: Run, emulator: Emulator) -> None:  # fmt: skip
    ended = run("image_cache", image_cache_id=nothing, state=state, name="web")
    assert "- image_cache_id: must not be empty" in ended.result["msg"]
    ended = run("image_cache", image_cache_id=nothing, state=state, name="web", _ansible_check_mode=True)
    assert (ended.status, ended.result["changed"]) == (0, state == "absent")
    assert ended.result["image_cache_id"] is None
    assert run("image_cache_info", imageCacheId=nothing).status == 1
    assert run("image_cache_info", imageCacheId=nothing, _ansible_check_mode=True).result["image_caches"] == []
    assert emulator.requests == []


@pytest.mark.parametrize("asked", [False, True])
def test_retries_are_in_the_result_for_who_asks(asked: bool, run: Run, emulator: Emulator) -> None:
    emulator.inject(Fault("status", "region", status=503, message=f"busy {SECRET_KEY}"))
    ended = run("region_info", **({TELL_RETRIES: True} if asked else {}), _ansible_verbosity=4)
    assert ended.status == 0
    assert (RETRIED in ended.result) is asked
    assert nothing_leaked(ended)
    if asked:
        (line,) = ended.result[RETRIED]
        assert line.startswith("attempt 1, the next one in 0.0 s: region failed: busy ********")


# --- secrets

TRICKY = [
    pytest.param("1", id="digit"),
    pytest.param("eci", id="common-word"),
    pytest.param("imc", id="part-of-every-id"),
    pytest.param("true", id="true"),
    pytest.param("Pl4nted\"\\'quoted", id="quotes"),
    pytest.param("Pl4nted with blanks", id="blanks"),
    pytest.param("Pl4nted密码", id="chinese"),
    pytest.param("Pl4nted\\n", id="backslash"),
]


@pytest.mark.parametrize("password", TRICKY)
def test_no_password_blanks_a_result(password: str, run: Run, emulator: Emulator) -> None:
    login = {"server": "r", "userName": "u", "password": password}
    ended = run("image_cache", **{**BODY, "imageRegistryCredentials": [login]}, _ansible_diff=True)
    (cache,) = emulator.service.caches()
    assert ended.result["image_cache_id"] == cache["imageCacheId"]
    assert ended.result["ansible_facts"] == {"imageCacheId": cache["imageCacheId"]}
    assert ended.result["image_cache"]["images"] == ["nginx:latest"]
    assert ended.result["changed"] is True
    assert "****" not in json.dumps(ended.result)
    assert emulator.sent("createImageCache")[0].body["imageRegistryCredentials"] == [login]
    assert "Pl4nted" not in ended.said


@pytest.mark.parametrize("password", TRICKY)
def test_no_password_blanks_the_id_in_a_failure(password: str, run: Run, emulator: Emulator) -> None:
    identifier = emulator.service.seed("web", ["other"])
    login = {"server": "r", "userName": "u", "password": password}
    ended = run("image_cache", **{**BODY, "imageRegistryCredentials": [login]}, drift="fail")
    assert ended.status == 1
    assert ended.result["image_cache_id"] == identifier
    assert ended.result["image_cache"]["image_cache_id"] == identifier
    assert "Pl4nted" not in ended.said


@pytest.mark.parametrize("password", [parameter for parameter in TRICKY if "Pl4nted" in str(parameter.values[0])])
@pytest.mark.parametrize(
    "quote",
    [str, repr, json.dumps, lambda text: json.dumps(text, ensure_ascii=False)],
    ids=["plain", "python", "json", "json-utf-8"],
)
def test_a_service_that_quotes_the_request_back(password: str, quote: Callable[[str], str], run: Run, emulator: Emulator) -> None:  # fmt: skip
    login = {"server": "r", "userName": "u", "password": password}
    text = f"cannot log in with {quote(password)} and {ACCESS_KEY} and {SECRET_KEY}"
    emulator.inject(Fault("status", "createImageCache", status=422, message=text))
    ended = run("image_cache", **{**BODY, "imageRegistryCredentials": [login]})
    assert ended.status == 1
    assert "cannot log in with" in ended.result["msg"]
    assert "Pl4nted" not in ended.said


def test_a_service_that_shows_the_password_in_an_event(run: Run, emulator: Emulator) -> None:
    body = {**BODY, "images": [f"does-not-exist/{PASSWORD}"]}
    ended = run("image_cache", **body, wait=True, wait_timeout=60)
    assert ended.status == 1
    assert "has failed" in ended.result["msg"]
    assert PASSWORD not in ended.result["msg"]
    assert PASSWORD not in json.dumps(ended.result["failure"])
    assert PASSWORD not in json.dumps(ended.result["image_cache"]["events"])


# --- the log of the machine: AnsibleModule writes down each invocation there


@pytest.mark.parametrize("password", TRICKY)
def test_the_log_gets_no_password(password: str, run: Run) -> None:
    login = {"server": "r", "userName": "u", "password": password}
    logged = run("image_cache", **{**BODY, "imageRegistryCredentials": [login]}).logged
    assert "Invoked with" in logged
    assert "Pl4nted" not in logged
    logged = run("image_caches", image_caches=[{**BODY, "imageRegistryCredentials": [login]}]).logged
    assert "Pl4nted" not in logged


def test_the_log_gets_no_nul(run: Run) -> None:
    """Ansible would tell what it could not log."""
    logged = run("image_cache", **{**BODY, "imageCacheName": "we\0b"}).logged
    assert "we\\0b" in logged
    assert "\0" not in logged


@pytest.mark.parametrize(
    "wrong",
    [
        {"images": ["nginx", *INDENTED]},
        {"imageCacheName": INDENTED[0]},
        {"tags": [{"key": "a", "value": INDENTED[0]}]},
        {"registry_password": PASSWORD},
        {"access_key": [ACCESS_KEY]},
    ],
    ids=["images", "name", "tag", "option", "key"],
)
def test_the_log_gets_no_misplaced_password(wrong: dict[str, Any], run: Run) -> None:
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    assert "Pl4nted" not in ended.logged


# --- libraries that are missing


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(
    ("flag", "library"), [("HAS_REQUESTS", "requests >= 2.25"), ("HAS_JSONSCHEMA", "jsonschema >= 4.0")]
)
def test_a_library_that_is_missing_is_named(
    name: str, flag: str, library: str, run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_module, flag, False)
    ended = run(name, **ARGUMENTS[name])
    assert ended.status == 1
    assert f"({library})" in ended.result["msg"]
    assert emulator.sent() == []
    assert nothing_leaked(ended)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": "x"},
        {"imageRegistryCredentials": [{"server": "r", "passwort": PASSWORD}]},
        {"imageRegistryCredentials": f"{PASSWORD}="},
        {"passwd": PASSWORD},
    ],
    ids=["number", "suboption", "base64", "option"],
)
def test_wrong_arguments_and_no_jsonschema(wrong: dict[str, Any], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_module, "HAS_JSONSCHEMA", False)
    ended = run("image_cache", **{**BODY, **wrong})
    assert ended.status == 1
    assert "(jsonschema >= 4.0)" in ended.result["msg"]
    assert nothing_leaked(ended)


@pytest.mark.parametrize("library", ["requests", "jsonschema"])
def test_without_a_library_the_module_still_tells_so(library: str) -> None:
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
    assert done.returncode == 1
    assert result["failed"] is True
    if library == "jsonschema":
        assert "jsonschema >= 4.0" in result["msg"]
    else:
        assert "requests" in result["msg"] or "is required" in result["msg"]
    assert "Pl4nted" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
