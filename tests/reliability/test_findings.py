# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fault machine and its author have found, each as the smallest schedule that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.apply import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._service.connection import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator, Fault

CREATE, LIST = "createImageCache", "describeImageCaches"
UPDATE, DELETE = "updateImageCache", "deleteImageCache"
A, B = {"key": "a", "value": "1"}, {"key": "b", "value": "1"}
THROTTLED: dict[str, Any] = {"status": 429, "reason": "TooManyRequests", "times": None}
BODY = {
    "imageCacheName": "web",
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}

Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _locks_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def client(emulator: Emulator) -> Client:
    known = emulator.settings
    connection = Connection(known.access_key, known.secret_key, known.region_id, emulator.url, True, 10.0, 1, 30.0)
    return Client(connection, sleep=emulator.advance, monotonic=emulator.service.clock.now)


@pytest.fixture
def run(emulator: Emulator, client: Client) -> Run:
    def run(state: str = "present", **options: Any) -> Outcome:
        fields = ("image_cache_id", "purge_tags", "drift", "wait")
        wanted = {name: options.pop(name) for name in fields if name in options}
        wait = Wait(60, 5, emulator.advance, emulator.service.clock.now)
        return converge(Wanted(state, {**BODY, **options}, **wanted), client, wait)

    return run


def ids(emulator: Emulator) -> list[str]:
    return [cache["imageCacheId"] for cache in emulator.service.caches()]


def seed(emulator: Emulator, **changes: Any) -> str:
    fields = {"imageCacheName": "web", "images": ["nginx:latest"], "azName": "az1", **changes}
    return emulator.service.seed(**fields)


def test_tags_that_were_set_are_a_change_though_reading_them_back_fails(emulator: Emulator, run: Run) -> None:
    seed(emulator, tags=[B])
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    with pytest.raises(EciError) as caught:
        run(tags=[A])
    assert caught.value.outcome.changed


@pytest.mark.parametrize("second", [Fault("status", LIST, skip=1, times=None), Fault("status", UPDATE, **THROTTLED)])
def test_tags_that_may_be_set_are_told(emulator: Emulator, run: Run, second: Fault) -> None:
    seed(emulator, tags=[B])
    emulator.inject(Fault("reset", UPDATE, when="after", times=2 if second.operation == LIST else 1), second)
    try:
        outcome = run(tags=[A])
    except EciError as error:
        assert error.operation == UPDATE
        assert "may " in error.message
    else:
        assert outcome.changed


@pytest.mark.parametrize("second", [Fault("status", LIST, skip=1, times=None), Fault("status", DELETE, **THROTTLED)])
def test_a_deletion_that_may_have_been_done_is_told(emulator: Emulator, run: Run, second: Fault) -> None:
    seed(emulator)
    emulator.inject(Fault("reset", DELETE, when="after", times=2 if second.operation == LIST else 1), second)
    try:
        outcome = run("absent")
    except EciError as error:
        assert error.operation == DELETE
        assert "may " in error.message
    else:
        assert outcome.changed


def test_a_deletion_under_way_is_no_conflict(emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"delete_after": 5, "delete_again": "conflict"})
    seed(emulator)
    emulator.inject(Fault("reset", DELETE, when="after"))
    assert run("absent", wait=True).changed
    assert ids(emulator) == []


def test_absent_twice_while_the_deletion_is_under_way(emulator: Emulator, run: Run) -> None:
    emulator.settings.delete_after = 1000
    seed(emulator)
    assert run("absent").changed
    assert not run("absent").changed


def test_somebody_elses_tags_that_are_hidden_are_no_change(emulator: Emulator, run: Run) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 1, "tags_shown": False})
    emulator.service.perform(CREATE, emulator.settings.region_id, "", {**BODY, "tags": [A]})
    assert not run(tags=[A]).changed
    assert not emulator.sent(UPDATE)


def test_an_odd_status_code_leaves_a_create_open(emulator: Emulator, run: Run) -> None:
    emulator.inject(Fault("json", CREATE, when="after", value={"statusCode": [200], "returnObj": {}}))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == ids(emulator)


def test_a_replaced_one_is_told_from_its_namesake(emulator: Emulator, run: Run) -> None:
    old, namesake = seed(emulator, images=["redis:7"]), seed(emulator)
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run(image_cache_id=old, drift="recreate")
    assert outcome.image_cache_id not in (old, namesake)
    assert outcome.image_cache_id in ids(emulator)


def test_replacing_by_id_makes_no_second_one_of_another_name(emulator: Emulator, run: Run) -> None:
    seed(emulator)
    old = seed(emulator, imageCacheName="other", images=["redis:7"])
    try:
        run(image_cache_id=old, drift="recreate")
    except EciError:
        pass
    names = [cache["imageCacheName"] for cache in emulator.service.caches()]
    assert names.count("web") == 1


def test_a_failed_replacement_names_no_id_that_is_gone(emulator: Emulator, run: Run) -> None:
    old = seed(emulator, images=["redis:7"])
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid"))
    with pytest.raises(EciError, match=old) as caught:
        run(drift="recreate")
    assert caught.value.outcome.image_cache_id is None


def test_a_replacement_in_doubt_does_not_say_that_there_is_none(emulator: Emulator, run: Run) -> None:
    seed(emulator, images=["redis:7"])
    emulator.inject(Fault("reset", CREATE, when="after"), Fault("status", LIST, skip=2, times=None))
    with pytest.raises(EciError, match="may exist") as caught:
        run(drift="recreate")
    assert "there is none of this name" not in caught.value.message


def test_a_list_without_image_caches_is_no_proof_that_there_are_none(emulator: Emulator, run: Run) -> None:
    known = seed(emulator)
    emulator.inject(Fault("json", LIST, value={"statusCode": 200}))
    try:
        run()
    except EciError:
        pass
    assert ids(emulator) == [known]


def test_many_tell_what_failed_after_an_adoption(emulator: Emulator, client: Client) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 1})
    emulator.service.perform(CREATE, emulator.settings.region_id, "", BODY)
    emulator.inject(Fault("status", UPDATE, status=403, reason="Forbidden"))
    wait = Wait(60, 5, emulator.advance, emulator.service.clock.now)
    outcomes = converge_all([Wanted("present", {**BODY, "tags": [A]})], client, wait, concurrency=1)
    assert outcomes.items[0].error
