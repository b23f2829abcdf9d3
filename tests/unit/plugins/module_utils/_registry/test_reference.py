# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of images: Docker's rules, and what is none."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry.reference import (
    Reference,
    address,
    covers,
    is_server,
    parse,
    prefix,
    reached,
    same_image,
    server_name,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", Reference("docker.io", "library/nginx")),
        ("nginx:1.29", Reference("docker.io", "library/nginx", "1.29")),
        ("team/app", Reference("docker.io", "team/app")),
        ("docker.io/nginx", Reference("docker.io", "library/nginx")),
        ("index.docker.io/nginx", Reference("docker.io", "library/nginx")),
        ("registry-1.docker.io/library/nginx", Reference("docker.io", "library/nginx")),
        ("localhost/app", Reference("localhost", "app")),
        ("localhost:5000", Reference("docker.io", "library/localhost", "5000")),
        ("localhost:5000/app:1", Reference("localhost:5000", "app", "1")),
        ("127.0.0.1:5000/a/b/c:x.y-z_1", Reference("127.0.0.1:5000", "a/b/c", "x.y-z_1")),
        ("[::1]:5000/app", Reference("[::1]:5000", "app")),
        ("HOST/app", Reference("host", "app")),
        ("Registry.Example.com:443/app", Reference("registry.example.com", "app")),
        ("vpc-crs-huadong1.ctyun.cn/x-eci/base:b", Reference("vpc-crs-huadong1.ctyun.cn", "x-eci/base", "b")),
        (f"nginx@{DIGEST}", Reference("docker.io", "library/nginx", None, DIGEST)),
        (f"a.b/c:1@{DIGEST}", Reference("a.b", "c", "1", DIGEST)),
        ("a.b/c__d/e-----f/g.h_i", Reference("a.b", "c__d/e-----f/g.h_i")),
        ("a.b/" + "c" * 255, Reference("a.b", "c" * 255)),
    ],
)
def test_a_name_is_read_as_docker_reads_it(image: str, expected: Reference) -> None:
    assert parse(image) == expected


@pytest.mark.parametrize(
    ("image", "advice"),
    [
        ("https://a.b/c", "without http:// or https:// in front"),
        ("a.b/Team/app", "in lower case"),
        ("Nginx", "in lower case"),
        ("", "is not a valid image name"),
        ("/nginx", "is not a valid image name"),
        ("a.b/", "is not a valid image name"),
        ("a.b/c d", "is not a valid image name"),
        ("a.b/c/../d", "is not a valid image name"),
        ("a.b/c?x=y", "is not a valid image name"),
        ("user@a.b/c", "has an invalid digest"),
        ("a_b.c/d", "is not a valid image name"),
        ("a.b/" + "c" * 256, "is not a valid image name"),
        ("nginx:", "has an invalid tag"),
        ("nginx:a/b", "is not a valid image name"),
        ("a.b/nginx:a/b", "has an invalid tag"),
        ("nginx:" + "x" * 129, "has an invalid tag"),
        ("nginx:1\r\nHost: x", "has an invalid tag"),
        ("nginx@sha256:12", "has an invalid digest"),
        ("nginx@md5:" + "0" * 64, "has an invalid digest"),
    ],
)
def test_the_error_for_a_wrong_name_says_what_to_write(image: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse(image)


def test_the_version_is_the_digest_where_there_is_one() -> None:
    assert parse("nginx").version == "latest"
    assert parse("nginx:1").version == "1"
    assert parse(f"nginx:1@{DIGEST}").version == DIGEST
    assert str(parse("nginx:1")) == "library/nginx:1"
    assert str(parse(f"nginx:1@{DIGEST}")) == f"library/nginx@{DIGEST}"


def test_servers_have_one_spelling() -> None:
    assert server_name(" Index.Docker.io/v1/ ") == server_name("docker.io") == "docker.io"
    assert server_name("a.b:443") == server_name("A.b/") == "a.b"
    assert server_name("a.b:444") == "a.b:444"
    assert address("docker.io") == "registry-1.docker.io"
    assert address("a.b") == "a.b"


OTHER_DIGEST = DIGEST[:-1] + "0"
SAME = [
    ("nginx", "nginx"),
    ("nginx", "nginx:latest"),
    ("nginx", "library/nginx"),
    ("nginx:1", "docker.io/nginx:1"),
    ("nginx:1", "docker.io/library/nginx:1"),
    ("index.docker.io/team/app", "docker.io/team/app:latest"),
    ("team/app:1", "docker.io/team/app:1"),
    ("r.example/app", "R.example:443/app:latest"),
    # a registry that one of the two leaves out
    ("app:1", "r.example/app:1"),
    ("team/app:1", "r.example/team/app:1"),
    ("app:1", "r.example/team/app:1"),
    ("team/app:1", "localhost:5000/mirror/team/app:1"),
    ("nginx", "r.example/library/nginx:latest"),
    ("library/nginx", "r.example/nginx"),
    (f"app@{DIGEST}", f"r.example/team/app@{DIGEST}"),
    (f"app:1@{DIGEST}", f"r.example/app:2@{DIGEST}"),
    # no names of images
    ("No Name", "No Name"),
    ("", ""),
]
DIFFERENT = [
    ("nginx", "nginx:1"),
    ("nginx", "redis"),
    ("app", "team/app"),
    ("team/app", "other/app"),
    ("r.example/app", "other.example/app"),
    ("r.example/app", "r.example/team/app"),
    ("r.example/app", "docker.io/library/app"),
    ("nginx:1", "r.example/nginx:2"),
    ("ginx", "r.example/nginx"),
    ("m/app", "r.example/team/app"),
    ("team/app", "r.example/app"),
    # Docker Hub is no registry that may be any other
    ("nginx", "docker.io/team/nginx"),
    (f"app@{DIGEST}", f"app@{OTHER_DIGEST}"),
    (f"app:1@{DIGEST}", "app:1"),
    ("No Name", "no name"),
    ("nginx", "https://r.example/nginx"),
    ("nginx:", "nginx"),
]


@pytest.mark.parametrize("pair", SAME)
def test_two_names_of_one_image(pair: tuple[str, str]) -> None:
    assert same_image(*pair)
    assert same_image(*reversed(pair))


@pytest.mark.parametrize("pair", DIFFERENT)
def test_names_of_different_images(pair: tuple[str, str]) -> None:
    assert not same_image(*pair)
    assert not same_image(*reversed(pair))


@pytest.mark.parametrize(
    ("name", "good"),
    [
        (".".join(["a" * 63] * 4), True),  # of 255 signs
        (".".join(["a" * 63] * 3 + ["a" * 62, "a"]), False),
        ("a.b", True),
        ("a", True),
        ("[::1]:5", True),
        ("a:", False),
        ("a@b", False),
        ("-a", False),
    ],
)
def test_a_server_is_a_host_and_a_port(name: str, good: bool) -> None:
    assert is_server(name) is good


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R.example:443", "r.example"),
        ("r.example/Team/", "r.example/Team"),
        ("index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io/library", "docker.io/library"),
        ("r.example/v2", "r.example"),
        (" r.example:5000//a/b ", "r.example:5000/a/b"),
    ],
)
def test_a_server_may_have_a_path(text: str, expected: str) -> None:
    assert prefix(text) == expected


