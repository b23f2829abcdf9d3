# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments that are empty, doubled, null or odd come to the same end through both doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator import Emulator
from tests.unit.plugins.emulated import BODY, A, seed

from .conftest import Run, Task

SECRET = "planted-secret"
LOGIN = {"server": "r.example", "user_name": "u", "password": SECRET}


def task(name: str, module: str, arguments: dict[str, Any], **more: Any) -> Task:
    return {"name": name, f"ctyun.eci.{module}": arguments, **more}


# Each with what the message has to say.
REFUSED: list[tuple[Task, str]] = [
    (task("null ID", "image_cache", {"image_cache_id": None, "tags": [A]}), "image_cache_id: must not be empty"),
    (task("empty ID", "image_cache", {"imageCacheId": "", **BODY}), "imageCacheId: must not be empty"),
    (
        task("absent", "image_cache", {"image_cache_id": None, "state": "absent", "name": "a"}),
        "image_cache_id: must not",
    ),
    (task("null filter", "image_cache_info", {"image_cache_id": None}), "image_cache_id: must not be empty; leave it"),
    (task("empty name", "image_cache_info", {"name": ""}), "name: must not be empty; leave it out to list all"),
    (task("no images", "image_cache_info", {"images": []}), "images: must not be empty; leave it out to list all"),
    (task("null tags", "image_cache_info", {"tags": None}), "tags: must not be empty; leave it out to list all"),
    (task("a tag that is empty", "image_cache_info", {"tags": [{}]}), "tags[0]: must not be empty"),
    (task("tags in check mode", "image_cache_info", {"tags": []}, check_mode=True), "tags: must not be empty"),
    (task("two names", "image_cache", {**BODY, "name": "other"}), "name: is given twice, also as imageCacheName"),
    (task("null as well", "image_cache", {**BODY, "name": None}), "name: is given twice, also as imageCacheName"),
    (task("NUL", "image_cache", {**BODY, "imageCacheName": "we\0b"}), "imageCacheName: must not contain a control"),
    (task("NUL in a path", "region_info", {"ca_path": "a\0b"}), "ca_path: must not contain a control character"),
    (task("a line feed", "region_info", {"secret_key": f"{SECRET}\n"}), "secret_key: ends with a line feed or a space"),
    (
        task("a blank", "image_cache", {**BODY, "image_registry_credentials": [{**LOGIN, "password": f"{SECRET} "}]}),
        "image_registry_credentials[0].password: ends with a line feed or a space",
    ),
    (
        task("a boolean", "image_cache", {**BODY, "tags": [{"key": "a", "value": True}]}),
        "tags[0].value: must be a string",
    ),
    (task("a key twice", "image_cache", {**BODY, "tags": [A, A]}), "tags[1].key: is the same as in tags[0]"),
    (task("a filter twice", "image_cache_info", {"tags": [A, A]}), "tags[1].key: is the same as in tags[0]"),
    (
        task("a key twice of many", "image_caches", {"image_caches": [{**BODY, "tags": [A, A]}]}),
        "image_caches[0].tags[1].key: is the same as in image_caches[0].tags[0]",
    ),
    (
        task("prune by a key", "image_caches", {"image_caches": [BODY], "prune": True, "prune_tags": [{"key": "a"}]}),
        "prune_tags[0].value: is required",
    ),
    (
        task("no JSON", "image_cache", {**BODY, "images": " ['a']{{ '' }}"}),
        "images: must be a list, and this string is not JSON",
    ),
    (task("a scheme", "image_cache", {**BODY, "images": ["https://r.example/a"]}), "images[0]: must be a name without"),
    (task("upper case", "image_cache", {**BODY, "images": "nginx:1, r.example/A"}), "images[1]: must be in lower case"),
    (
        task("another alphabet", "image_caches", {"image_caches": [{**BODY, "images": ["库:1"]}]}),
        "image_caches[0].images[0]: is not a valid image name",
    ),
    (task("a blank in an ID", "image_cache", {**BODY, "vpcId": "vpc-1 "}), "vpcId: ends with a line feed or a space"),
    (
        task("a survey", "image_cache", {**BODY, "imageCacheSize": "", "tags": ""}),
        "imageCacheSize: value is empty; leave it out, for example with default(omit)",
    ),
    (task("one tag", "image_cache", {**BODY, "tags": {"key": "a", "value": "1"}}), "tags: must be a list, for example"),
    (
        task("too many", "image_caches", {"image_caches": [BODY], "concurrency": 10_000_000}),
        "concurrency: must be between 1 and 1000",
    ),
    (task("too long", "region_info", {"timeout": 1e9}), "timeout: must be more than 0 and at most 2678400"),
    (task("too often", "region_info", {"retries": 10**12}), "retries: must be between 0 and 1000"),
    (task("null caches", "image_caches", {"image_caches": None}), "image_caches: is required"),
    (
        task("an odd switch", "region_info", {}, vars={"ctyun_eci_in_process": "perhaps"}),
        "The variable ctyun_eci_in_process must be true or false.",
    ),
]
NOT_MADE = "{{ result_0.image_cache_id }}"
PREDICTED = [
    task("create", "image_cache", BODY),
    task("wait", "image_cache", {"image_cache_id": NOT_MADE, "wait": True}),
    task("retag", "image_cache", {"image_cache_id": NOT_MADE, "tags": [A]}, diff=True),
    task("read", "image_cache_info", {"image_cache_id": NOT_MADE, "events": True}),
    task("retag many", "image_caches", {"image_caches": [{"image_cache_id": NOT_MADE, "tags": [A]}]}),
    task("delete", "image_cache", {"image_cache_id": NOT_MADE, "state": "absent"}, diff=True),
    task("delete many", "image_caches", {"image_caches": [{"imageCacheId": NOT_MADE}], "state": "absent"}),
]
NULLS: dict[str, Any] = dict.fromkeys(["retries", "timeout", "retry_max_delay", "validate_certs", "ca_path"])
NULL: list[Task] = [
    task("one", "image_cache", {**BODY, **NULLS, "state": None, "wait": None, "wait_interval": None, "tags": None}),
    task(
        "many",
        "image_caches",
        {"image_caches": [BODY], **NULLS, **dict.fromkeys(["concurrency", "prune", "prune_tags"])},
    ),
    task("info", "image_cache_info", {"name": "web", "events": None, **NULLS}),
    task("no endpoint", "region_info", {"endpoint": None, **NULLS}),
    task("no key", "region_info", {"access_key": None}),
]


