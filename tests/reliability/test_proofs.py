# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of what ``python -m tests.reliability.prove`` tries: another one for each state of the collection's code, so that
over many changes all is tried, and the same one for the same code.

``ECI_PART`` in the environment chooses the part by a number, ``ECI_MORE`` makes it so many times larger.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability import orders, single_faults, third_parties
from tests.reliability.controllers import apart
from tests.reliability.figures import Figures
from tests.reliability.stage import quick_times

CODE = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
MORE = int(os.environ.get("ECI_MORE", "1"))
# What a part is of all: each so many-th group of cases and each so many-th case of it, each so many-th act of a third party,
# each so many-th pair and the first orders of it. The tests share a part, so that several processes can.
GROUPS, CASES = 5, 100 // MORE
PAIRS, ORDERS = 40 // MORE, 40 * MORE
ACTS = max(6 // MORE, 1)
SHARES = 2


def _part() -> int:
    if os.environ.get("ECI_PART"):
        return int(os.environ["ECI_PART"])
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:4], "big")


PART = _part()


@pytest.fixture
def base() -> Iterator[str]:
    with apart() as base, quick_times():
        yield base


def _judge(figures: Figures) -> None:
    print(f"part {PART}", figures.counts)
    assert not figures.violations, "\n\n".join(figures.violations)


@pytest.mark.parametrize("share", range(SHARES))
def test_no_single_fault_breaks_a_promise(share: int) -> None:
    with single_faults.Prover() as prover:
        for number in range(len(single_faults.groups())):
            if number // SHARES % GROUPS == PART % GROUPS and number % SHARES == share:
                prover.prove_group(number, CASES, PART)
        _judge(prover.figures)
        assert prover.figures.counts["cases"] > prover.figures.counts["cases whose fault no request met"] > 0


@pytest.mark.parametrize("share", range(SHARES))
def test_no_order_of_two_controllers_breaks_a_promise(share: int, base: str) -> None:
    prover = orders.Prover(base)
    for number, pair in enumerate(orders.all_pairs()):
        if number % PAIRS == PART % PAIRS and number // PAIRS % SHARES == share:
            prover.prove(pair, ORDERS)
    _judge(prover.figures)
    assert prover.figures.counts["orders in which one gave way to the other"]


@pytest.mark.parametrize("share", range(SHARES))
def test_no_act_of_a_third_party_breaks_a_promise(share: int) -> None:
    with third_parties.Prover() as prover:
        for number in range(share, len(third_parties.groups()), SHARES):
            prover.prove_group(number, ACTS, PART)
        _judge(prover.figures)
        acts = (*third_parties.TO_ONE, *third_parties.OF_A_NAME)
        assert all(prover.figures.counts[f"cases: {act}"] for act in acts)
