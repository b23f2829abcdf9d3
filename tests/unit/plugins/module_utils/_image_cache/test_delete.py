# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deletion that is none: what was changed before is told all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._errors import Unanswered
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.delete import delete
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.outcome import Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import DELETE, LIST, seed


@pytest.mark.parametrize("before", [True, False])
def test_of_one_that_is_gone(before: bool, client: Client) -> None:
    outcome = Outcome(changed=before)
    delete(ImageCaches(client), outcome, ImageCache("imc-none"))
    assert outcome.changed is before


@pytest.mark.parametrize("before", [True, False])
def test_of_one_that_is_going(before: bool, client: Client, emulator: Emulator) -> None:
    emulator.settings.update({"delete_again": "conflict", "delete_after": 100})
    going = ImageCache(seed(emulator))
    delete(ImageCaches(client), Outcome(), going)
    outcome = Outcome(changed=before)
    delete(ImageCaches(client), outcome, going)
    assert outcome.changed is before


def test_what_cannot_be_looked_up_is_told_once(emulator: Emulator, make_client: Callable[..., Client]) -> None:
    emulator.inject(Fault("reset", DELETE, times=None), Fault("status", LIST, times=None))
    with pytest.raises(Unanswered) as caught:
        delete(ImageCaches(make_client(retries=0)), Outcome(), ImageCache(seed(emulator)))
    assert "It could not be looked up either" in caught.value.message
    assert caught.value.message.count("may be deleted all the same") == 1
