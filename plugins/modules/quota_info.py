#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: quota_info
short_description: Gather information about the quotas of CTYun ECI
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the quotas of the account in the region and how much of each is used, for example of the number of image caches.
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

- name: Show how many image caches can still be created
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
      description: The kind of resource. CTYun documents V(cpu), V(memory), V(gpu) and V(imageCacheCount).
      returned: always, null if the service does not return it
      type: str
      sample: imageCacheCount
    resource_name:
      description: The display name of the resource.
      returned: always, null if the service does not return it
      type: str
      sample: 镜像缓存总数量上限
    resource_description:
      description: The description of the resource.
      returned: always, null if the service does not return it
      type: str
      sample: 用户可拥有的镜像缓存最大数量
    resource_limit:
      description: The quota.
      returned: always, null if the service does not return it
      type: int
      sample: 50
    resource_used:
      description: How much of it is used.
      returned: always, null if the service does not return it
      type: int
      sample: 2
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
      sample: listUsage
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.quota_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
