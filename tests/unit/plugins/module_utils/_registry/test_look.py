# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at images over real sockets: what is found, what each failure means, and how long any of it may take."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import Misbehaviour, Proxy, images
from tests.emulator.listener import Answer

from .conftest import PASSWORD, Look, MakeRegistry, login

NAME = "team/app:1"


def test_what_is_there(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    top = registry.add("team/app", "top", images.index(images.image([b"a", b"bb", b"a"])))
    (found,) = see(registry, "team/app:top")
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
def test_each_login_each_kind_of_manifest(
    make_registry: MakeRegistry, see: Look, kind: str, tls: bool, docker: bool
) -> None:
    registry = make_registry(kind, tls=tls)
    one = images.image([b"x"], media_type=images.DOCKER_MANIFEST if docker else images.OCI_MANIFEST)
    many = images.index(one, media_type=images.DOCKER_LIST if docker else images.OCI_INDEX)
    registry.add("a", "one", one)
    registry.add("a", "many", many)
    credentials = [login(registry.address)]
    found = see(registry, "a:one", "a:many", f"a@{many.digest}", f"a:other@{one.digest}", credentials=credentials)
    assert [one.outcome for one in found] == ["found"] * 4
    assert [one.digest for one in found] == [one.digest, many.digest, many.digest, one.digest]
    assert [one.media_type for one in found] == [part.media_type for part in (one, many, many, one)]
    assert {(one.size, one.platforms) for one in found} == {(1, ("linux/amd64",))}


def test_the_order_is_that_of_the_images_and_none_is_asked_for_twice(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    names = [NAME, "team/app:none", NAME]
    assert [one.outcome for one in see(registry, *names)] == ["found", "not_found", "found"]
    assert len([seen for seen in registry.requests if seen.path.endswith("/1")]) == 1


def test_connections_are_kept_and_bounded(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    names = []
    for number in range(30):
        registry.add("many", str(number), images.image([number]))
        names.append(f"many:{number}")
    assert {one.outcome for one in see(registry, *names, concurrency=3)} == {"found"}
    assert len({seen.connection for seen in registry.requests}) <= 3
    assert len(registry.requests) == 60  # each manifest and, since no index names its platform, its config


def test_the_image_of_another_platform_is_not_there(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    arm = registry.add("arm", "1", images.image([b"x"], "linux/arm64/v8"))
    registry.add("arm", "many", images.index(arm, images.image([b"y"], "windows/amd64"), images.attestation()))
    one, many, sure = see(registry, "arm:1", "arm:many", "arm:1", platform="linux/amd64")
    assert one.outcome == many.outcome == sure.outcome == "not_found"
    assert one.digest == arm.digest
    assert one.platforms == ("linux/arm64/v8",)
    assert many.platforms == ("linux/arm64/v8", "windows/amd64")
    assert f"{registry.address} has arm:1, but not for linux/amd64, only for linux/arm64/v8." == one.message
    assert "only for linux/arm64/v8, windows/amd64." in str(many.message)
    assert {one.outcome for one in see(registry, "arm:1", "arm:many", platform="linux/arm64")} == {"found"}


def test_a_config_is_fetched_from_where_a_registry_keeps_its_blobs(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry("basic", redirects_blobs=True)
    registry.add("a", "1", images.image())
    (found,) = see(registry, "a:1", credentials=[login(registry.address)])
    assert found.platforms == ("linux/amd64",)
    assert [seen.headers.get("authorization") for seen in registry.seen_by("elsewhere")] == [None]


@pytest.mark.parametrize(
    "how", [{"kind": "status"}, {"kind": "body", "body": b'{"os": "linux", "architecture": "arm64"}'}]
)
def test_without_a_config_the_platform_is_not_known(make_registry: MakeRegistry, see: Look, how: Any) -> None:
    registry = make_registry()
    registry.add("a", "1", images.image())
    registry.inject(Misbehaviour("registry", only="/blobs/", **how))
    (found,) = see(registry, "a:1")
    assert (found.outcome, found.platforms, found.size) == ("found", (), 5)


def test_another_name_may_lead_to_a_server(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry("basic")
    vpc = "registry-vpc-crs-huadong1.ctyun.cn"
    addresses = {vpc: registry.address, "docker.io": registry.address}
    registry.add("library/nginx", "latest", images.image())
    names = [f"{vpc}/team/app:1", "https://unusable", "index.docker.io/nginx"]
    credentials = [login(vpc), login("index.docker.io/v1/")]
    one, bad, hub = see(registry, *names, credentials=credentials, addresses=addresses)
    assert [one.outcome, bad.outcome, hub.outcome] == ["found", "not_found", "found"]
    assert "The name of the image must be a name without http:// or https:// in front" in str(bad.message)
    (by_address,) = see(registry, names[0], credentials=[login(registry.address)], addresses=addresses)
    assert by_address.outcome == "found"
    (mine,) = see(registry, names[0], credentials=[login(vpc, "planted-secret-wrong"), login(vpc)], addresses=addresses)
    assert mine.outcome == "refused"  # the first login for a server counts


def test_docker_hub_by_its_own_names(make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"registry-1.docker.io": "registry", "auth.docker.io": "realm"}
    registry = make_registry("bearer", tls=True, names=names, public=("library/nginx",))
    registry.add("library/nginx", "latest", images.image())
    for variable, value in registry.environment.items():
        monkeypatch.setenv(variable, value)
    nginx, mine, none = see(registry, "docker.io/nginx", "docker.io/team/app:1", "docker.io/team/none", verify=True)
    assert [nginx.outcome, mine.outcome, none.outcome] == ["found", "refused", "refused"]
    assert "give a login for docker.io in image_registry_credentials" in str(mine.message)
    asked = registry.seen_by("realm")
    assert {seen.headers["host"] for seen in asked} == {"auth.docker.io"}
    assert "scope=repository%3Alibrary%2Fnginx%3Apull" in " ".join(seen.path for seen in asked)
    (mine,) = see(registry, "docker.io/team/app:1", credentials=[login("docker.io")], verify=True)
    assert mine.outcome == "found"


def test_a_login_that_is_wrong_or_not_given(make_registry: MakeRegistry, see: Look) -> None:
    for kind, where in (("basic", ""), ("bearer", "which gives the tokens of")):
        registry = make_registry(kind, public=())
        wrong = [login(registry.address, "planted-secret-wrong")]
        (without,) = see(registry, NAME)
        (refused,) = see(registry, NAME, credentials=wrong)
        assert without.outcome == refused.outcome == "refused"
        assert f"give a login for {registry.address} in image_registry_credentials" in str(without.message)
        assert f"heck user_name and password for {registry.address}" in str(refused.message)
        assert where in str(refused.message)


def test_what_is_not_there(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    digest = "sha256:" + "0" * 64
    tag, repository, by_digest = see(registry, "team/app:2", "none:1", f"team/app@{digest}")
    assert tag.outcome == repository.outcome == by_digest.outcome == "not_found"
    assert tag.message == f"{registry.address} has no team/app:2. Check the name and the tag."
    assert by_digest.message == f"{registry.address} has no team/app@{digest}. Check the name and the digest."


@pytest.mark.parametrize(
    ("kind", "details", "outcome", "text"),
    [
        ("status", {"status": 429}, "unreachable", "has had too many requests from here (HTTP 429)"),
        ("status", {"status": 500}, "unreachable", "is out of order (HTTP 500)"),
        ("status", {"status": 503}, "unreachable", "is out of order (HTTP 503)"),
        ("status", {"status": 403}, "refused", "(HTTP 403)"),
        ("status", {"status": 406}, "unreachable", "answers as no registry does (HTTP 406)"),
        ("status", {"status": 204}, "unreachable", "answers as no registry does (HTTP 204)"),
        ("page", {}, "unreachable", "its manifest cannot be used, it is not JSON"),
        ("page", {"status": 404}, "unreachable", "answers as no registry does (HTTP 404)"),
        ("page", {"status": 401}, "unreachable", "asks for a login in a way that is not known"),
        ("challenge", {"value": "Negotiate"}, "unreachable", "asks for a login in a way that is not known"),
        ("challenge", {"value": "Bearer realm=x"}, "unreachable", "no address with https, so no login was sent"),
        ("challenge", {"value": 'Bearer realm="http://a.b/"'}, "unreachable", "no address with https"),
        ("redirect", {"location": "http://127.0.0.1/"}, "unreachable", "sends one on to what is no address with https"),
        ("redirect", {"location": "https://u:p@a.b/"}, "unreachable", "sends one on to what is no address"),
        ("redirect", {"location": "https://[/"}, "unreachable", "sends one on to what is no address"),
        ("redirect", {"location": ""}, "unreachable", "sends one on to what is no address"),
        ("headers", {"values": {"Docker-Content-Digest": "sha256:" + "0" * 64}}, "unreachable", "what the digest says"),
        ("headers", {"values": {"Docker-Content-Digest": "odd"}}, "found", ""),
        ("headers", {"values": {"Content-Encoding": "gzip"}}, "unreachable", "packed in a way that was not asked for"),
        ("headers", {"values": {"Content-Type": "application/json"}}, "found", ""),
        ("body", {"body": b"{}"}, "unreachable", "none of the four kinds"),
        ("body", {"body": b""}, "unreachable", "not JSON"),
        ("slow", {"seconds": 0.05}, "found", ""),
        ("slow", {"seconds": 1.0}, "unreachable", "within 0.4 s (option timeout). If only machines in the VPC"),
        ("hang", {"seconds": 1.0}, "unreachable", "within 0.4 s (option timeout)"),
        ("drip_head", {"interval": 0.05}, "unreachable", "within 0.4 s (option timeout)"),
        ("drip_body", {"interval": 0.05}, "unreachable", "within 0.4 s (option timeout)"),
        ("reset", {}, "unreachable", "No connection to"),
        ("truncate", {}, "unreachable", ""),
        ("huge", {"megabytes": 4}, "unreachable", "larger than any that is expected"),
    ],
)
@pytest.mark.parametrize("tls", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_each_failure_has_an_outcome_and_an_end(
    make_registry: MakeRegistry, see: Look, tls: bool, kind: str, details: dict[str, Any], outcome: str, text: str
) -> None:
    registry = make_registry(tls=tls)
    see(registry, NAME)  # what is done once is done
    registry.inject(Misbehaviour("registry", kind, times=None, only="/manifests/1", **details))
    begun = time.monotonic()
    (found,) = see(registry, NAME, timeout=0.4 if "0.4 s" in text else 5.0)
    assert time.monotonic() - begun < 4
    assert found.outcome == outcome, found.message
    assert text in (found.message or "")
    assert (found.digest is None) == (outcome != "found")


@pytest.mark.parametrize(
    ("kind", "details", "outcome", "text"),
    [
        ("status", {"status": 403}, "refused", "which gives the tokens of 127.0.0.1"),
        ("status", {"status": 429}, "unreachable", "gave none (HTTP 429)"),
        ("status", {"status": 500}, "unreachable", "gave none (HTTP 500)"),
        ("redirect", {"location": "https://127.0.0.1/"}, "unreachable", "gave none (HTTP 307)"),
        ("page", {}, "unreachable", "gave none that can be used"),
        ("body", {"body": b"[]"}, "unreachable", "gave none that can be used"),
        ("body", {"body": b'{"token": 1}'}, "unreachable", "gave none that can be used"),
        ("body", {"body": b'{"token": "a\\r\\nb"}'}, "unreachable", "gave none that can be used"),
        ("body", {"body": json.dumps({"token": "x" * 40_000}).encode()}, "unreachable", "gave none that can be used"),
        ("body", {"body": b'{"access_token": "unknown"}'}, "refused", "does not let this login read team/app"),
        ("hang", {"seconds": 1.5}, "unreachable", "within 0.8 s"),
        ("drip_head", {"interval": 0.05}, "unreachable", "within 0.8 s"),
        ("huge", {"megabytes": 2}, "unreachable", "larger than any that is expected"),
        ("reset", {}, "unreachable", "No connection to"),
    ],
)
def test_each_failure_of_the_service_for_tokens(
    make_registry: MakeRegistry, see: Look, kind: str, details: dict[str, Any], outcome: str, text: str
) -> None:
    registry = make_registry("bearer")
    registry.inject(Misbehaviour("realm", kind, times=None, **details))
    (found,) = see(registry, NAME, credentials=[login(registry.address)], timeout=0.8 if "0.8 s" in text else 5.0)
    assert found.outcome == outcome, found.message
    assert text in str(found.message)


def test_a_redirect_is_followed_to_tls_and_not_for_ever(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry("basic", tls=True)
    credentials = [login(registry.address)]
    there = f"{registry.url_of('elsewhere')}/v2/team/app/manifests/1"

    def moved(*more: Misbehaviour) -> Any:
        registry.reset()
        # the first answer is the 401 that asks for the login
        registry.inject(Misbehaviour("registry", "challenge", only="/manifests/1"))
        registry.inject(Misbehaviour("registry", "redirect", only="/manifests/1", location=there), *more)
        return see(registry, NAME, credentials=credentials)[0]

    assert moved().outcome == "found"
    assert [seen.headers.get("authorization") for seen in registry.seen_by("elsewhere")] == [None]
    onward = Misbehaviour("elsewhere", "redirect", times=None, location=there)
    assert "more than 3 times" in moved(onward).message
    assert len(registry.seen_by("elsewhere")) == 3
    asks = moved(Misbehaviour("elsewhere", "challenge"))
    assert (asks.outcome, "asks for a login, which it does not get" in asks.message) == ("unreachable", True)
    assert moved(Misbehaviour("elsewhere", "status", status=404)).outcome == "not_found"


def test_a_redirect_within_a_registry_without_tls_is_not_followed(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    registry.inject(Misbehaviour("registry", "redirect", location="/v2/team/app/manifests/1"))
    (found,) = see(registry, NAME)
    assert "sends one on to what is no address with https" in str(found.message)
    assert len(registry.requests) == 1


def test_an_index_may_lie(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    good, other = images.image([b"good"]), images.image([b"other"])
    top = registry.add("a", "1", images.index(good))
    registry.inject(
        Misbehaviour("registry", "body", only=good.digest, body=other.content, content_type=other.media_type)
    )
    (found,) = see(registry, "a:1")
    assert "what it sent is not what the digest says" in str(found.message)
    nested = images.index(top)
    content = json.loads(nested.content)
    content["manifests"][0].pop("mediaType")
    odd = images.Image(nested.media_type, json.dumps(content).encode(), None, {}, (top,))
    registry.add("a", "2", odd)
    (found,) = see(registry, "a:2")
    assert "its index leads to another index" in str(found.message)


def test_certificates_are_checked(make_registry: MakeRegistry, see: Look, tmp_path: Path) -> None:
    registry, other = make_registry("basic", tls=True), make_registry(tls=True)
    credentials = [login(registry.address)]
    (refused,) = see(registry, NAME, credentials=credentials, verify=other.ca_file)
    assert refused.outcome == "unreachable"
    assert "No trusted TLS connection to 127.0.0.1" in str(refused.message)
    assert "give its file in ca_path" in str(refused.message)
    assert registry.requests == []
    assert see(registry, NAME, credentials=credentials, verify=False)[0].outcome == "found"
    (missing,) = see(registry, NAME, verify=str(tmp_path / "none.pem"))
    assert "none.pem" in str(missing.message)


def test_the_environment_names_the_authorities(
    make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry(tls=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", registry.ca_file)
    assert see(registry, NAME, verify=True)[0].outcome == "found"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    (found,) = see(registry, NAME, verify=True)
    assert "REQUESTS_CA_BUNDLE of the environment names /nowhere.pem" in str(found.message)


def test_nobody_there(see: Look, make_registry: MakeRegistry, closed_port: int) -> None:
    registry = make_registry()
    addresses = {"registry.example.com": f"127.0.0.1:{closed_port}"}
    closed, unknown = see(registry, "registry.example.com/a", "no-such-host.invalid/a", addresses=addresses)
    assert closed.outcome == unknown.outcome == "unreachable"
    assert f"No connection to 127.0.0.1:{closed_port}: [Errno 111] Connection refused." in str(closed.message)
    assert "No connection to no-such-host.invalid: " in str(unknown.message)
    assert "registry_addresses" in str(closed.message) and "registry_addresses" in str(unknown.message)


def test_only_this_machine_is_spoken_to_without_tls(
    make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry("basic", names={"registry.example.com": "registry"})
    for variable, value in registry.environment.items():
        monkeypatch.setenv(variable, value)
    (found,) = see(registry, "registry.example.com/team/app:1", credentials=[login("registry.example.com")])
    assert found.outcome == "unreachable"
    assert registry.requests == []


def test_what_is_spoken_on_this_machine_is_found_out_once(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry(tls=True)
    names = [NAME] * 1 + [f"team/app:{number}" for number in range(2, 12)]
    see(registry, *names, concurrency=1)
    assert len(registry.requests) == len(names) + 1
    plain = make_registry()
    plain.inject(Misbehaviour("registry", "status", status=400, times=None))
    (found,) = see(plain, NAME)
    assert "answers as no registry does (HTTP 400)" in str(found.message)


def test_plain_http_goes_past_any_proxy(
    make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry("basic")
    with Proxy() as proxy:
        for variable in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)
        assert see(registry, NAME, credentials=[login(registry.address)])[0].outcome == "found"
        assert proxy.seen == []


def test_a_proxy_that_refuses_is_told(make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = make_registry(names={"registry.example.com": "registry"}, tls=True)
    monkeypatch.setenv("HTTPS_PROXY", registry.environment["HTTPS_PROXY"])
    (found,) = see(registry, "unknown.example.com/team/app:1")
    assert "The proxy does not connect to unknown.example.com: " in str(found.message)
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:{PASSWORD}@[nowhere")
    (found,) = see(registry, "registry.example.com/team/app:1")
    assert found.outcome == "unreachable"
    assert PASSWORD not in str(found)


def test_netrc_is_not_read(
    make_registry: MakeRegistry, see: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = make_registry("basic")
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login alice password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert see(registry, NAME)[0].outcome == "refused"
    assert [seen.headers.get("authorization") for seen in registry.requests] == [None]


def test_cookies_are_not_kept(make_registry: MakeRegistry, see: Look) -> None:
    registry = make_registry()
    registry.inject(Misbehaviour("registry", "headers", times=None, values={"Set-Cookie": "a=b; Path=/"}))
    assert see(registry, NAME)[0].outcome == "found"
    assert len(registry.requests) == 2
    assert ["cookie" in seen.headers for seen in registry.requests] == [False, False]


def test_answers_can_be_made_in_tests() -> None:
    assert Answer(200).headers == {}
    with pytest.raises(TypeError):
        Misbehaviour("registry", "reset", seconds=1)
