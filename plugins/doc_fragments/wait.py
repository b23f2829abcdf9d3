# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the image cache is ready or, with O(ignore:state=absent), gone. A failed status ends the wait with an
        error.
    type: bool
    default: false
  wait_timeout:
    description:
      - The longest wait in seconds. After it the task fails, with the image cache in its result.
    type: float
    default: 1800
  wait_interval:
    description:
      - The first pause between two reads of the status, in seconds. Pauses grow to six times that.
    type: float
    default: 5
"""
