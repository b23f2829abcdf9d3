# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A become method that becomes nobody else, so that tests need no sudo."""

from __future__ import annotations

from typing import Any

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: nobody_else
short_description: become nobody else
description: become nobody else
author: ctyun.eci contributors
options:
  become_user:
    description: ignored
    default: root
    vars:
      - name: ansible_become_user
  become_flags:
    description: ignored
    default: ''
    vars:
      - name: ansible_become_flags
  become_pass:
    description: ignored
    default: ''
    vars:
      - name: ansible_become_password
  become_exe:
    description: ignored
    default: ''
    vars:
      - name: ansible_become_exe
"""


class BecomeModule(BecomeBase):
    name = "nobody_else"

    def build_become_command(self, cmd: str, shell: Any) -> str:
        super().build_become_command(cmd, shell)
        return cmd
