# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service tells about a region and an account: zones and quota. Private to the collection."""

from __future__ import annotations

from typing import Any

from ._errors import OpenOutcome
from ._options.arguments import option_name
from ._service.client import Client
from ._service.transport import Operation

REGION = Operation("region", "GET", "/eci/api/v1/region")
USAGE = Operation("listUsage", "GET", "/eci/api/v1/resources/listUsage")

IMAGE_CACHE_COUNT = "imageCacheCount"


def region(client: Client) -> dict[str, Any]:
    """The region's ``region_id`` as the service names it, and its ``zones``, a list of names. Raises EciError."""
    found = client.call(REGION).get("region")
    if not isinstance(found, dict):
        found = {}
    zones = found.get("zones")
    if not isinstance(zones, list):
        raise OpenOutcome("The service named no zones of the region.", operation=REGION.name)
    return {"region_id": found.get("regionId"), "zones": [zone for zone in zones if isinstance(zone, str)]}


def usage(client: Client) -> list[dict[str, Any]]:
    """The quota records: ``resource_type``, ``resource_name``, ``resource_description``, and the counts
    ``resource_limit`` and ``resource_used``. Raises EciError.
    """
    records = client.call(USAGE).get("records")
    if not isinstance(records, list):
        raise OpenOutcome("The service gave no list of quota records.", operation=USAGE.name)
    fields = ("resourceType", "resourceName", "resourceDescription", "resourceLimit", "resourceUsed")
    return [
        {option_name(field): record.get(field) for field in fields} for record in records if isinstance(record, dict)
    ]
