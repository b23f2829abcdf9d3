# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every transition of an image cache over the emulator: the requests that are sent, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AmbiguousName,
    Blocked,
    DriftError,
    EciError,
    LockError,
    NameRewritten,
    NoSuchCache,
    QuotaUsedUp,
    ServiceError,
    Unanswered,
    WaitFailed,
    WaitTimeout,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.confirm import Confirmer
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault, Proxy, Record
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    DESCRIBE,
    LIST,
    REGION,
    UPDATE,
    USAGE,
    A,
    B,
    held,
    names,
    operations,
    present,
    reconcile_one,
    seed,
    somebody_else_creates,
)


@pytest.fixture
def run(client: Client, sleeps: list[float]) -> Callable[..., Item]:
    """Converge with the body above and some changes; waiting takes no time."""

    def run(state: str = "present", *, check_mode: bool = False, timeout: float = 60, **options: Any) -> Item:
        fields = ("image_cache_id", "purge_tags", "drift", "wait")
        wanted = {name: options.pop(name) for name in fields if name in options}
        used = options.pop("client", client)
        wait = Wait(timeout, 5)
        return reconcile_one(Desired(state, {**BODY, **options}, **wanted), used, wait, check_mode)

    return run


# What is there, by name.
EXISTING: dict[str, dict[str, Any]] = {
    "plain": {},
    "tagged": {"tags": [A]},
    "other images": {"images": ["redis:7"]},
    "failed": {"status": "failed"},
}
# What the task says about tags, by name: tags and purge_tags.
TAGS: dict[str, tuple[Any, bool]] = {
    "unset": (None, True),
    "empty": ([], True),
    "a": ([A], True),
    "b": ([B], True),
    "b more": ([B], False),
    "a more": ([A], False),
}
# What becomes of what is there with state present: by what the task says about tags, and about drift.
#   existing       tags      warn     fail     recreate
PRESENT = """
    nothing      | unset   | create | create | create
    nothing      | empty   | create | create | create
    nothing      | a       | create | create | create
    nothing      | b more  | create | create | create
    plain        | unset   | -      | -      | -
    plain        | empty   | -      | -      | -
    plain        | a       | retag  | retag  | retag
    plain        | b more  | retag  | retag  | retag
    tagged       | unset   | -      | -      | -
    tagged       | empty   | retag  | retag  | retag
    tagged       | a       | -      | -      | -
    tagged       | b       | retag  | retag  | retag
    tagged       | b more  | retag  | retag  | retag
    tagged       | a more  | -      | -      | -
    other images | unset   | warn   | fail   | replace
    other images | empty   | warn   | fail   | replace
    other images | a       | retag+ | fail   | replace
    failed       | unset   | warn   | fail   | replace
    failed       | b more  | retag+ | fail   | replace
"""
# What each of them sends after it has looked.
SENT = {
    "create": [CREATE, LIST],
    "retag": [UPDATE, LIST],
    "retag+": [UPDATE, LIST],
    "replace": [REGION, USAGE, LIST, DELETE, LIST, CREATE, LIST],
    "delete": [DELETE],
    "-": [],
    "warn": [],
    "fail": [],
}
TRANSITIONS = [
    pytest.param("present", existing, tags, drift, becomes, id=f"{existing}-{tags}-{drift}")
    for line in PRESENT.strip().splitlines()
    for existing, tags, *columns in [[part.strip() for part in line.split("|")]]
    for drift, becomes in zip(("warn", "fail", "recreate"), columns, strict=True)
] + [
    pytest.param("absent", existing, "a", "warn", "-" if existing == "nothing" else "delete", id=f"absent-{existing}")
    for existing in ("nothing", *EXISTING)
]


@pytest.mark.parametrize("wait", [False, True], ids=["", "wait"])
@pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
@pytest.mark.parametrize(("state", "existing", "tags", "drift", "becomes"), TRANSITIONS)
def test_transition(
    emulator: Emulator,
    run: Callable[..., Item],
    state: str,
    existing: str,
    tags: str,
    drift: str,
    becomes: str,
    check_mode: bool,
    wait: bool,
) -> None:
    old_id = seed(emulator, **EXISTING[existing]) if existing in EXISTING else None
    wanted_tags, purge_tags = TAGS[tags]
    options: dict[str, Any] = {"drift": drift, "check_mode": check_mode, "wait": wait, "purge_tags": purge_tags}
    if wanted_tags is not None:
        options["tags"] = wanted_tags
    fails = becomes == "fail" or (wait and becomes in ("warn", "retag+") and existing == "failed")

    if fails:
        with pytest.raises(DriftError if becomes == "fail" else WaitFailed) as caught:
            run(state, **options)
        outcome = caught.value.item
    else:
        outcome = run(state, **options)

    changing = [operation for operation in operations(emulator) if operation in (CREATE, UPDATE, DELETE)]
    assert changing == ([] if check_mode else [step for step in SENT[becomes] if step in (CREATE, UPDATE, DELETE)])
    if not wait and not check_mode:
        looks = 1 + (state == "present" and existing not in ("nothing", "tagged") and bool(wanted_tags))
        assert operations(emulator) == [LIST] * looks + SENT[becomes]
    assert outcome.changed is (becomes in ("create", "retag", "retag+", "replace", "delete"))
    assert bool(outcome.drift) is (becomes in ("warn", "fail", "retag+", "replace"))
    assert bool(outcome.warnings) is (becomes in ("warn", "retag+"))
    assert list(outcome.result()) == [
        "changed",
        "image_cache_id",
        "image_cache",
        "request_id",
        "drift",
        "duplicates",
        "waited",
    ]
    _check_what_is_there(emulator, outcome, becomes, old_id, check_mode)
    if becomes in ("create", "retag", "replace") and not check_mode:
        tagged = [A] if existing == "tagged" and not purge_tags else []
        cache = emulator.service.caches()[0]
        assert cache["tags"] == [*(tag for tag in tagged if tag not in (wanted_tags or [])), *(wanted_tags or [])]


