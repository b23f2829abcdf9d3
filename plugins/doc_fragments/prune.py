# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prune:
    description:
      - Whether to delete image caches that are not in O(image_caches) and carry all of O(prune_tags).
      - This is done last, on a list that is read at that moment, and only if every image cache of the task with O(state=present)
        is in that list and ready. Without O(wait), new ones are mostly not ready yet, and the next run of the task prunes. RV(kept)
        lists what was not deleted.
      - At least one image cache of the task must have O(state=present). Otherwise the task is refused.
    type: bool
    default: false
  prune_tags:
    description:
      - The tags that an image cache must carry to be deleted by O(prune). Required with it. A mapping is
        taken as well.
      - Each needs a key and a value, since one without a value may select by its key alone. Each key may occur once.
      - Image caches of the role P(ctyun.eci.release#role) stay, unless one of these tags has the key V(release).
      - If the service shows no tags at all, nothing is pruned. A warning says so, and RV(kept) lists the image caches.
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
      - How many of the image caches that could be pruned are kept, the newest ones that have not failed, for example to go back
        to the previous release.
    type: int
    default: 0
  prune_grace:
    description:
      - For how many seconds after the newest wanted image cache was created nothing is pruned. Image caches that are newer than
        it and have not failed are kept as well, since after a rollback it is not known until when they were wanted.
      - The clock of this machine is compared with the time of creation that the service returns.
      - It cannot be given together with O(prune_first).
    type: float
    default: 0.0
  prune_first:
    description:
      - Whether to prune before anything is created. This makes room if the quota is used up, but for some time neither the
        old image caches nor the new ones exist.
      - Nothing is pruned if one of the image caches of the task has failed before.
    type: bool
    default: false
"""
