# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From checked arguments to the request body of createImageCache. Private to the collection."""

from __future__ import annotations

from typing import Any, Mapping

from .._names import wire_name
from .specs import Spec, body_spec


def request_body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The body of createImageCache from checked arguments: what the user gave, under the API's names."""
    return _fields(body_spec(), arguments)


def _fields(spec: Spec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for option, rules in spec.items():
        value = arguments.get(option)
        if value is None:
            continue
        if "options" in rules:
            if isinstance(value, list):
                value = [_fields(rules["options"], item) if isinstance(item, dict) else item for item in value]
            elif isinstance(value, dict) and rules["type"] == "dict":
                value = _fields(rules["options"], value)
        body[wire_name(option)] = value
    return body
