# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container groups: one whose image is in its image cache starts at once, another one pulls first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.emulator import Emulator

from .test_emulator_operations import failure, good

PULL = 60


def group(**fields: Any) -> dict[str, Any]:
    body = {
        "containerGroupName": "web",
        "azInfo": [{"azName": "az1"}],
        "vpcId": "vpc-test",
        "vSwitchId": "subnet-test",
        "securityGroupId": "sg-test",
        "restartPolicy": "Always",
        "containers": [{"name": "c", "image": "nginx:latest", "imagePullPolicy": "IfNotPresent"}],
        **fields,
    }
    return {name: value for name, value in body.items() if value is not ...}


def send(api: Any, operation: str, **body: Any) -> Any:
    return api.send("POST", f"containers/{operation}", body)


def create(api: Any, **fields: Any) -> str:
    return str(good(send(api, "createContainerGroup", **group(**fields)))["containerGroupId"])


def status(api: Any, identifier: str) -> str:
    (found,) = good(send(api, "describeContainerGroups", containerGroupIds=identifier))["containerGroups"]
    (pod,) = good(send(api, "describeContainerGroupStatus", containerGroupIds=identifier))["data"]
    assert found["status"] == pod["status"] == pod["podStatus"]["phase"]
    ready = found["status"] == "Running"
    assert [one["ready"] for one in found["containers"]] == [ready] * len(found["containers"])
    assert [one["ready"] for one in pod["podStatus"]["containerStatuses"]] == [ready] * len(found["containers"])
    return str(found["status"])


def reasons(api: Any, identifier: str) -> list[str]:
    """The reasons of the events, the oldest first."""
    reply = good(send(api, "describeContainerGroupEvent", containerGroupIds=identifier))
    (found,) = reply["data"]
    assert reply["totalCount"] == len(found["events"])
    assert len({event["name"] for event in found["events"]}) == len(found["events"])
    return [event["reason"] for event in reversed(found["events"])]


@pytest.fixture(autouse=True)
def pull(emulator: Emulator) -> None:
    emulator.settings.update({"pull_after": float(PULL)})


def test_without_an_image_cache_the_image_is_pulled(api: Any, emulator: Emulator) -> None:
    identifier = create(api)
    assert re.fullmatch("eci-[a-z0-9]{16}", identifier)
    assert (status(api, identifier), reasons(api, identifier)) == ("Pending", ["StartingAgent", "Pulling"])
    emulator.advance(PULL)
    assert status(api, identifier) == "Running"
    assert reasons(api, identifier) == ["StartingAgent", "Pulling", "Pulled", "Created", "Started"]
    (found,) = good(send(api, "describeContainerGroupEvent"))["data"]
    assert found["events"][2]["message"] == f'Successfully pulled image "nginx:latest" in {PULL}s'


def test_with_a_ready_image_cache_of_its_zone_it_starts_at_once(api: Any, emulator: Emulator) -> None:
    identifier = create(api, imageCacheId=emulator.service.seed("web", ["nginx:latest"], azName="az1"))
    assert status(api, identifier) == "Running"
    assert reasons(api, identifier) == ["StartingAgent", "Pulled", "Created", "Started"]
    (found,) = good(send(api, "describeContainerGroupEvent"))["data"]
    assert found["events"][2]["message"] == 'Container image "nginx:latest" already present on machine'


@pytest.mark.parametrize(
    ("cache", "container"),
    [
        ({"status": "pending"}, {}),
        ({"status": "failed"}, {}),
        ({"azName": "cn-xinan1-1A"}, {}),
        ({"images": ["redis:7"]}, {}),
        ({}, {"imagePullPolicy": "Always"}),
    ],
)
def test_an_image_cache_that_does_not_fit_saves_nothing(
    cache: dict[str, Any], container: dict[str, Any], api: Any, emulator: Emulator
) -> None:
    seeded = {"images": ["nginx:latest"], "azName": "az1", **cache}
    containers = [{"name": "c", "image": "nginx:latest", **container}]
    identifier = create(api, imageCacheId=emulator.service.seed("web", **seeded), containers=containers)
    assert status(api, identifier) == "Pending"
    emulator.advance(PULL)
    assert status(api, identifier) == "Running"


def test_a_group_runs_when_all_its_containers_do(api: Any, emulator: Emulator) -> None:
    containers = [{"name": "a", "image": "nginx:latest"}, {"name": "b", "image": "redis:7"}]
    cached = emulator.service.seed("web", ["nginx:latest"], azName="az1")
    create(api, imageCacheId=cached, containers=containers)
    (found,) = good(send(api, "describeContainerGroups", status="Pending"))["containerGroups"]
    assert [one["currentState"]["state"] for one in found["containers"]] == ["Running", "Waiting"]


def test_lists_and_deletion(api: Any, emulator: Emulator) -> None:
    one, two = create(api), create(api, containerGroupName="db")
    assert good(send(api, "describeContainerGroups", containerGroupIds=f"{one},{two}"))["totalCount"] == 2
    (found,) = good(send(api, "describeContainerGroups", containerGroupName="db"))["containerGroups"]
    assert found["containerGroupId"] == two
    assert good(api.send("DELETE", f"containers/deleteContainerGroup/{one}"))["containerGroupId"] == one
    assert failure(api.send("DELETE", f"containers/deleteContainerGroup/{one}")) == (404, "NotFound")
    assert [record.effect for record in emulator.requests] == [True, True, False, False, True, False]
    emulator.reset()
    assert good(send(api, "describeContainerGroups"))["totalCount"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"containerGroupName": ...}, "containerGroupName"),
        ({"azInfo": {"azName": "az1"}}, "azInfo"),
        ({"azInfo": [{"azName": "elsewhere"}]}, "azInfo[0].azName"),
        ({"containers": []}, "containers"),
        ({"containers": [{"name": "c"}]}, "containers[0].image"),
        ({"cpu": "1"}, "cpu"),
        ({"autoMatchImageCache": "yes"}, "autoMatchImageCache"),
        ({"imageCache": "imc-1"}, "imageCache"),
        ({"imageCacheId": "imc-none"}, "imageCacheId"),
    ],
)
def test_what_is_refused(change: dict[str, Any], field: str, api: Any, emulator: Emulator) -> None:
    response = send(api, "createContainerGroup", **group(**change))
    assert failure(response)[0] in (404, 422)
    assert response.json()["message"].startswith(f"{field}: ")
    assert good(send(api, "describeContainerGroups"))["totalCount"] == 0


def test_what_the_sdk_sends_is_taken(api: Any, emulator: Emulator) -> None:
    login = [{"server": "r.test", "userName": "u", "password": "p"}]
    more = {"azInfo": [{"azName": "az1", "azId": 1}], "imageRegistryCredentials": login}
    create(api, regionId=emulator.settings.region_id, **more)
