# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  generations:
    description:
      - Whether the name of an image cache follows what is in its images. For the name V(web) the image cache is named
        C(web-) and eight hexadecimal digits, made of the images with their digests, the size and the zone. If a tag of an image
        moves to another digest, the next run makes another image cache, and deletes the older ones of the name as soon as the
        new one is ready.
      - What is deleted follows O(prune_keep) and O(prune_grace), for each name alone. Only image caches go that have such a
        name and the tag C(eci-generation) with the name of the task. O(prune) itself is not used.
      - The digests are read in the registries, with O(image_caches[].image_registry_credentials) and O(registry_addresses). If
        a registry does not tell, the newest image cache of the name is kept as it is, with a warning, and nothing of that name is
        made or deleted. If there is none yet, the task fails before anything is changed.
      - The images are ordered by the names that the task gives, so a tag that moves just then may be in the new image cache
        already.
      - The tag C(eci-digests) has the beginnings of the digests, for up to four images. They are for people and for the diff.
    type: bool
    default: false
  renew_before:
    description:
      - For how many days before O(image_caches[].retention_days) are over another image cache of the same content is made. If it
        is not given, none is made for that reason.
      - It needs O(generations). The time is that of this machine, the time of creation that of the service.
    type: float
  force:
    description:
      - Whether another image cache of each name is made, though nothing has moved. The older ones go when it is ready.
      - It needs O(generations). Each run of such a task orders another disk, so it is for one run, not for a schedule.
    type: bool
    default: false
"""
