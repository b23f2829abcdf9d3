# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of tags that no reply shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches, Listing
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.retag import retag
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import LIST, UPDATE, A, seed


@pytest.fixture
def existing(emulator: Emulator) -> ImageCache:
    emulator.settings.tags_shown = False
    return ImageCache(seed(emulator))


def test_one_look_tells_that_they_are_not_shown(client: Client, existing: ImageCache, sleeps: list[float]) -> None:
    outcome = Outcome()
    retag(ImageCaches(client), outcome, existing, [A])
    assert outcome.image_cache and outcome.image_cache.tags == [A]
    assert sleeps == []


def test_the_first_error_is_told_where_the_filter_fails(
    emulator: Emulator, make_client: Callable[..., Client], existing: ImageCache
) -> None:
    emulator.inject(Fault("reset", UPDATE, when="after"), Fault("status", LIST, skip=1, times=None))
    with pytest.raises(Unanswered, match="may be set all the same") as caught:
        retag(ImageCaches(make_client(retries=0)), Outcome(), existing, [A])
    assert caught.value.operation == UPDATE


def test_another_one_that_the_filter_finds_says_nothing(
    client: Client, existing: ImageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches = ImageCaches(client)
    find = caches.find

    def another(**filters: object) -> Listing:
        tags = filters.get("tags")
        return Listing([ImageCache("imc-other", "x")] if tags == [A] else [], True, 0) if tags else find(**filters)

    monkeypatch.setattr(caches, "find", another)
    outcome = Outcome()
    retag(caches, outcome, existing, [A])
    assert outcome.image_cache and outcome.image_cache.tags is None
    assert "shows none and does not find it by them" in outcome.warnings[0]