def test_what_is_refused_is_refused_alike(both: Callable[..., Run], emulator: Emulator) -> None:
    done = both([task for task, _says in REFUSED], "-v", prepare=lambda: seed(emulator) and None)
    for task, says in REFUSED:
        result = done.results[task["name"]]
        assert result["failed"] is True
        assert says in result["msg"], task["name"]
        assert "warnings" not in result
    assert done.stderr == ""
    assert SECRET not in done.output
    assert emulator.requests == []


def test_what_check_mode_has_not_made_is_predicted_alike(both: Callable[..., Run], emulator: Emulator) -> None:
    done = both(PREDICTED, "--check", prepare=lambda: seed(emulator, "other") and None)
    found = done.results
    assert [name for name, result in found.items() if result["failed"]] == []
    assert [name for name, result in found.items() if result["changed"]] == [
        *("create", "retag", "retag many", "delete", "delete many"),
    ]
    assert found["read"]["image_caches"] == []
    assert found["retag"]["image_cache"]["tags"] == [A]
    assert {str(record.operation) for record in emulator.requests} == {"describeImageCaches"}


def test_null_is_the_default_alike(both: Callable[..., Run], emulator: Emulator) -> None:
    found = both(NULL).results
    assert [name for name, result in found.items() if result["failed"]] == ["no key"]
    assert (found["one"]["changed"], found["many"]["changed"]) == (True, False)
    assert "access_key: is required" in found["no key"]["msg"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_fact_of_an_image_cache(state: str, both: Callable[..., Run], emulator: Emulator) -> None:
    given = [
        task("create", "image_cache", BODY),
        task("end", "image_cache", {**BODY, "state": state}),
        {"name": "fact", "ansible.builtin.debug": {"var": "ansible_facts.imageCacheId"}},
    ]
    found = both(given).results
    identifier = found["create"]["image_cache_id"]
    assert found["end"]["image_cache_id"] == identifier
    # before 2.19 ansible-core made an empty text of nothing
    assert (found["fact"]["ansible_facts.imageCacheId"] or None) == (identifier if state == "present" else None)
