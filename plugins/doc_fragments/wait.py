# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the image cache is ready or, with O(ignore:state=absent), until it is gone.
      - A status of a failure ends the wait at once, with an error. CTYun lists no statuses. V(ready) means ready, a status with a
        word such as V(failed) or V(error) means a failure, and any other is waited on.
    type: bool
    default: false
  wait_timeout:
    description:
      - For how many seconds to wait at most. After that the task fails, with the image cache in its result. At most V(2678400)
        (31 days).
    type: float
    default: 1800
  wait_interval:
    description:
      - The number of seconds between the first two reads of the status. The pauses grow to six times that. At most V(2678400)
        (31 days).
    type: float
    default: 5
notes:
  - A task prints its progress on stderr, after 10 seconds and then each 30 seconds. It does not if C(no_log) is set, if the variable
    C(ctyun_eci_progress) is V(false), or if it runs as a module in a process of its own, which cannot print.
"""
