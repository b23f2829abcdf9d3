# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of the proofs ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.prune import Prune

PRESENT, ABSENT = "present", "absent"
MARK = "planted-secret"
SECRET_KEY = f"{MARK}-key-0x5ec"
PASSWORD = f'{MARK} "pass\'wörd"\n'

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wish:
    """One image cache as a task describes it. ``tags`` None: the task says nothing about them."""

    name: str = "web"
    images: tuple[str, ...] = ("nginx:latest",)
    tags: Tags | None = None
    size: int = 40
    zone: str = "az1"
    state: str = PRESENT
    image_cache_id: str | None = None

    def body(self) -> dict[str, Any]:
        """The body of createImageCache."""
        body: dict[str, Any] = {
            "imageCacheName": self.name,
            "imageCacheSize": self.size,
            "images": list(self.images),
            "azInfo": {"azName": self.zone},
            "vpcId": "vpc-test",
            "vSwitchId": "subnet-test",
            "securityGroupId": "sg-test",
            "imageRegistryCredentials": [{"server": "registry.test", "userName": "user", "password": PASSWORD}],
        }
        if self.tags is not None:
            body["tags"] = tag_list(self.tags)
        return body


@dataclass(frozen=True)
class Ask:
    """One task. ``bulk``: that of the module image_caches; ``info``: that of image_cache_info, with or without ``events``."""

    wishes: tuple[Wish, ...] = (Wish(),)
    bulk: bool = False
    info: bool = False
    events: bool = False
    purge_tags: bool = True
    drift: str = "warn"
    wait: bool = False
    duplicates: str = "fail"
    prune_tags: Tags | None = None
    prune_first: bool = False
    concurrency: int = 1

    @property
    def names(self) -> list[str]:
        """The names it is about."""
        return [wish.name for wish in self.wishes]

    def calm(self, wait: bool) -> Ask:
        """The task for later runs: without IDs, except where only they say which of a name is meant."""
        wishes = [
            wish if self.names.count(wish.name) > 1 else replace(wish, image_cache_id=None) for wish in self.wishes
        ]
        return replace(self, wishes=tuple(wishes), wait=wait or any(wish.state == ABSENT for wish in wishes))

    def spares(self, image_cache_id: str) -> bool:
        """Whether a wish selects this one by its ID, to be present."""
        return any(wish.image_cache_id == image_cache_id and wish.state == PRESENT for wish in self.wishes)

    def desired(self) -> list[Desired]:
        """What it asks the collection for."""
        policy = (self.purge_tags, self.drift, self.wait, self.duplicates)
        return [Desired(wish.state, wish.body(), wish.image_cache_id, *policy) for wish in self.wishes]

    def prune(self) -> Prune | None:
        """What it says of others."""
        return None if self.prune_tags is None else Prune(tag_list(self.prune_tags), first=self.prune_first)


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Tags as the options and the service have them."""
    return [{"key": key, "value": value} for key, value in tags]
