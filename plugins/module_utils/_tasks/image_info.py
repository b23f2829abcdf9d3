# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module image_info. Private to the collection."""

from __future__ import annotations

import re
from typing import Any, Iterator

from .._errors import InvalidArguments
from .._arguments.validation import Checked, check, check_body
from .._arguments.redaction import hider, secrets
from .._arguments.schema import Violation
from .._arguments.specs import Spec, body_spec, connection_spec, merged, registry_spec
from .._registry.client import PLATFORM
from .._registry.found import Found, enough
from .._registry.look import CONCURRENCY, look
from .._registry.reference import parse
from .._api.config import ca_advice
from .._task import Arguments, Result, Task
from ._registries import check_registries, settings

# Of the options for the service these have a meaning for registries; the others are taken and not used.
_CONNECTION = ("validate_certs", "ca_path", "timeout")
_PLATFORM = re.compile("[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


def _spec() -> Spec:
    body, connection = body_spec(), connection_spec()
    unused: Spec = {
        name: {key: rules[key] for key in ("type", "no_log") if key in rules}
        for name, rules in connection.items()
        if name not in _CONNECTION
    }
    return merged(
        {
            "images": {**body["images"], "required": True},
            "image_registry_credentials": body["image_registry_credentials"],
            "platform": {"type": "str", "default": PLATFORM},
            "concurrency": {"type": "int", "default": CONCURRENCY},
        },
        registry_spec(),
        {name: connection[name] for name in _CONNECTION},
        unused,
    )


def _check(given: Arguments, check_mode: bool) -> list[Violation]:
    spec = _spec()
    checked = check(spec, given)
    violations = checked.violations + check_body(spec, given, (), checked.values, complete=False)
    if checked.values.get("images") is None:
        violations.append(Violation(("images",), "is required, a list of names of images"))
    return [*violations, *check_registries(checked), *_check_names(checked)]


def _check_names(checked: Checked) -> Iterator[Violation]:
    for index, image in enumerate(checked.entries("images")):
        try:
            parse(str(image))
        except ValueError as error:
            yield Violation(("images", index), str(error))
    platform = checked.values.get("platform")
    if isinstance(platform, str) and not _PLATFORM.fullmatch(platform):
        yield Violation(("platform",), f"must be a system and an architecture, for example {PLATFORM}")


def _run(arguments: Arguments, client: None, check_mode: bool, diff_mode: bool) -> Result:
    advice = ca_advice(arguments["ca_path"])
    if advice:
        raise InvalidArguments(f"No registry can be reached with these arguments:\n- ca_path: {advice}")
    found = look(
        arguments["images"],
        arguments["image_registry_credentials"] or [],
        settings(arguments, hider(secrets(_spec(), arguments)), platform=arguments["platform"]),
        arguments["concurrency"],
    )
    size = enough(found, arguments["size_factor"])
    return Result({"changed": False, "images": [_shown(one) for one in found], "image_cache_size": size})


def _shown(found: Found) -> dict[str, Any]:
    return {
        "image": found.image,
        "outcome": found.outcome,
        "digest": found.digest,
        "media_type": found.media_type,
        "platforms": list(found.platforms),
        "compressed_size": found.size,
        "message": found.message,
    }


TASK = Task(_spec, _check, _run, of_the_service=False)
