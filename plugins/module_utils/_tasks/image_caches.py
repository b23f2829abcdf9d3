# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_caches. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterator

from .._api.client import Client
from .._arguments.schema import Violation
from .._arguments.specs import (
    Spec,
    body_spec,
    connection_spec,
    policy_spec,
    preflight_spec,
    prune_spec,
    registry_spec,
    wait_spec,
)
from .._arguments.validation import mappings
from .._image_cache import report
from .._image_cache.batch import Item
from .._image_cache.prune import Prune
from .._image_cache.reconcile import reconcile
from .._task import Arguments, Result, Task
from .image_cache import NULLABLE, check_desired, context, desired

ERRORS_SHOWN = 5


def _spec() -> Spec:
    entry = {
        **body_spec(),
        "state": {"type": "str", "choices": ["present", "absent"]},
        "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
    }
    return {
        "image_caches": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "concurrency": {"type": "int", "default": 10},
        **prune_spec(),
        **policy_spec(),
        **preflight_spec(),
        **registry_spec(),
        **wait_spec(),
        **connection_spec(),
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    first: dict[tuple[str, str], int] = {}
    for index, entry in mappings(values, "image_caches"):
        yield from check_desired(values, entry, ("image_caches", index), check_mode)
        option = "image_cache_id" if "image_cache_id" in entry else "image_cache_name"
        value = entry.get(option)
        if isinstance(value, str) and value and first.setdefault((option, value), index) != index:
            same = f"is the same as in image_caches[{first[option, value]}]"
            yield Violation(("image_caches", index, option), same)
    for index, tag in mappings(values, "prune_tags"):
        for part in ("key", "value"):
            if not tag.get(part):
                advice = "is required, since a tag without it may select image caches of others, or all"
                yield Violation(("prune_tags", index, part), advice)
    if values.get("prune"):
        yield from _check_pruning(values)


def _check_pruning(values: Arguments) -> Iterator[Violation]:
    if not values.get("prune_tags"):
        advice = "is required with prune: only image caches that carry all of these tags are deleted"
        yield Violation(("prune_tags",), advice)
    if values.get("image_caches") == []:
        yield Violation(("image_caches",), "must not be empty with prune, which would delete them all")
    if values.get("state") == "absent":
        yield Violation(("state",), "must not be absent with prune, which keeps what is wanted and deletes the rest")
    if values.get("prune_first") and values.get("prune_grace"):
        yield Violation(("prune_grace",), "has no meaning with prune_first, which deletes before anything is created")


def _run(arguments: Arguments, client: Client, check_mode: bool, diff_mode: bool) -> Result:
    ctx = context(arguments, client, diff_mode)
    ctx.concurrency = arguments["concurrency"]
    options = [arguments[f"prune_{option}"] for option in ("tags", "keep", "grace", "first")]
    outcome = reconcile(
        [desired(arguments, entry) for entry in arguments["image_caches"]],
        ctx,
        prune=Prune(*options) if arguments["prune"] else None,
        check_mode=check_mode,
    )
    plan = report.counts(outcome)
    values: dict[str, Any] = {
        "changed": any(item.changed for item in outcome.all),
        "image_caches": [_entry(item) for item in outcome.items],
        "pruned": [_entry(item) for item in outcome.pruned],
        "kept": outcome.kept,
        "plan": plan,
        "waited": round(outcome.waited, 1),
    }
    if diff_mode:
        values["diff"] = {"prepared": report.prepared(outcome, plan, client.clock.time())}
    failed = [item for item in outcome.all if item.error]
    if failed:
        values.update(msg=_summary(failed, len(outcome.all)), failure=_entry(failed[0])["failure"])
    else:
        ids = {_name(item): item.image_cache_id for item in outcome.items if item.desired.is_present}
        ids.pop("", None)  # in check mode the ID and the name of one may not be known yet
        values["ansible_facts"] = {"imageCacheIds": ids}
    warnings = outcome.warnings + [warning for item in outcome.all for warning in item.warnings]
    return Result(values, warnings, failed=bool(failed))


def _name(item: Item) -> str:
    return item.name or item.cache.image_cache_name or item.label


def _entry(item: Item) -> dict[str, Any]:
    return {
        "image_cache_name": _name(item),
        **item.result(),
        "failed": item.error is not None,
        "msg": item.error.message if item.error else None,
        "failure": item.error.failure() if item.error else None,
    }


def _summary(failed: list[Item], number: int) -> str:
    lines = [f"- {_name(item)}: {item.error}" for item in failed[:ERRORS_SHOWN]]
    if len(failed) > ERRORS_SHOWN:
        lines.append(f"- and {len(failed) - ERRORS_SHOWN} more, see image_caches and pruned in the result")
    return "\n".join([f"{len(failed)} of {number} image caches failed:", *lines])


TASK = Task(_spec, _check, _run, NULLABLE)
