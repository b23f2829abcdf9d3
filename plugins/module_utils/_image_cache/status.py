# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a status means. Private to the collection.

CTYun lists no statuses. Known are ``pending`` (an example) and ``ready`` (a reply printed in its SDK); the other words
are those that cloud services use. A status is taken apart into words, so that ``delete_failed`` is told from
``deleting``, and ``NotReady`` from ``ready``. What is in no row is waited on.
"""

from __future__ import annotations

import functools
import re

GOOD = "good"
BAD = "bad"
GOING = "going"
WAITING = "waiting"

# The whole status, since one that is not ready may have the word in it.
_GOOD = ("ready",)
# Any of these words, the first row first.
_BAD_WORDS = frozenset({"fail", "failed", "failure", "error", "errored"})
_GOING_WORDS = frozenset({"deleting", "deleted", "terminating", "terminated", "removing", "releasing", "destroying"})
# What a deletion is called where it is not under way.
_DELETION_WORDS = _GOING_WORDS | {"delete", "deletion", "terminate", "remove", "release", "destroy"}


@functools.lru_cache(maxsize=64)
def meaning(status: str | None) -> str:
    """GOOD, BAD, GOING (its deletion is under way) or WAITING."""
    words = _words(status)
    if words == _GOOD:
        return GOOD
    if not _BAD_WORDS.isdisjoint(words):
        return BAD
    return WAITING if _GOING_WORDS.isdisjoint(words) else GOING


def is_failed_deletion(status: str | None) -> bool:
    """Whether the status says that a deletion failed."""
    return meaning(status) == BAD and not _DELETION_WORDS.isdisjoint(_words(status))


def _words(status: str | None) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", status or ""))
