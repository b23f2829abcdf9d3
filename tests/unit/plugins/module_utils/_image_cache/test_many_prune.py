# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pruning: what goes, what stays and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._errors import QuotaUsedUp, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Outcome
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import (
    CREATE,
    DELETE,
    LIST,
    REGION,
    USAGE,
    A,
    B,
    MakeClient,
    Run,
    absent,
    names,
    operations,
    present,
    seed,
    somebody_else_creates,
    wanted,
)


def kept(outcomes: Outcome) -> list[tuple[str, str, str | None]]:
    """What could have been pruned: name, reason, until."""
    return [(entry["image_cache_name"], entry["reason"], entry["until"]) for entry in outcomes.kept]


def test_prune_deletes_carriers_of_all_tags_that_are_not_wanted(emulator: Emulator, run: Run) -> None:
    seed(emulator, "wanted", tags=[A, B])
    gone = seed(emulator, "both", tags=[A, B])
    seed(emulator, "one", tags=[A])
    seed(emulator, "none")
    outcomes = run(wanted("wanted"), prune_tags=[B, A])
    assert [item.image_cache_id for item in outcomes.pruned] == [gone]
    assert names(emulator) == ["none", "one", "wanted"]


def test_what_is_going_already_is_left(emulator: Emulator, run: Run) -> None:
    seed(emulator, "wanted")
    seed(emulator, "away", tags=[A], status="deleting")
    outcomes = run(wanted("wanted"), prune_tags=[A])
    assert (outcomes.pruned, kept(outcomes)) == ([], [])
    assert operations(emulator) == [LIST, LIST]


def test_where_there_is_nothing_to_prune_nothing_is_said(run: Run) -> None:
    assert run(wanted("new"), prune_tags=[A]).warnings == []


def test_first_prunes_once(emulator: Emulator, run: Run) -> None:
    seed(emulator, "old")
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new"), absent("old"), prune_tags=[A], first=True)
    assert [item.name for item in outcomes.pruned] == ["away"]
    assert len(emulator.sent(DELETE)) == 2


def test_after_what_was_pruned_first_nothing_is_locked_again(
    emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(emulator, "away", tags=[A])
    held, times = _lock.held, []
    monkeypatch.setattr(_lock, "held", lambda *arguments: times.append(arguments) or held(*arguments))
    run(wanted("new"), prune_tags=[A], first=True)
    assert names(emulator) == ["new"]
    assert len(times) == 1


def test_nothing_without_being_asked(emulator: Emulator, run: Run) -> None:
    seed(emulator, "other", tags=[A])
    assert run(wanted("new")).pruned == []
    assert names(emulator) == ["new", "other"]


@pytest.mark.parametrize("tags_filter", ["all", "any", "key", "off"])
def test_what_shows_no_tags_stays_whatever_the_filter_says(tags_filter: str, emulator: Emulator, run: Run) -> None:
    seed(emulator, "kept", tags=[A])
    emulator.settings.update({"tags_shown": False, "tags_filter": tags_filter})
    outcomes = run(wanted("new", wait=True), prune_tags=[A])
    assert names(emulator) == ["kept", "new"]
    assert kept(outcomes) == [("kept", "tags_unknown", None)]
    assert "the service shows no tags" in outcomes.warnings[0]


def test_what_the_role_release_keeps_stays_and_is_listed(emulator: Emulator, run: Run) -> None:
    release = [A, {"key": "release", "value": "web"}]
    stays = [seed(emulator, name, tags=release) for name in ("web-0f3a9c21", "web-9c210f3a")]
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", wait=True), prune_tags=[A])
    assert names(emulator) == ["new", "web-0f3a9c21", "web-9c210f3a"]
    assert sorted(kept(outcomes)) == [("web-0f3a9c21", "release", None), ("web-9c210f3a", "release", None)]
    assert outcomes.warnings == []
    outcomes = run(wanted("new", wait=True), prune_tags=release)
    assert sorted(item.old.id for item in outcomes.pruned) == sorted(stays)


def test_prune_comes_last(emulator: Emulator, run: Run) -> None:
    emulator.settings.ready_after = 20
    seed(emulator, "away", tags=[A])
    seed(emulator, "old", images=["redis:7"])
    run(wanted("new", wait=True), wanted("old", drift="recreate", wait=True), prune_tags=[A])
    sent = [
        (r.operation, (r.body or {}).get("imageCacheName", r.path)) for r in emulator.requests if r.operation != LIST
    ]
    assert [operation for operation, _what in sent] == [CREATE, REGION, USAGE, DELETE, CREATE, DELETE]
    assert names(emulator) == ["new", "old"]


def test_without_waiting_nothing_goes_until_what_is_wanted_is_ready(emulator: Emulator, run: Run) -> None:
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new"), prune_tags=[A])
    assert outcomes.pruned == []
    assert "'new' is not ready yet" in outcomes.warnings[0]
    assert kept(outcomes) == [("away", "not_ready", None)]
    assert names(emulator) == ["away", "new"]
    emulator.advance(60)
    outcomes = run(wanted("new"), prune_tags=[A])
    assert [item.name for item in outcomes.pruned] == ["away"]
    assert names(emulator) == ["new"]


@pytest.mark.parametrize(("wait", "pruned"), [(True, ["away"]), (False, [])])
def test_check_mode_counts_the_wait(wait: bool, pruned: list[str], emulator: Emulator, run: Run) -> None:
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", wait=wait), prune_tags=[A], check_mode=True)
    assert [item.name for item in outcomes.pruned] == pruned
    assert [reason for _name, reason, _until in kept(outcomes)] == ([] if wait else ["not_ready"])
    assert wait or "'new' would be created first, and nothing is pruned before it is ready" in outcomes.warnings[0]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [({"azInfo": {"azName": "az9"}}, "'new' failed"), ({"images": ["does-not-exist"], "wait": True}, "'new' failed")],
)
def test_nothing_goes_where_something_has_failed(
    bad: dict[str, Any], reason: str, emulator: Emulator, run: Run
) -> None:
    old = seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", **bad), wanted("other", wait=True), prune_tags=[A])
    assert old in present(emulator)
    assert outcomes.pruned == []
    assert kept(outcomes) == [("away", "failed", None)]
    assert f"Nothing was pruned, since {reason}" in outcomes.warnings[0]


