# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies: which are good, and what an error says of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply, Reply
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError

from .replies import NOW, REASON, read, refused, reply

# --- good replies


@pytest.mark.parametrize(
    ("envelope", "value"),
    [
        *(({"statusCode": code, "returnObj": {"a": 1}}, {"a": 1}) for code in (200, "200", " 200", 800, "800")),
        ({"statusCode": 200, "error": "", "errorCode": "", "message": "ok", "returnObj": {}}, {}),
        ({"statusCode": 200, "error": None, "eopErrCode": None, "returnObj": {}}, {}),
        ({"statusCode": 200, "code": "success", "returnObj": {"a": 1}}, {"a": 1}),
        ({"statusCode": 200}, {}),
        ({"statusCode": 200, "returnObj": None}, {}),
    ],
    ids=str,
)
def test_good_replies(envelope: dict[str, Any], value: dict[str, Any]) -> None:
    for status in (200, 201, 202):
        assert read(reply(envelope, status), NOW).obj == value


@pytest.mark.parametrize("request_id", ["inner", None])
def test_the_id_of_a_good_reply(request_id: str | None) -> None:
    """Where else it may stand is in test_gateway.py. The ID that was sent is none of the service."""
    obj = {"requestId": request_id} if request_id else {}
    assert read(reply({"statusCode": 200, "returnObj": obj}), NOW).request_id == request_id


def test_text_beyond_ascii() -> None:
    raw = json.dumps({"statusCode": 200, "returnObj": {"name": "镜像"}}, ensure_ascii=False).encode()
    for start in (b"", b"\xef\xbb\xbf"):
        assert read(reply(raw=start + raw), NOW).obj == {"name": "镜像"}


@pytest.mark.parametrize("escape", [r"\ud800", r"\uDFFF"])
def test_half_a_character_is_replaced_and_a_pair_is_one(escape: str) -> None:
    raw = rf'{{"statusCode": 200, "returnObj": {{"a{escape}": ["{escape}b", "\uD83D\ude00", "\\ud800"]}}}}'.encode()
    assert read(reply(raw=raw), NOW).obj == {"a?": ["?b", "😀", "\\ud800"]}


def test_a_reply_that_there_is_no_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(_text: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(json, "loads", loads)
    with pytest.raises(errors.MachineLimit) as caught:
        read(reply(raw=b"{}"), NOW)
    assert (caught.value.effect, caught.value.retryable) == (POSSIBLE, False)
    assert caught.value.request_id


# --- the error


def test_the_error_carries_all_that_a_user_needs() -> None:
    texts = {"error": REASON + "Invalid", "message": "azInfo: no such zone."}
    error = refused({"statusCode": 422, **texts, "returnObj": {"requestId": "theirs"}}, 422, Retry_After="7")
    assert error.failure() == {
        "code": REASON + "Invalid",
        "message": "azInfo: no such zone.",
        "request_id": "theirs",
        "http_status": 422,
        "operation": "describeImageCaches",
        "effect": NONE,
        "attempts": 0,
    }
    assert error.message == (
        "describeImageCaches failed: azInfo: no such zone (code ECI.Openapi.StatusReasonInvalid, HTTP 422, request theirs)."
    )
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"message": "m", "description": "d"}, "m / d"),
        *(({"message": "m", "description": same}, "m") for same in ("m", None, "", 5)),
        *(({"message": none, "description": "d"}, "d") for none in ("", None, {"a": 1})),
        *((texts, "the service gave no reason") for texts in ({"message": {"a": 1}}, {"message": None}, {})),
    ],
    ids=str,
)
def test_where_the_text_comes_from(texts: dict[str, Any], message: str) -> None:
    assert refused({"statusCode": 900, **texts}).service_message == message


def test_a_message_without_end_is_cut() -> None:
    error = refused({"statusCode": 422, "message": "x" * 5000}, 422)
    assert error.service_message == "x" * 2000
    assert len(error.message) < 2200


