# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookups over real sockets: what is found, what each failure means, and how long any of it may take."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.emulator import Misbehaviour, Proxy, images

from .conftest import PASSWORD, LookUp, MakeRegistry, forget, login

NAME, NO_DIGEST = "team/app:1", "sha256:" + "0" * 64


def test_what_is_there(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    top = registry.add("team/app", "top", images.index(images.image([b"a", b"bb", b"a"])))
    (found,) = find(registry, "team/app:top")
    assert found.outcome == "found"
    assert found.image == f"{registry.address}/team/app:top"
    assert found.digest == top.digest
    assert found.media_type == images.OCI_INDEX
    assert found.platforms == ("linux/amd64",)
    assert [size for _digest, size in found.layers] == [1, 2, 1]
    assert found.size == 3
    assert found.message is None


@pytest.mark.parametrize("kind", ["none", "basic", "bearer"])
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("docker", [False, True])
def test_each_login_and_manifest(make_registry: MakeRegistry, find: LookUp, kind: str, tls: bool, docker: bool) -> None:
    registry = make_registry(kind, tls=tls)
    one = images.image([b"x"], media_type=images.DOCKER_MANIFEST if docker else images.OCI_MANIFEST)
    many = images.index(one, media_type=images.DOCKER_LIST if docker else images.OCI_INDEX)
    registry.add("a", "one", one)
    registry.add("a", "many", many)
    credentials = [login(registry.address)]
    found = find(registry, "a:one", "a:many", f"a@{many.digest}", f"a:other@{one.digest}", credentials=credentials)
    assert [one.outcome for one in found] == ["found"] * 4
    assert [one.digest for one in found] == [one.digest, many.digest, many.digest, one.digest]
    assert [one.media_type for one in found] == [part.media_type for part in (one, many, many, one)]
    assert {(one.size, one.platforms) for one in found} == {(1, ("linux/amd64",))}


def test_the_order_is_that_of_the_images_and_none_is_asked_for_twice(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    names = [NAME, "team/app:none", NAME]
    assert [one.outcome for one in find(registry, *names)] == ["found", "not_found", "found"]
    assert len([seen for seen in registry.requests if seen.path.endswith("/1")]) == 1


def test_the_image_of_another_platform_is_not_there(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    arm = registry.add("arm", "1", images.image([b"x"], "linux/arm64/v8"))
    registry.add("arm", "many", images.index(arm, images.image([b"y"], "windows/amd64"), images.attestation()))
    one, many, sure = find(registry, "arm:1", "arm:many", "arm:1", platform="linux/amd64")
    assert one.outcome == many.outcome == sure.outcome == "not_found"
    assert one.digest == arm.digest
    assert one.platforms == ("linux/arm64/v8",)
    assert many.platforms == ("linux/arm64/v8", "windows/amd64")
    assert f"{registry.address} has arm:1 for linux/arm64/v8, but not for linux/amd64." == one.message
    assert " for linux/arm64/v8, windows/amd64, but not for" in str(many.message)
    assert {one.outcome for one in find(registry, "arm:1", "arm:many", platform="linux/arm64")} == {"found"}


def test_a_config_is_fetched_from_where_a_registry_keeps_its_blobs(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic", redirects_blobs=True)
    registry.add("a", "1", images.image())
    (found,) = find(registry, "a:1", credentials=[login(registry.address)])
    assert found.platforms == ("linux/amd64",)
    assert [seen.headers.get("authorization") for seen in registry.seen_by("elsewhere")] == [None]


@pytest.mark.parametrize("how", [{"kind": "status"}, {"kind": "body", "body": b'{"os": "linux", "architecture": "a"}'}])
def test_without_a_config_the_platform_is_not_known(make_registry: MakeRegistry, find: LookUp, how: Any) -> None:
    registry = make_registry()
    registry.add("a", "1", images.image())
    registry.inject(Misbehaviour("registry", only="/blobs/", **how))
    (found,) = find(registry, "a:1")
    assert (found.outcome, found.platforms, found.size) == ("unknown", (), None)
    assert "the platform of an image cannot be read" in str(found.message)


def test_another_name_may_lead_to_a_server(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic")
    vpc = "registry-vpc-crs-huadong1.ctyun.cn"
    addresses = {vpc: registry.address, "docker.io": registry.address}
    registry.add("library/nginx", "latest", images.image())
    names = [f"{vpc}/team/app:1", "https://unusable", "index.docker.io/nginx"]
    credentials = [login(vpc), login("index.docker.io/v1/")]
    one, bad, hub = find(registry, *names, credentials=credentials, addresses=addresses)
    assert [one.outcome, bad.outcome, hub.outcome] == ["found", "not_found", "found"]
    assert "The name of the image must be a name without http:// or https:// in front" in str(bad.message)
    (by_address,) = find(registry, names[0], credentials=[login(registry.address)], addresses=addresses)
    assert by_address.outcome == "found"
    credentials = [login(vpc, "planted-secret-wrong"), login(vpc)]
    (mine,) = find(registry, names[0], credentials=credentials, addresses=addresses)
    assert mine.outcome == "found"


def test_docker_hub_by_its_names(make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"registry-1.docker.io": "registry", "auth.docker.io": "realm"}
    registry = make_registry("bearer", tls=True, names=names, public=("library/nginx",))
    registry.add("library/nginx", "latest", images.image())
    for variable, value in registry.environment.items():
        monkeypatch.setenv(variable, value)
    nginx, mine, none = find(registry, "docker.io/nginx", "docker.io/team/app:1", "docker.io/team/none", verify=True)
    assert [nginx.outcome, mine.outcome, none.outcome] == ["found", "refused", "refused"]
    assert "the login for docker.io in image_registry_credentials" in str(mine.message)
    asked = registry.seen_by("realm")
    assert {seen.headers["host"] for seen in asked} == {"auth.docker.io"}
    assert "scope=repository%3Alibrary%2Fnginx%3Apull" in " ".join(seen.path for seen in asked)
    (mine,) = find(registry, "docker.io/team/app:1", credentials=[login("docker.io")], verify=True)
    assert mine.outcome == "found"


def test_a_login_that_is_wrong_or_not_given(make_registry: MakeRegistry, find: LookUp) -> None:
    for kind, where in (("basic", "(HTTP 401)"), ("bearer", "of its token service https://127.0.0.1")):
        registry = make_registry(kind, public=())
        (without,) = find(registry, NAME)
        (wrong,) = find(registry, NAME, credentials=[login(registry.address, "planted-secret-wrong")])
        assert without.outcome == wrong.outcome == "refused"
        advice = f"check the name, and the login for {registry.address} in image_registry_credentials"
        assert f"does not let anonymous clients read team/app, or has no such repository: {advice}" in str(
            without.message
        )
        assert f"does not let this login read team/app, or has no such repository: {advice}" in str(wrong.message)
        assert where in str(wrong.message)


def test_what_is_not_there(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    tag, repository, by_digest = find(registry, "team/app:2", "none:1", f"team/app@{NO_DIGEST}")
    assert tag.outcome == repository.outcome == by_digest.outcome == "not_found"
    assert tag.message == f"{registry.address} has no team/app:2. Check the name and the tag."
    assert by_digest.message == f"{registry.address} has no team/app@{NO_DIGEST}. Check the name and the digest."


@pytest.mark.parametrize(
    ("kind", "details", "outcome", "text"),
    [
        ("status", {"status": 429}, "unknown", "is busy or unavailable (HTTP 429)"),
        ("status", {"status": 503}, "unknown", "is busy or unavailable (HTTP 503)"),
        ("status", {"status": 403}, "refused", "(HTTP 403)"),
        ("status", {"status": 406}, "unknown", "unexpected HTTP status 406"),
        ("status", {"status": 204}, "unknown", "unexpected HTTP status 204"),
        ("page", {}, "unknown", "cannot be used: the manifest is not valid, it is not JSON"),
        ("page", {"status": 404}, "unknown", "unexpected HTTP status 404"),
        ("page", {"status": 401}, "unknown", "requires an unsupported kind of authentication"),
        ("challenge", {"value": "Bearer realm=x"}, "unknown", "not a valid one with https, so nothing was sent to it"),
        (
            "redirect",
            {"location": "http://127.0.0.1/"},
            "unknown",
            "the address of a redirect is not a valid one with https",
        ),
        ("headers", {"values": {"Docker-Content-Digest": NO_DIGEST}}, "unknown", "does not have its digest"),
        ("headers", {"values": {"Docker-Content-Digest": "odd"}}, "found", ""),
        ("headers", {"values": {"Content-Encoding": "gzip"}}, "unknown", "was lost"),
        ("headers", {"values": {"Content-Type": "application/json"}}, "found", ""),
        ("body", {"body": b"{}"}, "unknown", "its type is not supported"),
        ("body", {"body": b""}, "unknown", "not JSON"),
        ("slow", {"seconds": 0.05}, "found", ""),
        ("slow", {"seconds": 1.0}, "unknown", "within 0.4 s (option timeout)"),
        ("hang", {"seconds": 1.0}, "unknown", "within 0.4 s (option timeout)"),
        pytest.param(
            *("drip_body", {"interval": 0.05}, "unknown", "within 0.4 s (option timeout)"),
            marks=pytest.mark.skipif(urllib3.__version__ < "2", reason="urllib3 1 waits for a whole piece"),
        ),
        ("reset", {}, "unknown", "was lost"),
        ("truncate", {}, "unknown", ""),
        ("huge", {"megabytes": 4}, "unknown", "it is too large"),
    ],
)
@pytest.mark.parametrize("tls", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_each_failure_has_an_outcome_and_an_end(
    make_registry: MakeRegistry, find: LookUp, tls: bool, kind: str, details: dict[str, Any], outcome: str, text: str
) -> None:
    registry = make_registry(tls=tls)
    find(registry, NAME)  # what is done once is done
    forget()
    registry.inject(Misbehaviour("registry", kind, times=None, only="/manifests/", **details))
    begun = time.monotonic()
    (found,) = find(registry, NAME, timeout=0.4 if "0.4 s" in text else 5.0)
    assert time.monotonic() - begun < 4
    assert found.outcome == outcome, found.message
    assert text in (found.message or "")
    assert (found.digest is None) == (outcome != "found")


@pytest.mark.parametrize(
    ("kind", "details", "outcome", "text"),
    [
        ("status", {"status": 403}, "refused", "(HTTP 403 of its token service https://127.0.0.1"),
        ("status", {"status": 429}, "unknown", "returned no token (HTTP 429)"),
        ("redirect", {"location": "https://127.0.0.1/"}, "unknown", "returned no token (HTTP 307)"),
        ("page", {}, "unknown", "returned no token (HTTP 200)"),
        ("body", {"body": b"[]"}, "unknown", "returned no token"),
        ("body", {"body": b'{"token": 1}'}, "unknown", "returned no token"),
        ("body", {"body": b'{"token": "a\\r\\nb"}'}, "unknown", "returned no token"),
        ("body", {"body": json.dumps({"token": "x" * 40_000}).encode()}, "unknown", "returned no token"),
        ("body", {"body": b'{"access_token": "unknown"}'}, "refused", "does not let this login read team/app"),
        ("hang", {"seconds": 1.5}, "unknown", "within 0.8 s"),
        ("huge", {"megabytes": 5}, "unknown", "returned no token"),
        ("reset", {}, "unknown", "was lost"),
    ],
)
def test_each_failure_of_the_service_for_tokens(
    make_registry: MakeRegistry, find: LookUp, kind: str, details: dict[str, Any], outcome: str, text: str
) -> None:
    registry = make_registry("bearer")
    registry.inject(Misbehaviour("realm", kind, times=None, **details))
    (found,) = find(registry, NAME, credentials=[login(registry.address)], timeout=0.8 if "0.8 s" in text else 5.0)
    assert found.outcome == outcome, found.message
    assert text in str(found.message)


def test_a_redirect_is_followed_to_tls_and_not_for_ever(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic", tls=True)
    credentials = [login(registry.address)]
    there = f"{registry.url_of('elsewhere')}/v2/team/app/manifests/1"

    def moved(*more: Misbehaviour) -> Any:
        registry.reset()
        # the first answer is the 401 that asks for the login
        registry.inject(Misbehaviour("registry", "challenge", only="/manifests/"))
        registry.inject(Misbehaviour("registry", "redirect", only="/manifests/", location=there), *more)
        return find(registry, NAME, credentials=credentials)[0]

    assert moved().outcome == "found"
    assert [seen.headers.get("authorization") for seen in registry.seen_by("elsewhere")] == [None]
    onward = Misbehaviour("elsewhere", "redirect", times=None, location=there)
    assert "unexpected HTTP status 307" in moved(onward).message
    assert len(registry.seen_by("elsewhere")) == 3
    assert moved(Misbehaviour("elsewhere", "challenge")).outcome == "refused"
    assert [seen.headers.get("authorization") for seen in registry.seen_by("elsewhere")] == [None]
    assert moved(Misbehaviour("elsewhere", "status", status=404)).outcome == "not_found"


def test_an_index_may_name_an_image_that_is_not_there(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    registry.add("a", "1", replace(images.index(images.image()), manifests=()))
    (found,) = find(registry, "a:1")
    text = "its index names an image for linux/amd64 that is not there"
    assert (found.outcome, text in str(found.message)) == ("unknown", True)


def test_an_index_may_lie(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    good, other = images.image([b"good"]), images.image([b"other"])
    top = registry.add("a", "1", images.index(good))
    details = {"body": other.content, "content_type": other.media_type}
    registry.inject(Misbehaviour("registry", "body", only=good.digest, **details))
    (found,) = find(registry, "a:1")
    assert "the content does not have its digest" in str(found.message)
    nested = images.index(top)
    content = json.loads(nested.content)
    content["manifests"][0].pop("mediaType")
    odd = images.Image(nested.media_type, json.dumps(content).encode(), None, {}, (top,))
    registry.add("a", "2", odd)
    assert find(registry, "a:2")[0].outcome == "found"
    registry.add("a", "3", images.index(images.index(odd)))
    assert "its indexes are nested too deeply" in str(find(registry, "a:3")[0].message)
    many = [images.image([str(number).encode()], "linux/arm64") for number in range(40)]
    for one in many:
        object.__setattr__(one, "platform", None)
    registry.add("a", "4", images.index(*many))
    assert "it has too many manifests" in str(find(registry, "a:4")[0].message)


def test_certificates_are_checked(make_registry: MakeRegistry, find: LookUp, tmp_path: Path) -> None:
    registry, other = make_registry("basic", tls=True), make_registry(tls=True)
    credentials = [login(registry.address)]
    (refused,) = find(registry, NAME, credentials=credentials, ca_path=other.ca_file)
    assert refused.outcome == "unknown"
    assert "No trusted TLS connection to https://127.0.0.1" in str(refused.message)
    assert "give its file in ca_path. In image_cache and image_caches that file must hold" in str(refused.message)
    assert registry.requests == []
    assert find(registry, NAME, credentials=credentials, verify=False)[0].outcome == "found"
    (missing,) = find(registry, NAME, ca_path=str(tmp_path / "none.pem"))
    assert "none.pem" in str(missing.message)


def test_nobody_there(find: LookUp, make_registry: MakeRegistry, closed_port: int) -> None:
    registry = make_registry()
    addresses = {"registry.example.com": f"127.0.0.1:{closed_port}"}
    closed, unknown = find(registry, "registry.example.com/a", "no-such-host.invalid/a", addresses=addresses)
    assert closed.outcome == unknown.outcome == "unknown"
    assert f"Cannot connect to http://127.0.0.1:{closed_port}: [Errno 111] Connection refused." in str(closed.message)
    assert "Cannot connect to https://no-such-host.invalid: " in str(unknown.message)
    assert "registry_addresses" in str(closed.message) and "registry_addresses" in str(unknown.message)


def test_plain_http_goes_past_proxies(
    make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry("basic")
    with Proxy() as proxy:
        for variable in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        assert find(registry, NAME, credentials=[login(registry.address)])[0].outcome == "found"
        assert proxy.seen == []


def test_a_proxy_that_refuses(make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry(names={"registry.example.com": "registry"}, tls=True)
    monkeypatch.setenv("HTTPS_PROXY", registry.environment["HTTPS_PROXY"])
    (found,) = find(registry, "unknown.example.com/team/app:1")
    assert "The proxy does not connect to https://unknown.example.com: " in str(found.message)
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:{PASSWORD}@[nowhere")
    (found,) = find(registry, "registry.example.com/team/app:1")
    assert found.outcome == "unknown"
    assert PASSWORD not in str(found)
