# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight: what is wrong with orders, by the path of an option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import StateConflict
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Found, required_size
from ansible_collections.ctyun.eci.plugins.module_utils._registry.preflight import Order, Preflight
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import OUTCOMES

GB = 10**9
FOUND, NOT_FOUND, REFUSED, UNKNOWN = OUTCOMES
PASSWORD = "a planted password"
LOGIN = {"server": "r.example", "userName": "web", "password": PASSWORD}


class Registries:
    """Has these images and no others, and notes what is asked."""

    def __init__(self, *images: Found) -> None:
        self.images = {one.image: one for one in images}
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []

    def __call__(self, wanted: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Found]:
        self.asked += [(image, [dict(login) for login in logins]) for image, logins in wanted]
        return [self.images.get(image) or good(image) for image, _logins in wanted]


def good(image: str, size: int = GB, layer: str = "a") -> Found:
    return Found(image, FOUND, layers=((f"sha256:{layer}", size),))


def bad(image: str, outcome: str) -> Found:
    return Found(image, outcome, message=f"It is {outcome}.")


def order(path: str = "", is_replacement: bool = False, **fields: Any) -> Order:
    body = {"images": ["r.example/a"], "azInfo": {"azName": "az1"}, **fields}
    return Order(path, body, is_replacement)


def findings(*orders: Order, look_up: Any = None, factor: float = 3.0, zones: Any = None, quota: Any = None) -> list[str]:  # fmt: skip
    """What a preflight that only warns says."""
    warnings = Preflight(False, factor, look_up or Registries()).check(orders, zones, quota)
    assert all(warning.startswith("Preflight: ") for warning in warnings)
    return [warning[len("Preflight: ") :] for warning in warnings]


MISSING, NO_LOGIN, FAR = (bad(f"r.example/{outcome}", outcome) for outcome in (NOT_FOUND, REFUSED, UNKNOWN))
OTHER_LOGIN = {**LOGIN, "server": "other.example"}


@pytest.mark.parametrize(
    ("one", "logins", "path", "is_note"),
    [
        (MISSING, [], "images[1]", False),
        (NO_LOGIN, [], "images[1]", False),
        (replace(NO_LOGIN, login=1), [OTHER_LOGIN, LOGIN], "image_registry_credentials[1]", False),
        (NO_LOGIN, [OTHER_LOGIN], "images[1]", False),
        (FAR, [], "images[1]", True),
        # CTYun does not document where it looks for these
        (bad("web/app", NOT_FOUND), [], "images[1]", True),
        (bad("web/app", REFUSED), [LOGIN], "images[1]", True),
    ],
)
def test_what_is_wrong_with_an_image(one: Found, logins: Any, path: str, is_note: bool) -> None:
    look_up = Registries(one)
    wanted = order("image_caches[0].", images=["r.example/good", one.image], imageRegistryCredentials=logins)
    (found,) = findings(wanted, look_up=look_up)
    assert found.startswith(f"image_caches[0].{path}: '{one.image}': {one.message}")
    assert PASSWORD not in found
    preflight = Preflight(True, 3, look_up)
    if is_note:
        assert preflight.check([wanted], None, None) == ["Preflight: " + found]
    else:
        with pytest.raises(StateConflict) as caught:
            preflight.check([wanted], None, None)
        assert f"- {found}" in caught.value.message


@pytest.mark.parametrize(
    ("sizes", "given", "factor", "least"),
    [
        ({"a": 5}, None, 3, None),  # too small to matter
        ({"a": 7}, None, 3, 21),
        ({"a": 7}, 21, 3, None),
        ({"a": 7}, 20, 3, 21),
        ({"a": 7, "b": 8}, 21, 3, 45),
        ({"a": 7}, 20, 2, None),
    ],
)
def test_the_size(sizes: dict[str, int], given: int | None, factor: float, least: int | None) -> None:
    look_up = Registries(*(good(f"r.example/{name}", size * GB, name) for name, size in sizes.items()))
    fields = {"imageCacheSize": given} if given else {}
    wanted = order("x.", images=[f"r.example/{name}" for name in sizes], **fields)
    found = findings(wanted, look_up=look_up, factor=factor)
    if least is None:
        assert found == []
    else:
        (text,) = found
        assert text == (
            f"x.image_cache_size: {given or 20} GB are less than the unpacked images need, which is about {least} GB"
            f" ({factor:g} x their compressed layers, see size_factor)"
        )


