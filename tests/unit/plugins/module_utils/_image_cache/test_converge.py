# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every transition of an image cache over the emulator: the requests that are sent, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    DriftError,
    EciError,
    NoSuchCache,
    OpenOutcome,
    QuotaUsedUp,
    ServiceError,
    WaitFailed,
    WaitTimeout,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import KEYS
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator, Fault

LIST, DESCRIBE = "describeImageCaches", "describeImageCache"
CREATE, UPDATE, DELETE = "createImageCache", "updateImageCache", "deleteImageCache"

A = {"key": "a", "value": "1"}
B = {"key": "b", "value": "1"}
BODY = {
    "imageCacheName": "web",
    "imageCacheSize": 40,
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}


@pytest.fixture(autouse=True)
def _locks_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def run(client: Client, sleeps: list[float]) -> Callable[..., Outcome]:
    """Converge with the body above and some changes; waiting takes no time."""

    def run(state: str = "present", *, check_mode: bool = False, timeout: float = 60, **options: Any) -> Outcome:
        fields = ("image_cache_id", "purge_tags", "drift", "wait")
        wanted = {name: options.pop(name) for name in fields if name in options}
        used = options.pop("client", client)
        wait = Wait(timeout, 5, used.sleep, lambda: sum(sleeps))
        return converge(Wanted(state, {**BODY, **options}, **wanted), used, wait, check_mode)

    return run


def seed(emulator: Emulator, **changes: Any) -> str:
    fields = {"imageCacheSize": 40, "azName": "az1", "imageCacheName": "web", "images": ["nginx:latest"], **changes}
    return emulator.service.seed(fields.pop("imageCacheName"), fields.pop("images"), **fields)


def operations(emulator: Emulator) -> list[str]:
    return [str(record.operation) for record in emulator.requests]


# What is there, by name; the first two need no repair.
EXISTING: dict[str, dict[str, Any]] = {
    "plain": {},
    "tagged": {"tags": [A]},
    "other images": {"images": ["redis:7"]},
    "failed": {"status": "failed"},
}
# The tags of the task, and whether they differ from what "tagged" has, and from none.
TAGS: dict[str, tuple[Any, bool, bool, bool]] = {
    # name: (tags, purge_tags, differs from [A], differs from none)
    "unset": (None, True, False, False),
    "empty": ([], True, True, False),
    "same": ([A], True, False, True),
    "other": ([B], True, True, True),
    "more": ([B], False, True, True),
    "none more": ([A], False, False, True),
}


@pytest.mark.parametrize("wait", [False, True], ids=["", "wait"])
@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
@pytest.mark.parametrize("drift", ["warn", "fail", "recreate"])
@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("existing", [None, *EXISTING])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_transition(
    emulator: Emulator,
    run: Callable[..., Outcome],
    state: str,
    existing: str | None,
    tags: str,
    drift: str,
    check_mode: bool,
    wait: bool,
) -> None:
    wanted_tags, purge_tags, differs_from_a, differs_from_none = TAGS[tags]
    old_id = None if existing is None else seed(emulator, **EXISTING[existing])
    options: dict[str, Any] = {"drift": drift, "check_mode": check_mode, "wait": wait, "purge_tags": purge_tags}
    if wanted_tags is not None:
        options["tags"] = wanted_tags
    drifts = state == "present" and existing in ("other images", "failed")
    differs = differs_from_a if existing == "tagged" else differs_from_none

    reads = [LIST]
    if state == "present" and existing not in (None, "tagged") and wanted_tags:
        reads.append(LIST)  # no tags are shown, so the filter is asked
    steps: list[str] = []
    error: type[EciError] | None = None
    if state == "absent":
        steps = [DELETE] if existing else []
        steps += [LIST] if existing and wait else []
    elif existing is None:
        steps = [CREATE, LIST]
    elif drifts and drift == "fail":
        error = DriftError
    elif drifts and drift == "recreate":
        steps = [DELETE, LIST, CREATE, LIST]
    elif differs:
        steps = [UPDATE, LIST]
    changes = bool(steps)
    if wait and state == "present" and not check_mode and not error:
        if CREATE in steps:
            steps = [*steps, LIST]  # pending at first, ready 5 seconds later
        elif existing == "failed":
            steps = [*steps, DESCRIBE]
            error = WaitFailed

    if error:
        with pytest.raises(error) as caught:
            run(state, **options)
        outcome = caught.value.outcome
    else:
        outcome = run(state, **options)

    assert operations(emulator) == reads + ([] if check_mode else steps)
    assert outcome.changed is changes
    assert bool(outcome.drift) is drifts
    assert bool(outcome.warnings) is (drifts and drift == "warn")
    assert list(outcome.result()) == ["changed", "image_cache_id", "image_cache", "request_id", "drift"]
    present = emulator.service.caches()
    if check_mode or not changes:
        assert [cache["imageCacheId"] for cache in present] == ([old_id] if old_id else [])
        assert outcome.request_id is None
    if state == "absent":
        assert outcome.image_cache is None
        assert outcome.image_cache_id == old_id
        assert check_mode or present == []
        return
    assert list(outcome.image_cache or {}) == KEYS
    if CREATE in steps or (changes and existing is None):
        assert outcome.image_cache_id == (None if check_mode else present[0]["imageCacheId"])
    else:
        assert outcome.image_cache_id == old_id
    if not (check_mode or error):
        assert len(present) == 1
        if wanted_tags is not None and not (drifts and drift == "fail"):
            expected = wanted_tags if purge_tags else [A, B] if existing == "tagged" and tags == "more" else wanted_tags
            assert present[0].get("tags", []) == expected


