# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries as they are in the world: what they hold, how they ask for logins, how they fail, what a lookup costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Found, look_up
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import Settings
from tests.emulator import Misbehaviour, Registry, images

from .conftest import PASSWORD, LookUp, MakeRegistry, login

NAME = "team/app:1"
OTHER = "planted-secret-of-bob"
HELM, ORAS = "application/vnd.cncf.helm.config.v1+json", "application/vnd.oci.empty.v1+json"
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
AMD, ARM = images.image([b"amd"]), images.image([b"arm"], "linux/arm64")


def unnamed(one: images.Image) -> images.Image:
    """An image whose index does not name its platform."""
    return replace(one, platform=None)


NESTED = images.index(
    images.index(AMD, images.attestation(), platform="linux/amd64"), images.index(ARM, platform="linux/arm64")
)


@pytest.mark.parametrize(
    ("what", "outcome", "text"),
    [
        (NESTED, "found", ""),
        (images.index(images.index(images.index(AMD))), "found", ""),
        (
            images.index(images.index(ARM, platform="linux/arm64")),
            "not_found",
            "for linux/arm64, but not for linux/amd64",
        ),
        (images.image(config_type=HELM), "not_found", f"but that is not an image: its type is {HELM}"),
        (images.image(config_type=ORAS, artifactType="application/x.y"), "not_found", "its type is application/x.y"),
        (images.image(layer_type=SIGNATURE), "not_found", f"its type is {SIGNATURE}"),
        (images.index(images.image(config_type=HELM)), "not_found", "that is not an image"),
        (images.image(config_type="application/octet-stream"), "unknown", "the platform of an image cannot be read"),
        (images.index(unnamed(AMD)), "found", ""),
        (images.index(unnamed(ARM), unnamed(AMD)), "found", ""),
        (images.index(unnamed(ARM)), "not_found", "for linux/arm64, but not for linux/amd64"),
        (images.index(ARM, unnamed(images.image(config_type="text/plain"))), "unknown", "cannot be read"),
        (images.index(images.attestation()), "not_found", "but not for linux/amd64"),
    ],
)
def test_what_a_registry_holds(
    what: images.Image, outcome: str, text: str, make_registry: MakeRegistry, find: LookUp
) -> None:
    registry = make_registry()
    registry.add("a", "1", what)
    (found,) = find(registry, "a:1")
    assert (found.outcome, text in (found.message or "")) == (outcome, True), found
    if outcome == "found":
        assert (found.digest, found.platform_digest, found.size) == (what.digest, AMD.digest, 3)
        assert found.platforms[0].startswith("linux/")


def test_an_index_that_names_what_is_not_there_is_not_understood(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    registry.add("a", "1", replace(images.index(AMD), manifests=()))
    (found,) = find(registry, "a:1")
    assert found.outcome == "unknown"
    assert "its index names an image for linux/amd64 that is not there" in str(found.message)


def test_the_image_of_a_platform_stays_where_another_platform_is_built_anew(
    make_registry: MakeRegistry, find: LookUp
) -> None:
    registry = make_registry()
    registry.add("a", "1", images.index(AMD, ARM))
    registry.add("a", "2", images.index(AMD, images.image([b"newer"], "linux/arm64")))
    one, other = find(registry, "a:1", "a:2")
    assert one.digest != other.digest
    assert one.platform_digest == other.platform_digest == AMD.digest


# --- logins


@pytest.mark.parametrize("how", ["basic", "bearer"])
@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": True},
        {"manifest_challenge": 'Bearer realm="https://no-such-host.invalid/token",service="other"'},
        {"manifest_challenge": 'Bearer realm="http://elsewhere.example.com/"'},
        {"asks": False},
        {"heads": False},
    ],
    ids=str,
)
def test_each_way_to_ask_for_a_login(settings: Any, how: str, make_registry: MakeRegistry, find: LookUp) -> None:
    """What is private is a 404 until then; a mirror has a challenge of its own, and that of another at its manifests."""
    registry = make_registry(how, **settings)
    (found,) = find(registry, NAME, credentials=[login(registry.address)])
    assert found.outcome == "found", found.message


