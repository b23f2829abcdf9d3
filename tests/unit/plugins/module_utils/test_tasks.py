# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context
from ansible_collections.ctyun.eci.plugins.module_utils._polling import SYSTEM_CLOCK, Wait
from ansible_collections.ctyun.eci.plugins.module_utils._registry import preflight
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import Settings
from ansible_collections.ctyun.eci.plugins.module_utils._task import Task
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import (
    api,
    image_cache,
    image_cache_info,
    image_caches,
    image_info,
    quota_info,
    region_info,
)
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, A, B, seed
from tests.unit.plugins.tasks import lines, run

TASKS = {
    "api": api.TASK,
    "image_cache": image_cache.TASK,
    "image_caches": image_caches.TASK,
    "image_cache_info": image_cache_info.TASK,
    "image_info": image_info.TASK,
    "region_info": region_info.TASK,
    "quota_info": quota_info.TASK,
}
GOOD: dict[str, dict[str, Any]] = {
    "api": {"operation": "containers/describeContainerGroups"},
    "image_cache": BODY,
    "image_caches": {"image_caches": [BODY]},
    "image_cache_info": {"name": "web"},
    "image_info": {"images": ["nginx"]},
    "region_info": {},
    "quota_info": {},
}


def body(name: str = "web", **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BODY), "imageCacheName": name, **changes}


# --- every task


@pytest.mark.parametrize("name", TASKS)
def test_what_our_check_accepts_ansible_accepts_and_the_other_way_round(name: str) -> None:
    task = TASKS[name]
    assert lines(task, **GOOD[name]) == []
    for option, rules in task.spec().items():
        for value in ("x", 5, True, [], {}, ["x"], [{}], 1.5, "5"):
            given = {**GOOD[name], option: value}
            ours = task.validate(given, False)
            try:
                theirs = ArgumentSpecValidator(task.spec()).validate(given).error_messages
            except TypeError as error:  # ansible-core 2.19 with a number for a mapping that has suboptions
                theirs = [str(error)]
            if option in ("tags", "prune_tags") and value == {}:  # which Ansible does not take for a list
                theirs = []
            if not ours.violations:
                assert theirs == [], f"{option}={value!r}"
                assert ArgumentSpecValidator(task.spec()).validate(ours.arguments).error_messages == []
            if theirs and rules.get("type") != "str":
                assert ours.violations, f"{option}={value!r}"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_takes_the_connection(name: str) -> None:
    found = lines(TASKS[name], **GOOD[name], timeout=0, retries=-1, endpoint=True, zz=1)
    assert sorted(line.partition(":")[0] for line in found) == ["endpoint", "retries", "timeout", "zz"]


@pytest.mark.parametrize("name", TASKS)
def test_specs_do_not_share_what_can_be_changed(name: str) -> None:
    TASKS[name].spec()["timeout"]["default"] = "changed"
    assert TASKS[name].spec()["timeout"]["default"] == 30.0


# --- the checks of image_cache and image_caches

