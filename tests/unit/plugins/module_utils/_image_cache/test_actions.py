# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A create takes effect at most once, whatever happens to its reply; and a deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    ServiceError,
    StateConflict,
    Throttled,
    Unanswered,
    Unreachable,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.actions import delete
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import CONSISTENCY_DELAYS, Wait
from tests.emulator import Emulator, Fault, Proxy
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    REGION,
    MakeClient,
    RunOne,
    operations,
    present,
    reconcile_one,
    seed,
    somebody_else_creates,
)

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


@pytest.fixture
def run(client: Client) -> RunOne:
    def run(client: Client = client, **changes: Any) -> Item:
        return reconcile_one(Desired("present", {**BODY, **changes}), client)

    return run


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_outcome_after_the_effect_is_adopted(emulator: Emulator, run: RunOne, kind: str) -> None:
    emulator.inject(OPEN[kind](when="after"))
    outcome = run()
    assert outcome.changed
    assert outcome.warnings == []
    assert [outcome.image_cache_id] == present(emulator)
    assert len(emulator.sent(CREATE)) == 1


def test_the_request_id_is_that_of_the_attempt_that_created_it(emulator: Emulator, run: RunOne) -> None:
    emulator.inject(OPEN["500"](when="after"))
    outcome = run()
    assert outcome.request_id
    emulator.settings.update({"unique_names": True, "list_lag": 1})
    somebody_else_creates(emulator, imageCacheName="db")
    adopted = run(imageCacheName="db")
    assert (adopted.request_id, adopted.changed) == (None, False)


@pytest.mark.parametrize("kind", OPEN)
def test_an_open_outcome_without_effect_is_sent_again_after_several_lists(
    emulator: Emulator, run: RunOne, kind: str
) -> None:
    emulator.inject(OPEN[kind](when="before"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator)
    sent = [record.operation for record in emulator.requests]
    assert sent == [LIST, CREATE, *[LIST] * len(CONSISTENCY_DELAYS), CREATE, LIST]


def test_a_hanging_reply_is_adopted(emulator: Emulator, run: RunOne, make_client: MakeClient) -> None:
    emulator.inject(Fault("hang", CREATE, when="after", seconds=5))
    outcome = run(make_client(timeout=0.3))
    assert [outcome.image_cache_id] == present(emulator)
    assert len(emulator.sent(CREATE)) == 1


def test_lists_after_an_open_outcome_have_growing_pauses(emulator: Emulator, run: RunOne, sleeps: list[float]) -> None:
    emulator.settings.list_lag = sum(CONSISTENCY_DELAYS)
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run()
    assert [outcome.image_cache_id] == present(emulator)
    assert sleeps[: len(CONSISTENCY_DELAYS) - 1] == list(CONSISTENCY_DELAYS[1:]) == sorted(CONSISTENCY_DELAYS[1:])


def test_a_list_that_lags_after_a_create_is_waited_for(emulator: Emulator, run: RunOne) -> None:
    emulator.settings.list_lag = 2
    outcome = run()
    assert outcome.image_cache and outcome.image_cache.status
    assert outcome.warnings == []


def test_an_id_is_kept_though_the_list_never_shows_it(emulator: Emulator, run: RunOne) -> None:
    emulator.settings.list_lag = 10_000
    outcome = run()
    assert [outcome.image_cache_id] == present(emulator)
    assert outcome.image_cache and outcome.image_cache.image_cache_id == outcome.image_cache_id
    assert "is not listed yet" in outcome.warnings[0]


def test_an_id_is_kept_though_reading_fails(emulator: Emulator, make_client: MakeClient) -> None:
    emulator.inject(Fault("status", LIST, skip=1, times=None))
    ctx = Context(make_client(retries=1), Wait(60, 5))
    outcome = reconcile([Desired("present", BODY)], ctx, by_name=True)
    (item,) = outcome.items
    assert (item.error, item.changed, [item.image_cache_id]) == (None, True, present(emulator))
    assert "The new image caches could not be read" in outcome.warnings[0]


def test_too_many_requests_are_met_with_a_pause(emulator: Emulator, run: RunOne, sleeps: list[float]) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", retry_after=7, times=2))
    outcome = run()
    assert [outcome.image_cache_id] == present(emulator)
    assert 14 <= sum(sleeps) < 15


def test_a_bad_service_gives_an_end(emulator: Emulator, run: RunOne, make_client: MakeClient) -> None:
    emulator.inject(Fault("status", CREATE, status=503, times=None))
    with pytest.raises(Unanswered, match=r"named 'web' may exist.*image_cache_info") as caught:
        run(make_client(retries=2))
    assert len(emulator.sent(CREATE)) == 3
    assert REGION not in operations(emulator)
    assert not caught.value.item.changed


def test_throttling_alone_leaves_no_doubt(emulator: Emulator, run: RunOne, make_client: MakeClient) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", times=None))
    with pytest.raises(Throttled) as caught:
        run(make_client(retries=1))
    assert "may exist" not in caught.value.message


def test_an_open_outcome_that_cannot_be_looked_up_is_an_error(
    emulator: Emulator, run: RunOne, make_client: MakeClient
) -> None:
    emulator.inject(Fault("reset", CREATE, when="after"), Fault("status", LIST, skip=1, times=None))
    with pytest.raises(Unanswered, match=r"could not be read either.*may exist"):
        run(make_client(retries=1))
    assert len(emulator.sent(CREATE)) == 1


@pytest.mark.parametrize("http_errors", [True, False], ids=["409", "200"])
def test_already_exists_from_somebody_else_is_no_change(emulator: Emulator, run: RunOne, http_errors: bool) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": 1, "http_errors": http_errors})
    somebody_else_creates(emulator, images=["redis:7"], tags=[{"key": "a", "value": "1"}])
    outcome = run(tags=[{"key": "b", "value": "1"}])
    assert [outcome.image_cache_id] == present(emulator)
    assert [difference["option"] for difference in outcome.drift] == ["images"]
    assert outcome.changed  # the tags, not the creation
    assert len(emulator.sent("updateImageCache")) == 1


def test_already_exists_without_a_trace_is_an_error(emulator: Emulator, run: RunOne) -> None:
    emulator.inject(Fault("status", CREATE, status=409, reason="AlreadyExists", times=None))
    with pytest.raises(AlreadyExists):
        run()
    assert len(emulator.sent(CREATE)) == 1


def test_already_exists_after_an_open_outcome_is_a_change(emulator: Emulator, run: RunOne) -> None:
    emulator.settings.update({"unique_names": True, "list_lag": sum(CONSISTENCY_DELAYS) + 2})
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", CREATE, status=401, reason="Unauthorized"), AuthenticationError),
        (Fault("status", CREATE, status=422, reason="Invalid"), EciError),
        (Fault("redirect", CREATE), EciError),
    ],
)
def test_a_refusal_is_final(emulator: Emulator, run: RunOne, fault: Fault, kind: type[EciError]) -> None:
    emulator.inject(fault)
    with pytest.raises(kind) as caught:
        run()
    assert len(emulator.sent(CREATE)) == 1
    assert (REGION in operations(emulator)) is (kind is EciError)
    assert ("may exist" in caught.value.message) is (caught.value.effect == POSSIBLE) is (fault.kind == "redirect")


