# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a report of tools/wire_check into settings, so that the emulator has the observed habits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from .settings import Settings

_FORMAT = 1
_REGISTRY = "registry.emulator.example/library/"
# No size that somebody orders is a multiple of it.
_STEP = 997
_ZONES = Settings().zones
_ALIASES = {"zone_aliases": [f"{zone}={zone}-alias" for zone in _ZONES]}
# The habits that are not settings themselves, with the settings that each answer stands for.
_OTHER_NAMES: dict[str, dict[Any, dict[str, Any]]] = {
    "delete_known": {True: {}},
    "zone_returned": {
        "same": {},
        "unlisted": _ALIASES,
        "listed": {**_ALIASES, "zones": [*_ZONES, *(f"{zone}-alias" for zone in _ZONES)]},
    },
    "images_returned": {"same": {}, "prefixed": {"image_prefix": _REGISTRY}},
    "size_returned": {"same": {}, "larger": {"size_step": _STEP}},
}


class Like(NamedTuple):
    """The settings, and the habits that none of them can express."""

    settings: dict[str, Any]
    left: list[str]


def read(path: Path) -> Like:
    """Read a report. Raises ValueError for a file that is none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not JSON") from None
    if (
        not isinstance(report, dict)
        or report.get("wire_report") != _FORMAT
        or not isinstance(report.get("habits"), dict)
    ):
        raise ValueError(f"{path} is no report of tools/wire_check")
    return like(report["habits"])


def like(habits: dict[str, Any]) -> Like:
    """Return the settings for these habits. One that was not observed keeps its default."""
    settings: dict[str, Any] = {}
    left = []
    for name, value in habits.items():
        found = {} if value is None else _settings(name, value)
        if found is None:
            left.append(f"{name} ({value})")
        else:
            settings.update(found)
    return Like(settings, left)


def _settings(name: str, value: Any) -> dict[str, Any] | None:
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name].get(value)
    if value == "other" and name != "region_returned":  # there it is a region, elsewhere an answer that is not expected
        return None
    try:
        Settings().update({name: value})
    except ValueError:
        return None
    return {name: value}