SAME_ID = {"image_cache_id": "imc-1"}
OTHER_ID = {"image_cache_id": "imc-3", "name": "web"}
NAMELESS = {key: value for key, value in BODY.items() if key != "imageCacheName"}
PRUNE, FIRST = {"prune": True, "prune_tags": [A]}, {"prune_first": True}
NO_ID = "must not be empty; leave it out to select one by its name"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["image_caches: is required"]),
        ({"image_caches": None}, ["image_caches: is required"]),
        ({"image_caches": '[{"name": "web"}'}, ["image_caches: must be a list, and this string is not JSON"]),
        ({"image_caches": ["web", body(), 5]}, [f"image_caches[{number}]: must be a mapping" for number in (0, 2)]),
        ({"image_caches": [body(), body("b", images=[])]}, ["image_caches[1].images: must list at least one"]),
        ({"image_caches": [body(imageCacheSize="x")]}, ["image_caches[0].imageCacheSize: must be a whole number"]),
        ({"image_caches": [{**BODY, "name": None}]}, ["image_caches[0].name: is given twice, also as imageCacheName"]),
        ({"image_caches": [{1: 2, **SAME_ID}]}, ["image_caches[0].1: is not an option here"]),
        (
            {"image_caches": [BODY, body("b"), BODY]},
            ["image_caches[2].imageCacheName: is the same as in image_caches[0]"],
        ),
        (
            {"image_caches": [NAMELESS] * 2},
            [f"image_caches[{number}].imageCacheName: is required" for number in (0, 1)],
        ),
        (
            {"image_caches": [{"tags": []}], "state": "absent"},
            ["image_caches[0].image_cache_name: is required, or image_cache_id, to delete one"],
        ),
        # one ID in two entries, whatever else they say
        (
            {"image_caches": [body(), SAME_ID, body("b"), {**SAME_ID, "state": "absent"}]},
            ["image_caches[3].image_cache_id: is the same as in image_caches[1]"],
        ),
        (
            {"image_caches": [{**SAME_ID, "name": "a"}, {"imageCacheId": "imc-1", "name": "b"}], "state": "absent"},
            ["image_caches[1].imageCacheId: is the same as in image_caches[0]"],
        ),
        ({"image_caches": [SAME_ID, {"image_cache_id": "imc-2"}, body(), {**OTHER_ID, "state": "absent"}]}, []),
        # one that is kept by its ID, and none else of the name; not one of the name twice
        ({"image_caches": [{**SAME_ID, "name": "web"}, {"name": "web", "state": "absent"}]}, []),
        *(
            (
                {"image_caches": [first, body(image_cache_id="imc-2")], "drift": drift},
                ["image_caches[1].imageCacheName: is the same as in image_caches[0]"] * (drift == "recreate"),
            )
            for first in (body(), body(image_cache_id="imc-1"))
            for drift in ("warn", "recreate")
        ),
        ({"image_caches": [{"imageCacheId": ""}]}, [f"image_caches[0].imageCacheId: {NO_ID}"]),
        ({"image_caches": [{"image_cache_id": None, "state": "absent"}]}, [f"image_caches[0].image_cache_id: {NO_ID}"]),
        ({"image_caches": [{"image_cache_id": "imc-1\n"}]}, ["image_caches[0].image_cache_id: ends with a line feed"]),
        ({"image_caches": [body()], "concurrency": 0}, ["concurrency: must be between 1 and 1000"]),
        ({"image_caches": [body()], "prune": True}, ["prune_tags: is required with prune"]),
        ({"image_caches": [body()], "prune": True, "prune_tags": []}, ["prune_tags: is required with prune"]),
        ({"image_caches": [], **PRUNE}, ["image_caches: must have one with state present"]),
        ({"image_caches": [body()], **PRUNE, "state": "absent"}, ["image_caches: must have one with state present"]),
        (
            {"image_caches": [body()], **PRUNE, **FIRST, "prune_grace": 1},
            ["prune_grace: has no meaning with prune_first"],
        ),
        ({"image_caches": []}, []),
        ({"image_caches": [body(), body("b")], "prune": True, "prune_tags": [A, B]}, []),
        ({"image_caches": [body()], "prune_tags": [{"key": "a"}]}, ["prune_tags[0].value: is required, since a tag"]),
        ({"image_caches": [], "prune_tags": [A, {"key": "b", "value": None}]}, ["prune_tags[1].value: is required"]),
        ({"image_caches": [], "prune_tags": [{"value": "b"}]}, ["prune_tags[0].key: is required"]),
        ({"image_caches": [], "prune_tags": [A, A]}, ["prune_tags[1].key: is the same as in prune_tags[0]"]),
        (
            {"image_caches": [body(tags=[A, A])]},
            ["image_caches[0].tags[1].key: is the same as in image_caches[0].tags"],
        ),
        ({"image_caches": [body()], "registry_addresses": {"a b": "c"}}, ["registry_addresses.a b: must be a host"]),
        # options that are gone
        *(
            ({"image_caches": [body()], option: 1}, [f"{option}: is not an option here"])
            for option in ("lock_dir", "generations", "renew_before", "force")
        ),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) and value else "",
)
def test_the_check_of_many(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(image_caches.TASK, **given)
    assert len(found) == len(expected), found
    assert all(line.startswith(text) for line, text in zip(sorted(found), sorted(expected), strict=True))


def test_in_check_mode_ids_of_many_may_not_be_known_yet() -> None:
    unknown = [{"image_cache_id": ""}, {"imageCacheId": None, "state": "absent"}, {"image_cache_id": "", "tags": [A]}]
    assert lines(image_caches.TASK, True, image_caches=unknown) == []


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"image_cache_id": "imc-1"}, []),
        ({"name": "web", "state": "absent"}, []),
        ({**BODY}, ["images[0]"]),
        ({**BODY, "image_cache_id": "imc-1", "drift": "recreate"}, ["images[0]"]),
    ],
)
def test_names_of_images_are_checked_where_they_would_be_ordered(given: dict[str, Any], refused: list[str]) -> None:
    entry = {**given, "images": ["Web App"]}
    drift = {"drift": entry.pop("drift")} if "drift" in entry else {}
    of_one, of_many = lines(image_cache.TASK, **entry, **drift), lines(image_caches.TASK, image_caches=[entry], **drift)
    assert [line.partition(":")[0] for line in of_one] == refused
    assert [line.partition(":")[0] for line in of_many] == [f"image_caches[0].{path}" for path in refused]


