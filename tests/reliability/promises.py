# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be true after a task, whatever went wrong in it: the promises, one function for each.

(a) one of a name  (b) ``changed`` is true  (c) no ID is lost  (d) the next run gets there, the one after it rests
(e) no error but our own  (f) no secret  (g) make before break  (h) what is gone stays gone  (i) check mode predicts
(j) nothing is left on the controller but the lock file

(d) is ``reached`` and ``rests``. (e) is ``is_mistaken``; what is raised besides our errors ends the proof. For (i) see
prediction.py as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.emulator import Record
from tests.emulator.settings import Settings
from tests.reliability.asks import ABSENT, MARK, Ask, Wish
from tests.reliability.controllers import Controller, Entry, Told
from tests.unit.plugins.emulated import CREATE, DELETE, UPDATE

CHANGING = (CREATE, UPDATE, DELETE)
# What a task says of an image cache that it made and that may not stay the only one of its name.
SECOND_ONE = ("there will be two image caches", "There are now several image caches")


class Broken(AssertionError):
    """A promise is broken."""


class Fact(NamedTuple):
    """An image cache as it really is. ``going``: its deletion is under way; ``stuck``: that failed."""

    image_cache_id: str
    name: str
    images: frozenset[str]
    zone: str
    tags: frozenset[tuple[str, str]]
    status: str
    going: bool
    stuck: bool


class World:
    """All there is in the service at a moment."""

    def __init__(self, caches: Iterable[dict[str, Any]], settings: Settings) -> None:
        self.all = {cache["imageCacheId"]: _fact(cache, settings) for cache in caches}
        self.staying = {key: fact for key, fact in self.all.items() if not fact.going}

    @property
    def lasting(self) -> dict[str, Fact]:
        """What does not change by itself: all that stays, without its status."""
        return {key: fact._replace(status="") for key, fact in self.staying.items()}

    def of(self, name: str) -> list[Fact]:
        """Those of a name that are not going."""
        return [fact for fact in self.staying.values() if fact.name == name]


def _fact(cache: dict[str, Any], settings: Settings) -> Fact:
    return Fact(
        cache["imageCacheId"],
        cache["imageCacheName"],
        frozenset(cache["images"]),
        cache["azName"],
        frozenset((tag.get("key", ""), tag.get("value", "")) for tag in cache["tags"]),
        cache["status"],
        cache["status"] == settings.deleting_status,
        cache["status"] == settings.delete_failed_status,
    )


@dataclass(frozen=True)
class Run:
    """A task that was run, what it told, and what really happened.

    ``deletions`` are the deletions that were asked for, each with the world at the last list before it; ``late`` is true
    if a request took effect after all lists, or is going to.
    """

    ask: Ask
    told: Told
    before: World
    after: World
    sent: list[Record]
    deletions: list[tuple[Record, World]]
    settings: Settings
    check_mode: bool = False
    late: bool = False

    def __str__(self) -> str:
        requests = [(record.operation, record.status, record.effect) for record in self.sent]
        return f"{self.ask}\n{self.told}\nrequests: {requests}\nbefore: {self.before.all}\nafter: {self.after.all}"

    def demand(self, promise: str, kept: object, what: str) -> None:
        """Raise Broken if a promise is not kept."""
        if not kept:
            raise Broken(f"({promise}) {what}\n{self}")

    @property
    def arrived(self) -> set[str]:
        """What came about meanwhile through nothing that this task sent."""
        made = {_name(record) for record in self.sent if record.operation == CREATE and record.effect}
        return {key for key, fact in self.after.all.items() if key not in self.before.all and fact.name not in made}

    @property
    def is_blind(self) -> bool:
        """Whether the service shows tags in no way at all: then they are sent in each run."""
        return not self.settings.tags_shown and self.settings.tags_filter in ("off", "key")


