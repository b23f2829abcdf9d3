# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import InvalidArguments
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import connection_spec
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection, connection

GOOD: dict[str, Any] = {
    "access_key": "ak-Pl4nted",
    "secret_key": "sk-Pl4nted",
    "region_id": "bb9fdb42056f11eda1610242ac110002",
    "endpoint": "https://eci-global.ctapi.ctyun.cn",
    "validate_certs": True,
    "ca_path": None,
    "timeout": 30.0,
    "retries": 5,
    "retry_max_delay": 30.0,
}
HEAD = "The service cannot be reached with these arguments:"
EXAMPLE = "; write for example https://eci-global.ctapi.ctyun.cn"
NO_ADDRESS = "endpoint: is not an address" + EXAMPLE
NO_SCHEME = "endpoint: must begin with https:// (or http://)" + EXAMPLE
USER = "endpoint: must not carry a user name or password" + EXAMPLE
PATH = "endpoint: must end after the host and port, the paths are added here" + EXAMPLE


def problems(**changes: Any) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        connection({**GOOD, **changes})
    head, *lines = caught.value.message.split("\n")
    assert head == HEAD
    assert all(line.startswith("- ") for line in lines)
    assert "Pl4nted" not in caught.value.message
    return [line[2:] for line in lines]


def test_the_arguments_are_those_of_the_spec() -> None:
    assert set(GOOD) == set(connection_spec())


def test_what_a_connection_holds() -> None:
    target = connection({**GOOD, "endpoint": "https://h.example:8443/", "retries": 0})
    assert target.endpoint == "https://h.example:8443"
    assert (target.access_key, target.secret_key, target.region_id) == tuple(list(GOOD.values())[:3])
    assert (target.timeout, target.retries, target.retry_max_delay) == (30.0, 0, 30.0)
    assert target.verify is True
    assert target.warnings == []


def test_a_connection_does_not_show_its_secrets() -> None:
    target = connection(GOOD)
    assert "Pl4nted" not in f"{target!r} {target!s} {[target]}"
    assert target == Connection(**vars(target))


@pytest.mark.parametrize(
    ("validate_certs", "ca", "verify"), [(True, False, True), (False, False, False), (False, True, False)]
)
def test_verify(validate_certs: bool, ca: bool, verify: Any, tmp_path: Path) -> None:
    ca_path = str(tmp_path) if ca else None
    assert connection({**GOOD, "validate_certs": validate_certs, "ca_path": ca_path}).verify is verify


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_ca_path_is_a_file_or_a_directory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ca"
    path.mkdir() if kind == "directory" else path.write_text("x")
    assert connection({**GOOD, "ca_path": str(path)}).verify == str(path)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"access_key": None}, ["access_key: is required; give the option or set CTYUN_AK in the environment"]),
        ({"secret_key": ""}, ["secret_key: is required; give the option or set CTYUN_SK in the environment"]),
        ({"region_id": None}, ["region_id: is required; give the option or set CTYUN_REGION_ID in the environment"]),
        ({"access_key": "Pl4nted key"}, ["access_key: must be plain ASCII without spaces"]),
        ({"secret_key": "Pl4nted\n"}, ["secret_key: must be plain ASCII without spaces"]),
        ({"secret_key": "密钥"}, ["secret_key: must be plain ASCII without spaces"]),
        ({"region_id": "r\r\nX-Evil: 1"}, ["region_id: must be plain ASCII without spaces"]),
        ({"region_id": " r"}, ["region_id: must be plain ASCII without spaces"]),
        ({"region_id": "\x7f"}, ["region_id: must be plain ASCII without spaces"]),
        ({"endpoint": ""}, [NO_SCHEME]),
        ({"endpoint": "eci-global.ctapi.ctyun.cn"}, [NO_SCHEME]),
        ({"endpoint": "eci-global.ctapi.ctyun.cn:443"}, [NO_SCHEME]),
        ({"endpoint": "ftp://h.example"}, [NO_SCHEME]),
        ({"endpoint": "https:h.example"}, [NO_SCHEME]),
        ({"endpoint": "//h.example"}, [NO_SCHEME]),
        ({"endpoint": "https://"}, [NO_SCHEME]),
        ({"endpoint": "https://:443"}, [NO_ADDRESS]),
        ({"endpoint": "https://h.example:0"}, [NO_ADDRESS]),
        ({"endpoint": "https://h.example:99999"}, [NO_ADDRESS]),
        ({"endpoint": "https://h.example:port"}, [NO_ADDRESS]),
        ({"endpoint": "https://[::1"}, [NO_ADDRESS]),
        ({"endpoint": "https://h exam.ple"}, [NO_ADDRESS]),
        ({"endpoint": "https://h.example\t"}, [NO_ADDRESS]),
        ({"endpoint": " https://h.example"}, [NO_ADDRESS]),
        ({"endpoint": "https://user:Pl4nted@h.example"}, [USER]),
        ({"endpoint": "https://user@h.example"}, [USER]),
        ({"endpoint": "https://:Pl4nted@h.example"}, [USER]),
        ({"endpoint": "https://@h.example"}, [USER]),
        ({"endpoint": "https://h.example/eci/api/v1"}, [PATH]),
        ({"endpoint": "https://h.example?x=1"}, [PATH]),
        ({"endpoint": "https://h.example#x"}, [PATH]),
        ({"endpoint": "https://h.example/?"}, [PATH]),
        ({"endpoint": "https://h.example?"}, [PATH]),
        ({"endpoint": "https://h.example#"}, [PATH]),
        ({"ca_path": "/nowhere/ca.pem"}, ["ca_path: there is no file or directory /nowhere/ca.pem"]),
    ],
    ids=lambda value: ascii(value) if isinstance(value, dict) else "",
)
def test_every_problem_has_its_advice(changes: dict[str, Any], lines: list[str]) -> None:
    assert problems(**changes) == lines


