# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-lint knows the options: it finds wrong arguments, and accepts templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import PLACES, Ansible

BODY = {"name": "web", "images": ["nginx:latest"], "az_info": {"az_name": "az1"}, **PLACES}
ONE, MANY, INFO = "ctyun.eci.image_cache", "ctyun.eci.image_caches", "ctyun.eci.image_cache_info"
REGION, QUOTA, API = "ctyun.eci.region_info", "ctyun.eci.quota_info", "ctyun.eci.api"

# Wrong arguments, and a word of the linter's message.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (ONE, {**BODY, "tag": []}, "tag"),
    (ONE, {**BODY, "state": "gone"}, "state"),
    (ONE, {**BODY, "drift": "ignore"}, "drift"),
    (ONE, {**BODY, "image_cache_size": "big"}, "image_cache_size"),
    (ONE, {**BODY, "wait": "perhaps"}, "wait"),
    (ONE, {**BODY, "az_info": {"az_name": "az1", "zone": "az1"}}, "zone"),
    (ONE, {**BODY, "image_registry_credentials": [{"server": "r", "user_name": "u"}]}, "password"),
    (MANY, {"image_caches": [{**BODY, "size": 40}]}, "size"),
    (MANY, {"image_caches": [BODY], "prune_tag": []}, "prune_tag"),
    (MANY, {"image_caches": [BODY], "concurrency": "many"}, "concurrency"),
    (MANY, {"wait": True}, "image_caches"),
    (INFO, {"names": ["web"]}, "names"),
    (REGION, {"region": "r"}, "region"),
    (QUOTA, {"timeout": "soon"}, "timeout"),
    (API, {"operation": "region", "method": "patch"}, "method"),
    (API, {"body": {}}, "operation"),
]

RIGHT: list[tuple[str, dict[str, Any]]] = [
    (ONE, BODY),
    (ONE, {**BODY, "image_cache_size": "{{ size }}", "state": "{{ state }}", "wait": "{{ wait }}"}),
    (ONE, {**BODY, "tags": "{{ tags }}", "az_info": "{{ zone }}", "image_registry_credentials": "{{ logins }}"}),
    (ONE, {"imageCacheName": "web", "azInfo": {"azName": "az1"}, "vSwitchId": "s", "imageCacheSize": 40}),
    (ONE, {"image_cache_id": "imc-1", "tags": [{"key": "team", "value": "{{ team }}"}]}),
    (MANY, {"image_caches": "{{ caches }}", "concurrency": "{{ many }}"}),
    (MANY, {"image_caches": [{**BODY, "image_cache_size": "{{ size }}", "tags": "{{ tags }}", "state": "{{ a }}"}]}),
    (MANY, {"image_caches": [{**BODY, "az_info": "{{ zone }}", "eip": {"eip_instance_id": "e"}}], "prune_keep": 2}),
    (INFO, {}),
    (INFO, {"tags": [{"key": "team"}], "events": "{{ events }}"}),
    (ONE, {**BODY, "tags": {"team": "web"}}),
    (MANY, {"image_caches": [{**BODY, "tags": {"team": "web"}}], "prune_tags": {"team": "web"}}),
    (REGION, {"retries": 0}),
    (QUOTA, {"timeout": 2.5}),
    (API, {"operation": "containers/deleteContainerGroup/{{ one }}", "method": "delete", "changes": "{{ maybe }}"}),
    (API, {"operation": "containers/createContainerGroup", "body": {"azInfo": [{"azName": "az1"}], "cpu": 0.5}}),
]


@pytest.fixture
def findings(tool: Ansible, tmp_path: Path) -> Any:
    """The messages of the linter by the number of the task."""

    def lint(tasks: list[tuple[str, dict[str, Any]]]) -> dict[int, str]:
        lines, first = ["---", "- name: Tasks", "  hosts: localhost", "  tasks:"], {}
        for number, (module, arguments) in enumerate(tasks):
            first[len(lines) + 1] = number
            lines += [f"    - name: Task {number}", f"      {module}: {json.dumps(arguments)}"]
        playbook = tmp_path / "playbook.yml"
        playbook.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = tool("ansible-lint", "--offline", "--format", "json", "--project-dir", str(tmp_path), str(playbook))
        found = [one for one in json.loads(done.stdout) if one["check_name"].startswith(("args", "load", "syntax"))]
        messages: dict[int, str] = {}
        for one in found:
            line = one["location"].get("lines", one["location"].get("positions", {}))["begin"]
            begin = max(start for start in first if start <= (line["line"] if isinstance(line, dict) else line))
            messages[first[begin]] = one["description"]
        return messages

    return lint


def test_what_is_wrong_is_found(findings: Any) -> None:
    found = findings([(module, arguments) for module, arguments, _word in WRONG])
    assert sorted(found) == list(range(len(WRONG))), found
    for number, (_module, _arguments, word) in enumerate(WRONG):
        assert word in found[number]


def test_what_is_right_is_left_alone(findings: Any) -> None:
    assert findings(RIGHT) == {}
