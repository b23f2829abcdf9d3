# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task for many image caches changes, for a reviewer and for a program. Pure; private to the collection."""

from __future__ import annotations

from typing import Any, Iterable

from .batch import Item, Outcome
from .model import ImageCache, Tags
from .plan import Action

_KINDS = ("create", "retag", "replace", "delete", "prune", "drift", "unchanged", "failed")


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
    lines = [line for item, kind in _kinds(outcome) for line in _lines(item, kind, now)]
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
