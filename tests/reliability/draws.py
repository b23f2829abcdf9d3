# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fault machine draws: habits of the service, ways to reach it, tasks, and faults of several requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS
from tests.emulator import Fault
from tests.reliability.asks import ABSENT, PRESENT, Ask, Tags, Wish
from tests.reliability.kinds import KINDS, Kind
from tests.unit.plugins.emulated import CREATE, DELETE, LIST, REGION, UPDATE, USAGE

NAMES = ("web", "web-2", "db")
IMAGES = (("nginx:latest",), ("redis:7",), ("redis:7", "nginx:latest"))
TAGS: tuple[Tags | None, ...] = (None, (), (("a", "1"),), (("a", "2"),), (("b", "1"),), (("a", "1"), ("b", "1")))
RETRIES = 2
# Real seconds that a reply may take where one is held up on purpose, and the faults that do so.
SLOW = 0.3
SLOW_KINDS = ("hang", "trickle", "drip_headers", "drip_chunks")
# How long a list is looked at for what it may not show yet.
REACH = sum(CONSISTENCY_DELAYS)

_WORDS = {
    "pending_status": ["pending", "Creating", "INIT"],
    "ready_status": ["ready", "Ready"],
    "failed_status": ["failed", "CreateFailed", "ERROR"],
    "deleting_status": ["deleting", "Terminating"],
    "delete_failed_status": ["delete_failed", "DeleteFailed", "deleting_error"],
}


@dataclass(frozen=True)
class Way:
    """How a controller reaches the service, and how patient it is."""

    tls: bool
    proxied: bool
    retries: int
    retry_max_delay: float


def ways() -> st.SearchStrategy[Way]:
    """A way for a schedule."""
    seldom = st.sampled_from([False, False, False, True])
    return st.builds(Way, seldom, seldom, st.integers(0, RETRIES), st.sampled_from([30.0, 30.0, 2.0]))


@st.composite
def habits(draw: st.DrawFn) -> dict[str, Any]:
    """The emulator's settings for a schedule."""

    def seldom(value: Any, usual: Any) -> Any:
        return draw(st.sampled_from([usual, usual, usual, usual, value]))

    words = {name: draw(st.sampled_from(choices)) for name, choices in _WORDS.items()}
    return {
        **words,
        "zones": ["az1", "az2"],
        "list_lag": draw(st.sampled_from([0.0, 0.0, 0.5, REACH - 0.5])),
        "unique_names": draw(st.booleans()),
        "tags_shown": draw(st.booleans()),
        "tags_filter": draw(st.sampled_from(["all", "all", "any", "key", "off"])),
        "tags_update": seldom("merge", "replace"),
        "name_match": draw(st.sampled_from(["exact", "fuzzy"])),
        "http_errors": draw(st.booleans()),
        "status_code_style": draw(st.sampled_from(["int", "str", "800"])),
        "gateway_shape": draw(st.sampled_from(["number", "full"])),
        "delete_after": draw(st.sampled_from([0.0, 0.0, 3.0])),
        "delete_again": draw(st.sampled_from(["ok", "conflict"])),
        "delete_fails": seldom(1, 0),
        "max_page": draw(st.sampled_from([1000, 1, 2])),
        "list_total": draw(st.booleans()),
        "list_order": draw(st.sampled_from(["oldest", "newest"])),
        "zone_aliases": seldom(["az1=cn-az1-public"], []),
        "image_prefix": seldom("registry.test/library/", ""),
        "size_step": seldom(30, 0),
        "rate": seldom(5.0, 0.0),
        "rate_retry_after": draw(st.sampled_from(["none", "seconds", "date"])),
        "quota": seldom(3, 5000),
    }


_wishes = st.builds(Wish, st.sampled_from(NAMES), st.sampled_from(IMAGES), st.sampled_from(TAGS))
_policies: dict[str, st.SearchStrategy[Any]] = {
    "purge_tags": st.booleans(),
    "drift": st.sampled_from(["warn", "recreate", "fail"]),
    "wait": st.sampled_from([False, False, True]),
}


@st.composite
def single_asks(draw: st.DrawFn, state: str | None = None) -> Ask:
    """A task for one image cache."""
    wish = draw(_wishes)
    state = state or draw(st.sampled_from([PRESENT, PRESENT, PRESENT, ABSENT]))
    policies = {name: draw(strategy) for name, strategy in _policies.items()}
    return Ask((Wish(wish.name, wish.images, wish.tags, state=state),), **policies)


@st.composite
def bulk_asks(draw: st.DrawFn) -> Ask:
    """A task for several, with or without pruning."""
    wishes = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        wish = draw(_wishes)
        state = draw(st.sampled_from([PRESENT, PRESENT, PRESENT, ABSENT]))
        wishes.append(Wish(name, wish.images, wish.tags, state=state))
    policies = {name: draw(strategy) for name, strategy in _policies.items()}
    prune = draw(st.sampled_from([None, None, (("a", "1"),), (("b", "1"),)]))
    return Ask(tuple(wishes), bulk=True, prune_tags=prune, concurrency=draw(st.sampled_from([1, 3])), **policies)


_LASTING = tuple(kind for kind in KINDS if kind.kind != "late")
_LATE = tuple(kind for kind in KINDS if kind.kind == "late")
_NOT_TLS = (Kind("no TLS, before", "not_tls"), Kind("no TLS, after", "not_tls", "after"))
_OPERATIONS = (*(CREATE,) * 6, *(LIST,) * 6, *(UPDATE,) * 3, *(DELETE,) * 3, REGION, USAGE)


@st.composite
def faults(draw: st.DrawFn, tls: bool = False) -> Fault:
    """A fault of one or several requests of an operation, beginning with one of the first."""
    operation = draw(st.sampled_from(_OPERATIONS))
    times, skip = draw(st.integers(1, RETRIES + 3)), draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))
    if draw(st.integers(0, 79)) == 0:  # a real wait each
        kind = draw(st.sampled_from(SLOW_KINDS))
        details = {"seconds": SLOW + 0.2} if kind == "hang" else {"interval": 0.05}
        return Fault(kind, operation, 1, draw(st.sampled_from(["before", "after"])), skip, **details)
    pool = _LATE if draw(st.integers(0, 19)) == 0 else (*_LASTING, *(_NOT_TLS * 20 if tls else ()))
    kind = draw(st.sampled_from([kind for kind in pool if not kind.proxied and kind.fits(operation)] or [KINDS[0]]))
    return Fault(kind.kind, operation, times, kind.when, skip, **kind.details)


@st.composite
def aimed_faults(draw: st.DrawFn) -> Fault:
    """Where random faults seldom hit: the one request of a task that changes something."""
    operation = draw(st.sampled_from([CREATE, UPDATE, DELETE]))
    kind = draw(st.sampled_from(["reset", "truncate", "html"]))
    return Fault(
        kind, operation, draw(st.integers(1, RETRIES + 1)), draw(st.sampled_from(["before", "after", "after"]))
    )


@st.composite
def proxy_orders(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A method of the proxy, and its arguments."""
    times = draw(st.integers(1, RETRIES + 2))
    kind = draw(st.sampled_from([kind for kind in KINDS if kind.proxied]))
    return kind.kind, {"times": times, **kind.details}
