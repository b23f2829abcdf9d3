# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulator import Emulator, Fault, Proxy
from tests.emulator.tunnel import Frames

from .conftest import PREFIX, Client


@pytest.fixture(scope="module")
def running_proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


@pytest.fixture
def proxy(running_proxy: Proxy) -> Proxy:
    running_proxy.reset()
    return running_proxy


@pytest.fixture(params=["http", "https"])
def emulator(request: pytest.FixtureRequest, running_emulator: Emulator, secure_emulator: Emulator) -> Emulator:
    emulator = secure_emulator if request.param == "https" else running_emulator
    emulator.reset()
    return emulator


@pytest.fixture
def api(emulator: Emulator, proxy: Proxy) -> Client:
    return client_of(emulator, proxy)


def client_of(emulator: Emulator, proxy: Proxy) -> Client:
    client = Client(emulator)
    client._session.proxies = {"http": proxy.url, "https": proxy.url}
    return client


def is_tunnel(emulator: Emulator) -> bool:
    return emulator.ca_file is not None


def host(emulator: Emulator) -> str:
    return urlsplit(emulator.url).netloc


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def talk(url: str, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_requests_pass(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    identifier = api.created(imageCacheName="镜像")
    assert api.listed() == ["镜像"]
    assert api.delete(identifier).status_code == 200
    assert api.get(identifier).status_code == 404
    assert emulator.connections == 1
    if is_tunnel(emulator):
        assert proxy.seen == [("CONNECT", host(emulator))]
    else:
        assert [method for method, _target in proxy.seen] == ["POST", "POST", "DELETE", "GET"]
        assert proxy.seen[0][1] == f"{emulator.url}{PREFIX}imageCache/createImageCache"


def test_replies_are_dropped(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    assert api.create().status_code == 200
    proxy.drop_reply(2)
    for number in range(2):
        with pytest.raises(requests.ConnectionError, match="without response"):
            api.create()
        # it has been answered by the time that the client knows of nothing
        assert [record.status for record in emulator.requests] == [200] * (number + 2)
    assert len(emulator.service.caches()) == 3
    assert api.create().status_code == 200
    proxy.drop_reply(20)
    for number in range(20):  # each on a connection of its own
        with pytest.raises(requests.ConnectionError):
            client_of(emulator, proxy).create()
        assert len(emulator.service.caches()) == number + 5


def test_which_reply_is_dropped(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.drop_reply(match="nowhere:1")
    proxy.drop_reply(match=host(emulator) if is_tunnel(emulator) else "updateImageCache")
    if not is_tunnel(emulator):
        assert api.create().status_code == 200
    with pytest.raises(requests.ConnectionError):
        api.update("imc-none", tags=[])
    assert api.listed() == ([] if is_tunnel(emulator) else ["base"])
    emulator.inject(Fault("reset"))
    proxy.drop_reply()
    with pytest.raises(requests.ConnectionError, match="without response"):
        client_of(emulator, proxy).create()


@pytest.mark.parametrize("status", [403, 407, 502])
def test_it_refuses(api: Any, emulator: Emulator, proxy: Proxy, status: int) -> None:
    proxy.refuse(status)
    if is_tunnel(emulator):
        with pytest.raises(requests.exceptions.ProxyError, match=str(status)):
            api.create()
    else:
        response = api.create()
        assert (response.status_code, response.headers["Content-Type"]) == (status, "text/html")
        assert ("Proxy-Authenticate" in response.headers) is (status == 407)
    assert emulator.requests == []
    assert api.create().status_code == 200
    assert len(proxy.seen) == 2


def test_it_hangs_up(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.hang_up(times=2)
    for _number in range(2):
        with pytest.raises(requests.ConnectionError):
            api.send("GET", "region")
    assert emulator.connections == 0
    assert api.send("GET", "region").status_code == 200


def test_it_answers_with_a_page(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.answer_page()
    proxy.answer_page(status=503)
    assert [api.create().status_code for _number in range(3)] == ([200] * 3 if is_tunnel(emulator) else [200, 503, 200])
    assert len(emulator.service.caches()) == (3 if is_tunnel(emulator) else 1)


def test_a_stand_in(secure_emulator: Emulator) -> None:
    with Proxy({"localhost:443": port_of(secure_emulator.url)}) as proxy, requests.Session() as session:
        session.trust_env = False
        session.proxies, session.verify = {"https": proxy.url}, secure_emulator.ca_file
        assert session.get("https://localhost/_emulator/usage", timeout=5).status_code == 200
        for other in ("https://localhost:8443/", "https://example.com/"):
            with pytest.raises(requests.exceptions.ProxyError, match="502"):
                session.get(other, timeout=5)


def test_a_server_that_starts_again(proxy: Proxy) -> None:
    with Emulator() as first:
        api = client_of(first, proxy)
        assert api.send("GET", "region").status_code == 200
    with first:
        assert api.send("GET", "region").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drip_chunks", interval=0),
        Fault("drip_headers", interval=0),
        Fault("huge", megabytes=2),
        Fault("informational", statuses=[100], count=3, interval=0),
        Fault("trickle", interval=0, when="after"),
    ],
    ids=lambda fault: str(fault.kind),
)
def test_odd_replies_pass(api: Any, emulator: Emulator, fault: Fault) -> None:
    emulator.inject(fault)
    assert api.create().json()["statusCode"] == 200
    assert api.create().status_code == 200
    assert emulator.connections == 1


def test_a_reply_that_breaks_off(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("truncate"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.create()
    emulator.inject(Fault("reset"))
    if is_tunnel(emulator):
        with pytest.raises(requests.ConnectionError):
            api.create()
    else:
        assert api.create().status_code == 502


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET http://192.0.2.1/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"GET https://127.0.0.1/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"CONNECT nonsense HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),  # nobody is there
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"nonsense\r\n\r\n", b""),
    ],
)
def test_it_serves_this_machine_and_http_only(proxy: Proxy, sent: bytes, answer: bytes) -> None:
    found = talk(proxy.url, sent)
    assert found.startswith(answer)
    assert answer or not found


@pytest.mark.parametrize(
    ("reply", "arrives"),
    [
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na"),
        (b"HTTP/1.1 200", b"HTTP/1.1 502 "),
        (b"", b"HTTP/1.1 502 "),
    ],
    ids=["good", "cut off", "nothing"],
)
def test_heads_are_changed_as_little_as_possible(proxy: Proxy, reply: bytes, arrives: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(("127.0.0.1", port_of(proxy.url)), timeout=5) as client:
            client.sendall(
                f"PUT http://127.0.0.1:{port_of(str(server.getsockname()[1]))}?q=%20 HTTP/1.1\r\nHost: h\r\n"
                "Proxy-Authorization: Basic eA==\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\n\r\n".encode()
            )
            connection, _address = server.accept()
            with connection:
                connection.settimeout(5)
                expected = (
                    b"PUT /?q=%20 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\n\r\n"
                )
                got = b""
                while len(got) < len(expected):
                    got += connection.recv(65536)
                assert got == expected
                connection.sendall(reply)
            client.shutdown(socket.SHUT_WR)
            assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(arrives)


def test_a_server_without_tickets_or_with_many(secure_emulator: Emulator, proxy: Proxy) -> None:
    context = secure_emulator._certificate.context  # type: ignore[union-attr]
    try:
        for number in (0, 5):
            context.num_tickets = number
            secure_emulator.reset()
            proxy.drop_reply()
            with pytest.raises(requests.ConnectionError):
                client_of(secure_emulator, proxy).create()
            assert len(secure_emulator.service.caches()) == 1
    finally:
        context.num_tickets = 2


def test_the_end_of_tls_is_no_request(secure_emulator: Emulator, proxy: Proxy) -> None:
    secure_emulator.reset()
    context = ssl.create_default_context(cafile=secure_emulator.ca_file)
    with socket.create_connection(("127.0.0.1", port_of(proxy.url)), timeout=5) as connection:
        connection.sendall(f"CONNECT {host(secure_emulator)} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        with context.wrap_socket(connection, server_hostname="localhost") as session:
            proxy.drop_reply()
            session.unwrap()
    with pytest.raises(requests.ConnectionError):
        client_of(secure_emulator, proxy).create()
    assert len(secure_emulator.service.caches()) == 1


def test_frames_are_cut_wherever_the_bytes_are() -> None:
    records = [b"\x16\x03\x01\x00\x02ab", b"\x14\x03\x03\x00\x00", b"\x17\x03\x03\x01\x00" + b"c" * 256]
    stream = b"".join(records)
    for size in (1, 4, 7, 300):
        frames = Frames()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        found = [record for piece in pieces for record in frames.feed(piece)]
        assert found == [(record[0], record) for record in records]


def test_stopping_does_not_wait(running_emulator: Emulator) -> None:
    running_emulator.reset()
    running_emulator.inject(Fault("hang"))
    with Proxy() as proxy:
        with pytest.raises(requests.ReadTimeout):
            client_of(running_emulator, proxy).send("GET", "region", timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 1
