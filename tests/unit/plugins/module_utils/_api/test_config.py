# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options: what is wrong with them, and the one spelling of an endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection, connection
from ansible_collections.ctyun.eci.plugins.module_utils._errors import InvalidArguments

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
USER = "endpoint: must not contain a user name or password" + EXAMPLE
PATH = "endpoint: must end after the host and port; the module adds the path" + EXAMPLE


def problems(**changes: Any) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        connection({**GOOD, **changes})
    head, *lines = caught.value.message.split("\n")
    assert head == HEAD
    assert all(line.startswith("- ") for line in lines)
    assert "Pl4nted" not in caught.value.message
    return [line[2:] for line in lines]


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


def test_what_verifies_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    for ca_path in (None, str(tmp_path), str(tmp_path / "ca.pem")):
        assert connection({**GOOD, "ca_path": ca_path}).verify == (ca_path or True)
        assert connection({**GOOD, "validate_certs": False, "ca_path": ca_path}).verify is False


NO_SCHEMES = ["", "h.example", "h.example:443", "ftp://h.example", "https:h.example", "//h.example", "https://"]
NO_ADDRESSES = ["https://:443", "https://h.example:0", "https://h.example:99999", "https://h.example:x", "https://[::1"]
BLANKS = ["https://h exam.ple", "https://h.example\t", " https://h.example"]
USERS = ["https://user:Pl4nted@h.example", "https://user@h.example", "https://:Pl4nted@h.example", "https://@h.example"]
IN_THE_ENVIRONMENT = "in the environment; with become, or on another host, in the keyword environment of the task"
PATHS = [f"https://h.example{end}" for end in ("/eci/api/v1", "?x=1", "#x", "/?", "?", "#")]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        *(
            ({option: value}, f"{option}: is required; give the option, or set {variable} {IN_THE_ENVIRONMENT}")
            for option, variable in (("access_key", "CTYUN_AK"), ("secret_key", "CTYUN_SK"), ("region_id", "CTYUN_REGION_ID"))
            for value in (None, "")
        ),
        *(
            ({option: value}, f"{option}: must be plain ASCII without spaces")
            for option in ("access_key", "secret_key", "region_id")
            for value in ("Pl4nted key", "Pl4nted\n", "密钥", "r\r\nX-Evil: 1", " r", "\x7f")
        ),
        *(({"endpoint": endpoint}, NO_SCHEME) for endpoint in NO_SCHEMES),
        *(({"endpoint": endpoint}, NO_ADDRESS) for endpoint in NO_ADDRESSES + BLANKS),
        *(({"endpoint": endpoint}, USER) for endpoint in USERS),
        *(({"endpoint": endpoint}, PATH) for endpoint in PATHS),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path: there is no file or directory /nowhere/ca.pem"),
    ],
    ids=lambda value: ascii(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_every_problem_has_its_advice(changes: dict[str, Any], line: str) -> None:
    assert problems(**changes) == [line]


def test_a_relative_ca_path_means_nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("x")
    monkeypatch.chdir(tmp_path)
    text = "ca_path: must be an absolute path, or that of a file which Ansible finds with the playbook"
    assert problems(ca_path="ca.pem") == [text]


def test_all_problems_at_once() -> None:
    found = problems(access_key=None, secret_key=None, region_id="a b", endpoint="x", ca_path="/nowhere")
    assert [line.partition(":")[0] for line in found] == ["access_key", "secret_key", "region_id", "endpoint", "ca_path"]  # fmt: skip


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
    target = connection({**GOOD, "endpoint": endpoint})
    assert target.endpoint == spelled
    assert target.warnings == [] or endpoint.startswith("http:")


@pytest.mark.parametrize(
    ("endpoint", "warned"),
    [
        *((f"http://{host}", True) for host in ("h.example", "10.0.0.1", "128.0.0.1", "[2001:db8::1]", "localhost.a")),
        *((f"HTTP://{host}", True) for host in ("h.example:8080", "127.0.0.1.example")),
        *((f"http://{host}", False) for host in ("localhost", "LOCALHOST:80", "127.0.0.1:80", "127.9.9.9", "[::1]:80")),
    ],
)
def test_plain_http_warns_but_for_the_own_machine(endpoint: str, warned: bool) -> None:
    warnings = connection({**GOOD, "endpoint": endpoint}).warnings
    assert len(warnings) == warned
    if warned:
        assert f"The endpoint {endpoint.lower()} is plain HTTP" in warnings[0]
        assert "Use https://." in warnings[0]
