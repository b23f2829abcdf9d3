# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request and what can come back, through a client and a real socket."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.response import HTTPResponse
from urllib3.util import connection as urllib3_connection

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    EciError,
    InvalidArguments,
    OpenOutcome,
    ServiceError,
    Unreachable,
    UntrustedEndpoint,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import CREATE, DESCRIBE
from ansible_collections.ctyun.eci.plugins.module_utils._region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._service import transport
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.transport import Operation
from tests.emulator import Emulator, Fault

MakeClient = Callable[..., Client]

GOOD = {"statusCode": 200, "returnObj": {"region": {"regionId": "r", "zones": ["az1"]}}}


def failing(client: Client, operation: Operation = REGION) -> EciError:
    with pytest.raises(EciError) as caught:
        client.call(operation, {"imageCacheName": "base"} if operation is CREATE else None)
    return caught.value


# --- silence and floods


@pytest.mark.parametrize("kind", ["hang", "trickle"])
@pytest.mark.parametrize("operation", [REGION, CREATE], ids=["region", "create"])
def test_a_reply_that_does_not_end_in_time(kind: str, operation: Operation, make_client: MakeClient, emulator: Emulator) -> None:  # fmt: skip
    details = {"seconds": 5.0} if kind == "hang" else {"interval": 0.05}
    emulator.inject(Fault(kind, times=None, when="after", **details))
    error = failing(make_client(timeout=0.2, retries=1 if operation.repeatable else 0), operation)
    assert isinstance(error, OpenOutcome)
    assert "within 0.2 s (option timeout)" in error.message
    assert len(emulator.sent()) == (2 if operation.repeatable else 1)
    assert error.request_id == emulator.sent()[-1].request_id


def test_a_time_out_that_the_system_cannot_count_to(make_client: MakeClient) -> None:
    client = make_client(timeout=1e300)
    try:
        client.call(REGION)
    except EciError:
        pass  # either way is good, a traceback is not


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was read from the socket's side of a reply."""
    sizes: list[int] = []
    genuine = HTTPResponse.read1

    def read1(self: HTTPResponse, *arguments: Any, **options: Any) -> bytes:
        piece = genuine(self, *arguments, **options)
        sizes.append(len(piece))
        return piece

    monkeypatch.setattr(HTTPResponse, "read1", read1)
    return sizes


