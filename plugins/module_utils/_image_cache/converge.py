# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image cache from what it is to what a task wants. No Ansible in sight; private to the collection."""

from __future__ import annotations

import contextlib
from typing import Iterator

from .._errors import AmbiguousName, EciError, NoSuchCache, WaitFailed, WaitTimeout
from .._service.client import Client
from .._service.connection import Connection
from .._wait import Wait
from . import lock
from .apply import Application, Outcome, ids, with_unseen_tags
from .operations import ImageCache, ImageCaches
from .plan import Wanted, has_failed, is_going, is_ready

EVENTS_SHOWN = 3


def converge(wanted: Wanted, client: Client, wait: Wait, check_mode: bool = False) -> Outcome:
    """Bring one image cache into the wanted state.

    ``wait`` is used if the task wants to wait for the end, and where an image cache is replaced. In check mode
    nothing is changed, and the outcome is the predicted one. Raises EciError, whose ``outcome`` tells what was
    reached before.
    """
    application = Application(wanted, client, wait)
    try:
        if check_mode:
            application.predict(application.consider(_existing(wanted, application.caches)))
        else:
            with _locked(wanted, client.connection):
                application.carry_out(application.consider(_existing(wanted, application.caches)))
            if wanted.wait:
                _await_end(application)
    except EciError as error:
        error.outcome = application.outcome
        raise
    return application.outcome


@contextlib.contextmanager
def _locked(wanted: Wanted, connection: Connection) -> Iterator[None]:
    if wanted.image_cache_id or not wanted.name:
        with lock.whole_region(connection):  # the name is not known yet
            yield
    else:
        with lock.shared(connection), lock.exclusive(connection, wanted.name):
            yield


def _existing(wanted: Wanted, caches: ImageCaches) -> ImageCache | None:
    existing = _of_id(wanted, caches) if wanted.image_cache_id else _of_name(wanted, caches)
    return existing and with_unseen_tags(wanted, caches, existing)


def _of_id(wanted: Wanted, caches: ImageCaches) -> ImageCache | None:
    existing = caches.get(wanted.image_cache_id or "")
    if wanted.state == "present" and (existing is None or is_going(existing)):
        raise NoSuchCache(
            f"There is no image cache with the ID {wanted.image_cache_id}. To create one, leave image_cache_id out: the"
            " service chooses the ID."
        )
    return existing


def _of_name(wanted: Wanted, caches: ImageCaches) -> ImageCache | None:
    return the_only(caches.named(wanted.name or ""))


def the_only(named: list[ImageCache]) -> ImageCache | None:
    """The one image cache of a name, or None. Raises AmbiguousName if there are several."""
    if len(named) > 1:
        name = named[0]["image_cache_name"]
        raise AmbiguousName(
            f"There are {len(named)} image caches named {name!r}: {ids(named)}. Pick one with image_cache_id."
        )
    return named[0] if named else None


def _await_end(application: Application) -> None:
    image_cache_id = application.outcome.image_cache_id
    if application.wanted.state == "present":
        _await_ready(application, image_cache_id or "")
    elif image_cache_id:
        application.await_gone(image_cache_id)


def _await_ready(application: Application, image_cache_id: str) -> None:
    outcome, wait = application.outcome, application.wait

    def read() -> ImageCache:
        cache = application.caches.get(image_cache_id)
        last = outcome.image_cache or {}
        if cache is None and last["status"]:
            raise WaitFailed(f"The image cache {image_cache_id} is gone: somebody else deleted it during the wait.")
        outcome.image_cache = cache or last
        return outcome.image_cache

    done, cache = wait.until(outcome.image_cache or {}, read, lambda cache: is_ready(cache) or has_failed(cache))
    if not done:
        raise not_ready(cache, wait)
    if has_failed(cache):
        raise failed(application, cache)


def not_ready(cache: ImageCache, wait: Wait) -> WaitTimeout:
    """The error for an image cache that is not ready in time."""
    return WaitTimeout(
        f"The image cache {cache['image_cache_id']} is not ready after {wait.timeout:g} s (option wait_timeout), its"
        f" status is {cache['status']!r}. It is still there; run the task again to wait on."
    )


def failed(application: Application, cache: ImageCache) -> WaitFailed:
    """The error for an image cache that has failed, with its newest events, which also go to the outcome."""
    events: list[dict[str, object]] = []
    with contextlib.suppress(EciError):
        events = application.caches.events(cache["image_cache_id"])
        application.outcome.image_cache = dict(cache, events=events)
    newest = "; ".join(str(event.get("message")) for event in events[-EVENTS_SHOWN:])
    return WaitFailed(
        f"The image cache {cache['image_cache_id']} has failed, its status is {cache['status']!r}."
        + (f" Its newest events: {newest}." if newest else "")
    )
