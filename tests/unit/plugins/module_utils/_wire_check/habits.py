# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The habits that the emulator can have, and what a check must find of each combination."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from tests.emulator.settings import Settings

Values = dict[str, Any]

_ALIASES = {
    "same": {},
    "listed": {"zone_aliases": ["az1=cn-xinan1-1A"]},
    "unlisted": {"zone_aliases": ["az1=az1-as-told"]},
}
# Every value of each habit. "zone", "size", "images" and "broken" stand for several settings, or for what is ordered.
VALUES: dict[str, list[Any]] = {
    "status_code_style": ["int", "str", "800"],
    "http_errors": [True, False],
    "missing_reason": ["NotFound", "Gone", "Invalid", "BadRequest", "InternalError", "none"],
    "null_fields": [False, True],
    "region_told": ["asked", "other"],
    "list_needs_images": [False, True],
    "list_total": [True, False],
    "list_order": ["oldest", "newest"],
    "limit_heeded": [True, False],
    "max_page": [1000, 1, 2],
    "token_form": ["numbers", "opaque"],
    "time_form": ["offset", "utc", "bare"],
    "unique_names": [False, True],
    "name_match": ["exact", "prefix", "fuzzy", "off"],
    "name_case": [True, False],
    "images_filter": ["all", "any", "off"],
    "filters_match": ["all", "any"],
    "tags_shown": [True, False],
    "tags_filter": ["all", "any", "key", "off"],
    "tags_update": ["replace", "merge"],
    "pending_status": ["pending", "Creating"],
    "ready_status": ["ready", "Ready"],
    "failed_status": ["failed", "Error"],
    "deleting_status": ["deleting", "Terminating"],
    "delete_failed_status": ["delete_failed", "DeleteFailed"],
    "zone": ["same", "listed", "unlisted"],
    "image_prefix": ["", "docker.example/library/"],
    "size_step": [0, 997],
    "create_echo": [False, True],
    "list_lag": [0.0, 1.0, 3.0],
    "ready_after": [0.0, 60.0],
    "delete_after": [0.0, 1.0, 3.0, 7.0],
    "delete_again": ["ok", "conflict"],
    "delete_fails": [0, 1],
    "broken": [False, True],
}
DEFAULTS: Values = {name: values[0] for name, values in VALUES.items()}
# Those that meet in what is seen: each group is tried in every combination.
GROUPS: dict[str, list[str]] = {
    "tags": ["tags_shown", "tags_filter", "tags_update", "filters_match", "name_match", "images_filter"],
    "names": ["name_match", "name_case", "filters_match", "unique_names", "list_order", "list_total"],
    "pages": ["list_order", "list_total", "limit_heeded", "max_page", "token_form", "null_fields"],
    "time": ["list_lag", "delete_after", "delete_again", "unique_names", "ready_after"],
    "words": [
        "pending_status", "ready_status", "failed_status", "deleting_status", "delete_failed_status",
        "ready_after", "delete_fails", "broken",
    ],
    "spelling": ["zone", "image_prefix", "size_step", "create_echo", "null_fields", "tags_shown", "time_form"],
    "replies": ["status_code_style", "http_errors", "missing_reason", "null_fields", "region_told"],
}  # fmt: skip
# The habits that a reader asks for first.
NAMED = [
    "tags_shown", "tags_filter", "tags_update", "name_match", "zone", "list_lag", "unique_names", "time_form",
    "ready_status", "max_page",
]  # fmt: skip


def combinations(names: list[str]) -> Iterator[Values]:
    """Every combination of these habits; the others are as by default."""
    for values in itertools.product(*(VALUES[name] for name in names)):
        yield {**DEFAULTS, **dict(zip(names, values, strict=True))}


def drawn(number: int, seed: int) -> Iterator[Values]:
    """Combinations of all habits, each drawn by chance."""
    draw = random.Random(seed)
    for _number in range(number):
        yield {name: draw.choice(values) for name, values in VALUES.items()}


def settings(values: Values) -> Settings:
    """The settings of the emulator."""
    own = {name: value for name, value in values.items() if name not in ("zone", "broken")}
    made = Settings()
    made.update({**own, **_ALIASES[values["zone"]]})
    return made


def ordered(values: Values, body: dict[str, Any]) -> dict[str, Any]:
    """What is ordered: images that cannot be pulled for one that fails."""
    return {**body, "images": ["does-not-exist:1"]} if values["broken"] else body


def seen_by_reading(values: Values, caches: int = 2) -> Values:
    """What a check must find that changes nothing, where there are two image caches of somebody without tags."""
    off = values["name_match"] == "off"
    by_pages = caches > values["max_page"]
    return {
        **dict.fromkeys(
            [
                "pending_status", "failed_status", "deleting_status", "delete_failed_status", "tags_shown",
                "tags_filter", "tags_update", "zone_told", "image_told", "size_told", "create_echo", "list_lag",
                "delete_after", "delete_again", "unique_names",
            ]
        ),
        **{
            name: values[name]
            for name in (
                "status_code_style", "missing_reason", "null_fields", "region_told", "list_needs_images",
                "list_total", "list_order", "time_form", "name_match", "images_filter", "ready_status",
            )
        },
        "http_errors": None if values["missing_reason"] == "none" else values["http_errors"],
        "limit_heeded": None if values["max_page"] == 1 else values["limit_heeded"],
        "max_page": values["max_page"] if by_pages else None,
        "token_form": values["token_form"] if values["limit_heeded"] or by_pages else None,
        "name_case": None if off else values["name_case"],
        # without tags that are known, their filter is not known either
        "filters_match": None if off and values["images_filter"] == "off" else values["filters_match"],
    }  # fmt: skip


def seen_by_creating(values: Values) -> Values:
    """What a check must find that makes one of its own."""
    seen = seen_by_reading(values, 3)
    if values["list_needs_images"]:
        return seen_by_reading(values)
    hidden = not values["tags_shown"] and values["tags_filter"] == "off"
    broken, waits, going = values["broken"], values["ready_after"] > 0, values["delete_after"] > 0
    fails = values["delete_fails"] > 0
    return {
        **seen,
        **{name: values[name] for name in ("tags_shown", "tags_filter", "unique_names", "create_echo")},
        "filters_match": values["filters_match"] if values["tags_filter"] != "off" else seen["filters_match"],
        "tags_update": None if hidden else values["tags_update"],
        "pending_status": values["pending_status"] if waits else None,
        "failed_status": values["failed_status"] if broken else None,
        "deleting_status": values["deleting_status"] if going else None,
        "delete_failed_status": values["delete_failed_status"] if fails else None,
        "zone_told": values["zone"],
        "image_told": "prefixed" if values["image_prefix"] else "same",
        "size_told": "larger" if values["size_step"] else "same",
        "list_lag": int(values["list_lag"]),
        "delete_after": int(values["delete_after"]),
        "delete_again": values["delete_again"] if going else None,
    }
