# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of changes that nothing could notice fits the code as it is."""

from __future__ import annotations

import pytest

from tests.tools import equivalent
from tests.tools.equivalent import Equivalent

LISTED = equivalent.read()


def test_each_is_a_change_of_the_code_as_it_is() -> None:
    assert equivalent.outdated(LISTED) == []


def test_each_is_listed_once_and_has_a_reason() -> None:
    assert len({one[:3] for one in LISTED}) == len(LISTED)
    assert all(len(one.reason) > 20 for one in LISTED)


@pytest.mark.parametrize("field", ["line", "change"])
def test_one_that_fits_nothing_any_more_is_found(field: str) -> None:
    good = Equivalent(
        "plugins/module_utils/_image_cache/read.py",
        "caches = ImageCaches(client)",
        "without caches = ImageCaches(client)",
        "a change that there is",
    )
    bad = good._replace(**{field: "nothing like that"})
    assert equivalent.outdated([good, bad]) == [bad]
