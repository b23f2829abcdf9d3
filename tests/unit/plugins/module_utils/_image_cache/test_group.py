# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many: how long."""

from __future__ import annotations

from ansible_collections.ctyun.eci.plugins.module_utils._errors import Vanished
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.group import Group
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.image_cache import ImageCache
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.item import Item
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.operations import ImageCaches
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Wanted
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.surroundings import Surroundings
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.unit.plugins.emulated import BODY


def test_one_that_failed_is_not_waited_for_any_longer(client: Client, sleeps: list[float]) -> None:
    around = Surroundings(ImageCaches(client), Wait(60, 5))
    item = Item(Wanted("present", BODY, wait=True), around)
    item.consider(ImageCache("imc-gone", "web", status="pending"))
    Group([item], around, 1).await_ready([item])
    assert isinstance(item.error, Vanished)
    assert sleeps == [5]
