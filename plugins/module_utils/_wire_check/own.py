# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image cache that a check makes, looks at and deletes again. Private to the collection.

Whatever happens meanwhile, it is deleted; if that fails, the error names it and says that it is billed. It is made under
a name that nobody has, so what bears that name in the end is the check's own.
"""

from __future__ import annotations

import itertools
import uuid
from typing import Any, Mapping

from .._errors import (
    POSSIBLE,
    AlreadyExists,
    AmbiguousName,
    EciError,
    ServiceError,
    Unanswered,
    Vanished,
    unexpected,
)
from .._image_cache import create, delete
from .._image_cache.folder import PRIVATE
from .._image_cache.image_cache import ImageCache, from_wire
from .._image_cache.looks import look
from .._image_cache.mark import Marks
from .._image_cache.operations import ImageCaches
from .._image_cache.outcome import Outcome
from .._polling import Wait
from .habits import OTHER, PAUSES, SECONDS
from .observe import Observer
from .seen import Own

PREFIX = "wire-check-"
# The smallest that is known to have become ready, in GB.
SMALLEST_SIZE = 10
# Should everything else fail, the service deletes it after a day.
RETENTION_DAYS = 1
# How often a deletion is asked for that is seen to have failed.
DELETIONS = 3
# Seconds before each time that everything is tried again, should any of it fail.
PAUSES_OF_ROUNDS = (0.0, 2.0, 5.0)


def order(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of createImageCache for a check: the smallest image cache, with a name and tags of its own."""
    mark = uuid.uuid4().hex
    return {
        "imageCacheSize": SMALLEST_SIZE,
        **body,
        "imageCacheName": f"{PREFIX}{mark}",
        "retentionDays": RETENTION_DAYS,
        "tags": [_tag("wire-check-a", mark), _tag("wire-check-b", mark)],
    }