def check(run: Run, controller: Controller) -> None:
    """Look at all promises that are about one run."""
    no_secret(run)
    run.demand("j", not controller.left, f"left on the controller: {controller.left}")
    run.demand("e", not is_mistaken(run.told), "an error that nobody reckoned with")
    if run.check_mode:
        changed_nothing(run)
        return
    one_of_each(run)
    changed_is_true(run)
    no_id_is_lost(run)
    make_before_break(run)
    gone_is_gone(run, run.after)


def one_of_each(run: Run) -> None:
    """(a) Never two of a name through this task, nor two orders, unless one came after all looks and that is told."""
    one_left(run, run.after)
    for name in run.ask.names:
        orders = [one for one in run.sent if one.operation == CREATE and one.effect and _name(one) == name]
        run.demand("a", len(orders) <= 1 or _told_of_late(run), f"{name} was ordered {len(orders)} times")


def one_left(run: Run, world: World) -> None:
    """(a) No name has more image caches in the world, which may be a later one, than it had before or may have."""
    for name in {fact.name for fact in world.staying.values()}:
        many = len(world.of(name)) > max(1, run.ask.names.count(name), len(run.before.of(name)))
        run.demand("a", not many or _told_of_late(run), f"there are several named {name}")


def _told_of_late(run: Run) -> bool:
    return run.late and any(words in text for text in run.told.texts for words in (*SECOND_ONE, "may exist"))


def changed_is_true(run: Run) -> None:
    """(b) ``changed`` is what happened, or the message says that it may have; an effect that is none is none."""
    told = run.told
    left = set(_changes(run))
    for entry in [*told.entries, *told.pruned]:
        own = {key for key in left if _concerns(run, entry, key)}
        left -= own
        did = own or _accepted(run, entry)
        if entry.changed:
            run.demand("b", did or _sent_unseen(run, entry), f"{entry.name}: changed, and nothing was")
        elif did:
            run.demand("b", entry.may, f"{entry.name}: a change that is not told")
        if entry.failed and entry.failure.get("effect") == "none":
            operation = entry.failure.get("operation")
            did_it = [
                one for one in run.sent if one.operation == operation and one.effect and _is_about(run, entry, one)
            ]
            run.demand("b", not did_it or operation not in CHANGING, f"{entry.name}: {operation} had an effect")
    run.demand("b", not left, f"changed without a word: {left}")


def _changes(run: Run) -> Iterator[str]:
    """The IDs of what is not as it was: made, gone, tagged, or stuck in a deletion."""
    before, after = run.before.staying, run.after.staying
    for key in {*before, *after} - run.arrived:
        one, other = before.get(key), after.get(key)
        if one is None or other is None or (one.tags, one.stuck) != (other.tags, other.stuck):
            yield key


def _concerns(run: Run, entry: Entry, image_cache_id: str) -> bool:
    if run.ask.names.count(entry.name) > 1:  # the one with an ID is about that one
        owners = [one for one in run.told.entries if one.name == entry.name]
        owner = next((one for one in owners if one.image_cache_id == image_cache_id), None)
        if owner or entry.image_cache_id in [wish.image_cache_id for wish in run.ask.wishes if wish.image_cache_id]:
            return entry is owner
    fact = run.after.all.get(image_cache_id) or run.before.all.get(image_cache_id)
    picked = [wish.image_cache_id for wish in run.ask.wishes if wish.name == entry.name]
    return image_cache_id in (entry.image_cache_id, *picked) or (fact is not None and fact.name == entry.name)


def _is_about(run: Run, entry: Entry, record: Record) -> bool:
    if record.operation == CREATE:
        return _name(record) == entry.name
    identifier = record.body["imageCacheId"] if record.operation == UPDATE else record.path.rpartition("/")[2]
    return _concerns(run, entry, identifier)


def _name(record: Record) -> str:
    return str(record.body["imageCacheName"])


