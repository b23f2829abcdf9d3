# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen -> the habits it shows. Pure; private to the collection.

Each function answers one question of ``habits``, with None if what was seen does not tell.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Iterable, Mapping

from .._image_cache import status as statuses
from .._image_cache.image_cache import ImageCache, from_wire
from .habits import HABITS, OTHER, reason
from .seen import Own, Seen

_STYLES: dict[tuple[type, str], str] = {
    (int, "200"): "int",
    (str, "200"): "str",
    (int, "800"): "800",
    (str, "800"): "800",
}
_DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"
_TIMES = {
    "offset": re.compile(_DATE + r"[+-]\d\d:\d\d"),
    "utc": re.compile(_DATE + "Z"),
    "bare": re.compile(_DATE),
}
_NUMBERS = re.compile(r"\d+\.\d+\.\d+")
_ECHOED = ("imageCacheName", "imageCacheSize", "images")
# What the lists found that were asked with a tag that the image cache has, one that it has with another value, two of
# which it has one, and one that nothing has.
_TAG_PATTERNS = {
    (True, False, False, False): "all",
    (True, False, True, False): "any",
    (True, True, False, False): "key",
    (True, True, True, True): "off",
}
_NAME_PATTERNS = {
    (True, False, False, False): "exact",
    (True, True, False, False): "prefix",
    (True, True, True, False): "fuzzy",
    (True, True, True, True): "off",
}
_IMAGE_PATTERNS = {(True, False, False): "all", (True, True, False): "any", (True, True, True): "off"}


def judge(seen: Seen) -> dict[str, Any]:
    """The answer to each question: one of those in ``HABITS``, "other", or None for what was not seen."""
    return {name: habit.fit(_ANSWERS[name](seen)) for name, habit in HABITS.items()}


def _status_code_style(seen: Seen) -> Any:
    found = (envelope.get("statusCode") for envelope in seen.envelopes)
    return _same(_STYLES.get((type(code), str(code)), OTHER) for code in found)


def _http_errors(seen: Seen) -> Any:
    return seen.missing.http_status >= 400 if seen.missing and seen.missing.code else None


def _missing_reason(seen: Seen) -> Any:
    if seen.missing is None:
        return None
    return reason(seen.missing.code) or OTHER if seen.missing.code else "none"


def _null_fields(seen: Seen) -> Any:
    nulls = any(value is None for thing in (*seen.envelopes, *seen.items) for value in thing.values())
    return nulls if nulls or seen.items else None


def _list_total(seen: Seen) -> Any:
    if not seen.totals:
        return None
    told = {total for total in seen.totals if isinstance(total, int)}
    if not told and all(total is None for total in seen.totals):
        return False
    return True if told == {len(seen.items)} else OTHER


def _list_order(seen: Seen) -> Any:
    times = [cache.created_at for cache in _caches(seen)]
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(set(known)) < 2:
        return None
    if known == sorted(known):
        return "oldest"
    return "newest" if known == sorted(known, reverse=True) else OTHER


def _limit_heeded(seen: Seen) -> Any:
    if seen.limited is None or len(seen.items) < 2 or seen.pages[:1] == [1]:
        return None
    return seen.limited == 1


def _max_page(seen: Seen) -> Any:
    return seen.pages[0] if len(seen.pages) > 1 else None


def _token_form(seen: Seen) -> Any:
    return _same(_form_of_token(token) for token in seen.tokens)


def _form_of_token(token: Any) -> str:
    if not isinstance(token, str):
        return OTHER
    return "numbers" if _NUMBERS.fullmatch(token) else "opaque"


def _time_form(seen: Seen) -> Any:
    return _same(_form_of_time(item["creationTime"]) for item in seen.items if item.get("creationTime"))


def _form_of_time(time: Any) -> str:
    text = time if isinstance(time, str) else ""
    return next((form for form, pattern in _TIMES.items() if pattern.fullmatch(text)), OTHER)


def _unique_names(seen: Seen) -> Any:
    names = [cache.image_cache_name for cache in _caches(seen) if cache.image_cache_name and not cache.is_going]
    if len(set(names)) < len(names):
        return False
    return seen.own.twin_refused if seen.own else None


def _name_match(seen: Seen) -> Any:
    return _pattern(_NAME_PATTERNS, seen.names, ("whole", "beginning", "end", "nobody's"))


def _name_case(seen: Seen) -> Any:
    swapped = seen.names.get("capitals")
    if swapped is None or _name_match(seen) not in ("exact", "prefix", "fuzzy"):
        return None
    return not swapped


def _images_filter(seen: Seen) -> Any:
    return _pattern(_IMAGE_PATTERNS, seen.images, ("own", "one of two", "nobody's"))


def _filters_match(seen: Seen) -> Any:
    """Each was asked with the ID and something else that nothing matches: a filter that is heeded then decides."""
    heeded = {"name": _name_match(seen), "images": _images_filter(seen), "tags": _tags_filter(seen)}
    for name, habit in heeded.items():
        found = seen.filters.get(name)
        if habit not in (None, "off", OTHER) and found is not None:
            return "any" if found else "all"
    return None


def _tags_shown(seen: Seen) -> Any:
    if any(cache.tags for cache in _caches(seen)):
        return True
    return False if seen.own and seen.own.told and seen.own.body.get("tags") else None


