# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be true when several controllers have done their tasks at the same time, each without knowing of the others.

The promises of one controller hold, but for what another one does in the midst of it. Exactly this is let through:

(a) Two of a name may be left only if the tasks want different images, so that neither can adopt the other's, and the
    one that looked last says so.
(b) ``changed`` may be true for what another one undid later, and need not be true for that. It must be true for what is
    left of a task's doing, and only for something that it did and did not undo itself. It may be true as well if the
    service took a request that had no effect since another task had just done the same: no reply tells that.
(c) The ID that a task returns may be gone, if another task deleted it, which was asked to.
(g) What was to be ready when something is pruned may be gone, if another task deleted it after the last look.
(h) What is absent may be there again, if another task made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.reliability.asks import ABSENT, Ask, Wish
from tests.reliability.controllers import Entry
from tests.reliability.promises import SECOND_ONE, Broken, World, is_mistaken
from tests.reliability.stage import Actor, Stage, Step
from tests.unit.plugins.emulated import CREATE, DELETE, UPDATE


@dataclass
class Play:
    """What was played: the actors with what they asked and were told, what was done in which order, and what is left."""

    actors: list[Actor]
    steps: list[Step]
    before: World
    after: World
    stage: Stage

    def __str__(self) -> str:
        lines = [str(step) for step in self.steps]
        for actor in self.actors:
            lines += [f"{'ABC'[actor.number]}: {actor.ask}", f"   {actor.told}", f"   {actor.error!r}"]
        return "\n".join([*lines, f"before: {self.before.all}", f"after: {self.after.all}"])

    def demand(self, promise: str, kept: object, what: str) -> None:
        """Raise Broken if a promise is not kept."""
        if not kept:
            raise Broken(f"({promise}) {what}\n{self}")

    def made(self, actor: Actor) -> set[str | None]:
        """The IDs of what an actor made."""
        return {step.identifier for step in self.steps if step.actor == actor.number and _did(step, CREATE)}

    def deleted(self, actor: Actor) -> set[str | None]:
        """The IDs of what an actor deleted."""
        return {step.identifier for step in self.steps if step.actor == actor.number and _did(step, DELETE)}

    def tagged(self, image_cache_id: str | None) -> list[int]:
        """Who set the tags of an image cache, in that order."""
        return [step.actor for step in self.steps if step.identifier == image_cache_id and _did(step, UPDATE)]


def _did(step: Step, operation: str) -> bool:
    return step.effect and step.operation == operation


def check(play: Play) -> None:
    """Look at all promises."""
    for actor in play.actors:
        if actor.error and not actor.killed:
            raise Broken(f"(e) {actor.error!r}\n{play}") from actor.error
        play.demand("e", not (actor.told and is_mistaken(actor.told)), "an error that nobody reckoned with")
    nothing_of_others(play)
    one_is_left(play)
    for actor in play.actors:
        if not actor.killed:
            changed_is_true(play, actor)
            its_id_is_true(play, actor)
            ready_before_pruned(play, actor)


def nothing_of_others(play: Play) -> None:
    """Nobody deletes what it did not make itself, but for what its task asks to delete."""
    for step in play.steps:
        actor = next(one for one in play.actors if one.number == step.actor)
        if _did(step, DELETE) and step.identifier not in play.made(actor):
            play.demand("a", _may_delete(actor.ask, step), f"{step}: that is another's")


def _may_delete(ask: Ask, step: Step) -> bool:
    fact = step.world.all[step.identifier or ""]
    wish = next((wish for wish in ask.wishes if wish.name == fact.name), None)
    if wish is None:
        return ask.prune_tags is not None and fact.tags.issuperset(ask.prune_tags)
    return wish.state == ABSENT or (ask.drift == "recreate" and fact.images != set(wish.images))


