# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature: fixed vectors, others' judgement, and what the emulator accepts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from ansible_collections.ctyun.eci.plugins.module_utils._api.auth import eop_date, signature, signed_headers
from ansible_collections.ctyun.eci.plugins.module_utils._api.region import REGION
from ansible_collections.ctyun.eci.plugins.module_utils._errors import AuthenticationError
from tests.emulator import Emulator
from tests.unit.plugins.emulated import MakeClient

from .servers import CREATE, DESCRIBE, LIST, UPDATE

try:
    # CTYun's own Python core, to compare with. It is among the development requirements, and wants newer libraries than
    # the collection does.
    from ctyun_openapi_sdk_core import ctyun_client
except ImportError:
    ctyun_client = None

comparing = pytest.mark.skipif(ctyun_client is None, reason="ctyun-openapi-sdk-core is not installed")

ZONES = ["UTC", "America/New_York", "Asia/Shanghai", "Asia/Kathmandu", "Pacific/Kiritimati"]
RANDOM_ID = "27cfe4dc-e640-45f6-92ca-492ca73e8680"
ZERO_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def expected(request_id: str, date: str, query: str, body: bytes, access_key: str = "AK", secret: str = "SK") -> str:
    """The formula of docs/api_notes.md once more, from the outside to the inside."""
    text = f"ctyun-eop-request-id:{request_id}\neop-date:{date}\n\n{query}\n{hashlib.sha256(body).hexdigest()}"
    key = secret.encode()
    for part in (date, access_key, date[:8], text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(key).decode()


VECTORS = {
    ("AK", "SK", RANDOM_ID, "20251124T080910Z", "", b""): "Pu7ebmCNZKL/EGYKnNeO3F30Ef8E4wk1anNDnIw97NU=",
    ("test-ak", "test-sk", RANDOM_ID, "20251231T235959Z", "", '{"imageCacheName":"镜"}'.encode()): "sR/7mwBTMf1ybKCAyJQkKVx2R0RGYaEExaVuci+Koq0=",
    ("test-ak", "test-sk", ZERO_ID, "20260101T000000Z", "b=/*%2B~&a=1%202", b""): "Jotyottq7FhvN4sh5OdMvC8Nyp0X9sMufgtuNBKhmnE=",
}  # fmt: skip


@pytest.mark.parametrize("arguments", VECTORS, ids=["no-body", "body", "query"])
def test_fixed_vectors(arguments: tuple[str, str, str, str, str, bytes]) -> None:
    r"""Vectors made with openssl 3 alone.

    hm() { openssl dgst -sha256 -mac HMAC -macopt hexkey:$1 -r | cut -c1-64; }
    T=$(printf %s "$DATE" | hm $(printf %s "$SK" | xxd -p)); A=$(printf %s "$AK" | hm $T); D=$(printf %s "${DATE:0:8}" | hm $A)
    printf 'ctyun-eop-request-id:%s\neop-date:%s\n\n%s\n%s' "$ID" "$DATE" "$QUERY" "$(sha256sum < body | cut -c1-64)" |
        openssl dgst -sha256 -mac HMAC -macopt hexkey:$D -binary | base64

    The first one step by step: T=26cdee8b...5585, A=920fc438...f79b, D=f51aa594...150e, SHA-256 of nothing e3b0c442...b855.
    QUERY of the third is a=1%202&b=%2F%2A%2B~.
    """
    assert signature(*arguments) == VECTORS[arguments]


QUERIES = {
    **{query: query for query in ("", "a=1", "a=", "a=x%20y", "a=-_.~", "B=1&a=2")},
    "b=2&a=1": "a=1&b=2",
    "a=2&a=10&a=1": "a=1&a=10&a=2",
    "a=x+y": "a=x%20y",
    "a=%e9%95%9c": "a=%E9%95%9C",
    "a=镜": "a=%E9%95%9C",
    "a=/:@!$'()*,;": "a=%2F%3A%40%21%24%27%28%29%2A%2C%3B",
}


@pytest.mark.parametrize("query", QUERIES)
def test_the_query_is_sorted_and_encoded(query: str) -> None:
    date = "20251124T080910Z"
    assert signature("AK", "SK", RANDOM_ID, date, query, b"") == expected(RANDOM_ID, date, QUERIES[query], b"")


# --- the headers of a request


@pytest.mark.parametrize("zone", ZONES, indirect=True)
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("now", "date"),
    [
        (1766000000.0, "20251218T033320Z"),
        (1767196799.9, "20251231T235959Z"),
        (1767196800.0, "20260101T000000Z"),
        (1767225599.0, "20260101T075959Z"),
        (0.0, "19700101T080000Z"),
    ],
)
def test_the_date_is_that_of_beijing_wherever_the_machine_stands(now: float, date: str) -> None:
    assert eop_date(now) == signed_headers("AK", "SK", now, "", b"")["Eop-date"] == date
    moment = datetime.fromtimestamp(now, timezone(timedelta(hours=8)))
    assert moment.strftime("%Y%m%dT%H%M%SZ") == date


