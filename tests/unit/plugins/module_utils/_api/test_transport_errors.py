# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts and the kinds of the errors where no reply came. What comes about over real sockets is in test_http.py."""

from __future__ import annotations

import errno
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport_errors
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport_errors import transport_error
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError
from tests.unit.plugins.emulated import MakeClient

from .servers import CREATE, answering, failing, page

ROOT = Path(__file__).resolve().parents[5]
HOST = "https://eci.example"
SECRET = "sk-Pl4nted"
POOL = HTTPConnectionPool("h")


def redact(text: str) -> str:
    return text.replace(SECRET, "********")


def error_of(error: Exception) -> EciError:
    return transport_error(error, HOST, 30.0, "Check endpoint.", redact)


class CertificateError(ValueError):
    """As urllib3 has one of its own."""


def not_trusted(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "bad")
    error.verify_code = code
    return error


def raised(error: Exception, cause: Exception) -> Exception:
    """An error that came about while another was handled."""
    error.__context__ = cause
    return error


UNTRUSTED = f"No trusted TLS connection to {HOST}: bad. "
OTHER_HOST = "It is for another host: check the address, and whether a proxy or DNS record points elsewhere."
NOT_IN_TIME = f"Cannot connect to {HOST} within 30 s (option timeout). Check endpoint."
PROXY = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
SLOW = f"No complete reply from {HOST} within 30 s (option timeout)."
BROKEN = f"The connection to {HOST} was lost: "
NO_TLS = f"The TLS connection to {HOST} failed: bad. If the server has no TLS, begin the address with http://."
RESET = ConnectionResetError("bad")
TUNNEL = OSError("Tunnel connection failed: 403 Forbidden")
CASES: list[tuple[Exception, type[EciError], str, str]] = [
    # no connection
    (raised(NewConnectionError(POOL, "x"), OSError(111, "bad")), errors.Unreachable, NONE, f"Cannot connect to {HOST}: [Errno 111] bad. Check endpoint."),
    (socket.gaierror(-2, "bad"), errors.Unreachable, NONE, f"Cannot connect to {HOST}: [Errno -2] bad. Check endpoint."),
    (raised(ConnectTimeoutError(POOL, "x"), TimeoutError("timed out")), errors.Unreachable, NONE, NOT_IN_TIME),
    (raised(NewConnectionError(POOL, "x"), TimeoutError(110, "bad")), errors.Unreachable, NONE, f"Cannot connect to {HOST}: [Errno 110] bad. Check endpoint."),
    # certificates
    (SSLError(not_trusted(10)), errors.UntrustedEndpoint, NONE, f"{UNTRUSTED}Renew the certificate, unless the clock of this machine is wrong."),
    (SSLError(not_trusted(62)), errors.UntrustedEndpoint, NONE, UNTRUSTED + OTHER_HOST),
    (SSLError(CertificateError("bad")), errors.UntrustedEndpoint, NONE, UNTRUSTED + OTHER_HOST),
    (SSLError(not_trusted(20)), errors.UntrustedEndpoint, NONE, f"{UNTRUSTED}If an authority of your own signed the certificate, give its file in ca_path."),
    # proxies
    (ProxyError("x", NewConnectionError(POOL, "bad")), errors.Unreachable, NONE, f"The proxy does not connect to {HOST}: bad. {PROXY}"),
    (ProxyError("x", SSLError(not_trusted(20))), errors.UntrustedEndpoint, NONE, f"The proxy does not connect to {HOST}: bad. {PROXY}"),
    (ProtocolError("x", TUNNEL), errors.Unreachable, NONE, f"The proxy does not connect to {HOST}: {TUNNEL}. {PROXY}"),
    (ProxyError("x", TUNNEL), errors.Unreachable, NONE, f"The proxy does not connect to {HOST}: {TUNNEL}. {PROXY}"),
    # urllib3 1 says so of a request through a proxy that was sent
    (ProxyError("Cannot connect to proxy.", RESET), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (ProxyError("Cannot connect to proxy.", TimeoutError("timed out")), errors.Unanswered, POSSIBLE, SLOW),
    # the request cannot be made
    (LocationParseError("a..b"), errors.InvalidArguments, NONE, f"Cannot build a request to {HOST}: Failed to parse: a..b."),
    (UnicodeError("bad"), errors.InvalidArguments, NONE, f"Cannot build a request to {HOST}: bad."),
    # anything else
    (ReadTimeoutError(POOL, "/", "Read timed out."), errors.Unanswered, POSSIBLE, SLOW),
    (TimeoutError("timed out"), errors.Unanswered, POSSIBLE, SLOW),
    (ProtocolError("x", TimeoutError("timed out")), errors.Unanswered, POSSIBLE, SLOW),
    (ProtocolError("x", TimeoutError(errno.ETIMEDOUT, "bad")), errors.Unanswered, POSSIBLE, f"{BROKEN}[Errno 110] bad."),
    (ProtocolError("x", RESET), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (SSLError(ssl.SSLEOFError(8, "bad")), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (SSLError(ssl.SSLError(1, "bad")), errors.UntrustedEndpoint, POSSIBLE, NO_TLS),
    (ssl.SSLError(1, "bad"), errors.UntrustedEndpoint, POSSIBLE, NO_TLS),
    (ClosedPoolError(POOL, "bad"), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (raised(HTTPError("bad"), errors.Unreachable("another request")), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (HTTPError(), errors.Unanswered, POSSIBLE, f"{BROKEN}HTTPError."),
    (ValueError("bad"), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
    (OverflowError("bad"), errors.Unanswered, POSSIBLE, f"{BROKEN}bad."),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "effect", "message"), CASES, ids=lambda value: repr(value)[:60])
def test_the_table(error: Exception, kind: type[EciError], effect: str, message: str) -> None:
    found = error_of(error)
    assert (found.__class__, found.effect, found.message) == (kind, effect, message)


def test_no_effect_is_said_of_the_connection_phase_only() -> None:
    for classes, _kind, effect, _text in transport_errors._TABLE:
        if effect == NONE:
            assert classes <= {
                "SSLCertVerificationError",
                "CertificateError",
                "tunnel refused",
                "NewConnectionError",
                "gaierror",
                "ConnectTimeoutError",
                "LocationValueError",
                "InvalidURL",
                "UnicodeError",
            }


def test_a_cause_that_was_handled_before_is_none() -> None:
    outer = raised(NewConnectionError(POOL, "bad"), LookupError("another"))
    outer.__suppress_context__ = True
    assert error_of(outer).message.startswith(f"Cannot connect to {HOST}: bad.")
    # while the failure of another request is handled: what is raised then is not about the connection of that one
    assert error_of(raised(RESET, NewConnectionError(POOL, "x"))).effect == POSSIBLE


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
    message = "Too many open files (see ulimit -n), so no connection can be made."
    assert done.stdout.strip() == f'["MachineLimit", "{message}", "none", false, 1, []]', done.stderr


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_file_that_cannot_be_opened(number: int) -> None:
    limit = OSError(number, "Too many open files")
    for error, effect in (
        (raised(NewConnectionError(POOL, "x"), limit), NONE),
        (ProtocolError("Connection aborted.", limit), POSSIBLE),
    ):
        found = error_of(error)
        assert (found.__class__, found.effect, found.retryable) == (errors.MachineLimit, effect, False)
    assert transport_errors.unusable(limit, "The CA bundle x", "y", "").__class__ is errors.MachineLimit


def test_a_name_that_cannot_be_looked_up_for_want_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = raised(NewConnectionError(POOL, "x"), socket.gaierror(-2, "Name or service not known"))
    assert error_of(unknown).__class__ is errors.Unreachable

    def refuse(*_arguments: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("os.open", refuse)
    assert error_of(unknown).__class__ is errors.MachineLimit


def test_a_process_without_memory() -> None:
    error = error_of(MemoryError())
    assert (error.__class__, error.effect, error.retryable) == (errors.MachineLimit, POSSIBLE, False)
    assert "ulimit -v" in error.message


# --- texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<urllib3.connection.HTTPConnection object at 0x7f>: it broke", "it broke"),
        ("HTTPConnection(host='h', port=80): it broke.", "it broke"),
        ("a\r\nb\tc\x0b\x1cd\x85e\u2028f", "a b c d e f"),
        (SECRET, "********"),
        ("{host} {0}", "{host} {0}"),
        ("\ud800", "\\ud800"),
        ("", "OSError"),
        (" \n", "OSError"),
    ],
    ids=ascii,
)
def test_a_text_in_one_line(text: str, shown: str) -> None:
    message = error_of(OSError(text)).message
    assert message == f"{BROKEN}{shown}."
    assert message.isprintable()


def test_what_a_proxy_repeats_is_redacted(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(page(f"403 {SECRET}")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = failing(make_client(endpoint="https://eci.invalid", retries=1, redact=redact))
    assert "403 ********" in error.message
    assert SECRET not in error.message + repr(error.failure())


@pytest.mark.parametrize("host", ["bücher.invalid", "天翼云.invalid", "a..b", "x" * 70 + ".example", ".example", "a b"])
def test_a_host_that_cannot_be_asked_for(host: str, make_client: MakeClient) -> None:
    error = failing(make_client(endpoint=f"http://{host}"), CREATE)
    assert isinstance(error, (errors.InvalidArguments, errors.Unreachable))
    assert error.effect == NONE
