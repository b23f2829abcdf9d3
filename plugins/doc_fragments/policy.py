# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  purge_tags:
    description:
      - Whether tags that the task does not give are removed, if it gives any or an empty list. If not, the tags that the
        service shows are kept besides those of the task.
      - A service that shows no tags at all may lose others when tags are set, since it cannot be told to keep what cannot be
        seen.
    type: bool
    default: true
  drift:
    description:
      - What to do if the image cache exists but differs in something that cannot be changed, that is in the images
        (compared as a set), the size, the zone, or the name where an ID picks it, or if its status tells of a failure. Only options that
        are given are compared.
      - V(warn) leaves it as it is and says so.
      - V(fail) fails.
      - V(recreate) deletes it, waits until it is gone and creates a new one, with a new ID. Should the creation then
        be refused, there is none.
    type: str
    choices: [warn, fail, recreate]
    default: warn
  duplicates:
    description:
      - What to do if there are several image caches of the name. Tasks that share no lock may make them at the same moment, and
        clean up by themselves; a task that was killed cannot.
      - V(fail) waits for some seconds where they are young, for their makers to clean up, and then fails.
      - V(delete_younger) deletes all but the eldest, if all of them are what the task wants. If they are not, it fails.
    type: str
    choices: [fail, delete_younger]
    default: fail
"""
