# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How large an image cache has to be."""

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._registry.found import OUTCOMES, Found, enough

GB = 10**9


def found(*layers: tuple[str, int]) -> Found:
    return Found("x", "found", layers=layers)


def test_the_size_of_an_image_is_that_of_its_different_layers() -> None:
    assert found(("a", 5), ("b", 7), ("a", 5)).size == 12
    assert Found("x", "not_found").size is None


@pytest.mark.parametrize(
    ("images", "factor", "expected"),
    [
        ([found(("a", 1))], 3, 20),
        ([found(("a", 20 * GB))], 1, 20),
        ([found(("a", 20 * GB + 1))], 1, 21),
        ([found(("a", 10 * GB))], 3, 30),
        ([found(("a", 10 * GB)), found(("b", 1))], 3, 31),
        ([found(("a", 10 * GB), ("b", GB)), found(("a", 10 * GB), ("c", GB))], 3, 36),
        ([found(("a", 20 * GB))], 1.1, 22),
        ([found(("a", 100 * GB))], 1.15, 115),
        ([], 3, 20),
    ],
)
def test_shared_layers_count_once_and_the_least_is_twenty(images: list[Found], factor: float, expected: int) -> None:
    assert enough(images, factor) == expected


def test_what_is_not_known_of_one_is_not_known_of_all() -> None:
    for outcome in set(OUTCOMES) - {"found"}:
        assert enough([found(("a", 1)), Found("y", outcome)], 3) is None
