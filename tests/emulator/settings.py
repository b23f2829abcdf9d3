# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be set on the emulator, and how a setting is read from text or JSON."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_type_hints

_BOOLEANS = {"true": True, "false": False}


@dataclass
class Settings:
    access_key: str = "emulator-access-key"
    secret_key: str = "emulator-secret-key"
    region_id: str = "bb9fdb42056f11eda1610242ac110002"
    zones: list[str] = field(default_factory=lambda: ["az1", "cn-xinan1-1A", "cn-xinan1-2A"])
    quota: int = 5000
    max_page: int = 1000
    ready_after: float = 2.0
    pull_after: float = 3.0
    fail_images: list[str] = field(default_factory=lambda: ["does-not-exist"])
    delete_after: float = 0.0
    delete_again: Literal["ok", "conflict"] = "ok"
    delete_fails: int = 0
    pending_status: str = "pending"
    ready_status: str = "ready"
    failed_status: str = "failed"
    deleting_status: str = "deleting"
    delete_failed_status: str = "delete_failed"
    zone_aliases: list[str] = field(default_factory=list)
    image_prefix: str = ""
    size_step: int = 0
    name_match: Literal["exact", "prefix", "fuzzy", "off"] = "exact"
    images_filter: Literal["all", "any", "off"] = "all"
    filters_match: Literal["all", "any"] = "all"
    tags_shown: bool = True
    tags_update: Literal["replace", "merge"] = "replace"
    tags_filter: Literal["all", "any", "key", "off"] = "all"
    list_order: Literal["oldest", "newest"] = "oldest"
    list_total: bool = True
    list_needs_images: bool = False
    time_form: Literal["offset", "utc", "bare"] = "offset"
    null_fields: bool = False
    expiry_shown: bool = False
    missing_reason: Literal["NotFound", "Gone", "Invalid", "BadRequest", "InternalError", "none"] = "NotFound"
    region_returned: Literal["asked", "query", "other"] = "asked"
    unique_names: bool = False
    http_errors: bool = True
    gateway_shape: Literal["number", "full"] = "number"
    status_code_style: Literal["int", "str", "800"] = "int"
    rate: float = 0.0
    rate_burst: int = 10
    rate_retry_after: Literal["none", "seconds", "date"] = "none"
    list_lag: float = 0.0
    latency: float = 0.0
    clock_offset: float = 0.0

    def update(self, values: Mapping[str, object]) -> None:
        """Set all of the values or, when one is wrong, none of them."""
        checked = {name: _checked(name, value) for name, value in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def assign(self, other: Settings) -> None:
        self.update(other.as_dict())

    def as_dict(self) -> dict[str, Any]:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, list) else value for name, value in values.items()}

    def copy(self) -> Settings:
        return Settings(**self.as_dict())


def parse_setting(text: str) -> tuple[str, object]:
    """Read one ``name=value`` from the command line."""
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"expected name=value, not {text!r}")
    kind = _kind(name)
    if kind is bool:
        if value not in _BOOLEANS:
            raise ValueError(f"{name} must be true or false")
        return name, _BOOLEANS[value]
    if kind in (int, float):
        return name, kind(value)
    if kind == list[str]:
        return name, [part for part in value.split(",") if part]
    return name, value


@functools.cache
def _kinds() -> dict[str, Any]:
    return get_type_hints(Settings)


def _kind(name: str) -> Any:
    if name not in _kinds():
        raise ValueError(f"no such setting: {name}")
    return _kinds()[name]


def _checked(name: str, value: object) -> object:
    kind = _kind(name)
    choices = get_args(kind)
    if kind == list[str]:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise ValueError(f"{name} must be a list of strings")
        if name == "zone_aliases" and not all("=" in part for part in value):
            raise ValueError(f"{name} must be a list of sent=returned")
        return list(value)
    if choices and value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")
    if kind is float and value.__class__ is int:
        return float(value)
    if not choices and value.__class__ is not kind:
        raise ValueError(f"{name} must be of type {kind.__name__}")
    return value
