# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies: which are good, and what the others mean."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.ctyun.eci.plugins.module_utils._api.failures import CLOCK_WINDOW
from ansible_collections.ctyun.eci.plugins.module_utils._api.responses import HttpReply, Reply, read
from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    NONE,
    POSSIBLE,
    AlreadyExists,
    AuthenticationError,
    EciError,
    MachineLimit,
    NotFound,
    QuotaUsedUp,
    ServiceError,
    Throttled,
    Unanswered,
)

NOW = 1_750_000_000.0
REASON = "ECI.Openapi.StatusReason"
HTML = b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"


def reply(content: Any = None, status: int = 200, raw: bytes | None = b"", **headers: str) -> HttpReply:
    body = json.dumps(content).encode() if content is not None else raw
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply("describeImageCaches", "sent-id", status, CaseInsensitiveDict(fields), body)


def refused(*arguments: Any, now: float = NOW, **options: Any) -> EciError:
    with pytest.raises(EciError) as caught:
        read(reply(*arguments, **options), now)
    assert str(caught.value) == caught.value.message
    return caught.value


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


def test_a_reply_that_there_is_no_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(_text: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(json, "loads", loads)
    with pytest.raises(MachineLimit) as caught:
        read(reply(raw=b"{}"), NOW)
    assert (caught.value.effect, caught.value.retryable) == (POSSIBLE, False)
    assert caught.value.request_id


# --- refusals: (HTTP status, envelope) -> kind


REASONS: dict[type[EciError], str] = {
    AuthenticationError: "Unauthorized Forbidden",
    NotFound: "NotFound Gone",
    AlreadyExists: "AlreadyExists Conflict",
    QuotaUsedUp: "QuotaExceed",
    Throttled: "TooManyRequests",
    Unanswered: "Unknown InternalError ServerTimeout Timeout RequestTimeout ServiceUnavailable",
    ServiceError: "Invalid BadRequest OutOfRange Expired PaymentRequired MethodNotAllowed NotAcceptable"
    " UnsupportedMediaType RequestEntityTooLarge SomethingNew",
}


@pytest.mark.parametrize(
    ("reason", "kind"), [(reason, kind) for kind, reasons in REASONS.items() for reason in reasons.split()]
)
@pytest.mark.parametrize("field", ["error", "errorCode"])
@pytest.mark.parametrize("status_code", [200, 900, "x", None], ids=lambda value: f"statusCode-{value}")
def test_a_reason_decides_whatever_the_numbers_say(
    reason: str, kind: type[EciError], field: str, status_code: Any
) -> None:
    for status in (200, 400, 404, 409, 500):
        error = refused({"statusCode": status_code, field: REASON + reason, "message": "why"}, status)
        assert error.code == REASON + reason
        assert error.service_message == "why"
        if reason == "SomethingNew":
            assert error.__class__ is (Unanswered if status == 500 else ServiceError)
            assert error.effect == POSSIBLE
        else:
            assert error.__class__ is kind
            assert error.effect == (POSSIBLE if kind is Unanswered else NONE)


STATUSES: dict[type[EciError], list[int]] = {
    ServiceError: [400, 402, 404, 405, 409, 410, 418, 422],
    AuthenticationError: [401, 403],
    Throttled: [429],
    Unanswered: [408, 500, 502, 503, 504, 599],
}


@pytest.mark.parametrize(
    ("status", "kind"), [(status, kind) for kind, statuses in STATUSES.items() for status in statuses]
)
def test_without_a_reason_the_status_decides(status: int, kind: type[EciError]) -> None:
    # and never that an image cache is or is not there: that takes a word of ECI's
    for envelope in ({"statusCode": 900, "message": "m"}, {"statusCode": 200}, {}, {"statusCode": status}):
        error = refused(envelope, status)
        assert error.__class__ is kind
        assert error.effect == (NONE if status == 429 else POSSIBLE)
    # in the envelope only
    for status_code in (status, str(status)):
        error = refused({"statusCode": status_code}, 200)
        assert error.__class__ is kind
        assert error.effect == POSSIBLE
        assert error.code == str(status)
    # beside a reason of ECI's that nobody knows
    assert refused({"statusCode": status, "error": REASON + "New"}, 200).__class__ is kind


DISAGREEING: dict[type[EciError], list[tuple[int, dict[str, Any]]]] = {
    QuotaUsedUp: [
        (429, {"statusCode": 429, "error": REASON + "QuotaExceed"}),
        (429, {"statusCode": 51003}),
        (200, {"error": REASON + "QuotaExceed"}),
    ],
    Throttled: [
        (429, {"statusCode": 429, "error": REASON + "TooManyRequests"}),
        (429, {"statusCode": 429}),
        (200, {"statusCode": 429}),
    ],
    # a reason is more than a status
    NotFound: [
        (500, {"statusCode": 500, "error": REASON + "NotFound"}),
        (200, {"statusCode": 900, "error": "ECI.ImageCache.NotFound"}),
    ],
    AuthenticationError: [(401, {"statusCode": 10020})],
    Unanswered: [
        (404, {"statusCode": 404, "error": REASON + "InternalError"}),
        (503, {"statusCode": 404}),
        (200, {"statusCode": 500, "code": 500}),
        # without a word of success there is none
        *((200, {"statusCode": code}) for code in ([], -200, "²", "9" * 5000, "٤٠٤", "")),
        *((200, {"statusCode": 200, "returnObj": value}) for value in ([], "x", False, 0)),
        (200, {"returnObj": {"imageCacheId": "imc-1"}}),
        (200, {}),
    ],
    ServiceError: [
        (404, {"statusCode": 404, "error": "ECI.ImageCache.Missing"}),
        (200, {"statusCode": 404, "error": "Something.Else"}),
        *((200, {"statusCode": code}) for code in (900, 600, True)),
        *((200, {"statusCode": 900, "error": code}) for code in ("NotFound", {"code": 1}, ["NotFound"])),
        (200, {"statusCode": 200, "error": "X"}),
        # redirects
        *((status, {"statusCode": 200, "returnObj": {}}) for status in (300, 301, 302, 304)),
        (399, {"statusCode": 404, "error": REASON + "NotFound"}),
    ],
}


@pytest.mark.parametrize("kind", DISAGREEING)
def test_where_signs_disagree(kind: type[EciError]) -> None:
    for status, envelope in DISAGREEING[kind]:
        assert refused(envelope, status).__class__ is kind, (status, envelope)


@pytest.mark.parametrize(
    ("status", "code", "effect"),
    [
        (429, "QuotaExceed", NONE),
        (400, "QuotaExceed", POSSIBLE),
        (400, "Openapi.Quota.QuotaExceed", NONE),
        (400, "Openapi.QuotaExceed", POSSIBLE),
        (400, "ECI.QuotaExceed", NONE),
    ],
)
def test_only_a_refusal_that_is_known_as_one_has_no_effect(status: int, code: str, effect: str) -> None:
    error = refused({"statusCode": 900, "error": code}, status)
    assert (error.__class__, error.effect) == (QuotaUsedUp, effect)


NO_OBJECT = [
    *(HTML, b"null", b"[]", b'"text"', b"5", b'{"statusCode": 200, "ret', '{"statusCode": 200}'.encode("utf-16")),
    *(b'{"statusCode": 200, "message": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    b'{"statusCode": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (None, "is too large"),
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        *((raw, "not a JSON object; is the endpoint the ECI service, or did a proxy answer?") for raw in NO_OBJECT),
    ],
    ids=lambda value: repr(value)[:30],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, ServiceError) for status in (302, 400, 404, 410)),
        *((status, Unanswered) for status in (200, 408, 500, 502)),
        (401, AuthenticationError),
        (429, Throttled),
    ],
)
def test_unreadable_replies(raw: bytes | None, says: str, status: int, kind: type[EciError]) -> None:
    error = refused(raw=raw, status=status)
    # a page that is not the service's says nothing about an image cache: it is never a NotFound
    assert error.__class__ is kind
    assert ("redirect" if status == 302 else says) in error.message
    assert (error.http_status, error.code) == (status, None)
    assert error.effect == (NONE if status == 429 else POSSIBLE)


