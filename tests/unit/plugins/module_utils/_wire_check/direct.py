# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator without a network, and in no time: a whole check takes a few milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.rate_limiter import Pace
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Operation, Transport
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from ansible_collections.ctyun.eci.plugins.module_utils._wire_check.check import Finding, check
from ansible_collections.ctyun.eci.plugins.module_utils._wire_check.own import order
from tests.emulator import replies
from tests.emulator.clock import Clock as ServiceClock
from tests.emulator.errors import ServiceError
from tests.emulator.service import Service
from tests.emulator.settings import Settings

NOW = 1_800_000_000.0
BODY: dict[str, Any] = {
    "images": ["nginx:latest"],
    "azInfo": {"azName": "az1"},
    "vpcId": "vpc-planted",
    "vSwitchId": "subnet-planted",
    "securityGroupId": "sg-planted",
}
WAIT = Wait(600.0, 5.0)


class Direct:
    """What a client takes for a transport."""

    def __init__(self, settings: Settings) -> None:
        self.time = NOW
        self.settings = settings
        self.service = Service(settings, ServiceClock(lambda: self.time))
        self.sent: list[str] = []
        self.connection = Connection(
            settings.access_key, settings.secret_key, settings.region_id, "http://127.0.0.1:1", True, 10.0, 3, 30.0
        )

    def send(
        self, operation: Operation, body: Mapping[str, Any] | None, identifier: str, time: Any, hide: Any
    ) -> HttpReply:
        self.sent.append(operation.name)
        try:
            answer = self.service.perform(operation.name, self.settings.region_id, identifier, body)
            reply = replies.good(answer, self.settings)
        except ServiceError as error:
            reply = replies.refused(error, self.settings)
        return HttpReply(operation.name, "request", reply.status, {}, reply.encoded())

    def client(self) -> Client:
        def sleep(seconds: float) -> None:
            self.time += seconds

        clock = Clock(sleep, lambda: self.time, lambda: self.time)
        return Client(cast(Transport, self), clock=clock, pace=Pace(clock, start=math.inf))


def seeded(service: Service) -> None:
    """Two image caches of somebody, the younger one the second."""
    service.seed("Planted-older", ["planted.example/a:1"], age=5000.0, azName="planted-zone")
    service.seed("Planted-newer", ["planted.example/b:1", "planted-b"], age=3000.0, azName="planted-zone")


def checked(
    settings: Settings,
    body: Mapping[str, Any] | None = MappingProxyType(BODY),
    twin: bool = True,
    prepare: Callable[[Service], None] = seeded,
) -> Finding:
    """What a check finds out of a service with these settings. It leaves nothing behind."""
    direct = Direct(settings)
    prepare(direct.service)
    before = direct.service.caches()
    finding = check(direct.client(), body and order(body), WAIT, twin and body is not None)
    assert [cache["imageCacheId"] for cache in direct.service.caches()] == [cache["imageCacheId"] for cache in before]
    return finding
