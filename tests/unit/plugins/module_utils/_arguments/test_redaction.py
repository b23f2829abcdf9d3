# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments import redaction
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import HIDDEN, redacted_arguments, secrets

from .examples import SNAKE, every_option

ALL = every_option()

SECRET = "Pl4nted-Secret"
LOGIN = {"server": "r", "user_name": "u", "password": SECRET}


def test_an_unknown_option_is_left_out() -> None:
    given_arguments = {"name": "x", "registry_password": SECRET, "az_info": {"azName": "az1", "zz": SECRET}}
    assert redacted_arguments(ALL, given_arguments) == {"image_cache_name": "x", "az_info": {"az_name": "az1"}}


@pytest.mark.parametrize("password", ["pass", "p/a:s#s", "p@ss", "p@s/s@", "p\n@x", "p//s", "p://s"])
def test_a_password_in_an_address_is_hidden(password: str) -> None:
    found = redacted_arguments(ALL, {"endpoint": f"https://user:{password}@eci.example/"})
    assert found == {"endpoint": "https://********@eci.example/"}
    found = redacted_arguments(ALL, {"endpoint": f"user:{password}@eci.example"})
    assert found == {"endpoint": "//********@eci.example"}
    assert redacted_arguments(ALL, {"endpoint": "eci.example"}) == {"endpoint": "eci.example"}


def test_a_text_is_not_taken_apart() -> None:
    found = redacted_arguments(ALL, {"images": "nginx", "image_registry_credentials": "x"})
    assert found == {"images": "nginx", "image_registry_credentials": HIDDEN}


def test_secrets_are_hidden_by_their_place_and_nothing_else_is() -> None:
    shown = {**SNAKE, "wait": False}
    secret = {"access_key": SECRET, "secret_key": "eci", "image_registry_credentials": [LOGIN], "eip": None}
    hidden = {"access_key": HIDDEN, "secret_key": HIDDEN, "image_registry_credentials": [{**LOGIN, "password": HIDDEN}]}
    assert redacted_arguments(ALL, {**shown, **secret}) == {**shown, **hidden}


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param({"image_registry_credentials": SECRET}, id="text"),
        pytest.param({"image_registry_credentials": [SECRET]}, id="list-of-text"),
        pytest.param({"image_registry_credentials": [[LOGIN]]}, id="list-in-list"),
        pytest.param({"image_registry_credentials": LOGIN}, id="mapping"),
        pytest.param({"image_registry_credentials": {"r": LOGIN}}, id="mapping-of-mappings"),
        pytest.param({"image_registry_credentials": f"password={SECRET}"}, id="key-value-text"),
        pytest.param({"image_registry_credentials": json.dumps([LOGIN])}, id="json-text"),
        pytest.param({"image_registry_credentials": [{"passwort": SECRET}]}, id="unknown-suboption"),
        pytest.param({"image_registry_credentials": [{"password": [SECRET]}]}, id="password-in-list"),
        pytest.param({"imageRegistryCredentials": [{**LOGIN, "userName": {"password": SECRET}}]}, id="password-in-it"),
        pytest.param({"image_cache_name": [SECRET]}, id="list-for-a-text"),
        pytest.param({"registry_password": SECRET}, id="unknown-option"),
        pytest.param({"access_key": {"value": SECRET}}, id="key-in-mapping"),
        pytest.param({"az_info": SECRET}, id="zone"),
        pytest.param({"tags": {"password": SECRET}}, id="tags-mapping"),
        # one level too deep: the next option indented under the list before it
        pytest.param({"images": ["nginx", {"image_registry_credentials": [LOGIN]}]}, id="indented-under-images"),
        pytest.param({"image_cache_name": {"image_registry_credentials": [LOGIN]}}, id="indented-under-name"),
        pytest.param({"tags": [{"key": "a", "value": {"password": SECRET}}]}, id="indented-under-a-tag"),
        # what Ansible makes of "c2VjcmV0=" where a mapping belongs
        pytest.param({"image_registry_credentials": [{SECRET: ""}]}, id="base64-taken-for-key-and-value"),
    ],
)
def test_a_misplaced_value_is_hidden(malformed: dict[str, Any]) -> None:
    assert SECRET not in repr(redacted_arguments(ALL, malformed))


def test_secrets_are_found_with_their_quoted_forms_the_longest_first() -> None:
    password = 'a"b\\c\nd密'
    logins = [{**LOGIN, "password": password}, {}]
    found = secrets(ALL, {"access_key": "ak", "secret_key": None, "image_registry_credentials": logins})
    assert set(found) == {"ak", password, r"a\"b\\c\nd\u5bc6", r"a\"b\\c\nd密", r'a"b\\c\nd密'}
    assert [len(secret) for secret in found] == sorted((len(secret) for secret in found), reverse=True)
    assert secrets(ALL, {"eip": {"eip_instance_id": "e"}, "tags": [{"key": "k"}]}) == []


@pytest.mark.parametrize(
    ("hidden", "text", "shown"),
    [
        ([], "nothing to hide", "nothing to hide"),
        ([SECRET], f"it is {SECRET}.", "it is ********."),
        ([SECRET], f"x{SECRET}y{SECRET}", "x********y********"),
        ([f"{SECRET}-longer", SECRET], f"{SECRET}-longer {SECRET}", "******** ********"),
        (["Pl4nt.d"], "Planted Pl4nt.d", "Planted ********"),
        (["Pl4nt\\d"], "Pl4nt\\d", "********"),
        # a short one only where it stands by itself, or no ID and no code would be left
        (["1"], "10020: wrong password 1 for imc-1a1, id 0-1-", "10020: wrong password ******** for imc-1a1, id 0-1-"),
        (["eci"], "ECI.Openapi: 'eci' in special", "ECI.Openapi: '********' in special"),
        (["imc"], "imc-7nh0: password=imc, 密码imc错误", "imc-7nh0: password=********, 密码********错误"),
        (["Pl4nt6"], "xPl4nt6x", "x********x"),
        (["Pl4nt"], "xPl4nt Pl4nt", "xPl4nt ********"),
        (["-"], "c858-4614 -", "c858-4614 ********"),
    ],
)
def test_secrets_are_redacted_in_a_text(hidden: list[str], text: str, shown: str) -> None:
    assert redaction.redactor(hidden)(text) == shown
