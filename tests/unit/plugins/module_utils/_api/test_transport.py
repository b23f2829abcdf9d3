# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request of the API: what is sent, and which answers are none."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION, USAGE
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    EciError,
    InvalidArguments,
    ServiceError,
    Unanswered,
)
from tests.emulator import Emulator
from tests.unit.plugins import emulated
from tests.unit.plugins.emulated import MakeClient

from .servers import CREATE, DELETE, DESCRIBE, GOOD, LIST, UPDATE, Peer, Server, answering, failing, page


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
    identifier: str, operation: Operation, make_client: MakeClient, server: Server
) -> None:
    with pytest.raises(InvalidArguments, match=r"Cannot build a request for \w+: ") as caught:
        make_client(endpoint=server.url).call(operation, identifier=identifier)
    assert (caught.value.effect, caught.value.operation) == (NONE, operation.name)
    assert server.heads == []


@pytest.mark.parametrize("region", ["bb9fdb42056f11eda1610242ac110002", "200000002368", "a+b/c&d=e%20#?"])
def test_a_query_is_signed_as_it_is_sent(region: str, make_client: MakeClient, emulator: Emulator) -> None:
    emulator.settings.region_id = region
    make_client(retries=0).call(REGION, identifier=region)
    (record,) = emulator.sent()
    assert record.status == 200
    assert record.query.startswith("regionId=")


@pytest.mark.parametrize("operation", [LIST, DESCRIBE, UPDATE, DELETE, REGION, USAGE, CREATE], ids=lambda one: one.name)
def test_what_is_sent(operation: Operation, make_client: MakeClient, emulator: Emulator) -> None:
    identifier = emulated.seed(emulator)
    bodies: dict[str, Any] = {
        CREATE.name: {**emulated.BODY, "imageCacheName": "镜像 \U0001f600"},
        UPDATE.name: {"imageCacheId": identifier, "tags": []},
        LIST.name: {},
    }
    make_client().call(operation, bodies.get(operation.name), identifier if operation in (DESCRIBE, DELETE) else "")
    (record,) = emulator.sent()
    assert (record.operation, record.method) == (operation.name, operation.method)
    assert record.headers["regionid"] == emulator.settings.region_id
    assert record.headers["accept"] == record.headers["content-type"] == "application/json"
    assert record.headers["user-agent"] == "ansible-ctyun.eci"
    assert record.headers["accept-encoding"] == "identity"
    assert record.body == bodies.get(operation.name)
    assert bool(record.raw) is (operation.name in bodies)


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


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"\x00\x01\x02 hello\r\n\r\n", Unanswered, id="not-http"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", Unanswered, id="ssh"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", Unanswered, id="too-many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Unanswered, id="bad-chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}", Unanswered, id="bad-length"),
        pytest.param(page("204 No Content", b""), Unanswered, id="204"),
        pytest.param(page("200 OK", b"{}", "Content-Type: text/html; charset=x-none"), Unanswered, id="odd-charset"),
        pytest.param(page("404 Not Found", b"<html>"), ServiceError, id="404-page"),
        pytest.param(page("407 Proxy Authentication Required", b"<html>"), ServiceError, id="407"),
        pytest.param(page("500 \xff\xfe", b"<html>"), Unanswered, id="odd-reason"),
        pytest.param(page("304 Not Modified", b""), ServiceError, id="304"),
        pytest.param(page("302 Found", b""), ServiceError, id="redirect-to-nowhere"),
        pytest.param(page("302 Found", b"", "Location: http://[bad"), ServiceError, id="redirect-to-a-bad-address"),
        pytest.param(page("302 Found", b"", "Location: \xff\xfe://"), ServiceError, id="redirect-to-bytes"),
    ],
)
def test_answers_that_are_no_answer(answer: bytes, kind: type[EciError], make_client: MakeClient) -> None:
    with answering(answer) as server:
        error = failing(make_client(endpoint=server.url, retries=0))
        assert (error.__class__, len(server.heads)) == (kind, 1)
    assert (error.operation, error.effect) == ("region", NONE)  # it was a read
    assert error.request_id


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, make_client: MakeClient, server: Server) -> None:
    with answering(page(f"{status} Moved", b"", f"Location: {server.url}/")) as moved:
        error = failing(make_client(endpoint=moved.url), CREATE)
        assert error.__class__ is ServiceError
        assert "redirect" in error.message
        assert len(moved.heads) == 1
    assert server.heads == []