@pytest.mark.parametrize(
    ("status", "envelope", "problem"),
    [
        (302, {"statusCode": 900, "error": "X.Y.Z", "message": "why"}, "the endpoint answered with a redirect, which is not followed"),
        (200, {"code": "X.Y.Z", "statusCode": "", "message": "why"}, None),
        (200, {"message": "why"}, "the reply has no valid statusCode"),
        (200, {"statusCode": 200, "returnObj": [], "message": "why"}, "the returnObj of the reply is not an object"),
        (500, {"message": "why"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_service_says_is_in_the_message(status: int, envelope: dict[str, Any], problem: str | None) -> None:
    error = refused(envelope, status)
    assert error.service_message == (f"{problem}: why" if problem else "why")
    assert error.service_message in error.message
    if "X.Y.Z" in envelope.values():
        assert error.code == "X.Y.Z"
        assert "code X.Y.Z, " in error.message
    assert error.effect == POSSIBLE


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_what_the_service_writes_is_put_in_one_line(end: str) -> None:
    texts = {"error": f"{REASON}Invalid{end}Fake: 1", "message": f"a{end}{end}  b{end}"}
    error = refused({"statusCode": 422, **texts, "returnObj": {"requestId": f"r{end}s"}}, 422)
    assert (error.code, error.service_message, error.request_id) == (f"{REASON}Invalid Fake: 1", "a b", "r s")
    assert error.message.isprintable()


def test_half_a_character_can_be_sent_on() -> None:
    error = refused({"statusCode": 422, "message": "a\ud800", "error": "\udfff", "requestId": "\ud800"}, 422)
    assert (error.code, error.service_message, error.request_id) == ("?", "a?", "?")
    error.message.encode()


def test_a_secret_is_redacted_before_a_message_is_cut() -> None:
    with pytest.raises(errors.ServiceError) as caught:
        read(reply({"statusCode": 422, "message": "x" * 1996 + SECRET}), NOW, redact)
    assert caught.value.service_message == "x" * 1996 + "****"


def test_a_secret_that_reads_like_a_code_does_not_change_what_a_code_means() -> None:
    with pytest.raises(errors.NotFound) as caught:
        read(reply({"error": REASON + "NotFound"}), NOW, lambda text: text.replace("NotFound", "*"))
    assert caught.value.code == REASON + "*"


# --- anything at all

SECRET = "sk-Pl4nted"
TEXTS = st.text(max_size=10) | st.text(max_size=3).map(lambda text: f"{text}{SECRET}{text}")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CODES = VALUES | st.sampled_from(
    [200, "200", 800, 404, "429", 10020, "CTAPI_10009", "CTIAM_0005", REASON, REASON + "NotFound", REASON + "Conflict"]
    + [REASON + "Gone", "Openapi.Subnet.NotFound", "NotFound", "51003", 50000, REASON + "InternalError"]
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("statusCode", "error", "errorCode", "eopErrCode", "code"), CODES),
        **dict.fromkeys(("message", "description", "requestId"), VALUES),
        "returnObj": VALUES | st.dictionaries(st.sampled_from(["requestId", "x"]), VALUES),
    },
)
DATES = st.text(max_size=30) | st.sampled_from(["nan", "inf", "-1", "1e400", "Mon, 01 Jan 0001 00:00:00 +2359"])
IDS = {"X-Request-Id": TEXTS, "x-trace-id": TEXTS}
HEADERS = st.fixed_dictionaries({}, optional={"Retry-After": DATES, "Date": DATES, **IDS})
CONTENTS = (
    st.none()
    | st.binary(max_size=40)
    | ENVELOPES.map(lambda value: json.dumps(value).encode())
    | ENVELOPES.map(lambda value: b"\xef\xbb\xbf" + json.dumps(value).encode())
)


def redact(text: str) -> str:
    return text.replace(SECRET, "********")


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(content=CONTENTS, status=st.integers(100, 999), headers=HEADERS, now=st.floats(0, 4e9))
def test_any_reply_is_an_object_or_an_error_of_ours(
    content: bytes | None, status: int, headers: dict[str, str], now: float
) -> None:
    reply = HttpReply("region", "sent-id", status, CaseInsensitiveDict(headers), content)
    raised: EciError | None = None
    good: Reply | None = None
    try:
        good = read(reply, now, redact)
    except EciError as error:
        raised = error
    if good:
        assert isinstance(good.obj, dict)
        assert good.request_id is None or SECRET not in good.request_id
        assert status < 300
        return
    assert raised
    assert raised.operation == "region"
    assert isinstance(raised.request_id, str)
    assert raised.retry_after is None or raised.retry_after >= 0
    assert raised.effect in (NONE, POSSIBLE)
    assert raised.effect == POSSIBLE or not isinstance(raised, errors.Unanswered)
    if isinstance(raised, (errors.NotFound, errors.AlreadyExists)):
        assert raised.code
        assert raised.code.startswith("ECI.")
    assert SECRET not in raised.message + json.dumps(raised.failure())
    assert len(raised.message.splitlines()) == 1
    raised.message.encode()


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.sampled_from([*SECRET, " ", "\n", SECRET]), max_size=30).map("".join),
    field=st.sampled_from(["error", "message", "description", "requestId", "statusCode", "code", "eopErrCode"]),
)
def test_no_text_of_the_service_brings_a_secret_back(parts: str, field: str) -> None:
    with pytest.raises(EciError) as caught:
        read(reply({"statusCode": 900, "error": "X", field: parts}), NOW, redact)
    assert SECRET not in caught.value.message + json.dumps(caught.value.failure())