def test_the_body_on_the_wire_is_the_one_that_the_task_gives(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    run()
    assert emulator.sent(CREATE)[0].body == BODY


def test_the_prediction_equals_what_is_created(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    predicted = run(check_mode=True, tags=[B, A])
    real = run(tags=[B, A])
    assert predicted.image_cache and real.image_cache
    unknown = {"image_cache_id", "status", "creation_time"}
    for key in set(KEYS) - unknown:
        assert predicted.image_cache[key] == real.image_cache[key], key
    assert predicted.diff == real.diff


class TestFinding:
    def test_names_are_compared_exactly(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.name_match = "fuzzy"
        for name in ("web2", "my-web", "WEB"):
            seed(emulator, imageCacheName=name)
        outcome = run()
        assert outcome.changed
        assert len(emulator.service.caches()) == 4

    def test_every_page_is_looked_at(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.update({"name_match": "fuzzy", "max_page": 3})
        for number in range(7):
            seed(emulator, imageCacheName=f"web-{number}")
        wanted = seed(emulator)
        outcome = run()
        assert (outcome.changed, outcome.image_cache_id) == (False, wanted)
        assert operations(emulator) == [LIST] * 3

    def test_several_of_a_name_are_told_with_their_ids(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        ids = [seed(emulator), seed(emulator)]
        for state in ("present", "absent"):
            with pytest.raises(AmbiguousName) as caught:
                run(state)
            assert all(image_cache_id in caught.value.message for image_cache_id in ids)
            assert "image_cache_id" in caught.value.message
        assert set(operations(emulator)) == {LIST}

    def test_an_id_picks_one_of_several(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        first, second = seed(emulator), seed(emulator)
        outcome = run("absent", image_cache_id=second)
        assert (outcome.changed, outcome.image_cache_id) == (True, second)
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [first]

    def test_an_unknown_id_is_no_wish_to_create(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        with pytest.raises(NoSuchCache, match="imc-none"):
            run(image_cache_id="imc-none")
        assert operations(emulator) == [LIST]

    def test_an_unknown_id_is_absent(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        outcome = run("absent", image_cache_id="imc-none", wait=True)
        assert (outcome.changed, outcome.image_cache_id) == (False, None)

    def test_a_token_that_repeats_ends_in_an_error(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.inject(Fault("repeat_token", times=None))
        seed(emulator)
        with pytest.raises(OpenOutcome, match="nextToken repeats"):
            run()
        assert operations(emulator) == [LIST] * 2


class TestTags:
    def test_a_service_that_adds_where_it_should_replace(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.tags_update = "merge"
        seed(emulator, tags=[A])
        first = run(tags=[B])
        assert first.changed
        assert "may add tags" in first.warnings[0]
        assert first.image_cache and first.image_cache["tags"] == [A, B]
        second = run(tags=[B])
        assert not second.changed
        assert "may add tags" in second.warnings[0]

    def test_a_service_that_shows_no_tags_but_filters_by_them(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.tags_shown = False
        seed(emulator)
        first, second = run(tags=[A]), run(tags=[A])
        assert (first.changed, second.changed) == (True, False)
        assert first.warnings == second.warnings == []
        assert operations(emulator).count(UPDATE) == 1

    def test_a_service_that_shows_no_tags_in_any_way(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.update({"tags_shown": False, "tags_filter": False})
        seed(emulator)
        outcome = run(tags=[A])
        assert outcome.changed
        assert "cannot be told" in outcome.warnings[0]

    def test_an_update_that_does_nothing(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator)
        emulator.inject(Fault("json", UPDATE, value={"statusCode": 200, "returnObj": {"requestId": "r"}}))
        outcome = run(tags=[A])
        assert not outcome.changed
        assert "did not set them" in outcome.warnings[0]

    def test_an_update_whose_outcome_is_open_is_looked_up(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", UPDATE, when="after"))
        outcome = run(tags=[A], client=make_client(retries=0))
        assert outcome.changed

    def test_an_update_that_never_succeeds_fails(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, tags=[B])
        emulator.inject(Fault("status", UPDATE, times=None))
        with pytest.raises(OpenOutcome) as caught:
            run(tags=[A], client=make_client(retries=1))
        assert not caught.value.outcome.changed

    @pytest.mark.parametrize(
        ("settings", "tags", "good_reads"),
        [
            ({"tags_update": "replace"}, [], 1),
            ({"tags_update": "merge"}, [], 1),
            ({"tags_shown": False}, [B], 3),  # the tags before are asked for through the filter, and those after
        ],
    )
    def test_what_an_update_did_cannot_be_read(
        self,
        settings: dict[str, Any],
        tags: list[dict[str, str]],
        good_reads: int,
        emulator: Emulator,
        run: Callable[..., Outcome],
        make_client: Callable[..., Client],
    ) -> None:
        emulator.settings.update(settings)
        image_cache_id = seed(emulator, tags=[A])
        emulator.inject(Fault("status", LIST, times=None, skip=good_reads))
        with pytest.raises(OpenOutcome) as caught:
            run(tags=tags, client=make_client(retries=0))
        assert [record.operation for record in emulator.sent(UPDATE)] == [UPDATE]
        assert caught.value.outcome.changed
        assert f"The service took the new tags of {image_cache_id}, but" in caught.value.message
        assert "may have set them" in caught.value.message

    def test_by_id_alone(self, emulator: Emulator, run: Callable[..., Outcome], client: Client) -> None:
        image_cache_id = seed(emulator, images=["redis:7"])
        wanted = Wanted("present", {"tags": [A]}, image_cache_id=image_cache_id)
        outcome = converge(wanted, client, Wait(0, 1))
        assert (outcome.changed, outcome.drift) == (True, [])


class TestRecreate:
    def test_a_slow_deletion_is_waited_for(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.delete_after = 12
        old_id = seed(emulator, images=["redis:7"])
        outcome = run(drift="recreate")
        assert operations(emulator) == [LIST, DELETE, LIST, LIST, LIST, CREATE, LIST]
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [outcome.image_cache_id] != [old_id]

    def test_a_deletion_that_takes_too_long_creates_nothing(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.delete_after = 1000
        old_id = seed(emulator, images=["redis:7"])
        with pytest.raises(WaitTimeout, match=old_id) as caught:
            run(drift="recreate")
        assert caught.value.outcome.changed
        assert CREATE not in operations(emulator)

    def test_a_refused_creation_says_that_the_old_one_is_gone(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        old_id = seed(emulator, images=["redis:7"])
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
        with pytest.raises(ServiceError, match=f"no such subnet.*{old_id} was deleted before") as caught:
            run(drift="recreate")
        assert caught.value.outcome.changed
        assert emulator.service.caches() == []


class TestWaiting:
    def test_until_ready(self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]) -> None:
        emulator.settings.ready_after = 20
        outcome = run(wait=True)
        assert outcome.image_cache and outcome.image_cache["status"] == "ready"
        assert [pause for pause in sleeps if pause] == [5, 7.5, 11.25]

    def test_an_unchanged_cache_is_waited_for(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.ready_after = 3
        run()
        outcome = run(wait=True)
        assert not outcome.changed
        assert outcome.image_cache and outcome.image_cache["status"] == "ready"

    def test_not_without_being_asked(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        outcome = run()
        assert outcome.image_cache and outcome.image_cache["status"] == "pending"

    def test_a_failure_ends_it_at_once_with_the_newest_events(
        self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
    ) -> None:
        with pytest.raises(WaitFailed, match=r"imc-\w+ has failed.*newest events") as caught:
            run(images=["does-not-exist:1"], wait=True)
        assert sum(sleeps) == 5
        outcome = caught.value.outcome
        assert outcome.changed
        assert outcome.image_cache["events"][-1]["message"] in caught.value.message

    @pytest.mark.parametrize("timeout", [0, 1, 60, 61])
    def test_the_time_out_is_kept(
        self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float], timeout: float
    ) -> None:
        emulator.settings.ready_after = 10_000
        with pytest.raises(WaitTimeout, match=f"after {timeout} s") as caught:
            run(wait=True, timeout=timeout)
        assert sum(sleeps) == timeout
        outcome = caught.value.outcome
        assert outcome.changed
        assert outcome.image_cache["image_cache_id"] == outcome.image_cache_id
        assert outcome.image_cache["status"] == "pending"

    def test_an_unknown_status_is_waited_on(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, status="defragmenting")
        with pytest.raises(WaitTimeout, match="defragmenting"):
            run(wait=True)

    def test_a_cache_that_disappears_meanwhile(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        image_cache_id = seed(emulator, status="pending")
        region = emulator.settings.region_id
        client = make_client(sleep=lambda seconds: emulator.service.perform(DELETE, region, image_cache_id, None))
        with pytest.raises(WaitFailed, match="is gone"):
            run(wait=True, client=client)

    def test_for_a_slow_deletion(self, emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator)
        outcome = run("absent", wait=True)
        assert outcome.changed
        assert sleeps == [5, 7.5]

    def test_a_failure_whose_events_cannot_be_read(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator, status="failed")
        emulator.inject(Fault("status", DESCRIBE, status=404, reason="NotFound"))
        with pytest.raises(WaitFailed, match="has failed"):
            run(wait=True)


class TestDeleting:
    def test_one_that_is_going_already_is_absent(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator)
        assert run("absent").changed
        assert not run("absent").changed
        assert operations(emulator).count(DELETE) == 1
        assert not run("absent", wait=True).changed
        assert emulator.service.caches() == []

    def test_one_that_is_going_is_waited_for_and_made_anew(
        self, emulator: Emulator, run: Callable[..., Outcome]
    ) -> None:
        emulator.settings.delete_after = 12
        old_id = seed(emulator)
        run("absent")
        outcome = run(tags=[A])
        assert outcome.changed
        assert outcome.image_cache_id != old_id
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [outcome.image_cache_id]

    def test_one_that_is_going_cannot_be_picked(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        image_cache_id = seed(emulator, status="deleting")
        with pytest.raises(NoSuchCache):
            run(image_cache_id=image_cache_id)

    def test_gone_before_through_somebody_else(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator)
        emulator.inject(Fault("status", DELETE, status=404, reason="NotFound"))
        assert not run("absent").changed

    def test_gone_through_an_attempt_that_seemed_to_fail(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", DELETE, when="after"))
        outcome = run("absent")
        assert outcome.changed
        assert operations(emulator) == [LIST, DELETE, DELETE]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_an_open_outcome_is_looked_up(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client], when: str
    ) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", DELETE, when=when))
        client = make_client(retries=0)
        if when == "after":
            assert run("absent", client=client).changed
        else:
            with pytest.raises(OpenOutcome) as caught:
                run("absent", client=client)
            assert not caught.value.outcome.changed


class TestHelp:
    def test_the_zones_of_the_region(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        with pytest.raises(ServiceError, match=r"az_info\.az_name is not a zone.*az1, cn-xinan1-1A") as caught:
            run(azInfo={"azName": "az9"})
        assert operations(emulator) == [LIST, CREATE, "region"]
        assert not caught.value.outcome.changed

    def test_the_quota(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.settings.quota = 1
        seed(emulator, imageCacheName="other")
        with pytest.raises(QuotaUsedUp, match="1 of 1 are used"):
            run()
        assert operations(emulator) == [LIST, CREATE, "listUsage"]

    def test_nothing_where_another_thing_is_wrong(self, emulator: Emulator, run: Callable[..., Outcome]) -> None:
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
        with pytest.raises(ServiceError) as caught:
            run()
        assert "az_name" not in caught.value.message

    def test_a_help_that_fails_hides_nothing(
        self, emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
    ) -> None:
        emulator.settings.quota = 0
        emulator.inject(Fault("status", "listUsage", times=None))
        with pytest.raises(QuotaUsedUp):
            run(client=make_client(retries=0))
