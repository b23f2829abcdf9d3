# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service tells about a region and an account: zones and quota. Private to the collection."""

from __future__ import annotations

import contextlib
from typing import Any

from .._errors import ServiceError, Unanswered
from .._names import option_name
from .client import Client
from .transport import Operation

REGION = Operation("region", "GET", "/eci/api/v1/region")
REGION_IN_QUERY = Operation("region", "GET", "/eci/api/v1/region?regionId=")
USAGE = Operation("listUsage", "GET", "/eci/api/v1/resources/listUsage")

IMAGE_CACHE_COUNT = "imageCacheCount"


def region(client: Client) -> dict[str, Any]:
    """The ``region_id`` that the service names, None if it names none, and its ``zones``, a list of names. Raises EciError."""
    found = _region(client, REGION)
    if not _is_asked_for(client, found["region_id"]):
        # CTYun's SDK puts the region into the query as well, and the page's example answers another than it asks for
        with contextlib.suppress(ServiceError, Unanswered):  # then the first answer is the best there is
            found = _region(client, REGION_IN_QUERY, client.connection.region_id)
    return found


def zones(client: Client) -> list[str] | None:
    """The names of the region's zones, None if the service tells those of another region. Raises EciError."""
    found = region(client)
    return found["zones"] if _is_asked_for(client, found["region_id"]) else None


def image_cache_quota(client: Client) -> tuple[int, int] | None:
    """How many image caches there are and may be, None if the service does not tell. Raises EciError."""
    for record in usage(client):
        used, limit = record["resource_used"], record["resource_limit"]
        if record["resource_type"] == IMAGE_CACHE_COUNT and isinstance(used, int) and isinstance(limit, int):
            return used, limit
    return None


def _region(client: Client, operation: Operation, identifier: str = "") -> dict[str, Any]:
    found = client.call(operation, identifier=identifier).obj.get("region")
    if not isinstance(found, dict) or not isinstance(found.get("zones"), list):
        raise Unanswered("The service named no zones of the region.", operation=operation.name)
    region_id = found.get("regionId")
    return {
        # some regions have IDs of digits only, which a reply may write as a number
        "region_id": str(region_id) if region_id and isinstance(region_id, (str, int)) else None,
        "zones": [zone for zone in found["zones"] if isinstance(zone, str)],
    }


def _is_asked_for(client: Client, region_id: str | None) -> bool:
    return region_id in (None, client.connection.region_id)


def usage(client: Client) -> list[dict[str, Any]]:
    """The quota records: ``resource_type``, ``resource_name``, ``resource_description``, and the counts
    ``resource_limit`` and ``resource_used``. Raises EciError.
    """
    records = client.call(USAGE).obj.get("records")
    if not isinstance(records, list):
        raise Unanswered("The service gave no list of quota records.", operation=USAGE.name)
    fields = ("resourceType", "resourceName", "resourceDescription", "resourceLimit", "resourceUsed")
    return [
        {option_name(field): record.get(field) for field in fields} for record in records if isinstance(record, dict)
    ]
