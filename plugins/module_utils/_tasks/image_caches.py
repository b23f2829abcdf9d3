# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_caches. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

from .._api.client import Client
from .._arguments import specs
from .._arguments.schema import Violation
from .._arguments.validation import mappings
from .._image_cache.batch import Item, Outcome
from .._image_cache.model import ImageCache, Tags
from .._image_cache.plan import Action
from .._image_cache.prune import Prune
from .._image_cache.reconcile import reconcile
from .._task import Arguments, Result, Task
from .._text import printable
from .image_cache import NULLABLE, check_desired, context, desired, is_present

ERRORS_SHOWN = 5
_KINDS = ("create", "retag", "replace", "delete", "prune", "drift", "unchanged", "failed")


def _spec() -> specs.Spec:
    entry = {
        **specs.body_spec(),
        "state": {"type": "str", "choices": ["present", "absent"]},
        "image_cache_id": {"type": "str", "aliases": ["imageCacheId"]},
    }
    return {
        "image_caches": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "concurrency": {"type": "int", "default": 10},
        **specs.prune_spec(),
        **specs.policy_spec(),
        **specs.preflight_spec(),
        **specs.registry_spec(),
        **specs.wait_spec(),
        **specs.connection_spec(),
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    first: dict[tuple[str, str], int] = {}
    for index, entry in mappings(values, "image_caches"):
        yield from check_desired(values, entry, ("image_caches", index), check_mode)
        by_id, name = "image_cache_id" in entry, "image_cache_name"
        keys = [("image_cache_id", entry["image_cache_id"])] if by_id else [(name, entry.get(name))]
        if is_present(values, entry) and (not by_id or values.get("drift") == "recreate"):  # it gets the name
            keys.append(("present", entry.get(name)))
        for kind, value in keys:
            if isinstance(value, str) and value and first.setdefault((kind, value), index) != index:
                same = f"is the same as in image_caches[{first[kind, value]}]"
                yield Violation(("image_caches", index, name if kind == "present" else kind), same)
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
    entries = values.get("image_caches")
    if isinstance(entries, list) and not any(is_present(values, entry) for entry in entries if isinstance(entry, dict)):
        advice = "must have one with state present, or prune would delete all that carry prune_tags"
        yield Violation(("image_caches",), advice)
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
    plan = counts(outcome)
    values: dict[str, Any] = {
        "changed": any(item.changed for item in outcome.all),
        "image_caches": [_entry(item) for item in outcome.items],
        "pruned": [_entry(item) for item in outcome.pruned],
        "kept": outcome.kept,
        "plan": plan,
        "waited": round(outcome.waited, 1),
    }
    if diff_mode:
        values["diff"] = {"prepared": prepared(outcome, plan, client.clock.time())}
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
    lines = [f"- {printable(_name(item))}: {item.error}" for item in failed[:ERRORS_SHOWN]]
    more = failed[ERRORS_SHOWN:]
    if more:
        created = ", ".join(f"{printable(_name(item))} ({item.added.id})" for item in more if item.added)
        lines.append(f"- and {len(more)} more, see image_caches and pruned in the result")
        lines += [f"  This task created of these: {created}"] if created else []
    return "\n".join([f"{len(failed)} of {number} image caches failed:", *lines])


def counts(outcome: Outcome) -> dict[str, Any]:
    """Count the image caches by what happens to them, and the GB of all of the region before and after."""
    found: dict[str, Any] = dict.fromkeys(_KINDS, 0)
    size = found["gb_before"] = sum(cache.size for cache in outcome.before)
    for item, kind in _kinds(outcome):
        found[kind] += 1
        found["delete"] += len(item.duplicates)
        size += (item.added.size if item.added else 0) - sum(cache.size for cache in item.removed if cache.id)
    used, limit = outcome.quota or (None, None)
    return {**found, "gb_after": size, "quota_used": used, "quota_limit": limit}


def prepared(outcome: Outcome, plan: dict[str, Any], now: float) -> str:
    """Return a line for each change, then the sum: the text of Ansible's ``diff``. ``now`` is since the epoch."""
    lines = [printable(line) for item, kind in _kinds(outcome) for line in _lines(item, kind, now)]
    changes = ", ".join(f"{plan[kind]} {kind}" for kind in _KINDS if plan[kind] and kind != "unchanged") or "no change"
    total = f"{changes}; {plan['unchanged']} unchanged; {plan['gb_before']} GB before, {plan['gb_after']} GB after"
    if plan["quota_limit"] is not None:
        total += f"; quota: {plan['quota_used']} of {plan['quota_limit']} used before"
    return "\n".join([*lines, total, ""])


def _kinds(outcome: Outcome) -> Iterable[tuple[Item, str]]:
    yield from ((item, _kind(item)) for item in outcome.items)
    yield from ((item, "failed" if item.error else "prune") for item in outcome.pruned)


def _kind(item: Item) -> str:
    if item.error:
        return "failed"
    if item.added and item.change.action is not Action.REPLACE:
        return "create"
    if item.change.action is Action.NONE:
        return "drift" if item.drift else "unchanged"
    return str(item.change.action.value)


def _lines(item: Item, kind: str, now: float) -> list[str]:
    name, change = item.name or item.image_cache_id, item.change
    lines = [f"- {image_cache_id} delete, a younger one named {name}" for image_cache_id in item.duplicates]
    if kind == "failed":
        return [*lines, f"x {name} {item.error}"]
    drift = "; ".join(f"{one['option']} {one['found']!r} -> {one['wanted']!r}" for one in item.drift)
    text = {
        "create": f"+ {name} create, {(change.after or ImageCache()).size} GB",
        "retag": f"~ {name} retag, {_tags(item.old.tags or [], change.tags)}",
        "replace": f"-/+ {name} replace, {drift}",
        "delete": f"- {name} delete{_age(item.old, now)}",
        "prune": f"- {name} prune{_age(item.old, now)}",
        "drift": f"! {name} left as it is, {drift}",
    }.get(kind)
    if kind == "retag" and drift:
        lines.append(f"! {name} left as it is, {drift}")
    return [*lines, text] if text else lines


def _tags(before: Tags, after: Tags) -> str:
    gone = [f"-{tag['key']}={tag['value']}" for tag in before if tag not in after]
    new = [f"+{tag['key']}={tag['value']}" for tag in after if tag not in before]
    return " ".join([*gone, *new])


def _age(cache: ImageCache, now: float) -> str:
    if cache.created_at is None:
        return ""
    days, seconds = divmod(max(now - cache.created_at, 0), 86400)
    return f", {days:.0f} days old" if days else f", {seconds // 3600:.0f} hours old"


EMPTY: dict[str, Any] = {"image_caches": [], "pruned": [], "kept": [], "plan": None, "waited": 0.0}
TASK = Task(_spec, _check, _run, NULLABLE, empty=EMPTY)
