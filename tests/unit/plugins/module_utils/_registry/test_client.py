# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are asked, by a table in place of the network."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests.structures import CaseInsensitiveDict

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api.http import Response
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError
from ansible_collections.ctyun.eci.plugins.module_utils._registry import manifest, session
from ansible_collections.ctyun.eci.plugins.module_utils._registry.client import look_up
from ansible_collections.ctyun.eci.plugins.module_utils._registry.session import Settings
from tests.emulator import images

from .conftest import login

IMAGE = images.image()
DIGEST = manifest.digest_of(IMAGE.content)


def reply(status: int = 200, content: bytes | None = IMAGE.content, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, CaseInsensitiveDict({"Content-Type": manifest.OCI_MANIFEST, **named}), content)


CONFIG = next(content for content in IMAGE.blobs.values() if b"amd64" in content)


class Table:
    """Answers by the beginning of a URL, and notes what was asked for, but for /v2/, configs and HEAD, which it has not."""

    def __init__(self) -> None:
        self.answers: dict[str, Response | EciError] = {}
        self.asked: list[str] = []
        self.closed = 0

    def send(self, method: str, origin: str, target: str, *_more: Any) -> Response:
        if "/blobs/" in target:
            return reply(content=CONFIG)
        url = origin + target
        if method == "HEAD" or (target == "/v2/" and url not in self.answers):
            return reply(405 if method == "HEAD" else 200, b"")
        self.asked.append(url)
        answer = next(answer for start, answer in self.answers.items() if url.startswith(start))
        if isinstance(answer, EciError):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found = Table()
    monkeypatch.setattr(session, "Http", lambda *_arguments, **_named: found)
    return found


def outcomes(table: Table, *names: str, credentials: Any = (), **answers: Response | EciError) -> list[tuple[str, str]]:
    table.answers.update({f"{scheme}://": answer for scheme, answer in answers.items()})
    found = look_up([(name, credentials) for name in names], Settings(retries=0), 1)
    assert table.closed == 2
    return [(one.outcome, one.message or "") for one in found]


def schemes(table: Table) -> list[str]:
    return [url.partition(":")[0] for url in table.asked]


BROKEN = errors.Unanswered("was lost")
NO_TLS = errors.UntrustedEndpoint("The TLS connection failed: WRONG_VERSION. Do this.", effect=POSSIBLE)
PLAIN = "127.0.0.1:5000 does not answer with TLS, which is required unless it is on this machine: WRONG_VERSION."
NO_TRUST = errors.UntrustedEndpoint("no trust", effect=NONE)
NOBODY = errors.Unreachable("nobody there")


def test_certificates_are_checked_unless_a_task_says_otherwise() -> None:
    assert Settings() == Settings({}, True, None, 30.0, 5, 30.0, "linux/amd64", str)


def test_only_this_machine_is_asked_without_tls(table: Table) -> None:
    found = outcomes(table, "r.example/a:1", "r.example/a:2", http=reply(), https=reply())
    assert found == [("found", "")] * 2
    assert schemes(table) == ["https", "https"]


PING = reply(content=b"{}")


