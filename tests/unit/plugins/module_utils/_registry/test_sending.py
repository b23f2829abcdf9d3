# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each error of the libraries beneath is told as, by itself: which of them come together differs by their versions."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import sys
import threading
from pathlib import Path

import pytest
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import InvalidProxyURL, InvalidSchema, ProxyError, SSLError
from urllib3.exceptions import ReadTimeoutError

from ansible_collections.ctyun.eci.plugins.module_utils._registry import sending
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Settings
from ansible_collections.ctyun.eci.plugins.module_utils._registry.sending import NoReply, Sender

from .conftest import Look, MakeRegistry


class CertificateError(ValueError):
    """As urllib3 has one of its own."""


UNSURE = "No trusted TLS connection to r.example: "
SLOW = "No complete reply of r.example within 9 s (option timeout)."
NONE = "No connection to r.example: "


@pytest.mark.parametrize(
    ("error", "text", "is_final", "is_far"),
    [
        (SSLError("bad"), f"{UNSURE}bad.", False, False),
        (NoConnection(ssl.SSLError(1, "bad")), f"{UNSURE}bad.", False, False),
        (SSLError(ssl.SSLCertVerificationError(1, "bad")), f"{UNSURE}bad.", True, False),
        (SSLError(CertificateError("bad")), f"{UNSURE}bad.", True, False),
        (ReadTimeoutError(None, "", "bad"), SLOW, True, True),  # type: ignore[arg-type]
        (NoConnection(TimeoutError("bad")), SLOW, True, True),
        (NoConnection(TimeoutError(110, "bad")), f"{NONE}[Errno 110] bad.", False, True),
        (NoConnection(ConnectionResetError("bad")), f"{NONE}bad.", False, True),
        (ValueError("bad"), f"{NONE}bad.", False, True),
        (InvalidSchema("bad"), f"{NONE}bad.", False, True),
        (
            ProxyError("bad"),
            "The proxy does not connect to r.example: bad. Check HTTPS_PROXY and NO_PROXY.",
            True,
            False,
        ),
        (FileNotFoundError("bad"), "No request to r.example can be made: bad.", True, False),
    ],
    ids=repr,
)
def test_what_an_error_is_told_as(
    error: Exception, text: str, is_final: bool, is_far: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    sender = Sender(True, 9.0, str, 1)
    monkeypatch.setattr(sending._Adapter, "send", fail)
    with pytest.raises(NoReply) as caught:
        sender.get("https://r.example/v2/", {}, 1)
    assert str(caught.value) == text
    assert (caught.value.is_final, caught.value.is_far) == (is_final, is_far)


def test_a_proxy_is_not_blamed_for_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise InvalidSchema("bad")

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setattr(sending._Adapter, "send", fail)
    with pytest.raises(NoReply, match=NONE):
        Sender(True, 9.0, str, 1).get("https://r.example/v2/", {}, 1)


@pytest.mark.parametrize(
    ("proxy", "why"),
    [("http://127.0.0.1:1", "bad planted-secret"), ("http://user:planted-secret@127.0.0.1:1", "InvalidProxyURL")],
    ids=["without a password", "with a password"],
)
def test_a_proxy_whose_address_cannot_be_read_is_quoted_only_without_a_password(
    proxy: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise InvalidProxyURL("bad planted-secret")

    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setattr(sending._Adapter, "send", fail)
    with pytest.raises(NoReply) as caught:
        Sender(True, 9.0, str, 1).get("https://r.example/v2/", {}, 1)
    assert str(caught.value) == f"The environment names a proxy that cannot be used ({why})."


def test_whoever_says_nothing_of_certificates_has_them_checked() -> None:
    assert Settings().verify is True


def test_what_gets_no_reply_is_sent_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        connections = []

        def hang_up() -> None:
            for _connection in range(2):
                connection, _address = server.accept()
                connections.append(connection)
                connection.recv(65536)
                connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with pytest.raises(NoReply):
            Sender(True, 9.0, str, 1).get(f"http://127.0.0.1:{server.getsockname()[1]}/v2/", {}, 1)
        thread.join(0.3)  # for a second one, which does not come
        assert len(connections) == 1
        socket.create_connection(server.getsockname()).close()
        thread.join()


def test_it_can_be_imported_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    spec = importlib.util.spec_from_file_location(sending.__name__ + "_alone", str(sending.__file__))
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, alone)
    spec.loader.exec_module(alone)
    assert not hasattr(alone, "Request")


def test_where_there_is_no_tls_no_authorities_are_needed(
    make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    (found,) = see(make_registry(), "team/app:1", verify=True)
    assert found.outcome == "found"


def test_no_connection_is_kept_in_the_end(make_registry: MakeRegistry) -> None:
    registry = make_registry()
    sender = Sender(True, 9.0, str, 1)
    url = f"http://{registry.address}/v2/"
    for _time in range(2):
        sender.get(url, {}, 1000)
    sender.close()
    sender.get(url, {}, 1000)
    first, second, third = (seen.connection for seen in registry.requests)
    assert first == second != third
