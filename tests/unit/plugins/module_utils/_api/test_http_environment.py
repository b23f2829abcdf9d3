# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the environment of a request decides: certificates, proxies and netrc."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api import http
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    EciError,
    InvalidArguments,
    Unreachable,
    UntrustedEndpoint,
)
from tests.emulator import Emulator
from tests.unit.plugins.emulated import MakeClient

from .servers import CREATE, GOOD, Authority, Peer, Place, Server, answering, failing, page, saying

# --- certificates


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The CA bundles that were read."""
    read: list[tuple[Any, ...]] = []
    genuine = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, *arguments: Any, **named: Any) -> None:
        read.append((*arguments, *named.values()))
        genuine(self, *arguments, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    http.tls_context.cache_clear()
    return read


def test_a_bundle_is_read_once_and_trusted_where_it_is_named(
    make_client: MakeClient, tls: Server, authority: Authority, bundles: list[tuple[Any, ...]]
) -> None:
    for _number in range(2):
        assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]
    assert bundles == [(authority.ca_file,)]
    assert failing(make_client(endpoint=tls.url)).__class__ is UntrustedEndpoint
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]
    assert failing(make_client(endpoint=tls.url)).__class__ is UntrustedEndpoint
    assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]
    assert len(bundles) == 2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_what_was_prepared_is_not_read_again(
    variable: str, make_client: MakeClient, tls: Server, authority: Authority, bundles: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv(variable, authority.ca_file)
    for _again in range(2):
        http.prepare()
        assert bundles == [(authority.ca_file,)]
    assert make_client(endpoint=tls.url).call(REGION).obj == GOOD["returnObj"]
    assert len(bundles) == 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    http.prepare()  # left to the first request
    monkeypatch.setattr(http, "HAS_REQUESTS", False)
    http.prepare()


@pytest.mark.parametrize("content", [None, "", "no certificate\n", "-----BEGIN CERTIFICATE-----\n!\n"], ids=repr)
@pytest.mark.parametrize("variable", ["", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_cannot_be_used(
    variable: str, content: Any, make_client: MakeClient, tls: Server, server: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    if variable:
        monkeypatch.setenv(variable, str(path))
    error = failing(make_client(endpoint=tls.url, verify=True if variable else str(path)), CREATE)
    assert (error.__class__, error.effect, error.attempts) == (InvalidArguments, NONE, 1)
    assert error.message.startswith(f"The CA bundle {path} cannot be used (")
    assert error.message.endswith("). Check ca_path, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE.")
    trusted = Path(authority.ca_file).read_bytes()
    path.write_bytes(trusted)
    assert make_client(endpoint=tls.url, verify=True if variable else str(path)).call(REGION).obj == GOOD["returnObj"]
    path.unlink()
    # where no certificate is checked, or an option names another bundle, that of the environment does no harm
    assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]
    http.tls_context.cache_clear()
    assert make_client(endpoint=server.url).call(REGION).obj == GOOD["returnObj"]
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]


def test_authorities_in_a_folder(make_client: MakeClient, tls: Server, authority: Authority, tmp_path: Path) -> None:
    certificate = Path(authority.ca_file).read_text()
    (tmp_path / "authority.pem").write_text(certificate)
    assert failing(make_client(endpoint=tls.url, verify=str(tmp_path))).__class__ is UntrustedEndpoint
    (tmp_path / f"{authority.hash}.0").write_text(certificate)  # as openssl rehash would name it
    assert make_client(endpoint=tls.url, verify=str(tmp_path)).call(REGION).obj == GOOD["returnObj"]


@pytest.mark.filterwarnings("error")
def test_without_validation_there_is_no_warning(make_client: MakeClient, tls: Server) -> None:
    assert make_client(endpoint=tls.url, verify=False).call(REGION).obj == GOOD["returnObj"]


# --- what else is in the environment


def test_no_netrc_and_no_cookies(make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password netrc-password\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with answering(page("200 OK", json.dumps(GOOD).encode(), "Set-Cookie: a=b; Path=/")) as server:
        client = make_client(endpoint=server.url)
        client.call(REGION)
        client.call(REGION)
        names = {line.partition(":")[0].lower() for head in server.heads for line in head.split("\r\n")[1:]}
    assert "eop-authorization" in names
    assert names.isdisjoint({"authorization", "cookie"})


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_used(
    variable: str, scheme: str, make_client: MakeClient, emulator: Emulator, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv(variable, f"{scheme}{server.host}")
    assert make_client().call(REGION).obj == GOOD["returnObj"]
    assert server.heads[0].startswith(f"GET {emulator.url}/eci/api/v1/region?regionId= HTTP/1.1\r\n")
    assert emulator.sent() == []


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "127.0.0.0/8", "example.org, 127.0.0.1"])
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
def test_a_password_of_a_proxy(scheme: str, place: Place, make_client: MakeClient, server: Server) -> None:
    place.monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:proxy%2Dpassword@{server.host}")
    try:
        make_client(endpoint=f"{scheme}://eci.invalid", retries=0).call(REGION)
    except EciError as error:
        assert scheme == "https"  # it answers, but does not speak TLS
        assert "password" not in error.message
    assert "proxy-authorization: basic dXNlcjpwcm94eS1wYXNzd29yZA==".lower() in server.heads[0].lower()


@pytest.mark.parametrize(
    "proxy",
    [
        "http://",
        "http://:99999999",
        "socks9://127.0.0.1:1",
        "http://[",
        "http://user:proxy-password@[",
        "http://user:proxy-password@h:99999999",
        "socks9://user:proxy-password@127.0.0.1:1",
        "http://user:proxy-password密@127.0.0.1:1",
        "https://user:proxy-password@127.0.0.1:1",
        "socks5://user:proxy-password@127.0.0.1:1",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_used_is_not_quoted(
    scheme: str, proxy: str, make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    error = failing(make_client(endpoint=f"{scheme}{emulator.url[4:]}", retries=0), CREATE)
    assert isinstance(error, (InvalidArguments, Unreachable))
    assert error.effect == NONE
    assert "roxy" in error.message
    assert ("PySocks" in error.message) >= proxy.startswith("socks")
    shown = error.message + error.failure()["message"]
    assert "password" not in shown and "5bc6" not in shown  # a letter of a password
    assert emulator.sent() == []


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


@pytest.mark.parametrize("trusted", [True, False])
def test_a_proxy_that_speaks_tls(trusted: bool, place: Place, make_client: MakeClient) -> None:
    """Its certificate is checked with the same bundle as that of the endpoint."""
    proxy = place.stack.enter_context(Server(relay, place.authority.context()))
    place.monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with answering(context=place.authority.context()) as endpoint:
        client = make_client(endpoint=endpoint.url, verify=place.authority.ca_file if trusted else True, retries=0)
        if trusted:
            assert client.call(REGION).obj == GOOD["returnObj"]
            assert proxy.heads[0].startswith("CONNECT ")
            assert endpoint.heads[0].startswith("GET /eci/")
        else:
            assert failing(client, CREATE).__class__ is UntrustedEndpoint
            assert proxy.heads == []


def test_plain_http_through_a_proxy_that_speaks_tls(place: Place, make_client: MakeClient) -> None:
    proxy = place.stack.enter_context(Server(saying(page()), place.authority.context()))
    place.monkeypatch.setenv("HTTP_PROXY", proxy.url)
    client = make_client(endpoint="http://eci.invalid", verify=place.authority.ca_file, retries=0)
    assert client.call(REGION).obj == GOOD["returnObj"]
    assert proxy.heads[0].startswith("GET http://eci.invalid/eci/")
