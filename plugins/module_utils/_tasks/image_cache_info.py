# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_cache_info. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterator

from .._image_cache.read import image_caches
from .._names import wire_name
from .._arguments.body import request_body
from .._arguments.validation import as_written, check
from .._arguments.schema import Path, Violation
from .._arguments.specs import Spec, connection_spec, merged, tags_option
from .._api.client import Client
from .._task import Arguments, Result, Task

# In check mode what a task before this one would have made has no ID yet, so nothing is found by it.
PREDICTED = ("image_cache_id", "image_cache_name")


def _spec() -> Spec:
    return merged(
        {
            "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
            "image_cache_name": {"type": "str", "aliases": ["imageCacheName", "name"]},
            "images": {"type": "list", "elements": "str"},
            "tags": tags_option(),
            "events": {"type": "bool", "default": False},
        },
        connection_spec(),
    )


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    """An empty filter would list all, and a loop that deletes what is found would delete all."""
    spec = _spec()
    checked = check(spec, given)
    values = checked.values
    empty: list[Path] = [
        as_written((wire_name(option),), spec, given)
        for option in ("image_cache_id", "image_cache_name", "images", "tags")
        if option in values and not values[option] and not (check_mode and option in PREDICTED)
    ]
    empty += [("images", index) for index, image in enumerate(checked.entries("images")) if image == ""]
    violations = checked.violations + [Violation(path, "must not be empty; leave it out to list all") for path in empty]
    for index, tag in enumerate(checked.entries("tags")):
        violations += _incomplete(tag, ("tags", index))
    return violations


def _incomplete(tag: Any, path: Path) -> Iterator[Violation]:
    if not isinstance(tag, dict):
        return
    if not any(tag.values()):
        yield Violation(path, "must not be empty; leave it out to list all")
    elif not tag.get("key"):
        yield Violation((*path, "key"), "is required")
    elif "value" in tag and not tag["value"]:
        yield Violation((*path, "value"), "must not be empty; leave it out to look for any value")


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    if "" in (arguments["image_cache_id"], arguments["image_cache_name"]):
        return Result({"changed": False, "image_caches": []})
    filters = request_body(arguments)
    if arguments["image_cache_id"]:
        filters["imageCacheId"] = arguments["image_cache_id"]
    found, warnings = image_caches(filters, client, arguments["events"])
    return Result({"changed": False, "image_caches": [cache.as_dict() for cache in found]}, warnings)


TASK = Task(_spec, _check, _run, told=PREDICTED)
