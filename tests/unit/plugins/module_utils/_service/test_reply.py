# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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

from ansible_collections.ctyun.eci.plugins.module_utils._errors import (
    AlreadyExists,
    AuthenticationError,
    EciError,
    NotFound,
    OpenOutcome,
    QuotaUsedUp,
    ServiceError,
    Throttled,
)
from ansible_collections.ctyun.eci.plugins.module_utils._service.reply import CLOCK_WINDOW, HttpReply, return_obj

NOW = 1_750_000_000.0
REASON = "ECI.Openapi.StatusReason"
HTML = b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"


def reply(content: Any = None, status: int = 200, raw: bytes | None = b"", **headers: str) -> HttpReply:
    body = json.dumps(content).encode() if content is not None else raw
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply("describeImageCaches", "sent-id", status, CaseInsensitiveDict(fields), body)


def refused(*arguments: Any, now: float = NOW, **options: Any) -> EciError:
    with pytest.raises(EciError) as caught:
        return_obj(reply(*arguments, **options), now)
    assert str(caught.value) == caught.value.message or caught.value.message.startswith(str(caught.value))
    return caught.value


# --- good replies


@pytest.mark.parametrize(
    ("envelope", "value"),
    [
        ({"statusCode": 200, "returnObj": {"requestId": "r", "total": 1}}, {"requestId": "r", "total": 1}),
        ({"statusCode": "200", "returnObj": {"a": 1}}, {"a": 1}),
        ({"statusCode": 800, "returnObj": {"a": 1}}, {"a": 1}),
        ({"statusCode": "800", "returnObj": {"a": 1}}, {"a": 1}),
        ({"statusCode": 200, "error": "", "errorCode": "", "message": "ok", "returnObj": {}}, {}),
        ({"statusCode": 200, "error": None, "returnObj": {}}, {}),
        ({"statusCode": 200}, {}),
        ({"statusCode": 200, "returnObj": None}, {}),
        ({"statusCode": 200, "returnObj": {"requestId": 5}}, {"requestId": 5}),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_good_replies(envelope: dict[str, Any], value: dict[str, Any], status: int) -> None:
    assert return_obj(reply(envelope, status), NOW) == value


def test_text_beyond_ascii() -> None:
    raw = json.dumps({"statusCode": 200, "returnObj": {"name": "镜像"}}, ensure_ascii=False).encode()
    assert return_obj(reply(raw=raw), NOW) == {"name": "镜像"}


# --- refusals: (HTTP status, envelope) -> kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Unauthorized", AuthenticationError),
        ("Forbidden", AuthenticationError),
        ("NotFound", NotFound),
        ("Gone", NotFound),
        ("AlreadyExists", AlreadyExists),
        ("Conflict", AlreadyExists),
        ("QuotaExceed", QuotaUsedUp),
        ("TooManyRequests", Throttled),
        ("Unknown", OpenOutcome),
        ("InternalError", OpenOutcome),
        ("ServerTimeout", OpenOutcome),
        ("Timeout", OpenOutcome),
        ("RequestTimeout", OpenOutcome),
        ("ServiceUnavailable", OpenOutcome),
        ("Invalid", ServiceError),
        ("BadRequest", ServiceError),
        ("OutOfRange", ServiceError),
        ("Expired", ServiceError),
        ("PaymentRequired", ServiceError),
        ("MethodNotAllowed", ServiceError),
        ("NotAcceptable", ServiceError),
        ("UnsupportedMediaType", ServiceError),
        ("RequestEntityTooLarge", ServiceError),
        ("SomethingNew", ServiceError),
    ],
)
@pytest.mark.parametrize("field", ["error", "errorCode"])
@pytest.mark.parametrize("status_code", [200, 900, "x", None], ids=lambda value: f"statusCode-{value}")
def test_a_reason_decides_whatever_the_numbers_say(
    reason: str, kind: type[EciError], field: str, status_code: Any
) -> None:
    error = refused({"statusCode": status_code, field: REASON + reason, "message": "why"}, 200)
    assert error.__class__ is kind
    assert error.code == REASON + reason
    assert error.service_message == "why"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10002, AuthenticationError),
        (10020, AuthenticationError),
        (40002, AuthenticationError),
        (40006, AuthenticationError),
        (40009, AuthenticationError),
        (40010, AuthenticationError),
        (50000, OpenOutcome),
        (51001, ServiceError),
        (51003, QuotaUsedUp),
        (99999, ServiceError),
    ],
)
@pytest.mark.parametrize("as_type", [int, str])
@pytest.mark.parametrize("status", [200, 400])
def test_codes_of_the_gateway(code: int, kind: type[EciError], as_type: type, status: int) -> None:
    error = refused({"statusCode": as_type(code), "message": "no"}, status)
    assert error.__class__ is kind
    assert (error.code, error.http_status) == (str(code), status)
    error = refused({"statusCode": 900, "error": str(code), "message": "no"}, status)
    assert error.__class__ is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ServiceError),
        (401, AuthenticationError),
        (402, ServiceError),
        (403, AuthenticationError),
        (404, NotFound),
        (405, ServiceError),
        (408, OpenOutcome),
        (409, AlreadyExists),
        (410, NotFound),
        (418, ServiceError),
        (422, ServiceError),
        (429, Throttled),
        (500, OpenOutcome),
        (502, OpenOutcome),
        (503, OpenOutcome),
        (504, OpenOutcome),
        (599, OpenOutcome),
    ],
)
def test_without_a_reason_the_status_decides(status: int, kind: type[EciError]) -> None:
    assert refused({"statusCode": 900, "message": "m"}, status).__class__ is kind
    assert refused({"statusCode": 200}, status).__class__ is kind
    assert refused({}, status).__class__ is kind
    # in the envelope only
    assert refused({"statusCode": status}, 200).__class__ is kind
    assert refused({"statusCode": str(status)}, 200).__class__ is kind