@pytest.mark.parametrize(
    ("before", "name", "expected"),
    [
        ("r.example", "r.example/a", True),
        ("r.example/a", "r.example/a", True),
        ("r.example/a", "r.example/a/b", True),
        ("r.example/a", "r.example/ab", False),
        ("r.example/a/b", "r.example/a", False),
        ("r.example", "r.example.com/a", False),
    ],
)
def test_a_path_covers_what_is_below_it(before: str, name: str, expected: bool) -> None:
    assert covers(before, name) is expected


VPC = "registry-vpc-crs-huadong1.ctyun.cn"


@pytest.mark.parametrize(
    ("image", "addresses", "expected"),
    [
        ("r.example/a:1", {}, ("r.example", "a")),
        ("r.example/a:1", {"R.example:443": "127.0.0.1:5000"}, ("127.0.0.1:5000", "a")),
        ("nginx", {"index.docker.io": "h.example/hub-proxy"}, ("h.example", "hub-proxy/library/nginx")),
        ("nginx", {"docker.io": "x.example", "docker.io/library": "h.example/p"}, ("h.example", "p/nginx")),
        ("r.example/ab/c", {"r.example/a": "x.example"}, ("r.example", "ab/c")),
        (f"{VPC}/x-eci/base:1", {}, ("registry-crs-huadong1.ctyun.cn", "x-eci/base")),
        ("ent-user1-registry-vpc-huadong1.crs.ctyun.cn/a", {}, ("ent-user1-registry-huadong1.crs.ctyun.cn", "a")),
        (f"{VPC}/a", {VPC: VPC}, (VPC, "a")),
        (f"{VPC}/a", {VPC: "x.example"}, ("x.example", "a")),
        ("registry-vpc-crs-huadong1.ctyun.cn.example/a", {}, ("registry-vpc-crs-huadong1.ctyun.cn.example", "a")),
        ("registry-vpc-x.example.cn/a", {}, ("registry-vpc-x.example.cn", "a")),
    ],
)
def test_where_an_image_is_asked_for(image: str, addresses: dict[str, str], expected: tuple[str, str]) -> None:
    assert reached(parse(image), addresses) == expected
