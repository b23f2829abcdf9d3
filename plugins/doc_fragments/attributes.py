# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and return what would be changed, without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
  idempotent:
    description: Running the module again with the same arguments changes nothing.
  async:
    description: Can run with the keyword C(async).
    support: full
    details: It then runs as a module, in a process of its own.
  platform:
    description: The systems that the module can run on.
    platforms: posix
    support: full
    details: It needs Python 3.8 or newer there.
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    membership: [ctyun.eci.eci]
    support: full
notes:
  - A task on a local connection runs inside a worker process of Ansible, which saves the start of a Python process. See the guide
    R(In-process mode,ansible_collections.ctyun.eci.docsite.in_process_mode).
"""