@pytest.mark.parametrize(
    ("status", "envelope", "kind"),
    [
        # 429 has two meanings
        (429, {"statusCode": 429, "error": REASON + "QuotaExceed"}, QuotaUsedUp),
        (429, {"statusCode": 429, "error": REASON + "TooManyRequests"}, Throttled),
        (429, {"statusCode": 429}, Throttled),
        (429, {"statusCode": 51003}, QuotaUsedUp),
        # a reason is more than a status, and a code of the envelope that says something more than HTTP's
        (500, {"statusCode": 500, "error": REASON + "NotFound"}, NotFound),
        (404, {"statusCode": 404, "error": REASON + "InternalError"}, OpenOutcome),
        (200, {"statusCode": 404, "error": "Something.Else"}, NotFound),
        (401, {"statusCode": 10020}, AuthenticationError),
        (503, {"statusCode": 404}, OpenOutcome),
        (200, {"statusCode": 900}, ServiceError),
        (200, {"statusCode": 900, "error": "NotFound"}, NotFound),
        (200, {"statusCode": 900, "error": {"code": 1}}, ServiceError),
        (200, {"statusCode": 900, "error": ["NotFound"]}, ServiceError),
        (200, {"statusCode": True}, OpenOutcome),
        (200, {"statusCode": []}, OpenOutcome),
        (200, {"statusCode": -200}, OpenOutcome),
        (200, {"statusCode": "²"}, OpenOutcome),
        (200, {"statusCode": "9" * 5000}, OpenOutcome),
        (200, {"statusCode": "٤٠٤"}, OpenOutcome),
        (200, {"statusCode": 200, "error": "X"}, ServiceError),
        (200, {"error": REASON + "QuotaExceed"}, QuotaUsedUp),
        # no word on success is not success
        (200, {}, OpenOutcome),
        (200, {"returnObj": {"imageCacheId": "imc-1"}}, OpenOutcome),
        (200, {"statusCode": "", "returnObj": {}}, OpenOutcome),
        (200, {"statusCode": 200, "returnObj": []}, OpenOutcome),
        (200, {"statusCode": 200, "returnObj": "x"}, OpenOutcome),
        (200, {"statusCode": 200, "returnObj": False}, OpenOutcome),
        (200, {"statusCode": 200, "returnObj": 0}, OpenOutcome),
        # redirects are for nobody to follow
        (301, {"statusCode": 200, "returnObj": {}}, ServiceError),
        (302, {}, ServiceError),
        (304, {}, ServiceError),
        (399, {"statusCode": 404, "error": REASON + "NotFound"}, ServiceError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else ascii(value)[:60],
)
def test_where_signs_disagree(status: int, envelope: dict[str, Any], kind: type[EciError]) -> None:
    assert refused(envelope, status).__class__ is kind


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(HTML, "not a JSON object; is the endpoint the ECI service?", id="html"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b" \r\n", "is empty", id="blank"),
        pytest.param(None, "is too large", id="too-large"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(b"[]", "not a JSON object", id="list"),
        pytest.param(b'"text"', "not a JSON object", id="text"),
        pytest.param(b"5", "not a JSON object", id="number"),
        pytest.param(b'{"statusCode": 200, "ret', "not a JSON object", id="cut-off"),
        pytest.param('{"statusCode": 200}'.encode("utf-16"), "not a JSON object", id="utf-16"),
        pytest.param(b'{"statusCode": 200, "message": "\xff"}', "not a JSON object", id="not-utf-8"),
        pytest.param(b"[" * 100_000, "not a JSON object", id="deep-lists"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not a JSON object", id="deep-objects"),
        pytest.param(b'{"statusCode": ' + b"9" * 5000 + b"}", "not a JSON object", id="long-number"),
    ],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OpenOutcome),
        (400, ServiceError),
        (401, AuthenticationError),
        (404, ServiceError),
        (408, OpenOutcome),
        (410, ServiceError),
        (429, Throttled),
        (500, OpenOutcome),
        (502, OpenOutcome),
        (302, ServiceError),
    ],
)
def test_unreadable_replies(raw: bytes | None, says: str, status: int, kind: type[EciError]) -> None:
    error = refused(raw=raw, status=status)
    # a page that is not the service's tells nothing about an image cache: it is never a NotFound
    assert error.__class__ is kind
    assert ("redirect" if status == 302 else says) in error.message
    assert (error.http_status, error.code) == (status, None)


