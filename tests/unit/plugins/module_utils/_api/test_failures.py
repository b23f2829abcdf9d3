# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What failures mean: the reasons of ECI, HTTP statuses, and a clock that is off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api.failures import CLOCK_WINDOW
from ansible_collections.ctyun.eci.plugins.module_utils._errors import NONE, POSSIBLE, EciError

from .replies import HTML, NOW, REASON, refused

# --- refusals: (HTTP status, envelope) -> kind


REASONS: dict[type[EciError], str] = {
    errors.AuthenticationError: "Unauthorized Forbidden",
    errors.NotFound: "NotFound Gone",
    errors.AlreadyExists: "AlreadyExists Conflict",
    errors.QuotaUsedUp: "QuotaExceed",
    errors.Throttled: "TooManyRequests",
    errors.Unanswered: "Unknown InternalError ServerTimeout Timeout RequestTimeout ServiceUnavailable",
    errors.ServiceError: "Invalid BadRequest OutOfRange Expired PaymentRequired MethodNotAllowed NotAcceptable"
    " UnsupportedMediaType RequestEntityTooLarge SomethingNew",
}


@pytest.mark.parametrize(
    ("reason", "kind"), [(one, kind) for kind, reasons in REASONS.items() for one in reasons.split()]
)
@pytest.mark.parametrize("field", ["error", "errorCode"])
@pytest.mark.parametrize("status_code", [200, 900, "x", None], ids=lambda value: f"statusCode-{value}")
def test_a_reason_decides_whatever_the_numbers_are(
    reason: str, kind: type[EciError], field: str, status_code: Any
) -> None:
    for status in (200, 400, 404, 409, 500):
        error = refused({"statusCode": status_code, field: REASON + reason, "message": "why"}, status)
        assert error.code == REASON + reason
        assert error.service_message == "why"
        if reason == "SomethingNew":
            assert error.__class__ is (errors.Unanswered if status == 500 else errors.ServiceError)
            assert error.effect == POSSIBLE
        else:
            assert error.__class__ is kind
            assert error.effect == (POSSIBLE if kind is errors.Unanswered else NONE)


STATUSES: dict[type[EciError], list[int]] = {
    errors.ServiceError: [400, 402, 404, 405, 409, 410, 418, 422],
    errors.AuthenticationError: [401, 403],
    errors.Throttled: [429],
    errors.Unanswered: [408, 500, 502, 503, 504, 599],
}


@pytest.mark.parametrize(("status", "kind"), [(one, kind) for kind, statuses in STATUSES.items() for one in statuses])
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
    errors.QuotaUsedUp: [(429, {"statusCode": 429, "error": REASON + "QuotaExceed"})],
    errors.Throttled: [(429, {"statusCode": 429, "error": REASON + "TooManyRequests"})],
    # a reason is more than a status
    errors.NotFound: [
        (500, {"statusCode": 500, "error": REASON + "NotFound"}),
        (200, {"statusCode": 900, "error": "ECI.ImageCache.NotFound"}),
    ],
    errors.AuthenticationError: [(401, {"statusCode": 10020})],
    errors.Unanswered: [
        (404, {"statusCode": 404, "error": REASON + "InternalError"}),
        (503, {"statusCode": 404}),
        (200, {"statusCode": 500, "code": 500}),
        # without a word of success there is none
        *((200, {"statusCode": code}) for code in ([], -200, "²", "9" * 5000, "٤٠٤", "")),
        *((200, {"statusCode": 200, "returnObj": value}) for value in ([], "x", False, 0)),
        (200, {"returnObj": {"imageCacheId": "imc-1"}}),
        (200, {}),
    ],
    errors.ServiceError: [
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
    assert (error.__class__, error.effect) == (errors.QuotaUsedUp, effect)


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
        *((status, errors.ServiceError) for status in (302, 400, 404, 410)),
        *((status, errors.Unanswered) for status in (200, 408, 500, 502)),
        (401, errors.AuthenticationError),
        (429, errors.Throttled),
    ],
)
def test_unreadable_replies(raw: bytes | None, says: str, status: int, kind: type[EciError]) -> None:
    error = refused(raw=raw, status=status)
    # a page that is not the service's says nothing about an image cache: it is never a NotFound
    assert error.__class__ is kind
    assert ("redirect" if status == 302 else says) in error.message
    assert (error.http_status, error.code) == (status, None)
    assert error.effect == (NONE if status == 429 else POSSIBLE)


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


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 0000 00:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_no_hint(date: str) -> None:
    assert "(NTP)" not in refused({"statusCode": 10020}, 401, Date=date).message
    assert "(NTP)" not in refused({"statusCode": 10020}, 401).message


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
    error = refused(envelope, status, raw=HTML, now=NOW + CLOCK_WINDOW + 60, Date=formatdate(NOW, usegmt=True))
    assert isinstance(error, errors.AuthenticationError)
    for words in ("access_key and secret_key", "permission for the API of ECI", "allowlist of IP addresses"):
        assert words in error.message
        assert words in refused(envelope, status, raw=HTML).message
    assert "The clock of this machine is 16 minutes" in error.message


def test_only_a_refused_signature_is_blamed_on_the_clock() -> None:
    assert "clock" not in refused({"statusCode": 500}, 500, now=NOW, Date=formatdate(0, usegmt=True)).message
