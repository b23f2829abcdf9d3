# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image cache of a task: what is planned for it, each step of that, and what came of it. Private to the collection."""

from __future__ import annotations

from dataclasses import replace

from .._errors import POSSIBLE, DriftError, EciError, NoSuchCache, NotFound, TaskEnded, unexpected
from . import create, delete, retag
from .create import Created
from .image_cache import ImageCache, normal_tags, predicted
from .looks import look
from .outcome import Outcome
from .pick import the_only
from .plan import CREATE, DELETE, RETAG, Difference, Plan, Wanted, diff, differences, plan
from .replace import namesakes
from .settling import Sought, settled
from .surroundings import Surroundings
from .tags import TagFilter
from .twins import ByName, Twins, settle, staying

# How often a task gives way to another one that makes the same image cache, and how often it follows one that did.
MOST_ROUNDS = 3


class Item:
    """The way of one image cache to its wanted state: ``consider`` what exists, then take the steps of the plan, or
    ``predict`` what they lead to. Where one replaces another, ``check_replacement`` comes before either.

    ``outcome`` tells at any time what was reached, also when a method raised an EciError; all of them may. After a
    create what there is then has to be handed to ``confirm``.
    """

    def __init__(self, wanted: Wanted, around: Surroundings) -> None:
        self.wanted = wanted
        self.around = around
        self.outcome = Outcome()
        self.change: Plan | None = None
        self.error: EciError | None = None
        self.created: Created | None = None
        self.twins: Twins | None = None
        self._replaced = False
        self._rounds = 0
        self._followed = 0
        self._changed_before = False
        # image caches of the name that do not count: those that were there, or are on their way out
        self._known: list[str] = []
        self._younger: list[ImageCache] = []

    @property
    def has_younger(self) -> bool:
        """Whether there are others of the name that are to be deleted."""
        return bool(self._younger)

    @property
    def name(self) -> str:
        """The wanted name, or an empty text."""
        return self.wanted.name or ""

    @property
    def sought(self) -> Sought:
        """What it looks for by its name."""
        return Sought(self.name, self.fits if self.wanted.state == "present" else None)

    @property
    def is_done(self) -> bool:
        """Whether all that was planned is done, and has come to its end if that is waited for."""
        if self.change is None or self._younger:
            return False
        here = self.outcome.image_cache
        if self.wanted.state == "absent":
            return here is None or not (self.wanted.wait or (DELETE in self.change.steps and not self.outcome.changed))
        if CREATE in self.change.steps and self.created is None:
            return False
        done = self.outcome.changed or not self.change.steps
        return done and (not self.wanted.wait or self.cache.is_ready)

    @property
    def cache(self) -> ImageCache:
        """The image cache as it was last seen, or an empty one."""
        return self.outcome.image_cache or ImageCache()

    @property
    def image_cache_id(self) -> str | None:
        """The ID of the image cache as far as it is known."""
        return self.outcome.image_cache_id

    @property
    def id(self) -> str:
        """That ID, or an empty text."""
        return self.image_cache_id or ""

    @property
    def label(self) -> str:
        """What a message calls it: the wanted name, or the ID that the task gives in its place."""
        return self.name or str(self.wanted.image_cache_id)

    def is_to_take(self, *steps: list[str]) -> bool:
        """Whether it has one of these lists of steps before it, and nothing has happened to it."""
        return bool(self.change and not self.error and self.change.steps in steps)

    def consider_named(self, named: list[ImageCache], tag_filter: TagFilter | None = None) -> Plan:
        """The plan for what exists of the name. Raises AmbiguousName if there are several."""
        several = staying(named)
        heals = self.wanted.duplicates == "delete_younger" and self.wanted.state == "present"
        if len(several) > 1 and heals and all(self.fits(cache) for cache in several):
            self._younger = several[1:]
            self.outcome.duplicates = [cache.id for cache in self._younger]
            return self.consider(several[0], tag_filter)
        return self.consider(the_only(named), tag_filter)

    def consider(self, existing: ImageCache | None, tag_filter: TagFilter | None = None) -> Plan:
        """The plan for what exists. Raises DriftError if the task wants to fail of drift."""
        wanted, around, outcome = self.wanted, self.around, self.outcome
        drift: list[Difference] = []
        remembered = None
        if existing and not existing.is_going and wanted.state == "present":
            tags = normal_tags(wanted.body.get("tags") or [])
            existing = (tag_filter or around.tag_filter).show(existing, tags)
            drift, warnings = around.spellings.drift(differences(wanted.body, existing))
            outcome.warnings += warnings
        elif wanted.name:
            remembered = around.marks.read(wanted.name).tags
        change = self.change = plan(wanted, existing, drift, remembered)
        outcome.drift = change.drift
        outcome.diff = diff(change)
        if existing:
            outcome.image_cache_id = existing.image_cache_id
            outcome.image_cache = existing
        if change.drift and not change.replaces:
            self._tell_of_drift(change)
        return change

    def _tell_of_drift(self, change: Plan) -> None:
        options = ", ".join(difference["option"] for difference in change.drift)
        text = f"The image cache {self.image_cache_id} differs from the task in {options}"
        if change.refused:
            raise DriftError(f"{text}, and the task says drift: fail. See drift in the result.")
        self.outcome.warnings.append(f"{text}, and is left as it is (drift: warn).")

    def predict(self) -> None:
        """Take the plan for the outcome."""
        change = self.planned
        self.outcome.changed = bool(change.steps or self._younger)
        self.outcome.image_cache = change.after
        if CREATE in change.steps:
            self.outcome.image_cache_id = None

    def carry_out(self) -> None:
        """Do what is planned."""
        change = self.planned
        if not change.steps:
            self._settle()
        elif change.replaces:
            self.delete()
            self.await_gone()
            self.create()
            self.confirm_alone()
        elif change.steps == [CREATE]:
            self.await_gone()
            self.create()
            self.confirm_alone()
        elif change.steps == [DELETE]:
            self.delete()
        elif change.steps == [RETAG]:
            try:
                self.retag()
            except (NotFound, NoSuchCache) as gone:
                if not self._follows_after(gone):
                    raise
                self.carry_out()

    def check_replacement(self, more: int = 0) -> None:
        """Raise Irreplaceable if the old one is to be deleted and a new one could not be made; ``more`` others are made
        before.
        """
        self.around.room.check(self.planned, more)
        if self.wanted.image_cache_id:
            self._known += namesakes(self.around.caches, self.planned)

    def create(self) -> None:
        """Create the image cache."""
        change, outcome, around = self.planned, self.outcome, self.around
        outcome.image_cache_id = outcome.image_cache = None
        self._changed_before = outcome.changed
        kept = None if self.wanted.body.get("tags") == change.body.get("tags") else change.body.get("tags")
        try:
            created = create.create(around.caches, around.marks, change.body, self._known, kept)
        except EciError as error:
            if self._replaced:
                error.add(
                    f"The old image cache {change.old.image_cache_id} was deleted before, as drift: recreate asks for."
                )
            raise
        self.created = created
        outcome.changed = outcome.changed or created.changed
        outcome.image_cache_id = created.image_cache_id
        outcome.image_cache = replace(predicted(change.body), image_cache_id=created.image_cache_id)
        outcome.request_id = created.request_id or outcome.request_id
        if created.unsettled:
            outcome.warnings.append(
                f"createImageCache for {self.wanted.name!r} was sent more than once, since an earlier one was not"
                " answered and nothing of it was seen. Should it take effect late, there will be two image caches of"
                " that name, each of them billed: the next run tells."
            )

    def confirm_alone(self) -> None:
        """Look at what was created, and come to terms with others that have made one."""
        caches = self.around.caches
        if self.created:
            name = self.planned.body["imageCacheName"]
            self.confirm(look(caches, name, self._known, expected=self.created.image_cache_id))
        if self.twins and self._rounds < MOST_ROUNDS:
            self._rounds += 1
            for decided in settle([self.twins], lambda: caches.named, caches.client.clock):
                if self.name in decided:
                    self.conclude(decided[self.name])
            if self.gave_way:
                self.follow(self.named())
                self.carry_out()

    @property
    def gave_way(self) -> bool:
        """Whether it deleted what it had created, since there was another one."""
        return self.created is None

    def follow(self, named: list[ImageCache]) -> None:
        """Plan anew after giving way, from what there is now."""
        current = next((cache for cache in named if cache.image_cache_id == self.image_cache_id), None)
        if self.consider(current or the_only(named), TagFilter(self.around.caches)).replaces:
            self.check_replacement()

    @property
    def may_follow(self) -> bool:
        """Whether another image cache may be taken for one that is gone."""
        return not self.wanted.image_cache_id and self._followed < MOST_ROUNDS

    def follow_another(self) -> bool:
        """Plan anew if what was found is gone and another one of the name is what the task wants: the maker of the one may
        have given way to that of the other. Returns whether it did.
        """
        self._followed += 1
        gone = self.image_cache_id
        others = [cache for cache in staying(self.named()) if cache.image_cache_id != gone]
        if len(others) != 1 or not self.fits(others[0]):
            return False
        self.outcome.warnings.append(
            f"The image cache {gone} named {self.name!r} is gone, and {others[0].image_cache_id} is taken in its place: two"
            " clients may have made them at the same moment, and one gave way."
        )
        self.consider(others[0], TagFilter(self.around.caches))
        return True

    def _follows_after(self, gone: EciError) -> bool:
        """Whether it could follow another one; if that cannot be told, what happened before is."""
        try:
            return self.may_follow and self.follow_another()
        except EciError as error:
            gone.add(f"Whether another one took its place could not be looked up: {error.message}")
            return False

    def named(self) -> list[ImageCache]:
        """What there is of the name, once it can be relied on."""

        def read() -> ByName:
            named = self.around.caches.named(self.name)
            return lambda name: named

        return settled([self.sought], self.around, read)(self.name)

    def confirm(self, named: list[ImageCache]) -> None:
        """Take over what the service shows of a created image cache, out of those of its name."""
        created, outcome = self.created, self.outcome
        if created is None:
            return
        named = [cache for cache in named if cache.image_cache_id not in self._known and not cache.is_going]
        read = next((cache for cache in named if cache.image_cache_id == created.image_cache_id), None)
        if read is None:
            outcome.warnings.append(
                f"The image cache {created.image_cache_id} is made, but the service does not list it yet."
            )
        twins = Twins(self.name, read or ImageCache(created.image_cache_id), self.fits)
        twins.see(named)
        if twins.others and read and created.answered:
            self.twins = twins
        elif twins.others:
            outcome.warnings.append(twins.warning())
        if read:
            outcome.image_cache = read
            if created.answered:
                outcome.warnings += self.around.spellings.learn(differences(self.planned.body, read))
            else:
                self._adopt(read, created)

    def fits(self, cache: ImageCache) -> bool:
        """Whether an image cache is what the task wants, but for its tags."""
        return not self.around.spellings.drift(differences(self.wanted.body, cache))[0]

    def conclude(self, elder: ImageCache | None) -> None:
        """Give way to another image cache of the name, if there is one to give way to."""
        twins, self.twins = self.twins, None
        if twins is None:
            return
        if elder is None or not self._delete_own(twins.own):
            self.outcome.warnings += [twins.warning()] * bool(twins.others)
            return
        self.outcome.changed = self._changed_before
        self.outcome.image_cache_id, self.outcome.image_cache = elder.image_cache_id, elder
        self.outcome.warnings.append(
            f"Another client made the image cache {elder.image_cache_id} named {self.name!r} at the same moment. It is"
            f" taken for the one that is wanted, and {twins.own.image_cache_id}, which this task had made, is deleted"
            " again."
        )
        self.created = None

    def _delete_own(self, own: ImageCache) -> bool:
        try:
            delete.delete(self.around.caches, Outcome(), own)
        except EciError as error:
            self.outcome.warnings.append(f"{own.image_cache_id} could not be deleted again: {error.message}")
            return False
        return True

    def _adopt(self, read: ImageCache, created: Created) -> None:
        """Treat an image cache that nothing here is known to have made as one that was there."""
        again = self._replaced or created.changed
        self.created = None
        change = self.consider(read, TagFilter(self.around.caches))
        if change.replaces and again:
            options = ", ".join(difference["option"] for difference in change.drift)
            raise DriftError(
                f"The image cache {read.image_cache_id} came about while this task was at work, and differs from it in"
                f" {options}. It may be another client's and is left as it is; run the task again to replace it."
            )
        if change.replaces:
            self.check_replacement()
        self.carry_out()

    def delete_younger(self) -> None:
        """Delete those of the name that an ended task may have left beside the eldest one."""
        if not self._younger:
            return
        self.outcome.duplicates = []
        while self._younger:
            cache, done = self._younger[0], Outcome()
            delete.delete(self.around.caches, done, cache)
            self._younger = self._younger[1:]
            self.outcome.duplicates.append(cache.id)
            self.outcome.changed = self.outcome.changed or done.changed

    def delete(self) -> None:
        """Delete the image cache."""
        change, around = self.planned, self.around
        if change.replaces:
            around.marks.replacing(change.body["imageCacheName"], change.body.get("tags"))
        self._settle()
        delete.delete(around.caches, self.outcome, change.old)
        self._replaced = change.replaces

    def await_gone(self) -> None:
        """Wait until what is deleted, or on its way out, is gone."""
        old = self.planned.before
        if old is not None:
            self.leave_behind()
            delete.await_gone(self.around.caches, self.around.wait, self.outcome, old, self.around.progress())

    def leave_behind(self) -> None:
        """Do not take the image cache that was there before for the one that is made."""
        self._known.append(self.planned.old.id)

    def retag(self) -> None:
        """Set the tags."""
        change, outcome = self.planned, self.outcome
        self._settle()
        retag.retag(self.around.caches, outcome, change.old, change.tags)
        outcome.diff = diff(replace(change, after=outcome.image_cache))

    def ended(self, reason: BaseException) -> EciError:
        """The error for a task that was ended in the middle of this, by an error or from outside."""
        if isinstance(reason, Exception):
            return reason if isinstance(reason, EciError) else unexpected(reason, self.around.caches.client.hide)
        text = f"The task was ended before it was done ({type(reason).__name__})."
        if self.around.marks.is_in_flight(self.around.marks.read(self.name)):
            return TaskEnded(f"{text} {create.may_exist(self.name)}", effect=POSSIBLE)
        if self.around.caches.client.is_left_open:
            text = f"{text} What it was about to change may be changed all the same; run the task again."
            return TaskEnded(text, effect=POSSIBLE)
        return TaskEnded(text)

    def _settle(self) -> None:
        """Forget what an earlier task left for this name, now that it is there, or gone as it should be."""
        if self.wanted.name and not (self.change and CREATE in self.change.steps):
            self.around.marks.settled(self.wanted.name)

    @property
    def planned(self) -> Plan:
        """The plan; there is one after ``consider``."""
        if self.change is None:
            raise RuntimeError("nothing is planned yet")
        return self.change