@pytest.mark.parametrize(("grace", "advice"), [(0, "prune_first: true"), (60, "prune_first: true without prune_grace")])
def test_nothing_goes_where_the_quota_is_full(grace: float, advice: str, emulator: Emulator, run: Run) -> None:
    old = [seed(emulator, f"away-{number}", tags=[A]) for number in range(3)]
    emulator.settings.quota = 3
    outcomes = run(wanted("away-0"), wanted("new", wait=True), prune_tags=[A], grace=grace)
    assert isinstance(outcomes.items[1].error, QuotaUsedUp)
    text = str(outcomes.items[1].error)
    assert "Pruning would make room by deleting 'away-" in text
    assert f"; {advice} does so before" in text
    assert present(emulator) == old


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_first_makes_room_at_the_price_of_a_gap(check_mode: bool, emulator: Emulator, run: Run) -> None:
    for number in range(3):
        seed(emulator, f"away-{number}", tags=[A])
    emulator.settings.quota = 3
    outcomes = run(wanted("new"), prune_tags=[A], first=True, check_mode=check_mode)
    assert [item.changed for item in outcomes.all] == [True] * 4
    assert names(emulator) == (["away-0", "away-1", "away-2"] if check_mode else ["new"])
    assert len(emulator.sent(DELETE)) == (0 if check_mode else 3)


def test_first_does_nothing_where_something_has_failed(emulator: Emulator, run: Run) -> None:
    for name in ("twice", "twice"):
        seed(emulator, name)
    old = seed(emulator, "away", tags=[A])
    run(wanted("new"), wanted("twice"), prune_tags=[A], first=True)
    assert old in present(emulator)


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_the_newest_are_kept(check_mode: bool, emulator: Emulator, run: Run) -> None:
    seed(emulator, "wanted")
    for number in range(4):
        seed(emulator, f"release-{number}", tags=[A])
        emulator.advance(60)
    outcomes = run(wanted("wanted"), prune_tags=[A], keep=2, check_mode=check_mode)
    assert kept(outcomes) == [("release-3", "prune_keep", None), ("release-2", "prune_keep", None)]
    assert [item.name for item in outcomes.pruned] == ["release-1", "release-0"]


