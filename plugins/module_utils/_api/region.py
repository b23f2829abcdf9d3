# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the zones of the region and the quota of the account. Private to the collection.

Both only advise, so callers turn an EciError into a warning.
"""

from __future__ import annotations

from typing import Any

from .._errors import Unanswered
from .._text import option_name
from .client import Client
from .transport import Operation

# CTYun's page knows no query, its SDK sends one beside the header.
REGION = Operation("region", "GET", "/eci/api/v1/region?regionId=")
USAGE = Operation("listUsage", "GET", "/eci/api/v1/resources/listUsage")

IMAGE_CACHE_COUNT = "imageCacheCount"
_FIELDS = ("resourceType", "resourceName", "resourceDescription", "resourceLimit", "resourceUsed")


def region(client: Client) -> dict[str, Any]:
    """Return the ``region_id`` in the reply, None without one, and ``zones``, a list of names. Raises EciError."""
    found = client.call(REGION, identifier=client.connection.region_id).obj.get("region")
    if not isinstance(found, dict) or not isinstance(found.get("zones"), list):
        raise Unanswered("The reply has no zones of the region.", operation=REGION.name)
    region_id = found.get("regionId")
    return {
        # some regions have IDs of digits only, which a reply may write as a number
        "region_id": str(region_id) if region_id and isinstance(region_id, (str, int)) else None,
        "zones": [zone for zone in found["zones"] if isinstance(zone, str)],
    }


def zones(client: Client) -> list[str] | None:
    """Return the names of the region's zones, None if the service answers about another region. Raises EciError."""
    found = region(client)
    return found["zones"] if found["region_id"] in (None, client.connection.region_id) else None


def image_cache_quota(client: Client) -> tuple[int, int] | None:
    """Return the number of image caches and its limit, None if the reply has no such record. Raises EciError."""
    for record in usage(client):
        used, limit = record["resource_used"], record["resource_limit"]
        if record["resource_type"] == IMAGE_CACHE_COUNT and isinstance(used, int) and isinstance(limit, int):
            return used, limit
    return None


def usage(client: Client) -> list[dict[str, Any]]:
    """Return the quota records, each with the same keys, such as ``resource_limit``. Raises EciError."""
    records = client.call(USAGE).obj.get("records")
    if not isinstance(records, list):
        raise Unanswered("The reply has no list of quota records.", operation=USAGE.name)
    objects = (record for record in records if isinstance(record, dict))
    return [{option_name(field): record.get(field) for field in _FIELDS} for record in objects]
