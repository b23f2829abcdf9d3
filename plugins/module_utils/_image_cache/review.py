# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task for many image caches changes, for a reviewer and for a program. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterable

from .image_cache import DEFAULT_SIZE, ImageCache, Tags
from .item import Item
from .plan import CREATE, DELETE, RETAG

_KINDS = ("create", "retag", "replace", "delete", "prune", "drift", "unchanged", "failed")


def counts(items: Iterable[Item], pruned: Iterable[Item], before: Iterable[ImageCache]) -> dict[str, Any]:
    """How many image caches are created and so on, and the GB of all image caches of the region before and after."""
    found: dict[str, Any] = dict.fromkeys(_KINDS, 0)
    size = sum(_size(cache) for cache in before)
    found["gb_before"] = size
    for item, kind in _kinds(items, pruned):
        found[kind] += 1
        found["delete"] += len(item.outcome.duplicates)
        if kind in ("replace", "delete", "prune"):
            size -= _size(item.planned.before)
        if kind in ("create", "replace"):
            size += _size(item.planned.after)
    return {**found, "gb_after": size}


def prepared(items: Iterable[Item], pruned: Iterable[Item], plan: dict[str, Any], now: float) -> str:
    """A line for each change, then the sum: the text of Ansible's ``diff``."""
    lines = [line for item, kind in _kinds(items, pruned) for line in _lines(item, kind, now)]
    changes = ", ".join(f"{plan[kind]} {kind}" for kind in _KINDS if plan[kind] and kind != "unchanged") or "no change"
    total = f"{changes}; {plan['unchanged']} unchanged; {plan['gb_before']} GB before, {plan['gb_after']} GB after"
    if plan.get("quota_limit") is not None:
        total += f"; quota: {plan['quota_used']} of {plan['quota_limit']} used before"
    return "\n".join([*lines, total, ""])


def _kinds(items: Iterable[Item], pruned: Iterable[Item]) -> Iterable[tuple[Item, str]]:
    yield from ((item, _kind(item)) for item in items)
    yield from ((item, "failed" if item.error else "prune") for item in pruned)


def _kind(item: Item) -> str:
    if item.error:
        return "failed"
    change = item.planned
    if change.replaces:
        return "replace"
    for step, kind in ((CREATE, "create"), (RETAG, "retag"), (DELETE, "delete")):
        if step in change.steps:
            return kind
    return "drift" if change.drift else "unchanged"


def _lines(item: Item, kind: str, now: float) -> list[str]:
    name = item.name or item.image_cache_id
    lines = [f"- {image_cache_id} delete, a younger one named {name}" for image_cache_id in item.outcome.duplicates]
    if kind == "failed":
        return [*lines, f"x {name} {item.error}"]
    change = item.planned
    drift = "; ".join(f"{one['option']} {one['found']!r} -> {one['wanted']!r}" for one in change.drift)
    text = {
        "create": f"+ {name} create, {_size(change.after)} GB" + (f", {item.wanted.note}" if item.wanted.note else ""),
        "retag": f"~ {name} retag, {_tags(change.old.shown_tags, change.tags)}",
        "replace": f"-/+ {name} replace, {drift}",
        "delete": f"- {name} delete{_age(change.old, now)}",
        "prune": f"- {name} prune{_age(change.old, now)}",
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


def _size(cache: ImageCache | None) -> int:
    size = cache.image_cache_size if cache else None
    return DEFAULT_SIZE if size is None else size
