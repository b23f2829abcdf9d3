# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the arguments of a task to how registries are looked at. Private to the collection."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .._options.check import Checked
from .._options.schema import Violation
from .._registry.client import PLATFORM, Settings
from .._registry.reference import is_server
from .._service.telling import Hide


def check_registries(checked: Checked) -> Iterator[Violation]:
    """What is wrong with the options of ``registry_spec``."""
    addresses = checked.values.get("registry_addresses")
    for name, address in addresses.items() if isinstance(addresses, dict) else ():
        if not all(isinstance(one, str) and is_server(one.lower()) for one in (name, address)):
            advice = "must be a host and, if need be, its port on both sides, without http:// or https:// and paths"
            yield Violation(("registry_addresses", str(name)), advice)


def settings(arguments: Mapping[str, Any], hide: Hide, platform: str = PLATFORM) -> Settings:
    """How registries are looked at, by checked arguments."""
    return Settings(
        addresses=arguments["registry_addresses"] or {},
        verify=bool(arguments["validate_certs"]) and (arguments["ca_path"] or True),
        timeout=arguments["timeout"],
        platform=platform,
        hide=hide,
    )