def test_all_are_kept_until_the_youngest_wanted_one_is_old_enough(
    emulator: Emulator, run: Run, make_client: MakeClient
) -> None:
    seed(emulator, "away", tags=[A])
    seed(emulator, "wanted")
    born = emulator.service.clock.now()
    outcomes = run(wanted("wanted"), prune_tags=[A], grace=3600, client=make_client(time=lambda: born + 60))
    assert outcomes.pruned == []
    ((name, reason, until),) = kept(outcomes)
    assert (name, reason) == ("away", "prune_grace")
    when = datetime.strptime(until or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    assert abs(when - (born + 3600)) <= 1
    predicted = run(wanted("new", wait=True), prune_tags=[A], grace=3600, check_mode=True)
    assert kept(predicted) == [("away", "prune_grace", None)]


def test_grace_counts_from_what_is_wanted_present(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    seed(emulator, "away", tags=[A])
    seed(emulator, "wanted")
    born = emulator.service.clock.now()
    client = make_client(time=lambda: born + 60)
    outcomes = run(wanted("wanted"), absent("never"), prune_tags=[A], grace=30, client=client)
    assert [item.name for item in outcomes.pruned] == ["away"]


def test_one_that_has_failed_before_keeps_the_others(emulator: Emulator, run: Run) -> None:
    seed(emulator, "bad", status="failed")
    old = seed(emulator, "away", tags=[A])
    outcomes = run(wanted("bad"), prune_tags=[A])
    assert "'bad' has failed" in outcomes.warnings[-1]
    assert old in present(emulator)


def test_what_may_be_a_wanted_one_does_not_go(emulator: Emulator, run: Run) -> None:
    seed(emulator, "wanted")
    nameless = seed(emulator, "nameless", tags=[A])
    emulator.inject(Fault("nameless", LIST, times=None, index=1))
    run(wanted("wanted"), prune_tags=[A])
    assert nameless in present(emulator)


def test_what_there_is_cannot_be_read_any_more(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    old = seed(emulator, "away", tags=[A])
    seed(emulator, "wanted", tags=[B])
    emulator.inject(Fault("status", LIST, skip=2, times=None))
    outcomes = run(wanted("wanted", tags=[A]), prune_tags=[A], client=make_client(retries=0))
    assert old in present(emulator)
    assert "Nothing was pruned, since the image caches could not be listed" in outcomes.warnings[-1]
    assert not outcomes.items[0].error


def test_deletions_are_waited_for(emulator: Emulator, run: Run) -> None:
    emulator.settings.delete_after = 12
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", wait=True), prune_tags=[A])
    assert not outcomes.pruned[0].error
    assert names(emulator) == ["new"]


def test_a_deletion_that_takes_too_long(emulator: Emulator, run: Run) -> None:
    emulator.settings.delete_after = 1000
    seed(emulator, "away", tags=[A])
    outcomes = run(wanted("new", wait=True), prune_tags=[A])
    assert isinstance(outcomes.pruned[0].error, WaitFailed)
    assert outcomes.pruned[0].changed


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", ""])
@pytest.mark.parametrize("zone", ["az1", "az9"])
def test_first_makes_room_for_replacements_that_are_possible(
    zone: str, check_mode: bool, emulator: Emulator, run: Run
) -> None:
    for name in ("away-0", "away-1"):
        seed(emulator, name, tags=[A])
    seed(emulator, "web", images=["redis:7"])
    possible = zone == "az1"
    emulator.settings.quota = 3 if possible else 9
    entries = [wanted("new"), wanted("web", drift="recreate", azInfo={"azName": zone})]
    outcomes = run(*entries, prune_tags=[A], first=True, check_mode=check_mode)
    assert [item.changed for item in outcomes.all] == [True, possible] + [True, True] * possible
    assert [bool(item.error) for item in outcomes.items] == [False, not possible]


def test_first_respects_what_others_do_meanwhile(emulator: Emulator, run: Run, at: Callable[..., None]) -> None:
    emulator.settings.delete_after = 12
    seed(emulator, "away", tags=[A])
    web = emulator.service._caches[seed(emulator, "web")]
    other = {"key": "c", "value": "1"}
    made: list[str] = []
    at(LIST, 3, lambda: (web.tags.append(B), made.append(somebody_else_creates(emulator, imageCacheName="new"))))
    new, tagged = run(wanted("new"), wanted("web", tags=[other], purge_tags=False), prune_tags=[A], first=True).items
    assert (new.error, new.changed, [new.image_cache_id]) == (None, False, made)
    assert (tagged.error, web.tags) == (None, [B, other])
