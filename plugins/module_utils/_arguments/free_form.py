# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request body that is the caller's own, and the secrets in it. Private to the collection."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping

from .redaction import without_password

# CTYun's misspelling included. The token of a list's next page is no secret.
_SECRET_KEY = re.compile(
    "passw(?:or)?d|credential|crendential|secret|(?<!next)(?<!next[_-])token|access[_-]?key|kube[_-]?config",
    re.IGNORECASE,
)
# These of a login are no secrets, and without them a message says little.
_OPEN_KEYS = ("server", "userName", "user_name")


def redacted(value: Any, replacement: str) -> Any:
    """Replace all that stands under the key of a secret, at any depth; and what is no mapping, since it may be anything."""
    return _redacted(value, replacement) if isinstance(value, dict) else replacement


def _redacted(value: Any, replacement: str) -> Any:
    if isinstance(value, dict):
        return {
            key: replacement if _is_secret(value, key) else _redacted(item, replacement) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_redacted(item, replacement) for item in value]
    return without_password(value) if isinstance(value, str) else value


def is_json(value: Any) -> bool:
    """Return False for a value with a number that JSON does not have."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def secret_texts(value: Any, is_secret: bool = False) -> Iterator[str]:
    """Yield the secrets in a value as texts."""
    if isinstance(value, list):
        for item in value:
            yield from secret_texts(item, is_secret)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from secret_texts(item, _is_secret(value, key) or (is_secret and key not in _OPEN_KEYS))
    elif is_secret and value not in ("", None) and not isinstance(value, bool):
        yield str(value)


def _is_secret(mapping: Mapping[Any, Any], key: Any) -> bool:
    """Return whether a key names a secret. The value of a pair, such as an environment variable, is named by its key."""
    names = [key, *(mapping.get(name) for name in ("key", "name") if key == "value")]
    return any(_SECRET_KEY.search(str(name)) for name in names)
