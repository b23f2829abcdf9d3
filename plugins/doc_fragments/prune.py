# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prune:
    description:
      - Whether to delete image caches that are not in O(image_caches) and carry all of O(prune_tags). At least one entry must have
        O(state=present).
      - Pruning comes last, and only if all wanted image caches are ready. See the guide
        R(Many image caches,ansible_collections.ctyun.eci.docsite.bulk).
    type: bool
    default: false
  prune_tags:
    description:
      - "The tags that an image cache must carry to be pruned, each with a key and a value. A mapping such as V({team: web}) is accepted
        as well. Required with O(prune)."
    type: list
    elements: dict
    suboptions:
      key:
        description: The key of the tag.
        type: str
      value:
        description: The value of the tag.
        type: str
  prune_keep:
    description:
      - How many of the image caches that could be pruned to keep, the newest ones that have not failed.
    type: int
    default: 0
  prune_grace:
    description:
      - The age in seconds of the newest wanted image cache before which nothing is pruned. Mutually exclusive with O(prune_first).
    type: float
    default: 0.0
  prune_first:
    description:
      - Whether to prune before anything is created, to make room in the quota. For some time, neither the old nor the new image
        caches exist.
    type: bool
    default: false
"""
