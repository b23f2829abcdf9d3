# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look before anything is ordered: what is found, by the path of an option, and that nothing is done if it fails."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import PreflightFailed, Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge_all import converge_all
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Plan, Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.preflight import Preflight
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.replace import Room
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.surroundings import Surroundings
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from ansible_collections.ctyun.eci.plugins.module_utils._registry.found import (
    FOUND,
    NOT_FOUND,
    REFUSED,
    UNREACHABLE,
    Found,
)
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, CREATE, DELETE, LIST, REGION, UPDATE, USAGE, A, names, operations, seed

GB = 10**9
PASSWORD = "a planted password"
LOGIN = {"server": "r.example", "userName": "web", "password": PASSWORD}


class Registries:
    """Has these images and no others, and counts who asks."""

    def __init__(self, **images: Found) -> None:
        self.images = images
        self.asked: list[tuple[list[str], list[dict[str, Any]]]] = []

    def __call__(self, images: Sequence[str], credentials: Sequence[Mapping[str, Any]]) -> list[Found]:
        self.asked.append((list(images), [dict(login) for login in credentials]))
        return [self.images.get(image.partition("/")[2]) or good(image) for image in images]


def good(image: str, size: int = GB, layer: str = "a") -> Found:
    return Found(image, FOUND, "sha256:1", "m", ("linux/amd64",), ((f"sha256:{layer}", size),))


def bad(image: str, outcome: str) -> Found:
    return Found(image, outcome, message=f"It is {outcome}.")


def change(replaces: bool = False, **options: Any) -> Plan:
    body = {**BODY, "imageCacheSize": 20, **options}
    return Plan(["delete", "create"] if replaces else ["create"], None, None, body={k: v for k, v in body.items() if v})


def findings(*changes: Plan, registries: Registries, room: Room, factor: float = 3.0) -> list[str]:
    """What a preflight that only warns says of these."""
    orders = [(f"image_caches[{number}].", one) for number, one in enumerate(changes)]
    warnings = Preflight(False, factor, registries).check(orders, room)
    assert all(warning.startswith("Preflight: ") for warning in warnings)
    return [warning.removeprefix("Preflight: ") for warning in warnings]


@pytest.fixture
def room(client: Client, emulator: Emulator) -> Room:
    return Room(client)


MISSING, NO_LOGIN, FAR = (bad(f"r.example/{name}", name) for name in (NOT_FOUND, REFUSED, UNREACHABLE))


