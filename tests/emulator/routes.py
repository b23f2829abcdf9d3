# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From method and path to operation."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ServiceError

_BASE = "/eci/api/v1/"

_FIXED = {
    "imageCache/createImageCache": ("POST", "createImageCache"),
    "imageCache/describeImageCaches": ("POST", "describeImageCaches"),
    "imageCache/updateImageCache": ("PUT", "updateImageCache"),
    "region": ("GET", "region"),
    "resources/listUsage": ("GET", "listUsage"),
}
_WITH_IDENTIFIER = {
    "imageCache/describeImageCache": ("GET", "describeImageCache"),
    "imageCache/deleteImageCache": ("DELETE", "deleteImageCache"),
}

OPERATIONS = frozenset(operation for _method, operation in [*_FIXED.values(), *_WITH_IDENTIFIER.values()])
WITH_BODY = frozenset({"createImageCache", "describeImageCaches", "updateImageCache"})


class Route(NamedTuple):
    operation: str
    identifier: str = ""


def find(method: str, path: str) -> Route:
    rest = path[len(_BASE) :] if path.startswith(_BASE) else ""
    parent, _slash, identifier = rest.rpartition("/")
    if rest in _FIXED:
        expected, operation = _FIXED[rest]
        identifier = ""
    elif parent in _WITH_IDENTIFIER and identifier:
        expected, operation = _WITH_IDENTIFIER[parent]
    else:
        raise ServiceError("NotFound", "no such path")
    if method != expected:
        raise ServiceError("MethodNotAllowed", f"this path takes {expected}")
    return Route(operation, identifier)
