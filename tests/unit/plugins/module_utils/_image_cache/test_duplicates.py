# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that share no lock and create the same image cache: one is left, and both return it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError, ServiceError, StateConflict, WaitFailed
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.duplicates import Verdict, judge
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.model import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import (
    OTHERS_DELAYS,
    RESOLUTION_DELAYS,
    Desired,
    may_be_resolved,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator, Fault, Record
from tests.unit.plugins.emulated import (
    BODY,
    CREATE,
    DELETE,
    LIST,
    UPDATE,
    A,
    B,
    MakeClient,
    RunOne,
    operations,
    present,
    seed,
    somebody_else_creates,
)

Rival = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def _begin_a_second(emulator: Emulator) -> None:
    """What a test creates in one second must not come to stand in two."""
    emulator.advance(1 - emulator.service.clock.now() % 1)


@pytest.fixture(params=["one", "many"])
def run(request: pytest.FixtureRequest, client: Client) -> RunOne:
    """Reconcile one image cache, listed alone and as a list of one; its error is raised."""

    def run(**changes: Any) -> Item:
        policy = {key: changes.pop(key) for key in ("drift", "wait", "purge_tags", "duplicates") if key in changes}
        check_mode = changes.pop("check_mode", False)
        desired = Desired(changes.pop("state", "present"), {**BODY, **changes}, **policy)
        ctx = Context(client, Wait(60, 5), concurrency=2)
        (item,) = reconcile([desired], ctx, check_mode=check_mode, by_name=request.param == "one").items
        if item.error:
            item.error.item = item
            raise item.error
        return item

    return run


@pytest.fixture
def rival(emulator: Emulator) -> Rival:
    """Let another client create one just before this one does, or just after; the list of its ID."""

    def rival(when: str = "before", seconds: float = 2, **changes: Any) -> list[str]:
        created: list[str] = []
        at = CREATE if when == "before" else LIST

        def create(record: Record) -> None:
            if record.operation != at or created or not (when == "before" or emulator.sent(CREATE)):
                return
            if when == "after":
                emulator.advance(seconds)
            created.append(seed(emulator, **changes))
            if when == "before":
                emulator.advance(seconds)

        emulator.before = create
        return created

    return rival


def after(emulator: Emulator, act: Callable[[Record], None]) -> None:
    """Let somebody act before each request, beside what was to happen there."""
    first = emulator.before

    def both(record: Record) -> None:
        if first:
            first(record)
        act(record)

    emulator.before = both


class TestCreatedAtTheSameMoment:
    def test_the_younger_yields(self, emulator: Emulator, run: RunOne, rival: Rival) -> None:
        elder = rival("before")
        item = run()
        assert present(emulator) == elder == [item.image_cache_id]
        assert not item.changed
        assert item.cache.id == elder[0]
        (warning,) = item.warnings
        assert elder[0] in warning
        assert emulator.sent(DELETE)[0].path.rpartition("/")[2] in warning
        assert not run().changed

    def test_the_tags_go_to_the_elder(self, emulator: Emulator, run: RunOne, rival: Rival) -> None:
        elder = rival("before", tags=[A])
        item = run(tags=[B])
        assert [item.image_cache_id] == present(emulator) == elder
        assert item.changed
        assert emulator.service.caches()[0]["tags"] == [B]

    def test_the_elder_leaves_the_younger_to_its_client(
        self, emulator: Emulator, run: RunOne, rival: Rival, sleeps: list[float]
    ) -> None:
        younger = rival("after")
        item = run()
        assert item.changed
        assert sleeps == []
        assert sorted(present(emulator)) == sorted([str(item.image_cache_id), younger[0]])
        assert "There are now several image caches named 'web'" in item.warnings[0]
        assert all(image_cache_id in item.warnings[0] for image_cache_id in present(emulator))
        assert DELETE not in operations(emulator)

    @pytest.mark.parametrize("seconds", [0, 2])
    @pytest.mark.parametrize("changes", [{"images": ["other"]}, {"imageCacheSize": 20}, {"status": "failed"}], ids=str)
    def test_one_that_does_not_fit_is_not_adopted(
        self, changes: dict[str, Any], seconds: float, emulator: Emulator, run: RunOne, rival: Rival
    ) -> None:
        rival("before", seconds=seconds, **changes)
        item = run()
        assert item.changed
        assert len(present(emulator)) == 2
        assert "There are now several" in item.warnings[0]

    def test_an_own_one_that_cannot_be_deleted(self, emulator: Emulator, run: RunOne, rival: Rival) -> None:
        rival("before")
        emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden", times=None))
        item = run()
        assert item.changed
        assert item.image_cache_id in present(emulator)
        assert len(present(emulator)) == 2
        assert "could not be deleted again" in item.warnings[0]
        assert "There are now several" in item.warnings[1]

    def test_in_one_second_the_lower_id_waits(
        self, emulator: Emulator, run: RunOne, rival: Rival, sleeps: list[float]
    ) -> None:
        peer = rival("after", seconds=0, imageCacheId="imc-zzzzzzzzzzzzzzzzz")

        def yields(record: Record) -> None:
            if sum(sleeps) >= 3 and peer[0] in present(emulator):
                emulator.service.remove(peer[0])

        after(emulator, yields)
        item = run()
        assert present(emulator) == [item.image_cache_id] != peer
        assert item.changed
        assert item.warnings == []

    def test_in_one_second_the_lower_id_yields_if_the_other_stays(
        self, emulator: Emulator, run: RunOne, rival: Rival, sleeps: list[float]
    ) -> None:
        peer = rival("before", seconds=0, imageCacheId="imc-zzzzzzzzzzzzzzzzz")
        item = run()
        assert present(emulator) == peer == [item.image_cache_id]
        assert not item.changed
        assert sum(sleeps) == sum(RESOLUTION_DELAYS)

    def test_in_one_second_the_higher_id_yields_at_once(
        self, emulator: Emulator, run: RunOne, rival: Rival, sleeps: list[float]
    ) -> None:
        peer = rival("before", seconds=0, imageCacheId="imc-00000000000000000")
        item = run()
        assert present(emulator) == peer == [item.image_cache_id]
        assert sum(sleeps) == 0

    def test_many_yield_at_once_while_others_wait(
        self, emulator: Emulator, client: Client, sleeps: list[float]
    ) -> None:
        """Two controllers that each wait for what the other one does last would wait for nothing."""
        created: dict[str, str] = {}
        deleted_after: list[float] = []

        def create(record: Record) -> None:
            if record.operation == CREATE:
                name = record.body["imageCacheName"]
                last = "z" if name == "waits" else "0"
                created[name] = seed(emulator, name, imageCacheId=f"imc-{last * 17}")
            elif record.operation == DELETE:
                deleted_after.append(sum(sleeps))

        emulator.before = create
        desired = [Desired("present", {**BODY, "imageCacheName": name}) for name in ("waits", "goes")]
        items = reconcile(desired, Context(client, Wait(60, 5), concurrency=1)).items
        assert deleted_after == [0, sum(RESOLUTION_DELAYS)]
        assert {item.name: item.image_cache_id for item in items} == created
        assert sorted(present(emulator)) == sorted(created.values())

    def test_an_elder_that_is_gone_when_the_own_one_is_deleted(
        self, emulator: Emulator, run: RunOne, rival: Rival
    ) -> None:
        elder = rival("before")
        after(emulator, lambda record: (record.operation == DELETE and emulator.service.remove(elder[0])) or None)
        with pytest.raises(WaitFailed, match="'web' was deleted by another client") as caught:
            run()
        assert (caught.value.item.changed, present(emulator)) == (False, [])
        emulator.before = None
        assert run().changed

    def test_an_own_one_that_somebody_deleted_meanwhile(
        self, emulator: Emulator, run: RunOne, rival: Rival, sleeps: list[float]
    ) -> None:
        younger = rival("after", seconds=0, imageCacheId="imc-zzzzzzzzzzzzzzzzz")

        def clean(record: Record) -> None:
            own = [image_cache_id for image_cache_id in present(emulator) if image_cache_id not in younger]
            if sleeps and own:
                emulator.service.remove(own[0])

        after(emulator, clean)
        item = run()
        assert present(emulator) == younger == [item.image_cache_id]

    def test_after_a_replacement_it_has_changed_something(self, emulator: Emulator, run: RunOne, rival: Rival) -> None:
        seed(emulator, images=["old"])
        elder = rival("before")
        item = run(drift="recreate")
        assert present(emulator) == elder == [item.image_cache_id]
        assert item.changed

    def test_a_yielding_one_adopts_what_is_left_in_the_end(
        self, emulator: Emulator, run: RunOne, sleeps: list[float]
    ) -> None:
        """Two others of the same second: the first one waits for the second to go, and goes itself when that stays."""
        others: list[str] = []

        def act(record: Record) -> None:
            if record.operation == CREATE and not others:
                others.extend(seed(emulator, imageCacheId=f"imc-000000000000000{number}") for number in (1, 2))
            if sum(sleeps) >= 10 and others[0] in present(emulator):
                emulator.service.remove(others[0])

        emulator.before = act
        item = run(wait=True)
        assert [item.image_cache_id] == present(emulator) == others[1:]
        assert not item.changed
        assert len(item.warnings) == 1

    def test_where_several_others_are_left_nothing_more_is_created(
        self, emulator: Emulator, run: RunOne, rival: Rival
    ) -> None:
        elder = rival("before")

        def leave_two(record: Record) -> None:
            if record.operation == LIST and emulator.sent(DELETE) and elder[0] in present(emulator):
                emulator.service.remove(elder[0])
                seed(emulator), seed(emulator)

        after(emulator, leave_two)
        with pytest.raises(StateConflict):
            run()
        assert len(emulator.sent(CREATE)) == 1

    def test_a_list_that_fails_while_it_waits(self, emulator: Emulator, make_client: MakeClient) -> None:
        created: dict[str, str] = {}

        def create(record: Record) -> None:
            if record.operation == CREATE:
                name = record.body["imageCacheName"]
                created[name] = seed(emulator, name, imageCacheId=f"imc-{('z' if name == 'waits' else '0') * 17}")

        emulator.before = create
        emulator.inject(Fault("status", LIST, skip=2, times=None))
        desired = [Desired("present", {**BODY, "imageCacheName": name}) for name in ("waits", "goes")]
        desired.append(Desired("absent", {"imageCacheName": "old"}))
        old_id = seed(emulator, "old")
        ctx = Context(make_client(retries=0), Wait(60, 5), concurrency=1)
        waits, goes, old = reconcile(desired, ctx).items
        assert old_id in present(emulator)
        assert old.error
        assert isinstance(goes.error, EciError)
        assert goes.image_cache_id == created["goes"]
        assert (waits.error, waits.changed) == (None, True)
        assert waits.image_cache_id not in created.values()
        assert "Image caches named 'waits' could not be listed" in waits.warnings[0]
        assert len(emulator.sent(DELETE)) == 1

    def test_nothing_beside_its_own_is_asked_for(self, emulator: Emulator, run: RunOne) -> None:
        run(tags=[A])
        assert operations(emulator) == [LIST, CREATE, LIST]
        assert UPDATE not in operations(emulator)


class TestSeveralThatAreThere:
    def test_their_clients_get_time_to_delete(self, emulator: Emulator, run: RunOne, sleeps: list[float]) -> None:
        elder, younger = seed(emulator), seed(emulator)

        def clean(record: Record) -> None:
            if sum(sleeps) >= 5 and younger in present(emulator):
                emulator.service.remove(younger)

        emulator.before = clean
        item = run()
        assert (item.changed, item.image_cache_id) == (False, elder)
        assert present(emulator) == [elder]

    @pytest.mark.parametrize(
        ("changes", "seconds", "waits"),
        [({}, 0, True), ({}, 3600, False), ({"images": ["other"]}, 0, False)],
        ids=["recent", "old", "not fitting"],
    )
    def test_if_they_stay_the_name_is_ambiguous(
        self,
        changes: dict[str, Any],
        seconds: float,
        waits: bool,
        emulator: Emulator,
        run: RunOne,
        sleeps: list[float],
        make_client: MakeClient,
    ) -> None:
        ids = [seed(emulator), seed(emulator, **changes)]
        make_client().clock.sleep(seconds)
        before = sum(sleeps)
        with pytest.raises(StateConflict) as caught:
            run()
        assert all(image_cache_id in caught.value.message for image_cache_id in ids)
        assert sum(sleeps) - before == (sum(OTHERS_DELAYS) if waits else 0)

    @pytest.mark.parametrize("check_mode", [False, True], ids=["", "check"])
    def test_delete_younger(self, check_mode: bool, emulator: Emulator, run: RunOne) -> None:
        elder = seed(emulator)
        emulator.advance(10)
        younger = [seed(emulator), seed(emulator)]
        item = run(duplicates="delete_younger", check_mode=check_mode)
        assert (item.changed, item.image_cache_id) == (True, elder)
        assert sorted(item.duplicates) == sorted(younger)
        assert sorted(present(emulator)) == sorted([elder, *younger] if check_mode else [elder])
        if not check_mode:
            again = run(duplicates="delete_younger")
            assert (again.changed, again.duplicates) == (False, [])

    @pytest.mark.parametrize("wait", [False, True], ids=["", "wait"])
    @pytest.mark.parametrize("check_mode", [True, False], ids=["check", ""])
    def test_the_younger_stay_until_the_eldest_is_ready(
        self, check_mode: bool, wait: bool, emulator: Emulator, run: RunOne
    ) -> None:
        emulator.settings.ready_after = 60
        elder = somebody_else_creates(emulator)
        emulator.advance(10)
        younger = seed(emulator)
        item = run(duplicates="delete_younger", wait=wait, check_mode=check_mode)
        assert item.image_cache_id == elder
        assert item.duplicates == ([younger] if wait else [])
        assert (younger in present(emulator)) is (check_mode or not wait)
        assert any("is not ready yet" in warning for warning in item.warnings) is not wait

    def test_one_that_does_not_fit_is_never_deleted(self, emulator: Emulator, run: RunOne) -> None:
        ids = [seed(emulator), seed(emulator, images=["other"])]
        with pytest.raises(StateConflict):
            run(duplicates="delete_younger")
        assert present(emulator) == ids

    def test_a_younger_one_that_was_gone_is_no_change(self, emulator: Emulator, run: RunOne) -> None:
        seed(emulator), seed(emulator)
        emulator.inject(*[Fault("status", DELETE, status=404, reason="NotFound")] * 2)
        assert not run(duplicates="delete_younger").changed
        assert run(duplicates="delete_younger", tags=[A]).changed

    def test_absent_deletes_no_duplicates(self, emulator: Emulator, run: RunOne) -> None:
        ids = [seed(emulator), seed(emulator)]
        with pytest.raises(StateConflict):
            run(state="absent", duplicates="delete_younger")
        assert present(emulator) == ids

    def test_a_deletion_that_is_refused(self, emulator: Emulator, run: RunOne) -> None:
        seed(emulator), seed(emulator)
        emulator.inject(Fault("status", DELETE, status=403, reason="Forbidden"))
        with pytest.raises(ServiceError) as caught:
            run(duplicates="delete_younger", tags=[A])
        assert caught.value.item.changed
        assert len(present(emulator)) == 2


class TestPure:
    @pytest.mark.parametrize(
        ("own", "others", "fits", "expected"),
        [
            (("imc-1", 5), [], True, (Verdict.KEEP, None)),
            (("imc-1", 5), [("imc-2", 4)], True, (Verdict.YIELD, "imc-2")),
            (("imc-1", 5), [("imc-2", 4)], False, (Verdict.KEEP, "imc-2")),
            (("imc-1", 5), [("imc-2", 6)], True, (Verdict.KEEP, "imc-2")),
            (("imc-1", 5), [("imc-2", 5)], True, (Verdict.WAIT, "imc-2")),
            (("imc-2", 5), [("imc-1", 5)], True, (Verdict.YIELD, "imc-1")),
            (("imc-1", 5), [("imc-3", 6), ("imc-2", 4)], True, (Verdict.YIELD, "imc-2")),
        ],
    )
    def test_judge(self, own: tuple[str, int], others: list[Any], fits: bool, expected: tuple[Verdict, Any]) -> None:
        caches = [ImageCache(key, creation_time=f"2025-03-11T03:35:0{second}Z") for key, second in [own, *others]]
        verdict, eldest = judge(caches[0], caches, lambda _cache: fits)
        assert (verdict, eldest and eldest.id) == expected

    def test_an_own_one_that_is_not_listed_yields(self) -> None:
        other = ImageCache("imc-2", creation_time="2025-03-11T03:35:09Z")
        assert judge(ImageCache("imc-1"), [other], lambda _cache: True) == (Verdict.YIELD, other)

    @pytest.mark.parametrize(
        ("elder", "younger"),
        [
            ("2025-03-11T11:35:09+08:00", "2025-03-11T03:35:10Z"),
            ("2025-03-11T03:35:09Z", "2025-03-11T11:35:10+08:00"),
            ("2025-03-11T03:35:09Z", None),
            ("2025-03-11T03:35:09Z", "yesterday"),
            ("2025-03-11T03:35:09", "2025-03-11T03:35:10Z"),
        ],
    )
    def test_the_order_of_age(self, elder: str, younger: str | None) -> None:
        first, second = ImageCache("imc-2", creation_time=elder), ImageCache("imc-1", creation_time=younger)
        assert first.age_order < second.age_order

    @pytest.mark.parametrize(
        ("when", "expected"),
        [
            ("2025-03-11T03:35:00Z", True),
            ("2025-03-11T03:34:59Z", False),
            ("2025-03-11T03:45:01Z", False),
            (None, False),
        ],
    )
    def test_how_long_others_may_resolve_them(self, when: str | None, expected: bool) -> None:
        several = [ImageCache(f"imc-{number}", "web", creation_time=when) for number in range(2)]
        now = ImageCache(creation_time="2025-03-11T03:39:59.9Z").created_at
        assert may_be_resolved(several, lambda _cache: True, now or 0.0) is expected
