# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every combination of the emulator's habits, a check finds that very combination; and an emulator that is made like
the report of a check has the same report.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from typing import Any

import pytest

from tests.emulator.like import like
from tests.emulator.settings import Settings

from .direct import BODY, checked
from .habits import (
    DEFAULTS,
    GROUPS,
    NAMED,
    VALUES,
    Values,
    combinations,
    drawn,
    ordered,
    seen_by_creating,
    seen_by_reading,
    settings,
)

pytestmark = pytest.mark.thorough

DRAWN = 40


def habits(made: Settings, body: Any) -> Values:
    """The habits in the report of a check, which holds nothing that was planted."""
    finding = checked(made, body)
    found: Values = finding.result()["report"]["habits"]
    text = json.dumps(finding.result()["report"])
    assert not re.search(r"planted|imc-|az1|nginx|docker|[0-9a-f]{8}|127\.0\.0\.1|://", text, re.IGNORECASE), text
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_a_check_that_creates_finds_each_combination(group: str) -> None:
    for values in combinations(GROUPS[group]):
        assert habits(settings(values), ordered(values, BODY)) == seen_by_creating(values), values


@pytest.mark.parametrize("group", ["names", "pages", "replies"])
def test_a_check_that_only_reads_finds_each_combination(group: str) -> None:
    for values in combinations(GROUPS[group]):
        assert habits(settings(values), None) == seen_by_reading(values), values


@pytest.mark.parametrize("part", range(2))
def test_it_finds_combinations_of_the_named_habits(part: int) -> None:
    """Of the product of all that a reader asks for first, each so many; all of it with WIRE_CHECK_STEP=1, in minutes."""
    step = int(os.environ.get("WIRE_CHECK_STEP", "16"))
    for values in itertools.islice(combinations(NAMED), part, None, 2 * step):
        assert habits(settings(values), BODY) == seen_by_creating(values), values


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_combinations_of_all_and_a_likeness_has_the_same_report(seed: int) -> None:
    for values in drawn(DRAWN, seed):
        body = ordered(values, BODY)
        found = habits(settings(values), body)
        assert found == seen_by_creating(values), values
        likeness = like(found)
        assert likeness.left == [], values
        made = Settings()
        made.update({**likeness.settings, "ready_after": values["ready_after"], "delete_fails": values["delete_fails"]})
        assert habits(made, body) == found, values


def test_every_setting_that_is_a_habit_is_among_those_that_are_tried() -> None:
    # the rest: keys and places, what is not asked for since it would order or refuse, and what happens to be there
    not_seen = {
        "access_key", "secret_key", "region_id", "zones", "quota", "fail_images", "gateway_shape", "rate", "rate_burst",
        "rate_retry_after", "latency", "clock_offset", "show_unknown_zone_error", "zone_aliases",
    }  # fmt: skip
    assert set(Settings().as_dict()) == set(VALUES) - {"zone", "broken"} | not_seen
    assert {name for group in GROUPS.values() for name in group} | {"list_needs_images"} == set(VALUES)
    assert all(
        DEFAULTS[name] == Settings().as_dict().get(name, DEFAULTS[name]) for name in VALUES if name != "ready_after"
    )
