# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault machine: random tasks over the emulator with random faults, and what must be true all the same.

One example of Hypothesis is one *schedule*: emulator settings, then a few tasks, each with faults of its own. After
every task the invariants (a) to (f) of ``_check`` are looked at, at the end of the schedule (d) of ``teardown``.

No client can keep them with every service, so the schedules leave out what makes them impossible:

* An effect that comes after the look-ups of a create: the emulator's effects come before the fault, or not at all.
* A list that lags longer than the look-ups take (the sum of LOOK_PAUSES, each cut to ``retry_max_delay``): the lag is
  shorter, and between two tasks the service's clock moves on by the lag, so that a task finds what the one before made.
* Another client that makes the same name within that lag, on a service that allows two of a name: only with
  ``unique_names``, and then without an open outcome, after which nobody could tell who made it.
* A service that lies: a refusal (4xx, redirect) after it did what was asked, success or "not found" before it did, an
  empty list where something is.
* Hidden tags with a list that does not filter by them (``changed`` is then true whenever tags are sent), and on such
  a service tags that the task does not name: they can neither be seen nor be removed.
* A service that merges tags where it was asked to replace them: the task says so in a warning, the wanted tags are
  there, but others stay.
* A deletion that is under way when the next task starts: between two tasks the clock moves on by ``delete_after``.

