# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request: what is sent, which way it goes, and which replies are read."""

from __future__ import annotations

import gzip
import importlib.util
import json
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    EciError,
    InvalidArguments,
    ServiceError,
    Unanswered,
    UntrustedEndpoint,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import CREATE, DELETE, DESCRIBE
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION, REGION_IN_QUERY
from ansible_collections.ctyun.eci.plugins.module_utils._api import transport
from tests.emulator import Emulator, Fault
from tests.unit.plugins import emulated
from tests.unit.plugins.module_utils._api.servers import (
    GOOD,
    Authority,
    MakeClient,
    Peer,
    Server,
    answering,
    failing,
    page,
)

READS_PIECES = hasattr(HTTPResponse, "read1")


# --- what is sent


@pytest.mark.parametrize(
    ("identifier", "encoded"),
    [
        ("imc-7nh0dkpoaxepqyh2", "imc-7nh0dkpoaxepqyh2"),
        ("a/../b ?c#d%", "a%2F..%2Fb%20%3Fc%23d%25"),
        ("...", "..."),
        ("a.", "a."),
        ("~-_.", "~-_."),
        ("%2e%2e", "%252e%252e"),
        ("a+b&c=d;e", "a%2Bb%26c%3Dd%3Be"),
        ("镜像", "%E9%95%9C%E5%83%8F"),
        ("a\r\nX: y", "a%0D%0AX%3A%20y"),
    ],
)
@pytest.mark.parametrize("proxied", [False, True], ids=["", "proxied"])
def test_an_identifier_is_one_part_of_the_path(
    identifier: str, encoded: str, proxied: bool, make_client: MakeClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    front = ""
    if proxied:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        front = "http://eci.invalid"
    make_client(endpoint=front or server.url).call(DESCRIBE, identifier=identifier)
    path = f"/eci/api/v1/imageCache/describeImageCache/{encoded}"
    assert server.heads[0].startswith(f"GET {front}{path} HTTP/1.1\r\n")


@pytest.mark.parametrize("identifier", ["", ".", "..", "\ud800"], ids=ascii)
@pytest.mark.parametrize("operation", [DESCRIBE, DELETE], ids=lambda operation: operation.name)
def test_what_cannot_be_an_identifier_is_not_sent(
    identifier: str, operation: Any, make_client: MakeClient, server: Server
) -> None:
    with pytest.raises(InvalidArguments, match=r"No request to .* can be made: ") as caught:
        make_client(endpoint=server.url).call(operation, identifier=identifier)
    assert (caught.value.effect, caught.value.operation) == (NONE, operation.name)
    assert server.heads == []


@pytest.mark.parametrize("region", ["bb9fdb42056f11eda1610242ac110002", "200000002368", "a+b/c&d=e%20#?"])
def test_a_query_is_signed_as_it_is_sent(region: str, make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.region_id = region
    make_client(retries=0).call(REGION_IN_QUERY, identifier=region)
    (record,) = emulator.sent()
    assert record.status == 200
    assert record.query.startswith("regionId=")


@pytest.mark.parametrize("scheme", ["HTTP", "Http"])
def test_the_case_of_the_scheme_does_not_matter(scheme: str, make_client: MakeClient, emulator: Emulator) -> None:
    make_client(endpoint=f"{scheme}{emulator.url[4:]}").call(REGION)
    assert emulator.sent()[0].status == 200


def test_an_ipv6_endpoint(make_client: MakeClient) -> None:
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listener.listen()
        listener.settimeout(5)
        port = listener.getsockname()[1]
        heads: list[str] = []

        def serve() -> None:
            connected, _address = listener.accept()
            with connected:
                Peer(connected, heads).request()
                connected.sendall(page())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert make_client(endpoint=f"http://[::1]:{port}").call(REGION).obj == GOOD["returnObj"]
        thread.join(5)
    assert f"Host: [::1]:{port}" in heads[0]


# --- floods


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was read of a reply."""
    sizes: list[int] = []
    name = "read1" if READS_PIECES else "read"
    genuine = getattr(HTTPResponse, name)

    def read(self: HTTPResponse, *arguments: Any, **options: Any) -> bytes:
        piece: bytes = genuine(self, *arguments, **options)
        sizes.append(len(piece))
        return piece

    monkeypatch.setattr(HTTPResponse, name, read)
    return sizes


def test_a_huge_reply_is_left_when_it_is_too_large(
    make_client: MakeClient, emulator: Emulator, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    emulator.inject(Fault("huge", megabytes=64))
    error = failing(make_client(retries=0))
    assert isinstance(error, Unanswered)
    assert "too large" in error.message
    assert 1024 * 1024 < sum(pieces) <= 1024 * 1024 + transport.CHUNK_BYTES
    # and the connection is not used again
    make_client().call(REGION)


def test_a_reply_that_is_left_is_closed(
    make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    left: list[HTTPResponse] = []
    genuine = transport.read_body

    def read(response: HTTPResponse, most: int) -> bytes | None:
        left.append(response)
        return genuine(response, most)

    monkeypatch.setattr(transport, "read_body", read)
    emulator.inject(Fault("huge", megabytes=8))
    failing(make_client(retries=0))
    assert [response.closed for response in left] == [True]


def test_a_reply_of_the_largest_size_is_read(make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    value = {"statusCode": 200, "returnObj": {"x": "y" * 5000}}
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", len(json.dumps(value)))
    emulator.inject(Fault("json", value=value))
    assert make_client(retries=0).call(REGION).obj == value["returnObj"]
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", len(json.dumps(value)) - 1)
    emulator.inject(Fault("json", value=value))
    assert "too large" in failing(make_client(retries=0)).message


# --- servers of other kinds


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"\x00\x01\x02 hello\r\n\r\n", Unanswered, id="not-http"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", Unanswered, id="ssh"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", Unanswered, id="too-many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Unanswered, id="bad-chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", Unanswered, id="cut-chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", Unanswered, id="bad-length"),
        pytest.param(page("200 OK", b"not gzip", "Content-Encoding: gzip"), Unanswered, id="bad-gzip"),
        pytest.param(page("204 No Content", b""), Unanswered, id="204"),
        pytest.param(page("200 OK", b"{}", "Content-Type: text/html; charset=x-none"), Unanswered, id="odd-charset"),
        pytest.param(page("404 Not Found", b"<html>"), ServiceError, id="404-page"),
        pytest.param(page("407 Proxy Authentication Required", b"<html>"), ServiceError, id="407"),
        pytest.param(page("500 \xff\xfe", b"<html>"), Unanswered, id="odd-reason"),
        pytest.param(page("304 Not Modified", b""), ServiceError, id="304"),
        pytest.param(page("302 Found", b""), ServiceError, id="redirect-to-nowhere"),
        pytest.param(page("302 Found", b"", "Location: http://[bad"), ServiceError, id="redirect-to-a-bad-address"),
        pytest.param(page("302 Found", b"", "Location: http://a..b/"), ServiceError, id="redirect-to-a-bad-host"),
        pytest.param(page("302 Found", b"", "Location: \xff\xfe://"), ServiceError, id="redirect-to-bytes"),
        pytest.param(page("307 Again", b"", "Location: gopher://x"), ServiceError, id="redirect-to-another-scheme"),
    ],
)
def test_answers_that_are_no_answer(answer: bytes, kind: type[EciError], make_client: MakeClient) -> None:
    with answering(answer) as server:
        error = failing(make_client(endpoint=server.url, retries=0))
        assert error.__class__ is kind
        assert len(server.heads) == 1
    assert error.operation == "region"
    assert error.request_id
    assert error.effect == NONE  # it was a read


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, make_client: MakeClient, server: Server) -> None:
    with answering(page(f"{status} Moved", b"", f"Location: {server.url}/")) as moved:
        error = failing(make_client(endpoint=moved.url), CREATE)
        assert error.__class__ is ServiceError
        assert "redirect" in error.message
        assert len(moved.heads) == 1
    assert server.heads == []


def test_a_redirect_with_a_long_page_is_not_read_to_its_end(
    make_client: MakeClient, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 64 * 1024)
    with answering(page("302 Found", b"x" * 4 * 1024 * 1024, "Location: /elsewhere")) as server:
        assert failing(make_client(endpoint=server.url, retries=0)).__class__ is ServiceError
    assert sum(pieces) <= 64 * 1024 + 2 * transport.CHUNK_BYTES


def test_a_packed_reply_is_unpacked_within_bounds(
    make_client: MakeClient, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    with answering(page("200 OK", packed, "Content-Encoding: gzip")) as server:
        assert make_client(endpoint=server.url).call(REGION).obj == GOOD["returnObj"]
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    pieces.clear()
    with answering(page("200 OK", gzip.compress(b" " * 64 * 1024 * 1024), "Content-Encoding: gzip")) as server:
        error = failing(make_client(endpoint=server.url, retries=0))
    assert "too large" in error.message
    if int(urllib3.__version__.split(".")[0]) > 1:  # which unpacks whatever it has read
        assert sum(pieces) <= 2 * 1024 * 1024


# --- certificates


def test_a_certificate_is_accepted_with_ca_path(make_client: MakeClient, tls: Server, authority: Authority) -> None:
    assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]
    assert "eop-authorization" in tls.heads[0].lower()


def test_authorities_in_a_folder(make_client: MakeClient, tls: Server, authority: Authority, tmp_path: Path) -> None:
    certificate = Path(authority.ca_file).read_text()
    (tmp_path / "authority.pem").write_text(certificate)
    assert failing(make_client(endpoint=tls.url, verify=str(tmp_path))).__class__ is UntrustedEndpoint
    (tmp_path / f"{authority.hash}.0").write_text(certificate)  # as openssl rehash would name it
    assert make_client(endpoint=tls.url, verify=str(tmp_path)).call(REGION).obj == GOOD["returnObj"]


@pytest.mark.filterwarnings("ignore:.*get_connection.*:DeprecationWarning")
def test_requests_before_2_32(
    make_client: MakeClient, tls: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(HTTPAdapter, "get_connection_with_tls_context", raising=False)
    assert failing(make_client(endpoint=tls.url)).__class__ is UntrustedEndpoint
    assert tls.heads == []
    assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]


@pytest.mark.filterwarnings("error")
def test_a_certificate_is_accepted_without_validation_and_without_a_warning(make_client: MakeClient, tls: Server) -> None:  # fmt: skip
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_adds_an_authority_and_overrides_no_option(
    variable: str, make_client: MakeClient, tls: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv(variable, authority.ca_file)
    assert make_client(endpoint=tls.url).call(REGION).obj == GOOD["returnObj"]
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv(variable, str(other))
    assert failing(make_client(endpoint=tls.url)).__class__ is UntrustedEndpoint
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]
    assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]


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
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_used(
    variable: str, scheme: str, make_client: MakeClient, emulator: Emulator, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv(variable, f"{scheme}{server.host}")
    assert make_client().call(REGION).obj == GOOD["returnObj"]
    assert server.heads[0].startswith(f"GET {emulator.url}/eci/api/v1/region HTTP/1.1\r\n")
    assert emulator.sent() == []


@pytest.mark.parametrize(
    "exception", ["127.0.0.1", "*", "127.0.0.0/8", "example.org,127.0.0.1", "example.org, 127.0.0.1"]
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_respected(
    exception: str, variable: str, make_client: MakeClient, emulator: Emulator, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv(variable, exception)
    make_client().call(REGION)
    assert len(emulator.sent()) == 1
    assert server.heads == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_with_credentials(
    scheme: str, make_client: MakeClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:proxy%2Dpassword@{server.host}")
    try:
        make_client(endpoint=f"{scheme}://eci.invalid", retries=0).call(REGION)
    except EciError as error:
        assert scheme == "https"  # it answers, but does not speak TLS
        assert "password" not in error.message
    assert "proxy-authorization: basic dXNlcjpwcm94eS1wYXNzd29yZA==".lower() in server.heads[0].lower()


# --- many threads


def test_many_threads_find_the_way_at_the_same_time(make_client: MakeClient, emulator: Emulator) -> None:
    for _round in range(5):
        client = make_client(pool_size=50, retries=0)
        together = threading.Barrier(50)

        def call(_number: int, client: Any = client, together: Any = together) -> Any:
            together.wait(10)
            return client.call(REGION).obj["region"]["zones"]

        with ThreadPoolExecutor(50) as pool:
            assert list(pool.map(call, range(50))) == [emulator.settings.zones] * 50
    assert len({record.request_id for record in emulator.sent()}) == 250
    assert emulator.connections <= 250


def test_the_way_is_found_once(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    found: list[Any] = []
    genuine = transport._Adapter._pool

    def slowly(self: Any, *arguments: Any) -> Any:
        time.sleep(0.05)
        found.append(genuine(self, *arguments))
        return found[-1]

    monkeypatch.setattr(transport._Adapter, "_pool", slowly)
    client = make_client(pool_size=8, retries=0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: client.call(REGION), range(16)))
    assert len(found) == 1


def test_connections_are_kept_and_shared(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(pool_size=50, retries=0)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _number: client.call(REGION), range(500)))
    assert len(emulator.sent()) == 500
    assert emulator.connections <= 50


def test_a_request_goes_out_in_one_piece(
    make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[bytes] = []
    send = HTTPConnection.send

    def seen(connection: HTTPConnection, data: Any) -> None:
        pieces.append(data)
        send(connection, data)

    monkeypatch.setattr(HTTPConnection, "send", seen)
    client = make_client()
    for _again in range(2):  # over a new connection, and over one that is kept
        client.call(CREATE, emulated.BODY)
    assert [piece.count(b"\r\n\r\n{") for piece in pieces] == [1, 1]


def test_each_thread_knows_of_its_own_request_only(make_client: MakeClient, closed_port: int) -> None:
    """What one has sent says nothing about what another could not send."""
    effects: dict[str, set[str]] = {"sent": set(), "refused": set()}
    with answering(b"HTTP/1.1 200 OK\r\n") as server:
        clients = {
            "sent": make_client(endpoint=server.url, retries=0, pool_size=8),
            "refused": make_client(endpoint=f"http://127.0.0.1:{closed_port}", retries=0, pool_size=8),
        }
        with ThreadPoolExecutor(8) as pool:
            names = ["sent", "refused"] * 40
            for name, error in zip(names, pool.map(lambda name: failing(clients[name], CREATE), names), strict=True):
                effects[name].add(error.effect)
    assert effects == {"sent": {"possible"}, "refused": {"none"}}


def test_closed_in_the_midst_of_its_use(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(pool_size=8, retries=3)
    ended = threading.Event()

    def close() -> None:
        while not ended.wait(0.005):
            client._transport.close()

    closer = threading.Thread(target=close, daemon=True)
    closer.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            zones = list(pool.map(lambda _number: client.call(REGION).obj["region"]["zones"], range(300)))
    finally:
        ended.set()
        closer.join(5)
    assert zones == [emulator.settings.zones] * 300


def test_closed_while_a_reply_is_under_way(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.latency = 0.3
    client = make_client(retries=0)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(client.call, REGION)
        for _turn in range(500):
            if emulator.connections:
                break
            time.sleep(0.01)
        client._transport.close()
        assert reply.result(5).obj["region"]


# --- without the libraries


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