def _check_what_is_there(emulator: Emulator, outcome: Item, becomes: str, old_id: str | None, check_mode: bool) -> None:
    there = present(emulator)
    if becomes == "delete":
        assert (outcome.image_cache, outcome.image_cache_id) == (None, old_id)
        assert there == ([old_id] if check_mode else [])
    elif becomes in ("create", "replace"):
        assert outcome.image_cache
        assert outcome.image_cache_id == (None if check_mode else there[0])
        assert len(there) == (bool(old_id) if check_mode else 1)
        assert check_mode or there != [old_id]
    else:
        assert outcome.image_cache_id == old_id
        assert bool(outcome.image_cache) is bool(old_id)
        assert there == ([old_id] if old_id else [])
    if check_mode or becomes in ("-", "warn", "fail"):
        assert outcome.request_id is None


def test_the_body_on_the_wire_is_the_one_that_the_task_gives(emulator: Emulator, run: Callable[..., Item]) -> None:
    outcome = run()
    assert emulator.sent(CREATE)[0].body == BODY
    assert outcome.request_id


def test_the_prediction_equals_what_is_created(emulator: Emulator, run: Callable[..., Item]) -> None:
    predicted = run(check_mode=True, tags=[B, A])
    real = run(tags=[B, A])
    assert predicted.image_cache and real.image_cache
    unknown = {"image_cache_id", "status", "creation_time"}
    for key in set(predicted.image_cache.as_dict()) - unknown:
        assert getattr(predicted.image_cache, key) == getattr(real.image_cache, key), key
    assert predicted.diff == real.diff
    assert real.diff and real.diff["after"]["image_cache_name"] == "web"