# --- what an error tells


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
    }
    assert error.message == (
        "describeImageCaches failed: azInfo: no such zone (code ECI.Openapi.StatusReasonInvalid, HTTP 422, request theirs)."
    )
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"message": "m", "description": "d"}, "m"),
        ({"description": "d"}, "d"),
        ({"message": "", "description": "d"}, "d"),
        ({"message": {"a": 1}}, "the service gave no reason"),
        ({"message": None}, "the service gave no reason"),
        ({}, "the service gave no reason"),
    ],
    ids=str,
)
def test_where_the_text_comes_from(texts: dict[str, Any], message: str) -> None:
    assert refused({"statusCode": 900, **texts}).service_message == message


def test_a_message_without_end_is_cut() -> None:
    error = refused({"statusCode": 422, "message": "x" * 5000}, 422)
    assert error.service_message == "x" * 2000
    assert len(error.message) < 2200


@pytest.mark.parametrize("request_id", [None, 5, {}, []])
def test_the_id_that_was_sent_stands_in_for_one_that_is_missing(request_id: Any) -> None:
    envelope = {"statusCode": 900, "returnObj": {"requestId": request_id}}
    assert refused(envelope).request_id == "sent-id"
    assert refused({"statusCode": 900, "returnObj": "x"}).request_id == "sent-id"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        (time.asctime(time.gmtime(NOW + 90)), 90.0),
        ("", None),
        ("soon", None),
        ("Mon, 99 Foo 2024 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970", None),
    ],
)
@pytest.mark.usefixtures("_somewhere_else")
def test_retry_after(value: str, seconds: float | None) -> None:
    assert refused({"statusCode": 429}, 429, Retry_After=value).retry_after == seconds


def test_no_retry_after() -> None:
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
        (CLOCK_WINDOW - 1, None),
        (-CLOCK_WINDOW + 1, None),
        (0, None),
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
    if says:
        assert says in error.message
        assert "(NTP)" in error.message
    else:
        assert "clock" not in error.message
        assert "Check access_key, secret_key" in error.message


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 0000 00:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_no_hint(date: str) -> None:
    assert "Check access_key, secret_key" in refused({"statusCode": 10020}, 401, Date=date).message
    assert "Check access_key, secret_key" in refused({"statusCode": 10020}, 401).message


def test_only_a_refused_signature_is_blamed_on_the_clock() -> None:
    assert "clock" not in refused({"statusCode": 500}, 500, now=NOW, Date=formatdate(0, usegmt=True)).message


# --- anything at all

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CODES = VALUES | st.sampled_from([200, "200", 800, 404, "429", 10020, REASON, REASON + "NotFound", "51003"])
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": CODES,
        "error": CODES,
        "errorCode": CODES,
        "message": VALUES,
        "description": VALUES,
        "returnObj": VALUES | st.dictionaries(st.sampled_from(["requestId", "x"]), VALUES),
    },
)
DATES = st.text(max_size=30) | st.sampled_from(["nan", "inf", "-1", "1e400", "Mon, 01 Jan 0001 00:00:00 +2359"])
HEADERS = st.fixed_dictionaries({}, optional={"Retry-After": DATES, "Date": DATES})


@settings(max_examples=100, deadline=None)
@given(
    content=st.none() | st.binary(max_size=40) | ENVELOPES.map(lambda value: json.dumps(value).encode()),
    status=st.integers(100, 999),
    headers=HEADERS,
    now=st.floats(0, 4e9),
)
def test_any_reply_is_an_object_or_an_error_of_ours(
    content: bytes | None, status: int, headers: dict[str, str], now: float
) -> None:
    reply = HttpReply("region", "sent-id", status, CaseInsensitiveDict(headers), content)
    raised: EciError | None = None
    try:
        value = return_obj(reply, now)
    except EciError as error:
        raised = error
    if raised:
        assert raised.operation == "region"
        assert isinstance(raised.request_id, str)
        assert raised.retry_after is None or raised.retry_after >= 0
        assert json.dumps(raised.failure())
    else:
        assert isinstance(value, dict)
        assert status < 300
