# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import for_ansible, report
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NoSuchCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import KEYS
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result, Task
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import (
    image_cache,
    image_cache_info,
    image_caches,
    image_info,
    quota_info,
    region_info,
    wire_check,
)
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, A, B, seed

TASKS = {
    "image_cache": image_cache.TASK,
    "image_caches": image_caches.TASK,
    "image_cache_info": image_cache_info.TASK,
    "image_info": image_info.TASK,
    "region_info": region_info.TASK,
    "quota_info": quota_info.TASK,
    "wire_check": wire_check.TASK,
}
GOOD: dict[str, dict[str, Any]] = {
    "image_cache": BODY,
    "image_caches": {"image_caches": [BODY]},
    "image_cache_info": {"name": "web"},
    "image_info": {"images": ["nginx"]},
    "region_info": {},
    "quota_info": {},
    "wire_check": {},
}


def body(name: str = "web", **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BODY), "imageCacheName": name, **changes}


def lines(task: Task, check_mode: bool = False, **given: Any) -> list[str]:
    violations = task.check(given, check_mode)
    return [line[2:] for line in report(violations).split("\n")[1:]] if violations else []


def checked(task: Task, **given: Any) -> dict[str, Any]:
    """The arguments as Ansible hands them on."""
    result = ArgumentSpecValidator(task.spec()).validate(for_ansible(task.spec(), given, task.told))
    assert result.error_messages == []
    return dict(result.validated_parameters)


def run(task: Task, client: Client, check_mode: bool = False, diff_mode: bool = False, **given: Any) -> Result:
    assert task.check(given, check_mode) == []
    return task.run(checked(task, **given), client, check_mode, diff_mode)


# --- every task


@pytest.mark.parametrize("name", TASKS)
def test_good_arguments(name: str) -> None:
    assert lines(TASKS[name], **GOOD[name]) == []
    checked(TASKS[name], **GOOD[name])


@pytest.mark.parametrize("name", TASKS)
def test_what_our_check_accepts_ansible_accepts_and_the_other_way_round(name: str) -> None:
    task = TASKS[name]
    for option, rules in task.spec().items():
        for value in ("x", 5, True, [], {}, ["x"], [{}], 1.5, "5"):
            given = {**GOOD[name], option: value}
            ours = task.check(given, False)
            try:
                theirs = ArgumentSpecValidator(task.spec()).validate(given).error_messages
            except TypeError as error:  # ansible-core 2.19 with a number for a mapping that has suboptions
                theirs = [str(error)]
            if not ours:
                assert theirs == [], f"{option}={value!r}"
            if theirs and rules.get("type") != "str":
                assert ours, f"{option}={value!r}"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_takes_the_connection(name: str) -> None:
    found = lines(TASKS[name], **GOOD[name], timeout=0, retries=-1, endpoint=True, zz=1)
    assert sorted(line.partition(":")[0] for line in found) == ["endpoint", "retries", "timeout", "zz"]


@pytest.mark.parametrize("name", TASKS)
def test_specs_do_not_share_what_can_be_changed(name: str) -> None:
    TASKS[name].spec()["timeout"]["default"] = "changed"
    assert TASKS[name].spec()["timeout"]["default"] == 30.0


