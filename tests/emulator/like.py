# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a report of the playbook wire_check to settings: the emulator then has the habits that were seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .settings import Settings

_FORMAT = 1
_REGISTRY = "registry.emulator.example/library/"
# No size that somebody orders is a multiple of it.
_STEP = 997


class Like(NamedTuple):
    """The settings, and the habits that none of them can express."""

    settings: dict[str, Any]
    left: list[str]


def read(path: Path) -> Like:
    """Raises ValueError for a file that is no report."""
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
        raise ValueError(f"{path} is no report of the playbook ctyun.eci.wire_check")
    return like(report["habits"])


def like(habits: dict[str, Any]) -> Like:
    """What was not seen stays as it is by default."""
    settings: dict[str, Any] = {}
    left = []
    for name, value in habits.items():
        if value is None:
            continue
        found = _setting(name, value)
        if found is None:
            left.append(f"{name} ({value})")
        else:
            settings.update(found)
    return Like(settings, left)


def _setting(name: str, value: Any) -> dict[str, Any] | None:
    if name in _TOLD:
        return _TOLD[name](value)
    if value == "other" and name != "region_told":  # there it is a region, elsewhere what the report has no word for
        return None
    try:
        Settings().update({name: value})
    except ValueError:
        return None
    return {name: value}


def _zone_told(value: Any) -> dict[str, Any] | None:
    zones = Settings().zones
    told = [f"{zone}-as-told" for zone in zones]
    aliases = {"zone_aliases": [f"{zone}={other}" for zone, other in zip(zones, told, strict=True)]}
    return {"same": {}, "unlisted": aliases, "listed": {**aliases, "zones": zones + told}}.get(value)


def _image_told(value: Any) -> dict[str, Any] | None:
    return {"same": {}, "same_full_name": {}, "prefixed": {"image_prefix": _REGISTRY}}.get(value)


def _size_told(value: Any) -> dict[str, Any] | None:
    return {"same": {}, "larger": {"size_step": _STEP}}.get(value)


_TOLD: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "zone_told": _zone_told,
    "image_told": _image_told,
    "size_told": _size_told,
}
