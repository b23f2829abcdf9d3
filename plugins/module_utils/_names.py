# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options' names to the API's, and back. Private to the collection."""

from __future__ import annotations

import functools


@functools.lru_cache(maxsize=None)
def wire_name(option: str) -> str:
    """The API's name of a field: ``v_switch_id`` -> ``vSwitchId``."""
    first, *rest = option.split("_")
    return first + "".join(part.title() for part in rest)


@functools.lru_cache(maxsize=None)
def option_name(field: str) -> str:
    """The option's name of a field of the API: ``vSwitchId`` -> ``v_switch_id``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
