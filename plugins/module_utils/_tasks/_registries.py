# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the arguments of a task to what is asked of registries. Private to the collection.

Most tasks ask nothing of them, so what does is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

from .._arguments.validation import Checked
from .._arguments.schema import Violation
from .._arguments.specs import OFF
from .._api.client import Client
from .._api.telling import Hide

if TYPE_CHECKING:
    from .._image_cache.preflight import Preflight
    from .._registry.client import Settings
    from .._registry.found import Found


def check_registries(checked: Checked) -> Iterator[Violation]:
    """What is wrong with the options of ``registry_spec``."""
    addresses = checked.values.get("registry_addresses")
    if not addresses or not isinstance(addresses, dict):
        return
    from .._registry.reference import is_server

    for name, address in addresses.items():
        if not all(isinstance(one, str) and is_server(one.lower()) for one in (name, address)):
            advice = "must be a host and, if need be, its port on both sides, without http:// or https:// and paths"
            yield Violation(("registry_addresses", str(name)), advice)


def settings(arguments: Mapping[str, Any], hide: Hide, **more: Any) -> Settings:
    """How registries are looked at, by checked arguments; ``more`` are other fields of the settings."""
    from .._registry.client import Settings

    return Settings(
        addresses=arguments["registry_addresses"] or {},
        verify=bool(arguments["validate_certs"]) and (arguments["ca_path"] or True),
        timeout=arguments["timeout"],
        hide=hide,
        **more,
    )


class Registries:
    """Looks at images as the options of a task say, at each but once."""

    def __init__(self, arguments: Mapping[str, Any], client: Client) -> None:
        # whoever does not check the certificate of an endpoint has not said that passwords may go to anybody
        self._arguments = {**arguments, "validate_certs": True}
        self._client = client
        self._known: dict[tuple[str, str], Found] = {}

    def __call__(self, images: Sequence[str], credentials: Sequence[Mapping[str, Any]]) -> list[Found]:
        """What the registries say of these, with these logins."""
        from .._registry.look import look

        logins = repr(credentials)
        new = [image for image in dict.fromkeys(images) if (image, logins) not in self._known]
        found = look(new, credentials, settings(self._arguments, self._client.hide))
        self._known.update({(one.image, logins): one for one in found})
        return [self._known[image, logins] for image in images]


def preflight(arguments: Mapping[str, Any], look: Registries) -> Preflight | None:
    """The look before anything is ordered that a task asks for, None if it asks for none."""
    if arguments["preflight"] == OFF:
        return None
    from .._image_cache.preflight import FAIL, Preflight

    return Preflight(arguments["preflight"] == FAIL, arguments["size_factor"], look)
