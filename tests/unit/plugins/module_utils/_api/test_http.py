# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request over real sockets and real TLS: where it breaks off, how long its reply may take, how large it may be."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api import http, transport
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError
from tests.emulator import Emulator, Fault, Proxy
from tests.unit.plugins import emulated
from tests.unit.plugins.emulated import MakeClient

from .servers import CREATE, DELETE, GOOD, Peer, Place, answering, failing, leave, page, read_and_leave, saying

# The option timeout where the peer is silent, and how long such a test may take.
TIMEOUT = 0.5
SOON = 4.0
URLLIB3 = int(urllib3.__version__.split(".")[0])
NOW = datetime.now(UTC)


def read_and_reset(peer: Peer) -> None:
    peer.request()
    peer.reset()


def read_and_wait(peer: Peer) -> None:
    peer.request()
    peer.wait()


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


# --- the connection phase failed for certain

Arrange = Callable[[Place], dict[str, Any]]
PAST = {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=1)}
FUTURE = {"not_before": NOW + timedelta(days=1), "not_after": NOW + timedelta(days=9)}
NOT_SENT: dict[str, tuple[Arrange, type[EciError], str]] = {
    "no such name": (lambda place: {"endpoint": "https://nope.invalid"}, errors.Unreachable, "Cannot connect to"),
    "refused": (lambda place: {"endpoint": f"http://127.0.0.1:{place.nobody()}"}, errors.Unreachable, "[Errno 111]"),
    "refused, https": (lambda place: {"endpoint": f"https://127.0.0.1:{place.nobody()}"}, errors.Unreachable, "[Errno 111]"),
    "not in time": (lambda place: {"endpoint": f"http://127.0.0.1:{place.full()}"}, errors.Unreachable, "within 0.5 s"),
    "not in time, https": (lambda place: {"endpoint": f"https://127.0.0.1:{place.full()}"}, errors.Unreachable, "within 0.5 s"),
    "unknown authority": (
        lambda place: dict(place.https(read_and_leave), verify=True),
        errors.UntrustedEndpoint,
        "If an authority of your own signed the certificate, give its file in ca_path.",
    ),
    "expired": (lambda place: place.https(read_and_leave, **PAST), errors.UntrustedEndpoint, "Renew the certificate"),
    "not yet valid": (lambda place: place.https(read_and_leave, **FUTURE), errors.UntrustedEndpoint, "clock of this machine"),
    "another host's": (lambda place: place.https(read_and_leave, "o.example"), errors.UntrustedEndpoint, "It is for another host"),
    **{
        f"tunnel refused with {status}": (
            lambda place, status=status: place.behind("HTTPS_PROXY", saying(page(status, b"<html>"))),
            errors.Unreachable,
            f"The proxy does not connect to https://eci.invalid: Tunnel connection failed: {' '.join(status.split())}.",
        )
        for status in ("403 Forbidden", "407 Proxy Authentication Required", "502 Bad\x0bGateway")
    },
    "no proxy": (lambda place: place.no_proxy_at("HTTP_PROXY"), errors.Unreachable, "The proxy does not connect to"),
    "no proxy, https": (lambda place: place.no_proxy_at("HTTPS_PROXY"), errors.Unreachable, "Check HTTPS_PROXY"),
    "unknown authority behind the tunnel": (
        lambda place: dict(
            place.behind("HTTPS_PROXY", tunnel(place.authority.context("eci.invalid"), read_and_leave)), verify=True
        ),
        errors.UntrustedEndpoint,
        "ca_path",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_SENT)
def test_what_was_certainly_not_sent_has_no_effect(case: str, place: Place, make_client: MakeClient) -> None:
    arrange, kind, says = NOT_SENT[case]
    began = time.monotonic()
    error = failing(make_client(timeout=TIMEOUT, retries=0, **arrange(place)), CREATE)
    assert (error.__class__, error.effect, error.operation) == (kind, NONE, "createImageCache")
    assert says in error.message
    assert error.request_id is None
    assert time.monotonic() - began < SOON
    if place.server:
        assert not any(head.startswith("POST") or "eop-authorization" in head.lower() for head in place.server.heads)


# --- anything else may have been sent

CUT = page().replace(b"}}}", b"")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BREAKS: dict[str, Callable[[Peer], object]] = {
    "left": read_and_leave,
    "reset": read_and_reset,
    "silent": read_and_wait,
    "cut body": saying(CUT),
    "left in the request": lambda peer: peer.sock.recv(10),
    "reset in the request": lambda peer: (peer.sock.recv(10), peer.reset()),
    "left in the status line": saying(b"HTTP/1.1 20"),
    "left in the headers": saying(b"HTTP/1.1 200 OK\r\nContent-"),
    "cut chunk": saying(CHUNKED + b"5\r\n{"),
    "only informed": saying(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}
BEHIND_A_PROXY = list(BREAKS.items())[:4]
MAY_BE_SENT: dict[str, Arrange] = {
    **{f"{case}, http": lambda place, work=work: place.http(work) for case, work in BREAKS.items()},
    **{f"{case}, https": lambda place, work=work: place.https(work) for case, work in BREAKS.items()},
    # urllib3 1 calls these errors of the proxy, as if there had been no connection
    **{f"{case}, proxy": lambda place, work=work: place.behind("HTTP_PROXY", work) for case, work in BEHIND_A_PROXY},
    **{
        f"{case}, tunnel": lambda place, work=work: place.behind(
            "HTTPS_PROXY", tunnel(place.authority.context("eci.invalid"), work)
        )
        for case, work in BEHIND_A_PROXY
    },
    "cut record": lambda place: place.https(
        lambda peer: (peer.request(), socket.socket.sendall(peer.sock, b"\x17\x03\x03\x00\x20abc"))
    ),
    # these were not sent, but urllib3 says the same of them
    "left in the handshake": lambda place: place.plain_behind_https(lambda peer: peer.sock.recv(4096)),
    "reset in the handshake": lambda place: place.plain_behind_https(lambda peer: (peer.sock.recv(4096), peer.reset())),
    "silent in the handshake": lambda place: place.plain_behind_https(Peer.wait),
    "proxy left": lambda place: place.behind("HTTPS_PROXY", read_and_leave),
    "proxy silent": lambda place: place.behind("HTTPS_PROXY", read_and_wait),
}


@pytest.mark.parametrize("case", MAY_BE_SENT)
def test_what_may_have_been_sent_may_have_had_an_effect(case: str, place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **MAY_BE_SENT[case](place))
    began = time.monotonic()
    error = failing(client, CREATE)
    assert (error.__class__, error.effect) == (errors.Unanswered, POSSIBLE)
    error = failing(client, REGION)
    assert (error.__class__, error.effect) == (errors.Unanswered, NONE)  # it changes nothing
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("words", [page("400 Bad Request"), b"SSH-2.0-OpenSSH_9.6\r\n"], ids=["http", "ssh"])
def test_no_tls_is_not_tried_again(words: bytes, place: Place, make_client: MakeClient, sleeps: list[float]) -> None:
    error = failing(make_client(timeout=TIMEOUT, **place.plain_behind_https(greeting(words))), CREATE)
    assert (error.__class__, error.effect) == (errors.UntrustedEndpoint, POSSIBLE)
    assert "If the server has no TLS, begin the address with http://." in error.message
    assert sleeps == []


@pytest.mark.parametrize("how", [Peer.reset, leave], ids=["reset", "left"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_kept_connection_that_ends_just_as_it_is_used_again(
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
    assert (error.__class__, error.effect) == (errors.Unanswered, POSSIBLE)
    assert place.server and place.server.connections == 1


def test_a_kept_connection_that_ended_before_is_replaced(place: Place, make_client: MakeClient) -> None:
    client = make_client(retries=0, **place.https(saying(page())))
    for _number in range(3):
        client.call(REGION)
        time.sleep(0.1)  # so that the server's goodbye arrives
    assert place.server and place.server.connections == 3
    place.server.__exit__()
    assert failing(client, CREATE).effect == NONE  # earlier requests do not count


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_reply_that_a_proxy_loses(tls: bool, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request arrives and takes effect."""
    with Emulator(tls=tls) as emulator, Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY" if tls else "HTTP_PROXY", proxy.url)
        client = make_client(endpoint=emulator.url, verify=emulator.ca_file or True, retries=0)
        proxy.drop_reply()
        with pytest.raises(errors.Unanswered) as caught:
            client.call(CREATE, emulated.BODY)
        assert caught.value.effect == POSSIBLE
        (identifier,) = emulated.present(emulator)
        client.call(DELETE, identifier=identifier)
        proxy.refuse(403)
        # a page in answer to the request itself may be anybody's; one in answer to CONNECT is the proxy's
        assert failing(make_client(endpoint=emulator.url, retries=0), CREATE).effect == (NONE if tls else POSSIBLE)
        assert emulated.present(emulator) == []


# --- how long a reply may take, and how large it may be


def dripping(begin: bytes, endless: bytes) -> Callable[[Peer], None]:
    """Say the beginning at once, and then a piece every now and then, until the client leaves."""

    def work(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        peer.drip(itertools.repeat(endless, 1000))

    return work


SLOW = {
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b" "),
    "body without a length": dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunks": dripping(CHUNKED, b"1\r\n \r\n"),
}


@pytest.mark.skipif(URLLIB3 < 2, reason="urllib3 1 waits for a whole piece")
@pytest.mark.parametrize("case", SLOW)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_body_that_does_not_end_in_time(case: str, scheme: str, place: Place, make_client: MakeClient) -> None:
    client = make_client(timeout=TIMEOUT, retries=0, **getattr(place, scheme)(SLOW[case]))
    began = time.monotonic()
    error = failing(client, CREATE)
    assert TIMEOUT * 0.9 < time.monotonic() - began < SOON
    assert (error.__class__, error.effect) == (errors.Unanswered, POSSIBLE)
    assert error.message == f"No complete reply from {client.connection.endpoint} within 0.5 s (option timeout)."


@pytest.mark.parametrize("pieces", [page(), [CHUNKED, b"2;", b"x\r\n{}", b"\r\n0\r", b"\n\r\n"]], ids=["bytes", "chunks"])  # fmt: skip
def test_a_slow_reply_is_read(pieces: Any, place: Place, make_client: MakeClient) -> None:
    pieces = [pieces[index : index + 1] for index in range(len(pieces))] if isinstance(pieces, bytes) else pieces
    overrides = place.http(lambda peer: (peer.request(), peer.drip(pieces, 0.002)))
    with contextlib.suppress(errors.Unanswered):  # the second has no statusCode
        assert make_client(retries=0, **overrides).call(REGION).obj == GOOD["returnObj"]


def test_connecting_has_its_own_time(place: Place, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one address of a host does not answer, another does."""
    overrides = place.http(saying(page()))
    dead = place.full()
    genuine = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        found = genuine("127.0.0.1", port, *arguments, **options)
        return [(*entry[:4], ("127.0.0.1", dead)) for entry in found[:1]] + found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert make_client(timeout=TIMEOUT, retries=0, **overrides).call(REGION).obj == GOOD["returnObj"]


def test_a_reply_may_be_too_large(make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    client = make_client(retries=0)
    emulator.inject(Fault("huge", megabytes=64))
    began = time.monotonic()
    assert "too large" in failing(client).message
    assert time.monotonic() - began < SOON
    client.call(REGION)  # over another connection
    assert emulator.connections == 2
    value = {"statusCode": 200, "returnObj": {"x": "y" * 5000}}
    for limit, fits in ((len(json.dumps(value)), True), (len(json.dumps(value)) - 1, False)):
        monkeypatch.setattr(transport, "MAX_REPLY_BYTES", limit)
        emulator.inject(Fault("json", value=value))
        if fits:
            assert make_client(retries=0).call(REGION).obj == value["returnObj"]
        else:
            assert "too large" in failing(make_client(retries=0)).message


def test_a_packed_reply_is_unpacked_within_bounds(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1024 * 1024)
    with answering(page("200 OK", gzip.compress(json.dumps(GOOD).encode()), "Content-Encoding: gzip")) as server:
        assert make_client(endpoint=server.url).call(REGION).obj == GOOD["returnObj"]
    with answering(page("200 OK", gzip.compress(b" " * 64 * 1024 * 1024), "Content-Encoding: gzip")) as server:
        assert "too large" in failing(make_client(endpoint=server.url, retries=0)).message
    with answering(page("200 OK", b"not gzip", "Content-Encoding: gzip")) as server:
        assert failing(make_client(endpoint=server.url, retries=0), CREATE).effect == POSSIBLE


@pytest.mark.parametrize("status", ["103 Early Hints", "102 Processing", "101 Switching Protocols"])
def test_the_reply_after_a_1xx_is_not_that_of_the_next_request(
    status: str, place: Place, make_client: MakeClient
) -> None:
    """http.client passes over a 100 only. What follows the others must not be taken for another request's."""
    numbers = itertools.count()

    def work(peer: Peer) -> None:
        while peer.request():
            number = next(numbers)
            good = {"statusCode": 200, "returnObj": {"number": number}}
            peer.send(b"" if number else f"HTTP/1.1 {status}\r\n\r\n".encode())
            peer.send(page("200 OK", json.dumps(good).encode()))

    client = make_client(retries=0, **place.http(work))
    error = failing(client, CREATE)
    assert (error.__class__, error.effect, error.http_status) == (errors.Unanswered, POSSIBLE, int(status[:3]))
    assert client.call(REGION).obj == {"number": 1}
    assert place.server and place.server.connections == 2


# --- many threads


def test_connections_are_kept_and_shared(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(pool_size=50, retries=0)
    together = threading.Barrier(50)

    def call(number: int) -> Any:
        if number < 50:
            together.wait(10)
        return client.call(REGION).obj["region"]["zones"]

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(call, range(300))) == [emulator.settings.zones] * 300
    assert len({record.request_id for record in emulator.sent()}) == 300
    assert emulator.connections <= 50


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


def test_it_can_be_imported_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("urllib3", "requests", "requests.adapters"):
        monkeypatch.setitem(sys.modules, library, None)
    spec = importlib.util.spec_from_file_location(http.__name__ + "_alone", str(http.__file__))
    assert spec and spec.loader
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert (alone.HAS_REQUESTS, http.HAS_REQUESTS) == (False, True)
