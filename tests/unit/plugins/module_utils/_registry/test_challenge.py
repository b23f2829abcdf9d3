# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What registries ask for, and where a login may be sent for it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry.challenge import (
    Challenge,
    challenges,
    token_address,
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        ('Basic realm="x", Bearer realm="y"', [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})]),
        ("BEARER REALM = https://x/t , Service=s", [("bearer", {"realm": "https://x/t", "service": "s"})]),
        (r'Bearer realm="a \" b"', [("bearer", {"realm": 'a " b'})]),
        ('Bearer realm="first", realm="second"', [("bearer", {"realm": "first"})]),
        ('Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Bearer realm="open', [("bearer", {"realm": ""})]),
        ('realm="x"', []),
        ("Bearer \x01", [("bearer", {})]),
    ],
)
def test_challenges_are_told_apart(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    found = [(one.scheme, one.parameters) for one in challenges(header)]
    if header == 'realm="x"':  # a scheme without a blank after it is none that is known
        assert "bearer" not in dict(found) and "basic" not in dict(found)
    elif "open" in header:
        assert found[0][0] == "bearer"
    else:
        assert found == expected


def bearer(realm: str, **more: str) -> Challenge:
    return Challenge("bearer", {"realm": realm, **more})


def test_a_token_is_asked_for_to_pull_and_no_more() -> None:
    url = token_address(bearer("https://auth.example/t?x=1#y", service="a b", scope="registry:*:*"), "a.b", "team/app")
    assert urlsplit(url)._replace(query="").geturl() == "https://auth.example/t"
    assert parse_qs(urlsplit(url).query) == {"x": ["1"], "service": ["a b"], "scope": ["repository:team/app:pull"]}


@pytest.mark.parametrize(
    ("realm", "host"),
    [
        ("https://auth.example/token", "a.b"),
        ("https://auth.example:8443/token", "127.0.0.1"),
        ("https://auth.example:1/token", "a.b"),
        ("http://127.0.0.1:5001/token", "127.0.0.1"),
        ("http://[::1]:5001/token", "::1"),
        ("http://localhost/token", "localhost"),
    ],
)
def test_a_realm_has_tls_or_is_this_machine_s_own(realm: str, host: str) -> None:
    assert token_address(bearer(realm), host, "app").startswith(realm)


@pytest.mark.parametrize(
    ("realm", "host"),
    [
        ("", "a.b"),
        ("http://a.b/token", "a.b"),
        ("http://127.0.0.1:5001/token", "a.b"),
        ("http://127.0.0.1:5001/token", "localhost"),
        ("http://auth.example/token", "127.0.0.1"),
        ("//auth.example/token", "a.b"),
        ("/token", "127.0.0.1"),
        ("ftp://a.b/token", "a.b"),
        ("https:///token", "a.b"),
        ("https://user:pass@auth.example/token", "a.b"),
        ("https://auth.example:99999/token", "a.b"),
        ("https://auth.example:0/token", "a.b"),
        ("ftp://127.0.0.1/token", "127.0.0.1"),
        ("https://auth.example/a b", "a.b"),
        ("https://auth.example/\r\nX: y", "a.b"),
        ("https://[::1/token", "::1"),
    ],
)
def test_no_login_goes_anywhere_else(realm: str, host: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of several kinds
        token_address(bearer(realm), host, "app")
