# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks whose image caches follow the tags of images: over the emulator, and a registry whose tags move."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._errors import ContentUnknown
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.tags import DIGESTS_TAG, NAME_TAG
from ansible_collections.ctyun.eci.plugins.module_utils._arguments.validation import for_ansible, report
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._task import Result
from ansible_collections.ctyun.eci.plugins.module_utils._tasks import image_cache
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK
from tests.emulator import Emulator, Misbehaviour, Registry, images
from tests.unit.plugins.emulated import BODY, CREATE, DELETE, LIST, A, names, operations, present, seed

DAY = 86400
PASSWORD = "planted-secret-of-alice"


class Moving:
    """A registry with team/app:stable, which ``move`` leads to an image that nobody has seen before."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.image = f"{registry.address}/team/app:stable"
        self.moves = 0
        self.digests: list[str] = []
        self.move()

    def move(self) -> None:
        self.moves += 1
        one = images.image([b"%d" % self.moves])
        self.digests.append(one.digest)
        self.registry.add("team/app", "stable", one)

    def move_back(self) -> None:
        self.registry.add("team/app", "stable", images.image([b"%d" % (self.moves - 1)]))


@pytest.fixture
def moving() -> Iterator[Moving]:
    with Registry() as registry:
        yield Moving(registry)


Run = Callable[..., Result]


@pytest.fixture
def run(moving: Moving, make_client: Callable[..., Client], emulator: Emulator) -> Run:
    """Do a task for web, with that image."""
    emulator.settings.ready_after = 20

    def run(check_mode: bool = False, diff_mode: bool = False, entry: Any = None, **options: Any) -> Result:
        wanted = {**BODY, "images": [moving.image], **(entry or {})}
        given = {"generations": True, "image_caches": [wanted], "wait": True, **options}
        assert TASK.check(given, check_mode) == []
        arguments = ArgumentSpecValidator(TASK.spec()).validate(for_ansible(TASK.spec(), given, TASK.told))
        client = make_client(time=emulator.service.clock.now)
        return TASK.run(arguments.validated_parameters, client, check_mode, diff_mode)

    return run


def later(emulator: Emulator, seconds: float) -> None:
    emulator.advance(seconds)
    emulator.settings.clock_offset += seconds


def facts(result: Result) -> Any:
    assert not result.failed, result.values.get("msg")
    return result.values["ansible_facts"]["imageCacheIds"]


def test_nothing_moved_takes_lists_and_one_look(run: Run, moving: Moving, emulator: Emulator) -> None:
    first = run()
    assert first.values["changed"]
    assert facts(first) == {"web": present(emulator)[0]}
    (entry,) = first.values["image_caches"]
    assert (entry["generation_of"], entry["image_cache_name"]) == ("web", names(emulator)[0])
    shown = {tag["key"]: tag["value"] for tag in emulator.service.caches()[0]["tags"]}
    assert shown == {NAME_TAG: "web", DIGESTS_TAG: moving.digests[0][7:19]}

    emulator.records.clear()
    looks = len(moving.registry.requests)
    again = run()
    assert not again.values["changed"]
    assert facts(again) == facts(first)
    assert set(operations(emulator)) == {LIST}
    # the manifest, and the blob that says for which platform it is
    assert len(moving.registry.requests) - looks == 2


@pytest.mark.parametrize("tags_shown", [True, False])
def test_a_tag_that_moved_makes_before_it_breaks(
    tags_shown: bool, run: Run, moving: Moving, emulator: Emulator
) -> None:
    emulator.settings.tags_shown = tags_shown
    old = facts(run())["web"]
    moving.move()
    result = run(diff_mode=True)
    assert operations(emulator).index(DELETE) > max(
        number for number, operation in enumerate(operations(emulator)) if operation == CREATE
    )
    assert facts(result)["web"] != old
    assert present(emulator) == [facts(result)["web"]]
    assert [entry["image_cache_id"] for entry in result.values["pruned"]] == [old]
    assert result.values["pruned"][0]["generation_of"] is None
    if tags_shown:
        before, after = (digest[7:19] for digest in moving.digests)
        assert f"{moving.image} moved from {before} to {after}" in result.values["diff"]["prepared"]


def test_check_mode_tells_and_does_nothing(run: Run, moving: Moving, emulator: Emulator) -> None:
    old = facts(run())["web"]
    moving.move()
    emulator.records.clear()
    result = run(check_mode=True, diff_mode=True)
    assert {CREATE, DELETE}.isdisjoint(operations(emulator))
    assert (result.values["plan"]["create"], result.values["plan"]["prune"]) == (1, 1)
    assert "moved from" in result.values["diff"]["prepared"]
    assert present(emulator) == [old]


def test_without_wait_the_old_one_is_used_until_the_new_one_is_ready(
    run: Run, moving: Moving, emulator: Emulator
) -> None:
    old = facts(run())["web"]
    moving.move()
    result = run(wait=False)
    new = result.values["image_caches"][0]["image_cache_id"]
    assert facts(result) == {"web": old}
    assert sorted(present(emulator)) == sorted([old, new])
    later(emulator, 60)
    assert facts(run(wait=False)) == {"web": new}
    assert present(emulator) == [new]


def test_the_first_one_is_told_before_it_is_ready(run: Run, emulator: Emulator) -> None:
    assert facts(run(wait=False)) == {"web": present(emulator)[0]}


@pytest.mark.parametrize(("options", "left"), [({"prune_keep": 1}, 2), ({"prune_grace": 3600.0}, 3), ({}, 1)])
def test_what_is_kept(options: dict[str, Any], left: int, run: Run, moving: Moving, emulator: Emulator) -> None:
    for _move in range(2):
        run(prune_keep=9)
        moving.move()
        later(emulator, 7200)
    result = run(**options)
    assert len(present(emulator)) == left
    assert facts(result)["web"] in present(emulator)


def test_the_grace_of_a_name_is_its_own(run: Run, moving: Moving, emulator: Emulator) -> None:
    first = facts(run())["web"]
    moving.move()
    run(prune_keep=1)
    later(emulator, 7200)
    both = [{**BODY, "imageCacheName": name, "images": [moving.image]} for name in ("web", "young")]
    run(image_caches=both, prune_grace=3600.0)
    assert first not in present(emulator)
    assert len(present(emulator)) == 2


def test_back_to_one_that_is_kept(run: Run, moving: Moving, emulator: Emulator) -> None:
    first = facts(run(prune_keep=1))
    moving.move()
    run(prune_keep=1)
    moving.move_back()
    emulator.records.clear()
    assert facts(run(prune_keep=1)) == first
    assert CREATE not in operations(emulator)


def test_what_others_have_made_stays(run: Run, moving: Moving, emulator: Emulator) -> None:
    own = {"key": NAME_TAG, "value": "web"}
    others = [
        seed(emulator, "web", tags=[own]),
        seed(emulator, "web-0123abcd", tags=[A]),
        seed(emulator, "web-0123abcd-old", tags=[own]),
        seed(emulator, "api-0123abcd", tags=[{"key": NAME_TAG, "value": "api"}]),
    ]
    run()
    moving.move()
    run()
    assert set(others) <= set(present(emulator))
    assert len(present(emulator)) == len(others) + 1


@pytest.mark.parametrize("kind", ["reset", "status"])
def test_a_registry_that_does_not_tell_changes_nothing(kind: str, run: Run, moving: Moving, emulator: Emulator) -> None:
    run()
    moving.move()
    old = facts(run(prune_keep=1))
    moving.move()
    moving.registry.inject(Misbehaviour("registry", kind, times=None))
    emulator.records.clear()
    result = run(drift="recreate", entry={"imageCacheSize": 99, "tags": [A]})
    assert facts(result) == old
    assert not result.values["changed"]
    assert {CREATE, DELETE}.isdisjoint(operations(emulator))
    assert "stays at the generation" in result.warnings[0]
    assert result.values["kept"] == result.values["pruned"] == []
    assert len(present(emulator)) == 2


def test_a_registry_that_does_not_tell_of_a_new_name(run: Run, moving: Moving, emulator: Emulator) -> None:
    moving.registry.inject(Misbehaviour("registry", "reset", times=None))
    with pytest.raises(ContentUnknown, match=r"- image_caches\[0\]\.images\[0\]: "):
        run()
    assert present(emulator) == []


def test_another_one_before_the_retention_ends(run: Run, moving: Moving, emulator: Emulator) -> None:
    options: dict[str, Any] = {"entry": {"retentionDays": 7}, "renew_before": 2}
    first = facts(run(**options))
    later(emulator, 4 * DAY)
    assert facts(run(**options)) == first
    later(emulator, 1 * DAY)
    second = facts(run(**options))
    assert second != first
    assert present(emulator) == [second["web"]]
    assert facts(run(**options)) == second


def test_another_one_because_the_task_says_so(run: Run, moving: Moving, emulator: Emulator) -> None:
    first = facts(run())
    second = facts(run(force=True))
    assert second != first
    assert present(emulator) == [second["web"]]
    assert facts(run()) == second


def test_the_preflight_does_not_look_again(run: Run, moving: Moving, emulator: Emulator) -> None:
    facts(run(preflight="fail"))
    assert len(moving.registry.requests) == 2


def test_a_registry_has_to_prove_itself_though_the_endpoint_need_not(
    make_client: Callable[..., Client], emulator: Emulator
) -> None:
    """Whoever turns the check of the endpoint's certificate off has not said that passwords may go to anybody."""
    with Registry("basic", tls=True, users={"alice": PASSWORD}) as registry:
        registry.add("team/app", "1", images.image())
        login = {"server": registry.address, "user_name": "alice", "password": PASSWORD}
        wanted = {**BODY, "images": [f"{registry.address}/team/app:1"], "imageRegistryCredentials": [login]}
        given = {"image_caches": [wanted], "preflight": "fail", "validate_certs": False}
        arguments = ArgumentSpecValidator(TASK.spec()).validate(for_ansible(TASK.spec(), given, TASK.told))
        result = TASK.run(arguments.validated_parameters, make_client(), False, False)
        assert "No trusted TLS connection" in result.warnings[0]
        assert all("authorization" not in seen.headers for seen in registry.requests)