# --- what the engine gets

CLIENT: Any = SimpleNamespace(redact=str.lower, clock=SYSTEM_CLOCK, write=None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Desired], Context, dict[str, Any]]]:
    """The calls of the engine, which does nothing."""
    calls: list[tuple[list[Desired], Context, dict[str, Any]]] = []

    def reconcile(desired: list[Desired], ctx: Context, **options: Any) -> Outcome:
        calls.append((desired, ctx, options))
        return Outcome([Item(one) for one in desired], [], [], [], [], None, 0.0)

    for module in (image_cache, image_caches):
        monkeypatch.setattr(module, "reconcile", reconcile)
    return calls


@pytest.mark.parametrize("diff_mode", [False, True])
def test_what_the_engine_gets_of_one(diff_mode: bool, asked: Any) -> None:
    given = {**BODY, "tags": [A], "purge_tags": False, "drift": "fail", "duplicates": "delete_younger", "wait": True}
    run(image_cache.TASK, CLIENT, True, diff_mode, **given, wait_timeout="60")
    run(image_cache.TASK, CLIENT, image_cache_id="imc-1", state="absent")
    (desired, ctx, options), (absent, *_rest) = asked
    assert desired == [Desired("present", {**BODY, "tags": [A]}, None, False, "fail", True, "delete_younger")]
    assert ctx == Context(CLIENT, Wait(60.0, 5.0), diff_mode=diff_mode)
    assert options == {"check_mode": True, "by_name": True}
    assert absent == [Desired("absent", {}, "imc-1")]


@pytest.mark.parametrize("diff_mode", [False, True])
def test_what_the_engine_gets_of_many(diff_mode: bool, asked: Any) -> None:
    given = {"image_caches": [body("a"), {"name": "b", "state": "absent"}], "concurrency": "3", "purge_tags": "no"}
    prune = {"prune": True, "prune_tags": [A], "prune_keep": 1, "prune_grace": 60, "prune_first": False}
    run(image_caches.TASK, CLIENT, False, diff_mode, **given, **prune)
    unknown_ids = [body(), {"imageCacheId": ""}, {"imageCacheId": None}]
    facts = run(image_caches.TASK, CLIENT, True, image_caches=unknown_ids).values["ansible_facts"]
    assert facts == {"imageCacheIds": {"web": None}}
    (desired, ctx, options), (unknown, *_rest, more) = asked
    bodies = {"present": body("a"), "absent": {"imageCacheName": "b"}}
    assert desired == [Desired(state, bodies[state], purge_tags=False) for state in bodies]
    assert ctx == Context(CLIENT, Wait(1800.0, 5.0), 3, diff_mode=diff_mode)
    assert options == {"prune": Prune([A], 1, 60.0, False), "check_mode": False}
    assert [one.image_cache_id for one in unknown] == [None, "", ""]
    assert more == {"prune": None, "check_mode": True}


