# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of image_info: what is wrong with its arguments, what it returns, and that the service hears nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ctyun.eci.plugins.module_utils._task import Result, perform
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_info import TASK
from tests.emulator import Emulator, Misbehaviour, Registry, images

PASSWORD = "planted-secret-of-alice"
GB = 10**9


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry("basic", users={"alice": PASSWORD}) as registry:
        registry.add("team/app", "1", images.index(images.image([4 * GB, 5 * GB])))
        registry.add("team/app", "2", images.index(images.image([4 * GB, 6 * GB], media_type=images.DOCKER_MANIFEST)))
        yield registry


def lines(**given: Any) -> list[str]:
    return [line[2:] for line in TASK.validate(given, False).report().split("\n")[1:]]


def done(**given: Any) -> Result:
    assert lines(**given) == []
    result = ArgumentSpecValidator(TASK.spec()).validate(TASK.validate(given, False).arguments)
    assert result.error_messages == []
    return perform(TASK, result.validated_parameters, False, False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["images: is required, for example ["]),
        ({"images": None}, ["images: is required, for example ["]),
        ({"images": ["https://a.b/c"]}, ["images[0]: must be a name without http:// or https:// in front"]),
        ({"images": ["a.b/C"]}, ["images[0]: must be in lower case up to the tag"]),
        ({"images": ["a.b/c", "a b"]}, ["images[1]: is not a valid image name"]),
        ({"images": ["nginx"], "image": "x"}, ["image: is not an option here; did you mean images?"]),
        ({"images": ["nginx"], "size_factor": 0.5}, ["size_factor: must be between 1 and 100"]),
        ({"images": ["nginx"], "platform": "linux"}, ["platform: must be a system and an architecture"]),
        ({"images": ["nginx"], "registry_addresses": {"a b": "c.d"}}, ["registry_addresses.a b: must be a host"]),
        ({"images": ["nginx"], "registry_addresses": {"A.b:5000": "[::1]:5000", "a.b/c": "c.d/hub-proxy/"}}, []),
        (
            {"images": ["nginx"], "imageRegistryCredentials": [{"server": "https://a.b", "userName": "u"}]},
            [
                f"imageRegistryCredentials[0].{text}"
                for text in ("server: must be the plain address", "password: is req")
            ],
        ),
        (
            {
                "images": ["nginx"],
                **dict.fromkeys(("access_key", "secret_key", "region_id", "endpoint"), "a"),
                "retries": 1,
            },
            [],
        ),
    ],
)
def test_mistakes_are_named_by_their_paths(given: dict[str, Any], expected: list[str]) -> None:
    found = lines(**given)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_what_is_returned(registry: Registry) -> None:
    one, two = f"{registry.address}/team/app:1", f"{registry.address}/team/app:2"
    login = [{"server": registry.address, "user_name": "alice", "password": PASSWORD}]
    result = done(images=[one, two], image_registry_credentials=login, ca_path=registry.ca_file)
    assert not result.failed
    first, second = result.values["images"]
    texts = ["image", "outcome", "digest", "platform_digest", "pinned", "reached", "media_type", "message"]
    assert list(first) == [*texts, "platforms", "compressed_size"]
    assert first["pinned"] == f"{registry.address}/team/app@{first['digest']}"
    assert [first["image"], second["image"]] == [one, two]
    assert [first["compressed_size"], second["compressed_size"]] == [9 * GB, 10 * GB]
    assert result.values["image_cache_size"] == 45
    assert result.values["changed"] is False
    larger = done(images=[one, two], image_registry_credentials=login, size_factor=4, ca_path=registry.ca_file)
    assert larger.values["image_cache_size"] == 60
    assert PASSWORD not in repr(result)
    json.dumps(result.values)


def test_what_is_not_found_is_no_failure(registry: Registry) -> None:
    login = [{"server": registry.address, "user_name": "alice", "password": PASSWORD}]
    names = [f"{registry.address}/team/app:1", f"{registry.address}/team/app:3"]
    result = done(images=names, image_registry_credentials=login)
    assert not result.failed
    assert [one["outcome"] for one in result.values["images"]] == ["found", "not_found"]
    assert result.values["image_cache_size"] is None


def test_the_platform_that_is_asked_for(registry: Registry) -> None:
    registry.login = "none"
    arm = registry.add("team/app", "3", images.index(images.image([7], "linux/arm64/v8")))
    (one,) = done(images=[f"{registry.address}/team/app:3"], platform="linux/arm64").values["images"]
    assert (one["outcome"], one["digest"], one["compressed_size"]) == ("found", arm.digest, 7)


def test_nothing_is_sent_to_the_service_and_nothing_of_it_is_needed(
    registry: Registry, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTYUN_ECI_ENDPOINT", emulator.url)
    result = done(images=[f"{registry.address}/team/app:1"], access_key="planted-secret-key", endpoint=emulator.url)
    assert result.values["images"][0]["outcome"] == "refused"
    assert emulator.requests == []
    assert emulator.connections == 0
    assert "planted-secret-key" not in repr(registry.requests) + repr(result)


def test_authorities_that_are_not_there(tmp_path: Path) -> None:
    result = done(images=["nginx"], ca_path=str(tmp_path / "none.pem"))
    assert result.failed
    text = "No registry can be reached with these arguments:\n- ca_path: there is no file"
    assert result.values["msg"].startswith(text)
    assert result.values["failure"]["effect"] == "none"


def test_the_time_of_a_request_and_certificates(registry: Registry) -> None:
    registry.inject(Misbehaviour("registry", "hang", times=None, seconds=1))
    (one,) = done(images=[f"{registry.address}/team/app:1"], timeout=0.2).values["images"]
    assert "within 0.2 s (option timeout)" in one["message"]
    with Registry(tls=True) as other:
        other.add("a", "1", images.index(images.image()))
        name = f"{other.address}/a:1"
        assert done(images=[name]).values["images"][0]["outcome"] == "unknown"
        assert done(images=[name], validate_certs=False).values["images"][0]["outcome"] == "found"
        assert done(images=[name], ca_path=other.ca_file).values["images"][0]["outcome"] == "found"
