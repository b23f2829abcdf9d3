# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image cache from what it is to what a task wants. No Ansible in sight; private to the collection."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import Any, ContextManager

from . import _create, _lock
from ._client import Client
from ._errors import (
    AmbiguousName,
    DriftError,
    EciError,
    NoSuchCache,
    NotFound,
    OpenOutcome,
    WaitFailed,
    WaitTimeout,
)
from ._image_caches import ImageCache, ImageCaches, Tags, normal_tags
from ._plan import CREATE, DELETE, RETAG, Difference, Plan, Wanted, diff, has_failed, is_ready, plan, predicted
from ._wait import Wait

EVENTS_SHOWN = 3


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


def converge(wanted: Wanted, client: Client, wait: Wait, check_mode: bool = False) -> Outcome:
    """Bring one image cache into the wanted state.

    ``wait`` is used if the task wants to wait for the end, and where an image cache is replaced. In check mode
    nothing is changed, and the outcome is the predicted one. Raises EciError, whose ``outcome`` tells what was
    reached before.
    """
    converging = _Converging(wanted, client, wait)
    try:
        if check_mode:
            converging.predict()
        else:
            converging.apply()
    except EciError as error:
        error.outcome = converging.outcome
        raise
    return converging.outcome


class _Converging:
    def __init__(self, wanted: Wanted, client: Client, wait: Wait) -> None:
        self.wanted = wanted
        self.client = client
        self.caches = ImageCaches(client)
        self.wait = wait
        self.outcome = Outcome()

    def predict(self) -> None:
        change = self._consider(self._find())
        self.outcome.changed = bool(change.steps)
        self.outcome.image_cache = change.after
        if CREATE in change.steps:
            self.outcome.image_cache_id = None

    def apply(self) -> None:
        with self._lock():
            self._carry_out(self._consider(self._find()))
        if self.wanted.wait:
            self._await_end()

    def _lock(self) -> ContextManager[None]:
        connection = self.client.connection
        key = self.wanted.image_cache_id or self.wanted.name or ""
        return _lock.held(connection.endpoint, connection.region_id, key)

    def _consider(self, existing: ImageCache | None) -> Plan:
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

    def _carry_out(self, change: Plan) -> None:
        existing = change.before
        if change.steps == [CREATE]:
            self._create(change)
        elif existing and change.steps == [DELETE]:
            self._delete(existing)
        elif existing and change.steps == [RETAG]:
            self._retag(change, existing)
        elif existing and change.steps == [DELETE, CREATE]:
            self._recreate(change, existing)

    def _find(self) -> ImageCache | None:
        existing = self._by_id() if self.wanted.image_cache_id else self._by_name()
        tags = self.wanted.body.get("tags") if self.wanted.state == "present" else None
        unseen = existing is not None and existing["tags"] is None
        # no reply on CTYun's page shows tags, so their absence there does not mean that there are none
        if existing and unseen and tags and self.caches.carries(existing["image_cache_id"], tags):
            return dict(existing, tags=normal_tags(tags))
        return existing

    def _by_id(self) -> ImageCache | None:
        image_cache_id = self.wanted.image_cache_id or ""
        existing = self.caches.get(image_cache_id)
        if existing is None and self.wanted.state == "present":
            raise NoSuchCache(
                f"There is no image cache with the ID {image_cache_id}. To create one, leave image_cache_id out: the"
                " service chooses the ID."
            )
        return existing

    def _by_name(self) -> ImageCache | None:
        name = self.wanted.name or ""
        named = self.caches.named(name)
        if len(named) > 1:
            raise AmbiguousName(
                f"There are {len(named)} image caches named {name!r}: {_ids(named)}. Pick one with image_cache_id."
            )
        return named[0] if named else None

    def _create(self, change: Plan, deleted: str | None = None) -> None:
        known = [deleted] if deleted else []
        created = _create.create(self.caches, change.body, known)
        outcome = self.outcome
        outcome.changed = outcome.changed or created.changed
        outcome.image_cache_id = created.image_cache_id
        outcome.image_cache = dict(predicted(change.body), image_cache_id=created.image_cache_id)
        outcome.request_id = created.request_id
        name = change.body["imageCacheName"]
        named = _create.look(self.caches, name, known, expected=created.image_cache_id)
        read = [cache for cache in named if cache["image_cache_id"] == created.image_cache_id]
        if read:
            outcome.image_cache = read[0]
        else:
            outcome.warnings.append(
                f"The image cache {created.image_cache_id} is made, but the service does not list it yet."
            )
        if len(named) > len(read):
            outcome.warnings.append(
                f"There are now several image caches named {name!r}: {_ids(named)}. Another client may have made one"
                " at the same moment; each is billed."
            )
        if read and not created.changed and not deleted:
            # somebody else's, that the list did not show before: it counts as one that was there
            self._carry_out(self._consider(read[0]))

    def _recreate(self, change: Plan, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        self._delete(existing)
        self._await_gone(image_cache_id)
        try:
            self._create(change, deleted=image_cache_id)
        except EciError as error:
            if not self.outcome.image_cache:
                error.add(
                    f"The old image cache {image_cache_id} was deleted before, as drift: recreate asks for, so there is"
                    " none of this name now."
                )
            raise

    def _delete(self, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        try:
            self.outcome.request_id = self.caches.delete(image_cache_id)
            self.outcome.changed = True
        except NotFound as error:
            # gone already: through an earlier attempt of this call, or through somebody else
            self.outcome.changed = error.after_open
        except OpenOutcome:
            if self.caches.get(image_cache_id) is not None:
                raise
            self.outcome.changed = True
        self.outcome.image_cache = None

    def _retag(self, change: Plan, existing: ImageCache) -> None:
        image_cache_id = existing["image_cache_id"]
        try:
            self.outcome.request_id = self.caches.set_tags(image_cache_id, change.tags)
            unsure = None
        except OpenOutcome as error:
            unsure = error
        current = self._with_tags(existing, change.tags)
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

    def _with_tags(self, existing: ImageCache, tags: Tags) -> ImageCache:
        """The image cache as the service shows it, once it shows these tags or has had time to."""
        current = existing
        for pause in _create.LOOK_PAUSES[:3]:
            self.client.sleep(min(pause, self.client.connection.retry_max_delay))
            current = self.caches.get(existing["image_cache_id"]) or current
            if (current["tags"] or []) == tags or current["tags"] is None:
                break
        return current

    def _retag_unseen(self, image_cache_id: str, tags: Tags) -> None:
        carried = self.caches.carries(image_cache_id, tags)
        self.outcome.changed = carried is not False
        if carried is None:
            self.outcome.warnings.append(
                f"The service took the new tags of {image_cache_id} but shows none, so whether they were there before"
                " cannot be told: changed is true since they were sent."
            )
        elif not carried:
            self.outcome.warnings.append(f"The service took the new tags of {image_cache_id} but did not set them.")

    def _await_end(self) -> None:
        if self.wanted.state == "absent":
            if self.outcome.image_cache_id:
                self._await_gone(self.outcome.image_cache_id)
            return
        image_cache_id = self.outcome.image_cache_id or ""
        done, cache = self.wait.until(
            self.outcome.image_cache or {},
            lambda: self._awaited(image_cache_id),
            lambda cache: is_ready(cache) or has_failed(cache),
        )
        self.outcome.image_cache = cache
        if not done:
            raise WaitTimeout(
                f"The image cache {image_cache_id} is not ready after {self.wait.timeout:g} s (option wait_timeout),"
                f" its status is {cache['status']!r}. It is still there; run the task again to wait on."
            )
        if has_failed(cache):
            raise WaitFailed(
                f"The image cache {image_cache_id} has failed, its status is {cache['status']!r}."
                f"{self._newest_events(image_cache_id)}"
            )

    def _awaited(self, image_cache_id: str) -> ImageCache:
        cache = self.caches.get(image_cache_id)
        last = self.outcome.image_cache or {}
        if cache is None and last.get("status"):
            raise WaitFailed(f"The image cache {image_cache_id} is gone: somebody else deleted it during the wait.")
        self.outcome.image_cache = cache or last
        return cache or last

    def _await_gone(self, image_cache_id: str) -> None:
        gone, cache = self.wait.until(
            self.caches.get(image_cache_id),
            lambda: self.caches.get(image_cache_id),
            lambda current: current is None,
        )
        if not gone:
            self.outcome.image_cache = cache
            raise WaitTimeout(
                f"The image cache {image_cache_id} is deleted but still listed after {self.wait.timeout:g} s (option"
                " wait_timeout)."
            )

    def _newest_events(self, image_cache_id: str) -> str:
        with contextlib.suppress(EciError):
            events = self.caches.events(image_cache_id)
            texts = [str(event.get("message")) for event in events[-EVENTS_SHOWN:]]
            self.outcome.image_cache = dict(self.outcome.image_cache or {}, events=events)
            return f" Its newest events: {'; '.join(texts)}." if texts else ""
        return ""


def _ids(caches: list[ImageCache]) -> str:
    return ", ".join(cache["image_cache_id"] for cache in caches)


def _keys(tags: Tags) -> str:
    return ", ".join(tag["key"] for tag in tags) or "(none)"
