# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where on its way a request broke off, and how long a reply may take: over real sockets, and with real TLS."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    EciError,
    Unanswered,
    Unreachable,
    UntrustedEndpoint,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import CREATE, DELETE
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api import wire
from tests.emulator import Emulator, Proxy
from tests.unit.plugins import emulated
from tests.unit.plugins.module_utils._api.servers import (
    BODY,
    GOOD,
    Authority,
    MakeClient,
    Peer,
    Server,
    answering,
    failing,
    page,
)

# What a client may take for a request to a peer that is silent, in these tests, and how long they wait for that.
TIMEOUT = 0.5
SOON = 4.0


class Place:
    """Puts a server, a proxy or nothing where the client will go. Each of its methods returns a client's overrides."""

    def __init__(self, stack: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
        self.stack = stack
        self.monkeypatch = monkeypatch
        self.authority = authority
        self.server: Server | None = None

    def http(self, work: Callable[[Peer], object]) -> dict[str, Any]:
        self.server = self.stack.enter_context(Server(work))
        return {"endpoint": self.server.url}

    def https(self, work: Callable[[Peer], object], *names: str, **validity: Any) -> dict[str, Any]:
        self.server = self.stack.enter_context(Server(work, self.authority.context(*names, **validity)))
        return {"endpoint": self.server.url, "verify": self.authority.ca_file}

    def plain_behind_https(self, work: Callable[[Peer], object]) -> dict[str, Any]:
        return {"endpoint": f"https{self.http(work)['endpoint'][4:]}", "verify": self.authority.ca_file}

    def behind(self, variable: str, work: Callable[[Peer], object]) -> dict[str, Any]:
        """Behind a proxy, in front of a host that does not exist."""
        self.server = self.stack.enter_context(Server(work))
        self.monkeypatch.setenv(variable, self.server.url)
        return {"endpoint": f"{variable.split('_')[0].lower()}://eci.invalid", "verify": self.authority.ca_file}

    def nobody(self) -> int:
        """A port where nobody listens."""
        taken = self.stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

    def full(self) -> int:
        """A port where nothing answers, since its queue is full."""
        listener = self.stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(5):
            waiting = self.stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        return int(listener.getsockname()[1])


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Iterator[Place]:
    with contextlib.ExitStack() as stack:
        yield Place(stack, monkeypatch, authority)


def leave(_peer: Peer) -> None:
    """Close at once."""


def read_and_leave(peer: Peer) -> None:
    peer.request()


def read_and_reset(peer: Peer) -> None:
    peer.request()
    peer.reset()


def read_and_wait(peer: Peer) -> None:
    peer.request()
    peer.wait()


def saying(words: bytes) -> Callable[[Peer], None]:
    def work(peer: Peer) -> None:
        peer.request()
        peer.send(words)

    return work


def greeting(words: bytes) -> Callable[[Peer], None]:
    """Say the same whatever comes, be it a request or not."""

    def work(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.send(words)

    return work


def tunnel(context: Any, work: Callable[[Peer], object]) -> Callable[[Peer], None]:
    """A proxy that is the server, too, once it has been asked to connect."""

    def proxy(peer: Peer) -> None:
        assert peer.request().startswith("CONNECT ")
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.start_tls(context)
        work(peer)

    return proxy


# --- nothing was sent


NOW = datetime.now(UTC)
Arrange = Callable[[Place], dict[str, Any]]
NOT_SENT: dict[str, tuple[Arrange, type[EciError]]] = {
    "no such name": (lambda place: {"endpoint": "https://nope.invalid"}, Unreachable),
    "refused": (lambda place: {"endpoint": f"http://127.0.0.1:{place.nobody()}"}, Unreachable),
    "refused, https": (lambda place: {"endpoint": f"https://127.0.0.1:{place.nobody()}"}, Unreachable),
    "no connection in time": (lambda place: {"endpoint": f"http://127.0.0.1:{place.full()}"}, Unreachable),
    "no connection in time, https": (lambda place: {"endpoint": f"https://127.0.0.1:{place.full()}"}, Unreachable),
    "unknown authority": (lambda place: dict(place.https(read_and_leave), verify=True), UntrustedEndpoint),
    "expired": (
        lambda place: place.https(
            read_and_leave, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1)
        ),
        UntrustedEndpoint,
    ),
    "not yet valid": (
        lambda place: place.https(
            read_and_leave, not_before=NOW + timedelta(days=1), not_after=NOW + timedelta(days=9)
        ),
        UntrustedEndpoint,
    ),
    "another host's": (lambda place: place.https(read_and_leave, "other.example"), UntrustedEndpoint),
    "plain HTTP": (lambda place: place.plain_behind_https(greeting(page("400 Bad Request"))), UntrustedEndpoint),
    "garbage for TLS": (
        lambda place: place.plain_behind_https(greeting(b"SSH-2.0-OpenSSH_9.6\r\n")),
        UntrustedEndpoint,
    ),
    "left in the handshake": (lambda place: place.plain_behind_https(leave), Unreachable),
    "left after the hello": (lambda place: place.plain_behind_https(lambda peer: peer.sock.recv(4096)), Unreachable),
    "reset in the handshake": (lambda place: place.plain_behind_https(Peer.reset), Unreachable),
    "silent in the handshake": (lambda place: place.plain_behind_https(Peer.wait), Unreachable),
    **{
        f"tunnel refused with {status}": (
            lambda place, status=status: place.behind("HTTPS_PROXY", saying(page(status, b"<html>"))),
            Unreachable,
        )
        for status in ("403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway")
    },
    "proxy left": (lambda place: place.behind("HTTPS_PROXY", read_and_leave), Unreachable),
    "proxy reset": (lambda place: place.behind("HTTPS_PROXY", read_and_reset), Unreachable),
    "proxy silent": (lambda place: place.behind("HTTPS_PROXY", read_and_wait), Unreachable),
    "proxy talks nonsense": (lambda place: place.behind("HTTPS_PROXY", saying(b"hello\r\n\r\n")), Unreachable),
    "unknown authority behind the tunnel": (
        lambda place: dict(
            place.behind("HTTPS_PROXY", tunnel(place.authority.context("eci.invalid"), read_and_leave)), verify=True
        ),
        UntrustedEndpoint,
    ),
    "left in the handshake behind the tunnel": (
        lambda place: place.behind("HTTPS_PROXY", saying(b"HTTP/1.1 200 OK\r\n\r\n")),
        Unreachable,
    ),
}


@pytest.mark.parametrize("case", NOT_SENT)
def test_what_was_not_sent_has_no_effect(case: str, place: Place, make_client: MakeClient) -> None:
    arrange, kind = NOT_SENT[case]
    began = time.monotonic()
    error = failing(make_client(timeout=TIMEOUT, retries=0, **arrange(place)), CREATE)
    assert error.__class__ is kind
    assert error.effect == NONE
    assert error.failure()["effect"] == NONE
    assert error.request_id
    assert time.monotonic() - began < SOON
    if place.server:
        assert not any(head.startswith("POST") for head in place.server.heads)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY"])
def test_a_proxy_that_is_not_there_has_sent_nothing(variable: str, place: Place, make_client: MakeClient) -> None:
    overrides = place.behind(variable, leave)
    place.monkeypatch.setenv(variable, f"http://127.0.0.1:{place.nobody()}")
    error = failing(make_client(retries=0, **overrides), CREATE)
    assert (error.__class__, error.effect) == (Unreachable, NONE)


# --- it may have been sent

CUT = page().replace(b"}}}", b"")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BREAKS: dict[str, Callable[[Peer], object]] = {
    "left": read_and_leave,
    "reset": read_and_reset,
    "silent": read_and_wait,
    "left in the request": lambda peer: peer.sock.recv(10),
    "reset in the request": lambda peer: (peer.sock.recv(10), peer.reset()),
    "left in the status line": saying(b"HTTP/1.1 20"),
    "left in the headers": saying(b"HTTP/1.1 200 OK\r\nContent-"),
    "cut body": saying(CUT),
    "cut chunk": saying(CHUNKED + b"5\r\n{"),
    "cut between chunks": saying(CHUNKED + b"1\r\n{\r\n"),
    "only informed": saying(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}
SENT: dict[str, Arrange] = {
    **{f"{case}, http": lambda place, work=work: place.http(work) for case, work in BREAKS.items()},
    **{f"{case}, https": lambda place, work=work: place.https(work) for case, work in BREAKS.items()},
    **{
        f"{case}, proxy": lambda place, work=work: place.behind("HTTP_PROXY", work)
        for case, work in BREAKS.items()
        if case in ("left", "reset", "silent", "cut body")
    },
    **{
        f"{case}, tunnel": lambda place, work=work: place.behind(
            "HTTPS_PROXY", tunnel(place.authority.context("eci.invalid"), work)
        )
        for case, work in BREAKS.items()
        if case in ("left", "reset", "silent", "cut body")
    },
    "garbage after the request": lambda place: place.https(
        lambda peer: (peer.request(), socket.socket.sendall(peer.sock, b"no TLS at all" * 9))
    ),
    "cut record": lambda place: place.https(
        lambda peer: (peer.request(), socket.socket.sendall(peer.sock, b"\x17\x03\x03\x00\x20abc"))
    ),
}


@pytest.mark.parametrize("case", SENT)
def test_what_may_have_been_sent_may_have_had_an_effect(case: str, place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **SENT[case](place))
    began = time.monotonic()
    error = failing(client, CREATE)
    assert error.__class__ is Unanswered
    assert error.effect == POSSIBLE
    assert error.failure()["effect"] == POSSIBLE
    # but for one that changes nothing
    error = failing(client, REGION)
    assert (error.__class__, error.effect) == (Unanswered, NONE)
    assert time.monotonic() - began < SOON


def test_a_peer_that_does_not_read(place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **place.http(lambda peer: time.sleep(2 * TIMEOUT)))
    with pytest.raises(Unanswered, match=r"within 0\.5 s") as caught:
        client.call(CREATE, {"imageCacheName": "x" * 32 * 1024 * 1024})
    assert caught.value.effect == POSSIBLE


@pytest.mark.parametrize("how", [Peer.reset, leave], ids=["reset", "left"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_ends_just_as_it_is_used_again(
    how: Callable[[Peer], object], scheme: str, place: Place, make_client: MakeClient
) -> None:
    def work(peer: Peer) -> None:
        peer.request()
        peer.send(page())
        peer.request()
        how(peer)

    client = make_client(retries=0, **getattr(place, scheme)(work))
    client.call(REGION)
    error = failing(client, CREATE)
    assert (error.__class__, error.effect) == (Unanswered, POSSIBLE)
    assert place.server and place.server.connections == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_ended_while_nobody_used_it_is_made_anew(
    scheme: str, place: Place, make_client: MakeClient
) -> None:
    client = make_client(retries=0, **getattr(place, scheme)(saying(page())))
    for _number in range(3):
        client.call(REGION)
        time.sleep(0.1)  # so that the server's goodbye arrives
    assert place.server and place.server.connections == 3


def test_what_an_earlier_request_came_to_does_not_count(place: Place, make_client: MakeClient) -> None:
    client = make_client(retries=0, **place.http(read_and_leave))
    assert failing(client, CREATE).effect == POSSIBLE
    assert place.server
    place.server.__exit__()
    assert failing(client, CREATE).effect == NONE


class TestBehindTheEmulator:
    """The request arrives and takes effect, the reply does not."""

    @pytest.fixture(params=["http", "https"])
    def hidden(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Emulator, Proxy]]:  # fmt: skip
        with Emulator(tls=request.param == "https") as emulator, Proxy() as proxy:
            monkeypatch.setenv(f"{request.param.upper()}_PROXY", proxy.url)
            yield emulator, proxy

    def test_a_reply_that_the_proxy_lost(self, hidden: tuple[Emulator, Proxy], make_client: MakeClient) -> None:
        emulator, proxy = hidden
        client = make_client(endpoint=emulator.url, verify=emulator.ca_file or True, retries=0)
        proxy.drop_reply()
        with pytest.raises(Unanswered) as caught:
            client.call(CREATE, emulated.BODY)
        assert caught.value.effect == POSSIBLE
        (identifier,) = emulated.present(emulator)
        client.call(DELETE, identifier=identifier)
        assert emulated.present(emulator) == []

    @pytest.mark.parametrize("status", [403, 407, 502])
    def test_a_refusal_of_the_proxy(self, status: int, hidden: tuple[Emulator, Proxy], make_client: MakeClient) -> None:
        emulator, proxy = hidden
        client = make_client(endpoint=emulator.url, verify=emulator.ca_file or True, retries=0)
        proxy.refuse(status)
        error = failing(client, CREATE)
        # a page in answer to the request itself may be anybody's; one in answer to CONNECT is the proxy's
        assert error.effect == (POSSIBLE if emulator.ca_file is None else NONE)
        assert str(status) in error.message
        assert emulator.requests == []


# --- how long a reply may take


def each_byte(data: bytes) -> Iterator[bytes]:
    return (data[index : index + 1] for index in range(len(data)))


def dripping(begin: bytes, endless: bytes) -> Callable[[Peer], None]:
    """Say the beginning at once, and then a piece every now and then, until the client leaves."""

    def work(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        peer.drip(itertools.repeat(endless, 1000))

    return work


SLOW: dict[str, Callable[[Peer], None]] = {
    "status line": dripping(b"HTTP/1.1 200 ", b"O"),
    "header": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "informational": dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "processing": dripping(b"", b"HTTP/1.1 102 Processing\r\nx: y\r\n\r\n"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "header of an informational": dripping(b"HTTP/1.1 103 Early Hints\r\nX: ", b"y"),
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b" "),
    "body without a length": dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunk header": dripping(CHUNKED + b"1;x=", b"y"),
    "chunks": dripping(CHUNKED, b"1\r\n \r\n"),
    "trailer": dripping(CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: y\r\n"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("case", SLOW)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_reply_that_does_not_end_in_time(case: str, scheme: str, place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **getattr(place, scheme)(SLOW[case]))
    began = time.monotonic()
    error = failing(client, CREATE)
    assert TIMEOUT * 0.9 < time.monotonic() - began < SOON
    assert (error.__class__, error.effect) == (Unanswered, POSSIBLE)
    assert error.message == f"No complete reply from {client.connection.endpoint} within 0.5 s (option timeout)."


@pytest.mark.thorough
@pytest.mark.parametrize("case", ["status line", "header", "headers", "informational", "continue"])
def test_a_proxy_that_does_not_connect_in_time(case: str, place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **place.behind("HTTPS_PROXY", SLOW[case]))
    began = time.monotonic()
    error = failing(client, CREATE)
    assert TIMEOUT * 0.9 < time.monotonic() - began < SOON
    assert (error.__class__, error.effect) == (Unreachable, NONE)


def test_a_handshake_that_does_not_end_in_time(place: Place, make_client: MakeClient) -> None:
    def work(peer: Peer) -> None:
        peer.sock.recv(4096)
        peer.drip(each_byte(b"\x16\x03\x03\x10\x00\x02" + b"\x00" * 200))

    error = failing(make_client(timeout=TIMEOUT, retries=0, **place.plain_behind_https(work)), CREATE)
    assert (error.__class__, error.effect) == (Unreachable, NONE)
    assert "within 0.5 s (option timeout)" in error.message


@pytest.mark.parametrize("pieces", [each_byte(page()), [CHUNKED, b"2;", b"x\r\n{}", b"\r\n0\r", b"\n\r\n"]])
def test_a_slow_reply_is_read(pieces: Any, place: Place, make_client: MakeClient) -> None:
    overrides = place.http(lambda peer: (peer.request(), peer.drip(pieces, 0.002)))
    with contextlib.suppress(Unanswered):  # the second has no statusCode
        assert make_client(retries=0, **overrides).call(REGION).obj == GOOD["returnObj"]


def test_connecting_has_a_time_of_its_own(
    place: Place, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one address of a host does not answer, another does."""
    overrides = place.http(saying(page()))
    dead = place.full()
    genuine = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        found = genuine("127.0.0.1", port, *arguments, **options)
        return [(*entry[:4], ("127.0.0.1", dead)) for entry in found[:1]] + found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    client = make_client(timeout=TIMEOUT, retries=0, **overrides)
    assert client.call(REGION).obj == GOOD["returnObj"]


def test_no_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    wire.begin(-1.0)
    with pytest.raises(socket.timeout, match="timed out"):
        wire._left()
    wire.begin(60.0)
    assert 0 < wire._left() <= 60


# --- what comes before the reply


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n", id="103"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n", id="102"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="100"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" * 20, id="many"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_1xx_is_no_reply(before: bytes, scheme: str, place: Place, make_client: MakeClient) -> None:
    def work(peer: Peer) -> None:
        while peer.request():
            peer.send(before + page())

    client = make_client(retries=0, **getattr(place, scheme)(work))
    for _number in range(2):
        assert client.call(REGION).obj == GOOD["returnObj"]
    assert place.server and place.server.connections == 1


def test_a_tunnel_is_made_after_a_1xx(place: Place, make_client: MakeClient) -> None:
    def work(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        peer.start_tls(place.authority.context("eci.invalid"))
        saying(page())(peer)

    assert make_client(retries=0, **place.behind("HTTPS_PROXY", work)).call(REGION).obj == GOOD["returnObj"]


def test_another_protocol_is_no_reply(place: Place, make_client: MakeClient) -> None:
    def work(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
        peer.wait()

    error = failing(make_client(retries=0, **place.http(work)), CREATE)
    assert (error.__class__, error.effect, error.http_status) == (Unanswered, POSSIBLE, 101)


def test_a_byte_order_mark_is_read_over(place: Place, make_client: MakeClient) -> None:
    answer = page("200 OK", b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert make_client(retries=0, **place.http(saying(answer))).call(REGION).obj == GOOD["returnObj"]


# --- the pool


def test_a_pool_is_watched_once() -> None:
    pool = HTTPConnectionPool("127.0.0.1", 1)
    wire.watch(pool)
    watched = pool.ConnectionCls
    wire.watch(pool)
    assert pool.ConnectionCls is watched


def test_a_connection_that_may_not_be_opened_sends_nothing() -> None:
    pool = HTTPConnectionPool("127.0.0.1", 1)
    wire.watch(pool)
    connection = pool.ConnectionCls("127.0.0.1", 1)
    connection.auto_open = 0
    wire.begin(1.0)
    with pytest.raises(http.client.NotConnected):
        connection.request("GET", "/")
    assert not wire.request.sent


def test_an_endpoint_behind_two_layers_of_tls(place: Place, make_client: MakeClient) -> None:
    """A proxy that speaks TLS itself, and within that TLS to the endpoint."""
    with answering(context=place.authority.context("127.0.0.1")) as endpoint:
        overrides = {"endpoint": endpoint.url, "verify": place.authority.ca_file}
        proxy = place.stack.enter_context(Server(relay, place.authority.context("127.0.0.1")))
        place.monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        # the proxy's certificate is checked with the same authorities, of which requests knows in this way only
        assert make_client(retries=0, **overrides).call(REGION).obj == GOOD["returnObj"]
        assert proxy.heads[0].startswith("CONNECT ")
        assert endpoint.heads[0].startswith("GET /eci/")


def relay(peer: Peer) -> None:
    """Connect to where the client wants to go, and pass on what is said until one of the two leaves."""
    host, _colon, port = peer.request().split(" ")[1].partition(":")
    with socket.create_connection((host, int(port)), 5) as other:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.sock.settimeout(0.05)
        other.settimeout(0.05)
        for _turn in range(200):
            for source, target in ((peer.sock, other), (other, peer.sock)):
                try:
                    data = source.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    return
                target.sendall(data)


def test_the_body_counts_as_a_part_of_the_request(place: Place, make_client: MakeClient) -> None:
    def work(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.reset()

    client = make_client(retries=0, **place.http(work))
    with pytest.raises(Unanswered) as caught:
        client.call(CREATE, {**BODY, "images": ["x" * 4_000_000]})
    assert caught.value.effect == POSSIBLE
