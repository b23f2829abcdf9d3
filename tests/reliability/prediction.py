# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promise (i): what check mode says is what a run without faults then does."""

from __future__ import annotations

from typing import Any

from tests.reliability.controllers import Entry, Told
from tests.reliability.promises import Run


def predicted(check_run: Run, run: Run) -> None:
    """(i) A run without faults did what check mode had said."""
    before, after = check_run.told, run.told
    run.demand("i", len(before.entries) == len(after.entries), f"predicted was {before}")
    for one, other in zip(before.entries, after.entries, strict=True):
        run.demand("i", _foretold(run, one) == _foretold(run, other, one), f"predicted was {before}")
    if _hurries(before):
        return
    pruned = [sorted((one.image_cache_id or "", one.changed) for one in told.pruned) for told in (before, after)]
    run.demand("i", pruned[0] == pruned[1], f"predicted was {before}")


def _foretold(run: Run, entry: Entry, known: Entry | None = None) -> list[Any]:
    """What can be compared of a prediction; ``known`` is the prediction, what is not in it is not compared."""
    fields = ["image_cache_name", "tags", "images", "image_cache_size", "az_name"]
    if run.settings.image_prefix or run.settings.size_step or run.settings.zone_aliases:
        fields = fields[:2]  # the service writes the others its own way
    if not run.settings.tags_shown:
        fields.remove("tags")
    shown, other = entry.image_cache or {}, (known or entry).image_cache or {}
    values = {field: shown.get(field) or None for field in fields if other.get(field) is not None}  # no tags are none
    identifier = None if (known or entry).image_cache_id is None else entry.image_cache_id
    # whether what is made, or is there already, comes to a good end is not foretold
    failed = entry.failed and not (run.ask.wait and "has failed, its status" in entry.msg)
    return [entry.name, entry.changed, failed, entry.drift, entry.duplicates, identifier, values]


def _hurries(foretold: Told) -> bool:
    """Whether nothing is to be pruned since something will not be ready; it may be all the same by then."""
    return any("is not ready yet" in warning for warning in foretold.warnings)