# --- a refusal of a later attempt does not undo an earlier one


REFUSALS: dict[str, Callable[[], Fault]] = {
    "quota": lambda: Fault("status", CREATE, status=429, reason="QuotaExceed", skip=1),
    "forbidden": lambda: Fault("status", CREATE, status=403, reason="Forbidden", skip=1),
    "invalid": lambda: Fault("status", CREATE, status=422, reason="Invalid", skip=1),
    "gateway": lambda: Fault("gateway", CREATE, code="10009", skip=1),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_attempt_that_was_lost_is_adopted_though_the_next_one_is_refused(
    refusal: str, emulator: Emulator, run: RunOne
) -> None:
    emulator.settings.list_lag = sum(CONSISTENCY_DELAYS) + 3  # so that the lists after the first attempt miss it
    emulator.inject(REFUSALS[refusal](), Fault("reset", CREATE, when="after"))
    outcome = run()
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator)
    assert len(emulator.sent(CREATE)) == 2


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_attempt_that_stays_unseen_is_mentioned_when_the_next_one_is_refused(
    refusal: str, emulator: Emulator, run: RunOne
) -> None:
    emulator.settings.list_lag = 10_000
    emulator.inject(REFUSALS[refusal](), Fault("reset", CREATE, when="after"))
    with pytest.raises(ServiceError, match="An image cache named 'web' may exist") as caught:
        run()
    assert caught.value.effect == POSSIBLE
    assert not caught.value.item.changed


def test_without_retries_one_that_was_lost_is_looked_up(
    emulator: Emulator, run: RunOne, make_client: MakeClient
) -> None:
    emulator.inject(Fault("reset", CREATE, when="after", times=None))
    outcome = run(make_client(retries=0))
    assert [outcome.image_cache_id] == present(emulator)
    emulator.settings.list_lag = 10_000
    with pytest.raises(Unanswered, match="may exist"):
        run(make_client(retries=0), imageCacheName="db")


