# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lost replies, slow deletions and other clients that meet: nothing good is deleted, and nothing is ordered twice."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import RetryQuota
from ansible_collections.ctyun.eci.plugins.module_utils._errors import Unanswered, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import confirm, duplicates
from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    CREATE,
    DELETE,
    LIST,
    MakeClient,
    Run,
    operations,
    present,
    seed,
    somebody_else_creates,
    wanted,
)

ONE_OR_MANY = pytest.mark.parametrize("by_name", [True, False], ids=["one", "many"])
At = Callable[..., None]


# --- creates that meet


@ONE_OR_MANY
def test_an_own_attempt_that_takes_effect_late_is_used(
    by_name: bool, emulator: Emulator, run: Run, make_client: MakeClient
) -> None:
    emulator.inject(Fault("late", CREATE, seconds=sum(CONSISTENCY_DELAYS) + 0.45))
    client = make_client(uniform=lambda _least, most: most)
    (item,) = run(wanted("web"), client=client, by_name=by_name).items
    assert (item.error, item.changed, [item.image_cache_id]) == (None, True, present(emulator))
    assert "An earlier attempt of this task, or another client, created" in item.warnings[1]
    assert (len(emulator.sent(CREATE)), len(emulator.sent(DELETE))) == (2, 1)


@ONE_OR_MANY
@pytest.mark.parametrize(
    ("operation", "number", "images", "takes_it"),
    [(CREATE, 1, "nginx:latest", True), (CREATE, 1, "other", False), (LIST, 3, "nginx:latest", False)],
    ids=["fits", "does not fit", "appears later"],
)
def test_after_a_lost_reply_nothing_is_deleted_since_any_may_be_anothers(
    operation: str, number: int, images: str, takes_it: bool, by_name: bool, emulator: Emulator, run: Run, at: At
) -> None:
    others: list[str] = []
    at(operation, number, lambda: others.append(seed(emulator, images=[images], age=10)))
    emulator.inject(Fault("reset", CREATE, when="after"))
    (item,) = run(wanted("web"), by_name=by_name).items
    assert (item.error, item.changed, item.image_cache_id in others) == (None, True, takes_it)
    assert "There are now several image caches named 'web'" in item.warnings[-1]
    assert (len(present(emulator)), DELETE in operations(emulator)) == (2, False)


def test_one_that_is_not_listed_yet_yields_to_no_others(emulator: Emulator, run: Run, at: At) -> None:
    emulator.settings.list_lag = 10_000
    at(CREATE, 1, lambda: (seed(emulator), seed(emulator)))
    (item,) = run(wanted("web")).items
    assert (item.error, item.changed, item.image_cache_id) == (None, True, present(emulator)[-1])
    assert DELETE not in operations(emulator)


def test_one_yields_though_the_service_failed_too_often(
    emulator: Emulator, run: Run, make_client: MakeClient, at: At
) -> None:
    def elder() -> None:
        seed(emulator, age=10)
        emulator.inject(Fault("status", CREATE, skip=1, times=None))

    at(CREATE, 1, elder)
    client = make_client()
    client.retry_quota = client._quotas[True] = RetryQuota(1)
    web, other = run(wanted("web"), wanted("other"), client=client, concurrency=1).items
    assert (web.error, web.changed, present(emulator)) == (None, False, [web.image_cache_id])
    assert isinstance(other.error, Unanswered)


def test_without_files_left_several_of_a_name_stay(
    emulator: Emulator, run: Run, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoFiles:
        def find_spec(self, name: str, *_more: object) -> None:
            if name == duplicates.__name__:
                raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.delitem(sys.modules, duplicates.__name__)
    monkeypatch.setattr(sys, "meta_path", [NoFiles(), *sys.meta_path])
    at(CREATE, 1, lambda: seed(emulator, age=10))
    outcomes = run(wanted("web"))
    assert (outcomes.items[0].error, outcomes.items[0].changed, len(present(emulator))) == (None, True, 2)
    assert outcomes.warnings == [f"{confirm.NO_FILES}, so duplicates that other clients created were not resolved."]


# --- what others do while a deletion is awaited


@ONE_OR_MANY
@pytest.mark.parametrize("replaces", [False, True])
def test_one_that_appears_while_the_old_one_goes_is_used(
    replaces: bool, by_name: bool, emulator: Emulator, run: Run
) -> None:
    emulator.settings.delete_after = 12
    old = seed(emulator, images=["redis:7"])
    if not replaces:
        emulator.service.perform(DELETE, emulator.settings.region_id, old, None)
    made: list[str] = []

    def create(record: Record) -> None:
        if record.operation == LIST and not present(emulator):
            made.append(somebody_else_creates(emulator))

    emulator.before = create
    (item,) = run(wanted("web", drift="recreate"), by_name=by_name).items
    assert (item.error, item.changed, [item.image_cache_id]) == (None, replaces, made)
    assert (present(emulator), CREATE in operations(emulator)) == (made, False)


# --- younger ones of a name


@ONE_OR_MANY
@pytest.mark.parametrize("fails", [0, 1])
def test_younger_ones_are_waited_for(fails: int, by_name: bool, emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"delete_after": 3, "delete_fails": fails})
    elder, younger = seed(emulator, age=2000), seed(emulator, age=1000)
    (item,) = run(wanted("web", duplicates="delete_younger", wait=True), by_name=by_name).items
    assert (item.changed, item.image_cache_id) == (True, elder)
    if fails:
        assert isinstance(item.error, WaitFailed)
        assert f"{younger} could not be deleted" in item.error.message
    assert (item.duplicates, present(emulator)) == (([], [elder, younger]) if fails else ([younger], [elder]))


@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
def test_younger_ones_stay_where_another_entry_has_failed(check_mode: bool, emulator: Emulator, run: Run) -> None:
    ids = [seed(emulator, age=2000), seed(emulator, age=1000), seed(emulator, "bad", images=["redis:7"])]
    entries = [wanted("web", duplicates="delete_younger"), wanted("bad", drift="fail")]
    web = run(*entries, check_mode=check_mode).items[0]
    assert (web.error, web.changed, web.duplicates, present(emulator)) == (None, False, [], ids)
    if not check_mode:
        assert web.warnings == ["No younger image cache named 'web' is deleted, since 'bad' failed."]


@ONE_OR_MANY
def test_younger_ones_stay_where_the_last_list_shows_an_elder_one(
    by_name: bool, emulator: Emulator, run: Run, at: At
) -> None:
    ids = [seed(emulator, age=2000), seed(emulator, age=1000)]
    at(LIST, 2, lambda: ids.append(seed(emulator, age=3000)))
    (item,) = run(wanted("web", duplicates="delete_younger"), by_name=by_name).items
    assert (item.error, item.changed, item.image_cache_id, present(emulator)) == (None, False, ids[0], ids)