``Figures`` counts over all schedules of this process.
"""

from __future__ import annotations

import atexit
import itertools
import json
import shutil
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ansible_collections.ctyun.eci.plugins.module_utils._errors import AmbiguousName, EciError, OpenOutcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import create, operations
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.apply import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service import transport
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.connection import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator, Fault, Record

CREATE, LIST = "createImageCache", "describeImageCaches"
UPDATE, DELETE = "updateImageCache", "deleteImageCache"
CHANGING = (CREATE, UPDATE, DELETE)

SECRET_KEY = "planted-secret-key-0x5ec"
PASSWORD = 'planted-secret "pass\'wörd"\n'
NAMES = ("web", "web-2", "db")
IMAGES = (["nginx:latest"], ["redis:7"], ["redis:7", "nginx:latest"])
TAGS: tuple[list[dict[str, str]] | None, ...] = (
    None,
    [],
    [{"key": "a", "value": "1"}],
    [{"key": "a", "value": "2"}],
    [{"key": "b", "value": "1"}],
)
RETRIES = 2
SLOW = 0.3


@dataclass
class Figures:
    """What the schedules of this process were made of."""

    schedules: int = 0
    tasks: int = 0
    failed_tasks: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    effects_behind_faults: int = 0
    created: int = 0
    violations: int = 0


FIGURES = Figures()
_shared: list[Emulator] = []


def shared_emulator() -> Emulator:
    """The emulator of this process, started at first use; it ends with the process."""
    if not _shared:
        _shared.append(Emulator(secret_key=SECRET_KEY).start())
    return _shared[0]


def small_limits() -> None:
    """Make "too large" and "endless" cheap, and keep the locks in a folder of this process, as long as it lives."""
    transport.MAX_REPLY_BYTES = 64 * 1024
    operations.MAX_PAGES = 20
    tempfile.tempdir = tempfile.mkdtemp(prefix="eci-faults-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)


@dataclass(frozen=True)
class Settings:
    """The emulator's settings of a schedule, and the client's."""

    emulator: dict[str, Any]
    retries: int
    retry_max_delay: float


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.sampled_from([30.0, 30.0, 2.0, 1.0]))
    looks = sum(min(pause, longest) for pause in create.LOOK_PAUSES)
    shown = draw(st.booleans())
    values = {
        "list_lag": draw(st.sampled_from([0.0, 0.0, 0.5, looks - 0.5])),
        "unique_names": draw(st.booleans()),
        "tags_shown": shown,
        "tags_filter": not shown or draw(st.booleans()),
        "tags_update": draw(st.sampled_from(["replace", "replace", "merge"])),
        "name_match": draw(st.sampled_from(["exact", "fuzzy"])),
        "http_errors": draw(st.booleans()),
        "status_code_style": draw(st.sampled_from(["int", "str", "800"])),
        "delete_after": draw(st.sampled_from([0.0, 0.0, 3.0])),
        "delete_again": draw(st.sampled_from(["ok", "conflict"])),
        "max_page": draw(st.sampled_from([1000, 1, 2])),
    }
    return Settings(values, draw(st.integers(0, RETRIES)), longest)


_OPEN = (500, 502, 503, 504, 408)
_REFUSALS = (
    (400, "BadRequest"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (422, "Invalid"),
    (429, "TooManyRequests"),
    (429, "TooManyRequests"),
    (429, "QuotaExceed"),
    (409, "Conflict"),
    (200, "TooManyRequests"),
    (200, "PaymentRequired"),
    (900, ""),
)
_ODD_JSON: tuple[Any, ...] = (
    None,
    [],
    7,
    "text",
    {},
    {"returnObj": {"imageCacheId": "imc-no"}},
    {"statusCode": 200, "returnObj": []},
    {"statusCode": 200, "returnObj": "x"},
    {"statusCode": [200], "returnObj": {}},
    {"statusCode": 503, "error": {"a": 1}, "message": 5},
)
# What only one operation can answer in such a way that nothing is claimed that is not true.
_ODD_FOR: dict[str, tuple[Any, ...]] = {
    CREATE: (
        {"statusCode": 200},
        {"statusCode": 200, "returnObj": {"imageCacheId": 7}},
        {"statusCode": "200", "returnObj": {}},
    ),
    LIST: (
        {"statusCode": 200, "returnObj": {"imageCaches": {}}},
        {"statusCode": 200, "returnObj": {"imageCaches": [7]}},
        {"statusCode": 200, "returnObj": {"imageCaches": [{"imageCacheId": "imc-no"}]}},
        {"statusCode": 200, "returnObj": {"imageCaches": [], "nextToken": 7}},
    ),
}


@st.composite
def faults(draw: st.DrawFn, refusals_only: bool = False) -> Fault:
    operation = draw(st.sampled_from([CREATE, CREATE, CREATE, LIST, LIST, UPDATE, UPDATE, DELETE, DELETE, None]))
    times = draw(st.integers(1, RETRIES + 3))
    skip = draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))
    when = draw(st.sampled_from(["before", "after"]))
    kinds = ["refusal"] * 2
    if not refusals_only:
        kinds += ["reset", "reset", "outage", "outage", "truncate", "html", "body", "json", "json", "huge", "charset"]
        kinds += {CREATE: ["no_id"] * 2, LIST: ["repeat_token", "endless_pages"]}.get(operation or "", [])
        # a real wait each, so rare
        if draw(st.integers(0, 59)) == 0:
            kinds, times = ["hang", "trickle"], 1
    kind = draw(st.sampled_from(kinds))
    details: dict[str, Any] = {}
    if kind == "refusal":
        when = "before"
        status, reason = draw(st.sampled_from(_REFUSALS))
        if draw(st.integers(0, 7)) == 0:
            kind = "redirect"
        else:
            details = {"status": status, "reason": reason}
            kind = "status"
            if status == 900:  # CTYun's plain "no", with HTTP 200
                kind, details = "json", {"value": {"statusCode": "900", "message": "no"}}
            if reason == "TooManyRequests":
                details["retry_after"] = draw(
                    st.sampled_from([None, 0, 3, 10**9, "soon", "Thu, 01 Jan 2099 00:00:00 GMT", "nan"])
                )
    elif kind == "outage":
        kind, details = "status", {"status": draw(st.sampled_from(_OPEN)), "html": draw(st.booleans())}
    elif kind == "body":
        details["body"] = draw(st.sampled_from([b"", b" ", b"\xff\xfe", b"{", b"[" * 3000]))
    elif kind == "json":
        details["value"] = draw(st.sampled_from(_ODD_JSON + _ODD_FOR.get(operation or "", ())))
    elif kind == "huge":
        details["megabytes"] = 1
    elif kind == "hang":
        details["seconds"] = SLOW + 0.2
    return Fault(kind, operation, times, when, skip, **details)


@dataclass(frozen=True)
class Wish:
    """What a task of the machine wants."""

    name: str
    state: str
    images: list[str]
    tags: list[dict[str, str]] | None
    purge_tags: bool
    drift: str
    wait: bool
    by_id: bool


def wishes(state: str | None = None) -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        name=st.sampled_from(NAMES),
        state=st.just(state) if state else st.sampled_from(["present", "present", "present", "absent"]),
        images=st.sampled_from(IMAGES),
        tags=st.sampled_from(TAGS),
        purge_tags=st.booleans(),
        drift=st.sampled_from(["warn", "recreate", "fail"]),
        wait=st.sampled_from([False, False, True]),
        by_id=st.sampled_from([False, False, False, True]),
    )


class FaultMachine(RuleBasedStateMachine):
    """Tasks, faults, and other people's caches; see the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        self.emulator = shared_emulator()
        self.emulator.reset()
        self.settings = Settings({}, RETRIES, 30.0)
        self.last: dict[str, Wish] = {}
        self.twins: set[str] = set()
        self.noted = 0
        FIGURES.schedules += 1

    @initialize(chosen=settings())
    def choose_settings(self, chosen: Settings) -> None:
        self.emulator.settings.update(chosen.emulator)
        self.settings = chosen

    @rule(name=st.sampled_from(NAMES), images=st.sampled_from(IMAGES), tags=st.sampled_from(TAGS), failed=st.booleans())
    def somebody_else_makes_one(self, name: str, images: list[str], tags: Any, failed: bool) -> None:
        if not self._of(name):
            status = "failed" if failed else "ready"
            self.emulator.service.seed(name, images, status=status, tags=tags or [], azName="az1")

    @rule(name=st.sampled_from(NAMES))
    def somebody_else_makes_a_second_one(self, name: str) -> None:
        if len(self._of(name)) == 1 and not self.emulator.settings.unique_names:
            self.emulator.service.seed(name, IMAGES[0], azName="az1")
            self.twins.add(name)

    @rule(name=st.sampled_from(NAMES))
    def somebody_else_deletes_one(self, name: str) -> None:
        for image_cache_id in self._of(name):
            self._elsewhere(DELETE, image_cache_id, None)
        self.twins.discard(name)
        self._settle()

    @rule(wish=wishes(), injected=st.lists(faults(), max_size=3))
    def task(self, wish: Wish, injected: list[Fault]) -> None:
        self._task(wish, injected)

    @rule(wish=wishes(), injected=st.lists(faults(), min_size=2, max_size=5))
    def task_with_faults(self, wish: Wish, injected: list[Fault]) -> None:
        self._task(wish, injected)

    @rule(
        wish=wishes(),
        operation=st.sampled_from(CHANGING),
        kind=st.sampled_from(["reset", "truncate", "html"]),
        times=st.integers(1, RETRIES + 1),
        when=st.sampled_from(["before", "after", "after"]),
        more=st.lists(faults(), max_size=1),
    )
    def task_with_an_aimed_fault(
        self, wish: Wish, operation: str, kind: str, times: int, when: str, more: list[Fault]
    ) -> None:
        """Where random faults seldom hit: the one request of the task that changes something."""
        if operation != CREATE and not self._of(wish.name):
            images = IMAGES[0] if operation == UPDATE else IMAGES[1]
            self.emulator.service.seed(wish.name, images, tags=[{"key": "b", "value": "1"}], azName="az1")
            state = wish.state if operation == UPDATE else "absent"
            wish = Wish(**{**vars(wish), "images": IMAGES[0], "state": state})
        self._task(wish, [Fault(kind, operation, times, when), *more])

    @rule(wish=wishes("present"), injected=st.lists(faults(refusals_only=True), max_size=2))
    def task_just_after_somebody_else_made_one(self, wish: Wish, injected: list[Fault]) -> None:
        if self.emulator.settings.unique_names and not self._of(wish.name):
            self._elsewhere(CREATE, "", self._body(wish))
            self._task(wish, injected)

    def teardown(self) -> None:
        """(d) Once the faults have stopped, each wanted state is reached, and then there is nothing more to do."""
        try:
            for wish in self.last.values():
                self._reach(wish)
        finally:
            self._note()

    def _task(self, wish: Wish, injected: list[Fault]) -> None:
        self.last[wish.name] = wish
        self.emulator.inject(*injected)
        slow = any(fault.kind in ("hang", "trickle") for fault in injected)
        try:
            self._run(wish, timeout=SLOW if slow else 20.0)
        finally:
            self.emulator.faults.clear()
        self._settle()

    def _run(self, wish: Wish, timeout: float = 20.0) -> Outcome | EciError:
        """Run the task and check what it says against what has happened."""
        FIGURES.tasks += 1
        client = self._client(timeout)
        before, start = self._state(), len(self.emulator.requests)
        result: Outcome | EciError
        try:
            result = converge(self._wanted(wish), client, Wait(60, 5, client.sleep, self.emulator.service.clock.now))
        except EciError as error:  # (e) any other exception ends the test
            result = error
            FIGURES.failed_tasks += 1
        finally:
            client.close()
        self._answered()
        self._check(wish, result, before, self.emulator.requests[start:])
        return result

    def _check(self, wish: Wish, result: Outcome | EciError, before: dict[str, Any], sent: list[Record]) -> None:
        after = self._state()
        changed = before != after
        outcome = result if isinstance(result, Outcome) else result.outcome
        text = "" if isinstance(result, Outcome) else result.message
        told = f"{wish}\n{result!r}\n{outcome}\n{[(r.operation, r.status, r.effect) for r in sent]}"
        # the emulator counts another order of the tags as an effect, a person does not count it as a change
        assert not changed or any(record.effect for record in sent), f"the emulator contradicts itself: {told}"

        # (a) Never two caches of one name, but for those that the machine put there.
        for name in set(NAMES) - self.twins:
            assert len(self._of(name)) <= 1, f"(a) two caches of {name}: {told}"
        if len(self._of(wish.name)) <= 1:
            self.twins.discard(wish.name)
        made = [image_cache_id for image_cache_id in after if image_cache_id not in before]
        assert len(made) <= 1, f"(a) made twice: {told}"
        FIGURES.created += len(made)

        # (b) ``changed`` is true exactly when this task changed the service. A failed task may say false though the
        # service changed, if every change sits behind a broken answer and the message leaves it open: it is about
        # a changing request whose outcome is open, or says what may be. It may say true though nothing is changed, if
        # the service took new tags that it had or added to, and could not be read after: then the message says so.
        if outcome.changed:
            taken = any(record.operation == UPDATE and record.status == 200 for record in sent)
            unread = isinstance(result, EciError) and "may have set them" in text
            assert changed or (taken and unread), f"(b) changed without a change: {told}"
        elif changed:
            assert isinstance(result, EciError), f"(b) a change that is not told: {told}"
            lost = [record for record in sent if record.effect]
            assert all(str(record.status).startswith("fault:") for record in lost), (
                f"(b) confirmed, but not told: {told}"
            )
            about_change = isinstance(result, OpenOutcome) and result.operation in CHANGING
            assert about_change or "may " in text, f"(b) open, but not told: {told}"

        # (c) The ID of what exists is never lost.
        if isinstance(result, Outcome) and wish.state == "present":
            assert outcome.image_cache_id in after, f"(c) no such ID: {told}"
            cache = outcome.image_cache or {}
            assert cache.get("image_cache_id") == outcome.image_cache_id, f"(c) another object: {told}"
            if not wish.by_id:
                assert [outcome.image_cache_id] == self._of(wish.name), f"(c) another ID: {told}"
        if made:
            may_exist = repr(wish.name) in text and "may exist" in text
            assert outcome.image_cache_id == made[0] or may_exist, f"(c) the ID of the new cache is lost: {told}"

        # (f) No secret in anything that the task says.
        said = json.dumps([text, str(result), repr(result), vars(outcome)], default=str, ensure_ascii=False)
        if isinstance(result, EciError):
            said += json.dumps(result.failure(), ensure_ascii=False)
        assert "planted-secret" not in said, f"(f) a secret: {told}"

    def _reach(self, wish: Wish) -> None:
        if wish.name in self.twins:
            result = self._run(Wish(**{**vars(wish), "by_id": False}))
            assert isinstance(result, AmbiguousName), f"(d) two of a name, but no complaint: {result!r}"
            return
        calm = Wish(**{**vars(wish), "by_id": False, "wait": wish.state == "absent"})
        first = self._run(calm)
        self._settle()
        refused = isinstance(first, EciError) and calm.drift == "fail" and first.outcome.drift
        assert refused or isinstance(first, Outcome), f"(d) not reached: {calm}\n{first!r}"
        self._check_reached(calm, bool(refused))
        state, start = self._state(), len(self.emulator.requests)
        second = self._run(calm)
        sent = self.emulator.requests[start:]
        outcome = second if isinstance(second, Outcome) else second.outcome
        assert not outcome.changed, f"(d) not settled: {calm}\n{outcome}"
        allowed = {UPDATE} if self.emulator.settings.tags_update == "merge" else set()
        assert self._state() == state, f"(d) changed again: {calm}\n{sent}"
        again = {record.operation for record in sent} & set(CHANGING) - allowed
        assert not again, f"(d) sent again: {calm}\n{again}"

    def _check_reached(self, wish: Wish, refused: bool) -> None:
        caches = [cache for cache in self.emulator.service.caches() if cache["imageCacheName"] == wish.name]
        assert len(caches) == (1 if wish.state == "present" else 0), f"(d) not there: {wish}\n{caches}"
        if wish.state == "absent" or refused:
            return
        cache = caches[0]
        if wish.drift == "recreate":
            assert set(cache["images"]) == set(wish.images), f"(d) other images: {wish}\n{cache}"
            assert "fail" not in cache["status"], f"(d) failed: {wish}\n{cache}"
        if wish.tags is not None:
            missing = [tag for tag in wish.tags if tag not in cache["tags"]]
            assert not missing, f"(d) tags are missing: {wish}\n{cache}"
            settings = self.emulator.settings
            if wish.purge_tags and settings.tags_shown and settings.tags_update == "replace":
                assert len(cache["tags"]) == len(wish.tags), f"(d) too many tags: {wish}\n{cache}"

    def _body(self, wish: Wish) -> dict[str, Any]:
        body: dict[str, Any] = {
            "imageCacheName": wish.name,
            "images": wish.images,
            "azInfo": {"azName": "az1"},
            "vpcId": "vpc-test",
            "vSwitchId": "subnet-test",
            "securityGroupId": "sg-test",
            "imageRegistryCredentials": [{"server": "registry.test", "userName": "user", "password": PASSWORD}],
        }
        if wish.tags is not None:
            body["tags"] = wish.tags
        return body

    def _wanted(self, wish: Wish) -> Wanted:
        ids = self._of(wish.name)
        picked = ids[-1] if wish.by_id and ids else None
        return Wanted(wish.state, self._body(wish), picked, wish.purge_tags, wish.drift, wish.wait)

    def _client(self, timeout: float) -> Client:
        emulator = self.emulator

        def sleep(seconds: float) -> None:
            self._answered()
            emulator.advance(seconds)

        known = emulator.settings
        connection = Connection(
            access_key=known.access_key,
            secret_key=known.secret_key,
            region_id=known.region_id,
            endpoint=emulator.url,
            verify=True,
            timeout=timeout,
            retries=self.settings.retries,
            retry_max_delay=self.settings.retry_max_delay,
        )
        return Client(connection, sleep=sleep, monotonic=emulator.service.clock.now)

    def _answered(self) -> None:
        """Wait until the emulator has dealt with every request it got: on a busy machine an effect may be late."""
        for _attempt in itertools.repeat(None, 2000):
            if all(record.status is not None for record in self.emulator.requests):
                return
            time.sleep(0.001)
        raise AssertionError("the emulator does not answer")

    def _elsewhere(self, operation: str, identifier: str, body: Any) -> None:
        with suppress(Exception):  # one that is being deleted cannot be deleted again
            self.emulator.service.perform(operation, self.emulator.settings.region_id, identifier, body)

    def _settle(self) -> None:
        settings = self.emulator.settings
        self.emulator.advance(max(settings.list_lag, settings.delete_after))

    def _state(self) -> dict[str, Any]:
        """What is there for good, by ID: status and time pass by themselves, and what is being deleted is gone."""
        return {
            cache["imageCacheId"]: (
                cache["imageCacheName"],
                cache["images"],
                cache["azName"],
                sorted(tuple(sorted(tag.items())) for tag in cache["tags"]),
            )
            for cache in self.emulator.service.caches()
            if cache["status"] != "deleting"
        }

    def _of(self, name: str) -> list[str]:
        return [image_cache_id for image_cache_id, cache in self._state().items() if cache[0] == name]

    def _note(self) -> None:
        requests = self.emulator.requests
        FIGURES.requests += len(requests)
        for record in requests:
            kind, _mark, fault = str(record.status).partition(":")
            if kind == "fault":
                FIGURES.faults[fault] += 1
                FIGURES.effects_behind_faults += record.effect
