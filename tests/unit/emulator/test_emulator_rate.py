# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from tests.emulator import Emulator, Fault, Settings
from tests.emulator.clock import Bucket, Clock


def test_tokens_come_back_at_a_steady_rate() -> None:
    now = 1_700_000_000.3
    bucket = Bucket(Settings(rate=2.0, rate_burst=3), Clock(lambda: now))
    assert [bucket.take() for _number in range(3)] == [None] * 3
    wait = bucket.take()
    assert wait is not None and math.isclose(wait, 0.5)
    for _number in range(1000):
        now += 0.5
        assert bucket.take() is None
        assert bucket.take() is not None
    now += 3600
    assert [bucket.take() is None for _number in range(4)] == [True, True, True, False]


def test_requests_above_the_rate_are_refused(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"rate": 0.01, "rate_burst": 2})
    assert api.send("GET", "region", secret_key="other").status_code == 401  # it takes no token
    assert api.create().status_code == api.find().status_code == 200
    emulator.inject(Fault("html"))
    refused = api.create()
    assert (refused.status_code, refused.json()["error"]) == (429, "ECI.Openapi.StatusReasonTooManyRequests")
    assert "Retry-After" not in refused.headers
    assert [(record.status, record.effect) for record in emulator.requests[-1:]] == [("rate", False)]
    assert len(emulator.faults) == 1
    emulator.faults.clear()
    emulator.advance(100)
    assert (api.create().status_code, api.create().status_code) == (200, 429)
    emulator.settings.http_errors = False
    assert (api.find().status_code, api.find().json()["statusCode"]) == (200, 429)


def test_retry_after(api: Any, emulator: Emulator) -> None:
    emulator.settings.update({"rate": 0.01, "rate_burst": 1, "rate_retry_after": "date"})
    api.find()
    assert 95 < parsedate_to_datetime(api.find().headers["Retry-After"]).timestamp() - time() <= 101
    for rate, seconds in ((0.01, "100"), (0.3, "4"), (20.0, "0")):
        emulator.settings.update({"rate": rate, "rate_retry_after": "seconds"})
        # the second one may be late on a busy machine, and then there is a token again
        assert seconds in {api.find().headers.get("Retry-After") for _number in range(20)}