@pytest.mark.parametrize(
    ("http", "https", "says", "asked"),
    [
        (PING, NO_TLS, "", ["http", "http"]),
        (reply(400), PING, "", ["http", "https", "https"]),
        (BROKEN, PING, "", ["http", "https", "https"]),
        (BROKEN, NO_TLS, "was lost", ["http", "https"]),
        (BROKEN, NO_TRUST, "no trust", ["http", "https"]),
        (BROKEN, NOBODY, "nobody there", ["http", "https"]),
        (reply(400), NO_TLS, PLAIN, ["http", "https"]),
        (NOBODY, PING, "nobody there", ["http"]),
    ],
)
def test_what_this_machine_s_own_speaks(
    http: Response | EciError, https: Response | EciError, says: str, asked: list[str], table: Table
) -> None:
    table.answers.update({"http://127.0.0.1:5000/v2/": http, "https://127.0.0.1:5000/v2/": https})
    manifests = {f"{scheme}://127.0.0.1:5000/v2/a/": reply() for scheme in ("http", "https")}
    table.answers = {**manifests, **table.answers}
    ((outcome, message),) = outcomes(table, "127.0.0.1:5000/a:1")
    assert (outcome, message) == (("unknown" if says else "found"), says)
    assert schemes(table) == asked


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (reply(), True),
        (reply(Docker_Content_Digest=DIGEST), True),
        (reply(Docker_Content_Digest="sha256:" + "0" * 64), True),  # the bytes are what the task names
        (reply(content=images.image([b"other"]).content, Docker_Content_Digest=DIGEST), False),
        (reply(content=None), False),
    ],
)
def test_what_is_named_by_its_digest_has_that_digest(answer: Response, found: bool, table: Table) -> None:
    ((outcome, message),) = outcomes(table, f"r.example/a@{DIGEST}", https=answer)
    assert outcome == ("found" if found else "unknown")
    assert found or "does not have its digest" in message or "too large" in message


def test_a_digest_that_cannot_be_computed_is_not_trusted(table: Table) -> None:
    odd = "sha384:" + "0" * 96
    index = {"manifests": [{"digest": odd, "platform": {"os": "linux", "architecture": "amd64"}}]}
    table.answers[f"https://r.example/v2/a/manifests/{odd}"] = reply()
    top = reply(content=json.dumps(index).encode(), Content_Type=manifest.OCI_INDEX)
    ((outcome, message),) = outcomes(table, "r.example/a:1", https=top)
    assert (outcome, "does not have its digest" in message) == ("unknown", True)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(404, b'{"errors": []}'), "not_found"),
        (reply(404, b"", Docker_Distribution_Api_Version="registry/2.0"), "not_found"),
        (reply(404, b"<html>"), "unknown"),
        (reply(404, None), "unknown"),
    ],
)
def test_only_a_registry_knows_that_an_image_is_not_there(answer: Response, outcome: str, table: Table) -> None:
    assert [one for one, _message in outcomes(table, "r.example/a:1", https=answer)] == [outcome]


@pytest.mark.parametrize(
    "location",
    ["", "http://r.example/x", "https://u:p@r.example/", "https://r.example:0/", "https://[", "ftp://x/", "https://r/ x"],
)  # fmt: skip
def test_a_redirect_goes_to_an_address_with_https_only(location: str, table: Table) -> None:
    ((outcome, message),) = outcomes(table, "r.example/a:1", https=reply(307, Location=location))
    assert (outcome, "the address of a redirect is not a valid one with https" in message) == ("unknown", True)
    assert len(table.asked) == 1


@pytest.mark.parametrize(
    "location", ["/moved?x=1", "https://r.example/moved?x=1", "https://r.example/moved?x=1#y", "../../../../moved?x=1"]
)
def test_where_a_redirect_goes(location: str, table: Table) -> None:
    table.answers["https://r.example/moved"] = reply()
    assert outcomes(table, "r.example/a:1", https=reply(302, Location=location)) == [("found", "")]
    assert table.asked[1] == "https://r.example/moved?x=1"


# --- challenges, and where a login may be sent for them


def challenged(table: Table, header: str, image: str = "r.example/team/app:1", http: bool = False) -> tuple[str, str]:
    """Look up an image whose registry answers with a challenge, with a login for it."""
    answers: dict[str, Any] = {"http" if http else "https": reply(401, b"", WWW_Authenticate=header)}
    (found,) = outcomes(table, image, credentials=[login(image.split("/")[0])], **answers)
    return found


