# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reviewer reads of a task for many, and what a program reads of it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import counts, prepared
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, CREATE, LIST, USAGE, A, B, MakeClient, Run, operations, seed

LATER = 3 * 86400 + 60.0


def text(outcomes: Outcome, now: float | None = None) -> str:
    return prepared(outcomes, counts(outcomes), time.time() + LATER if now is None else now)


def wanted(name: str, state: str = "present", **changes: Any) -> Desired:
    policy = {key: changes.pop(key) for key in ("drift", "wait", "duplicates") if key in changes}
    return Desired(state, {**BODY, "imageCacheName": name, **changes}, **policy)


@pytest.fixture
def run(client: Client) -> Run:
    def run(*wishes: Desired, **options: Any) -> Outcome:
        ctx = Context(client, Wait(60, 5), concurrency=3, diff_mode=options.pop("diff_mode", False))
        return reconcile(wishes, ctx, **options)

    return run


@pytest.fixture
def release(emulator: Emulator, run: Run, client: Client) -> Run:
    """A task that does a little of everything."""
    seed(emulator, "same")
    seed(emulator, "retagged", tags=[A])
    seed(emulator, "replaced", images=["redis:7"])
    seed(emulator, "drifted", imageCacheSize=20)
    seed(emulator, "absent")
    seed(emulator, "old", tags=[A])
    emulator.settings.quota = 50
    client.clock.sleep(LATER)

    def release(**options: Any) -> Outcome:
        return run(
            wanted("new", wait=True),
            wanted("new-20", wait=True, imageCacheSize=20),
            wanted("same"),
            wanted("retagged", tags=[B]),
            wanted("replaced", drift="recreate", wait=True),
            wanted("drifted"),
            wanted("absent", "absent"),
            prune=Prune([A]),
            diff_mode=True,
            **options,
        )

    return release


TEXT = """\
+ new create, 40 GB
+ new-20 create, 20 GB
~ retagged retag, -a=1 +b=1
-/+ replaced replace, images ['redis:7'] -> ['nginx:latest']
! drifted left as it is, image_cache_size 20 -> 40
- absent delete, 3 days old
- old prune, 3 days old
2 create, 1 retag, 1 replace, 1 delete, 1 prune, 1 drift; 1 unchanged; 220 GB before, 200 GB after; quota: 6 of 50 used before
"""
PLAN = {
    "create": 2,
    "retag": 1,
    "replace": 1,
    "delete": 1,
    "prune": 1,
    "drift": 1,
    "unchanged": 1,
    "failed": 0,
    "gb_before": 220,
    "gb_after": 200,
    "quota_used": 6,
    "quota_limit": 50,
}


def test_check_mode_and_the_run_say_the_same(release: Run, make_client: MakeClient, emulator: Emulator) -> None:
    predicted, real = release(check_mode=True), release()
    for outcomes in (predicted, real):
        assert text(outcomes) == TEXT
        assert counts(outcomes) == PLAN
    again = release()
    assert counts(again)["create"] == counts(again)["replace"] == counts(again)["prune"] == 0
    assert text(again).splitlines()[0].startswith("! drifted")


def test_nothing_to_do(emulator: Emulator, run: Run) -> None:
    seed(emulator, "same")
    outcomes = run(wanted("same"), diff_mode=True)
    assert text(outcomes) == "no change; 1 unchanged; 40 GB before, 40 GB after; quota: 1 of 5000 used before\n"


def test_without_diff_mode_nothing_more_is_asked_for(emulator: Emulator, run: Run) -> None:
    seed(emulator, "same")
    outcomes = run(wanted("same"))
    assert (counts(outcomes)["quota_used"], counts(outcomes)["quota_limit"]) == (None, None)
    assert operations(emulator) == [LIST]


def test_what_fails_is_in_the_report(emulator: Emulator, run: Run) -> None:
    seed(emulator, "twice"), seed(emulator, "twice", images=["other"])
    outcomes = run(wanted("twice"), wanted("new"), diff_mode=True, check_mode=True)
    first, second, total = text(outcomes).splitlines()
    assert first.startswith("x twice There are 2 image caches named 'twice'")
    assert second == "+ new create, 40 GB"
    assert total.startswith("1 create, 1 failed; 0 unchanged")