def test_a_huge_reply_is_left_when_it_is_too_large(
    make_client: MakeClient, emulator: Emulator, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    emulator.inject(Fault("huge", megabytes=64))
    error = failing(make_client(retries=0))
    assert isinstance(error, OpenOutcome)
    assert "too large" in error.message
    assert 1024 * 1024 < sum(pieces) <= 1024 * 1024 + transport.CHUNK_BYTES
    # and the connection is not used again
    make_client().call(REGION)


def test_a_reply_that_is_left_is_closed(
    make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    left: list[HTTPResponse] = []
    genuine = HTTPResponse.read1

    def read1(self: HTTPResponse, *arguments: Any, **options: Any) -> bytes:
        left.append(self)
        return genuine(self, *arguments, **options)

    monkeypatch.setattr(HTTPResponse, "read1", read1)
    emulator.inject(Fault("huge", megabytes=8))
    failing(make_client(retries=0))
    assert {response.closed for response in left} == {True}


def test_a_reply_of_the_largest_size_is_read(make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    value = {"statusCode": 200, "returnObj": {"x": "y" * 5000}}
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", len(json.dumps(value)))
    emulator.inject(Fault("json", value=value))
    assert make_client(retries=0).call(REGION) == value["returnObj"]
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", len(json.dumps(value)) - 1)
    emulator.inject(Fault("json", value=value))
    assert "too large" in failing(make_client(retries=0)).message


# --- servers of other kinds

REGION_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(json.dumps(GOOD)), json.dumps(GOOD).encode())


class Wire:
    """A server on a socket that answers each request with the same bytes and notes the heads of the requests."""

    def __init__(self, answer: bytes = REGION_REPLY, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        wire = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self.request.settimeout(5)
                    peer = context.wrap_socket(self.request, server_side=True) if context else self.request
                    head = b""
                    while b"\r\n\r\n" not in head:
                        piece = peer.recv(65536)
                        if not piece:
                            return
                        head += piece
                    wire.heads.append(head.decode("latin-1"))
                    peer.sendall(answer)
                    peer.shutdown(socket.SHUT_RDWR)
                    peer.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Wire:
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as server:
        yield server


def test_an_identifier_is_one_part_of_the_path(make_client: MakeClient, wire: Wire) -> None:
    make_client(endpoint=f"http://{wire.host}").call(DESCRIBE, identifier="a/../b ?c#d%")
    path = "/eci/api/v1/imageCache/describeImageCache/a%2F..%2Fb%20%3Fc%23d%25"
    assert wire.heads[0].startswith(f"GET {path} HTTP/1.1\r\n")


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, connecting is refused
        yield taken.getsockname()[1]


def page(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"", OpenOutcome, id="nothing"),
        pytest.param(b"\x00\x01\x02 hello\r\n\r\n", OpenOutcome, id="not-http"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", OpenOutcome, id="ssh"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", OpenOutcome, id="too-many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", OpenOutcome, id="bad-chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", OpenOutcome, id="cut-chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", OpenOutcome, id="bad-length"),
        pytest.param(page("200 OK", b"not gzip", "Content-Encoding: gzip"), OpenOutcome, id="bad-gzip"),
        pytest.param(page("204 No Content"), OpenOutcome, id="204"),
        pytest.param(page("200 OK", b"{}", "Content-Type: text/html; charset=x-none"), OpenOutcome, id="odd-charset"),
        pytest.param(page("404 Not Found", b"<html>"), ServiceError, id="404-page"),
        pytest.param(page("407 Proxy Authentication Required", b"<html>"), ServiceError, id="407"),
        pytest.param(page("500 \xff\xfe", b"<html>"), OpenOutcome, id="odd-reason"),
        pytest.param(page("304 Not Modified"), ServiceError, id="304"),
        pytest.param(page("302 Found"), ServiceError, id="redirect-to-nowhere"),
        pytest.param(page("302 Found", b"", "Location: http://[bad"), ServiceError, id="redirect-to-a-bad-address"),
        pytest.param(page("302 Found", b"", "Location: http://a..b/"), ServiceError, id="redirect-to-a-bad-host"),
        pytest.param(page("302 Found", b"", "Location: \xff\xfe://"), ServiceError, id="redirect-to-bytes"),
        pytest.param(page("307 Again", b"", "Location: gopher://x"), ServiceError, id="redirect-to-another-scheme"),
    ],
)
def test_answers_that_are_no_answer(answer: bytes, kind: type[EciError], make_client: MakeClient) -> None:
    with Wire(answer) as server:
        error = failing(make_client(endpoint=f"http://{server.host}", retries=0))
        assert error.__class__ is kind
        assert len(server.heads) == 1
    assert error.operation == "region"
    assert error.request_id


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, make_client: MakeClient, wire: Wire) -> None:
    with Wire(page(f"{status} Moved", b"", f"Location: http://{wire.host}/")) as server:
        error = failing(make_client(endpoint=f"http://{server.host}"), CREATE)
        assert error.__class__ is ServiceError
        assert "redirect" in error.message
        assert len(server.heads) == 1
    assert wire.heads == []


def test_a_redirect_with_a_long_page_is_not_read_to_its_end(
    make_client: MakeClient, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 64 * 1024)
    read: list[int] = []
    genuine = HTTPResponse.read

    def count(self: HTTPResponse, *arguments: Any, **options: Any) -> bytes:
        piece = genuine(self, *arguments, **options)
        read.append(len(piece))
        return piece

    monkeypatch.setattr(HTTPResponse, "read", count)
    with Wire(page("302 Found", b"x" * 4 * 1024 * 1024, "Location: /elsewhere")) as server:
        assert failing(make_client(endpoint=f"http://{server.host}", retries=0)).__class__ is ServiceError
    assert sum(read) + sum(pieces) <= 64 * 1024 + 2 * transport.CHUNK_BYTES


def test_a_packed_reply_is_unpacked_within_bounds(
    make_client: MakeClient, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    with Wire(page("200 OK", packed, "Content-Encoding: gzip")) as server:
        assert make_client(endpoint=f"http://{server.host}").call(REGION) == GOOD["returnObj"]
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    pieces.clear()
    with Wire(page("200 OK", gzip.compress(b" " * 64 * 1024 * 1024), "Content-Encoding: gzip")) as server:
        error = failing(make_client(endpoint=f"http://{server.host}", retries=0))
    assert "too large" in error.message
    assert sum(pieces) <= 2 * 1024 * 1024


# --- no connection


def test_a_host_that_is_not_there(make_client: MakeClient, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint="http://nope.invalid", retries=1))
    assert error.__class__ is Unreachable
    assert error.message.startswith("No connection to http://nope.invalid: ")
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


