# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module api through both doors: what is sent, what is hidden, what check mode leaves out, what a lost reply means."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.redaction import HIDDEN
from tests.emulator import Emulator, Fault

from .conftest import Run, Task

Both = Callable[..., Run]

# The request on CTYun's page about createContainerGroup.
PAGE = """
{
  "containerGroupName" : "cg-test",
  "cpu" : 1,
  "memory" : 1,
  "restartPolicy" : "Never",
  "vpcId" : "vpc-ctt6yag121",
  "vSwitchId" : "subnet-y9n723knrg",
  "securityGroupId" : "sg-5bvqyvrmch",
  "azInfo" : [ {
    "azName" : "cn-huadong1-jsnj1A-public-ctcloud"
  } ],
  "dnsConfig" : {
    "nameservers" : [ "1.1.1.1" ]
  },
  "hostAliases" : [ {
    "ip" : "127.0.0.1",
    "hostnames" : [ "test" ]
  } ],
  "tags" : [ {
    "key" : "hello",
    "value" : "world"
  } ],
  "containers" : [ {
    "name" : "test",
    "cpu" : 1,
    "memory" : 1,
    "image" : "nginx:latest",
    "imagePullPolicy" : "IfNotPresent",
    "environmentVar" : [ {
      "key" : "hello",
      "value" : "world"
    } ],
    "readinessProbe" : {
      "exec" : {
        "command" : [ "curl", "localhost:80" ]
      },
      "initialDelaySeconds" : 10,
      "timeoutSeconds" : 10,
      "periodSeconds" : 10,
      "successThreshold" : 1,
      "failureThreshold" : 1
    },
    "volumeMount" : [ {
      "name" : "test-volume",
      "mountPath" : "/test-volume"
    } ]
  } ],
  "volumes" : [ {
    "name" : "test-volume",
    "type" : "ConfigFileVolume",
    "configFileVolume" : {
      "configFileToPaths" : [ {
        "path" : "test/xxx.conf",
        "content" : "d29vZHM="
      } ]
    }
  } ]
}
"""
ZONE = "cn-huadong1-jsnj1A-public-ctcloud"
SECRET = "planted-secret"
CREATE, LIST = "containers/createContainerGroup", "containers/describeContainerGroups"
DELETE = "containers/deleteContainerGroup/{{ result_0.response.containerGroupId | default('none') }}"
INJECT = {"ANSIBLE_INJECT_INVOCATION": "true"}


def body(**changes: Any) -> dict[str, Any]:
    return {**json.loads(PAGE), **changes}


def task(name: str, operation: str, given: Any = None, **more: Any) -> Task:
    keywords = {key: more.pop(key) for key in ("check_mode", "diff", "no_log") if key in more}
    arguments = {"operation": operation, **({} if given is None else {"body": given}), **more}
    return {"name": name, "ctyun.eci.api": arguments, **keywords}


@pytest.fixture
def prepare(emulator: Emulator) -> Callable[..., Callable[[], None]]:
    """Make the function that has the page's zone in the emulator, and these faults."""

    def make(*faults: Fault) -> Callable[[], None]:
        def act() -> None:
            emulator.settings.update({"zones": [ZONE], "pull_after": 0})
            emulator.inject(*map(copy.copy, faults))

        return act

    return make


def test_the_life_of_a_container_group(both: Both, prepare: Any, emulator: Emulator) -> None:
    tasks = [
        task("create", CREATE, json.loads(PAGE), diff=True),
        task("list", LIST, {"containerGroupIds": "{{ result_0.response.containerGroupId }}"}),
        task("events", "containers/describeContainerGroupEvent"),
        task("delete", DELETE, method="delete"),
        task("gone", LIST),
    ]
    found = both(tasks, prepare=prepare()).results
    assert [name for name, result in found.items() if result["failed"]] == []
    assert [name for name, result in found.items() if result["changed"]] == ["create", "delete"]
    assert "diff" not in found["create"]
    assert set(found["create"]) - {"invocation"} == {"changed", "failed", "failure", "response", "request_id"}
    assert found["create"]["request_id"] == found["create"]["response"]["requestId"]
    (group,) = found["list"]["response"]["containerGroups"]
    assert (group["containerGroupName"], group["cpu"]) == ("cg-test", 1)
    assert found["gone"]["response"]["containerGroups"] == []
    (create,) = emulator.sent("createContainerGroup")
    assert create.body == json.loads(PAGE)
    assert '"cpu": 1, "memory": 1, ' in create.raw.decode()


def test_values_are_not_changed_on_their_way(both: Both, prepare: Any, emulator: Emulator) -> None:
    """The emulator refuses this body, but records it."""
    odd = {"i": 1, "f": 1.0, "h": 0.5, "t": "1", "y": "yes", "b": True, "n": None, "e": "", "l": [None, 1, "1", {}]}
    odd.update({"textual": '{"a": 1}', "nested": [{"x": None, "y": [1.0, "off"]}], "big": 2**60})
    done = both([task("odd", CREATE, odd), task("from a text", CREATE, " " + json.dumps(odd))], prepare=prepare())
    for name, record in zip(("odd", "from a text"), emulator.requests, strict=True):
        assert done.results[name]["failure"]["code"] == "ECI.Openapi.StatusReasonInvalid"
        assert record.raw == json.dumps(odd).encode(), name