@pytest.mark.parametrize(
    ("one", "options", "path", "is_note"),
    [
        (MISSING, {}, "images[1]", False),
        (NO_LOGIN, {}, "images[1]", False),
        (NO_LOGIN, {"imageRegistryCredentials": [{**LOGIN, "server": "other.example"}, LOGIN]}, "image_registry_credentials[1]", False),
        (NO_LOGIN, {"imageRegistryCredentials": [{**LOGIN, "server": "other.example"}]}, "images[1]", False),
        (FAR, {}, "images[1]", True),
        # where CTYun looks for these is not known
        (bad("web/app", NOT_FOUND), {}, "images[1]", True),
        (bad("web/app", REFUSED), {}, "images[1]", True),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_image(one: Found, options: dict[str, Any], path: str, is_note: bool, room: Room) -> None:
    registries = Registries(**{one.image.partition("/")[2]: one})
    order = change(images=["r.example/good", one.image], **options)
    (found,) = findings(order, registries=registries, room=room)
    assert found.startswith(f"image_caches[0].{path}: '{one.image}': {one.message}")
    assert PASSWORD not in found
    preflight = Preflight(True, 3, registries)
    if is_note:
        assert preflight.check([("", order)], room) == ["Preflight: " + found.removeprefix("image_caches[0].")]
    else:
        with pytest.raises(PreflightFailed) as raised:
            preflight.check([("", order)], room)
        assert f"- {path}: " in raised.value.message


@pytest.mark.parametrize(
    ("sizes", "given", "factor", "least"),
    [
        ({"a": 5}, None, 3, None),  # too small to matter
        ({"a": 7}, None, 3, 21),
        ({"a": 7}, 21, 3, None),
        ({"a": 7}, 20, 3, 21),
        ({"a": 7, "b": 7}, 21, 3, None),  # one layer that both have
        ({"a": 7, "b": 8}, 21, 3, 45),
        ({"a": 7}, 20, 2, None),
    ],
)
def test_the_size(sizes: dict[str, int], given: int | None, factor: float, least: int | None, room: Room) -> None:
    layers = {size: name for name, size in sizes.items()}
    registries = Registries(
        **{name: good(f"r.example/{name}", size * GB, layers[size]) for name, size in sizes.items()}
    )
    order = change(images=[f"r.example/{name}" for name in sizes], imageCacheSize=given)
    found = findings(order, registries=registries, room=room, factor=factor)
    if least is None:
        assert found == []
    else:
        (text,) = found
        assert text.startswith(f"image_caches[0].image_cache_size: {given or 20} GB are less than")
        assert f"about {least} GB" in text


def test_the_size_is_not_told_where_an_image_is_not_known(room: Room) -> None:
    registries = Registries(huge=good("r.example/huge", 100 * GB), unreachable=FAR)
    order = change(images=["r.example/huge", FAR.image])
    assert ["size" in found for found in findings(order, registries=registries, room=room)] == [False]


def test_a_zone_that_the_region_does_not_have(room: Room, emulator: Emulator) -> None:
    emulator.settings.zones = ["az1", "az2"]
    found = findings(change(azInfo={"azName": "az7"}), change(), registries=Registries(), room=room)
    assert found == ["image_caches[0].az_info.az_name: 'az7' is not a zone of this region. Its zones: az1, az2"]


@pytest.mark.parametrize(("quota", "told"), [(3, False), (2, True)])
def test_the_quota_counts_what_takes_the_place_of_nothing(
    quota: int, told: bool, room: Room, emulator: Emulator
) -> None:
    emulator.settings.quota = quota
    seed(emulator, "other")
    found = findings(change(), change(), change(replaces=True), registries=Registries(), room=room)
    assert found == ["the quota of image caches: 2 would be made, and 1 of 2 are used"] * told


def test_a_quota_that_is_exceeded_already_is_none_of_what_replaces(room: Room, emulator: Emulator) -> None:
    emulator.settings.quota = 1
    seed(emulator, "a"), seed(emulator, "b")
    assert findings(change(replaces=True), registries=Registries(), room=room) == []


@pytest.mark.parametrize("operation", [REGION, USAGE])
def test_what_an_account_may_not_ask(operation: str, room: Room, emulator: Emulator) -> None:
    emulator.inject(Fault("status", operation, status=403, reason="Forbidden"))
    assert findings(change(), registries=Registries(), room=room) == []
    assert "could not be checked" in room.warnings[0]


def test_all_is_in_one_message_with_what_could_not_be_told(room: Room, emulator: Emulator) -> None:
    emulator.settings.quota = 0
    orders = [
        ("image_caches[0].", change(images=[FAR.image], azInfo={"azName": "nowhere"})),
        ("image_caches[2].", change(images=[MISSING.image])),
    ]
    registries = Registries(unreachable=FAR, not_found=MISSING)
    with pytest.raises(PreflightFailed) as raised:
        Preflight(True, 3, registries).check(orders, room)
    assert [line.partition(": ")[0] for line in raised.value.message.splitlines()] == [
        "The preflight found what would go wrong. Nothing was ordered or changed:",
        "- image_caches[0].az_info.az_name",
        "- the quota of image caches",
        "- image_caches[2].images[0]",
        "It could not tell of:",
        "- image_caches[0].images[0]",
    ]
    assert raised.value.effect == "none"


def test_registries_are_asked_once_for_each_set_of_logins(room: Room) -> None:
    registries = Registries()
    images = ["r.example/a", "r.example/b"]
    changes = [
        change(images=images),
        change(images=images[:1]),
        change(images=images, imageRegistryCredentials=[LOGIN]),
    ]
    assert findings(*changes, registries=registries, room=room) == []
    login = {"server": "r.example", "user_name": "web", "password": PASSWORD}
    assert registries.asked == [(images, []), (images, [login])]


def test_nobody_is_asked_where_nothing_is_ordered(room: Room, emulator: Emulator) -> None:
    registries = Registries()
    assert Preflight(True, 3, registries).check([], room) == []
    assert registries.asked == []
    assert operations(emulator) == []


WAIT = Wait(60, 5)
BAD = Registries(not_found=MISSING)
BODY_OF_BAD = {**BODY, "images": [MISSING.image]}


def test_who_does_not_ask_for_it_does_not_load_it() -> None:
    for user in (converge, converge_all, Surroundings):
        assert "Preflight" not in vars(sys.modules[user.__module__])


class TestOne:
    @pytest.mark.parametrize("check_mode", [False, True])
    def test_what_would_not_come_about_is_not_ordered(
        self, check_mode: bool, client: Client, emulator: Emulator
    ) -> None:
        with pytest.raises(PreflightFailed, match=r"- images\[0\]: "):
            converge(Wanted("present", BODY_OF_BAD), client, WAIT, check_mode, preflight=Preflight(True, 3, BAD))
        assert set(operations(emulator)) == {LIST, REGION, USAGE}

    def test_a_warning_and_an_order(self, client: Client, emulator: Emulator) -> None:
        outcome = converge(Wanted("present", BODY_OF_BAD), client, WAIT, preflight=Preflight(False, 3, BAD))
        assert outcome.changed
        assert outcome.warnings == [f"Preflight: images[0]: '{MISSING.image}': {MISSING.message}"]

    def test_a_quota_that_is_used_up(self, client: Client, emulator: Emulator) -> None:
        emulator.settings.quota = 0
        with pytest.raises(PreflightFailed, match="1 would be made, and 0 of 0 are used"):
            converge(Wanted("present", BODY), client, WAIT, preflight=Preflight(True, 3, Registries()))
        assert CREATE not in operations(emulator)

    def test_nothing_is_deleted_for_what_would_not_come_about(self, client: Client, emulator: Emulator) -> None:
        old = seed(emulator, images=["redis:7"])
        with pytest.raises(PreflightFailed):
            converge(Wanted("present", BODY_OF_BAD, drift="recreate"), client, WAIT, preflight=Preflight(True, 3, BAD))
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [old]

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_what_exists_is_not_looked_at(self, state: str, client: Client, emulator: Emulator) -> None:
        seed(emulator, images=[MISSING.image])
        registries = Registries(not_found=MISSING)
        converge(Wanted(state, {**BODY_OF_BAD, "tags": [A]}), client, WAIT, preflight=Preflight(True, 3, registries))
        assert registries.asked == []
        assert REGION not in operations(emulator)

    def test_a_service_that_does_not_answer_makes_nothing(self, make_client: Any, emulator: Emulator) -> None:
        emulator.inject(Fault("status", USAGE, times=None))
        with pytest.raises(Unanswered, match="nothing was deleted or ordered"):
            converge(Wanted("present", BODY), make_client(retries=0), WAIT, preflight=Preflight(True, 3, Registries()))
        assert CREATE not in operations(emulator)


class TestMany:
    @pytest.mark.parametrize("check_mode", [False, True])
    def test_nothing_at_all_is_done(self, check_mode: bool, client: Client, emulator: Emulator) -> None:
        for name in ("tagged", "pruned"):
            seed(emulator, name, tags=[A])
        wanted = [
            Wanted("present", {**BODY, "imageCacheName": "new"}),
            Wanted("present", {**BODY, "imageCacheName": "tagged", "tags": [{"key": "a", "value": "2"}]}),
            Wanted("present", {**BODY_OF_BAD, "imageCacheName": "bad"}),
        ]
        with pytest.raises(PreflightFailed, match=r"- image_caches\[2\]\.images\[0\]: "):
            converge_all(
                wanted, client, WAIT, concurrency=2, prune=[Prune([A], first=True)], check_mode=check_mode,
                preflight=Preflight(True, 3, BAD),
            )  # fmt: skip
        assert {CREATE, UPDATE, DELETE}.isdisjoint(operations(emulator))
        assert names(emulator) == ["pruned", "tagged"]

    def test_a_quota_that_is_made_room_in_first_is_no_reason_to_fail(self, client: Client, emulator: Emulator) -> None:
        emulator.settings.quota = 1
        seed(emulator, "old", tags=[A])
        outcomes = converge_all(
            [Wanted("present", BODY)], client, WAIT, concurrency=2, prune=[Prune([A], first=True)],
            preflight=Preflight(True, 3, Registries()),
        )  # fmt: skip
        assert names(emulator) == ["web"]
        assert outcomes.warnings == ["Preflight: the quota of image caches: 1 would be made, and 1 of 1 are used"]

    def test_what_is_pruned_last_makes_no_room(self, client: Client, emulator: Emulator) -> None:
        emulator.settings.quota = 1
        seed(emulator, "old", tags=[A])
        with pytest.raises(PreflightFailed, match="1 would be made, and 1 of 1 are used"):
            converge_all(
                [Wanted("present", BODY)], client, WAIT, concurrency=2, prune=[Prune([A])],
                preflight=Preflight(True, 3, Registries()),
            )  # fmt: skip
        assert CREATE not in operations(emulator)

    def test_warnings_are_those_of_the_task(self, client: Client, emulator: Emulator) -> None:
        outcomes = converge_all(
            [Wanted("present", BODY), Wanted("present", {**BODY_OF_BAD, "imageCacheName": "bad"})],
            client, WAIT, concurrency=2, preflight=Preflight(False, 3, BAD),
        )  # fmt: skip
        assert names(emulator) == ["bad", "web"]
        assert outcomes.warnings == [f"Preflight: image_caches[1].images[0]: '{MISSING.image}': {MISSING.message}"]

    def test_a_service_that_does_not_answer_makes_nothing(self, make_client: Any, emulator: Emulator) -> None:
        emulator.inject(Fault("status", REGION, times=None))
        with pytest.raises(Unanswered, match="nothing was deleted or ordered"):
            converge_all(
                [Wanted("present", BODY)], make_client(retries=0), WAIT, concurrency=2,
                preflight=Preflight(False, 3, Registries()),
            )  # fmt: skip
        assert CREATE not in operations(emulator)
