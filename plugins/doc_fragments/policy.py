# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  purge_tags:
    description:
      - Whether to remove tags that the task does not list. If the task does not set C(tags), all tags stay.
      - Tags that the service does not show may be lost when tags are set.
    type: bool
    default: true
  drift:
    description:
      - What to do if the image cache differs from the task in images, zone or name, is too small, or has failed.
      - V(warn) warns and V(fail) fails. V(recreate) deletes it and creates a new one with a new ID. If that is refused, none is left.
        See the guide R(Lifecycle,ansible_collections.ctyun.eci.docsite.lifecycle).
    type: str
    choices: [warn, fail, recreate]
    default: warn
  duplicates:
    description:
      - What to do if several image caches have the name. V(fail) fails and lists their IDs.
      - V(delete_younger) deletes all but the oldest, if all are as the task describes them, the oldest is ready, and nothing in the
        task has failed. See the guide R(Troubleshooting,ansible_collections.ctyun.eci.docsite.troubleshooting).
    type: str
    choices: [fail, delete_younger]
    default: fail
"""