# --- image_caches


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["image_caches: is required, a list of image caches"]),
        ({"image_caches": None}, ["image_caches: is required, a list of image caches"]),
        ({"image_caches": {"a": 1}}, ["image_caches: must be a list"]),
        ({"image_caches": ["web"]}, ["image_caches[0]: must be a mapping"]),
        ({"image_caches": [body(), 5]}, ["image_caches[1]: must be a mapping"]),
        ({"image_caches": [body(), body("b", images=[])]}, ["image_caches[1].images: must list at least one"]),
        ({"image_caches": [body(colour="red")]}, ["image_caches[0].colour: is not an option here"]),
        ({"image_caches": [body(imageCacheSize="x")]}, ["image_caches[0].imageCacheSize: must be a whole number"]),
        (
            {"image_caches": [body(), body("b"), body()]},
            ["image_caches[2].imageCacheName: is the same as in image_caches[0]"],
        ),
        (
            {"image_caches": [{key: value for key, value in BODY.items() if key != "imageCacheName"}] * 2},
            ["image_caches[0].imageCacheName: is required", "image_caches[1].imageCacheName: is required"],
        ),
        ({"image_caches": [body()], "concurrency": 0}, ["concurrency: must be at least 1"]),
        ({"image_caches": [body()], "prune": True}, ["prune_tags: is required with prune"]),
        ({"image_caches": [body()], "prune": True, "prune_tags": []}, ["prune_tags: is required with prune"]),
        (
            {"image_caches": [], "prune": True, "prune_tags": [A]},
            ["image_caches: must not be empty with prune"],
        ),
        ({"image_caches": []}, []),
        ({"image_caches": [body(), body("b")], "prune": True, "prune_tags": [A, B]}, []),
        ({"image_caches": [body()], "prune_tags": [{"key": "a"}]}, ["prune_tags[0].value: is required, since a tag"]),
        ({"image_caches": [], "prune_tags": [A, {"key": "b", "value": None}]}, ["prune_tags[1].value: is required"]),
        ({"image_caches": [], "prune_tags": [{"key": "b", "value": ""}]}, ["prune_tags[0].value: is required"]),
        ({"image_caches": [], "prune_tags": [{"value": "b"}]}, ["prune_tags[0].key: is required"]),
        ({"image_caches": [], "prune_tags": [A, A]}, ["prune_tags[1].key: is the same as in prune_tags[0]"]),
        (
            {"image_caches": [body(tags=[A, A])]},
            ["image_caches[0].tags[1].key: is the same as in image_caches[0].tags[0]"],
        ),
        ({"image_caches": '[{"name": "web"}]'}, ["image_caches: must be a list, and a text in JSON is none"]),
        (
            {"image_caches": [{**body(), "name": None}]},
            ["image_caches[0].name: is given twice, also as imageCacheName"],
        ),
        ({"image_caches": [body()], "concurrency": 1001}, ["concurrency: must be at most 1000"]),
        ({"image_caches": [body()], "concurrency": None, "prune": None, "wait": None, "drift": None}, []),
        ({"image_caches": [{1: 2}]}, ["image_caches[0].1: is not an option here"]),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) and value else "",
)
def test_the_check_of_many(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(image_caches.TASK, **given)
    if given.get("image_caches") == [{1: 2}]:
        found = found[:1]
    assert len(found) == len(expected)
    assert all(line.startswith(text) for line, text in zip(sorted(found), sorted(expected), strict=True))


def test_many_image_caches(client: Client, emulator: Emulator) -> None:
    given = {"image_caches": [body("a"), body("b")]}
    result = run(image_caches.TASK, client, **given)
    assert not result.failed
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert result.values["changed"] is True
    assert result.values["ansible_facts"] == {"imageCacheIds": ids}
    assert [entry["image_cache_name"] for entry in result.values["image_caches"]] == ["a", "b"]
    assert run(image_caches.TASK, client, **given).values["changed"] is False


def test_some_of_many_fail(client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"quota": 1})
    given = {"image_caches": [body(f"name-{number}") for number in range(8)], "concurrency": 1}
    result = run(image_caches.TASK, client, diff_mode=True, **given)
    entries = result.values["image_caches"]
    assert result.failed
    assert result.values["changed"] is True
    assert [entry["failed"] for entry in entries] == [False] + [True] * 7
    assert len({frozenset(entry) for entry in entries}) == 1
    assert result.values["failure"] == entries[1]["failure"]
    assert "7 of 8 image caches failed:" in result.values["msg"]
    assert "and 2 more" in result.values["msg"]
    # what was found out about the cause is told, too
    assert "Image caches: 1 of 1 are used." in entries[1]["msg"]
    assert "Image caches: 1 of 1 are used." in result.values["msg"]
    assert len(result.values["diff"]) == 1


@pytest.mark.parametrize("number", [1, 5, 6])
def test_the_first_failures_are_told_in_the_message(number: int, client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"quota": 0})
    names = [f"name-{index}" for index in range(number)]
    message = run(image_caches.TASK, client, image_caches=[body(name) for name in names]).values["msg"]
    assert [name for name in names if f"- {name}: " in message] == names[:5]
    assert ("more, see image_caches" in message) is (number > 5)


# --- image_cache


