# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._errors import EciError
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.api import TASK
from tests.emulator import Emulator, Fault

from .test_tasks import lines, run

GROUP: dict[str, Any] = {
    "containerGroupName": "web",
    "azInfo": [{"azName": "az1"}],
    "vpcId": "vpc-test",
    "vSwitchId": "subnet-test",
    "securityGroupId": "sg-test",
    "restartPolicy": "Always",
    "cpu": 0.5,
    "memory": 1,
    "containers": [{"name": "web", "image": "nginx:latest", "environmentVar": [{"key": "n", "value": "1"}]}],
}
CREATE = {"operation": "containers/createContainerGroup", "body": GROUP}
LIST = {"operation": "containers/describeContainerGroups"}


def create(**changes: Any) -> dict[str, Any]:
    return {**CREATE, "body": {**GROUP, **changes}}


@pytest.mark.parametrize(
    "operation",
    [
        "",
        "/containers/createContainerGroup",
        "containers//createContainerGroup",
        "containers/createContainerGroup/",
        "../v2/x",
        "containers/../x",
        "containers/..",
        "containers/./x",
        "https://elsewhere.example/x",
        "elsewhere.example/x",
        "//elsewhere.example/x",
        "user@elsewhere/x",
        "elsewhere:443/x",
        "containers/x?force=true",
        "containers/x#y",
        "containers/%2e%2e/x",
        "containers/x y",
        "containers/x\ty",
        "containers/x\n",
        " containers/x",
        "containers\\x",
        "containers/créate",
        "容器/创建",
        "containers/x；y",
        "containers/１",
    ],
)
def test_a_path_that_is_none_of_the_api_is_refused(operation: str) -> None:
    (line,) = lines(TASK, operation=operation)
    assert line.startswith("operation: ")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["operation: is required"]),
        ({**LIST, "method": "POST"}, ["method: must be one of get, post, put, delete"]),
        ({**LIST, "body": ["x"]}, ["body: must be a mapping"]),
        ({**LIST, "body": "a=b"}, ["body: must be a mapping"]),
        ({**LIST, "body": {"cpu": [math.nan]}}, ["body: must not hold a number that JSON does not have"]),
        ({**LIST, "query": {"tail": math.inf}}, ["query: must not hold a number that JSON does not have"]),
        ({**LIST, "query": {"a": ["x"], "b": {}, "c": None}}, [f"query.{key}: must be a string" for key in "abc"]),
        ({**LIST, "changes": "perhaps"}, ["changes: must be true or false"]),
        ({**LIST, "query": {"a": "", "b": 5, "c": 0.5, "d": False}, "body": {"a": None}}, []),
    ],
)
def test_what_is_refused(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(TASK, **given)
    assert len(found) == len(expected), found
    assert all(line.startswith(text) for line, text in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        *(({"operation": f"group/{name}"}, False) for name in ("describeX", "listX", "getX", "queryX", "get", "list")),
        *(({"operation": f"group/{name}"}, True) for name in ("createX", "listenX", "describedX", "x", "DescribeX")),
        *(({"operation": "group/describeX", "method": method}, True) for method in ("put", "delete")),
        ({"operation": "group/describeX/create", "method": "get"}, False),
        ({"operation": "group/deleteX/describe-me"}, True),
        ({"operation": "list/deleteX"}, True),
        ({"operation": "region", "method": "get"}, True),
        ({"operation": "region", "method": "get", "changes": False}, False),
        ({"operation": "group/describeX", "changes": True}, True),
    ],
)
def test_what_counts_as_a_change(given: dict[str, Any], changed: bool, client: Client, emulator: Emulator) -> None:
    emulator.inject(Fault("status", status=404))
    if changed:
        assert run(TASK, client, True, **given).values == {"changed": True, "response": None, "request_id": None}
    else:
        with pytest.raises(EciError):
            run(TASK, client, True, **given)
    assert len(emulator.requests) == (not changed)