class Trial:
    """One image cache from its creation to its deletion, for an observer that has read before.

    ``error`` is what kept it from its end, be it with the deletion; ``changed`` says whether any was made. ``twin`` asks
    for a second one of the name.
    """

    def __init__(self, observer: Observer, body: Mapping[str, Any], wait: Wait, twin: bool) -> None:
        self.own = observer.seen.own = Own(dict(body))
        self.changed = False
        self.error: EciError | None = None
        self._name = body["imageCacheName"]
        self._observer = observer
        self._client = observer.client
        self._caches = observer.caches
        self._wait = wait
        self._twin = twin
        # the IDs of what is not deleted yet, and of what is; and whether there may be one whose ID is not known
        self._made: list[str] = []
        self._deleted: list[str] = []
        self._is_open = False

    def carry_out(self) -> None:
        """Make it, look at it, and delete it whatever happens. Raises no EciError."""
        try:
            self._make()
            self._watch()
        except EciError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  whatever it is, it must not keep the rest from being done
            self.error = unexpected(error, self._client.hide)
        finally:
            self._clean_up()

    def _make(self) -> None:
        if self._caches.named(self._name):
            raise AmbiguousName(f"There is an image cache named {self._name!r} already. Nothing was made.")
        self._say("is ordered, and billed until it is deleted again")
        self._order()
        self.own.answer = self._observer.last_object()

    def _order(self) -> None:
        marks = Marks(self._client.connection, self._client.clock, PRIVATE)
        self._is_open = True
        try:
            made = create.create(self._caches, marks, self.own.body, self._made)
        except EciError as error:
            self._is_open = error.effect == POSSIBLE
            # this task does not adopt what it finds
            error.message = error.message.replace(create.may_exist(self._name), "").strip()
            raise
        finally:
            marks.settled(self._name)  # nobody uses the name again
        self._is_open = made.unsettled
        self._made.append(made.image_cache_id)
        self.changed = True
        self._say(f"is there, its ID is {made.image_cache_id}")

    def _watch(self) -> None:
        own, observer = self.own, self._observer
        own.told, own.listed_after = self._until_listed(self._made[0])
        cache = from_wire(own.told)
        if cache is None:
            observer.warnings.append(f"No list showed the image cache of the check within {SECONDS[-1]} s.")
            return
        self._see_status(cache)
        observer.read_list()
        observer.ask_names(cache)
        observer.ask_images(cache)
        observer.ask_filters(cache)
        observer.ask_tags(cache, own.body["tags"])
        self._await_end(cache)
        self._retag(cache)
        if self._twin:
            self._make_twin()

    def _until_listed(self, image_cache_id: str) -> tuple[dict[str, Any] | None, int | None]:
        """What a list shows of it first, and after how many seconds."""
        for pause, seconds in zip(PAUSES, SECONDS):
            self._client.clock.sleep(pause)
            item = self._observer.item(image_cache_id)
            if item:
                return item, seconds
        return None, None

    def _await_end(self, cache: ImageCache) -> None:
        """Wait until it is ready, or has failed."""

        image_cache_id = cache.id

        def read() -> ImageCache:
            found = self._caches.get(image_cache_id) or self._caches.get(image_cache_id)  # one miss is not gone
            if found is None:
                raise Vanished(f"The image cache {image_cache_id} of the check is gone: somebody else deleted it.")
            self._see_status(found)
            return found

        self._say(f"is looked at until it is ready, for at most {self._wait.timeout:g} s")
        done, last = self._wait.until(self._client.clock, cache, read, lambda found: found.is_ready or found.has_failed)
        if not done:
            self._observer.warnings.append(
                f"The image cache of the check was not ready after {self._wait.timeout:g} s (option wait_timeout), its"
                f" status was {last.status!r}."
            )

    def _retag(self, cache: ImageCache) -> None:
        observer, image_cache_id = self._observer, cache.id
        old, new = self.own.body["tags"], _tag("wire-check-c", uuid.uuid4().hex)
        try:
            self._caches.set_tags(image_cache_id, [new])
        except ServiceError as error:
            observer.warnings.append(f"Not seen: {error.message}")
            return
        shown: list[dict[str, str]] | None = None
        for pause in PAUSES[:3]:
            self._client.clock.sleep(pause)
            current = from_wire(observer.item(image_cache_id))
            shown = current.tags if current else None
            if not shown or new in shown:
                break
        retagged = self.own.retagged
        retagged["shown"] = None if shown is None else (_all_or_none([tag in shown for tag in old]), new in shown)
        retagged["old"] = _all_or_none([observer.finds(cache, tags=[tag]) for tag in old])
        retagged["new"] = observer.finds(cache, tags=[new])

    def _make_twin(self) -> None:
        self._say("is ordered a second time, under the same name")
        try:
            self._order()
            self.own.twin_refused = False
            self._until_listed(self._made[-1])  # one that no list shows yet would be taken for gone
        except AlreadyExists:
            self.own.twin_refused = True
        except ServiceError as error:
            self._observer.warnings.append(f"Not seen, whether a name is unique: {error.message}")

    def _clean_up(self) -> None:
        """Delete what was made, also if the task is ended. What goes wrong is told in ``error``."""
        caches = ImageCaches(self._client.successor())
        failed: EciError | None = None
        for pause in PAUSES_OF_ROUNDS:
            caches.client.clock.sleep(pause)
            failed = self._cleaned_up(caches)
            if failed is None:
                break
        if failed:
            self._tell(failed, failed.message)
        if self._made or self._is_open:
            self._tell(Unanswered("What became of an order is not known."), self._left())
        elif self.error and self.changed:
            self.error.add("What the check had made is deleted again.")

    def _cleaned_up(self, caches: ImageCaches) -> EciError | None:
        """Delete what there is, or say why it cannot be."""
        try:
            for image_cache_id in list(self._made):
                self._delete(caches, image_cache_id)
            if self._is_open or self.changed:
                self._sweep(caches)
        except EciError as error:
            return error
        except Exception as error:  # noqa: BLE001  it has to be told what is left
            return unexpected(error, self._client.hide)
        return None

    def _tell(self, error: EciError, text: str) -> None:
        if self.error is None:
            self.error = error
        if text != self.error.message:
            self.error.add(text)

    def _sweep(self, caches: ImageCaches) -> None:
        """Delete what else bears the name: an order that nobody answered may have been carried out."""
        known = self._deleted + self._made
        found = look(caches, self._name, known) if self._is_open else caches.named(self._name)
        for cache in found:
            image_cache_id = cache.id
            if image_cache_id not in known and not cache.is_going:
                self.changed = True
                self._is_open = False
                self._made.append(image_cache_id)
                self._delete(caches, image_cache_id)

    def _delete(self, caches: ImageCaches, image_cache_id: str) -> None:
        cache: ImageCache | None = None
        for _attempt in range(DELETIONS):
            delete.delete(caches, Outcome(), ImageCache(image_cache_id))
            cache, seconds = self._await_gone(caches, image_cache_id)
            if cache is None or not cache.deletion_failed:
                break
        if cache is None and not self._deleted:
            self.own.gone_after = seconds
        if cache is not None and (cache.deletion_failed or not self._client.is_ended):
            delete.raise_if_there(caches, self._wait, Outcome(image_cache=cache), delete.Departure(None))
        self._made.remove(image_cache_id)
        self._deleted.append(image_cache_id)

    def _await_gone(self, caches: ImageCaches, image_cache_id: str) -> tuple[ImageCache | None, int]:
        """What is still there of it in the end, and after how many seconds that was seen."""
        seconds = 0.0
        for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
            caches.client.clock.sleep(pause)
            seconds += pause
            cache = caches.get(image_cache_id)
            if cache is None:
                break
            self._see_status(cache)
            if cache.deletion_failed or self._client.is_ended or seconds >= self._wait.timeout:
                break
            if cache.is_going and self.own.deleted_again is None:
                self._delete_again(caches, image_cache_id)
        return cache, int(seconds)

    def _delete_again(self, caches: ImageCaches, image_cache_id: str) -> None:
        try:
            caches.delete(image_cache_id)
            self.own.deleted_again = "ok"
        except AlreadyExists:
            self.own.deleted_again = "conflict"
        except EciError:
            self.own.deleted_again = OTHER

    def _see_status(self, cache: ImageCache) -> None:
        if cache.status and cache.status not in self.own.statuses:
            self.own.statuses.append(cache.status)

    def _left(self) -> str:
        """What to do about what may be left."""
        which = f"{', '.join(self._made)}, " if self._made else ""
        return (
            f"An image cache that the check made may be left ({which}named {self._name!r}). It is billed until it is"
            f" deleted: do that with ctyun.eci.image_cache, name: {self._name}, state: absent, or in CTYun's console."
        )

    def _say(self, line: str) -> None:
        if self._client.say:
            self._client.say(f"{self._name} {line}")


def _tag(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def _all_or_none(answers: list[bool | None]) -> bool | None:
    """True if all of them are, False if none is, else None."""
    return answers[0] if len(set(answers)) == 1 else None
