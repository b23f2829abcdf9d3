# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests over the emulator have in common: a body, image caches put in place, and what was sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.ctyun.eci.plugins.module_utils import _lock
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.batch import Item, Outcome
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.plan import Desired
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.reconcile import Context, reconcile
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Wait
from tests.emulator import Emulator

# The fixtures make_client, run_one (one image cache) and run (many).
MakeClient = Callable[..., Client]
RunOne = Callable[..., Item]
Run = Callable[..., Outcome]

LIST, DESCRIBE = "describeImageCaches", "describeImageCache"
CREATE, UPDATE, DELETE = "createImageCache", "updateImageCache", "deleteImageCache"
REGION, USAGE = "region", "listUsage"

A = {"key": "a", "value": "1"}
B = {"key": "b", "value": "1"}
BODY: dict[str, Any] = {
    "imageCacheName": "web",
    "imageCacheSize": 40,
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
}


def wanted(name: str, **options: Any) -> Desired:
    """Return what a task wants, as the body above with some changes; options of the task may be among them."""
    fields = ("purge_tags", "drift", "wait", "duplicates", "image_cache_id")
    policy = {key: options.pop(key) for key in fields if key in options}
    return Desired("present", {**BODY, "imageCacheName": name, **options}, **policy)


def absent(name: str, **options: Any) -> Desired:
    return Desired("absent", {"imageCacheName": name}, **options)


def seed(emulator: Emulator, name: str = "web", **changes: Any) -> str:
    """Put an image cache in place as the body above would have made it; its ID."""
    fields = {"imageCacheSize": 40, "azName": "az1", "images": ["nginx:latest"], **changes}
    return emulator.service.seed(name, fields.pop("images"), **fields)


def somebody_else_creates(emulator: Emulator, **changes: Any) -> str:
    """Create one past the client, so that no request of its own is recorded; its ID."""
    answer = emulator.service.perform(CREATE, emulator.settings.region_id, "", {**BODY, **changes})
    return str(answer.value["imageCacheId"])


def operations(emulator: Emulator) -> list[str]:
    """The operations that were sent, in their order."""
    return [str(record.operation) for record in emulator.requests]


def present(emulator: Emulator) -> list[str]:
    """The IDs of what is there."""
    return [cache["imageCacheId"] for cache in emulator.service.caches()]


def names(emulator: Emulator) -> list[str]:
    """The names of what is there, sorted."""
    return sorted(cache["imageCacheName"] for cache in emulator.service.caches())


@contextmanager
def held(client: Client, *names: str) -> Iterator[None]:
    """Hold the locks of these names in another process."""
    scope = f"{client.connection.endpoint}\0{client.connection.region_id}"
    path, descriptor = _lock._open()
    os.close(descriptor)
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b')\n"
        "for offset in map(int, sys.argv[2:]): fcntl.lockf(file, fcntl.LOCK_EX, 1, offset)\n"
        "print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, path, *(str(_lock._offset(scope, name)) for name in names)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


def reconcile_one(desired: Desired, client: Client, wait: Any = None, check_mode: bool = False, **more: Any) -> Item:
    """Reconcile one image cache as the module image_cache does; its error is raised, with the item as ``item``."""
    ctx = Context(client, wait or Wait(60, 5), **more)
    (item,) = reconcile([desired], ctx, check_mode=check_mode, by_name=True).items
    if item.error:
        item.error.item = item
        raise item.error
    return item
