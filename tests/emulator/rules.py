# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of request bodies: the fields of CTYun's documentation, and those that only the types of its Go SDK have. The
first violation is reported by field, never by value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .errors import ServiceError

Check = Callable[[object, str], None]


def _refuse(path: str, problem: str) -> ServiceError:
    return ServiceError("Invalid", f"{path or 'request body'}: {problem}")


def _string(value: object, path: str) -> None:
    if not isinstance(value, str):
        raise _refuse(path, "must be a String")


def _text(value: object, path: str) -> None:
    _string(value, path)
    if not value:
        raise _refuse(path, "must not be empty")


def _registry(value: object, path: str) -> None:
    _text(value, path)
    if str(value).lower().startswith(("http://", "https://")):
        raise _refuse(path, "must not begin with http:// or https://")


def _integer(low: int, high: int | None = None) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refuse(path, "must be an Integer")
        if value < low or (high is not None and value > high):
            raise _refuse(path, f"must be at least {low}" if high is None else f"must be from {low} to {high}")

    return check


def _array(check_item: Check, at_least: int = 0) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise _refuse(path, "must be an Array")
        if len(value) < at_least:
            raise _refuse(path, f"must have at least {at_least} item")
        for index, item in enumerate(value):
            check_item(item, f"{path}[{index}]")

    return check


def _object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _refuse(path, "must be an Object")
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise _refuse(prefix + name, "is required")
        for name, item in value.items():
            if name not in known:
                raise _refuse(f"{prefix}{name}", "unknown field")
            known[name](item, prefix + name)

    return check


def _boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise _refuse(path, "must be a Boolean")


_TAGS = _array(_object({}, {"key": _string, "value": _string}))

# From the SDK's types, service/eci/types/imagecache and containergroup: it repeats the region of the header in each body.
_SDK = {"regionId": _string}
_SDK_ZONE = {"azId": _integer(0)}
_SDK_EIP = {"autoCreateEip": _boolean, "eipBandwidth": _integer(0), "publicIpAddressPoolName": _string}

# CTYun's page on createImageCache.
CREATE = _object(
    {
        "imageCacheName": _text,
        "securityGroupId": _text,
        "vSwitchId": _text,
        "vpcId": _text,
        "azInfo": _object({"azName": _text}, _SDK_ZONE),
        "images": _array(_text, at_least=1),
    },
    {
        "imageCacheSize": _integer(1),
        "retentionDays": _integer(0, 3650),
        "tags": _TAGS,
        "imageRegistryCredentials": _array(_object({"server": _registry, "userName": _text, "password": _text})),
        "eip": _object({"eipInstanceId": _text}, _SDK_EIP),
        **_SDK,
    },
)

# The capture of CTYun's documentation.
LIST = _object(
    {},
    {
        "imageCacheId": _string,
        "imageCacheName": _string,
        "limit": _integer(0),
        "tags": _TAGS,
        "images": _array(_string),
        "nextToken": _string,
        **_SDK,
    },
)

UPDATE = _object({"imageCacheId": _text}, {"tags": _TAGS, **_SDK})


def _number(value: object, path: str) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _refuse(path, "must be a number")


def _unread(value: object, path: str) -> None:
    """A documented field that the emulator does nothing with."""


_CONTAINER = _object(
    {"name": _text, "image": _text},
    {
        "imagePullPolicy": _text,
        **dict.fromkeys(("cpu", "memory", "gpu"), _number),
        **dict.fromkeys(("command", "args"), _array(_string)),
        **dict.fromkeys(("workingDir", "ports", "environmentVar", "volumeMount"), _unread),
        **dict.fromkeys(("livenessProbe", "readinessProbe"), _unread),
        **dict.fromkeys(("lifecyclePostStartHandlerExec", "lifecyclePreStopHandlerExec"), _unread),
    },
)
_LOGINS = ("imageRegistryCredential", "imageRegistryCredentials")  # the page's spelling, and that of the SDK

CREATE_GROUP = _object(
    {
        "containerGroupName": _text,
        "azInfo": _array(_object({"azName": _text}, {"azId": _integer(0)}), at_least=1),
        "vpcId": _text,
        "vSwitchId": _text,
        "securityGroupId": _text,
        "restartPolicy": _text,
        "containers": _array(_CONTAINER, at_least=1),
    },
    {
        "imageCacheId": _string,
        "autoMatchImageCache": _boolean,
        "tags": _TAGS,
        **dict.fromkeys(("cpu", "memory", "gpu"), _number),
        **dict.fromkeys(_LOGINS, _array(_object({"server": _registry, "userName": _text, "password": _text}))),
        **dict.fromkeys(("initContainers", "volumes", "eip", "ephemeralVolume", "hostAliases"), _unread),
        **dict.fromkeys(("flavorName", "cpuArchitecture", "dataCacheBucket", "hostName", "iamRoleName"), _string),
        **dict.fromkeys(("dnsConfig", "securityContext"), _unread),
        **dict.fromkeys(("alsInstanceId", "epId", "regionId"), _string),
    },
)

LIST_GROUPS = _object({}, dict.fromkeys(("containerGroupIds", "containerGroupName", "status", "regionId"), _string))
