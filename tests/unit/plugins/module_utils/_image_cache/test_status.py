# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.status import (
    BAD,
    GOING,
    GOOD,
    WAITING,
    is_failed_deletion,
    meaning,
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ready", GOOD),
        ("Ready", GOOD),
        ("READY", GOOD),
        ("NotReady", WAITING),
        ("not_ready", WAITING),
        ("pending", WAITING),
        ("creating", WAITING),
        ("unheard-of", WAITING),
        ("already", WAITING),
        ("", WAITING),
        (None, WAITING),
        ("failed", BAD),
        ("Failed", BAD),
        ("CREATE_ERROR", BAD),
        ("CreateFailed", BAD),
        ("createFailed", BAD),
        ("delete_failed", BAD),
        ("DeleteFailed", BAD),
        ("deleting-error", BAD),
        ("deleting", GOING),
        ("Deleted", GOING),
        ("TERMINATING", GOING),
        ("IsDeleting", GOING),
        ("undeletable", WAITING),
        ("failover", WAITING),
    ],
)
def test_the_meaning_of_a_status(status: str | None, expected: str) -> None:
    assert meaning(status) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("delete_failed", True),
        ("DeleteFailed", True),
        ("TERMINATE-ERROR", True),
        ("deletingFailed", True),
        ("failed", False),
        ("create_failed", False),
        ("deleting", False),
        (None, False),
    ],
)
def test_a_deletion_that_failed(status: str | None, expected: bool) -> None:
    assert is_failed_deletion(status) is expected
