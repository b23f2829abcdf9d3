# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role image_caches, in each way that a role gets into a playbook, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ctyun.eci.plugins.module_utils._arguments.specs import body_spec
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK
from tests.docs.conftest import ROOT
from tests.emulator import Emulator
from tests.unit.plugins.emulated import names, seed

from .conftest import BODY, Ansible, Play

ROLE = ROOT / "roles" / "image_caches"
WEB = {"name": "web", "images": ["nginx:1"], **BODY}
DB = {"imageCacheName": "db", "images": ["redis:7"], **BODY}
SECRET = "planted-password"
ENTRIES = ("image_caches_list", "release_image_caches")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def comparable(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {
            "type": rules.get("type", "str"),
            # Ansible quotes what stands where a mapping should be, passwords included: the module checks the entries
            "elements": "dict" if name in ENTRIES else rules.get("elements"),
            "required": rules.get("required", False),
            # the linter allows no aliases here, so the description names them
            "aliases": sorted(
                rules.get("aliases") or re.findall(r"C\((\w+)\)(?= or C|\.$)", rules.get("description", ""))
            ),
            "choices": rules.get("choices"),
            "no_log": rules.get("no_log"),
            "options": comparable(rules.get("options") or {}),
        }
        for name, rules in spec.items()
    }


def test_import_role(play: Play, emulator: Emulator) -> None:
    role = {"ansible.builtin.import_role": {"name": "ctyun.eci.image_caches"}, "vars": {"image_caches_list": [WEB, DB]}}
    show = {
        "ansible.builtin.debug": {
            "msg": "{{ ansible_facts.imageCacheIds | length }} of {{ image_caches_result.plan.create }}"
        }
    }
    done = play({"tasks": [role, show]})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "2 of 2" in done.stdout
    assert names(emulator) == ["db", "web"]


def test_include_role_in_a_loop(play: Play, emulator: Emulator) -> None:
    role = {
        "ansible.builtin.include_role": {"name": "ctyun.eci.image_caches"},
        "loop": [[WEB], [DB]],
        "loop_control": {"loop_var": "wanted", "label": "{{ wanted | length }}"},
        "vars": {"image_caches_list": "{{ wanted }}"},
    }
    done = play({"tasks": [role]})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert names(emulator) == ["db", "web"]


def test_dependency_of_a_role(play: Play, emulator: Emulator, tmp_path: Path) -> None:
    for folder, content in {
        "meta": {"dependencies": [{"role": "ctyun.eci.image_caches", "image_caches_list": [WEB]}]},
        "tasks": [{"ansible.builtin.debug": {"var": "ansible_facts.imageCacheIds.web"}}],
    }.items():
        path = tmp_path / "roles" / "site" / folder / "main.yml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    done = play({"roles": ["site"]})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f'"ansible_facts.imageCacheIds.web": "{emulator.service.caches()[0]["imageCacheId"]}"' in done.stdout