@pytest.mark.parametrize(
    "header",
    [
        'Bearer realm="https://auth.example/t?x=1#y",service="a b",scope="repository:*:*"',
        'Basic realm="x", Bearer realm="https://auth.example/t?x=1", service="a b"',
        "BEARER REALM = https://auth.example/t?x=1 , Service=a%20b",
        'Bearer realm="https://auth.example/t?x=1",service="a b", realm="https://other.example/"',
        'Negotiate, Bearer service="a b",realm="https://auth.example/t?x=1", Basic realm="y"',
        'Bearer realm="https://auth.example/t?scope=repository:*:push&x=1&service=other&scope=registry:catalog:*",service="a b"',
    ],
)
def test_a_token_is_asked_for_to_pull_and_no_more(header: str, table: Table) -> None:
    table.answers["https://auth.example/t"] = reply(200, b'{"token": "abc"}')
    outcome, message = challenged(table, header)
    assert (outcome, "(HTTP 401)" in message) == ("refused", True)  # this table does not look at tokens
    assert len(table.asked) == 3
    asked = urlsplit(table.asked[1])
    assert asked._replace(query="").geturl() == "https://auth.example/t"
    query = parse_qs(asked.query)
    assert query.pop("service")[0].replace("%20", " ") == "a b"
    assert query == {"x": ["1"], "scope": ["repository:team/app:pull"]}


@pytest.mark.parametrize(
    ("realm", "image"),
    [
        ("https://auth.example/token", "r.example/a:1"),
        ("https://auth.example:8443", "127.0.0.1:5000/a:1"),
        ("http://127.0.0.1:5001/token", "127.0.0.1:5000/a:1"),
        ("http://[::1]:5001/token", "[::1]:5000/a:1"),
        ("http://localhost/token", "localhost/a:1"),
    ],
)
def test_a_token_service_has_tls_or_is_this_machine_s_own(realm: str, image: str, table: Table) -> None:
    table.answers[realm] = reply(200, b'{"access_token": "abc"}')
    challenged(table, f'Bearer realm="{realm}"', image, http=not image.startswith("r."))
    assert table.asked[1].startswith(f"{realm}{'' if realm.endswith('token') else '/'}?scope=")


@pytest.mark.parametrize(
    ("realm", "image"),
    [
        ("", "r.example/a:1"),
        ("http://r.example/token", "r.example/a:1"),
        ("http://127.0.0.1:5001/token", "r.example/a:1"),
        ("http://127.0.0.1:5001/token", "localhost:5000/a:1"),
        ("http://auth.example/token", "127.0.0.1:5000/a:1"),
        ("//auth.example/token", "r.example/a:1"),
        ("/token", "127.0.0.1:5000/a:1"),
        ("ftp://r.example/token", "r.example/a:1"),
        ("https:///token", "r.example/a:1"),
        ("https://user:pass@auth.example/token", "r.example/a:1"),
        ("https://auth.example:99999/token", "r.example/a:1"),
        ("https://auth.example:0/token", "r.example/a:1"),
        ("https://auth.example/a b", "r.example/a:1"),
        ("https://auth.example/\r\nX: y", "r.example/a:1"),
        ("https://[::1/token", "[::1]:5000/a:1"),
    ],
)
def test_no_login_goes_anywhere_else(realm: str, image: str, table: Table) -> None:
    outcome, message = challenged(table, f'Bearer realm="{realm}"', image, http=not image.startswith("r."))
    assert (outcome, "nothing was sent to it" in message) == ("unknown", True)
    assert len(table.asked) == 1


@pytest.mark.parametrize("header", ["", "Negotiate", 'Digest realm="basic"', 'realm="x"', "Bearer", "Basically"])
def test_a_challenge_that_is_not_known(header: str, table: Table) -> None:
    outcome, message = challenged(table, header)
    assert (outcome, "requires an unsupported kind of authentication" in message) == ("unknown", True)
    assert len(table.asked) == 1


@pytest.mark.parametrize("credentials", [[login("r.example")], []])
def test_a_service_that_refuses_a_token(credentials: Any, table: Table) -> None:
    table.answers["https://auth.example/"] = reply(401)
    answer = reply(401, WWW_Authenticate='Bearer realm="https://auth.example/token"')
    ((outcome, message),) = outcomes(table, "r.example/a:1", credentials=credentials, https=answer)
    assert outcome == "refused"
    assert f"does not let {'this login' if credentials else 'anonymous clients'} read a" in message
    assert message.endswith("(HTTP 401 of its token service https://auth.example).")
