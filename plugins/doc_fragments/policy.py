# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  purge_tags:
    description:
      - Whether tags that the image cache has, but the task does not give, are removed. If the task gives no tags at all, not even
        an empty list, its tags stay as they are either way.
      - If V(false), the tags that the service shows are kept, and those of the task are added or changed.
      - Some services may show no tags. Other tags of the image cache may then be lost when tags are set, since what is not shown
        cannot be kept.
    type: bool
    default: true
  drift:
    description:
      - What to do if the image cache exists, but differs from the task in something that cannot be changed. That is the images
        (compared as a set), a size that is smaller, a zone if the region has both, and the name if an ID selects the image cache.
        An image cache with a status of a failure counts as different. Only options that are given are compared.
      - V(warn) leaves the image cache as it is and warns.
      - V(fail) fails.
      - V(recreate) checks the zone and the quota, deletes the image cache, waits until it is gone, and creates a new one, which has a
        new ID. If the service then refuses to create it, there is none.
    type: str
    choices: [warn, fail, recreate]
    default: warn
  duplicates:
    description:
      - What to do if several image caches have the name. Tasks on different machines may create them at the same moment. They
        then delete all but one themselves, unless they are killed.
      - V(fail) fails. If all are what the task wants, and one of them is at most five minutes old, the task first waits half a minute
        at most for the tasks that created them to delete theirs.
      - V(delete_younger) deletes all but the oldest, if all of them are what the task wants. Otherwise it fails. They are deleted
        only if the oldest is ready and nothing in the task has failed. If they are not deleted, a warning says so. If the oldest was
        not ready, a later run or O(wait=true) deletes them.
    type: str
    choices: [fail, delete_younger]
    default: fail
"""