class TestFinding:
    def test_names_are_compared_exactly(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.name_match = "fuzzy"
        for name in ("web2", "my-web", "WEB"):
            seed(emulator, name)
        outcome = run()
        assert outcome.changed
        assert len(emulator.service.caches()) == 4

    def test_every_page_is_looked_at(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.update({"name_match": "fuzzy", "max_page": 3})
        for number in range(7):
            seed(emulator, f"web-{number}")
        wanted = seed(emulator)
        outcome = run()
        assert (outcome.changed, outcome.image_cache_id) == (False, wanted)
        assert operations(emulator) == [LIST] * 3

    def test_several_of_a_name_are_told_with_their_ids(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        ids = [seed(emulator), seed(emulator)]
        for state in ("present", "absent"):
            with pytest.raises(AmbiguousName) as caught:
                run(state)
            assert all(image_cache_id in caught.value.message for image_cache_id in ids)
            assert "image_cache_id" in caught.value.message
        assert set(operations(emulator)) == {LIST}

    def test_an_id_picks_one_of_several(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        first, second = seed(emulator), seed(emulator)
        outcome = run("absent", image_cache_id=second)
        assert (outcome.changed, outcome.image_cache_id) == (True, second)
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [first]

    def test_an_unknown_id_is_no_wish_to_create(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        with pytest.raises(NoSuchCache, match="imc-none"):
            run(image_cache_id="imc-none")
        assert set(operations(emulator)) == {LIST}

    def test_a_name_beside_an_id_is_a_condition_for_a_deletion(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        other = seed(emulator, "other")
        with pytest.raises(NoSuchCache, match=f"{other} is named 'other', not 'web'.*Nothing was deleted"):
            run("absent", image_cache_id=other)
        assert present(emulator) == [other]

    def test_a_task_by_id_waits_for_its_id_and_its_name(self, emulator: Emulator, client: Client) -> None:
        image_cache_id = seed(emulator, "other")
        by_id = Desired("present", {"tags": [A]}, image_cache_id=image_cache_id)
        with held(client, image_cache_id), pytest.raises(LockError):
            reconcile_one(by_id, client)
        with held(client, "other"):
            assert reconcile_one(by_id, client).changed
        with held(client, "web"), pytest.raises(LockError, match="'web'"):
            reconcile_one(Desired("present", BODY, image_cache_id=image_cache_id, drift="recreate"), client)

    def test_an_id_without_a_name_is_none(self, emulator: Emulator, client: Client) -> None:
        image_cache_id = seed(emulator, "other")
        outcome = reconcile_one(Desired("absent", {}, image_cache_id=image_cache_id), client)
        assert outcome.changed

    def test_a_list_that_may_hide_the_name_makes_nothing(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator)
        emulator.inject(Fault("nameless", LIST, times=2))
        with pytest.raises(AmbiguousName, match="so 'web' may exist"):
            run()
        assert CREATE not in operations(emulator)

    def test_an_unknown_id_is_absent(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        outcome = run("absent", image_cache_id="imc-none", wait=True)
        assert (outcome.changed, outcome.image_cache_id) == (False, None)

    def test_a_token_that_repeats_ends_in_an_error(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.inject(Fault("repeat_token", times=None))
        seed(emulator)
        with pytest.raises(Unanswered, match="nextToken repeats"):
            run()
        assert operations(emulator) == [LIST] * 2


class TestTags:
    def test_a_service_that_adds_where_it_should_replace(
        self, emulator: Emulator, run: Callable[..., Item], sleeps: list[float]
    ) -> None:
        emulator.settings.tags_update = "merge"
        seed(emulator, tags=[A])
        first = run(tags=[B])
        assert first.changed
        assert sleeps == [1.0, 2.0]  # a list may lag
        assert "may add tags" in first.warnings[0]
        assert first.image_cache and first.image_cache.tags == [A, B]
        assert first.diff and first.diff["after"]["tags"] == [A, B]
        second = run(tags=[B])
        assert not second.changed
        assert "may add tags" in second.warnings[0]

    def test_a_service_that_shows_no_tags_but_filters_by_them(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.settings.tags_shown = False
        seed(emulator)
        first, second = run(tags=[A]), run(tags=[A])
        assert (first.changed, second.changed) == (True, False)
        assert "but shows none" in first.warnings[0]
        assert second.warnings == []
        assert operations(emulator).count(UPDATE) == 1

    def test_a_service_that_shows_no_tags_in_any_way(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.update({"tags_shown": False, "tags_filter": "off"})
        seed(emulator)
        outcome = run(tags=[A])
        assert outcome.changed
        assert "it is unknown whether they were there" in outcome.warnings[0]

    def test_an_update_that_does_nothing(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator)
        emulator.inject(Fault("json", UPDATE, value={"statusCode": 200, "returnObj": {"requestId": "r"}}))
        outcome = run(tags=[A])
        # no reply shows tags, so nothing but a filter says that they are not there
        assert outcome.changed
        assert "but shows none" in outcome.warnings[0]

    def test_an_update_whose_outcome_is_open_is_looked_up(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", UPDATE, when="after"))
        outcome = run(tags=[A], client=make_client(retries=0))
        assert outcome.changed

    def test_an_update_that_never_succeeds_fails(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, tags=[B])
        emulator.inject(Fault("status", UPDATE, times=None))
        with pytest.raises(Unanswered) as caught:
            run(tags=[A], client=make_client(retries=1))
        assert not caught.value.item.changed

    def test_an_update_that_is_refused_is_not_looked_at(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator, tags=[B])
        emulator.inject(Fault("status", UPDATE, status=403, reason="Forbidden"))
        with pytest.raises(ServiceError) as caught:
            run(tags=[A])
        assert "may be set" not in caught.value.message
        assert operations(emulator) == [LIST, UPDATE]

    def test_an_update_of_which_nothing_can_be_told(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        seed(emulator, tags=[B])
        emulator.inject(Fault("reset", UPDATE), Fault("status", LIST, skip=1, times=None))
        with pytest.raises(Unanswered, match=r"may be set nevertheless.*It could not be looked up either") as caught:
            run(tags=[A], client=make_client(retries=0))
        assert caught.value.operation == UPDATE

    @pytest.mark.parametrize(
        ("settings", "tags", "good_reads"),
        [
            ({"tags_update": "replace"}, [], 1),
            ({"tags_update": "merge"}, [], 1),
            ({"tags_shown": False}, [B], 2),  # the filter is asked for the tags before
        ],
    )
    def test_what_an_update_did_cannot_be_read(
        self,
        settings: dict[str, Any],
        tags: list[dict[str, str]],
        good_reads: int,
        emulator: Emulator,
        run: Callable[..., Item],
        make_client: Callable[..., Client],
    ) -> None:
        emulator.settings.update(settings)
        image_cache_id = seed(emulator, tags=[A])
        emulator.inject(Fault("status", LIST, times=None, skip=good_reads))
        with pytest.raises(Unanswered) as caught:
            run(tags=tags, client=make_client(retries=0))
        assert [record.operation for record in emulator.sent(UPDATE)] == [UPDATE]
        assert caught.value.item.changed
        assert f"The service accepted the new tags of {image_cache_id}, but" in caught.value.message
        assert "may have set them" in caught.value.message

    @pytest.mark.parametrize("retries", [0, 2])
    def test_a_proxy_that_loses_the_reply_to_an_update(
        self,
        retries: int,
        proxied: Proxy,
        emulator: Emulator,
        run: Callable[..., Item],
        make_client: Callable[..., Client],
    ) -> None:
        seed(emulator)
        proxied.drop_reply(match="updateImageCache")
        outcome = run(tags=[A], client=make_client(retries=retries))
        assert outcome.changed
        assert emulator.service.caches()[0]["tags"] == [A]

    def test_an_update_that_is_lost_and_cannot_be_seen_fails(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        emulator.settings.update({"tags_shown": False, "tags_filter": "off"})
        seed(emulator)
        emulator.inject(Fault("reset", UPDATE, when="after"))
        with pytest.raises(Unanswered, match="may be set nevertheless"):
            run(tags=[A], client=make_client(retries=0))

    @pytest.mark.parametrize("when", ["before", "after"], ids=["before the update", "after it"])
    def test_one_that_disappears_meanwhile(
        self, when: str, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        image_cache_id = seed(emulator)
        at = UPDATE if when == "before" else LIST

        def disappear(record: Record) -> None:
            if record.operation == at and record.index >= 2 and present(emulator):
                emulator.service.remove(image_cache_id)

        emulator.before = disappear
        with pytest.raises(EciError, match=f"{image_cache_id} disappeared while its tags were set") as caught:
            run(tags=[A])
        assert caught.value.item.changed is (when == "after")
        assert caught.value.item.image_cache is None

    def test_by_id_alone(self, emulator: Emulator, run: Callable[..., Item], client: Client) -> None:
        image_cache_id = seed(emulator, images=["redis:7"])
        wanted = Desired("present", {"tags": [A]}, image_cache_id=image_cache_id)
        outcome = reconcile_one(wanted, client, Wait(0, 1))
        assert (outcome.changed, outcome.drift) == (True, [])


class TestRecreate:
    def test_a_slow_deletion_is_waited_for(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.delete_after = 12
        old_id = seed(emulator, images=["redis:7"])
        outcome = run(drift="recreate")
        assert operations(emulator) == [LIST, REGION, USAGE, LIST, DELETE, LIST, LIST, LIST, CREATE, LIST]
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [outcome.image_cache_id] != [old_id]

    def test_a_deletion_that_takes_too_long_creates_nothing(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.delete_after = 1000
        old_id = seed(emulator, images=["redis:7"])
        with pytest.raises(WaitTimeout, match=old_id) as caught:
            run(drift="recreate")
        assert caught.value.item.changed
        assert CREATE not in operations(emulator)

    def test_a_refused_creation_says_that_the_old_one_is_gone(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id = seed(emulator, images=["redis:7"])
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
        with pytest.raises(ServiceError, match=f"no such subnet.*{old_id} was deleted before") as caught:
            run(drift="recreate")
        assert caught.value.item.changed
        assert caught.value.item.image_cache_id is None
        assert emulator.service.caches() == []

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_nothing_is_deleted_for_a_zone_that_is_none(
        self, check_mode: bool, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id = seed(emulator, images=["redis:7"])
        with pytest.raises(
            match=rf"The image cache {old_id} is not replaced: .*'az9' is not a zone.*az1, cn-xinan1-1A.*Nothing was deleted",
        ):
            run(drift="recreate", azInfo={"azName": "az9"}, check_mode=check_mode)
        assert present(emulator) == [old_id]
        assert DELETE not in operations(emulator)

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_nothing_is_deleted_where_the_quota_has_no_room(
        self, check_mode: bool, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id, other = seed(emulator, images=["redis:7"]), seed(emulator, "other")
        emulator.settings.quota = 1
        with pytest.raises(Blocked, match=r"no room.*2 of 1 are used.*Nothing was deleted"):
            run(drift="recreate", check_mode=check_mode)
        assert present(emulator) == [old_id, other]
        emulator.settings.quota = 2  # the old one makes room for the new one
        run(drift="recreate", check_mode=check_mode)

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_nothing_is_deleted_for_a_name_that_is_taken(
        self, check_mode: bool, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id, other = seed(emulator, "old"), seed(emulator, "web")
        with pytest.raises(Blocked, match=f"'web' is the name of {other}.*Nothing was deleted"):
            run(image_cache_id=old_id, drift="recreate", check_mode=check_mode)
        assert present(emulator) == [old_id, other]

    def test_by_its_id_it_can_get_another_name(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        old_id = seed(emulator, "old")
        outcome = run(image_cache_id=old_id, drift="recreate")
        assert names(emulator) == ["web"]
        assert present(emulator) == [outcome.image_cache_id]

    def test_by_its_id_it_is_replaced_beside_another_of_its_name(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id, other = seed(emulator, images=["redis:7"]), seed(emulator)
        outcome = run(image_cache_id=old_id, drift="recreate")
        assert present(emulator) == [other, outcome.image_cache_id]

    def test_another_of_its_name_is_not_taken_for_the_new_one(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        old_id, other = seed(emulator, images=["redis:7"]), seed(emulator)
        emulator.inject(Fault("reset", CREATE))
        outcome = run(image_cache_id=old_id, drift="recreate")
        assert present(emulator) == [other, outcome.image_cache_id]
        assert len(emulator.sent(CREATE)) == 2

    @pytest.mark.parametrize("operation", [REGION, USAGE])
    @pytest.mark.parametrize(
        ("kind", "details"),
        [
            ("status", {}),
            ("status", {"status": 403, "reason": "Forbidden"}),
            ("html", {}),
            ("json", {"value": None}),
            ("json", {"value": {"statusCode": 200, "returnObj": {"zones": ["az7"], "other": []}}}),
        ],
        ids=["503", "403", "html", "null", "other keys"],
    )
    def test_a_check_that_gets_no_answer_is_a_warning(
        self,
        operation: str,
        kind: str,
        details: dict[str, Any],
        emulator: Emulator,
        make_client: Callable[..., Client],
    ) -> None:
        old_id = seed(emulator, images=["redis:7"])
        emulator.inject(Fault(kind, operation, times=None, **details))
        ctx = Context(make_client(retries=0), Wait(60, 5))
        outcome = reconcile([Desired("present", BODY, drift="recreate")], ctx, by_name=True)
        assert not outcome.items[0].error
        assert present(emulator) == [outcome.items[0].image_cache_id] != [old_id]
        assert "Could not check" in outcome.warnings[0]

    def test_zones_of_another_region_block_nothing(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.update({"region_returned": "other", "zones": ["az1"]})
        seed(emulator, images=["redis:7"])
        assert run(drift="recreate").changed

    def test_one_that_another_client_makes_meanwhile_is_compared_and_left(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        seed(emulator, images=["redis:7"])
        emulator.settings.unique_names = True
        others: list[str] = []

        def intrude(record: Record) -> None:
            if record.operation == CREATE and not others:
                others.append(somebody_else_creates(emulator, images=["other"]))

        emulator.before = intrude
        with pytest.raises(DriftError, match=r"differs from it in images.*left as it is") as caught:
            run(drift="recreate")
        assert caught.value.item.changed
        assert caught.value.item.image_cache_id == others[0]
        assert caught.value.item.request_id  # of the deletion
        assert present(emulator) == others

    def test_one_that_another_client_makes_first_is_left_until_the_next_run(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.settings.unique_names = True
        others: list[str] = []

        def intrude(record: Record) -> None:
            if record.operation == CREATE and not others:
                others.append(somebody_else_creates(emulator, images=["other"]))

        emulator.before = intrude
        with pytest.raises(DriftError, match="run the task again to replace it") as caught:
            run(drift="recreate")
        assert not caught.value.item.changed
        assert run(drift="recreate").changed
        assert emulator.service.caches()[0]["images"] == BODY["images"]

    def test_one_that_shows_after_an_open_outcome_is_not_replaced(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.inject(Fault("reset", CREATE))
        others: list[str] = []

        def intrude(record: Record) -> None:
            if record.operation == CREATE and not others:
                others.append(seed(emulator, images=["other"]))

        emulator.before = intrude
        with pytest.raises(DriftError, match=r"differs from it in images.*left as it is"):
            run(drift="recreate")
        assert present(emulator) == others


ZONE = "cn-huadong1-az1-public-ctcloud"


class TestOwnSpelling:
    """The service writes what it was sent in its own way: no drift, and no second disk."""

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
        self,
        option: str | None,
        settings: dict[str, Any],
        emulator: Emulator,
        run: Callable[..., Item],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        emulator.settings.update(settings)
        expected = [f"writes {option} as"] if option else []
        for number in range(4):
            (tmp_path / str(number)).mkdir()
            monkeypatch.setattr("tempfile.tempdir", str(tmp_path / str(number)))  # each run may be in a fresh container
            item = run(drift="recreate")
            assert (item.changed, item.drift) == (number == 0, [])
            assert [text in warning for text, warning in zip(expected, item.warnings, strict=True)] == [True] * len(
                expected
            )
            assert not run(drift="recreate", check_mode=True).changed
            assert not run(drift="fail").changed
        assert len(emulator.sent(CREATE)) == 1

    def test_what_was_just_made_and_differs_is_not_replaced(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.update({"zone_aliases": [f"az1={ZONE}"], "zones": ["az1", ZONE]})  # both exist: that is drift
        item = run(drift="recreate")
        assert len(emulator.sent(CREATE)) == 1
        (warning,) = item.warnings
        assert warning == (
            f"The new image cache {item.image_cache_id} has az_info.az_name {ZONE!r}, not 'az1' as the task says. From the next run"
            " on this is drift."
        )

    @pytest.mark.parametrize("bulk", [False, True])
    @pytest.mark.parametrize(
        ("name", "becomes"), [("Web-APP", "web-app"), ("a" * 70, "a" * 63)], ids=["case", "length"]
    )
    def test_a_name_of_its_own_is_deleted_again(
        self, name: str, becomes: str, bulk: bool, emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = emulator.service._create
        monkeypatch.setattr(
            emulator.service, "_create", lambda body, now: real({**body, "imageCacheName": becomes}, now)
        )
        desired = [Desired("present", {**BODY, "imageCacheName": name})]
        for _run in range(2):
            (item,) = reconcile(desired, Context(client, Wait(60, 5)), by_name=not bulk).items
            assert isinstance(item.error, NameRewritten)
            assert f"Write image_cache_name: {becomes}." in item.error.message
            assert (item.changed, item.image_cache_id) == (False, None)
            assert present(emulator) == []

    def test_a_status_is_none_of_it(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.ready_after = 0
        outcome = run(images=["does-not-exist:1"])
        assert outcome.image_cache and outcome.image_cache.has_failed
        assert outcome.warnings == []

    def test_the_order_of_images_makes_no_difference(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.image_prefix = "docker.io/library/"
        run(images=["nginx", "redis"])
        assert run(images=["redis", "nginx"], drift="recreate").drift == []

    def test_of_a_zone_it_is_known_without_having_made_it(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.zones = [ZONE, "cn-xinan1-2A"]
        seed(emulator, azName=ZONE)
        outcome = run(drift="recreate")
        assert (outcome.changed, outcome.drift) == (False, [])
        assert "az_info.az_name" in outcome.warnings[0]
        assert operations(emulator) == [LIST, REGION]

    def test_two_zones_of_the_region_are_two(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        old_id = seed(emulator, azName="cn-xinan1-1A")
        outcome = run(drift="recreate")
        assert outcome.changed
        assert outcome.image_cache_id != old_id

    def test_a_zone_that_cannot_be_compared_is_no_drift(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        old_id = seed(emulator, azName="cn-xinan1-1A")
        emulator.inject(Fault("status", REGION, times=None))
        item = run(drift="recreate", client=make_client(retries=0))
        assert (item.changed, item.drift, item.image_cache_id) == (False, [], old_id)

    def test_other_images_and_a_smaller_size_are_drift(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.size_step = 100
        run()
        assert [difference["option"] for difference in run(images=["redis:7"]).drift] == ["images"]
        assert run(imageCacheSize=50).drift == []
        assert [difference["option"] for difference in run(imageCacheSize=101).drift] == ["image_cache_size"]


class TestStatuses:
    def test_a_deletion_that_failed_is_tried_again(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.update({"delete_after": 5, "delete_fails": 1})
        seed(emulator)
        with pytest.raises(
            WaitFailed, match=r"could not be deleted, its status is 'delete_failed'.*billed.*events"
        ) as bad:
            run("absent", wait=True)
        assert bad.value.item.changed
        assert bad.value.item.image_cache.events
        outcome = run("absent", wait=True)
        assert outcome.changed
        assert present(emulator) == []

    @pytest.mark.parametrize("wait", [True, False])
    def test_a_deletion_that_fails_ends_the_wait_at_once(
        self, wait: bool, emulator: Emulator, run: Callable[..., Item], sleeps: list[float]
    ) -> None:
        emulator.settings.update({"delete_after": 3, "delete_fails": 5})
        seed(emulator, images=["redis:7"])
        with pytest.raises(WaitFailed, match="could not be deleted"):
            run(drift="recreate", timeout=1000, wait=wait)
        assert sum(sleeps) == 5
        with pytest.raises(WaitFailed, match="could not be deleted"):
            run("absent", timeout=1000, wait=True)
        assert sum(sleeps) < 30
        assert CREATE not in operations(emulator)

    def test_present_takes_a_failed_deletion_for_a_failure(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator, status="delete_failed")
        with pytest.raises(DriftError, match="status"):
            run(drift="fail")
        assert run(drift="recreate").changed

    def test_one_that_is_going_makes_its_name_not_ambiguous(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        going, staying = seed(emulator, status="deleting"), seed(emulator)
        outcome = run()
        assert (outcome.changed, outcome.image_cache_id) == (False, staying)
        assert run("absent").image_cache_id == staying
        assert present(emulator) == [going]

    def test_one_that_is_going_is_not_adopted(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        emulator.inject(Fault("reset", CREATE))

        def appear(record: Record) -> None:
            if record.operation == CREATE and len(emulator.sent(CREATE)) == 1:
                seed(emulator, status="deleting")

        emulator.before = appear
        outcome = run()
        assert outcome.image_cache and outcome.image_cache.status == "pending"

    def test_a_conflict_with_a_deletion_that_is_under_way_is_no_error(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.settings.update({"delete_after": 60, "delete_again": "conflict"})
        image_cache_id = seed(emulator)

        def delete(record: Record) -> None:
            if record.operation == DELETE:
                emulator.service.perform(DELETE, emulator.settings.region_id, image_cache_id, None)

        emulator.before = delete
        assert not run("absent").changed


@pytest.mark.parametrize("error", [MemoryError(), TypeError("nobody reckoned with it")], ids=repr)
def test_what_is_raised_beside_our_own_errors_loses_nothing(
    error: Exception,
    emulator: Emulator,
    run: Callable[..., Item],
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(Confirmer, "confirm", fail)
    with pytest.raises(EciError) as caught:
        run()
    assert caught.value.item.changed
    assert [caught.value.item.image_cache_id] == present(emulator)
    says = {"MemoryError": "ulimit -v", "TypeError": "TypeError in test_reconcile_one.py, line "}
    assert says[type(error).__name__] in caught.value.message
    assert caught.value.effect == "possible"


class TestWaiting:
    def test_until_ready(self, emulator: Emulator, run: Callable[..., Item], sleeps: list[float]) -> None:
        emulator.settings.ready_after = 20
        outcome = run(wait=True)
        assert outcome.image_cache and outcome.image_cache.status == "ready"
        assert [pause for pause in sleeps if pause] == [5, 7.5, 11.25]

    def test_each_look_takes_one_request(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.ready_after = 20
        run(wait=True)
        assert operations(emulator) == [LIST, CREATE, LIST, LIST, LIST, LIST]

    def test_one_list_that_misses_it_is_not_the_end(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        nothing = {"statusCode": 200, "returnObj": {"requestId": "r", "imageCaches": []}}
        emulator.inject(Fault("json", LIST, value=nothing, skip=2))
        outcome = run(wait=True)
        assert outcome.image_cache and outcome.image_cache.is_ready
        assert outcome.warnings == []

    def test_one_that_no_list_shows_is_waited_for(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.list_lag = 10_000
        with pytest.raises(WaitTimeout) as caught:
            run(wait=True)
        assert [caught.value.item.image_cache_id] == present(emulator)

    def test_an_unchanged_cache_is_waited_for(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.ready_after = 3
        run()
        outcome = run(wait=True)
        assert not outcome.changed
        assert outcome.image_cache and outcome.image_cache.status == "ready"

    def test_not_without_being_asked(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        outcome = run()
        assert outcome.image_cache and outcome.image_cache.status == "pending"

    def test_a_failure_ends_it_at_once_with_the_newest_events(
        self, emulator: Emulator, run: Callable[..., Item], sleeps: list[float]
    ) -> None:
        with pytest.raises(WaitFailed, match=r"imc-\w+ has failed.*newest events") as caught:
            run(images=["does-not-exist:1"], wait=True)
        assert sum(sleeps) == 5
        outcome = caught.value.item
        assert outcome.changed
        assert outcome.image_cache.events[-1]["message"] in caught.value.message

    @pytest.mark.parametrize("timeout", [0, 1, 60, 61])
    def test_the_time_out_is_kept(
        self, emulator: Emulator, run: Callable[..., Item], sleeps: list[float], timeout: float
    ) -> None:
        emulator.settings.ready_after = 10_000
        with pytest.raises(WaitTimeout, match=f"after {timeout} s") as caught:
            run(wait=True, timeout=timeout)
        assert sum(sleeps) == timeout
        outcome = caught.value.item
        assert outcome.changed
        assert outcome.image_cache.image_cache_id == outcome.image_cache_id
        assert outcome.image_cache.status == "pending"

    def test_an_unknown_status_is_waited_on(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator, status="defragmenting")
        with pytest.raises(WaitTimeout, match="defragmenting"):
            run(wait=True)

    def test_a_cache_that_disappears_meanwhile(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        image_cache_id = seed(emulator, status="pending")
        region = emulator.settings.region_id
        client = make_client(sleep=lambda seconds: emulator.service.perform(DELETE, region, image_cache_id, None))
        with pytest.raises(WaitFailed, match="is gone"):
            run(wait=True, client=client)

    def test_for_a_slow_deletion(self, emulator: Emulator, run: Callable[..., Item], sleeps: list[float]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator)
        outcome = run("absent", wait=True)
        assert outcome.changed
        assert sleeps == [5, 7.5]

    def test_a_failure_whose_events_cannot_be_read(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator, status="failed")
        emulator.inject(Fault("status", DESCRIBE, status=404, reason="NotFound"))
        with pytest.raises(WaitFailed, match="has failed"):
            run(wait=True)


class TestDeleting:
    def test_one_that_is_going_already_is_absent(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.delete_after = 12
        seed(emulator)
        assert run("absent").changed
        assert not run("absent").changed
        assert operations(emulator).count(DELETE) == 1
        assert not run("absent", wait=True).changed
        assert emulator.service.caches() == []

    def test_one_that_is_going_is_waited_for_and_made_anew(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.delete_after = 12
        old_id = seed(emulator)
        run("absent")
        outcome = run(tags=[A])
        assert outcome.changed
        assert outcome.image_cache_id != old_id
        assert [cache["imageCacheId"] for cache in emulator.service.caches()] == [outcome.image_cache_id]

    def test_a_create_that_is_refused_after_that_tells_of_no_deletion_of_its_own(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.settings.delete_after = 12
        seed(emulator)
        run("absent")
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid"))
        with pytest.raises(ServiceError) as caught:
            run()
        assert "was deleted before" not in caught.value.message

    def test_an_attempt_that_seemed_to_fail_is_the_cause_of_a_conflict(
        self, emulator: Emulator, run: Callable[..., Item]
    ) -> None:
        emulator.settings.update({"delete_after": 60, "delete_again": "conflict"})
        seed(emulator)
        emulator.inject(Fault("reset", DELETE, when="after"))
        assert run("absent").changed

    @pytest.mark.parametrize(
        ("status", "reason", "looks"), [(409, "Conflict", 3), (403, "Forbidden", 0), (404, "Unknown", 3)]
    )
    def test_a_deletion_that_is_refused(
        self,
        status: int,
        reason: str,
        looks: int,
        emulator: Emulator,
        run: Callable[..., Item],
        make_client: Callable[..., Client],
    ) -> None:
        old_id = seed(emulator)
        emulator.inject(Fault("status", DELETE, status=status, reason=reason))
        with pytest.raises(EciError) as caught:
            run("absent", client=make_client(retries=0))
        assert not caught.value.item.changed
        assert present(emulator) == [old_id]
        assert operations(emulator) == [LIST, DELETE] + [LIST] * looks
        assert ("may be deleted nevertheless" in caught.value.message) is (reason == "Unknown")

    def test_a_deletion_of_which_nothing_can_be_told(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        old_id = seed(emulator)
        emulator.inject(Fault("reset", DELETE), Fault("status", LIST, skip=1, times=None))
        says = f"It could not be looked up either.*{old_id} may be deleted nevertheless"
        with pytest.raises(Unanswered, match=says):
            run("absent", client=make_client(retries=0))

    def test_one_that_is_going_cannot_be_picked(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        image_cache_id = seed(emulator, status="deleting")
        with pytest.raises(NoSuchCache):
            run(image_cache_id=image_cache_id)

    def test_gone_before_through_somebody_else(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator)
        emulator.inject(Fault("status", DELETE, status=404, reason="NotFound"))
        assert not run("absent").changed

    def test_gone_through_an_attempt_that_seemed_to_fail(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", DELETE, when="after"))
        outcome = run("absent")
        assert outcome.changed
        assert operations(emulator) == [LIST, DELETE, DELETE]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_an_open_outcome_is_looked_up(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client], when: str
    ) -> None:
        seed(emulator)
        emulator.inject(Fault("reset", DELETE, when=when))
        client = make_client(retries=0)
        if when == "after":
            assert run("absent", client=client).changed
        else:
            with pytest.raises(Unanswered) as caught:
                run("absent", client=client)
            assert not caught.value.item.changed


class TestHelp:
    def test_the_zones_of_the_region(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        with pytest.raises(ServiceError, match=r"az_info\.az_name is not a zone.*az1, cn-xinan1-1A") as caught:
            run(azInfo={"azName": "az9"})
        assert operations(emulator) == [LIST, CREATE, "region"]
        assert not caught.value.item.changed

    def test_zones_of_another_region_are_none(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        region = {"region": {"regionId": "another", "zones": ["az9"]}}
        emulator.inject(Fault("json", REGION, value={"statusCode": 200, "returnObj": region}, times=None))
        with pytest.raises(ServiceError) as caught:
            run(azInfo={"azName": "az9"})
        assert "Its zones" not in caught.value.message

    def test_the_quota(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.settings.quota = 1
        seed(emulator, "other")
        with pytest.raises(QuotaUsedUp, match="1 of 1 are used"):
            run()
        assert operations(emulator) == [LIST, CREATE, "listUsage"]

    def test_nothing_where_another_thing_is_wrong(self, emulator: Emulator, run: Callable[..., Item]) -> None:
        emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
        with pytest.raises(ServiceError) as caught:
            run()
        assert "az_name" not in caught.value.message

    def test_a_help_that_fails_hides_nothing(
        self, emulator: Emulator, run: Callable[..., Item], make_client: Callable[..., Client]
    ) -> None:
        emulator.settings.quota = 0
        emulator.inject(Fault("status", "listUsage", times=None))
        with pytest.raises(QuotaUsedUp):
            run(client=make_client(retries=0))
