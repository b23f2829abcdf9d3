# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advice in error messages, unexpected errors, and tasks that are cancelled: what is not done has an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    Cancelled,
    EciError,
    LockError,
    QuotaUsedUp,
    ServiceError,
)
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.confirm import Confirmer
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import _Run
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import (
    CREATE,
    LIST,
    REGION,
    A,
    MakeClient,
    Run,
    RunOne,
    absent,
    names,
    operations,
    present,
    seed,
    wanted,
)


def test_an_unknown_zone_names_those_of_the_region(emulator: Emulator, run_one: RunOne) -> None:
    with pytest.raises(ServiceError, match=r"az_info.az_name .az9. is not a zone.*az1, cn-xinan1-1A") as caught:
        run_one(azInfo={"azName": "az9"})
    assert operations(emulator) == [LIST, CREATE, "region"]
    assert not caught.value.item.changed


def test_zones_of_another_region_are_not_named(emulator: Emulator, run_one: RunOne) -> None:
    region = {"region": {"regionId": "another", "zones": ["az9"]}}
    emulator.inject(Fault("json", REGION, value={"statusCode": 200, "returnObj": region}, times=None))
    with pytest.raises(ServiceError) as caught:
        run_one(azInfo={"azName": "az9"})
    assert "Its zones" not in caught.value.message


def test_no_zones_where_another_thing_is_wrong(emulator: Emulator, run_one: RunOne) -> None:
    emulator.inject(Fault("status", CREATE, status=422, reason="Invalid", message="no such subnet"))
    with pytest.raises(ServiceError) as caught:
        run_one()
    assert "az_name" not in caught.value.message


def test_advice_that_fails_hides_no_error(emulator: Emulator, run_one: RunOne, make_client: MakeClient) -> None:
    emulator.settings.quota = 0
    emulator.inject(Fault("status", "listUsage", times=None))
    with pytest.raises(QuotaUsedUp):
        run_one(client=make_client(retries=0))


@pytest.mark.parametrize("error", [MemoryError(), TypeError("unexpected")], ids=repr)
def test_an_unexpected_error_keeps_the_id(
    error: Exception, emulator: Emulator, run_one: RunOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(Confirmer, "confirm", fail)
    with pytest.raises(EciError) as caught:
        run_one()
    assert caught.value.item.changed
    assert [caught.value.item.image_cache_id] == present(emulator)
    says = {"MemoryError": "ulimit -v", "TypeError": "TypeError in test_failures.py, line "}
    assert says[type(error).__name__] in caught.value.message
    assert caught.value.effect == "possible"


def test_an_unexpected_error_stops_no_other(emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _Run._create

    def create(self: _Run, item: Item) -> None:
        if item.name == "cache-3":
            raise MemoryError("no room")
        made(self, item)

    monkeypatch.setattr(_Run, "_create", create)
    outcomes = run(*[wanted(f"cache-{number}") for number in range(6)])
    assert [bool(item.error) for item in outcomes.items] == [False, False, False, True, False, False]
    assert "ulimit -v" in str(outcomes.items[3].error)
    assert len(emulator.service.caches()) == 5
    assert all(item.image_cache_id for item in outcomes.items if not item.error)


@pytest.mark.parametrize("error", [MemoryError(), TypeError("unexpected"), LockError("busy")], ids=repr)
def test_an_unexpected_error_between_the_phases_loses_nothing(
    error: Exception, emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(emulator, "old")

    def fail(_many: Any) -> None:
        raise error

    monkeypatch.setattr(_Run, "_replace", fail)
    outcomes = run(wanted("web"), wanted("db"), absent("old"))
    web, db, old = outcomes.items
    assert (web.changed, db.changed, old.changed) == (True, True, False)
    assert {web.image_cache_id, db.image_cache_id, old.image_cache_id} == set(present(emulator))
    assert (web.error, db.error) == (None, None)
    says = {"MemoryError": "ulimit -v", "TypeError": "TypeError in test_failures.py, line ", "LockError": "busy"}
    assert says[type(error).__name__] in str(old.error)


@pytest.fixture
def interrupt(client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Cancel the task before a request of a method of ImageCachesApi, after so many calls."""

    def interrupt(method: str, after: int = 0) -> None:
        calls = []
        real = getattr(ImageCachesApi, method)

        def interrupted(*arguments: Any, **keywords: Any) -> Any:
            calls.append(method)
            if len(calls) > after:
                client.cancellation.cancel("SIGTERM")
            return real(*arguments, **keywords)

        monkeypatch.setattr(ImageCachesApi, method, interrupted)

    return interrupt


def test_cancelled_before_the_first_list(run: Run, interrupt: Callable[..., None]) -> None:
    interrupt("find")
    with pytest.raises(Cancelled, match="SIGTERM") as caught:
        run(wanted("web"))
    assert caught.value.failure()["attempts"] == 0


@pytest.mark.parametrize("method", ["create", "delete"])
def test_cancelled_while_replacing(method: str, emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    seed(emulator, "web", images=["old"])
    interrupt(method)
    (item,) = run(wanted("web", drift="recreate")).items
    assert isinstance(item.error, Cancelled)
    assert item.changed is (method == "create")


def test_cancelled_between_the_checks_before_a_replacement(emulator: Emulator, run: Run, client: Client) -> None:
    seed(emulator, "web", images=["old"])
    emulator.before = lambda record: client.cancellation.cancel("SIGTERM") if record.operation == REGION else None
    outcomes = run(wanted("web", drift="recreate"))
    assert isinstance(outcomes.items[0].error, Cancelled)
    assert outcomes.warnings == []


def test_cancelled_between_creates(emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    interrupt("create", after=1)
    outcomes = run(wanted("a"), wanted("b"), absent("never"), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None), Cancelled, type(None)]
    assert names(emulator) == ["a"]


def test_cancelled_after_a_failure_keeps_its_error(run: Run, interrupt: Callable[..., None]) -> None:
    interrupt("create", after=1)
    outcomes = run(wanted("bad", azInfo={"azName": "az9"}), wanted("b"), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [ServiceError, Cancelled]


def test_cancelled_while_deleting(emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    for name in ("old-1", "old-2"):
        seed(emulator, name)
    interrupt("delete", after=1)
    outcomes = run(absent("old-1"), absent("old-2"), concurrency=1)
    assert [type(item.error) for item in outcomes.items] == [type(None), Cancelled]


def test_cancelled_while_deleting_duplicates(emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    for _number in range(3):
        seed(emulator, "web")
        emulator.advance(400)
    interrupt("delete", after=1)
    (item,) = run(wanted("web")._replace(duplicates="delete_younger"), concurrency=1).items
    assert isinstance(item.error, Cancelled)
    assert len(item.duplicates) == 1
    assert len(present(emulator)) == 2


def test_cancelled_while_pruning(emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    seed(emulator, "web")
    for name in ("old-1", "old-2"):
        seed(emulator, name, tags=[A])
    interrupt("delete", after=1)
    outcomes = run(wanted("web"), prune_tags=[A], concurrency=1)
    assert not outcomes.items[0].error
    assert [type(item.error) for item in outcomes.pruned] == [type(None), Cancelled]


def test_cancelled_before_pruning(emulator: Emulator, run: Run, interrupt: Callable[..., None]) -> None:
    seed(emulator, "web")
    seed(emulator, "old", tags=[A])
    interrupt("find", after=1)
    outcomes = run(wanted("web"), prune_tags=[A])
    assert isinstance(outcomes.items[0].error, Cancelled)
    assert not outcomes.items[0].changed
    assert names(emulator) == ["old", "web"]
