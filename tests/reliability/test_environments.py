# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rough environments that take little time. ``make prove`` acts out all of them, through both doors."""

from __future__ import annotations

import pytest

from tests.reliability.environments.__main__ import ENVIRONMENTS, act
from tests.reliability.environments.stage import DOORS, Broken, Environment, NotTried, Stage, demand

QUICK = [(environment, door) for environment in ENVIRONMENTS for door in environment.quick]


@pytest.mark.parametrize(
    ("environment", "door"), QUICK, ids=[f"{environment.name[:50]}-{door}" for environment, door in QUICK]
)
def test_an_environment(environment: Environment, door: str) -> None:
    try:
        print(act(environment, door))
    except NotTried as reason:
        pytest.skip(str(reason))


def test_each_has_a_name_of_its_own_and_doors_that_there_are() -> None:
    names = [environment.name for environment in ENVIRONMENTS]
    assert len(set(names)) == len(names)
    assert {door for _environment, door in QUICK} <= set(DOORS)


def test_a_promise_that_is_not_kept_is_told_with_what_was_printed() -> None:
    def run(stage: Stage) -> str:
        done = stage.play([{"ansible.builtin.fail": {"msg": "goodbye"}}])
        demand(done.result["msg"] == "hello", "it said otherwise", done)
        return "nothing"

    with pytest.raises(Broken, match=r"it said otherwise\n(.*\n)*.*goodbye"):
        act(Environment("none", "none", run), DOORS[0])
