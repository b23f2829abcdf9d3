# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import (
    HIDDEN,
    redacted_arguments,
    redactor,
    secrets,
)
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.api import TASK

SPEC = TASK.spec()


def shown(body: Any) -> Any:
    return redacted_arguments(SPEC, {"body": body})["body"]


@pytest.mark.parametrize(
    "key",
    [
        *("password", "Password", "registryPassword", "passwd", "PASSWORD_OF_DB", "user-password"),
        *(
            "credential",
            "crendential",
            "credentials",
            "imageRegistryCredentials",
            "secret",
            "secretKey",
            "clientSecret",
        ),
        *("token", "authToken", "TOKEN", "accessKey", "access_key", "access-key", "AccessKeyId", "kubeConfig"),
    ],
)
@pytest.mark.parametrize("secret", ["Pl4nted", 71234, ["Pl4nted"], {"a": [{"b": "Pl4nted"}]}])
def test_what_stands_under_the_key_of_a_secret_is_hidden(key: str, secret: Any) -> None:
    for body in ({key: secret}, {"a": {key: secret}}, {"a": [[{"b": [{key: secret}]}]]}):
        assert "Pl4nted" not in repr(shown(body))
        assert "71234" not in repr(shown(body))
        assert HIDDEN in repr(shown(body))
        redact = redactor(secrets(SPEC, {"body": body}))
        assert redact("it is Pl4nted or 71234") in ("it is ******** or 71234", "it is Pl4nted or ********")
        assert redacted_arguments(SPEC, {"query": body}) == {"query": shown(body)}


@pytest.mark.parametrize("half", ["key", "name"])
def test_a_pair_is_judged_by_its_name(half: str) -> None:
    pairs = [{half: "DB_PASSWORD", "value": "Pl4nted"}, {half: "MODE", "value": "fast"}]
    assert shown({"environmentVar": pairs}) == {
        "environmentVar": [{half: "DB_PASSWORD", "value": HIDDEN}, {half: "MODE", "value": "fast"}]
    }
    assert secrets(SPEC, {"body": {"environmentVar": pairs}}) == ["Pl4nted"]


def test_all_else_is_shown_as_it_is() -> None:
    body = {
        "nextToken": "1.2.3",
        "next_token": "4",
        "cpu": 0.5,
        "yes": True,
        "none": None,
        "list": [1, "a", []],
        "k": {},
    }
    assert shown(body) == body
    assert secrets(SPEC, {"body": body}) == []
    assert shown({"args": ["https://u:Pl4nted@host/"]}) == {"args": ["https://********@host/"]}


@pytest.mark.parametrize("body", ["Pl4nted", '{"password": "Pl4nted"}', ["Pl4nted"], 5])
def test_what_is_no_mapping_is_hidden(body: Any) -> None:
    assert shown(body) == HIDDEN


def test_of_a_login_only_the_password_is_redacted_in_messages() -> None:
    login = {"server": "r.example", "userName": "user1", "password": 'a"b'}
    assert set(secrets(SPEC, {"body": {"imageRegistryCredential": [login]}})) == {'a"b', 'a\\"b'}
    assert secrets(SPEC, {"body": {"token": "", "secret": None, "password": [True, {}]}}) == []
