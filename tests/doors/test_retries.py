# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With -vvv each request that is sent again is told, and nobody sees it elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.emulator import Emulator, Fault

from .conftest import Run, Task

READ: Task = {"name": "read", "ctyun.eci.region_info": {"retries": 3, "retry_max_delay": 0}}
LINE = re.compile(r"^.*attempt \d.*$", re.MULTILINE)


@pytest.fixture
def busy(emulator: Emulator) -> None:
    """The service refuses twice, and quotes a secret."""
    message = f"busy, {emulator.settings.secret_key}"
    emulator.inject(Fault("status", "region", status=503, message=message, times=2))


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("verbosity", ["", "-vv", "-vvv"])
@pytest.mark.parametrize("in_process", [True, False], ids=["process", "module"])
def test_each_retry_is_told_from_vvv_on(
    in_process: bool, verbosity: str, tasks: Callable[..., Run], emulator: Emulator
) -> None:
    done = tasks([READ], in_process, *filter(None, [verbosity]))
    assert done.results["read"]["region"]["zones"] == emulator.settings.zones
    assert len(emulator.sent("region")) == 3
    lines = LINE.findall(done.output)
    if len(verbosity) > 3:
        assert [line.partition(", request ")[0] for line in lines] == [
            f"ctyun.eci: attempt {number}, the next one in 0.0 s: region failed: busy, ******** (code"
            " ECI.Openapi.StatusReasonServiceUnavailable, HTTP 503"
            for number in (1, 2)
        ]
    else:
        assert lines == []
    assert "retried" not in json.dumps(done.results)
    assert emulator.settings.secret_key not in done.output


@pytest.mark.usefixtures("busy")
def test_an_async_task_has_nothing_more_in_its_result(tasks: Callable[..., Run], emulator: Emulator) -> None:
    done = tasks([{**READ, "async": 30, "poll": 1}], True, "-vvvv")
    assert done.results["read"]["region"]["zones"] == emulator.settings.zones
    assert "retried" not in done.results["read"]
    assert len(emulator.sent("region")) == 3
    assert emulator.settings.secret_key not in done.output
