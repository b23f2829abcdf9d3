#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: quota_info
short_description: Read the quotas of CTYun ECI and how much of them is used
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the quotas of the account in the region, the number of image caches among them.
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
  - module: ctyun.eci.region_info
"""

EXAMPLES = r"""
- name: Read the quotas
  ctyun.eci.quota_info:
  register: found

- name: Show how many more image caches there may be
  ansible.builtin.debug:
    msg: "{{ quota.resource_limit - quota.resource_used }}"
  vars:
    quota: "{{ found.quotas | selectattr('resource_type', 'equalto', 'imageCacheCount') | first }}"
"""

RETURN = r"""
quotas:
  description: The quotas, from the operation listUsage in CTYun's API documentation of 2026-09-25.
  returned: always, empty if the task failed
  type: list
  elements: dict
  contains:
    resource_type:
      description: What is limited. CTYun names V(cpu), V(memory), V(gpu) and V(imageCacheCount), and may have others.
      returned: always, null if the service does not return it
      type: str
      sample: imageCacheCount
    resource_name:
      description: The service's name for it, for people.
      returned: always, null if the service does not return it
      type: str
      sample: 镜像缓存总数量上限
    resource_description:
      description: What it means, for people.
      returned: always, null if the service does not return it
      type: str
      sample: 用户可拥有的镜像缓存最大数量
    resource_limit:
      description: How much there may be.
      returned: always, null if the service does not return it
      type: int
      sample: 50
    resource_used:
      description: How much there is.
      returned: always, null if the service does not return it
      type: int
      sample: 2
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
      sample: listUsage
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.quota_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
