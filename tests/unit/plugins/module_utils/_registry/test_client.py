# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of which address, by a table in place of the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from ansible_collections.ctyun.eci.plugins.module_utils._registry import manifest
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import Client, Settings
from ansible_collections.ctyun.eci.plugins.module_utils._registry.sending import NoReply, Reply
from tests.emulator import images

IMAGE = images.image()
DIGEST = manifest.digest_of(IMAGE.content)


def reply(status: int = 200, content: bytes = IMAGE.content, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, CaseInsensitiveDict({"Content-Type": manifest.OCI_MANIFEST, **named}), content)


class Table:
    """Answers by the beginning of an address, and notes what was asked for."""

    def __init__(self, **by_scheme: Reply | NoReply) -> None:
        self.answers: dict[str, Reply | NoReply] = {f"{scheme}://": answer for scheme, answer in by_scheme.items()}
        self.asked: list[str] = []
        self.closed = False

    def get(self, url: str, _headers: Mapping[str, str], _most: int) -> Reply:
        if "/blobs/" in url:
            return reply(404)
        self.asked.append(url)
        answer = next(answer for start, answer in self.answers.items() if url.startswith(start))
        if isinstance(answer, NoReply):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def outcomes(table: Table, *names: str, credentials: Any = ()) -> list[tuple[str, str]]:
    client = Client(credentials, Settings(), 1)
    client.sender.close()
    client.sender = table  # type: ignore[assignment]
    with client:
        found = [client.find(name) for name in names]
    assert table.closed
    return [(one.outcome, one.message or "") for one in found]


def schemes(table: Table) -> list[str]:
    return [url.partition(":")[0] for url in table.asked]


NONE = NoReply("nobody there", is_final=False)


def test_what_holds_where_nothing_is_set() -> None:
    assert Settings() == Settings({}, True, 30.0, "linux/amd64", str)


def test_only_this_machine_is_asked_without_tls() -> None:
    table = Table(http=reply(), https=reply())
    assert outcomes(table, "r.example/a:1", "r.example/a:2") == [("found", "")] * 2
    assert schemes(table) == ["https", "https"]


@pytest.mark.parametrize(
    ("http", "https", "asked"),
    [
        (reply(), NONE, ["http", "http"]),
        (reply(400), reply(), ["http", "https", "https"]),
        (NONE, reply(), ["http", "https", "https"]),
    ],
    ids=["plain", "TLS that says so", "TLS that hangs up"],
)
def test_what_this_machine_s_own_speaks_is_found_out_once(
    http: Reply | NoReply, https: Reply | NoReply, asked: list[str]
) -> None:
    table = Table(http=http, https=https)
    assert outcomes(table, "127.0.0.1:5000/a:1", "127.0.0.1:5000/a:2") == [("found", "")] * 2
    assert schemes(table) == asked


@pytest.mark.parametrize(
    ("http", "https", "text", "asked"),
    [
        (NoReply("too slow"), reply(), "too slow", ["http"]),
        (NONE, NoReply("no trust"), "no trust", ["http", "https"]),
        (NONE, NoReply("not there either", is_final=False), "nobody there", ["http", "https"]),
        (reply(400), NoReply("no trust"), "no trust", ["http", "https"]),
        (reply(400), NoReply("not there either", is_final=False), "HTTP 400", ["http", "https"]),
    ],
)
def test_what_is_told_where_neither_answers(
    http: Reply | NoReply, https: Reply | NoReply, text: str, asked: list[str]
) -> None:
    table = Table(http=http, https=https)
    ((outcome, message),) = outcomes(table, "127.0.0.1:5000/a:1")
    assert outcome == "unreachable"
    assert text in message
    assert schemes(table) == asked


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (reply(), True),
        (reply(Docker_Content_Digest=DIGEST), True),
        (reply(Docker_Content_Digest="sha256:" + "0" * 64), True),  # the bytes are what the task names
        (reply(content=images.image([b"other"]).content, Docker_Content_Digest=DIGEST), False),
    ],
)
def test_what_is_named_by_its_digest_is_held_against_that(answer: Reply, found: bool) -> None:
    ((outcome, message),) = outcomes(Table(https=answer), f"r.example/a@{DIGEST}")
    assert (outcome, "not what the digest says" in message) == ("found" if found else "unreachable", not found)


def test_a_digest_that_cannot_be_computed_is_no_reason_to_trust() -> None:
    odd = "sha384:" + "0" * 96
    index = {"manifests": [{"digest": odd, "platform": {"os": "linux", "architecture": "amd64"}}]}
    table = Table()
    table.answers = {
        f"https://r.example/v2/a/manifests/{odd}": reply(),
        "https://": reply(content=json.dumps(index).encode(), Content_Type=manifest.OCI_INDEX),
    }
    ((outcome, message),) = outcomes(table, "r.example/a:1")
    assert outcome == "unreachable"
    assert "not what the digest says" in message


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b'{"errors": []}', "not_found"),
        (b"{}", "unreachable"),
        (b'{"errors": {}}', "unreachable"),
        (b"[]", "unreachable"),
        (b"{", "unreachable"),
    ],
)
def test_only_a_registry_knows_that_an_image_is_not_there(content: bytes, outcome: str) -> None:
    assert [one for one, _message in outcomes(Table(https=reply(404, content)), "r.example/a:1")] == [outcome]


def test_one_that_is_sent_on_to_no_host_goes_nowhere() -> None:
    table = Table(http=reply(307, Location="https:///elsewhere"))
    ((outcome, message),) = outcomes(table, "127.0.0.1:5000/a:1")
    assert outcome == "unreachable"
    assert "sends one on to what is no address with https" in message
    assert len(table.asked) == 1


@pytest.mark.parametrize("login", [True, False])
def test_a_service_that_gives_no_token(login: bool) -> None:
    table = Table()
    table.answers = {
        "https://auth.example/": reply(401),
        "https://": reply(401, WWW_Authenticate='Bearer realm="https://auth.example/token"'),
    }
    credentials = [{"server": "r.example", "user_name": "alice", "password": "planted-secret"}] if login else []
    ((outcome, message),) = outcomes(table, "r.example/a:1", credentials=credentials)
    assert outcome == "refused"
    assert ("refused the login" in message) is login
    assert ("give a login for r.example" in message) is not login
