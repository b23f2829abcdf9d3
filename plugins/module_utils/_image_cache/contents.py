# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the registries say of the images of bodies of createImageCache. Private to the collection."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence, Tuple

from .._registry.found import Found

# Looks at images with logins, which are mappings with ``server``, ``user_name`` and ``password``.
Look = Callable[[Sequence[str], Sequence[Mapping[str, Any]]], Sequence[Found]]
_Logins = Tuple[Tuple[Tuple[str, str], ...], ...]


def contents(bodies: Sequence[Mapping[str, Any]], look: Look) -> list[list[Found]]:
    """What is found of the images of each body, in their order. Each image is asked for once for each set of logins."""
    wanted: dict[_Logins, dict[str, None]] = {}
    for body in bodies:
        wanted.setdefault(_logins(body), {}).update(dict.fromkeys(body["images"]))
    found = {
        (one.image, logins): one
        for logins, images in wanted.items()
        for one in look(list(images), [dict(login) for login in logins])
    }
    return [[found[image, _logins(body)] for image in body["images"]] for body in bodies]


def _logins(body: Mapping[str, Any]) -> _Logins:
    """The logins of a body under the names of the options, as something that can be compared."""
    return tuple(
        (("server", login["server"]), ("user_name", login["userName"]), ("password", login["password"]))
        for login in body.get("imageRegistryCredentials", ())
    )
