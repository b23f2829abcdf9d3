# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.schema import CREATE_IMAGE_CACHE
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._text import option_name, printable, wire_name


@pytest.mark.parametrize("option", [*body_spec(), "az_name", "user_name", "eip_instance_id", *ImageCache().as_dict()])
def test_option_names_and_wire_names_are_inverse(option: str) -> None:
    assert option_name(wire_name(option)) == option


@pytest.mark.parametrize(
    "field",
    [
        *CREATE_IMAGE_CACHE["properties"],
        *["azName", "eipInstanceId", "server", "userName", "password", "key", "value"],
        *["imageCacheId", "creationTime", "firstTimestamp", "resourceGroupId", "nextToken"],
    ],
)
def test_wire_names_and_option_names_are_inverse(field: str) -> None:
    assert wire_name(option_name(field)) == field


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("数据库 😀 'a' \\x", "数据库 😀 'a' \\x"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x9b\x7f\x85", "\\x1b[2J\\x9b\\x7f\\x85"),
        ("\u2028\u202e\ufeff\ud800", "\\u2028\\u202e\\ufeff\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(f"{text}\n", keep="\n").endswith("\n")
