#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: region_info
short_description: Read the zones of a region of CTYun ECI
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the availability zones of the region. Give one of these names for O(ctyun.eci.image_cache#module:az_info.az_name).
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.connection
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: N/A
    details: Changes nothing.
  idempotent:
    support: full
    details: Changes nothing.
seealso:
  - module: ctyun.eci.image_cache
  - module: ctyun.eci.quota_info
"""

EXAMPLES = r"""
- name: Read the zones of the region
  ctyun.eci.region_info:
  register: found

- name: Show the first one
  ansible.builtin.debug:
    msg: "{{ found.region.zones | first }}"
"""

RETURN = r"""
region:
  description: The region, from the operation region in CTYun's API documentation of 2026-09-25.
  returned: always; if the task failed, without an ID and without zones
  type: dict
  contains:
    region_id:
      description: The ID of the region as the service gives it. CTYun's example shows another one than was asked for.
      returned: always, null if the service does not return it
      type: str
      sample: b342b77ef26b11ecb0ac0242ac110002
    zones:
      description: The names of its zones.
      returned: always
      type: list
      elements: str
      sample: ["cn-xinan1-1A", "cn-xinan1-2A", "cn-xinan1-3A"]
failure:
  description: The error in a form for programs. It always has the same keys.
  returned: always, null unless the task failed
  type: dict
  contains:
    code:
      description: The code of the service.
      returned: always, null if the service gave none
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or that of this module if no reply came.
      returned: always
      type: str
    request_id:
      description: The service's ID of the request. If it gave none, the ID that was sent with the request (C(ctyun-eop-request-id)).
      returned: always, null if no request was sent
      type: str
    http_status:
      description: The HTTP status.
      returned: always, null if no reply came
      type: int
      sample: 429
    operation:
      description: The operation of the API.
      returned: always, null if no request failed
      type: str
      sample: region
    effect:
      description:
        - Whether the request can have taken effect, in this attempt or in an earlier one.
        - V(none) if it cannot have taken effect, V(possible) if it may have. A request that only reads has no effect.
      returned: always
      type: str
      choices: [none, possible]
      sample: none
    attempts:
      description: How many times the task sent the request, or tried to.
      returned: always
      type: int
      sample: 1
"""

from ansible_collections.ctyun.eci.plugins.module_utils._module import run_module
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.region_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
