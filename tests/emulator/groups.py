# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container groups, as far as they show what an image cache is for: how soon a container starts."""

from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from .caches import beijing
from .errors import ServiceError
from .settings import Settings

_ALPHABET = string.ascii_lowercase + string.digits
_SHOWN = ("containerGroupName", "restartPolicy", "vpcId", "vSwitchId", "securityGroupId", "cpu", "memory", "tags")
_MOST_EVENTS = 20
_NOTHING = json.dumps({})


class Container(NamedTuple):
    """A container as it was sent, and when it starts; ``pulls`` says whether its image comes from a registry."""

    body: dict[str, Any]
    starts_at: float
    pulls: bool

    def described(self, now: float) -> dict[str, Any]:
        runs = self.starts_at <= now
        state = {"state": "Running", "startTime": beijing(self.starts_at)} if runs else {"state": "Waiting"}
        return {**self.body, "restartCount": 0, "ready": runs, "currentState": state}

    def status(self, now: float) -> dict[str, Any]:
        runs = self.starts_at <= now
        state = {"running": {"startedAt": beijing(self.starts_at)}} if runs else {"waiting": {"reason": "Pulling"}}
        own = {"name": self.body["name"], "image": self.body["image"]}
        return {**own, "ready": runs, "started": runs, "restartCount": 0, "state": state}

    def history(self, created: float) -> list[tuple[float, str, str]]:
        name, image, at = self.body["name"], self.body["image"], self.starts_at
        present = (at, "Pulled", f'Container image "{image}" already present on machine')
        pulled = (at, "Pulled", f'Successfully pulled image "{image}" in {at - created:.0f}s')
        pulling = [(created, "Pulling", f'Pulling image "{image}"')] if self.pulls else []
        return [
            *pulling,
            pulled if self.pulls else present,
            (at, "Created", f"Created container {name}"),
            (at, "Started", f"Started container {name}"),
        ]


@dataclass
class Group:
    identifier: str
    body: dict[str, Any]
    created: float
    containers: list[Container]

    def status(self, now: float) -> str:
        return "Running" if all(container.starts_at <= now for container in self.containers) else "Pending"

    def described(self, now: float) -> dict[str, Any]:
        shown = {name: self.body[name] for name in _SHOWN if name in self.body}
        return {
            "containerGroupId": self.identifier,
            **shown,
            "status": self.status(now),
            "creationTime": beijing(self.created),
            "containers": [container.described(now) for container in self.containers],
        }

    def pod(self, now: float) -> dict[str, Any]:
        containers = [container.status(now) for container in self.containers]
        phase = self.status(now)
        pod = {"phase": phase, "startTime": beijing(self.created), "containerStatuses": containers}
        return {**self._named(), "status": phase, "annotations": _NOTHING, "podStatus": pod}

    def events(self, now: float) -> dict[str, Any]:
        history = [(self.created, "StartingAgent", "Starting agent.")]
        for container in self.containers:
            history += container.history(self.created)
        happened = [entry for entry in sorted(history, key=lambda entry: entry[0]) if entry[0] <= now]
        events = [self._event(number, *entry) for number, entry in enumerate(happened)]
        return {**self._named(), "labels": _NOTHING, "events": events[: -_MOST_EVENTS - 1 : -1]}

    def _named(self) -> dict[str, Any]:
        return {
            "containerGroupId": self.identifier,
            "name": self.body["containerGroupName"],
            "uuid": self.identifier,
        }

    def _event(self, number: int, moment: float, reason: str, message: str) -> dict[str, Any]:
        return {
            "name": f"{self.identifier}.{int(moment * 1e9) + number:016x}",
            "type": "Normal",
            "count": 1,
            "firstTimestamp": beijing(moment),
            "lastTimestamp": beijing(moment),
            "message": message,
            "reason": reason,
            "reportingComponent": "eci-agent",
            "reportingInstance": self.identifier,
            "source": {"component": "eci-agent", "host": "eci"},
            "involvedObject": {"kind": "Pod", "name": self.body["containerGroupName"], "uid": self.identifier},
        }


class Groups:
    """The container groups of the service. A container without its image in the cache pulls it first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._groups: dict[str, Group] = {}

    def clear(self) -> None:
        self._groups.clear()

    def create(self, body: dict[str, Any], cached: Collection[str], now: float) -> dict[str, Any]:
        """Create one; ``cached`` are the images of its image cache."""
        identifier = "eci-" + "".join(random.choices(_ALPHABET, k=16))
        containers = []
        for container in body["containers"]:
            pulls = container["image"] not in cached or container.get("imagePullPolicy") == "Always"
            containers.append(Container(container, now + self._settings.pull_after * pulls, pulls))
        self._groups[identifier] = Group(identifier, body, now, containers)
        return {"containerGroupId": identifier, "masterOrderId": uuid.uuid4().hex}

    def listed(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        found = [group.described(now) for group in self._matching(body, now)]
        return {"nextToken": "", "totalCount": len(found), "containerGroups": found}

    def statuses(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        found = [group.pod(now) for group in self._matching(body, now)]
        return {"nextToken": "", "totalCount": len(found), "data": found}

    def events(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        found = [group.events(now) for group in self._matching(body, now)]
        return {"totalCount": sum(len(one["events"]) for one in found), "data": found}

    def delete(self, identifier: str) -> dict[str, Any]:
        if self._groups.pop(identifier, None) is None:
            raise ServiceError("NotFound", "containerGroupId: no such container group")
        return {"containerGroupId": identifier}

    def _matching(self, body: dict[str, Any], now: float) -> list[Group]:
        identifiers = [part for part in body.get("containerGroupIds", "").split(",") if part]
        name, status = body.get("containerGroupName"), body.get("status")
        return [
            group
            for group in self._groups.values()
            if (not identifiers or group.identifier in identifiers)
            and name in (None, "", group.body["containerGroupName"])
            and status in (None, "", group.status(now))
        ]