# --- the error


def test_the_error_carries_all_that_a_user_needs() -> None:
    error = refused(
        {
            "statusCode": 422,
            "error": REASON + "Invalid",
            "message": "azInfo: no such zone.",
            "returnObj": {"requestId": "theirs"},
        },
        422,
        Retry_After="7",
    )
    assert error.failure() == {
        "code": REASON + "Invalid",
        "message": "azInfo: no such zone.",
        "request_id": "theirs",
        "http_status": 422,
        "operation": "describeImageCaches",
        "effect": NONE,
        "attempts": 1,
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
        (200, {"message": "why"}, "the reply has no statusCode, or an odd one"),
        (200, {"statusCode": 200, "returnObj": [], "message": "why"}, "the returnObj of the reply is not an object"),
        (500, {"message": "why"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_service_says_is_always_in_the_message(
    status: int, envelope: dict[str, Any], problem: str | None
) -> None:
    error = refused(envelope, status)
    assert error.service_message == (f"{problem}: why" if problem else "why")
    assert error.service_message in error.message
    if "X.Y.Z" in envelope.values():
        assert error.code == "X.Y.Z"
        assert "code X.Y.Z, " in error.message
    assert error.effect == POSSIBLE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0.0), ("7", 7.0), ("1.5", 1.5), ("-3", 0.0)),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        (time.asctime(time.gmtime(NOW + 90)), 90.0),
        *((text, None) for text in ("", "soon", "Mon, 99 Foo 2024 00:00:00 GMT", "Mon, 01 Jan 99999 00:00:00 GMT")),
        ("Thu, 01 Jan 1970", None),
    ],
)
@pytest.mark.usefixtures("_somewhere_else")
def test_retry_after(value: str, seconds: float | None) -> None:
    assert refused({"statusCode": 429}, 429, Retry_After=value).retry_after == seconds
    assert refused({"statusCode": 429}, 429).retry_after is None


