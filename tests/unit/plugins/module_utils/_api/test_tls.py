# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each bundle of authorities is read once, and who trusts another one, or none, changes nothing for the others."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import UntrustedEndpoint
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._api import trust
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client

from .servers import GOOD, Authority, Server, failing

MakeClient = Callable[..., Client]


@pytest.fixture(autouse=True)
def contexts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The contexts of this test, none at first."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(trust, "_contexts", found)
    return found


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was read."""
    calls: list[tuple[Any, ...]] = []
    original = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, *arguments: Any, **named: Any) -> None:
        calls.append((*arguments, *named.values()))
        original(self, *arguments, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    return calls


def test_a_bundle_is_read_once(
    make_client: MakeClient, tls: Server, authority: Authority, read: list[tuple[Any, ...]]
) -> None:
    for _number in range(3):
        assert make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION).obj == GOOD["returnObj"]
    assert read == [(authority.ca_file,)]


@pytest.mark.parametrize("variable", trust.BUNDLE_VARIABLES)
def test_what_was_prepared_is_not_read_again(
    variable: str,
    make_client: MakeClient,
    tls: Server,
    authority: Authority,
    read: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, authority.ca_file)
    trust.prepare()
    assert read == [(authority.ca_file,)]
    assert make_client(endpoint=tls.url).call(REGION).obj == GOOD["returnObj"]
    assert len(read) == 1


def test_preparing_leaves_it_to_others_to_tell_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contexts: dict[str, Any]
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent"))
    trust.prepare()
    (tmp_path / "empty").touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty"))
    trust.prepare()
    assert contexts == {}


def test_a_bundle_of_one_task_is_not_that_of_another(
    make_client: MakeClient, tls: Server, authority: Authority, contexts: dict[str, Any]
) -> None:
    make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION)
    assert failing(make_client(endpoint=tls.url, retries=0)).__class__ is UntrustedEndpoint
    make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION)
    assert len(contexts) == 2


def test_who_does_not_check_changes_nothing_for_who_does(
    make_client: MakeClient, tls: Server, authority: Authority, contexts: dict[str, Any]
) -> None:
    make_client(endpoint=tls.url, verify=authority.ca_file).call(REGION)
    make_client(endpoint=tls.url, verify=False).call(REGION)
    (context,) = contexts.values()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert failing(make_client(endpoint=tls.url, retries=0)).__class__ is UntrustedEndpoint


def test_a_bundle_that_was_no_bundle_is_read_again(
    make_client: MakeClient, tls: Server, authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text("not yet")
    error = failing(make_client(endpoint=tls.url, verify=str(path)))
    assert error.__class__ is UntrustedEndpoint
    assert "Check the file of authorities" in error.message
    path.write_bytes(Path(authority.ca_file).read_bytes())
    assert make_client(endpoint=tls.url, verify=str(path)).call(REGION).obj == GOOD["returnObj"]
