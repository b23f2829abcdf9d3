# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A create takes effect at most once, whatever happens to its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AlreadyExists,
    AuthenticationError,
    EciError,
    OpenOutcome,
    Throttled,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache import create
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.converge import Outcome, converge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._service.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._wait import Wait
from tests.emulator import Emulator, Fault

CREATE, LIST = "createImageCache", "describeImageCaches"
BODY = {
    "imageCacheName": "web",
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}

OPEN: dict[str, Callable[..., Fault]] = {
    "reset": lambda **more: Fault("reset", CREATE, **more),
    "cut off": lambda **more: Fault("truncate", CREATE, **more),
    "page": lambda **more: Fault("html", CREATE, **more),
    "empty": lambda **more: Fault("body", CREATE, body=b"", **more),
    "null": lambda **more: Fault("json", CREATE, value=None, **more),
    "list": lambda **more: Fault("json", CREATE, value=[], **more),
    "odd object": lambda **more: Fault("json", CREATE, value={"imageCacheId": 7}, **more),
    "returnObj a text": lambda **more: Fault("json", CREATE, value={"statusCode": 200, "returnObj": "x"}, **more),
    "without an ID": lambda **more: Fault("json", CREATE, value={"statusCode": 200, "returnObj": {}}, **more),
    "500": lambda **more: Fault("status", CREATE, status=500, reason="InternalError", **more),
    "502 page": lambda **more: Fault("status", CREATE, status=502, html=True, **more),
    "504": lambda **more: Fault("status", CREATE, status=504, reason="Timeout", **more),
}


@pytest.fixture(autouse=True)
def _locks_of_this_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def run(client: Client) -> Callable[..., Outcome]:
    def run(client: Client = client, **changes: Any) -> Outcome:
        return converge(Wanted("present", {**BODY, **changes}), client, Wait(60, 5))

    return run


def caches(emulator: Emulator) -> list[str]:
    return [cache["imageCacheId"] for cache in emulator.service.caches()]


def somebody_else_creates(emulator: Emulator, **changes: Any) -> None:
    emulator.service.perform(CREATE, emulator.settings.region_id, "", {**BODY, **changes})


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_outcome_after_the_effect_is_adopted(
    emulator: Emulator, run: Callable[..., Outcome], kind: str
) -> None:
    emulator.inject(OPEN[kind](when="after"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == caches(emulator)
    assert len(emulator.sent(CREATE)) == 1


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_outcome_without_effect_is_sent_again_after_several_looks(
    emulator: Emulator, run: Callable[..., Outcome], kind: str
) -> None:
    emulator.inject(OPEN[kind](when="before"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == caches(emulator)
    sent = [record.operation for record in emulator.requests]
    assert sent == [LIST, CREATE, *[LIST] * len(create.LOOK_PAUSES), CREATE, LIST]


def test_a_hanging_reply_is_adopted(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("hang", CREATE, when="after", seconds=5))
    outcome = run(make_client(timeout=0.3))
    assert [outcome.image_cache_id] == caches(emulator)
    assert len(emulator.sent(CREATE)) == 1


def test_looks_are_several_with_growing_pauses(
    emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
) -> None:
    emulator.settings.list_lag = sum(create.LOOK_PAUSES)
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run()
    assert [outcome.image_cache_id] == caches(emulator)
    assert sleeps[: len(create.LOOK_PAUSES) - 1] == list(create.LOOK_PAUSES[1:]) == sorted(create.LOOK_PAUSES[1:])


def test_a_list_that_lags_after_a_create_is_waited_for(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.list_lag = 2
    outcome = run()
    assert outcome.image_cache and outcome.image_cache["status"]
    assert outcome.warnings == []


def test_an_id_is_kept_though_the_list_never_shows_it(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.list_lag = 10_000
    outcome = run()
    assert [outcome.image_cache_id] == caches(emulator)
    assert outcome.image_cache and outcome.image_cache["image_cache_id"] == outcome.image_cache_id
    assert "does not list it yet" in outcome.warnings[0]


def test_an_id_is_kept_though_reading_fails(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    with pytest.raises(OpenOutcome) as caught:
        run(make_client(retries=1))
    assert caught.value.outcome.changed
    assert [caught.value.outcome.image_cache_id] == caches(emulator)


def test_too_many_requests_are_met_with_a_pause(
    emulator: Emulator, run: Callable[..., Outcome], sleeps: list[float]
) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", retry_after=7, times=2))
    outcome = run()
    assert [outcome.image_cache_id] == caches(emulator)
    assert [pause for pause in sleeps if pause] == [7, 7]


def test_a_bad_service_gives_an_end(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", CREATE, status=503, times=None))
    with pytest.raises(OpenOutcome, match=r"named 'web' may exist.*image_cache_info") as caught:
        run(make_client(retries=2))
    assert len(emulator.sent(CREATE)) == 3
    assert not caught.value.outcome.changed


def test_throttling_alone_leaves_no_doubt(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", times=None))
    with pytest.raises(Throttled) as caught:
        run(make_client(retries=1))
    assert "may exist" not in caught.value.message


def test_what_cannot_be_settled_is_said(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.inject(Fault("reset", CREATE, when="after"), Fault("status", LIST, skip=1, times=None))
    with pytest.raises(OpenOutcome, match=r"could not be looked up either.*may exist"):
        run(make_client(retries=1))
    assert len(emulator.sent(CREATE)) == 1


@pytest.mark.parametrize("http_errors", [True, False], ids=["409", "200"])
def test_already_exists_from_somebody_else_is_no_change(
    emulator: Emulator, run: Callable[..., Outcome], http_errors: bool
) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 1, "http_errors": http_errors})
    somebody_else_creates(emulator, images=["redis:7"], tags=[{"key": "a", "value": "1"}])
    outcome = run(tags=[{"key": "b", "value": "1"}])
    assert [outcome.image_cache_id] == caches(emulator)
    assert [difference["option"] for difference in outcome.drift] == ["images"]
    assert outcome.changed  # the tags, not the creation
    assert len(emulator.sent("updateImageCache")) == 1


def test_already_exists_without_a_trace_is_an_error(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.inject(Fault("status", CREATE, status=409, reason="AlreadyExists", times=None))
    with pytest.raises(AlreadyExists):
        run()
    assert len(emulator.sent(CREATE)) == 1


def test_already_exists_after_an_open_outcome_is_a_change(emulator: Emulator, run: Callable[..., Outcome]) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": sum(create.LOOK_PAUSES) + 2})
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == caches(emulator)


def test_two_of_a_name_after_a_create_are_told_with_their_ids(
    emulator: Emulator, run: Callable[..., Outcome], make_client: Callable[..., Client]
) -> None:
    emulator.settings.list_lag = 1
    somebody_else_creates(emulator)
    outcome = run(make_client(sleep=lambda seconds: emulator.advance(max(seconds, 1))))
    assert outcome.changed
    assert all(image_cache_id in outcome.warnings[0] for image_cache_id in caches(emulator))
    assert len(caches(emulator)) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", CREATE, status=401, reason="Unauthorized"), AuthenticationError),
        (Fault("status", CREATE, status=422, reason="Invalid"), EciError),
        (Fault("redirect", CREATE), EciError),
    ],
)
def test_a_refusal_is_final(emulator: Emulator, client: Client, fault: Fault, kind: type[EciError]) -> None:
    emulator.inject(fault)
    with pytest.raises(kind):
        create.create(ImageCaches(client), BODY)
    assert len(emulator.sent(CREATE)) == 1
