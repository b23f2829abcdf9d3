# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of task with what it finds, and each habit that a service may have: what single faults are tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from tests.emulator import Emulator
from tests.reliability.asks import ABSENT, Ask, Tags, Wish, tag_list
from tests.unit.plugins.emulated import DELETE

A: Tags = (("a", "1"),)
B: Tags = (("b", "1"),)
TEAM: Tags = (("team", "x"),)
OLD = ("redis:7",)


Prepare = Callable[[Emulator], Ask]


class Scenario(NamedTuple):
    """``prepare`` puts in place what the task finds, and returns the task; ``reachable`` says whether it can
    be done.
    """

    name: str
    prepare: Prepare
    differences: tuple[str, ...] = ()
    reachable: bool = True

    @property
    def creates(self) -> bool:
        """Whether the task creates an image cache."""
        return any(word in self.name for word in ("create", "going", "that failed", "new", "many"))

    @property
    def is_for_many(self) -> bool:
        """Whether the task is for many image caches."""
        return self.name.startswith("many")

    @property
    def habits(self) -> tuple[str, ...]:
        """The habits of the service that it is worth to be tried with."""
        # where names are unique, an image cache cannot be there beside the one that it takes the place of
        return ("plain", *self.differences, *["all of these"] * ("a new one for" not in self.name))


# The settings of the emulator that differ from its first ones.
HABITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "lists lag": {"list_lag": 2.0},
    "tags are hidden": {"tags_shown": False},
    "deletions take time": {"delete_after": 3.0},
    "names are unique": {"unique_names": True},
    "tags are hidden and any is enough": {"tags_shown": False, "tags_filter": "any"},
    "tags are hidden and values do not count": {"tags_shown": False, "tags_filter": "key"},
    "tags are hidden and not looked for": {"tags_shown": False, "tags_filter": "off"},
    "pages of one": {"max_page": 1},
    "errors with HTTP 200": {"http_errors": False},
    "all of these": {
        "list_lag": 2.0,
        "tags_shown": False,
        "delete_after": 3.0,
        "delete_again": "conflict",
        "unique_names": True,
        "max_page": 2,
        "list_total": False,
        "list_order": "newest",
        "http_errors": False,
        "status_code_style": "800",
    },
}


def seed(
    emulator: Emulator, name: str, images: tuple[str, ...] = ("nginx:latest",), tags: Tags = (), **more: Any
) -> str:
    """Put an image cache in place as a wish of that name would have made it; its ID."""
    fields: dict[str, Any] = {"azName": "az1", "imageCacheSize": 40, "tags": tag_list(tags), **more}
    return emulator.service.seed(name, list(images), **fields)


def _nothing(ask: Ask) -> Prepare:
    return lambda _emulator: ask


def _one(ask: Ask, **cache: Any) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        seed(emulator, "web", **cache)
        return ask

    return prepare


def _by_id(ask: Ask, **cache: Any) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        (wish,) = ask.wishes
        return replace(ask, wishes=(replace(wish, image_cache_id=seed(emulator, "web", **cache)),))

    return prepare


