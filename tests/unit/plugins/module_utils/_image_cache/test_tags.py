# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags: what an update does, and what is known where the service shows none."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, ServiceError, Unanswered
from tests.emulator import Emulator, Fault, Proxy, Record
from tests.unit.plugins.emulated import LIST, UPDATE, A, B, MakeClient, Run, RunOne, operations, present, seed, wanted


def test_a_service_that_adds_where_it_should_replace(emulator: Emulator, run_one: RunOne, sleeps: list[float]) -> None:
    emulator.settings.tags_update = "merge"
    seed(emulator, tags=[A])
    first = run_one(tags=[B])
    assert first.changed
    assert sleeps == [1.0, 2.0, 4.0]  # a list may lag
    assert "may have added the tags" in first.warnings[0]
    assert first.image_cache and first.image_cache.tags == [A, B]
    assert first.diff and first.diff["after"]["tags"] == [A, B]
    second = run_one(tags=[B])
    assert not second.changed
    assert "may have added the tags" in second.warnings[0]


def test_a_service_that_shows_no_tags_but_filters_by_them(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.tags_shown = False
    seed(emulator)
    first, second = run_one(tags=[A]), run_one(tags=[A])
    assert (first.changed, second.changed) == (True, False)
    assert "but shows none" in first.warnings[0]
    assert second.warnings == []
    assert operations(emulator).count(UPDATE) == 1


def test_a_service_that_shows_no_tags_in_any_way(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": "off"})
    seed(emulator)
    outcome = run_one(tags=[A])
    assert outcome.changed
    assert "it is unknown whether they were there" in outcome.warnings[0]


def test_an_update_that_does_nothing(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator)
    emulator.inject(Fault("json", UPDATE, value={"statusCode": 200, "returnObj": {"requestId": "r"}}))
    outcome = run_one(tags=[A])
    # no reply shows tags, so nothing but a filter says that they are not there
    assert outcome.changed
    assert "but shows none" in outcome.warnings[0]


def test_an_update_whose_outcome_is_open_is_looked_up(
    emulator: Emulator, run_one: RunOne, make_client: MakeClient
) -> None:
    seed(emulator)
    emulator.inject(Fault("reset", UPDATE, when="after"))
    outcome = run_one(tags=[A], client=make_client(retries=0))
    assert outcome.changed


def test_an_update_that_never_succeeds_fails(emulator: Emulator, run_one: RunOne, make_client: MakeClient) -> None:
    seed(emulator, tags=[B])
    emulator.inject(Fault("status", UPDATE, times=None))
    with pytest.raises(Unanswered) as caught:
        run_one(tags=[A], client=make_client(retries=1))
    assert not caught.value.item.changed


def test_a_refused_update_is_not_looked_up(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator, tags=[B])
    emulator.inject(Fault("status", UPDATE, status=403, reason="Forbidden"))
    with pytest.raises(ServiceError) as caught:
        run_one(tags=[A])
    assert "may be set" not in caught.value.message
    assert operations(emulator) == [LIST, UPDATE]


def test_an_update_whose_outcome_stays_open(emulator: Emulator, run_one: RunOne, make_client: MakeClient) -> None:
    seed(emulator, tags=[B])
    emulator.inject(Fault("reset", UPDATE), Fault("status", LIST, skip=1, times=None))
    with pytest.raises(Unanswered, match=r"may have been set.*Its state could not be read either") as caught:
        run_one(tags=[A], client=make_client(retries=0))
    assert caught.value.operation == UPDATE


@pytest.mark.parametrize(
    ("settings", "tags", "good_reads"),
    [
        ({"tags_update": "replace"}, [], 1),
        ({"tags_update": "merge"}, [], 1),
        ({"tags_shown": False}, [B], 2),  # the filter is asked for the tags before
    ],
)
def test_what_an_update_did_cannot_be_read(
    settings: dict[str, Any],
    tags: list[dict[str, str]],
    good_reads: int,
    emulator: Emulator,
    run_one: RunOne,
    make_client: MakeClient,
) -> None:
    emulator.settings.update(settings)
    image_cache_id = seed(emulator, tags=[A])
    emulator.inject(Fault("status", LIST, times=None, skip=good_reads))
    with pytest.raises(Unanswered) as caught:
        run_one(tags=tags, client=make_client(retries=0))
    assert [record.operation for record in emulator.sent(UPDATE)] == [UPDATE]
    assert caught.value.item.changed
    assert f"The service accepted the new tags of {image_cache_id}, but" in caught.value.message
    assert "may have set them" in caught.value.message


@pytest.mark.parametrize("retries", [0, 2])
def test_a_proxy_that_loses_the_reply_to_an_update(
    retries: int, proxied: Proxy, emulator: Emulator, run_one: RunOne, make_client: MakeClient
) -> None:
    seed(emulator)
    proxied.drop_reply(match="updateImageCache")
    outcome = run_one(tags=[A], client=make_client(retries=retries))
    assert outcome.changed
    assert emulator.service.caches()[0]["tags"] == [A]


def test_an_update_that_is_lost_and_cannot_be_seen_fails(
    emulator: Emulator, run_one: RunOne, make_client: MakeClient
) -> None:
    emulator.settings.update({"tags_shown": False, "tags_filter": "off"})
    seed(emulator)
    emulator.inject(Fault("reset", UPDATE, when="after"))
    with pytest.raises(Unanswered, match="may have been set"):
        run_one(tags=[A], client=make_client(retries=0))


@pytest.mark.parametrize("when", ["before", "after"], ids=["before the update", "after it"])
def test_one_that_disappears_meanwhile(when: str, emulator: Emulator, run_one: RunOne) -> None:
    image_cache_id = seed(emulator)
    at = UPDATE if when == "before" else LIST

    def disappear(record: Record) -> None:
        if record.operation == at and record.index >= 2 and present(emulator):
            emulator.service.remove(image_cache_id)

    emulator.before = disappear
    with pytest.raises(EciError, match=f"{image_cache_id} was deleted while its tags were set") as caught:
        run_one(tags=[A])
    assert caught.value.item.changed is (when == "after")
    assert caught.value.item.image_cache is None


def test_hidden_tags_are_asked_for_once_for_all_with_the_same(emulator: Emulator, run: Run) -> None:
    emulator.settings.tags_shown = False
    for number in range(10):
        seed(emulator, f"cache-{number}", tags=[A])
    outcomes = run(*[wanted(f"cache-{number}", tags=[A]) for number in range(10)])
    assert not any(item.changed for item in outcomes.items)
    assert operations(emulator) == [LIST, LIST, LIST]


def test_hidden_tags_cost_a_list_for_each_tag_and_one_for_each_key(emulator: Emulator, run: Run) -> None:
    emulator.settings.tags_shown = False
    shared = [{"key": "stage", "value": "prod"}, {"key": "team", "value": "web"}]
    for number in range(100):
        seed(emulator, f"cache-{number}", tags=shared)
    outcomes = run(*[wanted(f"cache-{number}", tags=shared) for number in range(100)])
    assert not any(item.changed or item.error for item in outcomes.items)
    assert operations(emulator) == [LIST] * (1 + 2 + 2)


@pytest.mark.parametrize(("tag", "lists"), [(B, 2), ({"key": "a", "value": ""}, 1)], ids=str)
def test_hidden_tags_cost_no_more_where_the_filter_finds_none(
    tag: dict[str, str], lists: int, emulator: Emulator, run: Run
) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, "web", tags=[A])
    assert run(wanted("web", tags=[tag]), check_mode=True).items[0].changed
    assert operations(emulator) == [LIST] * lists


def test_hidden_tags_are_asked_for_by_several_threads(emulator: Emulator, run: Run, make_client: MakeClient) -> None:
    emulator.settings.tags_shown = False
    own = [[{"key": "n", "value": str(number)}] for number in range(100)]
    for number, tags in enumerate(own):
        seed(emulator, f"cache-{number}", tags=tags)
    emulator.settings.latency = 0.02
    client, threads = make_client(pool_size=10), set()
    client.on_reply = lambda _reply: threads.add(threading.get_ident())
    states = [wanted(f"cache-{number}", tags=tags) for number, tags in enumerate(own)]
    outcomes = run(*states, client=client, concurrency=10)
    assert len(threads) > 2  # that of the task reads the list
    assert not any(item.changed or item.error for item in outcomes.items)
    assert operations(emulator) == [LIST] * (1 + 100 + 1)


def test_a_filter_that_is_refused_fails_only_those_with_tags(emulator: Emulator, run: Run) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, "a", tags=[A])
    emulator.inject(Fault("status", LIST, skip=1, times=None, status=400))
    outcomes = run(wanted("a", tags=[A]), wanted("b"))
    assert [bool(item.error) for item in outcomes.items] == [True, False]


def test_hidden_tags_are_set_where_the_filter_does_not_find_them(emulator: Emulator, run: Run) -> None:
    emulator.settings.tags_shown = False
    seed(emulator, "a", tags=[A])
    seed(emulator, "b", tags=[B])
    outcomes = run(wanted("a", tags=[A]), wanted("b", tags=[A]))
    assert [item.changed for item in outcomes.items] == [False, True]