def one_is_left(play: Play) -> None:
    """(a) Never two of a name; one, and both know it, if all want the same."""
    for name in {wish.name for actor in play.actors for wish in actor.ask.wishes}:
        left = play.after.of(name)
        wishes = [wish for actor in play.actors for wish in actor.ask.wishes if wish.name == name]
        images = {wish.images for wish in wishes if wish.state != ABSENT}
        told = any(words in text for actor in play.actors for text in _texts(actor) for words in SECOND_ONE)
        play.demand("a", len(left) <= 1 or (len(images) > 1 and told), f"there are {len(left)} named {name}")
        pruned = any(name not in actor.ask.names and actor.ask.prune_tags is not None for actor in play.actors)
        if all(wish.state != ABSENT for wish in wishes) and not pruned:
            play.demand("a", left, f"none named {name} is left, and all wanted one")
        if all(wish.state == ABSENT for wish in wishes):
            play.demand("a", not left, f"{left} is left, and nobody wanted it")


def _texts(actor: Actor) -> list[str]:
    return actor.told.texts if actor.told else []


def changed_is_true(play: Play, actor: Actor) -> None:
    """(b) ``changed`` for each image cache."""
    assert actor.told is not None
    mine, gone = play.made(actor), play.deleted(actor)
    for entry in [*actor.told.entries, *actor.told.pruned]:
        ids = {key for key, fact in _all(play).items() if fact == entry.name}
        own = {one for one in mine if one in ids}
        taken = {one for one in gone - mine if one in ids}
        tagged = {one: play.tagged(one) for one in ids if actor.number in play.tagged(one)}
        left = own & set(play.after.staying)
        left_tags = [one for one, who in tagged.items() if who[-1] == actor.number and one in play.after.staying]
        undone = (own - gone - left) or tagged or _in_vain(play, actor, ids)
        if entry.changed:
            play.demand("b", left or taken or undone, f"{actor.number} {entry.name}: changed, and did nothing")
        else:
            play.demand(
                "b", not (left or taken or left_tags), f"{actor.number} {entry.name}: it did not tell of {left}"
            )


def _in_vain(play: Play, actor: Actor, ids: set[str | None]) -> bool:
    """Whether an actor sent what was taken, and had been done by another one."""
    mine = [step for step in play.steps if step.actor == actor.number and step.identifier in ids]
    return any(step.good and not step.effect and step.operation in (UPDATE, DELETE) for step in mine)


def _all(play: Play) -> dict[str | None, str]:
    """The name of every image cache that there was."""
    names: dict[str | None, str] = {key: fact.name for key, fact in play.before.all.items()}
    for step in play.steps:
        if _did(step, CREATE):
            names[step.identifier] = step.asked["imageCacheName"]
    return names


def its_id_is_true(play: Play, actor: Actor) -> None:
    """(c) What a task returns is there, or another one that was asked to deleted it."""
    assert actor.told is not None
    others = {one for other in play.actors if other is not actor for one in play.deleted(other)}
    for wish, entry in _pairs(actor):
        if wish.state == ABSENT or entry.failed:
            continue
        known = entry.image_cache_id in play.after.staying or entry.image_cache_id in others
        play.demand("c", known, f"{actor.number} {wish.name}: there is no {entry.image_cache_id}")
        play.demand("c", entry.image_cache_id not in play.deleted(actor), f"{actor.number} deleted it itself")
    for identifier in play.made(actor):
        told = any(entry.image_cache_id == identifier for entry in actor.told.entries)
        gone = identifier in play.deleted(actor) or identifier in others
        play.demand("c", told or gone, f"{actor.number}: the ID of {identifier} is lost")


def _pairs(actor: Actor) -> Iterator[tuple[Wish, Entry]]:
    assert actor.told is not None
    return zip(actor.ask.wishes, actor.told.entries, strict=bool(actor.told.entries))


def ready_before_pruned(play: Play, actor: Actor) -> None:
    """(g) When something is pruned, all that the task wants is ready, or another task deleted it."""
    others = {one for other in play.actors if other is not actor for one in play.deleted(other)}
    for step in play.steps:
        if step.actor != actor.number or not _did(step, DELETE):
            continue
        if step.world.all[step.identifier or ""].name in actor.ask.names:
            continue
        for wish in actor.ask.wishes:
            ready = any(fact.status == play.stage.settings.ready_status for fact in step.world.of(wish.name))
            deleted = any(_all(play).get(one) == wish.name for one in others)
            play.demand("g", ready or deleted or wish.state == ABSENT, f"{step}: {wish.name} is not ready")
