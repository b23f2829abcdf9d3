# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said, and what to do about it, where no reply came."""

from __future__ import annotations

import errno
import importlib.util
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError, ProtocolError, ProxyError, ReadTimeoutError
from urllib3.util import connection as urllib3_connection

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    EciError,
    InvalidArguments,
    MachineLimit,
    Unanswered,
    Unreachable,
    UntrustedEndpoint,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import CREATE
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api import network
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport_errors import sending_error
from tests.emulator import Emulator
from tests.unit.plugins.module_utils._api.servers import (
    GOOD,
    Authority,
    MakeClient,
    Server,
    answering,
    failing,
    page,
)

ROOT = Path(__file__).resolve().parents[5]
CONNECTION = Connection("ak", "sk", "r", "https://eci.example", True, 30.0, 0, 0.0)
SECRET = "sk-Pl4nted"


def error_of(error: Exception, sent: bool = True) -> EciError:
    known = {"operation": "region", "request_id": "id"}
    return sending_error(error, sent, CONNECTION, known, lambda text: text.replace(SECRET, "********"))


# --- no connection


def test_a_host_that_is_not_there(make_client: MakeClient, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint="http://nope.invalid", retries=1))
    assert error.__class__ is Unreachable
    assert error.message.startswith("No connection to http://nope.invalid: [Errno -")
    assert "Check endpoint and the network." in error.message
    assert len(sleeps) == 1
    assert failing(make_client(endpoint="http://nope.invalid"), CREATE).__class__ is Unreachable
    assert len(sleeps) == 1


def test_a_port_that_is_closed(make_client: MakeClient, closed_port: int) -> None:
    error = failing(make_client(endpoint=f"http://127.0.0.1:{closed_port}", retries=0))
    assert error.__class__ is Unreachable
    assert error.message == (
        f"No connection to http://127.0.0.1:{closed_port}: [Errno 111] Connection refused. Check endpoint and the network."
    )
    assert error.failure()["message"] == error.message


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (TimeoutError("timed out"), "No connection to http://eci.example within 10 s (option timeout)."),
        (
            TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
            "No connection to http://eci.example: [Errno 110] Connection timed out. Check endpoint and the network.",
        ),
        (
            socket.gaierror(-3, "Temporary failure"),
            "No connection to http://eci.example: [Errno -3] Temporary failure. Check endpoint and the network.",
        ),
        (
            OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
            "No connection to http://eci.example: [Errno 99] Cannot assign requested address. Check endpoint and the network.",
        ),
    ],
)
def test_a_connection_that_does_not_come_about(
    raised: OSError, says: str, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise raised

    monkeypatch.setattr(urllib3_connection, "create_connection", refuse)
    error = failing(make_client(endpoint="http://eci.example", retries=0))
    assert (error.__class__, error.message) == (Unreachable, says)


def test_an_error_that_nobody_foresaw_after_the_request(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        network_request.sent = True
        raise OSError(5, "Input/output error")

    from ansible_collections.ctyun.eci.plugins.module_utils._api.wire import request as network_request

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", fail)
    error = failing(make_client(), CREATE)
    assert (error.__class__, error.effect) == (Unanswered, POSSIBLE)
    assert error.message.endswith("broke off: [Errno 5] Input/output error.")


@pytest.mark.parametrize("host", ["bücher.invalid", "天翼云.invalid"])
def test_a_host_beyond_ascii(host: str, make_client: MakeClient) -> None:
    assert failing(make_client(endpoint=f"http://{host}", retries=0)).__class__ is Unreachable


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", ".example", "*.example", "a b", "ho\\st"])
def test_a_host_that_cannot_be_asked_for(host: str, make_client: MakeClient, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint=f"http://{host}"), CREATE)
    # nothing was sent, so nothing is open; and trying again does not mend a name
    assert isinstance(error, (InvalidArguments, Unreachable))
    assert error.effect == NONE
    if isinstance(error, InvalidArguments):
        assert sleeps == []


# --- TLS

NOW = datetime.now(UTC)


def test_a_certificate_of_an_unknown_authority(make_client: MakeClient, tls: Server, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint=tls.url))
    assert error.__class__ is UntrustedEndpoint
    assert f"No trusted TLS connection to {tls.url}: " in error.message
    assert error.message.endswith("If an authority of your own signed the certificate, give its file in ca_path.")
    assert "http://" not in error.message
    assert tls.heads == []
    assert sleeps == []  # it is not tried again


@pytest.mark.parametrize("validity", ["expired", "not yet"])
def test_a_certificate_of_another_time(validity: str, make_client: MakeClient, authority: Authority) -> None:
    first, last = (-9, -1) if validity == "expired" else (1, 9)
    context = authority.context(not_before=NOW + timedelta(days=first), not_after=NOW + timedelta(days=last))
    with answering(context=context) as server:
        error = failing(make_client(endpoint=server.url, verify=authority.ca_file))
    assert error.__class__ is UntrustedEndpoint
    assert "has to renew the certificate" in error.message
    assert "clock of this machine" in error.message
    assert "ca_path" not in error.message


