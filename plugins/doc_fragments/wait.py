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
      - V(2678400) (31 days) at most.
    type: float
    default: 1800
  wait_interval:
    description:
      - The seconds between the first two looks. The pauses grow to six times that. V(2678400) (31 days) at most.
    type: float
    default: 5
notes:
  - While a task takes long, it tells on stderr how far it is. Not with C(no_log), not if the variable C(ctyun_eci_progress) is false,
    and not where it runs as a module in a process of its own, which has no way to print.
"""