@pytest.mark.parametrize("task", [image_cache.TASK, image_caches.TASK])
def test_a_preflight_checks_the_certificates_of_registries(
    task: Task, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "Preflight", lambda *given: given)
    given = {"image_caches": [BODY]} if task is image_caches.TASK else BODY
    options = {"preflight": "fail", "registry_addresses": {"a.b": "c.d"}, "timeout": 3, "size_factor": 2}
    run(task, CLIENT, **given, **options, ca_path="/ca.pem", validate_certs=False, platform="linux/arm64", retries=2)
    fail, size_factor, look_up = asked[-1][1].preflight
    assert (fail, size_factor) == (True, 2.0)
    settings = look_up.keywords["settings"]
    expected = Settings({"a.b": "c.d"}, True, "/ca.pem", 3.0, 2, 30.0, "linux/arm64", CLIENT.redact, CLIENT.clock)
    assert settings == expected
    run(task, CLIENT, **given, preflight="warn")
    assert asked[-1][1].preflight[0] is False


# --- results


def test_a_diff_is_text_in_which_everybody_can_read_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    item = Item(Desired("present", BODY), diff={"before_header": "web", "before": {}, "after": {"name": "缓存\x1b"}})
    monkeypatch.setattr(image_cache, "reconcile", lambda *given, **options: Outcome([item], [], [], [], [], None, 0.0))
    expected = {"before_header": "web", "before": "", "after": '{\n    "name": "缓存\\u001b"\n}\n'}
    assert run(image_cache.TASK, CLIENT, diff_mode=True, **BODY).values["diff"] == expected


@pytest.mark.parametrize("diff_mode", [False, True])
def test_one_image_cache(diff_mode: bool, client: Client, emulator: Emulator) -> None:
    result = run(image_cache.TASK, client, diff_mode=diff_mode, **BODY)
    (cache,) = emulator.service.caches()
    assert result.values["ansible_facts"] == {"imageCacheId": cache["imageCacheId"]}
    assert ("diff" in result.values) is diff_mode
    failed = run(image_cache.TASK, client, **{**BODY, "images": ["other"]}, drift="fail")
    assert (failed.failed, failed.values["image_cache_id"]) == (True, cache["imageCacheId"])
    assert failed.values["msg"] == failed.values["failure"]["message"]
    assert "ansible_facts" not in failed.values
    for check_mode in (True, False):
        result = run(image_cache.TASK, client, check_mode, diff_mode, state="absent", name="web")
        assert (result.values["changed"], result.values["image_cache_id"]) == (True, cache["imageCacheId"])
        assert result.values["ansible_facts"] == {"imageCacheId": None}
        assert ("diff" in result.values) is diff_mode
    assert emulator.service.caches() == []


def test_many_image_caches(client: Client, emulator: Emulator) -> None:
    other = seed(emulator, "db")
    given = {"image_caches": [body("a"), body("b"), {"image_cache_id": other}, {"name": "c", "state": "absent"}]}
    result = run(image_caches.TASK, client, diff_mode=True, **given)
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert (result.failed, result.values["changed"]) == (False, True)
    assert result.values["ansible_facts"] == {"imageCacheIds": ids}
    assert [entry["image_cache_name"] for entry in result.values["image_caches"]] == ["a", "b", "db", "c"]
    assert result.values["diff"].keys() == {"prepared"}
    assert run(image_caches.TASK, client, **given).values["changed"] is False


