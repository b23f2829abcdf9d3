# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the image cache is ready, or is gone.
      - Waiting ends at once with an error at a status that tells of a failure. CTYun lists no statuses, so any that
        contains V(fail) or V(error) counts as one, and any other but V(ready) is waited on.
    type: bool
    default: false
  wait_timeout:
    description:
      - For how many seconds to wait at most. If they are over, the task fails, with the image cache in the result.
    type: float
    default: 1800
  wait_interval:
    description:
      - The seconds between the first two looks. The pauses grow to six times that.
    type: float
    default: 5
"""