def test_import_playbook(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    base = {"hosts": "localhost", "gather_facts": False}
    inner = {**base, "roles": [{"role": "ctyun.eci.image_caches", "vars": {"image_caches_list": [WEB]}}]}
    (tmp_path / "inner.yml").write_text(json.dumps([inner]), encoding="utf-8")
    site = tmp_path / "site.yml"
    own = {"ansible.builtin.import_playbook": "ctyun.eci.image_caches", "vars": {"image_caches": [DB]}}
    after = {**base, "tasks": [{"ansible.builtin.debug": {"var": "image_caches_result.plan.create"}}]}
    site.write_text(json.dumps([{"ansible.builtin.import_playbook": "inner.yml"}, own, after]), encoding="utf-8")
    done = ansible("playbook", site, **emulator.environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert '"image_caches_result.plan.create": "1"' in done.stdout or '.create": 1' in done.stdout
    assert names(emulator) == ["db", "web"]


def test_options_and_check_mode(play: Play, emulator: Emulator) -> None:
    old = seed(emulator, "old", tags=[{"key": "team", "value": "a"}])
    variables = {
        "image_caches_list": [{**WEB, "tags": {"team": "a"}}],
        "image_caches_prune": True,
        "image_caches_prune_tags": {"team": "a"},
        "image_caches_region_id": emulator.settings.region_id,
    }
    keywords = {"roles": ["ctyun.eci.image_caches"], "vars": variables}
    done = play(keywords, "--check", "--diff", CTYUN_REGION_ID="wrong")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "+ web create, 20 GB" in done.stdout
    assert names(emulator) == ["old"]
    done = play(keywords, CTYUN_REGION_ID="wrong")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert names(emulator) == ["web"]
    assert old not in {cache["imageCacheId"] for cache in emulator.service.caches()}


def test_the_argument_specs_are_those_of_the_module() -> None:
    spec = {f"image_caches_{name}": rules for name, rules in TASK.spec().items()}
    spec["image_caches_list"] = spec.pop("image_caches_image_caches")
    spec["image_caches_prune_tags"] = {"type": "raw"}  # Ansible's check would refuse a mapping
    described = read(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert comparable(described) == comparable(spec)
    defaults = {name: rules["default"] for name, rules in described.items() if "default" in rules}
    assert defaults == read(ROLE / "defaults" / "main.yml")


def test_each_option_reaches_the_module() -> None:
    (task,) = read(ROLE / "tasks" / "main.yml")
    given = task["ctyun.eci.image_caches"]
    assert given.pop("image_caches") == "{{ image_caches_list }}"
    expected = {
        name: f"{{{{ image_caches_{name} | default(omit) }}}}" for name in TASK.spec() if name != "image_caches"
    }
    assert given == expected


def test_the_body_of_a_release_is_that_of_the_module() -> None:
    described = read(ROOT / "roles" / "release" / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    body = comparable(described["release_image_caches"]["options"])
    required = {name for name, rules in body.items() if rules["required"]}
    assert required == {"name", "images", "vpc_id", "v_switch_id", "security_group_id", "az_info"}
    body = {name: {**rules, "required": False} for name, rules in body.items() if name != "name"}
    assert body == {name: rules for name, rules in comparable(body_spec()).items() if name != "image_cache_name"}
    defaults = read(ROOT / "roles" / "release" / "defaults" / "main.yml")
    assert {name: rules["default"] for name, rules in described.items() if "default" in rules} == defaults


CREDENTIALS = [{"server": "r.example", "user_name": "me", "password": SECRET}]


# What is wrong, and a word of the message.
WRONG: list[tuple[Any, str]] = [
    ({"image_cache_size": "large"}, "image_cache_size"),
    ({"tag": "x"}, "tag: is not an option here"),
    ({"az_info": {"zone": "az1"}}, "az_name"),
    ({"image_registry_credentials": [{"server": "r", "password": SECRET}]}, "user_name"),
    ({"image_registry_credentials": [[SECRET]]}, "image_registry_credentials[0]"),
    ({"image_registry_credentials": {"password": SECRET}}, "image_registry_credentials"),
    ({"image_registry_credentials": f"r:{SECRET}"}, "image_registry_credentials"),
    ([[SECRET]], "must be"),
    ([SECRET], "must be"),
]


@pytest.mark.parametrize("name", ENTRIES)
def test_what_is_wrong_is_refused_before_a_request(name: str, play: Play, emulator: Emulator) -> None:
    role = f"ctyun.eci.{'release' if name.startswith('release') else 'image_caches'}"
    tasks = []
    for number, (wrong, _word) in enumerate(WRONG):
        good = {"image_registry_credentials": CREDENTIALS, **WEB}
        entry = {**good, **wrong} if isinstance(wrong, dict) else wrong
        included = {"ansible.builtin.include_role": {"name": role}, "vars": {name: [entry]}}
        tasks.append({"block": [included], "rescue": [{"ansible.builtin.debug": {"msg": f"refused {number}."}}]})
    done = play({"tasks": tasks}, "-vvvv")
    assert done.returncode == 0, done.stdout
    rest = done.stdout
    for number, (_wrong, word) in enumerate(WRONG):
        said, refused, rest = rest.partition(f'"msg": "refused {number}."')
        assert refused and word in said, said
    assert emulator.requests == []
    assert SECRET not in done.stdout + done.stderr


def test_no_secret_is_printed(play: Play, emulator: Emulator) -> None:
    given = {
        "image_caches_list": [{**WEB, "image_registry_credentials": CREDENTIALS}],
        "image_caches_secret_key": "x-secret",
    }
    done = play({"roles": [{"role": "ctyun.eci.image_caches", **given}]}, "-vvvv")
    assert done.returncode == 2  # the key is wrong
    assert len(emulator.requests) == 1
    assert SECRET not in done.stdout + done.stderr
    assert "x-secret" not in done.stdout + done.stderr