def _tags_filter(seen: Seen) -> Any:
    return _pattern(_TAG_PATTERNS, seen.tags, ("own", "other value", "one of two", "nobody's"))


def _tags_update(seen: Seen) -> Any:
    """By the tags that are shown, else by those that the filter of the list finds, if that is one to rely on."""
    retagged = seen.own.retagged if seen.own else {}
    if retagged.get("shown") is not None:
        old, new = retagged["shown"]
    elif _tags_filter(seen) in ("all", "any", "key"):
        old, new = retagged.get("old"), retagged.get("new")
    else:
        return None
    if old is None or new is None:
        return None
    return ("merge" if old else "replace") if new else OTHER


def _region_told(seen: Seen) -> Any:
    return seen.region


def _status(seen: Seen, is_meant: Callable[[str], bool]) -> Any:
    """The word of the own image cache, else that of others if they agree."""
    own = [word for word in (seen.own.statuses if seen.own else []) if is_meant(word)]
    if own:
        return own[0]
    words = {cache.status for cache in _caches(seen) if cache.status and is_meant(cache.status)}
    return words.pop() if len(words) == 1 else None


def _means(meaning: str) -> Callable[[Seen], Any]:
    def is_meant(word: str) -> bool:
        return statuses.meaning(word) == meaning and not statuses.is_failed_deletion(word)

    return lambda seen: _status(seen, is_meant)


def _zone_told(seen: Seen) -> Any:
    sent, told = _sent_and_told(seen.own, lambda body: body["azInfo"]["azName"], "azName")
    if sent in (None, told):
        return sent and "same"
    if not isinstance(told, str):
        return "none"
    return "listed" if told in seen.zones else "unlisted"


def _image_told(seen: Seen) -> Any:
    sent, told = _sent_and_told(seen.own, lambda body: body["images"], "images")
    if sent is None:
        return None
    if not isinstance(told, list) or not told:
        return "none"
    bare = [image for image in sent if not _names_registry(image)]
    if sorted(map(str, told)) == sorted(sent):
        return "same" if bare else "same_full_name"
    prefixed = all(
        any(str(one) == image or (image in bare and str(one).endswith("/" + image)) for one in told) for image in sent
    )
    return "prefixed" if prefixed and len(told) == len(sent) else OTHER


def _size_told(seen: Seen) -> Any:
    sent, told = _sent_and_told(seen.own, lambda body: body["imageCacheSize"], "imageCacheSize")
    if sent is None:
        return None
    if not isinstance(told, int) or isinstance(told, bool):
        return "none"
    return "same" if told == sent else "larger" if told > sent else "smaller"


def _create_echo(seen: Seen) -> Any:
    if not (seen.own and seen.own.answer):
        return None
    echoed = [field for field in _ECHOED if field in seen.own.answer]
    return OTHER if 0 < len(echoed) < len(_ECHOED) else bool(echoed)


def _sent_and_told(own: Own | None, sent: Callable[[Mapping[str, Any]], Any], field: str) -> tuple[Any, Any]:
    return (sent(own.body), own.told.get(field)) if own and own.told else (None, None)


def _names_registry(image: str) -> bool:
    host, slash, _rest = image.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


def _pattern(patterns: Mapping[Any, str], found: Mapping[str, bool | None], keys: Iterable[str]) -> str | None:
    answers = tuple(found.get(key) for key in keys)
    return None if None in answers else patterns.get(answers, OTHER)


def _same(answers: Iterable[str]) -> str | None:
    """The one answer that all of them are."""
    different = set(answers)
    if len(different) > 1:
        return OTHER
    return different.pop() if different else None


def _caches(seen: Seen) -> list[ImageCache]:
    return [cache for cache in map(from_wire, seen.items) if cache]


_ANSWERS: dict[str, Callable[[Seen], Any]] = {
    "status_code_style": _status_code_style,
    "http_errors": _http_errors,
    "missing_reason": _missing_reason,
    "null_fields": _null_fields,
    "region_told": _region_told,
    "list_needs_images": lambda seen: seen.needs_images,
    "list_total": _list_total,
    "list_order": _list_order,
    "limit_heeded": _limit_heeded,
    "max_page": _max_page,
    "token_form": _token_form,
    "time_form": _time_form,
    "unique_names": _unique_names,
    "name_match": _name_match,
    "name_case": _name_case,
    "images_filter": _images_filter,
    "filters_match": _filters_match,
    "tags_shown": _tags_shown,
    "tags_filter": _tags_filter,
    "tags_update": _tags_update,
    "pending_status": _means(statuses.WAITING),
    "ready_status": _means(statuses.GOOD),
    "failed_status": _means(statuses.BAD),
    "deleting_status": _means(statuses.GOING),
    "delete_failed_status": lambda seen: _status(seen, statuses.is_failed_deletion),
    "zone_told": _zone_told,
    "image_told": _image_told,
    "size_told": _size_told,
    "create_echo": _create_echo,
    "list_lag": lambda seen: seen.own.listed_after if seen.own else None,
    "delete_after": lambda seen: seen.own.gone_after if seen.own else None,
    "delete_again": lambda seen: seen.own.deleted_again if seen.own else None,
}
