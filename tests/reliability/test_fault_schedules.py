# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random fault schedules, a short run of them. The long one is ``python -m tests.reliability.soak``.

``ECI_SCHEDULES`` in the environment sets how many, ``ECI_SHRINK`` looks for the smallest schedule that fails, which
may take minutes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability import machine

QUICK = 100
PHASES = [Phase.generate, *([Phase.shrink] if os.environ.get("ECI_SHRINK") else [])]


def test_nothing_twice_nothing_lost_nothing_shown() -> None:
    chosen = settings(
        max_examples=int(os.environ.get("ECI_SCHEDULES", QUICK)),
        stateful_step_count=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
    )
    with machine.places():
        run_state_machine_as_test(machine.FaultMachine, settings=chosen)
    print(machine.FIGURES)
    assert machine.FIGURES.faults
    assert machine.FIGURES.effects_behind_faults
