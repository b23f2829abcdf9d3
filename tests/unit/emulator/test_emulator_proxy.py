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

REGION = PREFIX + "region"


@pytest.fixture(scope="module")
def secure_emulator() -> Iterator[Emulator]:
    with Emulator(tls=True) as emulator:
        yield emulator


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
    client._session.verify = emulator.ca_file
    client._session.proxies = {"http": proxy.url, "https": proxy.url}
    return client


def is_tunnel(emulator: Emulator) -> bool:
    return emulator.ca_file is not None


def host(emulator: Emulator) -> str:
    return urlsplit(emulator.url).netloc


def talk(url: str, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5) as connection:
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


@pytest.mark.parametrize("times", [1, 2])
def test_a_reply_is_dropped(api: Any, emulator: Emulator, proxy: Proxy, times: int) -> None:
    proxy.drop_reply(times)
    for number in range(times):
        with pytest.raises(requests.ConnectionError, match="without response"):
            api.create()
        # it has been answered by the time that the client knows of nothing
        assert [record.status for record in emulator.requests] == [200] * (number + 1)
    assert len(emulator.service.caches()) == times
    assert api.create().status_code == 200


def test_a_reply_is_dropped_where_the_connection_was_there_before(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    assert api.create().status_code == 200
    proxy.drop_reply()
    with pytest.raises(requests.ConnectionError):
        api.create()
    assert len(emulator.service.caches()) == 2
    assert len(proxy.seen) == (1 if is_tunnel(emulator) else 2)


def test_many_replies_are_dropped(emulator: Emulator, proxy: Proxy) -> None:
    proxy.drop_reply(times=None)
    for number in range(20):
        with pytest.raises(requests.ConnectionError):
            client_of(emulator, proxy).create()
        assert len(emulator.service.caches()) == number + 1


def test_which_reply_is_dropped(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.drop_reply(match="nowhere:1")
    proxy.drop_reply(match=host(emulator) if is_tunnel(emulator) else "updateImageCache")
    if not is_tunnel(emulator):
        assert api.create().status_code == 200
    with pytest.raises(requests.ConnectionError):
        api.update("imc-none", tags=[])
    assert api.listed() == ([] if is_tunnel(emulator) else ["base"])


def test_a_reply_that_never_comes_is_dropped_as_well(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    emulator.inject(Fault("reset"))
    proxy.drop_reply()
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.create()


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


def test_it_hangs(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.hang(5)
    with pytest.raises((requests.Timeout, requests.exceptions.ProxyError), match="timed out"):
        api.send("GET", "region", timeout=0.05)
    proxy.hang(0.05)
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        api.send("GET", "region")
    assert time.monotonic() - started >= 0.05
    assert emulator.connections == 0


def test_it_answers_a_page_of_its_own(api: Any, emulator: Emulator, proxy: Proxy) -> None:
    proxy.answer_page()
    proxy.answer_page(status=503)
    assert [api.create().status_code for _number in range(3)] == ([200] * 3 if is_tunnel(emulator) else [200, 503, 200])
    assert len(emulator.service.caches()) == (3 if is_tunnel(emulator) else 1)


def test_a_server_that_is_not_there(emulator: Emulator, proxy: Proxy) -> None:
    with Emulator() as gone:
        url = gone.url.replace("http:", "https:") if is_tunnel(emulator) else gone.url
    proxies = {"http": proxy.url, "https": proxy.url}
    if is_tunnel(emulator):
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            requests.get(url, proxies=proxies, timeout=5)
    else:
        assert requests.get(url, proxies=proxies, timeout=5).status_code == 502


def test_a_stand_in(secure_emulator: Emulator) -> None:
    secure_emulator.reset()
    port = int(secure_emulator.url.rpartition(":")[2])
    with Proxy({"eci-global.ctapi.ctyun.cn:443": port}) as proxy, requests.Session() as session:
        session.trust_env = False
        session.proxies, session.verify = {"https": proxy.url}, secure_emulator.ca_file
        assert session.get(f"https://eci-global.ctapi.ctyun.cn{REGION}", timeout=5).status_code == 401
        (record,) = secure_emulator.requests
        assert record.headers["host"] == "eci-global.ctapi.ctyun.cn"
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            session.get("https://eci-global.ctapi.ctyun.cn:8443/", timeout=5)
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            session.get("https://example.com/", timeout=5)


def test_a_server_that_leaves_in_between(emulator: Emulator, proxy: Proxy) -> None:
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


def test_a_reply_that_is_cut_off_is_cut_off(api: Any, emulator: Emulator) -> None:
    emulator.inject(Fault("truncate"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.create()


def test_a_reset_becomes_a_refusal_or_an_end(api: Any, emulator: Emulator) -> None:
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
        (b"GET http://127.0.0.1:port/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"CONNECT nonsense HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"nonsense\r\n\r\n", b""),
        (b"G" * 200_000, b""),
    ],
)
def test_it_serves_this_machine_and_http_only(proxy: Proxy, sent: bytes, answer: bytes) -> None:
    try:
        found = talk(proxy.url, sent)
    except ConnectionResetError:
        found = b""
    assert found.startswith(answer)
    assert answer or not found


def test_heads_are_changed_as_little_as_possible(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=5) as client:
            client.sendall(
                f"PUT http://localhost:{port}?q=%20 HTTP/1.1\r\nHost: here\r\nProxy-Authorization: Basic eA==\r\n"
                "X-Odd:  a:b\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n".encode()
            )
            connection, _address = server.accept()
            with connection:
                connection.settimeout(5)
                expected = (
                    b"PUT /?q=%20 HTTP/1.1\r\nHost: here\r\nX-Odd: a:b\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"2;x=y\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n"
                )
                got = b""
                while len(got) < len(expected):
                    got += connection.recv(65536)
                assert got == expected
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
            assert b"".join(iter(lambda: client.recv(65536), b"")) == b"HTTP/1.1 200 OK\r\n\r\nuntil the end"


@pytest.mark.parametrize(
    ("reply", "arrives"),
    [
        (b"HTTP/1.1 204\r\n\r\n", b"HTTP/1.1 204\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        (b"HTTP/1.1 200", b"HTTP/1.1 502 "),
        (b"", b"HTTP/1.1 502 "),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10001, b"HTTP/1.1 100 Continue"),
    ],
    ids=["204", "odd length", "cut off", "nothing", "endless"],
)
def test_odd_servers(proxy: Proxy, reply: bytes, arrives: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=5) as client:
            client.sendall(f"GET http://127.0.0.1:{port}/ HTTP/1.0\r\n\r\n".encode())
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)
            assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(arrives)


def test_a_tunnel_without_tls(running_emulator: Emulator, proxy: Proxy) -> None:
    running_emulator.reset()
    usage = b"GET /_emulator/usage HTTP/1.1\r\nHost: emulator\r\nConnection: close\r\n\r\n"
    connect = f"CONNECT {host(running_emulator)} HTTP/1.1\r\n\r\n".encode()
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert talk(proxy.url, connect + usage).startswith(established + b"HTTP/1.1 200 OK\r\n")
    proxy.drop_reply()
    assert talk(proxy.url, connect + usage) == established


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


def test_a_goodbye_is_no_request(secure_emulator: Emulator, proxy: Proxy) -> None:
    secure_emulator.reset()
    context = ssl.create_default_context(cafile=secure_emulator.ca_file)
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=5) as connection:
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
        assert [record for piece in pieces for record in frames.feed(piece)] == [
            (record[0], record) for record in records
        ]


def test_stopping_does_not_wait(running_emulator: Emulator) -> None:
    with Proxy() as proxy:
        proxy.hang(30)
        with pytest.raises(requests.ReadTimeout):
            requests.get("http://127.0.0.1:9/", proxies={"http": proxy.url}, timeout=0.05)
        url = proxy.url
        started = time.monotonic()
    assert time.monotonic() - started < 1
    with proxy:
        assert proxy.url == url


def test_orders_must_make_sense(proxy: Proxy) -> None:
    for order in (lambda: proxy.refuse(200), lambda: proxy.hang_up(0), lambda: proxy.answer_page(status=999)):
        with pytest.raises(ValueError, match=r"must be|no such"):
            order()
