#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: region_info
short_description: Gather information about the zones of a CTYun ECI region
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the availability zones of the region, for O(ctyun.eci.image_cache#module:az_info.az_name).
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

- name: Show them
  ansible.builtin.debug:
    var: found.region.zones
"""

RETURN = r"""
region:
  description: The region, from the operation region in CTYun's API documentation of 2026-09-25.
  returned: always; if the task failed, without an ID and without zones
  type: dict
  contains:
    region_id:
      description: The ID of the region as the service returns it. In CTYun's example it is not the requested one.
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
  description: The details of the error, always with the same keys.
  returned: always, null unless the task failed
  type: dict
  contains:
    code:
      description: The code of the service.
      returned: always, null if the service gave none
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or of this module if there was no reply.
      returned: always
      type: str
    request_id:
      description: The request ID of the service, or else the one that was sent (C(ctyun-eop-request-id)).
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
        - Whether the request may have taken effect, in this attempt or an earlier one.
        - V(none) means certainly not, V(possible) that it may have. A request that only reads has no effect.
      returned: always
      type: str
      choices: [none, possible]
      sample: none
    attempts:
      description: The number of attempts to send the request.
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
