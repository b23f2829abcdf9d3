# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path to operation."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ServiceError

_BASE = "/eci/api/v1/"

# The method for each path, whose last part is the operation.
_FIXED = {
    "imageCache/createImageCache": "POST",
    "imageCache/describeImageCaches": "POST",
    "imageCache/updateImageCache": "PUT",
    "region": "GET",
    "resources/listUsage": "GET",
    "containers/createContainerGroup": "POST",
    "containers/describeContainerGroups": "POST",
    "containers/describeContainerGroupStatus": "POST",
    "containers/describeContainerGroupEvent": "POST",
}
_WITH_IDENTIFIER = {
    "imageCache/describeImageCache": "GET",
    "imageCache/deleteImageCache": "DELETE",
    "containers/deleteContainerGroup": "DELETE",
}

OPERATIONS = frozenset(path.rpartition("/")[2] for path in [*_FIXED, *_WITH_IDENTIFIER])
WITH_BODY = frozenset(path.rpartition("/")[2] for path, method in _FIXED.items() if method != "GET")


class Route(NamedTuple):
    operation: str
    identifier: str = ""


def find(method: str, path: str) -> Route:
    rest = path.removeprefix(_BASE)
    parent, _slash, last = rest.rpartition("/")
    if rest in _FIXED:
        expected, route = _FIXED[rest], Route(last)
    elif parent in _WITH_IDENTIFIER and last:
        expected, route = _WITH_IDENTIFIER[parent], Route(parent.rpartition("/")[2], last)
    else:
        raise ServiceError("NotFound", "no such path")
    if method != expected:
        raise ServiceError("MethodNotAllowed", f"this path takes {expected}")
    return route
