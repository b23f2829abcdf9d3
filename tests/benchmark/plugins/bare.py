# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: an action plugin with the same libraries that sends the same requests, and promises nothing.

It lists, creates and lists again, without a check of its arguments or of a reply, without retries and locks, and returns
what the task of the collection once returned.
"""

from __future__ import annotations

import functools
import json
import os
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import requests
import urllib3
from ansible.plugins.action import ActionBase

from ansible_collections.ctyun.eci.plugins.module_utils._api.auth import signed_headers

LIBRARIES = (jsonschema, requests)  # the collection cannot be without them
ENDPOINT = os.environ["CTYUN_ECI_ENDPOINT"]
PATH = "/eci/api/v1/imageCache/"
FIELDS = {
    "name": "imageCacheName",
    "images": "images",
    "vpc_id": "vpcId",
    "v_switch_id": "vSwitchId",
    "security_group_id": "securityGroupId",
}
# once, in the parent of all workers
TRUST = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])


@functools.lru_cache  # kept for the next items of a loop
def _connections(concurrency: int) -> urllib3.PoolManager:
    return urllib3.PoolManager(ssl_context=TRUST, maxsize=concurrency)


def _send(connections: urllib3.PoolManager, operation: str, body: dict[str, Any]) -> Any:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "regionId": os.environ["CTYUN_REGION_ID"]}
    headers |= signed_headers(os.environ["CTYUN_AK"], os.environ["CTYUN_SK"], time.time(), "", content)
    reply = connections.request("POST", f"{ENDPOINT}{PATH}{operation}", body=content, headers=headers)
    assert reply.status == 200, reply.data
    return json.loads(reply.data)


class ActionModule(ActionBase):
    """Takes the arguments of image_cache or image_caches."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = self._task.args
        entries = given.get("image_caches", [given])
        concurrency = int(given.get("concurrency", 1))
        connections = _connections(concurrency)
        bodies = [
            {**{field: entry[option] for option, field in FIELDS.items()}, "azInfo": {"azName": "az1"}}
            for entry in entries
        ]
        wanted = {} if "image_caches" in given else {"imageCacheName": bodies[0]["imageCacheName"]}
        _send(connections, "describeImageCaches", wanted)
        if concurrency == 1:
            _send(connections, "createImageCache", bodies[0])
        else:
            with ThreadPoolExecutor(concurrency) as pool:
                list(pool.map(lambda body: _send(connections, "createImageCache", body), bodies))
        _send(connections, "describeImageCaches", wanted)
        name = f"{len(entries)}.json" if "image_caches" in given else "one.json"
        return {**result, **json.loads(Path(os.environ["BENCHMARK_RESULTS"], name).read_text())}