@pytest.mark.thorough
@pytest.mark.parametrize("seed_of_this", range(12))
def test_tags_that_move_between_any_two_requests(
    seed_of_this: int, run: Run, moving: Moving, emulator: Emulator
) -> None:
    """Never without a generation that is ready, and one create for each content that a task has seen."""
    chance = random.Random(seed_of_this)
    emulator.settings.tags_shown = chance.random() < 0.5
    wanted = {run().values["image_caches"][0]["image_cache_name"]}

    def before(_record: Any) -> None:
        if chance.random() < 0.2:
            moving.move()
        assert any(cache["status"] == "ready" for cache in emulator.service.caches())

    emulator.before = before
    for _run in range(6):
        result = run(wait=chance.random() < 0.5, prune_keep=chance.choice([0, 0, 1]))
        assert not result.failed
        wanted.add(result.values["image_caches"][0]["image_cache_name"])
        assert facts(result)["web"] in present(emulator)
        later(emulator, chance.choice([1, 30, 3600]))
    emulator.before = None
    assert len(emulator.sent(CREATE)) == len(wanted) > 1
    last = run()
    assert present(emulator) == [facts(last)["web"]]
    assert not run().values["changed"]


def lines(**given: Any) -> list[str]:
    violations = TASK.check({"image_caches": [{**BODY, **given.pop("entry", {})}], **given}, False)
    return [line[2:] for line in report(violations).split("\n")[1:]] if violations else []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"prune": True, "prune_tags": [A]}, "prune"),
        ({"prune_tags": [A]}, "prune_tags"),
        ({"prune_first": True}, "prune_first"),
        ({"state": "absent"}, "state"),
        ({"entry": {"state": "absent"}}, "image_caches[0].state"),
        ({"entry": {"image_cache_id": "imc-1"}}, "image_caches[0].image_cache_id"),
        ({"entry": {"tags": [A, {"key": NAME_TAG, "value": "x"}]}}, "image_caches[0].tags[1].key"),
        ({"entry": {"tags": [{"key": DIGESTS_TAG, "value": "x"}]}}, "image_caches[0].tags[0].key"),
        ({"entry": {"retentionDays": 2}, "renew_before": 2}, "image_caches[0].retention_days"),
        ({"registry_addresses": {"http://r": "x"}}, "registry_addresses.http://r"),
    ],
)
def test_what_has_no_meaning(given: dict[str, Any], path: str) -> None:
    assert any(line.startswith(f"{path}: ") for line in lines(generations=True, **given))


def test_what_has_a_meaning() -> None:
    assert lines(generations=True, renew_before=2, entry={"retentionDays": 3}, prune_keep=1, prune_grace=9) == []
    assert lines(generations=True, renew_before=2, entry={"retentionDays": 0}) == []
    assert lines(generations=True, force=True) == []
    assert [line.partition(":")[0] for line in lines(renew_before=2, force=True)] == ["renew_before", "force"]


def test_addresses_of_registries_are_checked_for_one_image_cache_as_well() -> None:
    violations = image_cache.TASK.check({**BODY, "registry_addresses": {"r/x": "y"}}, False)
    assert [violation.path for violation in violations] == [("registry_addresses", "r/x")]
