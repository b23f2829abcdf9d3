# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the arguments of a task to the look before it orders anything. Private to the collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from .._options.specs import OFF
from .._service.client import Client

if TYPE_CHECKING:
    from .._image_cache.preflight import Preflight


def preflight(arguments: Mapping[str, Any], client: Client) -> Preflight | None:
    """The look that a task asks for, None if it asks for none."""
    if arguments["preflight"] == OFF:
        return None
    # what most tasks have no need of is not loaded for them
    from .._image_cache.preflight import FAIL, Preflight
    from .._registry.client import Settings
    from .._registry.look import look

    # whoever does not check the certificate of an endpoint has not said that passwords may go to anybody
    verify = client.connection.verify or True
    addresses = arguments["registry_addresses"] or {}
    settings = Settings(addresses, verify, client.connection.timeout, hide=client.hide)
    return Preflight(
        arguments["preflight"] == FAIL,
        arguments["size_factor"],
        lambda images, credentials: look(images, credentials, settings),
    )