@pytest.mark.parametrize("name", ["other.example", "127.0.0.2"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_of_another_host(name: str, host: str, make_client: MakeClient, authority: Authority) -> None:
    with answering(context=authority.context(name)) as server:
        error = failing(make_client(endpoint=f"https://{host}:{server.port}", verify=authority.ca_file))
        assert server.heads == []
    assert error.__class__ is UntrustedEndpoint
    assert "The certificate is that of another host" in error.message
    assert "ca_path" not in error.message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("no certificate at all\n", id="text"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", id="broken"),
        pytest.param("-----BEGIN CERTIFICATE-----\n!\n", id="cut-off"),
    ],
)
@pytest.mark.parametrize("place", ["ca_path", "REQUESTS_CA_BUNDLE"])
def test_a_ca_file_that_is_none(
    content: str, place: str, make_client: MakeClient, tls: Server, tmp_path: Path, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    path = tmp_path / "ca.pem"
    path.write_text(content)
    verify: Any = str(path)
    if place != "ca_path":
        monkeypatch.setenv(place, str(path))
        verify = True
    error = failing(make_client(endpoint=tls.url, verify=verify))
    assert error.__class__ is UntrustedEndpoint
    assert error.message.endswith(
        "Check the file of authorities that ca_path, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names."
    )
    assert sleeps == []


def test_plain_http_behind_https(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint=emulator.url.replace("http://", "https://")), CREATE)
    assert error.__class__ is UntrustedEndpoint
    assert "write http://" in error.message
    assert "ca_path" not in error.message
    assert emulator.sent() == []
    assert sleeps == []


def test_tls_behind_plain_http(make_client: MakeClient, tls: Server) -> None:
    error = failing(make_client(endpoint=f"http://{tls.host}", retries=0))
    assert isinstance(error, EciError)
    assert tls.heads == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_missing_ca_file_of_the_environment(
    variable: str, make_client: MakeClient, tls: Server, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "absent.pem"
    monkeypatch.setenv(variable, str(path))
    error = failing(make_client(endpoint=tls.url))
    assert error.__class__ is InvalidArguments
    assert error.message == (
        f"No request to {tls.url} can be made: the variable {variable} of the environment names {path}, which is not there."
    )
    # where no certificate is looked at, it does no harm
    assert make_client(endpoint=server.url).call(REGION).obj == GOOD["returnObj"]
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]


def test_a_proxy_whose_certificate_is_not_trusted() -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error = error_of(ProxyError("Cannot connect to proxy.", refused), sent=False)
    assert error.__class__ is UntrustedEndpoint
    assert "The proxy does not connect to https://eci.example: " in error.message


# --- proxies


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(
    scheme: str, make_client: MakeClient, closed_port: int, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:proxy-password@127.0.0.1:{closed_port}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-password@127.0.0.1:{closed_port}")
    error = failing(make_client(endpoint=f"{scheme}{emulator.url[4:]}", retries=0))
    assert error.__class__ is Unreachable
    assert error.message.startswith("The proxy does not connect to ")
    assert "Connection refused" in error.message
    assert "NO_PROXY" in error.message
    assert "proxy-password" not in repr(error) + error.message
    assert emulator.sent() == []


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad\x0bGateway"])
def test_a_proxy_that_refuses_the_tunnel(status: str, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(page(status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        error = failing(make_client(endpoint="https://eci.invalid", retries=0), CREATE)
        assert proxy.heads[0].startswith("CONNECT eci.invalid:443 HTTP/1.")
        assert "eop-authorization" not in proxy.heads[0].lower()
    assert error.__class__ is Unreachable
    assert " ".join(status.split()) in error.message
    assert "\x0b" not in error.message


@pytest.mark.parametrize(
    ("proxy", "says"),
    [
        ("http://", ""),
        ("http://:99999999", ""),
        ("socks9://127.0.0.1:1", ""),
        ("http://[", ""),
        ("http://a..b:1", ""),
        ("http://user:proxy-password@", ""),
        ("http://user:proxy-password@[", ""),
        ("http://user:proxy-password@a:b", ""),
        ("http://user:proxy-password@h:99999999", ""),
        ("http://user:12/proxy-password@h:80", ""),
        ("socks9://user:proxy-password@127.0.0.1:1", ""),
        ("http://user:proxy-password密@127.0.0.1:1", ""),
        ("socks5://127.0.0.1:1", "SOCKS"),
        ("socks5://user:proxy-password@127.0.0.1:1", "SOCKS"),
    ],
)
def test_a_proxy_that_is_no_address(
    proxy: str, says: str, make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    error = failing(make_client(retries=0), CREATE)
    assert isinstance(error, (InvalidArguments, Unreachable))
    assert "proxy" in error.message or "a..b" in proxy
    assert says in error.message
    assert "password" not in error.message + repr(error.failure())
    assert "5bc6" not in error.message  # a letter of a password
    assert error.effect == NONE
    assert emulator.sent() == []


def test_what_a_proxy_repeats_is_searched_for_secrets(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(page(f"403 {SECRET}")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = make_client(
            endpoint="https://eci.invalid", retries=1, hide=lambda text: text.replace(SECRET, "********")
        )
        error = failing(client)
    assert "403 ********" in error.message
    assert SECRET not in error.message + repr(error.failure()) + "".join(client.retried)


# --- the limits of the machine

OUT_OF_FILES = """
import json, os, resource, socket, sys
sys.path.insert(0, {root!r})
import conftest
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock

slept = []
client = Client(Transport(Connection("ak", "sk", "r", {endpoint!r}, True, 5.0, 3, 0.0), 1), clock=Clock(slept.append))
try:
    socket.getaddrinfo("localhost", 80)  # as every process has done before that has been through much
    socket.getaddrinfo("127.0.0.1", 80)
finally:
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    try:
        while True:
            os.open(os.devnull, os.O_RDONLY)
    except OSError:
        pass
try:
    client.call(REGION)
except EciError as error:
    print(json.dumps([type(error).__name__, error.message, error.effect, error.retryable, error.attempts, slept]))
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "nope.invalid"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_too_many_open_files(scheme: str, host: str) -> None:
    code = OUT_OF_FILES.format(root=str(ROOT), endpoint=f"{scheme}://{host}:1")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    message = "This process may open no more files (see ulimit -n), so no connection can be made."
    assert done.stdout.strip() == f'["MachineLimit", "{message}", "none", false, 1, []]', done.stderr


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
@pytest.mark.parametrize("sent", [False, True])
def test_a_file_that_cannot_be_opened_later(number: int, sent: bool) -> None:
    error = error_of(ProtocolError("Connection aborted.", OSError(number, "Too many open files")), sent)
    assert error.__class__ is MachineLimit
    assert error.effect == (POSSIBLE if sent else NONE)
    assert not error.retryable


def test_a_name_that_cannot_be_looked_up_for_want_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = socket.gaierror(-2, "Name or service not known")
    assert error_of(unknown, sent=False).__class__ is Unreachable

    def refuse(*_arguments: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("os.open", refuse)
    assert error_of(unknown, sent=False).__class__ is MachineLimit


@pytest.mark.parametrize("sent", [False, True])
def test_a_process_without_memory(sent: bool) -> None:
    error = error_of(MemoryError(), sent)
    assert error.__class__ is MachineLimit
    assert error.effect == (POSSIBLE if sent else NONE)
    assert "ulimit -v" in error.message
    assert not error.retryable


# --- texts


def test_a_limit_of_the_system_is_not_called_ours() -> None:
    error = error_of(ProtocolError("Connection aborted.", TimeoutError(errno.ETIMEDOUT, "Connection timed out")))
    assert error.message == "The connection to https://eci.example broke off: [Errno 110] Connection timed out."
    for over in (TimeoutError("timed out"), ProtocolError("Connection aborted.", TimeoutError("timed out"))):
        assert error_of(over).message == "No complete reply from https://eci.example within 30 s (option timeout)."
    over = ReadTimeoutError(HTTPConnectionPool("h"), "/", "Read timed out.")
    assert "within 30 s" in error_of(over).message
    assert "No connection to https://eci.example within 30 s" in error_of(over, sent=False).message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<urllib3.connection.HTTPConnection object at 0x7f>: it broke", "it broke"),
        ("HTTPConnection(host='h', port=80): it broke.", "it broke"),
        ("a\r\nb\tc\x0b\x1cd\x85e\u2028f", "a b c d e f"),
        (f"{SECRET}", "********"),
        ("\ud800", "?"),
        ("", "OSError"),
        (" \n", "OSError"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("sent", [False, True])
def test_a_text_in_one_line(text: str, told: str, sent: bool) -> None:
    message = error_of(OSError(text), sent).message
    assert message.endswith(f": {told}.")
    assert message.isprintable()


def test_a_secret_that_shows_only_in_one_line() -> None:
    error = sending_error(OSError("got a\nsecret"), True, CONNECTION, {}, lambda text: text.replace("a secret", "***"))
    assert error.message.endswith(": got ***.")


def test_the_first_cause_is_told() -> None:
    inner = ValueError("inner")
    assert network.root_of(OSError("x", OSError(inner))) is inner
    outer = NewConnectionError(HTTPConnectionPool("h"), "text")  # type: ignore[arg-type]
    outer.__context__, outer.__suppress_context__ = LookupError("another"), True
    assert network.root_of(outer) is outer  # what it was raised in the midst of, and not from, is no cause


def test_it_can_be_imported_without_urllib3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3.exceptions", None)
    spec = importlib.util.spec_from_file_location(network.__name__ + "_alone", str(network.__file__))
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert not hasattr(alone, "HTTPError")


def test_certificates_are_not_trusted_for_their_authority_alone(tmp_path: Path, make_client: MakeClient, tls: Server) -> None:  # fmt: skip
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    assert failing(make_client(endpoint=tls.url, verify=str(other))).__class__ is UntrustedEndpoint