@pytest.mark.parametrize("number", [1, 5, 6])
def test_some_of_many_fail(number: int, client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"quota": 1})
    names = [f"name-{index}" for index in range(number)]
    given = {"image_caches": [body("first"), *map(body, names)], "concurrency": 1}
    result = run(image_caches.TASK, client, **given)
    entries = result.values["image_caches"]
    assert (result.failed, result.values["changed"]) == (True, True)
    assert [entry["failed"] for entry in entries] == [False] + [True] * number
    assert len({frozenset(entry) for entry in entries}) == 1
    assert result.values["failure"] == entries[1]["failure"]
    assert "ansible_facts" not in result.values
    message = result.values["msg"]
    assert message.startswith(f"{number} of {number + 1} image caches failed:\n")
    assert [name for name in names if f"- {name}: " in message] == names[:5]
    assert ("and 1 more, see image_caches" in message) is (number > 5)


def test_a_message_names_all_that_the_task_has_created(client: Client, emulator: Emulator) -> None:
    given = [body(f"name-{index}", images=["does-not-exist:1"]) for index in range(7)]
    result = run(image_caches.TASK, client, image_caches=given, wait=True)
    ids = {cache["imageCacheName"]: cache["imageCacheId"] for cache in emulator.service.caches()}
    assert len(ids) == 7
    assert all(result.values["msg"].count(one) == 1 for one in ids.values()), result.values["msg"]
    last = f"  This task created of these: name-5 ({ids['name-5']}), name-6 ({ids['name-6']})"
    assert result.values["msg"].splitlines()[-1] == last


def test_a_name_of_the_service_forges_no_line(client: Client, emulator: Emulator) -> None:
    """One that is selected by its ID has the name that the service shows."""
    entry = {"image_cache_id": seed(emulator, "x\n- forged"), "images": ["other:1"]}
    result = run(image_caches.TASK, client, image_caches=[entry], drift="fail")
    assert "\n- x\\n- forged: " in result.values["msg"]
    assert "\n- forged" not in result.values["msg"]


# --- what only reads


@pytest.mark.parametrize("check_mode", [False, True])
def test_reading_the_region(check_mode: bool, client: Client, emulator: Emulator) -> None:
    region = {"region_id": emulator.settings.region_id, "zones": emulator.settings.zones}
    assert run(region_info.TASK, client, check_mode).values == {"changed": False, "region": region}
    quota = run(quota_info.TASK, client, check_mode).values
    assert (quota["changed"], len(quota["quotas"])) == (False, 4)


# --- what is not created in check mode


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(
    ("given", "changed", "shown"),
    [
        ({}, False, {}),
        ({"wait": True, "wait_timeout": 600}, False, {}),
        ({"tags": [B, A]}, True, {"tags": [A, B]}),
        ({"tags": [A], "purge_tags": False}, True, {"tags": [A]}),
        ({"tags": []}, False, {}),
        ({"name": "web", "images": ["a"]}, False, {"image_cache_name": "web", "images": ["a"]}),
        ({"state": "absent"}, True, None),
        ({"state": "absent", "name": "web", "wait": True}, True, None),
    ],
)
def test_what_is_not_made_in_check_mode_is_predicted(
    nothing: str | None, given: dict[str, Any], changed: bool, shown: Any, client: Client, emulator: Emulator
) -> None:
    seed(emulator)
    result = run(image_cache.TASK, client, True, True, image_cache_id=nothing, **given)
    assert (result.failed, result.values["changed"], result.values["image_cache_id"]) == (False, changed, None)
    predicted = result.values["image_cache"]
    if shown is None:
        assert predicted is None
    else:
        assert {key: value for key, value in predicted.items() if value is not None} == shown
    assert result.values["diff"].keys() == {"before", "after", "before_header", "after_header"}
    assert emulator.requests == []
