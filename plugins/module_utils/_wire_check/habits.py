# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be known of the service: the questions, what is documented, and every answer that a report may hold. Pure;
private to the collection.

A report consists of these answers and of nothing else, so no ID, name, key or address can get into it.
"""

from __future__ import annotations

import re
from typing import Any, Collection, NamedTuple

from .._image_cache.looks import LOOK_PAUSES

# What is none of the answers, whatever it is.
OTHER = "other"

# Pauses in seconds before each look for a change; the answers to "how long" are the sums.
PAUSES = (*LOOK_PAUSES, 8.0, 16.0, 30.0, 60.0, 120.0)
LARGEST_PAGE = 1000

# The words of CTYun's examples and of its siblings of image caches, and those that other clouds use.
_STATUSES = (
    "pending",
    "preparing",
    "creating",
    "init",
    "initializing",
    "waiting",
    "running",
    "updating",
    "pulling",
    "ready",
    "not ready",
    "available",
    "active",
    "success",
    "succeeded",
    "completed",
    "fail",
    "failed",
    "failure",
    "error",
    "create failed",
    "update failed",
    "expired",
    "deleting",
    "deleted",
    "terminating",
    "releasing",
    "delete failed",
    "delete error",
    "deletion failed",
    "unknown",
)
# The reasons of CTYun's Go SDK.
REASONS = (
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "OutOfRange",
    "PaymentRequired",
    "QuotaExceed",
    "RequestEntityTooLarge",
    "RequestTimeout",
    "ServerTimeout",
    "ServiceUnavailable",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "Unknown",
    "UnsupportedMediaType",
)


def _spellings(words: str) -> set[str]:
    """``delete failed`` in every way to write it as one."""
    parts = words.split()
    capitals = [part.capitalize() for part in parts]
    return {
        sign.join(form)
        for sign in ("", "_", "-", " ")
        for form in (parts, capitals, [part.upper() for part in parts], [parts[0], *capitals[1:]])
    }


STATUSES = frozenset(spelling for words in _STATUSES for spelling in _spellings(words))


def _sums() -> tuple[int, ...]:
    sums, total = [], 0.0
    for pause in PAUSES:
        total += pause
        sums.append(int(total))
    return tuple(sums)


SECONDS = _sums()
TRUE_OR_FALSE = (True, False)


class Habit(NamedTuple):
    """One question. ``answers`` are all there are, beside "other" and null for what was not seen."""

    question: str
    documented: str
    answers: Collection[Any]

    def fit(self, value: Any) -> Any:
        """The value if it is an answer, else "other"."""
        if value is None:
            return None
        # True is 1 for Python
        return next((answer for answer in self.answers if answer == value and type(answer) is type(value)), OTHER)


_NOTHING = "nothing"

HABITS: dict[str, Habit] = {
    "status_code_style": Habit(
        "What is the statusCode of success: the number 200, the text 200, or 800?",
        "200, a number; CTYun's SDK takes the text and 800 as well",
        ("int", "str", "800"),
    ),
    "http_errors": Habit("Does a failure have an HTTP status of its own, not 200?", _NOTHING, TRUE_OR_FALSE),
    "missing_reason": Habit(
        "With which reason does describeImageCache refuse an ID that there is not?",
        "nothing; NotFound and Gone are among the reasons of CTYun's SDK",
        ("none", *REASONS),
    ),
    "null_fields": Habit(
        "Are fields that are not set null in a reply, and not left out?",
        "nothing; CTYun's SDK leaves them out",
        TRUE_OR_FALSE,
    ),
    "region_told": Habit(
        "Which region does the operation region answer: the one asked for, that only if the query names it, or another?",
        "the one in the header regionId; the example answers another",
        ("asked", "query"),
    ),
    "list_needs_images": Habit(
        "Is images required in describeImageCaches?",
        "yes; a real call without it was answered",
        TRUE_OR_FALSE,
    ),
    "list_total": Habit("Does a list tell how many image caches there are (total)?", "yes", TRUE_OR_FALSE),
    "list_order": Habit("Which image caches come first in a list?", _NOTHING, ("oldest", "newest")),
    "limit_heeded": Habit("Does a list return no more than its limit?", "yes", TRUE_OR_FALSE),
    "max_page": Habit(
        "How many image caches are on a page, where a list without a limit has several?",
        f"{LARGEST_PAGE} by default",
        range(1, LARGEST_PAGE + 1),
    ),
    "token_form": Habit(
        "Is nextToken three numbers with dots between (time, page, size)?",
        "a text; the examples are three numbers",
        ("numbers", "opaque"),
    ),
    "time_form": Habit(
        "Which form has creationTime: with an offset, UTC with a Z, or without either?",
        "with an offset and with a Z in examples",
        ("offset", "utc", "bare"),
    ),
    "unique_names": Habit("Is a name unique?", _NOTHING, TRUE_OR_FALSE),
    "name_match": Habit(
        "How does imageCacheName find: the exact name, its beginning, a part of it, or is it not heeded?",
        _NOTHING,
        ("exact", "prefix", "fuzzy", "off"),
    ),
    "name_case": Habit("Does imageCacheName heed capitals?", _NOTHING, TRUE_OR_FALSE),
    "images_filter": Habit(
        "Do several images find what has all or any of them, or are they not heeded?", _NOTHING, ("all", "any", "off")
    ),
    "filters_match": Habit(
        "Do several filters find what matches all or any of them?",
        "nothing; all for a sibling, virtual nodes",
        ("all", "any"),
    ),
    "tags_shown": Habit("Do replies show tags?", "no; CTYun's SDK has them in its types", TRUE_OR_FALSE),
    "tags_filter": Habit(
        "Do several tags find what has all or any of them, or all keys whatever the values, or are they not heeded?",
        _NOTHING,
        ("all", "any", "key", "off"),
    ),
    "tags_update": Habit(
        "Does updateImageCache replace all tags, or merge the new ones into them?",
        "nothing; a sibling, container groups, replaces them",
        ("replace", "merge"),
    ),
    "pending_status": Habit("What is the status until it is ready?", "pending in an example", STATUSES),
    "ready_status": Habit("What is the status when it is ready?", "ready in a real reply", STATUSES),
    "failed_status": Habit("What is the status when it has failed?", _NOTHING, STATUSES),
    "deleting_status": Habit("What is the status while it is being deleted?", _NOTHING, STATUSES),
    "delete_failed_status": Habit("What is the status when it could not be deleted?", _NOTHING, STATUSES),
    "zone_told": Habit(
        "Is the zone told in the words of the create; or in others, which the region lists or does not?",
        "nothing; az1 and cn-huadong1-jsnj1A-public-ctcloud in examples",
        ("same", "listed", "unlisted", "none"),
    ),
    "image_told": Habit(
        "Are the images told in the words of the create; or with a registry in front?",
        _NOTHING,
        ("same", "same_full_name", "prefixed", "none"),
    ),
    "size_told": Habit("Is the size told as it was ordered?", _NOTHING, ("same", "larger", "smaller", "none")),
    "create_echo": Habit(
        "Does the answer to a create have name, size and images?", "no; a real reply had them", TRUE_OR_FALSE
    ),
    "list_lag": Habit("After how many seconds does a list show a new image cache?", _NOTHING, SECONDS),
    "delete_after": Habit(
        "For how many seconds does a list still show an image cache after it was deleted?", _NOTHING, SECONDS
    ),
    "delete_again": Habit(
        "What does deleting one give that is being deleted: is it ok, or a conflict?", _NOTHING, ("ok", "conflict")
    ),
}

_REASON = re.compile(r"(?:ECI\.Openapi\.)?StatusReason([A-Za-z]+)")


def reason(code: str) -> str:
    """The reason in an error code of ECI, as CTYun's SDK names them; an empty text if it has none."""
    found = _REASON.fullmatch(code)
    return found[1] if found else ""
