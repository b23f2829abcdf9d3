# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  purge_tags:
    description:
      - Whether tags that are not in O(tags) are removed. If not, the tags that the service shows are kept besides
        O(tags).
    type: bool
    default: true
  drift:
    description:
      - What to do if the image cache exists but differs in something that cannot be changed, that is in O(images)
        (compared as a set), O(image_cache_size) or O(az_info), or if its status tells of a failure. Only options that
        are given are compared.
      - V(warn) leaves it as it is and says so.
      - V(fail) fails.
      - V(recreate) deletes it, waits until it is gone and creates a new one, with a new ID. Should the creation then
        be refused, there is none.
    type: str
    choices: [warn, fail, recreate]
    default: warn
"""
