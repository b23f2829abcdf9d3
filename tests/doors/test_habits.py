# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Habits of those who write playbooks: defaults, other spellings, conditions on a result, a rescue, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import BIN, environment_of
from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, CREATE, LIST, A, seed

from .conftest import Run, Task

GROUP = "group/ctyun.eci.eci"
MISSING = {**BODY, "imageCacheName": "missing", "images": ["does-not-exist:1"]}


def task(name: str, module: str, arguments: dict[str, Any], **more: Any) -> Task:
    return {"name": name, f"ctyun.eci.{module}": arguments, **more}


def _without(field: str) -> dict[str, Any]:
    return {key: value for key, value in BODY.items() if key != field}


def test_a_body_goes_before_defaults_of_another_spelling(both: Callable[..., Run], emulator: Emulator) -> None:
    snake = {
        "vpc_id": "{{ 'vpc-' ~ 'default' }}",
        "subnet_id": "subnet-default",
        "name": "default",
        "tags": {"team": "web"},
    }
    defaults = [{GROUP: {"timeout": 20}}, {"ctyun.eci.image_cache": snake}]
    two = {"ctyun.eci.image_cache": {"vpc_id": "a", "vpcId": "b"}}
    given = [
        task("body", "image_cache", BODY, module_defaults=defaults),
        task("both", "image_cache", {**BODY, "vpc_id": "mine"}, module_defaults=defaults),
        task("two defaults", "image_cache", BODY, module_defaults=two),
        task("only defaults", "image_cache", _without("vpcId"), module_defaults=two),
        task("of the group", "region_info", {}, module_defaults={GROUP: {"vpc_id": "vpc-default"}}),
    ]
    found = both(given).results
    (created,) = emulator.sent(CREATE)
    assert created.body == {**BODY, "tags": [{"key": "team", "value": "web"}]}
    assert found["body"]["failed"] is False
    twice = "is given twice, also as vpc"
    assert [name for name, result in found.items() if twice in result.get("msg", "")] == ["both", "only defaults"]
    assert found["two defaults"]["failed"] is False
    message = "vpc_id: is not an option of ctyun.eci.region_info, but module_defaults sets it for group"
    assert found["of the group"]["msg"].startswith(message)


def test_tags_in_each_form(both: Callable[..., Run], emulator: Emulator) -> None:
    tags = [A, {"key": "n", "value": "1"}]
    forms = {
        "list": tags,
        "mapping": {"a": "1", "n": 1},
        "JSON": json.dumps(tags),
        "JSON mapping": '{"a": "1", "n": "1"}',
    }
    given = [task(form, "image_cache", {**BODY, "tags": value}) for form, value in forms.items()]
    given += [
        task("many", "image_caches", {"image_caches": [{**BODY, "tags": forms["mapping"]}], "prune_tags": {"a": "1"}}),
        task("filter", "image_cache_info", {"tags": {"a": "1", "n": None}}),
        task("any", "image_caches", {"image_caches": [BODY], "prune_tags": {"a": None}}),
    ]
    found = both(given).results
    assert [name for name, result in found.items() if result["failed"]] == ["any"]
    assert [name for name, result in found.items() if result["changed"]] == ["list"]
    assert len(found["filter"]["image_caches"]) == 1
    assert "prune_tags.a: is required" in found["any"]["msg"]
    (created,) = emulator.sent(CREATE)
    assert (created.body or {})["tags"] == tags
    assert {"tags": [A, {"key": "n"}]}.items() <= (emulator.sent(LIST)[-1].body or {}).items()


KEYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "image_cache_info": ({}, {"image_caches": []}),
    "region_info": ({}, {"region": {"region_id": None, "zones": []}}),
    "quota_info": ({}, {"quotas": []}),
    "image_info": ({"images": ["nginx:1"]}, {"images": [], "image_cache_size": None}),
    "api": ({"operation": "imageCache/describeImageCaches"}, {"response": None, "request_id": None}),
    "image_cache": (BODY, {"image_cache_id": None, "image_cache": None, "drift": [], "request_id": None}),
    "image_caches": ({"image_caches": [BODY]}, {"image_caches": [], "pruned": [], "kept": [], "plan": None}),
}