@pytest.mark.parametrize("raised", [TimeoutError("timed out"), socket.gaierror(-3, "Temporary failure")])
def test_a_connection_that_does_not_come_about(
    raised: OSError, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise raised

    monkeypatch.setattr(urllib3_connection, "create_connection", refuse)
    error = failing(make_client(retries=0))
    assert error.__class__ is Unreachable
    if isinstance(raised, TimeoutError):
        assert "within 10 s (option timeout)" in error.message


def test_an_error_that_nobody_foresaw_leaves_the_outcome_open(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", fail)
    error = failing(make_client(), CREATE)
    assert error.__class__ is OpenOutcome
    assert error.message.endswith("broke off: [Errno 5] Input/output error.")


@pytest.mark.parametrize("host", ["bücher.invalid", "天翼云.invalid"])
def test_a_host_beyond_ascii(host: str, make_client: MakeClient) -> None:
    assert failing(make_client(endpoint=f"http://{host}", retries=0)).__class__ is Unreachable


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", ".example", "*.example", "a b", "ho\\st"])
def test_a_host_that_cannot_be_asked_for(host: str, make_client: MakeClient, sleeps: list[float]) -> None:
    error = failing(make_client(endpoint=f"http://{host}"))
    # nothing was sent, so nothing is open; and trying again does not mend a name
    assert isinstance(error, (InvalidArguments, Unreachable))
    if isinstance(error, InvalidArguments):
        assert sleeps == []


# --- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def tls(authority: trustme.CA) -> Iterator[Wire]:
    with Wire(context=server_context(authority, "127.0.0.1")) as server:
        yield server


def test_a_certificate_of_an_unknown_authority_is_refused(make_client: MakeClient, tls: Wire, sleeps: list[float]) -> None:  # fmt: skip
    error = failing(make_client(endpoint=f"https://{tls.host}"))
    assert error.__class__ is UntrustedEndpoint
    assert f"No trusted TLS connection to https://{tls.host}: " in error.message
    assert "ca_path" in error.message
    assert tls.heads == []
    assert sleeps == []


def test_a_certificate_is_accepted_with_ca_path(make_client: MakeClient, tls: Wire, ca_file: str) -> None:
    assert make_client(endpoint=f"https://{tls.host}", verify=ca_file).call(REGION) == GOOD["returnObj"]
    assert "eop-authorization" in tls.heads[0].lower()


@pytest.mark.filterwarnings("ignore:.*get_connection.*:DeprecationWarning")
def test_requests_before_2_32(make_client: MakeClient, tls: Wire, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.delattr(HTTPAdapter, "get_connection_with_tls_context", raising=False)
    endpoint = f"https://{tls.host}"
    assert failing(make_client(endpoint=endpoint)).__class__ is UntrustedEndpoint
    assert tls.heads == []
    assert make_client(endpoint=endpoint, verify=ca_file).call(REGION) == GOOD["returnObj"]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_is_accepted_without_validation(make_client: MakeClient, tls: Wire) -> None:
    assert make_client(endpoint=f"https://{tls.host}", verify=False).call(REGION) == GOOD["returnObj"]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_adds_an_authority_and_overrides_no_option(
    variable: str, make_client: MakeClient, tls: Wire, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = f"https://{tls.host}"
    monkeypatch.setenv(variable, ca_file)
    assert make_client(endpoint=endpoint).call(REGION) == GOOD["returnObj"]
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv(variable, str(other))
    assert failing(make_client(endpoint=endpoint)).__class__ is UntrustedEndpoint
    assert make_client(endpoint=endpoint, verify=False).call(REGION) == GOOD["returnObj"]
    assert make_client(endpoint=endpoint, verify=ca_file).call(REGION) == GOOD["returnObj"]
    monkeypatch.setenv(variable, str(tmp_path / "absent.pem"))
    assert make_client(endpoint=endpoint, verify=False).call(REGION) == GOOD["returnObj"]
    error = failing(make_client(endpoint=endpoint))
    assert not error.retryable
    assert "absent.pem" in error.message
    assert "CA" in error.message  # what kind of file it is that is missing


def test_a_certificate_for_another_host_is_refused(make_client: MakeClient, authority: trustme.CA, ca_file: str) -> None:  # fmt: skip
    with Wire(context=server_context(authority, "other.example")) as server:
        error = failing(make_client(endpoint=f"https://{server.host}", verify=ca_file))
        assert error.__class__ is UntrustedEndpoint
        assert server.heads == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("no certificate at all\n", id="text"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", id="broken"),
        pytest.param("-----BEGIN CERTIFICATE-----\n!\n", id="cut-off"),
    ],
)
def test_a_ca_file_that_is_none(content: str, make_client: MakeClient, tls: Wire, tmp_path: Path, sleeps: list[float]) -> None:  # fmt: skip
    path = tmp_path / "ca.pem"
    path.write_text(content)
    error = failing(make_client(endpoint=f"https://{tls.host}", verify=str(path)))
    assert isinstance(error, (UntrustedEndpoint, InvalidArguments))
    assert "ca_path" in error.message
    assert sleeps == []


def test_plain_http_behind_https(make_client: MakeClient, emulator: Emulator, sleeps: list[float]) -> None:
    endpoint = emulator.url.replace("http://", "https://")
    error = failing(make_client(endpoint=endpoint), CREATE)
    assert error.__class__ is UntrustedEndpoint
    assert "write http://" in error.message
    assert emulator.sent() == []


def test_tls_behind_plain_http(make_client: MakeClient, tls: Wire) -> None:
    error = failing(make_client(endpoint=f"http://{tls.host}", retries=0))
    assert isinstance(error, EciError)
    assert tls.heads == []


# --- what lies around the user: netrc and proxies


def test_netrc_is_left_alone(make_client: MakeClient, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password netrc-password\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    make_client().call(REGION)
    (record,) = emulator.sent()
    assert "authorization" not in record.headers
    assert record.status == 200


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(
    variable: str, make_client: MakeClient, emulator: Emulator, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"http://{wire.host}")
    assert make_client().call(REGION) == GOOD["returnObj"]
    assert wire.heads[0].startswith(f"GET {emulator.url}/eci/api/v1/region HTTP/1.1\r\n")
    assert emulator.sent() == []


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "127.0.0.0/8", "example.org,127.0.0.1"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_respected(
    exception: str,
    variable: str,
    make_client: MakeClient,
    emulator: Emulator,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{wire.host}")
    monkeypatch.setenv(variable, exception)
    make_client().call(REGION)
    assert len(emulator.sent()) == 1
    assert wire.heads == []


def test_a_proxy_with_credentials(make_client: MakeClient, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:proxy-password@{wire.host}")
    assert make_client().call(REGION) == GOOD["returnObj"]
    assert "proxy-authorization: basic dXNlcjpwcm94eS1wYXNzd29yZA==".lower() in wire.heads[0].lower()


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


def test_a_proxy_that_refuses_the_tunnel(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(page("407 Proxy Authentication Required")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        error = failing(make_client(endpoint="https://eci.invalid", retries=0), CREATE)
        assert proxy.heads[0].startswith("CONNECT eci.invalid:443 HTTP/1.")
        assert "eop-authorization" not in proxy.heads[0].lower()
    assert error.__class__ is Unreachable
    assert "407 Proxy Authentication Required" in error.message


@pytest.mark.parametrize("proxy", ["http://", "http://:99999999", "socks9://127.0.0.1:1", "http://[", "http://a..b:1"])
def test_a_proxy_that_is_no_address(
    proxy: str, make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    error = failing(make_client(retries=0))
    assert isinstance(error, (InvalidArguments, Unreachable))
    assert emulator.sent() == []


# --- the helpers, where no server can bring them about


def test_read_gives_up_when_the_time_is_over() -> None:
    class Slow:
        def __init__(self) -> None:
            self.raw = self
            self.served = 0

        def read(self, amount: int, decode_content: bool) -> bytes:  # urllib3 1 has no read1
            assert amount == transport.CHUNK_BYTES
            assert decode_content
            self.served += 1
            return b"x" if self.served < 4 else b""

    late = Slow()
    with pytest.raises(OSError, match=r"^$"):
        transport._read(late, time.monotonic() - 1)  # type: ignore[arg-type]
    assert late.served == 1
    assert transport._read(Slow(), time.monotonic() + 3600) == b"xxx"  # type: ignore[arg-type]


def test_the_text_of_an_error_without_one_is_its_name() -> None:
    assert transport._text(OSError()) == "OSError"
    for front in ("<urllib3.connection.HTTPConnection object at 0x7f>", "HTTPConnection(host='h', port=80)"):
        text = f"{front}: Failed to establish a new connection: [Errno 111] Connection refused"
        assert transport._text(OSError(text)) == "[Errno 111] Connection refused"
    inner = ValueError("inner")
    assert transport._root(OSError("x", OSError(inner))) is inner


def test_the_client_can_be_imported_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("requests", "requests.adapters", "urllib3.exceptions"):
        monkeypatch.setitem(sys.modules, library, None)
    spec = importlib.util.spec_from_file_location(transport.__name__ + "_alone", str(transport.__file__))
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert (alone.HAS_REQUESTS, transport.HAS_REQUESTS) == (False, True)