def planted() -> dict[str, Any]:
    """A body with a secret at every depth."""
    login = {"server": "r.example", "userName": "u", "password": f"{SECRET}-1"}
    container = {**body()["containers"][0], "environmentVar": [{"key": "DB_PASSWORD", "value": f"{SECRET}-2"}]}
    volume = {"name": "z", "type": "ZosVolume", "zosVolume": {"bucket": "b", "url": "u", "crendential": f"{SECRET}-3"}}
    deep = {"a": [[{"b": {"apiToken": {"c": [f"{SECRET}-4"]}}}]], "accessKey": f"{SECRET}-5"}
    return body(imageRegistryCredential=[login], containers=[container], volumes=[volume], dnsConfig=deep)


def printed(output: str, name: str) -> dict[str, Any]:
    """Return the result that Ansible prints of a task, with its invocation."""
    text = output.partition(f"TASK [{name}]")[2].partition("=> ")[2]
    result: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return result


@pytest.mark.parametrize("in_process", [True, False])
def test_no_secret_of_the_body_is_shown(
    in_process: bool, tasks: Callable[..., Run], prepare: Any, emulator: Emulator
) -> None:
    echo = Fault(
        "status", "describeContainerGroupStatus", status=422, reason="Invalid", message=f"no {SECRET}-6, {SECRET}-7"
    )
    secret_query = {"secretKey": f"{SECRET}-6", "a": {"token": 1}}
    given = [
        task("create", CREATE, planted()),
        task("checked", CREATE, planted(), check_mode=True),
        task("refused here", CREATE, planted(), query=secret_query),
        task("refused there", CREATE, {**planted(), "moreSecret": f"{SECRET}-8"}),
        task("text", CREATE, json.dumps(planted()), query=secret_query),
        task(
            "quoted",
            "containers/describeContainerGroupStatus",
            {"password": f"{SECRET}-7"},
            query={"token": f"{SECRET}-6"},
        ),
        task("listed", LIST),
    ]
    prepare(echo)()
    done = tasks(given, in_process, "-vvvv", **INJECT)
    found = {name: printed(done.stdout, name) for name in done.results}
    assert [name for name, result in done.results.items() if not result["failed"]] == ["create", "checked", "listed"]
    listed = found.pop("listed")
    assert SECRET not in done.output.partition("TASK [listed]")[0]
    assert found["quoted"]["failure"]["message"] == "no ********, ********"
    assert found["quoted"]["invocation"]["module_args"]["query"] == {"token": HIDDEN}
    for name in ("create", "checked", "refused here"):
        shown = found[name]["invocation"]["module_args"]["body"]
        assert shown["imageRegistryCredential"] == HIDDEN
        assert shown["containers"][0]["environmentVar"] == [{"key": "DB_PASSWORD", "value": HIDDEN}]
        assert shown["volumes"][0]["zosVolume"] == {"bucket": "b", "url": "u", "crendential": HIDDEN}
        assert shown["dnsConfig"] == {"a": [[{"b": {"apiToken": HIDDEN}}]], "accessKey": HIDDEN}
        assert shown["memory"] == 1
    # a text that is refused may be anything
    assert found["text"]["invocation"]["module_args"]["body"] == HIDDEN
    # what the service returns is returned, since this task knows of no secret
    assert listed["response"]["containerGroups"][0]["containers"][0]["environmentVar"][0]["value"] == f"{SECRET}-2"
    assert f"{SECRET}-2" in str(emulator.sent("createContainerGroup")[0].raw)


def test_check_mode_sends_what_reads(both: Both, prepare: Any, emulator: Emulator) -> None:
    tasks = [
        task("create", CREATE, json.loads(PAGE)),
        task("list", LIST),
        task("delete", DELETE, method="delete"),
        task("harmless", LIST, changes=True),
    ]
    found = both(tasks, "--check", "--diff", prepare=prepare()).results
    assert [(name, result["changed"]) for name, result in found.items()] == [
        ("create", True),
        ("list", False),
        ("delete", True),
        ("harmless", True),
    ]
    for name in ("create", "delete", "harmless"):
        assert (found[name]["response"], found[name]["request_id"], found[name]["failed"]) == (None, None, False)
    assert found["list"]["response"]["totalCount"] == 0
    assert [record.operation for record in emulator.requests] == ["describeContainerGroups"]


def test_after_a_lost_reply_a_change_is_not_sent_again(both: Both, prepare: Any, emulator: Emulator) -> None:
    lost = Fault("reset", "createContainerGroup", when="after"), Fault("reset", "describeContainerGroups")
    tasks = [task("create", CREATE, json.loads(PAGE)), task("list", LIST)]
    found = both(tasks, prepare=prepare(*lost)).results
    failure = found["create"]["failure"]
    assert (found["create"]["failed"], failure["effect"], failure["attempts"]) == (True, "possible", 1)
    assert "It may have taken effect: read what there is before you send it again." in found["create"]["msg"]
    # the list was repeated, and shows that it had
    assert found["list"]["response"]["totalCount"] == 1
    operations = [record.operation for record in emulator.requests]
    assert operations == ["createContainerGroup", "describeContainerGroups", "describeContainerGroups"]


def test_a_path_that_leaves_the_api_is_refused(both: Both, prepare: Any, emulator: Emulator) -> None:
    paths = ["../x", "https://elsewhere.example/a", "a/b?c=d"]
    found = both([task(f"{number}", path) for number, path in enumerate(paths)], prepare=prepare()).results
    for result in found.values():
        assert result["failed"] is True
        assert "- operation: " in result["msg"]
    assert emulator.requests == []
