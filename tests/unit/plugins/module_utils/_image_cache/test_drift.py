# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs from the task, and what is only written in another way: no drift, and no second disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import StateConflict
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    REGION,
    MakeClient,
    Run,
    RunOne,
    operations,
    present,
    seed,
    wanted,
)

ZONE = "cn-huadong1-az1-public-ctcloud"


@pytest.mark.parametrize(
    ("option", "settings"),
    [
        ("az_info.az_name", {"zone_aliases": [f"az1={ZONE}"], "zones": [ZONE]}),
        ("images", {"image_prefix": "docker.io/library/"}),
        ("images", {"image_prefix": "registry.internal/mirror/"}),
        (None, {"size_step": 100}),
    ],
    ids=["zone", "images", "images of a mirror", "size"],
)
def test_it_is_no_drift_and_never_ordered_again(
    option: str | None,
    settings: dict[str, Any],
    emulator: Emulator,
    run_one: RunOne,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    emulator.settings.update(settings)
    expected = [f"returns {option} as"] if option else []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / str(number)))  # each run may be in a fresh container
        item = run_one(drift="recreate")
        assert (item.changed, item.drift) == (number == 0, [])
        assert [text in warning for text, warning in zip(expected, item.warnings, strict=True)] == [True] * len(
            expected
        )
        assert not run_one(drift="recreate", check_mode=True).changed
        assert not run_one(drift="fail").changed
    assert len(emulator.sent(CREATE)) == 1


def test_what_was_just_made_and_differs_is_not_replaced(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.update({"zone_aliases": [f"az1={ZONE}"], "zones": ["az1", ZONE]})  # both exist: that is drift
    item = run_one(drift="recreate")
    assert len(emulator.sent(CREATE)) == 1
    (warning,) = item.warnings
    assert warning == (
        f"The new image cache {item.image_cache_id} has az_info.az_name {ZONE!r}, not 'az1' as the task says. The next run"
        " treats this as drift."
    )


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize(("name", "becomes"), [("Web-APP", "web-app"), ("a" * 70, "a" * 63)], ids=["case", "length"])
def test_a_name_of_its_own_is_deleted_again(
    name: str, becomes: str, bulk: bool, emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = emulator.service._create
    monkeypatch.setattr(emulator.service, "_create", lambda body, now: real({**body, "imageCacheName": becomes}, now))
    desired = [Desired("present", {**BODY, "imageCacheName": name})]
    for _run in range(2):
        (item,) = reconcile(desired, Context(client, Wait(60, 5)), by_name=not bulk).items
        assert isinstance(item.error, StateConflict)
        assert f"write image_cache_name: {becomes}, or" in item.error.message
        assert (item.changed, item.image_cache_id) == (False, None)
        assert present(emulator) == []


@pytest.fixture
def lower_case(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that writes names in lower case."""
    real = emulator.service._create

    def create(body: dict[str, Any], now: float) -> Any:
        return real({**body, "imageCacheName": body["imageCacheName"].lower()}, now)

    monkeypatch.setattr(emulator.service, "_create", create)


@pytest.mark.usefixtures("lower_case")
class TestLowerCase:
    @pytest.mark.parametrize("by_name", [True, False])
    def test_what_replaces_another_one_is_left(self, by_name: bool, emulator: Emulator, run: Run) -> None:
        old = seed(emulator)
        (item,) = run(wanted("Web", image_cache_id=old, drift="recreate"), by_name=by_name).items
        assert "write image_cache_name: web, or no task finds it. It was left as it is." in str(item.error)
        assert (item.changed, present(emulator)) == (True, [item.image_cache_id])
        assert item.image_cache_id != old

    def test_beside_another_spelling_the_good_one_stays(
        self, emulator: Emulator, run: Run, at: Callable[..., None]
    ) -> None:
        at(CREATE, 2, lambda: emulator.advance(2))
        bad, good = run(wanted("Web"), wanted("web"), concurrency=1).items
        assert "It was deleted again" in str(bad.error)
        assert (bad.changed, good.error, good.changed, good.warnings) == (False, None, True, [])
        assert present(emulator) == [good.image_cache_id]

    def test_after_a_lost_reply_another_one_may_be_there(self, emulator: Emulator, run: Run) -> None:
        emulator.inject(Fault("reset", CREATE, when="after"))
        (item,) = run(wanted("Web")).items
        assert str(item.error).endswith("An earlier attempt may have created another one. It was deleted again.")
        assert (item.error.effect, item.changed, len(present(emulator))) == ("possible", True, 1)

    def test_one_that_cannot_be_deleted_again_is_named(self, emulator: Emulator, run: Run) -> None:
        emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden", message="not yours"))
        (item,) = run(wanted("Web")).items
        assert re.search("not yours.*The service named the new image cache 'web'", str(item.error))
        assert (item.changed, present(emulator)) == (True, [item.image_cache_id])


def test_a_failed_status_is_no_spelling(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.ready_after = 0
    outcome = run_one(images=["does-not-exist:1"])
    assert outcome.image_cache and outcome.image_cache.has_failed
    assert outcome.warnings == []


def test_the_order_of_images_makes_no_difference(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.image_prefix = "docker.io/library/"
    run_one(images=["nginx", "redis"])
    assert run_one(images=["redis", "nginx"], drift="recreate").drift == []


def test_a_zone_that_the_region_does_not_list_is_no_drift(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.zones = [ZONE, "cn-xinan1-2A"]
    seed(emulator, azName=ZONE)
    outcome = run_one(drift="recreate")
    assert (outcome.changed, outcome.drift) == (False, [])
    assert "az_info.az_name" in outcome.warnings[0]
    assert operations(emulator) == [LIST, REGION]


def test_two_zones_of_the_region_are_two(emulator: Emulator, run_one: RunOne) -> None:
    old_id = seed(emulator, azName="cn-xinan1-1A")
    outcome = run_one(drift="recreate")
    assert outcome.changed
    assert outcome.image_cache_id != old_id


def test_a_zone_that_cannot_be_compared_is_no_drift(
    emulator: Emulator, run_one: RunOne, make_client: MakeClient
) -> None:
    old_id = seed(emulator, azName="cn-xinan1-1A")
    emulator.inject(Fault("status", REGION, times=None))
    item = run_one(drift="recreate", client=make_client(retries=0))
    assert (item.changed, item.drift, item.image_cache_id) == (False, [], old_id)


def test_other_images_and_a_smaller_size_are_drift(emulator: Emulator, run_one: RunOne) -> None:
    emulator.settings.size_step = 100
    run_one()
    assert [difference["option"] for difference in run_one(images=["redis:7"]).drift] == ["images"]
    assert run_one(imageCacheSize=50).drift == []
    assert [difference["option"] for difference in run_one(imageCacheSize=101).drift] == ["image_cache_size"]


def test_present_takes_a_failed_deletion_for_a_failure(emulator: Emulator, run_one: RunOne) -> None:
    seed(emulator, status="delete_failed")
    with pytest.raises(StateConflict, match="status"):
        run_one(drift="fail")
    assert run_one(drift="recreate").changed
