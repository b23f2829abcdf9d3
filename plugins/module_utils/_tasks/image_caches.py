# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_caches. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping

from .._image_cache.converge_all import Outcomes, converge_all
from .._image_cache.folder import Folder
from .._image_cache.item import Item
from .._image_cache.prune import Prune
from .._arguments.validation import Checked, as_written, check, check_body
from .._arguments.schema import Path, Violation
from .._arguments.specs import (
    Spec,
    connection_spec,
    entry_spec,
    generations_spec,
    lock_spec,
    merged,
    policy_spec,
    preflight_spec,
    prune_spec,
    registry_spec,
    wait_spec,
)
from .._api.client import Client
from .._task import Arguments, Result, Task
from .._polling import Wait
from ._generations import Generations, check_generations
from ._registries import Registries, check_registries, preflight
from ._wanted import wanted

ERRORS_SHOWN = 5


def _spec() -> Spec:
    return merged(
        {
            "image_caches": {"type": "list", "elements": "dict", "required": True, "options": entry_spec()},
            "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
            "concurrency": {"type": "int", "default": 10},
        },
        prune_spec(),
        generations_spec(),
        policy_spec(),
        preflight_spec(),
        registry_spec(),
        wait_spec(),
        lock_spec(),
        connection_spec(),
    )


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    spec = _spec()
    checked = check(spec, given)
    violations = list(checked.violations)
    if checked.values.get("image_caches") is None:
        violations.append(Violation(("image_caches",), "is required, a list of image caches"))
    first: dict[str, int] = {}
    for index, entry in enumerate(checked.entries("image_caches")):
        if isinstance(entry, dict):
            violations += _check_entry(spec, given, checked.values, entry, index, first)
    return [*violations, *_check_pruning(checked), *check_generations(checked), *check_registries(checked)]


def _check_entry(
    spec: Spec, given: Arguments, values: Mapping[str, Any], entry: Mapping[str, Any], index: int, first: dict[str, int]
) -> Iterator[Violation]:
    """What is wrong with one of the image caches; ``first`` has the names so far."""
    at: Path = ("image_caches", index)
    name, by_id = entry.get("image_cache_name"), "image_cache_id" in entry
    present = (entry.get("state") or values.get("state")) != "absent"
    if by_id and not entry["image_cache_id"]:
        path = as_written((*at, "imageCacheId"), spec, given)
        yield Violation(path, "must not be empty; leave it out to pick one by its name")
    if not (present or by_id or name):
        path = as_written((*at, "imageCacheName"), spec, given)
        yield Violation(path, "is required, or image_cache_id, to delete one")
    # an image cache picked by its ID exists, so only what the task gives of the body matters, unless it is replaced
    complete = present and not (by_id and values.get("drift") != "recreate")
    yield from check_body(spec, given, at, entry, complete)
    if isinstance(name, str) and not by_id and first.setdefault(name, index) != index:
        path = as_written((*at, "imageCacheName"), spec, given)
        yield Violation(path, f"is the same as in image_caches[{first[name]}]")


def _check_pruning(checked: Checked) -> Iterator[Violation]:
    values = checked.values
    for index, tag in enumerate(checked.entries("prune_tags")):
        for part in ("key", "value"):
            if isinstance(tag, dict) and not tag.get(part):
                advice = "is required, since a tag without it may select image caches of others, or all"
                yield Violation(("prune_tags", index, part), advice)
    if not values.get("prune"):
        return
    if not values.get("prune_tags"):
        advice = "is required with prune: only image caches that carry all of these tags are deleted"
        yield Violation(("prune_tags",), advice)
    if values.get("image_caches") == []:
        yield Violation(("image_caches",), "must not be empty with prune, which would delete them all")
    if values.get("state") == "absent":
        yield Violation(("state",), "must not be absent with prune, which keeps what is wanted and deletes the rest")
    if values.get("prune_first") and values.get("prune_grace"):
        yield Violation(("prune_grace",), "has no meaning with prune_first, which deletes before anything is made")


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    look = Registries(arguments, client)
    wishes = [
        wanted(arguments, entry, entry.get("state") or arguments["state"], entry.get("image_cache_id"))
        for entry in arguments["image_caches"]
    ]
    generations = Generations(arguments, wishes, client, look) if arguments["generations"] else None
    outcomes = converge_all(
        generations.wanted if generations else wishes,
        client,
        Wait(arguments["wait_timeout"], arguments["wait_interval"]),
        concurrency=arguments["concurrency"],
        prune=generations.prunes if generations else _prunes(arguments),
        check_mode=check_mode,
        diff_mode=diff_mode,
        folder=Folder.at(arguments["lock_dir"]),
        preflight=preflight(arguments, look),
    )
    names = generations.names if generations else [None] * len(outcomes.items)
    values: dict[str, Any] = {
        "changed": any(item.outcome.changed for item in outcomes.all),
        "image_caches": [{**_entry(item), "generation_of": name} for item, name in zip(outcomes.items, names)],
        "pruned": [{**_entry(item), "generation_of": None} for item in outcomes.pruned],
        "kept": [one.as_dict() for one in outcomes.kept],
        "plan": outcomes.plan,
        "waited": round(outcomes.waited, 1),
    }
    if diff_mode:
        values["diff"] = {"prepared": outcomes.prepared}
    failed = [item for item in outcomes.all if item.error]
    if failed:
        values["msg"] = _summary(failed, outcomes)
        values["failure"] = _entry(failed[0])["failure"]
    else:
        values["ansible_facts"] = {"imageCacheIds": _ids(outcomes, generations)}
    warnings = (generations.warnings if generations else []) + outcomes.warnings + _warnings(outcomes.all)
    return Result(values, warnings, failed=bool(failed))


def _ids(outcomes: Outcomes, generations: Generations | None) -> dict[str, str | None]:
    """The ID of the image cache by its name in the task, of generations that of the newest one that can be used."""
    if generations is None:
        return {_name(item): item.image_cache_id for item in outcomes.items if item.wanted.state == "present"}
    gone = [item.image_cache_id for item in outcomes.pruned]
    return {name: generations.usable(name, item.cache, gone) for item, name in zip(outcomes.items, generations.names)}


def _prunes(arguments: Arguments) -> list[Prune]:
    if not arguments["prune"]:
        return []
    keep, grace, first = (arguments[f"prune_{option}"] for option in ("keep", "grace", "first"))
    return [Prune(arguments["prune_tags"], keep, grace, first)]


def _name(item: Item) -> str:
    return item.name or item.cache.image_cache_name or item.image_cache_id or ""


def _entry(item: Item) -> dict[str, Any]:
    return {
        "image_cache_name": _name(item),
        **item.outcome.result(),
        "failed": item.error is not None,
        "msg": item.error.message if item.error else None,
        "failure": item.error.failure() if item.error else None,
    }


def _summary(failed: list[Item], outcomes: Outcomes) -> str:
    shown = [f"- {_name(item)}: {item.error}" for item in failed[:ERRORS_SHOWN]]
    if len(failed) > ERRORS_SHOWN:
        shown.append(f"- and {len(failed) - ERRORS_SHOWN} more, see image_caches and pruned in the result")
    return f"{len(failed)} of {len(outcomes.all)} image caches failed:\n" + "\n".join(shown)


def _warnings(items: Iterable[Item]) -> list[str]:
    return [warning for item in items for warning in item.outcome.warnings]


TASK = Task(_spec, _check, _run)