def test_what_was_planned_and_failed_counts_as_failed(emulator: Emulator, run: Run) -> None:
    outcomes = run(wanted("bad", azInfo={"azName": "az9"}), wanted("good"), diff_mode=True)
    first, second, _total = text(outcomes).splitlines()
    assert first.startswith("x bad createImageCache failed")
    assert second == "+ good create, 40 GB"
    assert (counts(outcomes)["failed"], counts(outcomes)["create"], counts(outcomes)["gb_after"]) == (1, 1, 40)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [([A], [A, B], "+b=1"), ([A, B], [A], "-b=1"), ([A], [], "-a=1"), ([A], [{**A, "value": "2"}], "-a=1 +a=2")],
)
def test_only_tags_that_change_are_shown(
    before: list[Any], after: list[Any], change: str, emulator: Emulator, run: Run
) -> None:
    seed(emulator, "web", tags=before)
    outcomes = run(wanted("web", tags=after), diff_mode=True, check_mode=True)
    assert text(outcomes).splitlines()[0] == f"~ web retag, {change}"


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "0 hours"), (7199, "1 hours"), (86399, "23 hours"), (86400, "1 days"), (3 * 86400 - 1, "2 days")],
)
def test_the_age_of_what_is_deleted(
    seconds: float, age: str, emulator: Emulator, run: Run, make_client: MakeClient
) -> None:
    image_cache_id = seed(emulator, "old")
    born = datetime.fromisoformat(emulator.service.caches()[0]["creationTime"]).timestamp()
    emulator.settings.clock_offset = seconds
    client = make_client(time=lambda: born + seconds)
    wishes = [Desired("absent", {}, image_cache_id=image_cache_id)]
    outcomes = reconcile(wishes, Context(client, Wait(60, 5), diff_mode=True), check_mode=True)
    assert text(outcomes, born + seconds).splitlines()[0] == f"- {image_cache_id} delete, {age} old"


def test_an_age_that_is_unknown_is_left_out() -> None:
    item = Item(wanted("old", "absent"))
    item.set_plan(ImageCache("imc-1", "old"), [])
    outcomes = Outcome([item], [], [], [], [], None, 0.0)
    assert text(outcomes).splitlines()[0] == "- old delete"


def test_drift_beside_tags_is_shown_as_well(emulator: Emulator, run: Run) -> None:
    seed(emulator, "web", imageCacheSize=20)
    outcomes = run(wanted("web", tags=[A]), diff_mode=True, check_mode=True)
    assert text(outcomes).splitlines()[:2] == ["! web left as it is, image_cache_size 20 -> 40", "~ web retag, +a=1"]


def test_younger_ones_of_a_name(emulator: Emulator, run: Run) -> None:
    seed(emulator, "twice")
    emulator.advance(10)
    younger = seed(emulator, "twice")
    outcomes = run(wanted("twice", duplicates="delete_younger"), diff_mode=True, check_mode=True)
    assert text(outcomes).splitlines()[0] == f"- {younger} delete, a younger one named twice"
    assert counts(outcomes)["delete"] == 1


def test_an_account_that_may_not_read_the_quota(emulator: Emulator, run: Run) -> None:
    emulator.inject(Fault("status", USAGE, status=403, reason="Forbidden"))
    outcomes = run(wanted("new"), diff_mode=True, check_mode=True)
    assert "quota" not in text(outcomes)
    assert counts(outcomes)["quota_limit"] is None


def test_no_credentials(emulator: Emulator, run: Run) -> None:
    credentials = [{"server": "r", "userName": "u", "password": "planted-secret"}]
    outcomes = run(wanted("new", imageRegistryCredentials=credentials), diff_mode=True)
    assert "planted-secret" not in text(outcomes) + repr(counts(outcomes))


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", ""])
def test_gb_count_duplicates(check_mode: bool, emulator: Emulator, run: Run) -> None:
    for _number in range(3):
        seed(emulator, "twice")
        emulator.advance(10)
    plan = counts(run(wanted("twice", duplicates="delete_younger"), check_mode=check_mode))
    assert (plan["gb_before"], plan["gb_after"]) == (120, 40)


def test_gb_count_one_that_was_created_and_failed(emulator: Emulator, run: Run) -> None:
    outcomes = run(wanted("bad", images=["does-not-exist"], wait=True))
    assert outcomes.items[0].error
    assert (counts(outcomes)["failed"], counts(outcomes)["gb_after"]) == (1, 40)


@pytest.mark.parametrize(("state", "policy"), [("absent", {"wait": True}), ("present", {"drift": "recreate"})])
def test_gb_count_one_whose_deletion_failed(state: str, policy: Any, emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"delete_after": 2, "delete_fails": 1})
    seed(emulator, "web", images=["redis:7"])
    plan = counts(run(wanted("web", state, **policy)))
    assert (plan["failed"], plan["gb_before"], plan["gb_after"]) == (1, 40, 40)


def test_one_that_was_created_and_adopted_counts_as_created(emulator: Emulator, run: Run) -> None:
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcomes = run(wanted("web"))
    assert text(outcomes) == "+ web create, 40 GB\n1 create; 0 unchanged; 0 GB before, 40 GB after\n"
    (item,) = outcomes.items
    assert item.diff and (item.diff["before"], item.diff["after"]["image_cache_id"]) == ({}, item.image_cache_id)


def test_gb_count_one_whose_replacement_was_refused(emulator: Emulator, run: Run) -> None:
    seed(emulator, "web", images=["redis:7"])
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid"))
    plan = counts(run(wanted("web", drift="recreate")))
    assert (plan["gb_before"], plan["gb_after"]) == (40, 0)
