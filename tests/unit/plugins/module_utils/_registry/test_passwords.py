# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a password goes: to its own server, or to the service that this server names for tokens, and nowhere else.

Each kind of misbehaviour of each server is tried with each kind of login, and every request that any server got is
looked through.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.emulator import Misbehaviour, Registry, images
from tests.emulator.listener import KINDS, Seen

from .conftest import PASSWORD, LookUp, MakeRegistry, forget, login

pytestmark = pytest.mark.thorough

OTHER = "planted-secret-of-another"
DETAILS: dict[str, list[dict[str, Any]]] = {
    "status": [{"status": status} for status in (400, 401, 404, 500)],
    "page": [{"status": 200}, {"status": 401}],
    "redirect": [{"status": status} for status in (302, 307)],
    "headers": [{"values": {"Refresh": "0; url=https://elsewhere"}}],
    "slow": [{"seconds": 0.05}],
    "hang": [{"seconds": 0.5}],
    "drip_head": [{"interval": 0.001}],
    "drip_body": [{"interval": 0.02}],
}


def shapes(password: str) -> list[str]:
    """The forms of a password on the wire."""
    basic = base64.b64encode(f"alice:{password}".encode()).decode()
    return [password, quote(password), basic, base64.b64encode(password.encode()).decode().rstrip("=")]


def has(seen: Seen, password: str) -> bool:
    text = " ".join([seen.path, *seen.headers.values()])
    return any(shape in text for shape in shapes(password))


def check(registry: Registry, other: Registry, own: set[str], found: Any) -> None:
    """``own`` are the listeners of the registry that alone may have seen the password."""
    for seen in registry.requests:
        assert not has(seen, OTHER), seen.host
        assert not has(seen, PASSWORD) or seen.host in own, f"{seen.host} {seen.path}"
        assert "token-" not in str(seen) or seen.host == "registry", f"{seen.host} got a token"
    for seen in other.requests:
        assert not has(seen, PASSWORD), f"another registry, {seen.host}"
    assert not any(shape in repr(found) for word in (PASSWORD, OTHER) for shape in shapes(word))
    assert "token-" not in repr(found)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("host", ["registry", "realm", "elsewhere"])
@pytest.mark.parametrize("how", ["basic", "bearer"])
def test_whatever_goes_wrong(make_registry: MakeRegistry, find: LookUp, how: str, host: str, kind: str) -> None:
    registry = make_registry(how, tls=True, redirects_blobs=True)
    other = make_registry("none", tls=True)
    for part in list(registry._manifests.items()):  # an image without an index, whose config lies elsewhere
        if part[1].platform == "linux/amd64":
            registry.add("team/app", "one", part[1])
    credentials = [login(other.address, OTHER), login(registry.address)]
    own = {"registry"} if how == "basic" else {"realm"}
    targets = [f"{registry.url_of('elsewhere')}/v2/team/app/manifests/1", f"https://{other.address}/v2/x"]
    variants = DETAILS.get(kind, [{}])
    if kind == "redirect":
        variants = [{**variant, "location": target} for variant in variants for target in targets]
    if kind == "challenge":
        realms = ["http://elsewhere.example.com", f"http://localhost:{other.address.rpartition(':')[2]}"]
        variants = [{"value": f'Bearer realm="{realm}/token"'} for realm in realms]
        variants += [{"value": "Basic realm=x"}, {"value": "Digest realm=x"}, {"value": ""}]
    names = ["team/app:1", "team/app:one"]
    for details in variants:
        for times in (1, None):
            registry.reset()
            other.reset()
            registry.inject(Misbehaviour(host, kind, times=times, **details))
            forget()
            found = find(registry, *names, credentials=credentials, timeout=0.3, verify=False)
            asks_itself = kind == "challenge" and host == "registry" and "Basic" in details["value"]
            check(registry, other, own | {"registry"} if asks_itself else own, found)


def test_a_realm_of_another_host_gets_it_over_tls_only(
    make_registry: MakeRegistry, find: LookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"registry.example.com": "registry", "auth.example.org": "realm", "cdn.example.net": "elsewhere"}
    image = "registry.example.com/team/app:1"
    credentials = [login("registry.example.com"), login("cdn.example.net", OTHER)]
    for realm_tls in (True, False):
        registry = make_registry("bearer", tls=True, realm_tls=realm_tls, names=names)
        for variable, value in registry.environment.items():
            monkeypatch.setenv(variable, value)
        (found,) = find(registry, image, credentials=credentials, verify=True)
        assert found.outcome == ("found" if realm_tls else "unknown")
        assert [has(seen, PASSWORD) for seen in registry.seen_by("realm")] == [True] * realm_tls
        assert not any(has(seen, PASSWORD) for seen in registry.requests if seen.host != "realm")


def test_a_realm_without_tls_is_the_registry_s_own_on_this_machine(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("bearer", realm_tls=False)
    other = make_registry("bearer", realm_tls=False)
    (found,) = find(registry, "team/app:1", credentials=[login(registry.address)])
    assert found.outcome == "found"
    assert [has(seen, PASSWORD) for seen in registry.seen_by("realm")] == [True]
    # localhost is this machine as well, and yet another name: it might lead elsewhere
    registry.reset()
    realm = f"http://localhost:{other.address_of('realm').rpartition(':')[2]}/token"
    registry.inject(Misbehaviour("registry", "challenge", times=None, value=f'Bearer realm="{realm}"'))
    (found,) = find(registry, "team/app:1", credentials=[login(registry.address)])
    assert found.outcome == "unknown"
    assert other.requests == []


def test_logins_of_other_servers_are_not_sent(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry("basic")
    near = [
        "127.0.0.1",
        f"localhost:{registry.address.rpartition(':')[2]}",
        f"elsewhere.example.com/{registry.address}",
    ]
    near += [f"{registry.address}0", registry.address.replace(":", ".example.com:"), f"x.{registry.address}"]
    (found,) = find(registry, "team/app:1", credentials=[login(server) for server in near])
    assert found.outcome == "refused"
    assert not any("authorization" in seen.headers for seen in registry.requests)


def test_the_names_of_platforms_are_redacted(make_registry: MakeRegistry, find: LookUp) -> None:
    registry = make_registry()
    registry.add("a", "1", images.index(images.image([b"x"], f"linux/{PASSWORD}")))
    (found,) = find(registry, "a:1", redact=lambda text: text.replace(PASSWORD, "********"))
    assert found.platforms == ("linux/********",)
    assert PASSWORD not in repr(found)
