# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same against a registry that others wrote: "distribution", as Debian's package docker-registry has it.

It is looked for on the PATH, and where the variable DOCKER_REGISTRY of the environment says.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
import trustme

from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Settings, look_up, required_size
from tests.emulator import images

USER, PASSWORD = "alice", "planted-secret-1"
# What "htpasswd -B" makes of the password.
HASH = "$2y$04$w5cUFbLYGjXnCw5TpCXLJOOtE1YNCIz1B5/c1XOF07T4xC3XtMn7e"
PATIENCE = 20.0


class Running(NamedTuple):
    address: str
    url: str
    ca_file: str


@pytest.fixture(params=["http", "https"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """The registry on this machine, with a login and with or without TLS."""
    binary = os.environ.get("DOCKER_REGISTRY") or shutil.which("docker-registry")
    if not binary:
        pytest.skip("docker-registry (Debian's package of that name) is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "htpasswd").write_text(f"{USER}:{HASH}\n")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca_file = str(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(ca_file)
    listening: dict[str, object] = {"addr": address}
    if request.param == "https":
        certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
        listening["tls"] = {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    configuration = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
        "http": listening,
        "auth": {"htpasswd": {"realm": "here", "path": str(tmp_path / "htpasswd")}},
    }
    (tmp_path / "config.yml").write_text(json.dumps(configuration))
    with subprocess.Popen(
        [binary, "serve", str(tmp_path / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            here = Running(address, f"{request.param}://{address}", ca_file)
            _wait_for(here)
            yield here
        finally:
            process.terminate()


def _wait_for(here: Running) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            assert requests.get(f"{here.url}/v2/", verify=here.ca_file, timeout=5).status_code == 401
            return
        except requests.ConnectionError:
            assert time.monotonic() < end, "docker-registry does not answer"
            time.sleep(0.05)


def test_what_distribution_has(running: Running) -> None:
    session = requests.Session()
    session.auth = (USER, PASSWORD)
    session.verify = running.ca_file
    amd64, arm64 = images.image([b"shared" * 100, b"amd64"]), images.image([b"shared" * 100, b"arm64"], "linux/arm64")
    docker = images.image([b"shared" * 100, b"docker"], media_type=images.DOCKER_MANIFEST)
    pushed = {"one": amd64, "arm": arm64, "many": images.index(amd64, arm64, images.attestation())}
    pushed |= {"docker": docker, "list": images.index(docker, media_type=images.DOCKER_LIST)}
    for tag, one in pushed.items():
        images.push(session, running.url, "team/app", tag, one)
    names = [f"{running.address}/team/app:{tag}" for tag in pushed]
    names += [f"{running.address}/{name}" for name in (f"team/app@{amd64.digest}", "team/app:none", "no:1")]
    login = {"server": running.address, "user_name": USER, "password": PASSWORD}
    settings = Settings(verify=running.ca_file)

    found = look_up([(name, [login]) for name in names], settings)

    outcomes = ["found", "not_found", "found", "found", "found", "found", "not_found", "not_found"]
    assert [one.outcome for one in found] == outcomes, [one.message for one in found]
    digests = [*(one.digest for one in pushed.values()), amd64.digest, None, None]
    assert [one.digest for one in found] == digests
    assert [one.media_type for one in found[:5]] == [one.media_type for one in pushed.values()]
    assert [one.size for one in found[:5]] == [605, None, 605, 606, 606]
    platforms = [("linux/amd64",), ("linux/arm64",), ("linux/amd64", "linux/arm64"), ("linux/amd64",), ("linux/amd64",)]
    assert [one.platforms for one in found[:5]] == platforms
    assert required_size([one for one in found if one.outcome == "found"], 3.0) == 20

    assert {one.outcome for one in look_up([(name, []) for name in names], settings)} == {"refused"}
    wrong = {**login, "password": "planted-secret-2"}
    assert {one.outcome for one in look_up([(name, [wrong]) for name in names], settings)} == {"refused"}
