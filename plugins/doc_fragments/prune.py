# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prune:
    description:
      - Whether image caches that are not in O(image_caches) are deleted, if they carry all of O(prune_tags).
      - This comes last, and only if every image cache that shall exist is there and ready. Without O(wait) they are in
        most cases not ready yet when they are made, so the next run of the task prunes. What is kept is in RV(kept).
    type: bool
    default: false
  prune_tags:
    description:
      - The tags of the image caches that O(prune) may delete. Required with it.
      - Each needs a key and a value, since one without a value may select by its key alone. Each key may occur once.
      - Where the service shows no tags, its list is asked for each tag alone. If it cannot be told what that filter does,
        nothing is pruned that shows no tags.
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
      - How many of the image caches that could be pruned are kept, the newest, for example to go back to the release before.
    type: int
    default: 0
  prune_grace:
    description:
      - For how many seconds after the youngest wanted image cache was created nothing is pruned.
      - The time is that of this machine, the time of creation that of the service.
    type: float
    default: 0.0
  prune_first:
    description:
      - Whether image caches are pruned before anything is made. This makes room where the quota is used up, at the price of a
        time in which neither the old ones nor the new ones are there.
      - Nothing is pruned if one of the image caches of the task cannot be planned, but nothing is waited for.
    type: bool
    default: false
"""