def test_the_form_of_the_headers() -> None:
    headers = signed_headers("AK", "SK", 1766000000.0, "b=2&a=1", b'{"x": 1}')
    request_id = headers.pop("ctyun-eop-request-id")
    assert str(uuid.UUID(request_id, version=4)) == request_id
    value = expected(request_id, "20251218T033320Z", "a=1&b=2", b'{"x": 1}')
    assert headers == {
        "Eop-date": "20251218T033320Z",
        "Eop-Authorization": f"AK Headers=ctyun-eop-request-id;eop-date Signature={value}",  # as the SDKs write it
    }


# --- others' judgement


@comparing
@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({}, None),
        ({"b": "2", "a": "x y/镜"}, None),
        ({}, {"imageCacheName": "web", "images": ["nginx:latest"]}),
        ({"a": "~-_."}, {"x": 1}),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai"], indirect=True)
def test_equal_to_the_core_of_ctyun(
    params: dict[str, str], body: Any, zone: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CTYun's core takes the local time for that of Beijing, so it is right where Beijing is."""
    caught: list[dict[str, Any]] = []
    monkeypatch.setattr(ctyun_client.requests, "request", lambda **options: caught.append(options))
    before = time.time()
    ctyun_client.CtyunClient().request(
        "https://h.example/p", "POST", {}, params, body, SimpleNamespace(ak="their-ak", sk="their-sk")
    )
    after = time.time()
    (call,) = caught
    headers = call["headers"]
    assert headers["Eop-date"] in {eop_date(moment) for moment in (before, after)}
    prepared = requests.Request("POST", call["url"], params=call["params"], json=call["json"]).prepare()
    raw = prepared.body or b""
    raw = raw if isinstance(raw, bytes) else raw.encode()
    query, request_id = requests.utils.urlparse(str(prepared.url)).query, headers["ctyun-eop-request-id"]
    ours = signature("their-ak", "their-sk", request_id, headers["Eop-date"], query, raw)
    assert headers["Eop-Authorization"] == f"their-ak Headers=ctyun-eop-request-id;eop-date Signature={ours}"
    assert "their-sk" not in capsys.readouterr().out


@pytest.mark.parametrize("zone", ZONES, indirect=True)
@pytest.mark.usefixtures("zone")
def test_the_server_accepts_the_signature_of_the_bytes_it_got(make_client: MakeClient, emulator: Emulator) -> None:
    identifier = emulator.service.seed("base", ["nginx:latest"])
    client = make_client(retries=0)
    client.call(REGION)
    client.call(LIST, {"imageCacheName": "镜像 \U0001f600\n"})
    client.call(DESCRIBE, identifier=identifier)
    client.call(UPDATE, {"imageCacheId": identifier, "tags": [{"key": "a", "value": 'é\\"'}]})
    settings = emulator.settings
    for record in emulator.sent():
        headers = record.headers
        request_id, keys = headers["ctyun-eop-request-id"], (settings.access_key, settings.secret_key)
        value = expected(request_id, headers["eop-date"], record.query, record.raw, *keys)
        assert headers["eop-authorization"].endswith(f" Signature={value}")
        assert record.status == 200
    assert [len(record.raw) > 0 for record in emulator.sent()] == [False, True, False, True]


@pytest.mark.parametrize("off", [-16 * 60, 16 * 60])
def test_the_clock_of_the_client_is_the_one_that_signs(off: float, make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client(time=lambda: time.time() + off)
    with pytest.raises(AuthenticationError) as caught:
        client.call(CREATE, {})
    assert "The clock of this machine is 16 minutes" in caught.value.message
    assert emulator.sent()[0].status == 401