@pytest.fixture
def _somewhere_else(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine far from Greenwich: the dates of HTTP are in GMT whatever its zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("off", "says"),
    [
        (CLOCK_WINDOW + 60, "The clock of this machine is 16 minutes ahead of the clock of the service"),
        (-CLOCK_WINDOW - 60, "The clock of this machine is 16 minutes behind the clock of the service"),
        (8 * 3600, "480 minutes ahead of"),
        *((off, None) for off in (CLOCK_WINDOW, -CLOCK_WINDOW + 1, 0)),
    ],
)
@pytest.mark.parametrize(
    "date",
    [lambda at: formatdate(at, usegmt=True), lambda at: time.asctime(time.gmtime(at))],
    ids=["imf-date", "asctime-date"],
)
@pytest.mark.usefixtures("_somewhere_else")
def test_a_clock_that_is_off_is_named(off: float, says: str | None, date: Any) -> None:
    error = refused({"statusCode": 10020, "message": "bad signature"}, 401, now=NOW + off, Date=date(NOW))
    assert ("(NTP)" in error.message) is bool(says)
    if says:
        assert says in error.message
    # and what else to check, since the clock may be wrong and not the cause
    assert "Check that access_key and secret_key belong together" in error.message


@pytest.mark.parametrize(
    "headers", [{}, *({"Date": date} for date in ("", "yesterday", "Mon, 99 Foo 0000 00:00:00 GMT"))]
)
def test_a_date_that_cannot_be_read_is_no_hint(headers: dict[str, str]) -> None:
    assert "(NTP)" not in refused({"statusCode": 10020}, 401, **headers).message


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        *(({"statusCode": status}, status) for status in (401, 403)),
        *(({"error": REASON + reason}, 200) for reason in ("Forbidden", "Unauthorized")),
        ({"error": "CTIAM_0005"}, 403),
        (None, 403),
    ],
    ids=str,
)
def test_what_may_be_behind_a_refusal_without_a_known_code(envelope: Any, status: int) -> None:
    error = refused(envelope, status, raw=HTML)
    assert isinstance(error, AuthenticationError)
    for words in ("access_key and secret_key", "the right to the API of ECI", "lists the IP addresses"):
        assert words in error.message
    assert "The clock of this machine is 16 minutes" in refused(
        envelope, status, raw=HTML, now=NOW + CLOCK_WINDOW + 60, Date=formatdate(NOW, usegmt=True)
    ).message  # fmt: skip


def test_only_a_refused_signature_is_blamed_on_the_clock() -> None:
    assert "clock" not in refused({"statusCode": 500}, 500, now=NOW, Date=formatdate(0, usegmt=True)).message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_what_the_service_writes_is_put_in_one_line(end: str) -> None:
    error = refused(
        {
            "statusCode": 422,
            "error": f"{REASON}Invalid{end}Fake: 1",
            "message": f"a{end}{end}  b{end}",
            "returnObj": {"requestId": f"r{end}s"},
        },
        422,
    )
    assert (error.code, error.service_message, error.request_id) == (f"{REASON}Invalid Fake: 1", "a b", "r s")
    assert error.message.isprintable()


def test_half_a_character_can_be_sent_on() -> None:
    error = refused({"statusCode": 422, "message": "a\ud800", "error": "\udfff", "requestId": "\ud800"}, 422)
    assert (error.code, error.service_message, error.request_id) == ("?", "a?", "?")
    error.message.encode()


def test_a_secret_is_redacted_before_a_message_is_cut() -> None:
    with pytest.raises(ServiceError) as caught:
        read(reply({"statusCode": 422, "message": "x" * 1996 + SECRET}), NOW, redact)
    assert caught.value.service_message == "x" * 1996 + "****"


def test_a_secret_that_reads_like_a_code_does_not_change_what_a_code_means() -> None:
    with pytest.raises(NotFound) as caught:
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
HEADERS = st.fixed_dictionaries(
    {}, optional={"Retry-After": DATES, "Date": DATES, "X-Request-Id": TEXTS, "x-trace-id": TEXTS}
)
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
    assert raised.effect == POSSIBLE or not isinstance(raised, Unanswered)
    if isinstance(raised, (NotFound, AlreadyExists)):
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
