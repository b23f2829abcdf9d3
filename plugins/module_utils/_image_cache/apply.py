# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan -> the service, for one image cache, and what became of it. Private to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .._errors import AmbiguousName, DriftError, EciError, NotFound, OpenOutcome, WaitTimeout
from .._service.client import Client
from .._wait import Wait
from . import create
from .operations import ImageCache, ImageCaches, Tags, normal_tags
from .plan import CREATE, DELETE, RETAG, Difference, Plan, Wanted, diff, is_going, plan, predicted


@dataclass
class Outcome:
    """What a task has reached so far. ``changed`` is true as soon as the service was changed."""

    changed: bool = False
    image_cache_id: str | None = None
    image_cache: ImageCache | None = None
    request_id: str | None = None
    drift: list[Difference] = field(default_factory=list)
    diff: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """The task's result: always the same keys."""
        return {
            "changed": self.changed,
            "image_cache_id": self.image_cache_id,
            "image_cache": self.image_cache,
            "request_id": self.request_id,
            "drift": self.drift,
        }


class Application:
    """The way of one image cache to its wanted state: ``consider`` what exists, then ``carry_out`` the plan, or
    ``predict`` what it leads to.

    ``outcome`` tells at any time what was reached, also when a method raised an EciError. After a create the image
    cache is looked at by ``confirm``; with ``confirm_at_once`` false that is left to the caller, who may read many in
    one list.
    """

    def __init__(self, wanted: Wanted, client: Client, wait: Wait, confirm_at_once: bool = True) -> None:
        self.wanted = wanted
        self.client = client
        self.caches = ImageCaches(client)
        self.wait = wait
        self.confirm_at_once = confirm_at_once
        self.outcome = Outcome()
        self.created: create.Created | None = None
        self._known: list[str] = []

    def consider(self, existing: ImageCache | None) -> Plan:
        """The plan for what exists. Raises DriftError if the task wants to fail of drift."""
        change = plan(self.wanted, existing)
        outcome = self.outcome
        outcome.drift = change.drift
        outcome.diff = diff(change)
        if existing:
            outcome.image_cache_id = existing["image_cache_id"]
            outcome.image_cache = existing
        if change.drift and DELETE not in change.steps:
            options = ", ".join(difference["option"] for difference in change.drift)
            text = f"The image cache {outcome.image_cache_id} differs from the task in {options}"
            if change.refused:
                raise DriftError(f"{text}, and the task says drift: fail. See drift in the result.")
            outcome.warnings.append(f"{text}, and is left as it is (drift: warn).")
        return change

    def predict(self, change: Plan) -> None:
        """Take the plan for the outcome."""
        self.outcome.changed = bool(change.steps)
        self.outcome.image_cache = change.after
        if CREATE in change.steps:
            self.outcome.image_cache_id = None

    def carry_out(self, change: Plan) -> None:
        """Do what is planned. Raises EciError."""
        existing = change.before
        if existing is None:
            if change.steps:
                self._create(change)
        elif CREATE in change.steps:
            self._replace(change, existing)
        elif change.steps == [DELETE]:
            self._delete(existing)
        elif change.steps == [RETAG]:
            self._retag(change, existing)

    def _create(self, change: Plan) -> None:
        created = create.create(self.caches, change.body, self._known)
        outcome = self.outcome
        outcome.changed = outcome.changed or created.changed
        outcome.image_cache_id = created.image_cache_id
        outcome.image_cache = dict(predicted(change.body), image_cache_id=created.image_cache_id)
        outcome.request_id = created.request_id
        self.created = created
        if self.confirm_at_once:
            name = change.body["imageCacheName"]
            self.confirm(create.look(self.caches, name, self._known, expected=created.image_cache_id))

    def confirm(self, named: list[ImageCache]) -> None:
        """Take over what the service shows of a created image cache, out of those of its name. Raises EciError."""
        created = self.created
        if created is None:
            return
        named = [cache for cache in named if cache["image_cache_id"] not in self._known]
        read = [cache for cache in named if cache["image_cache_id"] == created.image_cache_id]
        if read:
            self.outcome.image_cache = read[0]
        else:
            self.outcome.warnings.append(
                f"The image cache {created.image_cache_id} is made, but the service does not list it yet."
            )
        if len(named) > len(read):
            self.outcome.warnings.append(
                f"There are now several image caches named {self.wanted.name!r}: {ids(named)}. Another client may have"
                " made one at the same moment; each is billed."
            )
        if read and not created.changed and not self._known:
            # somebody else's, that the list did not show before: it counts as one that was there
            self.created = None
            self.carry_out(self.consider(with_unseen_tags(self.wanted, self.caches, read[0])))

    def _replace(self, change: Plan, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        self._known.append(image_cache_id)
        if self.wanted.image_cache_id:
            self._know_namesakes(change.body["imageCacheName"], existing)
        if DELETE in change.steps:
            self._delete(existing)
        self.await_gone(image_cache_id)
        self.outcome.image_cache_id = self.outcome.image_cache = None
        try:
            self._create(change)
        except EciError as error:
            if self.outcome.changed and not self.outcome.image_cache_id:
                error.add(f"The old image cache {image_cache_id} was deleted before, as drift: recreate asks for.")
            raise

    def _know_namesakes(self, name: str, existing: ImageCache) -> None:
        """Tell other image caches of the name from what is made here. Raises AmbiguousName if none had to be one."""
        others = [cache for cache in self.caches.named(name) if cache["image_cache_id"] not in self._known]
        if others and existing["image_cache_name"] != name:
            raise AmbiguousName(
                f"The image cache {existing['image_cache_id']} has another name, and {name!r} is the name of"
                f" {ids(others)}: replacing it would make a second one of that name."
            )
        self._known += [cache["image_cache_id"] for cache in others]

    def _delete(self, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        try:
            self.outcome.request_id = self.caches.delete(image_cache_id)
            self.outcome.changed = True
        except NotFound as error:
            # gone already: through an earlier attempt of this call, or through somebody else
            self.outcome.changed = error.after_open
        except EciError as error:
            if not _open(error):
                raise
            current = self._get_after(error, image_cache_id)
            if current is not None and not is_going(current):
                error.add(f"The image cache {image_cache_id} may be deleted all the same; run the task again.")
                raise
            self.outcome.changed = True
        self.outcome.image_cache = None

    def _retag(self, change: Plan, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        try:
            self.outcome.request_id = self.caches.set_tags(image_cache_id, change.tags)
            self.outcome.changed = True
            unsure = None
        except EciError as error:
            if not _open(error):
                raise
            error.add(f"The tags of {image_cache_id} may be set all the same; run the task again.")
            unsure = error
        try:
            current = self._with_tags(existing, change.tags)
        except EciError as error:
            if unsure:
                unsure.add(f"It could not be looked up either: {error.message}")
                raise unsure from None
            raise _unread(error, image_cache_id) from None
        shown = current["tags"] or []
        if unsure and shown != change.tags:
            raise unsure
        self.outcome.image_cache = current
        self.outcome.diff = diff(replace(change, after=current))
        if shown == change.tags:
            self.outcome.changed = True
        elif current["tags"] is None:
            self._retag_unseen(image_cache_id, change.tags)
        else:
            self.outcome.changed = shown != (existing["tags"] or [])
            self.outcome.warnings.append(
                f"The service took the new tags of {image_cache_id} but shows others: it shows the keys {_keys(shown)},"
                f" wanted are {_keys(change.tags)}. It may add tags where it was asked to replace them."
            )

    def _get_after(self, error: EciError, image_cache_id: str) -> ImageCache | None:
        """What there is after a request whose outcome is open."""
        try:
            return self.caches.get(image_cache_id)
        except EciError as lookup:
            error.add(
                f"It could not be looked up either: {lookup.message} The image cache {image_cache_id} may be deleted"
                " all the same; run the task again."
            )
            raise error from None

    def _with_tags(self, existing: ImageCache, tags: Tags) -> ImageCache:
        """The image cache as the service shows it, once it shows these tags or has had time to."""
        current = existing
        for pause in create.LOOK_PAUSES[:3]:
            self.client.pause(pause)
            current = self.caches.get(existing["image_cache_id"]) or current
            if (current["tags"] or []) == tags or current["tags"] is None:
                break
        return current

    def _retag_unseen(self, image_cache_id: str, tags: Tags) -> None:
        try:
            carried = self.caches.carries(image_cache_id, tags)
        except EciError as error:
            raise _unread(error, image_cache_id) from None
        self.outcome.changed = carried is not False
        if carried is None:
            self.outcome.warnings.append(
                f"The service took the new tags of {image_cache_id} but shows none, so whether they were there before"
                " cannot be told: changed is true since they were sent."
            )
        elif not carried:
            self.outcome.warnings.append(f"The service took the new tags of {image_cache_id} but did not set them.")

    def await_gone(self, image_cache_id: str) -> None:
        """Wait until the service lists an image cache no more. Raises WaitTimeout."""
        gone, cache = self.wait.until(
            self.caches.get(image_cache_id),
            lambda: self.caches.get(image_cache_id),
            lambda current: current is None,
        )
        if not gone:
            self.outcome.image_cache = cache
            raise still_listed(image_cache_id, self.wait)


def with_unseen_tags(wanted: Wanted, caches: ImageCaches, existing: ImageCache) -> ImageCache:
    """The image cache with the wanted tags, if it carries them though the service does not show it.

    No reply on CTYun's page shows tags, so their absence there does not mean that there are none. Raises EciError.
    """
    tags = wanted.body.get("tags") if wanted.state == "present" else None
    if tags and existing["tags"] is None and caches.carries(existing["image_cache_id"], tags):
        return dict(existing, tags=normal_tags(tags))
    return existing


def _unread(error: EciError, image_cache_id: str) -> EciError:
    """The error of a read after the service took new tags, which it may have set, or added to those it had."""
    error.add(
        f"The service took the new tags of {image_cache_id}, but what it made of them could not be read: changed is"
        " true since it may have set them."
    )
    return error


def _open(error: EciError) -> bool:
    return isinstance(error, OpenOutcome) or error.after_open


def still_listed(image_cache_id: str, wait: Wait) -> WaitTimeout:
    """The error for an image cache that is not gone in time."""
    return WaitTimeout(
        f"The image cache {image_cache_id} is deleted but still listed after {wait.timeout:g} s (option wait_timeout)."
    )


def ids(caches: list[ImageCache]) -> str:
    """The IDs of image caches, for a message."""
    return ", ".join(cache["image_cache_id"] for cache in caches)


def _keys(tags: Tags) -> str:
    return ", ".join(tag["key"] for tag in tags) or "(none)"