def test_a_token_service_of_v2_that_refuses_is_not_the_end(make_registry: MakeRegistry, find: LookUp) -> None:
    """The manifests name another one; only where they do not, the refusal counts."""
    registry = make_registry("bearer")
    other = f'Bearer realm="{registry.url_of("elsewhere")}/token",service="other"'

    def found(**more: Any) -> Found:
        registry.reset()
        registry.inject(Misbehaviour("registry", "headers", values={"WWW-Authenticate": other}))
        registry.inject(Misbehaviour("registry", "headers", only="/v2/team", times=None, values=more)) if more else None
        return find(registry, NAME, credentials=[login(registry.address)])[0]

    assert found().outcome == "found"
    refused = found(**{"WWW-Authenticate": other})
    assert (refused.outcome, "its token service" in str(refused.message)) == ("unknown", True)
    # once the other one let it in, a 404 is about the image
    registry.reset()
    registry.inject(Misbehaviour("registry", "headers", values={"WWW-Authenticate": other}))
    missing = find(registry, "team/app:none", credentials=[login(registry.address)])[0]
    assert missing.outcome == "not_found", missing.message


def test_a_registry_that_hides_what_is_private_and_asks_for_nothing(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic", hidden=True, asks=False)
    assert find(registry, NAME)[0].outcome == "not_found"
    assert find(registry, NAME, credentials=[login(registry.address)])[0].outcome == "found"


def robots(make_registry: MakeRegistry, how: str) -> Registry:
    """A registry whose users read one part each."""
    rights = {"alice": "team/", "bob": "other/"}
    registry = make_registry(how, users={"alice": PASSWORD, "bob": OTHER}, rights=rights)
    registry.add("other/app", "1", images.image())
    return registry


@pytest.mark.parametrize("how", ["basic", "bearer"])
def test_a_login_for_a_path_is_sent_for_no_other(how: str, make_registry: MakeRegistry, find: LookUp) -> None:
    registry = robots(make_registry, how)
    bob = {"server": f"{registry.address}/other", "user_name": "bob", "password": OTHER}
    alice = login(f"{registry.address}/team/")
    found = find(registry, NAME, "other/app:1", "others/app:1", "team:1", credentials=[bob, alice])
    assert [one.outcome for one in found][:2] == ["found", "found"]
    assert [one.login for one in found] == [1, 0, None, 1]
    sent = {seen.path: seen.headers.get("authorization", "") for seen in registry.requests}
    basic = [authorization for path, authorization in sent.items() if "others" in path]
    assert not any(basic) or how == "bearer"


@pytest.mark.parametrize("how", ["basic", "bearer"])
@pytest.mark.parametrize("first", [0, 1])
def test_several_logins_for_a_server_are_tried_in_their_order(
    first: int, how: str, make_registry: MakeRegistry, find: LookUp
) -> None:
    registry = robots(make_registry, how)
    bob = {"server": registry.address, "user_name": "bob", "password": OTHER}
    credentials = [login(registry.address), bob][:: -1 if first else 1]
    one, other, none = find(registry, NAME, "other/app:1", "none:1", credentials=credentials)
    assert [one.outcome, other.outcome, none.outcome] == ["found", "found", "refused"]
    assert [one.login, other.login, none.login] == [first, 1 - first, 0]


def test_the_most_specific_login_comes_first(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = robots(make_registry, "basic")
    bob = {"server": registry.address, "user_name": "bob", "password": OTHER}
    alice = login(f"{registry.address}/team")
    (found,) = find(registry, NAME, credentials=[bob, alice])
    assert (found.outcome, found.login) == ("found", 1)
    wrong = login(f"{registry.address}/other/app", "planted-secret-wrong")
    (found,) = find(registry, "other/app:1", credentials=[wrong, bob])
    assert (found.outcome, found.login) == ("found", 1)
    (found,) = find(registry, "other/app:1", credentials=[alice, wrong])
    assert (found.outcome, found.login) == ("refused", 1)
    assert f"the login for {registry.address}/other/app in image_registry_credentials" in str(found.message)


def test_no_other_password_is_sent_where_the_most_specific_one_is_enough(
    make_registry: MakeRegistry, find: LookUp
) -> None:
    registry = make_registry("basic", users={"alice": PASSWORD, "root": OTHER}, rights={"alice": "team/", "root": ""})
    root = {"server": registry.address, "user_name": "root", "password": OTHER}
    (found,) = find(registry, NAME, credentials=[root, login(f"{registry.address}/team")])
    assert (found.outcome, found.login) == ("found", 1)
    sent = {seen.headers.get("authorization") for seen in registry.requests} - {None}
    assert len(sent) == 1


def test_no_other_password_is_sent_where_the_first_reply_says_nothing(
    make_registry: MakeRegistry, find: LookUp
) -> None:
    registry = robots(make_registry, "basic")
    registry.inject(Misbehaviour("registry", "status", times=None, only="/manifests/", status=503))
    bob = {"server": registry.address, "user_name": "bob", "password": OTHER}
    (found,) = find(registry, "other/app:1", credentials=[login(registry.address), bob], retries=0)
    assert (found.outcome, found.login) == ("unknown", 0)
    sent = {seen.headers.get("authorization") for seen in registry.requests} - {None}
    assert len(sent) == 1


def test_the_same_image_with_other_logins_is_another_lookup(make_registry: MakeRegistry) -> None:
    registry = make_registry("basic")
    image, credentials = f"{registry.address}/{NAME}", [login(registry.address)]
    found = look_up([(image, credentials), (image, []), (image, credentials)], Settings())
    assert [one.outcome for one in found] == ["found", "refused", "found"]
    # one with the login, and two without: that of a challenge is repeated
    assert sum(seen.path.endswith("/manifests/1") for seen in registry.requests) == 3


# --- what a lookup costs


def manifests(registry: Registry) -> list[tuple[str, str]]:
    return [(seen.method, seen.path.rpartition("/")[2]) for seen in registry.requests if "/manifests/" in seen.path]


@pytest.mark.parametrize("how", ["none", "basic", "bearer"])
def test_what_has_not_changed_costs_a_head(how: str, make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry(how)
    names = []
    for number in range(5):
        registry.add(f"app{number}", "1", images.index(images.image([number]), ARM))
        names.append(f"app{number}:1")
    credentials = [login(registry.address)]
    first = find(registry, *names, credentials=credentials)
    assert sorted(method for method, _name in manifests(registry)) == ["GET"] * 10 + ["HEAD"] * 5
    registry.reset()
    assert find(registry, *names, credentials=credentials) == first
    assert manifests(registry) == [("HEAD", "1")] * 5
    pings = [seen for seen in registry.requests if seen.path == "/v2/"]
    assert len(pings) == 1
    assert len(registry.requests) == 1 + 5 + 5 * (how == "bearer")


def test_an_image_in_three_spellings_is_one_lookup(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    registry.add("library/nginx", "latest", images.index(AMD))
    names = ["docker.io/nginx", "docker.io/library/nginx:latest", "index.docker.io/nginx:latest"]
    found = find(registry, *names, addresses={"docker.io": registry.address})
    assert [(one.image, one.outcome) for one in found] == [(name, "found") for name in names]
    assert manifests(registry) == [("HEAD", "latest"), ("GET", found[0].digest), ("GET", AMD.digest)]


def test_a_head_that_does_not_help(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry(heads=False)
    assert find(registry, NAME)[0].outcome == "found"
    registry = make_registry()
    registry.inject(Misbehaviour("registry", "headers", only="/manifests/1", values={"Docker-Content-Digest": "x"}))
    (found,) = find(registry, NAME)
    assert (found.outcome, len(manifests(registry))) == ("found", 2)
    wrong = "sha256:" + "0" * 64
    registry.inject(Misbehaviour("registry", "headers", only="/manifests/1", values={"Docker-Content-Digest": wrong}))
    (found,) = find(registry, NAME)
    assert (found.outcome, found.digest != wrong) == ("found", True)


# --- authorities and addresses


def test_a_private_authority_counts_beside_the_built_in_ones(
    make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = make_registry("basic", tls=True), make_registry("basic", tls=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", public.ca_file)
    names = [f"{one.address}/{NAME}" for one in (public, private)]
    credentials = [login(one.address) for one in (public, private)]
    for ca_path, outcomes in ((None, ["found", "unknown"]), (private.ca_file, ["found", "found"])):
        found = find(public, *names, credentials=credentials, ca_path=ca_path)
        assert [one.outcome for one in found] == outcomes


@pytest.mark.parametrize(
    "addresses", [{"docker.io": "{}/hub-proxy"}, {"docker.io/library": "{}/hub-proxy/library", "docker.io": "other"}]
)
def test_a_proxy_project_of_another_registry(addresses: Any, make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic")
    registry.add("hub-proxy/library/nginx", "1", images.index(AMD))
    addresses = {name: there.format(registry.address) for name, there in addresses.items()}
    (found,) = find(
        registry, "docker.io/nginx:1", addresses=addresses, credentials=[login(f"{registry.address}/hub-proxy")]
    )
    assert (found.outcome, found.reached) == ("found", f"{registry.address}/hub-proxy/library/nginx")
    assert found.pinned == f"docker.io/nginx@{found.digest}"


def test_a_registry_of_the_vpc_is_asked_under_its_public_name(
    make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, vpc = "registry-crs-huadong1.ctyun.cn", "registry-vpc-crs-huadong1.ctyun.cn"
    registry = make_registry("basic", tls=True, names={public: "registry"})
    for variable, value in registry.environment.items():
        monkeypatch.setenv(variable, value)
    (found,) = find(registry, f"{vpc}/{NAME}", credentials=[login(vpc)])
    assert (found.outcome, found.reached) == ("found", f"{public}/team/app")
    (itself,) = find(registry, f"{vpc}/{NAME}", credentials=[login(vpc)], addresses={vpc: vpc})
    assert (itself.outcome, itself.reached) == ("unknown", f"{vpc}/team/app")
    registry.inject(Misbehaviour("registry", "status", times=None, status=403))
    (found,) = find(registry, f"{vpc}/{NAME}", credentials=[login(vpc)])
    assert (found.outcome, "It may have an allowlist" in str(found.message)) == ("unknown", True)
    assert find(registry, f"{public}/{NAME}", credentials=[login(public)])[0].outcome == "refused"


def test_a_registry_without_tls_and_a_token_service_out_of_reach(
    make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    registry = make_registry(names={"registry.example.com": "registry"})
    for variable, value in registry.environment.items():
        monkeypatch.setenv(variable, value)
    (found,) = find(registry, "registry.example.com/team/app:1")
    text = "registry.example.com does not answer with TLS, which is required unless it is on this machine: "
    assert (found.outcome, str(found.message).startswith(text)) == ("unknown", True)
    assert "http://" not in str(found.message)
    registry = make_registry(
        "bearer", manifest_challenge=f'Bearer realm="https://127.0.0.1:{closed_port}/t"', asks=False
    )
    (found,) = find(registry, NAME)
    assert "the registry sends its clients there" in str(found.message)
    assert "registry_addresses" not in str(found.message)


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("nginx", "nginx@sha256:1"),
        ("nginx:1.29", "nginx@sha256:1"),
        ("r.example:5000/team/app", "r.example:5000/team/app@sha256:1"),
        ("r.example:5000/team/app:1", "r.example:5000/team/app@sha256:1"),
        ("r.example:5000/team/app:1@sha256:0", "r.example:5000/team/app@sha256:1"),
    ],
)
def test_the_image_by_its_digest(image: str, pinned: str) -> None:
    assert Found(image, "found", digest="sha256:1").pinned == pinned
    assert Found(image, "not_found", digest="sha256:1").pinned is None