def _accepted(run: Run, entry: Entry) -> bool:
    """Whether a deletion was begun, which may fail and leave all as it was, or one was tagged that had just come about."""
    did = [one for one in run.sent if one.effect and one.operation in (DELETE, UPDATE) and _is_about(run, entry, one)]
    return any(one.operation == DELETE or one.body["imageCacheId"] in run.arrived for one in did)


def _sent_unseen(run: Run, entry: Entry) -> bool:
    """Whether tags were taken by the service, and it is told that nobody knows what it made of them."""
    taken = any(one.operation == UPDATE and _is_about(run, entry, one) for one in run.sent)
    return taken and any("changed is true since" in text for text in run.told.texts)


def no_id_is_lost(run: Run) -> None:
    """(c) What this task made is in its result, or its message says that it may exist; what it names is there."""
    made = {key for key in run.after.staying if key not in run.before.all} - run.arrived
    for key in made:
        name = run.after.all[key].name
        known = [entry for entry in run.told.entries if entry.name == name]
        told = any(one.image_cache_id == key or (repr(name) in one.msg and "may exist" in one.msg) for one in known)
        late_and_told = _told_of_late(run) and len(run.after.of(name)) > 1
        run.demand("c", told or late_and_told, f"the ID of what was made is lost: {key}")
    for wish, entry in zip(run.ask.wishes, run.told.entries, strict=bool(run.told.entries)):
        if entry.failed or wish.state == ABSENT:
            continue
        shown = entry.image_cache or {}
        run.demand("c", entry.image_cache_id in run.after.staying, f"{entry.name}: there is no {entry.image_cache_id}")
        run.demand("c", shown.get("image_cache_id") == entry.image_cache_id, f"{entry.name}: it shows another")
        if wish.image_cache_id is None:
            name = run.after.staying[entry.image_cache_id or ""].name
            run.demand("c", name == entry.name, f"{entry.name}: {entry.image_cache_id} is named {name}")
        if run.ask.wait:
            status = run.after.all[entry.image_cache_id or ""].status
            run.demand("c", status == run.settings.ready_status, f"{entry.name}: awaited, but {status}")


def is_mistaken(told: Told) -> bool:
    """Whether the collection met an error of its own code, which it tells as that."""
    return any("This is a bug in this collection" in text for text in told.texts)


def no_secret(run: Run) -> None:
    """(f) No secret in what the task says."""
    said = json.dumps(vars(run.told), default=str, ensure_ascii=False)
    run.demand("f", MARK not in said, "a secret is told")


def make_before_break(run: Run) -> None:
    """(g) Whenever something is pruned, all that is wanted is ready; what is replaced has room for the new one."""
    for record, world in run.deletions:
        fact = world.all.get(record.path.rpartition("/")[2])
        if fact is None:
            continue
        wish = next((one for one in run.ask.wishes if fact.image_cache_id == one.image_cache_id), None)
        wish = wish or next((one for one in run.ask.wishes if fact.name == one.name), None)
        if wish:
            if wish.state != ABSENT and not _is_duplicate(run, world, fact):
                _has_room(run, wish, world)
            continue
        run.demand("g", run.ask.prune_tags is not None, f"{fact} is deleted, which nobody asked for")
        carries = fact.tags.issuperset(run.ask.prune_tags or ())
        run.demand("g", carries, f"{fact} is pruned and carries not all of {run.ask.prune_tags}")
        for wish in run.ask.wishes:
            ready = [one for one in world.of(wish.name) if one.status == run.settings.ready_status]
            ready = ready or wish.state == ABSENT or run.ask.prune_first
            run.demand("g", ready, f"{fact} is pruned, and {wish.name} is not ready")


def _is_duplicate(run: Run, world: World, fact: Fact) -> bool:
    """Whether one is deleted as the younger one of a name, which leaves the eldest."""
    return run.ask.duplicates == "delete_younger" and len(world.of(fact.name)) > 1


