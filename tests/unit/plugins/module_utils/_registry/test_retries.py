# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of registries that pass, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import look_up
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import Settings
from tests.emulator import Misbehaviour, images

from .conftest import LookUp, MakeRegistry, login

NAME = "team/app:1"


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def patient(pauses: list[float]) -> dict[str, Any]:
    """The settings of a lookup that repeats what fails, on a clock that does not wait."""
    clock = Clock(sleep=pauses.append, monotonic=lambda: sum(pauses))
    return {"clock": clock, "retries": 5, "retry_max_delay": 30.0}


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("status", {"status": 429}, [0.5]),
        ("headers", {"values": {"Retry-After": "7"}}, []),
        ("status", {"status": 502}, [0.5]),
        ("status", {"status": 503}, [0.5]),
        ("reset", {}, [0.5]),
    ],
)
@pytest.mark.parametrize("only", ["/v2/", "/manifests/", "/blobs/", "/token"])
def test_one_failure_that_passes_is_waited_for(
    only: str,
    kind: str,
    details: Any,
    expected: list[float],
    make_registry: MakeRegistry,
    find: LookUp,
    patient: dict[str, Any],
    pauses: list[float],
) -> None:
    registry = make_registry("bearer", tls=True)
    registry.add("a", "1", images.image())
    registry.inject(Misbehaviour("realm" if only == "/token" else "registry", kind, only=only, **details))
    (found,) = find(registry, "a:1", credentials=[login(registry.address)], **patient)
    assert found.outcome == "found", found.message
    assert pauses == expected


@pytest.mark.parametrize(("longest", "pause"), [(30.0, 7.0), (3.0, 3.0)])
def test_a_registry_says_how_long_to_wait(
    longest: float,
    pause: float,
    make_registry: MakeRegistry,
    find: LookUp,
    patient: dict[str, Any],
    pauses: list[float],
    monkeypatch: Any,
) -> None:
    registry = make_registry()
    busy = {"values": {"Retry-After": "7"}}
    answer = registry._content

    def busy_once(seen: Any) -> Any:
        found = answer(seen)
        if not pauses and "/manifests/" in seen.path:
            found.set_status(429)
            found.headers.update(busy["values"])
        return found

    monkeypatch.setattr(registry, "_content", busy_once)
    assert find(registry, NAME, **{**patient, "retry_max_delay": longest})[0].outcome == "found"
    assert pauses == [pause]


def test_failures_between_good_replies_are_not_those_of_a_dead_host(
    make_registry: MakeRegistry, find: LookUp, patient: dict[str, Any], pauses: list[float]
) -> None:
    registry = make_registry()
    for number in range(4):
        registry.add(f"team/{number}", "1", images.image())
        registry.inject(Misbehaviour("registry", "reset", only=f"/{number}/manifests/"))
    found = find(registry, *(f"team/{number}:1" for number in range(4)), concurrency=1, **patient)
    assert [one.outcome for one in found] == ["found"] * 4
    assert pauses == [0.5] * 4


def test_retries_end(make_registry: MakeRegistry, find: LookUp, patient: dict[str, Any], pauses: list[float]) -> None:
    registry = make_registry()
    registry.inject(Misbehaviour("registry", "status", times=None, only="/manifests/", status=503))
    (found,) = find(registry, NAME, **patient)
    assert (found.outcome, "is busy or unavailable (HTTP 503)" in str(found.message)) == ("unknown", True)
    assert pauses[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert sum(pauses) <= 60
    pauses.clear()
    find(registry, *(f"team/app:{number}" for number in range(20)), concurrency=1, **{**patient, "retries": 1000})
    assert 30 < sum(pauses) <= 60


def test_a_server_that_never_answers_is_asked_twice(make_registry: MakeRegistry, find: LookUp) -> None:
    registry, good = make_registry(tls=True), make_registry()
    registry.inject(Misbehaviour("registry", "hang", times=None, seconds=5))
    names = [f"team/app:{number}" for number in range(40)]
    *found, other = find(registry, *names, f"{good.address}/{NAME}", timeout=0.5, retries=5, verify=False)
    assert {one.outcome for one in found} == {"unknown"}
    assert {"within 0.5 s" in str(one.message) for one in found} == {True}
    assert other.outcome == "found"
    assert len(registry.requests) == 2


def test_a_server_that_never_answers_is_asked_twice_whatever_the_logins(make_registry: MakeRegistry) -> None:
    registry = make_registry(tls=True)
    registry.inject(Misbehaviour("registry", "hang", times=None, seconds=5))
    wanted = [(f"{registry.address}/{NAME}", [login(registry.address, str(number))]) for number in range(20)]
    settings = Settings(ca_path=registry.ca_file, timeout=0.5)
    assert {one.outcome for one in look_up(wanted, settings)} == {"unknown"}
    assert len(registry.requests) == 2


def test_progress_says_what_is_waited_for(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    registry.inject(Misbehaviour("registry", "slow", times=None, seconds=0.3))
    lines: list[str] = []
    ticks = iter(range(0, 10**6, 11))
    find(registry, NAME, "team/app:2", clock=Clock(monotonic=lambda: float(next(ticks))), write=lines.append)
    assert "images: 0 of 2 checked in their registries" in lines
