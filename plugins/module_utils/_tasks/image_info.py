# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_info. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterator

from .._api.config import ca_advice
from .._arguments.redaction import redactor, secrets
from .._arguments.schema import Violation
from .._arguments.specs import Spec, body_spec, connection_spec, registry_spec
from .._errors import InvalidArguments
from .._registry.client import CONCURRENCY, Found, look_up, required_size
from .._registry.session import Settings
from .._task import Arguments, Result, Task
from .image_names import check_images

# Of the options for the service these have a meaning for registries; the others are accepted and not used.
_CONNECTION = ("validate_certs", "ca_path", "timeout", "retries", "retry_max_delay")


def _spec() -> Spec:
    body, connection = body_spec(), connection_spec()
    unused: Spec = {
        name: {key: rules[key] for key in ("type", "no_log") if key in rules}
        for name, rules in connection.items()
        if name not in _CONNECTION
    }
    return {
        "images": {**body["images"], "required": True},
        "image_registry_credentials": body["image_registry_credentials"],
        "concurrency": {"type": "int", "default": CONCURRENCY},
        **registry_spec(),
        **{name: connection[name] for name in _CONNECTION},
        **unused,
    }


def _check(values: Arguments, check_mode: bool) -> Iterator[Violation]:
    return check_images(values)


def _run(arguments: Arguments, write: Any, check_mode: bool, diff_mode: bool) -> Result:
    advice = ca_advice(arguments["ca_path"])
    if advice:
        raise InvalidArguments(f"No registry can be reached with these arguments:\n- ca_path: {advice}")
    settings = Settings(
        addresses=arguments["registry_addresses"] or {},
        verify=bool(arguments["validate_certs"]),
        platform=arguments["platform"],
        **{name: arguments[name] for name in _CONNECTION if name != "validate_certs"},
        redact=redactor(secrets(_spec(), arguments)),
    )
    credentials = arguments["image_registry_credentials"] or []
    wanted = [(image, credentials) for image in arguments["images"]]
    found = look_up(wanted, settings, arguments["concurrency"], write)
    size = required_size(found, arguments["size_factor"])
    return Result({"changed": False, "images": [_shown(one) for one in found], "image_cache_size": size})


def _shown(found: Found) -> dict[str, Any]:
    fields = ("image", "outcome", "digest", "platform_digest", "pinned", "reached", "media_type", "message")
    values = {field: getattr(found, field) for field in fields}
    return {**values, "platforms": list(found.platforms), "compressed_size": found.size}


TASK = Task(_spec, _check, _run, needs_service=False, empty={"images": [], "image_cache_size": None})