def test_a_result_that_failed_has_its_keys(both: Callable[..., Run], emulator: Emulator) -> None:
    given: list[Task] = []
    for module, (arguments, _empty) in KEYS.items():
        given.append(task(f"{module} refused", module, {**arguments, "timeout": -1}))
        if module != "image_info":
            given.append(task(f"{module} unreachable", module, {**arguments, "endpoint": "http://127.0.0.1:1"}))
            given.append(task(f"{module} good", module, arguments, check_mode=True))
    found = both(given).results
    for name, result in found.items():
        if name.endswith("good"):
            assert result["failure"] is None
        else:
            expected = KEYS[name.partition(" ")[0]][1]
            assert {key: result[key] for key in expected} == expected, name
            assert (result["failure"]["effect"], result["failure"]["request_id"]) == ("none", None)
            assert result["failed"]


def test_until(both: Callable[..., Run], emulator: Emulator) -> None:
    condition = "result_0.failure is none and result_0.image_caches | length > 0"
    found = both([task("wait", "image_cache_info", {}, until=condition, retries=1, delay=0)], prepare=lambda: None)
    assert found.results["wait"]["image_caches"] == []
    unreachable = {"endpoint": "http://127.0.0.1:1", "retries": 0}
    found = both([task("wait", "image_cache_info", unreachable, until=condition, retries=1, delay=0)])
    assert found.results["wait"]["msg"].startswith("Cannot connect to http://127.0.0.1:1")


def test_a_failure_names_what_the_task_has_created(both: Callable[..., Run], emulator: Emulator) -> None:
    short = {"wait": True, "wait_timeout": 0, "wait_interval": 0.1}
    given = [
        task("good", "image_cache", BODY),
        task("failed", "image_cache", {**MISSING, "wait": True}),
        {"name": "fact", "ansible.builtin.debug": {"var": "ansible_facts.imageCacheId"}},
        task("many failed", "image_caches", {"image_caches": [{**MISSING, "imageCacheName": "m"}], **short}),
        task("refused", "image_cache", {**BODY, "images": []}),
    ]
    found = both(given).results
    good, failed = found["good"], found["failed"]
    assert failed["failed"]
    assert failed["image_cache_id"] in failed["msg"]
    # Ansible takes no facts from a result that failed
    assert found["fact"]["ansible_facts.imageCacheId"] == good["image_cache_id"] != failed["image_cache_id"]
    (many,) = found["many failed"]["image_caches"]
    assert many["image_cache_id"] in found["many failed"]["msg"]
    assert (found["refused"]["image_cache_id"], found["refused"]["changed"]) == (None, False)


@pytest.mark.parametrize("in_process", [True, False])
def test_a_diff_shows_chinese(in_process: bool, tasks: Callable[..., Run], emulator: Emulator) -> None:
    seed(emulator, "缓存", tags=[])
    given = [task("retag", "image_cache", {"name": "缓存", **_without("imageCacheName"), "tags": {"团队": "前端"}})]
    done = tasks(given, in_process, "--diff")
    assert '+            "key": "团队"' in done.stdout, done.stdout


def test_the_libraries_are_missed_in_a_python_that_the_message_names(
    play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "jsonschema.py").write_text("raise ImportError('not here')\n")
    playbook = tmp_path / "playbook.json"
    given = task("read", "region_info", {}, environment={"PYTHONPATH": str(tmp_path / "broken")})
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [given]}]), encoding="utf-8")
    done = play(str(playbook))
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "Failed to import the required Python library (jsonschema" in said
    assert "The task ran as a module in that Python, as it does with async, become or environment" in said
    assert "{{ ansible_playbook_python }}" in said


@pytest.mark.parametrize(("module", "no_log"), [("image_cache", False), ("image_cache", True), ("image_caches", False)])
def test_after_ctrl_c_the_last_line_names_what_was_created(
    module: str, no_log: bool, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.settings.ready_after = 1000.0
    arguments = BODY if module == "image_cache" else {"image_caches": [BODY, {**BODY, "imageCacheName": "other"}]}
    playbook = tmp_path / "playbook.json"
    given = task("create", module, {**arguments, "wait": True, "wait_interval": 0.2}, no_log=no_log)
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [given]}]), encoding="utf-8")
    process = subprocess.Popen(
        [str(BIN / "ansible-playbook"), str(playbook)],
        env={**environment_of(tmp_path), **emulator.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends it to all processes in front
    )
    wanted = 1 if module == "image_cache" else 2
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (len(emulator.sent(CREATE)) == wanted and len(emulator.sent(LIST)) > 3):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _stdout, stderr = process.communicate(timeout=60)
    created = [cache["imageCacheId"] for cache in emulator.service.caches()]
    assert len(created) == wanted
    named = [f"This task created the image cache {one}." in stderr for one in created]
    assert ("ctyun.eci: " in stderr, named) == (not no_log, [not no_log] * wanted), stderr