@pytest.mark.parametrize("diff_mode", [False, True])
def test_one_image_cache(diff_mode: bool, client: Client, emulator: Emulator) -> None:
    result = run(image_cache.TASK, client, diff_mode=diff_mode, **BODY)
    (cache,) = emulator.service.caches()
    assert result.values["ansible_facts"] == {"imageCacheId": cache["imageCacheId"]}
    assert ("diff" in result.values) is diff_mode
    result = run(image_cache.TASK, client, state="absent", name="web", diff_mode=diff_mode)
    assert result.values["image_cache_id"] == cache["imageCacheId"]
    assert ("diff" in result.values) is diff_mode
    assert emulator.service.caches() == []


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_no_fact_is_left_of_what_is_deleted(there: bool, check_mode: bool, client: Client, emulator: Emulator) -> None:
    if there:
        seed(emulator)
    result = run(image_cache.TASK, client, check_mode, state="absent", name="web")
    assert result.values["changed"] is there
    assert result.values["ansible_facts"] == {"imageCacheId": None}


# An image cache that a task before would have made has no ID in check mode, and is in no list.
UNSEEN = dict.fromkeys(KEYS)


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(
    ("given", "changed", "shown"),
    [
        ({}, False, {}),
        ({"wait": True, "wait_timeout": 600}, False, {}),
        ({"tags": [B, A]}, True, {"tags": [A, B]}),
        ({"tags": [A], "purge_tags": False}, True, {"tags": [A]}),
        ({"tags": []}, False, {}),
        ({"tags": None}, False, {}),
        ({"name": "web", "images": ["a"]}, False, {"image_cache_name": "web", "images": ["a"]}),
        (
            {**BODY, "tags": [A], "drift": "recreate"},
            True,
            {
                "image_cache_name": "web",
                "images": BODY["images"],
                "image_cache_size": 40,
                "az_name": "az1",
                "tags": [A],
            },
        ),
        ({"state": "absent"}, True, None),
        ({"state": "absent", "name": "web", "wait": True}, True, None),
    ],
)
def test_what_is_not_made_in_check_mode_is_predicted(
    nothing: str | None, given: dict[str, Any], changed: bool, shown: Any, client: Client, emulator: Emulator
) -> None:
    seed(emulator)
    result = run(image_cache.TASK, client, True, True, image_cache_id=nothing, **given)
    assert result.values.pop("diff").keys() == {"before", "after", "before_header", "after_header"}
    assert result.values == {
        **Outcome().result(),
        "changed": changed,
        "image_cache": None if shown is None else {**UNSEEN, **shown},
        "ansible_facts": {"imageCacheId": None},
    }
    assert (result.warnings, result.failed) == ([], False)
    assert emulator.requests == []


def test_the_diff_of_what_is_not_made_in_check_mode(client: Client) -> None:
    diff = run(image_cache.TASK, client, True, True, imageCacheId="", name="web", tags=[A]).values["diff"]
    assert diff["before"] == {"image_cache_name": "web"}
    assert diff["after"] == {"image_cache_name": "web", "tags": [A]}
    diff = run(image_cache.TASK, client, True, True, imageCacheId="", name="web", state="absent").values["diff"]
    assert (diff["before"], diff["after"]) == ({"image_cache_name": "web"}, {})


def test_an_id_that_nothing_has_is_a_mistake_in_check_mode_as_well(client: Client) -> None:
    for check_mode in (False, True):
        with pytest.raises(NoSuchCache):
            run(image_cache.TASK, client, check_mode, image_cache_id="imc-1", tags=[A])


def test_wait_options_reach_the_wait(client: Client, emulator: Emulator, sleeps: list[float]) -> None:
    emulator.settings.update({"ready_after": 1000})
    run(image_cache.TASK, client, **BODY, wait=True, wait_interval=7, wait_timeout="2000")
    assert [pause for pause in sleeps if pause][:2] == [7, 10.5]


# --- what only reads