def _has_room(run: Run, wish: Wish, world: World) -> None:
    if _unchecked(run):
        return
    known = [*run.settings.zones, *(alias.partition("=")[0] for alias in run.settings.zone_aliases)]
    run.demand("g", wish.zone in known, f"{wish.name} is deleted to be created in a zone that is not there")
    run.demand("g", len(world.all) <= run.settings.quota, f"{wish.name} is deleted, and the quota has no room")


def _unchecked(run: Run) -> bool:
    """Whether the service refused to tell what room there is, as it may to an account without the right to ask."""
    return any("Could not check" in warning for warning in run.told.warnings)


def nothing_lost(run: Run) -> None:
    """(g) What cannot be replaced is still there."""
    run.demand("g", _unchecked(run) or run.before.lasting == run.after.lasting, "it was not to be touched")


def gone_is_gone(run: Run, world: World) -> None:
    """(h) Absent and awaited: gone, now and in a later world. Absent and unchanged: nothing that is billed."""
    for wish, entry in zip(run.ask.wishes, run.told.entries, strict=bool(run.told.entries)):
        if wish.state != ABSENT or entry.failed or (entry.changed and not run.ask.wait):
            continue
        meant = [one for one in world.all.values() if wish.image_cache_id in (None, one.image_cache_id)]
        left = [one for one in meant if wish.image_cache_id or one.name == wish.name]
        left = [one for one in left if not run.ask.spares(one.image_cache_id)]
        run.demand("h", all(one.going for one in left), f"absent, and there is {left}")
        run.demand("h", not left or not run.ask.wait, f"awaited, and still there: {left}")


def changed_nothing(run: Run) -> None:
    """(i) Check mode sends nothing that changes, and changes nothing."""
    sent = [record.operation for record in run.sent if record.operation in CHANGING]
    run.demand("i", not sent, f"check mode sent {sent}")
    after = {key: fact for key, fact in run.after.lasting.items() if key not in run.arrived}
    run.demand("i", run.before.lasting == after, "check mode changed something")


def reached(run: Run) -> None:
    """(d) The wanted state is there after a run without faults, unless drift is refused."""
    run.demand("d", not run.told.error, "not reached without faults")
    for wish, entry in zip(run.ask.wishes, run.told.entries, strict=True):
        refused = entry.failed and run.ask.drift == "fail" and entry.drift
        run.demand("d", refused or not entry.failed, f"{wish.name}: not reached without faults")
        found = run.after.of(wish.name)
        if wish.state == ABSENT:
            found = [one for one in found if wish.image_cache_id in (None, one.image_cache_id)]
            found = [one for one in found if not run.ask.spares(one.image_cache_id)]
        run.demand("d", len(found) == (wish.state != ABSENT), f"{wish.name}: found {found}")
        if wish.state == ABSENT or refused:
            continue
        fact = found[0]
        if run.ask.drift == "recreate":
            run.demand("d", fact.images == set(wish.images), f"{wish.name}: other images")
            run.demand("d", fact.status != run.settings.failed_status, f"{wish.name}: failed")
        if wish.tags is not None:
            run.demand("d", fact.tags.issuperset(wish.tags), f"{wish.name}: tags are missing")
            exact = run.ask.purge_tags and run.settings.tags_shown and run.settings.tags_update == "replace"
            run.demand("d", not exact or len(fact.tags) == len(set(wish.tags)), f"{wish.name}: too many tags")


def rests(run: Run) -> None:
    """(d) A further run finds nothing to do."""
    sent = {record.operation for record in run.sent} & set(CHANGING)
    quiet = {UPDATE} if run.is_blind or run.settings.tags_update == "merge" else set()
    run.demand("d", not sent - quiet, f"sent again: {sent}")
    run.demand("d", not run.told.changed or run.is_blind, "changed again")
    run.demand("d", run.before.lasting == run.after.lasting, "it is not as it was")