@pytest.mark.parametrize("retry_max_delay", [0.0, 0.5, 30.0])
def test_the_lists_keep_their_pauses(
    retry_max_delay: float, emulator: Emulator, run: RunOne, make_client: MakeClient, sleeps: list[float]
) -> None:
    emulator.settings.list_lag = sum(CONSISTENCY_DELAYS)
    emulator.inject(Fault("reset", CREATE, when="after"))
    outcome = run(make_client(retry_max_delay=retry_max_delay))
    assert len(emulator.sent(CREATE)) == 1
    assert [outcome.image_cache_id] == present(emulator)
    assert sleeps == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("gateway", CREATE, code="99999", status=400),
        Fault("gateway", CREATE, code="10009", status=200, shape="full"),
        Fault("status", CREATE, status=404, html=True),
        Fault("json", CREATE, value={"statusCode": 900, "message": "no"}),
        Fault("json", CREATE, value={"statusCode": 404, "message": "no Route matched"}),
    ],
    ids=["unknown code", "known code", "page", "no code", "404 of something else"],
)
def test_a_refusal_that_is_not_known_as_one_gets_a_last_list(fault: Fault, emulator: Emulator, run: RunOne) -> None:
    known = fault.details.get("code") == "10009"
    emulator.inject(fault)
    with pytest.raises(ServiceError) as caught:
        run()
    assert len(emulator.sent(CREATE)) == 1
    assert caught.value.effect == (NONE if known else POSSIBLE)
    assert ("may exist" in caught.value.message) is not known
    looked = len(emulator.sent(LIST)) - 1
    assert looked == (0 if known else len(CONSISTENCY_DELAYS))


def test_a_rate_that_is_refused_costs_no_list(emulator: Emulator, run: RunOne) -> None:
    emulator.inject(Fault("status", CREATE, status=429, reason="TooManyRequests", times=2))
    run()
    assert operations(emulator) == [LIST, CREATE, CREATE, CREATE, LIST]


def test_a_failure_says_how_often_and_how_long(emulator: Emulator, run: RunOne, make_client: MakeClient) -> None:
    emulator.inject(Fault("status", CREATE, times=None))
    client = make_client(retries=2)
    with pytest.raises(Unanswered, match=r"This was attempt 3, \d+ s after the first") as caught:
        run(client)
    assert caught.value.failure()["attempts"] == 3


# --- behind a proxy that loses replies


@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("list_lag", [0, 3])
def test_a_proxy_that_loses_the_reply_to_a_create(
    retries: int, list_lag: float, proxied: Proxy, emulator: Emulator, run: RunOne, make_client: MakeClient
) -> None:
    emulator.settings.list_lag = list_lag
    proxied.drop_reply(match="createImageCache")
    outcome = run(make_client(retries=retries))
    assert outcome.changed
    assert [outcome.image_cache_id] == present(emulator)
    assert len(emulator.sent(CREATE)) == 1


def test_a_proxy_that_does_not_connect_leaves_no_doubt(
    proxied: Proxy, emulator: Emulator, run: RunOne, make_client: MakeClient
) -> None:
    client = make_client(retries=0)
    proxied.__exit__(None, None, None)
    with pytest.raises(Unreachable) as caught:
        run(client)
    assert caught.value.effect == NONE
    assert "may exist" not in caught.value.message


def test_an_earlier_attempt_that_may_still_take_effect_is_mentioned(emulator: Emulator, run: RunOne) -> None:
    emulator.inject(Fault("late", CREATE, seconds=20))
    outcome = run()
    assert len(emulator.sent(CREATE)) == 2
    assert "If it takes effect late, there will be two image caches of that name" in outcome.warnings[0]
    emulator.advance(30)
    with pytest.raises(StateConflict):
        run()


def test_of_several_that_may_still_take_effect_one_is_found(emulator: Emulator, run: RunOne) -> None:
    emulator.inject(Fault("late", CREATE, seconds=12, times=2))
    outcome = run()
    assert len(emulator.sent(CREATE)) == 2
    assert [outcome.image_cache_id] == present(emulator)
    assert "If it takes effect late, there will be two image caches of that name" in outcome.warnings[0]
    emulator.advance(30)
    with pytest.raises(StateConflict):
        run()


class TestDelete:
    def test_one_that_is_gone(self, client: Client) -> None:
        assert delete(ImageCachesApi(client), ImageCache("imc-none")) == (False, None)

    def test_one_that_is_going(self, client: Client, emulator: Emulator) -> None:
        emulator.settings.update({"delete_again": "conflict", "delete_after": 100})
        api, going = ImageCachesApi(client), ImageCache(seed(emulator))
        assert delete(api, going)[0]
        assert not delete(api, going)[0]

    def test_what_cannot_be_looked_up_is_said_once(self, emulator: Emulator, make_client: MakeClient) -> None:
        emulator.inject(Fault("reset", DELETE, times=None), Fault("status", LIST, times=None))
        with pytest.raises(Unanswered, match="Its state could not be read either") as caught:
            delete(ImageCachesApi(make_client(retries=0)), ImageCache(seed(emulator)))
        assert caught.value.message.count("may have been deleted") == 1