def test_a_relative_ca_path_means_nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert problems(ca_path="ca.pem") == [
        "ca_path: must be an absolute path, or that of a file which Ansible finds with the playbook"
    ]


def test_all_problems_at_once() -> None:
    found = problems(access_key=None, secret_key=None, region_id="a b", endpoint="x", ca_path="/nowhere")
    assert [line.partition(":")[0] for line in found] == ["access_key", "secret_key", "region_id", "endpoint", "ca_path"]  # fmt: skip


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://h.example",
        "HTTPS://H.example",
        "https://h.example/",
        "https://h.example:21443",
        "https://[2001:db8::1]:443",
        "https://10.0.0.1",
        "https://镜像.example",
    ],
)
def test_good_endpoints(endpoint: str) -> None:
    target = connection({**GOOD, "endpoint": endpoint})
    assert target.endpoint.startswith("https://")
    assert target.warnings == []


@pytest.mark.parametrize(
    ("endpoint", "spelled"),
    [
        ("https://h.example", "https://h.example"),
        ("HTTPS://H.Example", "https://h.example"),
        ("https://h.example/", "https://h.example"),
        ("https://h.example///", "https://h.example"),
        ("https://h.example:443", "https://h.example"),
        ("https://H.EXAMPLE:443/", "https://h.example"),
        ("https://h.example:", "https://h.example"),
        ("https://h.example:08443", "https://h.example:8443"),
        ("https://h.example:80", "https://h.example:80"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
        ("https://[fe80::1%Eth0]:8443", "https://[fe80::1%Eth0]:8443"),
        ("https://镜像.example:443", "https://镜像.example"),
        # whether these are the same place only the network knows
        ("http://localhost", "http://localhost"),
        ("https://h.example.", "https://h.example."),
    ],
)
def test_one_place_has_one_spelling(endpoint: str, spelled: str) -> None:
    assert connection({**GOOD, "endpoint": endpoint}).endpoint == spelled


@pytest.mark.parametrize(
    ("endpoint", "warned"),
    [
        ("http://h.example", True),
        ("HTTP://h.example:8080", True),
        ("http://10.0.0.1", True),
        ("http://128.0.0.1", True),
        ("http://[2001:db8::1]", True),
        ("http://localhost.example", True),
        ("http://127.0.0.1.example", True),
        ("http://localhost", False),
        ("http://LOCALHOST:80", False),
        ("http://127.0.0.1:8080", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:8080", False),
    ],
)
def test_plain_http_warns_but_for_the_own_machine(endpoint: str, warned: bool) -> None:
    warnings = connection({**GOOD, "endpoint": endpoint}).warnings
    assert len(warnings) == warned
    if warned:
        assert f"The endpoint {endpoint.lower()} is plain HTTP" in warnings[0]
        assert "Use https://." in warnings[0]