def test_a_body_goes_out_as_it_is(client: Client, emulator: Emulator) -> None:
    body = {"cpu": 1, "memory": 1.0, "none": None, "text": "1", "yes": True, "deep": [{"n": None, "m": [1, "1", []]}]}
    with pytest.raises(EciError, match="unknown field"):
        run(TASK, client, operation="containers/createContainerGroup", body={**GROUP, **body})
    (record,) = emulator.requests
    assert record.raw == json.dumps({**GROUP, **body}).encode()
    assert record.headers["regionid"] == emulator.settings.region_id


@pytest.mark.parametrize(
    ("given", "method", "target", "raw"),
    [
        (LIST, "POST", "containers/describeContainerGroups", b"{}"),
        ({**LIST, "body": {}}, "POST", "containers/describeContainerGroups", b"{}"),
        ({"operation": "a/restartX/i-1", "method": "put"}, "PUT", "a/restartX/i-1", b""),
        (
            {"operation": "logs/describeContainerLog/eci-1", "method": "get", "query": {"tail": 5, "previous": False}},
            "GET",
            "logs/describeContainerLog/eci-1?tail=5&previous=false",
            b"",
        ),
        (
            {"operation": "a/b", "method": "get", "query": {"n": "名 b&c=d/?#", "e": ""}},
            "GET",
            "a/b?n=%E5%90%8D%20b%26c%3Dd%2F%3F%23&e=",
            b"",
        ),
    ],
)
def test_what_is_sent(
    given: dict[str, Any], method: str, target: str, raw: bytes, client: Client, emulator: Emulator
) -> None:
    try:
        run(TASK, client, **given)
    except EciError as error:
        assert error.code == "ECI.Openapi.StatusReasonNotFound"  # and the signature was right
    (record,) = emulator.requests
    sent = record.path.removeprefix("/eci/api/v1/") + (f"?{record.query}" if record.query else "")
    assert (record.method, sent, record.raw) == (method, target, raw)


def test_what_is_returned(client: Client, emulator: Emulator) -> None:
    made = run(TASK, client, **CREATE).values
    assert made["changed"] is True
    assert made["response"]["containerGroupId"].startswith("eci-")
    assert made["request_id"] == made["response"]["requestId"]
    listed = run(TASK, client, **LIST).values
    assert listed["changed"] is False
    (group,) = listed["response"]["containerGroups"]
    assert group["containers"][0]["environmentVar"] == [{"key": "n", "value": "1"}]
    gone = {"operation": f"containers/deleteContainerGroup/{group['containerGroupId']}", "method": "delete"}
    assert run(TASK, client, **gone).values["changed"] is True
    assert run(TASK, client, **LIST).values["response"]["totalCount"] == 0


def test_a_read_is_repeated(client: Client, emulator: Emulator) -> None:
    emulator.inject(Fault("reset", times=2))
    run(TASK, client, **LIST)
    assert len(emulator.requests) == 3


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (Fault("reset", when="after"), "possible"),
        (Fault("status", status=503), "possible"),
        (Fault("html"), "possible"),
        (Fault("status", status=429, reason="TooManyRequests"), "none"),
        (Fault("status", status=422, reason="Invalid"), "none"),
    ],
)
def test_a_change_is_sent_once(fault: Fault, effect: str, client: Client, emulator: Emulator) -> None:
    emulator.inject(fault)
    with pytest.raises(EciError) as caught:
        run(TASK, client, **CREATE)
    assert len(emulator.requests) == 1
    assert (caught.value.effect, caught.value.attempts) == (effect, 1)
    assert caught.value.operation == "createContainerGroup"
    assert ("It may have taken effect" in caught.value.message) is (effect == "possible")


def test_a_secret_that_the_reply_quotes_is_redacted(client: Client, emulator: Emulator) -> None:
    client.redact = lambda text: text.replace("Pl4nted", "***")
    obj = {"env": [{"value": "x Pl4nted"}], "Pl4nted": 1}
    emulator.inject(Fault("json", value={"statusCode": 200, "returnObj": obj}))
    assert run(TASK, client, **CREATE).values["response"] == {"env": [{"value": "x ***"}], "***": 1}