ALL = "must not be empty; leave it out to list all"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"image_cache_id": None}, [f"image_cache_id: {ALL}"]),
        ({"imageCacheId": ""}, [f"imageCacheId: {ALL}"]),
        ({"name": None}, [f"name: {ALL}"]),
        ({"image_cache_name": ""}, [f"image_cache_name: {ALL}"]),
        ({"images": None}, [f"images: {ALL}"]),
        ({"images": []}, [f"images: {ALL}"]),
        ({"images": ""}, [f"images[0]: {ALL}"]),
        ({"images": ["a", ""]}, [f"images[1]: {ALL}"]),
        ({"tags": None}, [f"tags: {ALL}"]),
        ({"tags": []}, [f"tags: {ALL}"]),
        ({"tags": [{}]}, [f"tags[0]: {ALL}"]),
        ({"tags": [A, {"key": "", "value": None}]}, [f"tags[1]: {ALL}"]),
        ({"tags": [{"value": "x"}]}, ["tags[0].key: is required"]),
        ({"tags": [{"key": None, "value": "x"}]}, ["tags[0].key: is required"]),
        (
            {"tags": [{"key": "a", "value": ""}]},
            ["tags[0].value: must not be empty; leave it out to look for any value"],
        ),
        (
            {"tags": [{"key": "a", "value": None}]},
            ["tags[0].value: must not be empty; leave it out to look for any value"],
        ),
        ({"tags": [A, {"key": "a", "value": "2"}]}, ["tags[1].key: is the same as in tags[0]"]),
        ({"tags": [5], "images": {}}, ["images: must be a list", "tags[0]: must be a mapping"]),
        ({"tags": '[{"key": "a"}]'}, ["tags: must be a list, and a text in JSON is none"]),
        ({"name": "we\0b"}, ["name: must not contain a control character"]),
        ({"name": "web", "imageCacheName": None}, ["imageCacheName: is given twice, also as name"]),
        ({"name": "web", "image_cache_id": "imc-1", "images": ["a"], "tags": [{"key": "a"}], "events": None}, []),
        ({}, []),
    ],
)
def test_an_empty_filter_never_means_everything(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(image_cache_info.TASK, **given)
    assert len(found) == len(expected)
    assert all(line.startswith(text) for line, text in zip(sorted(found), expected, strict=True))


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("option", ["image_cache_id", "imageCacheId", "image_cache_name", "name"])
@pytest.mark.parametrize("more", [{}, {"events": True}, {"tags": [A]}])
def test_what_is_not_made_in_check_mode_is_not_found(
    more: dict[str, Any], option: str, nothing: str | None, client: Client, emulator: Emulator
) -> None:
    seed(emulator)
    result = run(image_cache_info.TASK, client, True, **{option: nothing, **more})
    assert result.values == {"changed": False, "image_caches": []}
    assert emulator.requests == []


@pytest.mark.parametrize("given", [{"images": []}, {"images": None}, {"tags": None}, {"tags": [{}]}])
def test_other_empty_filters_are_refused_in_check_mode_as_well(given: dict[str, Any]) -> None:
    assert lines(image_cache_info.TASK, True, name="", **given) == lines(image_cache_info.TASK, **given) != []


@pytest.mark.parametrize("check_mode", [False, True])
def test_reading(check_mode: bool, client: Client, emulator: Emulator) -> None:
    emulator.service.seed("web", ["a"], tags=[{"key": "team", "value": "x"}])
    info = run(image_cache_info.TASK, client, check_mode, name="web").values
    assert (info["changed"], [cache["image_cache_name"] for cache in info["image_caches"]]) == (False, ["web"])
    region = run(region_info.TASK, client, check_mode).values
    assert region == {"changed": False, "region": {"region_id": emulator.settings.region_id, "zones": emulator.settings.zones}}  # fmt: skip
    quota = run(quota_info.TASK, client, check_mode).values
    assert (quota["changed"], len(quota["quotas"])) == (False, 4)


def test_reading_by_the_id(client: Client, emulator: Emulator) -> None:
    identifier = seed(emulator)
    seed(emulator, "db")
    for given, expected in (({}, [identifier]), ({"name": "db"}, [])):
        found = run(image_cache_info.TASK, client, imageCacheId=identifier, **given).values["image_caches"]
        assert [cache["image_cache_id"] for cache in found] == expected


def test_reading_by_the_key_of_a_tag(client: Client, emulator: Emulator) -> None:
    emulator.service.seed("web", ["a"], tags=[{"key": "team", "value": "x"}])
    emulator.service.seed("db", ["a"])
    info = run(image_cache_info.TASK, client, tags=[{"key": "team"}]).values
    assert [cache["image_cache_name"] for cache in info["image_caches"]] == ["web"]


def test_tags_without_a_value_reach_the_service_as_they_are_given(client: Client, emulator: Emulator) -> None:
    run(image_cache.TASK, client, **BODY, tags=[{"key": "team"}])
    assert emulator.sent("createImageCache")[0].body["tags"] == [{"key": "team"}]
    emulator.inject(Fault("status", "updateImageCache", status=500))
    assert run(image_cache.TASK, client, **BODY, tags=[{"key": "team"}]).values["changed"] is False