def _twice(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        seed(emulator, "web", tags=A)
        emulator.advance(400.0)  # no other controller may be about to delete one
        seed(emulator, "web", tags=A)
        emulator.advance(400.0)
        return ask

    return prepare


def _going(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        _delete(emulator, seed(emulator, "web"), delete_after=3.0)
        return ask

    return prepare


def _stuck(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        _delete(emulator, seed(emulator, "web"), delete_after=0.0, delete_fails=1)
        return ask

    return prepare


def _delete(emulator: Emulator, image_cache_id: str, **settings: Any) -> None:
    known = emulator.settings.as_dict()
    emulator.settings.update(settings)
    emulator.service.perform(DELETE, known["region_id"], image_cache_id, None)
    emulator.settings.update({name: known[name] for name in settings})


def _many(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        seed(emulator, "retagged", tags=B)
        seed(emulator, "replaced", OLD)
        seed(emulator, "old", tags=TEAM)
        seed(emulator, "others", tags=A)
        seed(emulator, "unwanted")
        return ask

    return prepare


def _renamed(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        (wish,) = ask.wishes
        return replace(ask, wishes=(replace(wish, image_cache_id=seed(emulator, "old name")),))

    return prepare


def _new_one_for_old(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        return replace(ask, wishes=(Wish(state=ABSENT, image_cache_id=seed(emulator, "web", OLD)), Wish(tags=A)))

    return prepare


def _keep_one(ask: Ask) -> Prepare:
    def prepare(emulator: Emulator) -> Ask:
        seed(emulator, "web", OLD)
        emulator.advance(400.0)
        return replace(ask, wishes=(Wish(image_cache_id=seed(emulator, "web")), Wish(state=ABSENT)))

    return prepare


_ABSENT = Ask((Wish(state=ABSENT),))
_RECREATE = Ask(drift="recreate")
_TAGGED = Ask((Wish(tags=A),))
_ELSEWHERE = Ask((Wish(zone="az9"),), drift="recreate")
_MANY = Ask((Wish("new", tags=A), Wish("retagged", tags=A), Wish("replaced")), bulk=True, drift="recreate")
_GONE = Ask((Wish("new"), Wish("unwanted", state=ABSENT)), bulk=True)
_FITS = Ask((Wish("others", tags=A),), bulk=True, prune_tags=TEAM)
# Habits that make a difference to tasks of a kind; "plain" and "all of these" do so to each.
_MAKES = ("lists lag", "names are unique")
_GOES = ("deletions take time", "errors with HTTP 200")
_TAGS = (
    "tags are hidden",
    "tags are hidden and any is enough",
    "tags are hidden and values do not count",
    "tags are hidden and not looked for",
)

SCENARIOS = (
    Scenario("create", _nothing(_TAGGED), (*_MAKES, "tags are hidden")),
    Scenario("create and wait", _nothing(replace(_TAGGED, wait=True)), ("lists lag",)),
    Scenario("unchanged", _one(_TAGGED, tags=A), _TAGS),
    Scenario("retag", _one(_TAGGED, tags=B), _TAGS),
    Scenario("add a tag", _one(replace(_TAGGED, purge_tags=False), tags=B)),
    Scenario("recreate", _one(_RECREATE, images=OLD, tags=B), (*_MAKES, *_GOES)),
    Scenario("recreate and wait", _one(replace(_RECREATE, wait=True), images=OLD), ("lists lag",)),
    Scenario("recreate where there is no such zone", _one(_ELSEWHERE, images=OLD), reachable=False),
    Scenario("drift is refused", _one(Ask(drift="fail"), images=OLD)),
    Scenario("one that is going", _going(_TAGGED), (*_MAKES, *_GOES)),
    Scenario("one that failed", _one(_RECREATE, status="failed"), (*_MAKES, *_GOES)),
    Scenario("one that failed is left", _one(Ask(), status="failed")),
    Scenario("absent", _one(_ABSENT), _GOES),
    Scenario("absent and wait", _one(replace(_ABSENT, wait=True)), _GOES),
    Scenario("absent while it is going", _going(_ABSENT)),
    Scenario("absent and wait while it is going", _going(replace(_ABSENT, wait=True))),
    Scenario("absent after a deletion that failed", _stuck(_ABSENT), _GOES),
    Scenario("absent and wait after a deletion that failed", _stuck(replace(_ABSENT, wait=True)), _GOES),
    Scenario("absent where there is none", _nothing(_ABSENT)),
    Scenario("retag by ID", _by_id(_TAGGED, tags=B), _TAGS),
    Scenario("absent by ID", _by_id(_ABSENT), _GOES),
    Scenario("recreate by ID", _by_id(_RECREATE, images=OLD), (*_MAKES, *_GOES)),
    Scenario("two of a name", _twice(replace(_TAGGED, duplicates="delete_younger")), _GOES),
    Scenario("many, one of them absent", _many(_GONE), _GOES),
    Scenario("many, one of them absent, and wait", _many(replace(_GONE, wait=True)), _GOES),
    Scenario("many", _many(_MANY), (*_MAKES, *_GOES, "tags are hidden", "pages of one")),
    Scenario("many and wait", _many(replace(_MANY, wait=True)), ("lists lag", "deletions take time")),
    Scenario("many and prune", _many(replace(_MANY, wait=True, prune_tags=TEAM)), (*_GOES, *_TAGS)),
    Scenario("many that fit, and prune", _many(_FITS), (*_GOES, *_TAGS, "pages of one")),
    Scenario("rename by ID", _renamed(_RECREATE), (*_MAKES, *_GOES)),
    Scenario(
        "many: a new one for the one with an ID", _new_one_for_old(Ask(bulk=True, wait=True)), ("lists lag", *_GOES)
    ),
    Scenario("many: keep the one with an ID", _keep_one(Ask(bulk=True)), _GOES),
    Scenario("many and prune first", _many(replace(_MANY, prune_tags=TEAM, prune_first=True)), (*_MAKES, *_GOES)),
    Scenario("info", _one(Ask(info=True))),
    Scenario("info with events", _one(Ask(info=True, events=True))),
)