def test_the_size_is_not_known_where_an_image_is_not() -> None:
    look_up = Registries(good("r.example/huge", 100 * GB), FAR)
    assert len(findings(order(images=["r.example/huge", FAR.image]), look_up=look_up)) == 1


def test_a_zone_that_the_region_does_not_have() -> None:
    orders = [order("image_caches[0].", azInfo={"azName": "az7"}), order("image_caches[1].")]
    text = "image_caches[0].az_info.az_name: 'az7' is not a zone of this region. Its zones: az1, az2"
    assert findings(*orders, zones=["az1", "az2"]) == [text]
    for unknown in (None, []):
        assert findings(*orders, zones=unknown) == []


@pytest.mark.parametrize(("limit", "is_short"), [(3, False), (2, True)])
def test_the_quota_counts_what_replaces_nothing(limit: int, is_short: bool) -> None:
    orders = [order(), order(), order(is_replacement=True)]
    text = f"the quota of image caches: 2 would be created, and 1 of {limit} are used"
    assert findings(*orders, quota=(1, limit)) == [text] * is_short
    if is_short:
        preflight = Preflight(True, 3, Registries())
        assert preflight.check(orders, None, (1, limit), makes_room=True) == [f"Preflight: {text}"]
        with pytest.raises(StateConflict, match="2 would be created"):
            preflight.check(orders, None, (1, limit))
    assert findings(order(is_replacement=True), quota=(9, 2)) == []


def test_all_is_in_one_message_with_what_is_not_known() -> None:
    orders = [
        order("image_caches[0].", images=[FAR.image], azInfo={"azName": "nowhere"}),
        order("image_caches[2].", images=[MISSING.image]),
    ]
    with pytest.raises(StateConflict) as caught:
        Preflight(True, 3, Registries(FAR, MISSING)).check(orders, ["az1"], (0, 0))
    assert [line.partition(": ")[0] for line in caught.value.message.splitlines()] == [
        "The preflight found mistakes. Nothing was ordered or changed:",
        "- image_caches[0].az_info.az_name",
        "- the quota of image caches",
        "- image_caches[2].images[0]",
        "Not known:",
        "- image_caches[0].images[0]",
    ]
    assert caught.value.effect == "none"


def test_each_image_is_looked_up_with_the_logins_of_its_order() -> None:
    look_up = Registries(bad("r.example/b", NOT_FOUND))
    orders = [
        order("image_caches[0].", images=["r.example/a"]),
        order("image_caches[1].", images=["r.example/a", "r.example/b"], imageRegistryCredentials=[LOGIN]),
    ]
    (found,) = findings(*orders, look_up=look_up)
    assert found.startswith("image_caches[1].images[1]: ")
    login = {"server": "r.example", "user_name": "web", "password": PASSWORD}
    assert look_up.asked == [("r.example/a", []), ("r.example/a", [login]), ("r.example/b", [login])]


def test_nothing_is_looked_up_without_an_order() -> None:
    look_up = Registries()
    assert Preflight(True, 3, look_up).check([], ["az1"], (9, 9)) == []
    assert look_up.asked == []


def layers(*found: tuple[str, int]) -> Found:
    return Found("x", FOUND, layers=found)


@pytest.mark.parametrize(
    ("images", "factor", "size"),
    [
        ([layers(("a", 1))], 3, 20),
        ([layers(("a", 20 * GB))], 1, 20),
        ([layers(("a", 20 * GB + 1))], 1, 21),
        ([layers(("a", 10 * GB)), layers(("b", 1))], 3, 31),
        ([layers(("a", 10 * GB), ("b", GB)), layers(("a", 10 * GB), ("c", GB))], 3, 36),
        ([layers(("a", 20 * GB))], 1.1, 22),
        ([layers(("a", 100 * GB))], 1.15, 115),
        ([], 3, 20),
        *(([layers(("a", 1)), Found("y", outcome)], 3, None) for outcome in OUTCOMES if outcome != FOUND),
    ],
)
def test_the_required_size_counts_shared_layers_once(images: list[Found], factor: float, size: int | None) -> None:
    assert required_size(images, factor) == size


def test_the_size_of_an_image_is_that_of_its_different_layers() -> None:
    assert layers(("a", 5), ("b", 7), ("a", 5)).size == 12
    assert Found("x", NOT_FOUND).size is None
