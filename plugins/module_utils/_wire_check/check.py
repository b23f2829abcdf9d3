# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of how the service really behaves. Private to the collection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import EciError, TaskEnded, unexpected
from .._image_cache.image_cache import from_wire, ids
from .._api.client import Client
from .._polling import Wait
from .._pool import each
from .habits import STATUSES
from .judge import judge
from .observe import Observer
from .own import PREFIX, Trial
from .report import comparison, report
from .seen import Seen

_OWN_NAME = re.compile(re.escape(PREFIX) + "[0-9a-f]{32}")


@dataclass
class Finding:
    """What a check has found out so far. ``order`` is what it orders, or would order."""

    changed: bool = False
    created: bool = False
    habits: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    diff: dict[str, Any] | None = None

    def result(self) -> dict[str, Any]:
        """The task's result: always the same keys."""
        return {
            "changed": self.changed,
            "order": self.order,
            "report": report(self.habits, self.created),
            "comparison": comparison(self.habits),
        }


def check(
    client: Client, body: Mapping[str, Any] | None, wait: Wait, twin: bool = False, check_mode: bool = False
) -> Finding:
    """Look at the service, and with the ``body`` of a create also at an image cache that is made for it and deleted.

    Raises EciError, whose ``outcome`` tells what was seen before.
    """
    observer = Observer(client)
    finding = Finding(order=_ordered(body, twin) if body else None)
    trial: Trial | None = None
    try:
        observer.read()
        _warn_of_left_ones(observer)
        if body and observer.seen.needs_images:
            observer.warnings.append(
                "Nothing was ordered: the service refuses lists without images, so what was made could not be found again."
            )
        elif body and check_mode:
            finding.changed = True
        elif body:
            trial = Trial(observer, body, wait, twin)
            # by a thread, which whatever ends this one does not interrupt: it has to delete what it made
            each([trial], Trial.carry_out, 1, end=client.end)
            if trial.error:
                raise trial.error
    except EciError as error:
        error.outcome = finding
        raise
    except BaseException as reason:
        ended = _ended(reason, client, trial)
        ended.outcome = finding
        raise ended from reason
    finally:
        finding.created = bool(trial and trial.changed)
        finding.changed = finding.changed or finding.created
        finding.habits = judge(observer.seen)
        _warn_of_unknown_words(observer)
        finding.warnings = observer.warnings
    return finding


def _ended(reason: BaseException, client: Client, trial: Trial | None) -> EciError:
    if isinstance(reason, Exception):
        return unexpected(reason, client.hide)
    client.end(reason)
    ended = TaskEnded(f"The task was ended before it was done ({type(reason).__name__}).")
    if trial and trial.error:
        ended.add(trial.error.message)
    return ended


def _ordered(body: Mapping[str, Any], twin: bool) -> dict[str, Any]:
    """What is told of an order: what it costs depends on."""
    return {
        "number": 2 if twin else 1,
        "image_cache_size": body["imageCacheSize"],
        "retention_days": body["retentionDays"],
        "az_name": body["azInfo"]["azName"],
        "images": body["images"],
    }


def _warn_of_left_ones(observer: Observer) -> None:
    caches = [cache for cache in map(from_wire, observer.seen.items) if cache]
    left = [cache for cache in caches if _OWN_NAME.fullmatch(cache.name) and not cache.is_going]
    if left:
        observer.warnings.append(
            f"An earlier check may have left what it made, which is billed: {ids(left)}. Unless such a check is at work"
            " now, delete it with ctyun.eci.image_cache, by its ID."
        )


def _warn_of_unknown_words(observer: Observer) -> None:
    unknown = sorted(_statuses(observer.seen) - STATUSES)
    if unknown:
        words = ", ".join(repr(observer.client.hide(word)) for word in unknown)
        observer.warnings.append(f"The service has statuses that the report has no words for: {words}.")


def _statuses(seen: Seen) -> set[str]:
    own = seen.own.statuses if seen.own else []
    return {*own, *(cache.status for cache in map(from_wire, seen.items) if cache and cache.status)}
